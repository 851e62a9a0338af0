"""Questions to the Hugging Face hub, and its refusals as sentences with a way out."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2
from huggingface_hub import get_async_session
from huggingface_hub.errors import OfflineModeIsEnabled
from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]  # public, but not marked so
from pydantic import BaseModel, ValidationError

from tools.hub_driver import describe
from tools.plain import plain
from tools.settings import ToolSettings
from tuner.errors import NotFoundError, TunerError, UnavailableError

OFFLINE = (
    "Offline mode is on, so the hub is not asked: unset AUTOTUNER_HF_OFFLINE and HF_HUB_OFFLINE and start the service "
    "again. hf_cache_scan lists the models that are here already."
)


Answer = TypeVar("Answer", bound=BaseModel)


@dataclass(frozen=True)
class Wanted:
    """What is asked for, for the errors."""

    repo: str
    revision: str | None = None


async def ask(
    settings: ToolSettings,
    path: str,
    params: Mapping[str, str | int | Sequence[str]],
    wanted: Wanted | None,
    answer: type[Answer],
) -> Answer:
    """What the hub answers, asked once.

    Args:
        wanted: None: a list of models.

    Raises:
        UnavailableError: offline, not allowed, not reachable, or too much asked of.
        NotFoundError: no such model or revision, or none that the token can see.
    """
    try:
        return answer.model_validate_json(await read(settings, path, params, wanted))
    except ValidationError:
        raise _foreign(settings) from None


async def read(
    settings: ToolSettings, path: str, params: Mapping[str, str | int | Sequence[str]], wanted: Wanted | None
) -> bytes:
    """The same, as it comes."""
    if settings.hf_offline:
        raise UnavailableError(OFFLINE)
    token = settings.hf_token
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
    try:
        async with (
            asyncio.timeout(settings.hf_timeout_s),
            # In a thread: reading the certificates of this machine takes as long as a whole answer.
            await asyncio.to_thread(get_async_session) as client,
        ):
            response = await client.get(f"{settings.hf_endpoint}{path}", params=params, headers=headers)
            hf_raise_for_status(response)
            return response.content
    except TimeoutError:
        raise UnavailableError(
            f"{settings.hf_endpoint} did not answer in {settings.hf_timeout_s:g} s; try again in a minute, or set "
            "AUTOTUNER_HF_TIMEOUT_S to more."
        ) from None
    except (httpx2.HTTPError, OfflineModeIsEnabled) as error:
        raise refusal(describe(error), settings, wanted) from None


def _foreign(settings: ToolSettings) -> UnavailableError:
    return UnavailableError(f"{settings.hf_endpoint} does not answer as the hub does; check AUTOTUNER_HF_ENDPOINT.")


def refusal(failed: Mapping[str, Any], settings: ToolSettings, wanted: Wanted | None) -> TunerError:
    """What `hub_driver.describe` says, in a sentence."""
    kinds, status, at = failed["kinds"], failed["status"], settings.hf_endpoint
    said = plain(failed["text"], 300, settings.secrets).rstrip(".")
    what = f"the model {wanted.repo}" if wanted else "the list of models"
    if "OfflineModeIsEnabled" in kinds:
        return UnavailableError(OFFLINE)
    if wanted and (known := _about_the_model(kinds, status, said, settings, wanted)):
        return known
    match status:
        case 401:
            return UnavailableError(
                f"{at} does not accept the token (401: {said}): it is wrong, expired or revoked; "
                "make a new one that can read, and set AUTOTUNER_HF_TOKEN to it."
            )
        case 403:
            return UnavailableError(
                f"The token may not read {what} (403: {said}); {_token(settings)} that can, or ask its owner."
            )
        case 429:
            wait = f"try again in {failed['retry_s']} s" if failed["retry_s"] is not None else "try again in 5 minutes"
            return UnavailableError(
                f"The hub takes no more requests now (429: {said}); {wait}"
                + ("." if settings.hf_token else ", or set AUTOTUNER_HF_TOKEN: those with a token may ask more often.")
            )
        case int() if status >= 500:
            return UnavailableError(f"The hub has a problem of its own ({status}: {said}); try again in a few minutes.")
        case int():
            return UnavailableError(f"The hub does not give {what} ({status}: {said}); check what you ask for.")
    if "TimeoutException" in kinds:
        return UnavailableError(f"{at} stopped answering; try again: what is finished is kept.")
    if "FileMetadataError" in kinds:
        return _foreign(settings)
    if "TransportError" in kinds:
        return UnavailableError(
            f"{at} cannot be reached: {said}; check the network, its proxy, and AUTOTUNER_HF_ENDPOINT."
        )
    return UnavailableError(f"{what} could not be read from {at}: {said}; try again: what is finished is kept.")


def _about_the_model(
    kinds: Sequence[str], status: int | None, said: str, settings: ToolSettings, wanted: Wanted
) -> TunerError | None:
    repo, at = wanted.repo, settings.hf_endpoint
    if "GatedRepoError" in kinds:
        return UnavailableError(
            f"{repo} is gated: its owner gives access one by one. Open {at}/{repo} in a browser, accept its terms, "
            f"{_token(settings)} of the account that was given access, and try again."
        )
    if "RevisionNotFoundError" in kinds:
        return NotFoundError(
            f"{repo} has no revision {wanted.revision!r}; leave it out for the newest, or take a branch, tag or commit "
            "that the model's page lists."
        )
    if "DisabledRepoError" in kinds:
        return UnavailableError(f"{repo} is disabled by the hub; choose another model (search_hf_models).")
    if "EntryNotFoundError" in kinds:
        return NotFoundError(f"A file of {repo} is not on the hub: {said}; ask for its files again (hf_model_info).")
    if "RepositoryNotFoundError" in kinds or status == 404:
        return NotFoundError(
            f"There is no model {repo!r} on {at}, or it is private: search_hf_models finds the right spelling; for a "
            f"private one {_token(settings)} that can read it."
        )
    return None


def _token(settings: ToolSettings) -> str:
    return "set AUTOTUNER_HF_TOKEN to a token" if settings.hf_token is None else "change AUTOTUNER_HF_TOKEN to a token"
