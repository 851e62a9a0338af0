"""The published AG-UI clients, in Node, against the service: what they make of its streams."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.fakes.agent_app import HEADERS, App, agent_app
from tests.fakes.scripted_model import Call, Say

FOLDER = Path(__file__).parents[1] / "node"
CLIENTS = {"1.0.0": "ag-ui-client-1", "0.0.58": "ag-ui-client-0"}
PRESET = {"name": "quick", "task": {"parameters": {"max-num-seqs": [4, 16]}}}
SAVE = Say("I keep it.", [Call("save_preset", PRESET)])
APPROVED = {"status": "resolved", "payload": {"approved": True}}

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.node,
    pytest.mark.skipif(
        not shutil.which("node") or not (FOLDER / "node_modules" / "ag-ui-client-1").is_dir(),
        reason="Node or its packages are missing; run: npm ci --prefix tests/node",
    ),
]


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> str:
    return CLIENTS[request.param]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[App]:
    async with agent_app(tmp_path_factory.mktemp("home"), []) as app:
        yield app


@pytest_asyncio.fixture(loop_scope="module")
async def app(opened: App) -> AsyncIterator[App]:
    async with opened.afresh() as app:
        yield app


async def converse(client: str, app: App, scenario: str, **more: Any) -> list[Any]:
    """What the client saw, run by run. It has nothing to complain about."""
    given = {"url": app.url, "session": app.session, "headers": HEADERS, "scenario": scenario, "text": "Hello", **more}
    process = await asyncio.create_subprocess_exec(
        "node", "agui.mjs", client, json.dumps(given), cwd=FOLDER, stdout=-1, stderr=-1
    )
    try:
        out, complaints = await asyncio.wait_for(process.communicate(), 30)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert complaints.decode() == ""
    seen: list[Any] = json.loads(out)
    assert [run["failure"] for run in seen if isinstance(run, dict)] == [None for run in seen if isinstance(run, dict)]
    return seen


def types(run: dict[str, Any]) -> list[str]:
    return [event["type"] for event in run["events"]]


def said(run: dict[str, Any]) -> list[tuple[str, str]]:
    """Who said what, tool answers aside."""
    return [(one["role"], one["content"]) for one in run["messages"] if one["role"] != "tool" and "content" in one]


def called(run: dict[str, Any]) -> list[dict[str, str]]:
    return [call["function"] for message in run["messages"] for call in message.get("toolCalls", ())]


def answers(run: dict[str, Any]) -> list[str]:
    return [message["content"] for message in run["messages"] if message["role"] == "tool"]


async def names(app: App) -> list[str]:
    return [preset.name for preset in await app.tuner.presets() if not preset.built_in]


async def test_text_arrives(client: str, app: App) -> None:
    app.model.script = [Say("Hello to you.")]
    (run,) = await converse(client, app, "talk")
    assert said(run) == [("user", "Hello"), ("assistant", "Hello to you.")]
    assert types(run)[-1] == "RUN_FINISHED"


async def test_tool_calls_and_their_answers_arrive(client: str, app: App) -> None:
    app.model.script = [Say("Let me see.", [Call("list_presets", {"limit": 3})]), Say("Done.")]
    (run,) = await converse(client, app, "talk")
    assert called(run) == [{"name": "list_presets", "arguments": '{"limit": 3}'}]
    assert [json.loads(one).keys() for one in answers(run)] == [{"shown", "presets"}]
    assert said(run)[1:] == [("assistant", "Let me see."), ("assistant", "Done.")]


async def test_an_approved_call_runs(client: str, app: App) -> None:
    app.model.script = [SAVE, Say("Kept.")]
    asked, done = await converse(client, app, "decide", answers=[APPROVED])
    (interrupt,) = asked["interrupts"]
    assert interrupt["metadata"]["args"].items() >= PRESET.items()
    assert done["interrupts"] == []
    assert [json.loads(one)["name"] for one in answers(done)] == ["quick"]
    assert said(done)[-1] == ("assistant", "Kept.")
    assert await names(app) == ["quick"]


async def test_an_edited_call_runs_as_edited(client: str, app: App) -> None:
    app.model.script = [SAVE, Say("Kept.")]
    edited = {"status": "resolved", "payload": {"approved": True, "editedArgs": {**PRESET, "name": "slow"}}}
    await converse(client, app, "decide", answers=[edited])
    assert await names(app) == ["slow"]


async def test_a_rejected_call_and_a_cancelled_one_do_not_run(client: str, app: App) -> None:
    other = Call("save_preset", {**PRESET, "name": "other"})
    app.model.script = [Say("Both.", [*SAVE.calls, other]), Say("Then not.")]
    refusal = {"status": "resolved", "payload": {"approved": False, "reason": "Too early."}}
    asked, done = await converse(client, app, "decide", answers=[refusal, {"status": "cancelled"}])
    assert len(asked["interrupts"]) == 2
    assert [any(reason in one for one in answers(done)) for reason in ("Too early.", "Cancelled.")] == [True, True]
    assert said(done)[-1] == ("assistant", "Then not.")
    assert await names(app) == []


async def test_a_cancelled_turn_ends_well(client: str, app: App) -> None:
    app.model.script = [Say("on " * 2000, pause_s=0.01)]
    run, status = await converse(client, app, "cancel")
    assert status == 200
    assert types(run)[-2:] == ["TEXT_MESSAGE_END", "RUN_FINISHED"]
    assert said(run)[-1][1].startswith("on ")


async def test_a_connection_that_drops_again_and_again_loses_and_doubles_nothing(client: str, app: App) -> None:
    app.model.script = [
        Say("Let me see what there is.", [Call("list_presets", {"limit": 3})], 0.01),
        Say("one two three four five six seven eight nine ten", pause_s=0.01),
    ]
    (run,) = await converse(client, app, "reconnect", cutAfter=3)
    assert said(run) == [
        ("user", "Hello"),
        ("assistant", "Let me see what there is."),
        ("assistant", "one two three four five six seven eight nine ten"),
    ]
    assert called(run) == [{"name": "list_presets", "arguments": '{"limit": 3}'}]
    assert len(answers(run)) == 1


async def test_a_turn_outlives_the_client_that_left_and_a_new_one_reads_the_whole_session(
    client: str, app: App
) -> None:
    app.model.script = [Say("one two three four five", [Call("list_presets", {"limit": 3})], 0.02), SAVE]
    (left,) = await converse(client, app, "leave")
    assert "RUN_FINISHED" not in types(left)
    async for _ in app.read(f"/runs/{left['events'][0]['runId']}/events"):
        pass
    (run,) = await converse(client, app, "read")
    assert said(run) == [("user", "Hello"), ("assistant", "one two three four five"), ("assistant", "I keep it.")]
    assert [one["name"] for one in called(run)] == ["list_presets", "save_preset"]
    (waiting,) = run["interrupts"]
    app.model.script = [Say("Kept.")]
    decided = await app.post(f"/approvals/{waiting['id']}/decision", {"kind": "approve"})
    async for _ in app.read(f"/runs/{decided['run_id']}/events"):
        pass
    (run,) = await converse(client, app, "read")
    assert said(run)[-1] == ("assistant", "Kept.")
    assert run["interrupts"] == []
