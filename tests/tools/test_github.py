"""GitHub's refusals, each an error with a way out, and no write that is sent twice. On a server that says no."""

import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

import tools
from tests.fakes.github_server import ISSUE, found, github_answering, refusal
from tests.fakes.web import Answer, Request, json_answer, serving
from tools import Context, ToolSettings
from tools.github_api import RejectedError
from tuner.errors import NotFoundError, UnavailableError
from tuner.service import Tuner
from tuner.settings import Settings
from tuner.storage.store import Store

TOKEN = "ghp_" + "Sesame" * 6
READ, WRITE = ("get_github_issue", {"number": 7}), ("create_github_issue", {"title": "T", "body": "B"})


@pytest.fixture
def tuner(tmp_path: Path) -> Tuner:
    """Its database is not opened: nothing here asks it."""
    settings = Settings(home=tmp_path / "home")
    settings.home.mkdir()
    return Tuner(settings, Store(settings.store_url))


async def call(tuner: Tuner, url: str, name: str, args: Any, **changes: Any) -> Any:
    given = {"github_repo": "octocat/engine", "github_token": SecretStr(TOKEN), "github_timeout_s": 5, **changes}
    settings = ToolSettings(github_url=url, **given)
    return json.loads(await tools.call(name, args, Context(tuner, settings), call_id="c"))


REFUSALS: dict[str, tuple[Answer, type[Exception], str]] = {
    "401": (refusal(401, "Bad credentials"), UnavailableError, r"\(401: Bad cred.*expired.*AUTOTUNER_GITHUB_TOKEN"),
    "403": (
        refusal(403, "Resource not accessible by personal access token"),
        UnavailableError,
        r"may not .* in octocat/engine \(403: Resource.*Issues: read and write",
    ),
    "403, too often": (
        refusal(403, "API rate limit exceeded for user ID 1.", X_RateLimit_Reset=str(int(time.time()) + 900_000)),
        UnavailableError,
        r"no more requests now \(403: API rate.*try again in [89]\d{5} s \(at \d\d:\d\d:\d\d UTC\)",
    ),
    "403, far too often": (
        refusal(403, "You have exceeded a secondary rate limit", Retry_After="61"), UnavailableError, r"again in 61 s",
    ),
    "404": (refusal(404, "Not Found"), NotFoundError, r"404: Not Found.*token cannot see it.*AUTOTUNER_GITHUB_R"),
    "410": (refusal(410, "Issues are disabled"), UnavailableError, r"switched off in octocat/engine \(410"),
    "422": (
        refusal(422, "Validation Failed", [{"resource": "Issue", "field": "title", "code": "missing_field"}]),
        RejectedError,
        r"\(422: Validation Failed; title missing_field\); change that",
    ),
    "429": (refusal(429, "Slow down", Retry_After="30"), UnavailableError, r"now \(429: Slow down\); try again in 30"),
    "429 without a time": (refusal(429, "Slow down"), UnavailableError, r"try again in a few minutes"),
    "500": (refusal(500, "Oh"), UnavailableError, r"problem of its own \(500: Oh\)"),
    "502 of a proxy": (Answer(502, b"<html>Bad</html>", {"Content-Type": "text/html"}), UnavailableError, r"\(502: "),
    "503": (Answer(503), UnavailableError, r"problem of its own \(503: no reason given\)"),
    "something else": (Answer(200, b"[1, 2]"), UnavailableError, r"does not answer as GitHub does.*AUTOTUNER_GITHUB"),
    "no JSON": (Answer(200, b"{nonsense"), UnavailableError, r"does not answer as GitHub does"),
    "silence": (Answer(silent=True), UnavailableError, r"did not answer in 1 s.*AUTOTUNER_GITHUB_TIMEOUT_S"),
}  # fmt: skip


@pytest.mark.parametrize("tool", [READ, WRITE], ids=["read", "write"])
@pytest.mark.parametrize("name", REFUSALS)
async def test_every_refusal_says_what_and_what_to_do_and_is_asked_once(
    tuner: Tuner, name: str, tool: tuple[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    answer, error, words = REFUSALS[name]
    with github_answering(answer) as server:
        with pytest.raises(error, match=words) as raised:
            await call(tuner, server.url, *tool, github_timeout_s=1 if answer.silent else 30)
        assert len(server.asked) == 1
        assert server.asked[0].token == TOKEN
    assert TOKEN not in str(raised.value) + caplog.text
    if tool is WRITE and name.startswith(("5", "s", "no")):
        assert "is not known: look for it on GitHub before you try again" in str(raised.value)


async def test_a_server_that_is_not_there_is_named(tuner: Tuner) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(
            UnavailableError, match=rf"{url} cannot be reached: Connection refused; .*AUTOTUNER_GITHUB_URL"
        ):
            await call(tuner, url, *READ)


async def test_a_broken_connection_does_not_send_a_comment_again(tuner: Tuner) -> None:
    asked: list[Request] = []

    def cut(request: Request) -> Answer:
        asked.append(request)
        return Answer(201, b"{", {"Content-Length": "100"})

    with (
        serving(cut) as server,
        pytest.raises(UnavailableError, match=r"whether it did comment on issue #7 is not"),
    ):
        await call(tuner, server.url, "comment_github_issue", {"number": 7, "body": "B"})
    assert [one.method for one in asked] == ["POST"]


async def test_a_token_repeated_by_a_server_is_not_repeated_by_us(tuner: Tuner) -> None:
    answer = refusal(403, f"token {TOKEN} and password=sesame are bad")
    with github_answering(answer) as server, pytest.raises(UnavailableError) as raised:
        await call(tuner, server.url, *READ)
    assert TOKEN not in str(raised.value)
    assert "sesame" not in str(raised.value)


async def test_without_a_repository_or_a_token_it_says_how_to_set_them(tuner: Tuner) -> None:
    url = "http://127.0.0.1:9"
    for name, args in (READ, WRITE, ("search_github_issues", {"text": "x"})):
        with pytest.raises(UnavailableError, match=r"no GitHub repository is set; set AUTOTUNER_GITHUB_REPO to owner"):
            await call(tuner, url, name, args, github_repo=None)
    with pytest.raises(UnavailableError, match=r"I cannot create an issue in octocat/engine without a token; set AUTO"):
        await call(tuner, url, *WRITE, github_token=None)


async def test_reading_works_without_a_token(tuner: Tuner) -> None:
    with github_answering(json_answer(ISSUE)) as server:
        answer = await call(tuner, server.url, *READ, github_token=None)
        assert [one.token for one in server.asked] == [None]
    assert (answer["title"], answer["labels"], answer["author"]) == ("Out of memory with tp 2", ["bug"], "octocat")


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("out of memory", "out of memory repo:octocat/engine is:issue state:open"),
        ('x repo:a/secret "org:b" (c)', "x repo a/secret org b c repo:octocat/engine is:issue state:open"),
        ("-label:bug --tp=2", "label bug --tp 2 repo:octocat/engine is:issue state:open"),
    ],
)  # fmt: skip
async def test_a_search_stays_in_the_repository(tuner: Tuner, text: str, asked: str) -> None:
    with github_answering(found(ISSUE)) as server:
        answer = await call(tuner, server.url, "search_github_issues", {"text": text, "state": "open"})
        assert [one.query["q"] for one in server.asked] == [[asked]]
    assert answer["total"] == 1
    assert answer["issues"][0]["number"] == 7


async def test_a_search_without_a_word_is_refused(tuner: Tuner) -> None:
    with pytest.raises(RejectedError, match=r"no word to search for in '\?!:'; give a few telling ones"):
        await call(tuner, "http://127.0.0.1:9", "search_github_issues", {"text": "?!:"})


async def test_the_newest_comments_are_read_and_no_page_more(tuner: Tuner) -> None:
    comments = [
        {"id": n, "body": f"comment {n}", "user": None, "created_at": "2026-01-02T03:04:05Z"} for n in range(130)
    ]

    def answer(request: Request) -> Answer:
        if not request.path.endswith("/comments"):
            return json_answer({**ISSUE, "comments": 130, "body": "b" * 7000 + "\x1b[31m\u202e"})
        page, size = int(request.query["page"][0]), int(request.query["per_page"][0])
        return json_answer(comments[(page - 1) * size : page * size])

    with serving(answer) as server:
        read = await call(tuner, server.url, "get_github_issue", {"number": 7, "comments": 3})
        assert [one.query.get("page") for one in server.asked] == [None, ["3"]]
        none = await call(tuner, server.url, "get_github_issue", {"number": 7, "comments": 0})
    said = [f"ghost, 2026-01-02 03:04:\ncomment {n}" for n in (127, 128, 129)]
    assert read["comments"]["text"] == "\n\n".join(said)
    assert read["comments_total"] == 130
    assert read["body"]["source"] == "issue #7 of octocat/engine"
    assert read["body"]["text"] == "b" * 6000
    assert read["body"]["cut"].startswith("the first 6,000 of")
    assert "comments" not in none


@pytest.mark.parametrize("body", ["fine\nHF_TOKEN=hf_" + "a" * 20, "x " + TOKEN, "-----BEGIN PRIVATE KEY-----\nabc"])
async def test_a_secret_is_not_published(tuner: Tuner, body: str) -> None:
    with github_answering(refusal(500, "never asked")) as server:
        with pytest.raises(RejectedError, match=r"Nothing was published: line [12] of the body holds .*\[removed\]"):
            await call(tuner, server.url, "create_github_issue", {"title": "T", "body": body})
        with pytest.raises(RejectedError, match=r"Nothing was published"):
            await call(tuner, server.url, "comment_github_issue", {"number": 1, "body": body})
        with pytest.raises(RejectedError, match=r"line 1 of the title"):
            await call(tuner, server.url, "create_github_issue", {"title": TOKEN, "body": "B"})
        assert server.asked == []
