"""Calls to GitHub's REST API: off the event loop, never repeated by themselves, every refusal with a way out."""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from tools.plain import plain
from tools.settings import ToolSettings
from tuner.errors import NotFoundError, TunerError, UnavailableError

if TYPE_CHECKING:  # PyGithub takes as long to load as half of the rest: it is loaded when it is first asked for
    from github import Github
    from github.GithubException import GithubException
    from github.Repository import Repository

log = logging.getLogger(__name__)

T = TypeVar("T")

PER_PAGE = 50
WHOLE = 4
"""How many time-outs all requests of one call may take together."""
HOW_TO = (
    "set AUTOTUNER_GITHUB_REPO to owner/name, and AUTOTUNER_GITHUB_TOKEN to a token with the permission "
    "Issues: read and write, then start the service again"
)


class RejectedError(TunerError):
    """GitHub does not take what was sent."""


@dataclass(frozen=True)
class Purpose:
    """What is being done, for the errors."""

    doing: str
    """`search issues`: goes on after "may not" and "cannot"."""
    writes: bool = False


async def github(settings: ToolSettings, purpose: Purpose, ask: "Callable[[Github, Repository], T]") -> T:
    """Runs `ask` in a thread, with a connection of its own.

    Raises:
        UnavailableError: not configured, not allowed, not reachable, or too much asked of.
        NotFoundError: no such repository or issue, or none that the token can see.
        RejectedError: what was sent is not acceptable.
    """
    repo = settings.github_repo
    if repo is None:
        raise UnavailableError(f"I cannot {purpose.doing}: no GitHub repository is set; {HOW_TO}.")
    if purpose.writes and settings.github_token is None:
        raise UnavailableError(f"I cannot {purpose.doing} in {repo} without a token; {HOW_TO}.")
    try:
        async with asyncio.timeout(WHOLE * settings.github_timeout_s):
            return await asyncio.to_thread(_ask, settings, repo, purpose, ask)
    except TimeoutError:
        raise _silent(settings, purpose) from None


def _ask(settings: ToolSettings, repo: str, purpose: Purpose, ask: "Callable[[Github, Repository], T]") -> T:
    from github import Auth, Github
    from github.GithubException import BadAttributeException, GithubException
    from requests.exceptions import RequestException, SSLError, Timeout

    token, at = settings.github_token, settings.github_url
    connection = Github(
        auth=Auth.Token(token.get_secret_value()) if token else None,
        base_url=at,
        timeout=settings.github_timeout_s,
        retry=None,  # its own would wait for a rate limit to pass, and send a write again
        seconds_between_requests=None,
        seconds_between_writes=None,
        per_page=PER_PAGE,
        lazy=True,
    )
    try:
        with closing(connection):
            return ask(connection, connection.get_repo(repo))
    except GithubException as error:
        raise _refusal(error, settings, repo, purpose) from None
    except Timeout:
        raise _silent(settings, purpose) from None
    except SSLError as error:
        raise UnavailableError(
            f"The certificate of {at} is not trusted: {plain(str(error), 200, settings.secrets)}; correct "
            "AUTOTUNER_GITHUB_URL, or have this machine trust it (REQUESTS_CA_BUNDLE)."
        ) from None
    except RequestException as error:
        raise UnavailableError(
            f"{at} cannot be reached: {plain(_reason(error), 200, settings.secrets)}; {_unsure(purpose)} "
            "Check the network, its proxy, and AUTOTUNER_GITHUB_URL."
        ) from None
    except (BadAttributeException, ValueError, TypeError, AttributeError, RuntimeError) as error:
        # PyGithub takes an answer apart as it is asked for its parts: one that is not GitHub's ends in any of these.
        log.exception("%s does not answer as GitHub does", at)
        raise UnavailableError(
            f"{at} does not answer as GitHub does ({type(error).__name__}); {_unsure(purpose)} "
            "Check AUTOTUNER_GITHUB_URL: it ends in /api/v3 for GitHub Enterprise."
        ) from None


def _reason(error: Exception) -> str:
    """What the operating system said, which stands far inside, or all of it."""
    told = re.search(r"\[Errno -?\d+\] ([\w ]+)", str(error))
    return told[1] if told else str(error)


def _silent(settings: ToolSettings, purpose: Purpose) -> UnavailableError:
    return UnavailableError(
        f"{settings.github_url} did not answer in {settings.github_timeout_s} s; {_unsure(purpose)} "
        "A longer time is AUTOTUNER_GITHUB_TIMEOUT_S."
    )


def _unsure(purpose: Purpose) -> str:
    if purpose.writes:
        return f"whether it did {purpose.doing} is not known: look for it on GitHub before you try again."
    return "try again in a minute."


def _refusal(error: "GithubException", settings: ToolSettings, repo: str, purpose: Purpose) -> TunerError:
    data: Mapping[str, Any] = error.data if isinstance(error.data, dict) else {}
    said = plain(str(data.get("message") or data.get("data") or "no reason given"), 300, settings.secrets).rstrip(".")
    headers = {key.lower(): str(value) for key, value in (error.headers or {}).items()}
    match error.status:
        case 401:
            return UnavailableError(f"{settings.github_url} does not accept the token (401: {said}); {_new_token()}")
        case 403 | 429 if error.status == 429 or "rate limit" in said.lower() or "retry-after" in headers:
            return UnavailableError(f"GitHub takes no more requests now ({error.status}: {said}); {_later(headers)}")
        case 403:
            return UnavailableError(
                f"This token may not {purpose.doing} in {repo} (403: {said}); give it the permission Issues: read and "
                "write for that repository, and have its organization allow it."
            )
        case 404:
            return NotFoundError(
                f"GitHub cannot {purpose.doing} in {repo} (404: {said}): there is no such repository or issue, or the "
                f"token cannot see it; check the number, and AUTOTUNER_GITHUB_REPO, which is {repo}."
            )
        case 410:
            return UnavailableError(f"Issues are switched off in {repo} (410: {said}), or this one was deleted.")
        case 422 | 400:
            return RejectedError(
                f"GitHub does not take this ({error.status}: {said}{_fields(data, settings)}); "
                "change that, and try again."
            )
        case status if status >= 500:
            return UnavailableError(f"GitHub has a problem of its own ({status}: {said}); {_unsure(purpose)}")
        case status:
            return UnavailableError(f"GitHub cannot {purpose.doing} in {repo} ({status}: {said}); {_unsure(purpose)}")


def _new_token() -> str:
    return (
        "it is wrong, expired or revoked: make a new one with the permission Issues: read and write, and set "
        "AUTOTUNER_GITHUB_TOKEN to it."
    )


def _later(headers: Mapping[str, str]) -> str:
    """When to try again, by the header that says it."""
    wait = headers.get("retry-after", "")
    reset = headers.get("x-ratelimit-reset", "")
    if wait.isdigit():
        seconds = int(wait)
    elif reset.isdigit():
        seconds = max(1, int(reset) - int(time.time()))
    else:
        return "try again in a few minutes."
    return f"try again in {seconds} s (at {time.strftime('%H:%M:%S UTC', time.gmtime(time.time() + seconds))})."


def _fields(data: Mapping[str, Any], settings: ToolSettings) -> str:
    """Which part is wrong, where GitHub says so."""
    errors = data.get("errors")
    told = [
        " ".join(str(one[key]) for key in ("field", "code", "message") if one.get(key))
        if isinstance(one, dict)
        else str(one)
        for one in (errors if isinstance(errors, list) else [])[:5]
    ]
    return plain("".join(f"; {one}" for one in told), 300, settings.secrets)
