"""The issue about a failed experiment: everything one needs to understand it, and nothing nobody may see."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

import tools
from tests.fakes import rig
from tests.fakes.github_server import ISSUE, found, github_answering, refusal
from tests.fakes.rig import Death, Tables
from tests.fakes.web import json_answer
from tools import Context, ToolSettings, github_draft
from tuner.errors import ConflictError, NotFoundError
from tuner.service import Tuner

TOKEN, PASSWORD = "ghp_" + "Sesame" * 6, "0penThyself"
REPO: dict[str, Any] = {"github_repo": "octocat/engine", "github_token": SecretStr(TOKEN)}


async def failed_task(tuner: Tuner, tables: Tables, log: str) -> str:
    """Its baseline dies as it starts; the other experiment completes."""
    tables.deployer.starts = (Death(1, log),)
    task = await tuner.create(rig.spec(parameters={"speed": [5]}, environment={"HF_TOKEN": PASSWORD}))
    await tuner.start(task.id)
    await tuner.run(task.id)
    return task.id


async def draft(tuner: Tuner, task: str, experiment: int, settings: dict[str, Any]) -> Any:
    made = Context(tuner, ToolSettings(**settings))
    args = {"task": task, "experiment": experiment}
    return json.loads(await tools.call("draft_github_issue", args, made, call_id="c"))


async def test_it_has_versions_flags_log_and_links_and_no_secret(tuner: Tuner, tables: Tables) -> None:
    model = tuner.settings.models / "m"
    log = (
        f"loading {model} for {Path.home()}/x\nNamespace(api_key='{PASSWORD}', speed=5)\n"
        f"Authorization: Bearer {TOKEN}\n```\n@octocat # not a heading\n\x1b[31mfake: no memory left on device 7\n"
    )
    task = await failed_task(tuner, tables, log)
    with github_answering(found(ISSUE)) as server:
        answer = await draft(tuner, task, 0, {**REPO, "github_url": server.url})
        query = server.asked[0].query["q"][0]
        assert [one.method for one in server.asked] == ["GET"], "nothing is published"
    body = answer["body"]
    assert answer["title"].startswith("[fake] out_of_memory: ")
    assert answer["labels"] == ["bug"]
    assert query.endswith("repo:octocat/engine is:issue")
    assert "memory" in query
    assert answer["similar"][0]["number"] == 7
    for part in (
        "### Versions\n\n- fake ", "- model org/model", "- autotuner 0.1.0, Python 3.", "### Flags that were tried",
        "### Command\n\n```text\n", "fake --port 8000", "### End of the log", "fake: no memory left on device",
        "- #7 Out of memory with tp 2 (open) https://github.example/octocat/engine/issues/7",
        "$AUTOTUNER_HOME/models/m",
    ):  # fmt: skip
        assert part in body, part
    for hidden in (TOKEN, PASSWORD, str(tuner.settings.home), "\x1b"):
        assert hidden not in body, hidden
    assert "api_key='[removed]'" in body
    assert "\n````text\n" in body, "the log's own fence does not end its block"


async def test_what_it_drafts_can_be_published_as_it_is(tuner: Tuner, tables: Tables) -> None:
    task = await failed_task(tuner, tables, f"password={PASSWORD}\nfake: no memory\n")
    with github_answering(found()) as server:
        answer = await draft(tuner, task, 0, {**REPO, "github_url": server.url})
    args = {name: answer[name] for name in ("title", "body", "labels")}
    assert await tools.canonical("create_github_issue", args) == args
    with github_answering(json_answer({**ISSUE, "title": args["title"]}, 201)) as server:
        context = Context(tuner, ToolSettings(github_url=server.url, **REPO))
        written = json.loads(await tools.call("create_github_issue", args, context, call_id="c"))
        assert json.loads(server.asked[0].body) == args
    assert written["number"] == 7


async def test_without_github_there_is_still_a_draft_and_a_word_why_nothing_was_searched(
    tuner: Tuner, tables: Tables
) -> None:
    task = await failed_task(tuner, tables, "fake: no memory\n")
    unset = await draft(tuner, task, 0, {})
    assert "Similar issues were not found: I cannot search issues: no GitHub repository is set" in unset["note"]
    with github_answering(refusal(401, "Bad credentials")) as server:
        refused = await draft(tuner, task, 0, {**REPO, "github_url": server.url})
    assert "does not accept the token (401" in refused["note"]
    for answer in (unset, refused):
        assert answer["similar"] == []
        assert "### Similar issues\n\nNone found." in answer["body"]


async def test_only_what_failed_is_reported(tuner: Tuner, tables: Tables) -> None:
    task = await failed_task(tuner, tables, "fake: no memory\n")
    with pytest.raises(NotFoundError, match="no experiment 9; those that failed: 0"):
        await draft(tuner, task, 9, {})
    with pytest.raises(ConflictError, match=r"Experiment 1 .* is completed and did not fail.*those that failed: 0"):
        await draft(tuner, task, 1, {})


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0; 0x7f)", ["CUDA", "out", "of", "memory"]),
        ("/home/me/x.py:12 KeyError: 'model.layers'", ["KeyError"]),
        ("one two three four five six seven", ["one", "two", "three", "four", "five", "six"]),
        ("12 34", ["error"]),
        ("", ["error"]),
    ],
)
def test_words_of_one_machine_are_not_searched_for(message: str, words: list[str]) -> None:
    assert github_draft._words(message) == words
