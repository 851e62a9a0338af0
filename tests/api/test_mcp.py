"""MCP, spoken with the published client: in this process, over HTTP, and on standard input and output."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastmcp import Client
from fastmcp.client.elicitation import ElicitResult
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport
from fastmcp.exceptions import McpError
from mcp.types import CallToolResult, InputRequiredResult
from mcp.types import ElicitResult as Said

import tools
from agent.approvals.mcp_calls import session_id
from agent.approvals.records.audit import AuditQuery
from agent.domain import Approval, ApprovalState
from api.app import create_app
from api.mcp_server import build
from tests.fakes import rig
from tests.fakes.agent_app import HEADERS, App, agent_app
from tests.fakes.http import TOKEN, asked, server_settings
from tests.fakes.hub_server import Model, hub
from tests.fakes.rig import Tables
from tuner.domain import Task, TaskState
from tuner.service import Tuner

Handler = Callable[..., Any]
NAME = "mcp"
"""What the published client calls itself."""


@pytest.fixture(autouse=True)
def _tables(tables: Tables) -> None: ...


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with agent_app(tmp_path, []) as app:
        yield app


@pytest.fixture
async def task(app: App) -> Task:
    return await app.tuner.create(rig.spec())


def near(app: App, **more: Any) -> Client[Any]:
    """A client in this process."""
    return Client(build(app.assistant.mcp_calls), **more)


def far(app: App, **more: Any) -> Client[Any]:
    """A client over HTTP."""
    return Client(StreamableHttpTransport(app.url.replace("/api/agent", "/mcp"), auth=TOKEN), **more)


async def call(client: Client[Any], tool: str, **args: Any) -> Any:
    return await client.call_tool(tool, args, raise_on_error=False)


def text(result: Any) -> str:
    return str(result.content[0].text)


async def open_approval(app: App) -> Approval:
    [approval] = await app.assistant.ledger.open_approvals()
    return approval


async def actions(app: App) -> list[str]:
    return [entry.action for entry in await app.assistant.ledger.audit()]


async def state(app: App, task: Task) -> TaskState:
    return (await app.tuner.task(task.id)).state


def answering(*answers: object, seen: list[str] | None = None) -> Handler:
    """A person at the client, who fills in the form."""
    left = list(answers)

    async def answer(message: str, kind: type, params: object, context: object) -> Any:
        if seen is not None:
            seen.append(message)
        return left.pop(0)

    return answer


async def test_every_tool_is_offered_as_it_is(app: App) -> None:
    async with near(app) as client:
        offered = {one.name: one for one in await client.list_tools()}
    assert list(offered) == list(tools.TOOLS)
    for name, one in offered.items():
        assert one.description == tools.TOOLS[name].description
        assert one.input_schema == tools.args_schema(name)
    read_only = {name for name, one in offered.items() if one.annotations and one.annotations.read_only_hint}
    assert read_only == {one.name for one in tools.READ}


async def test_an_answer_is_structured(app: App, task: Task) -> None:
    async with far(app) as client:
        listed = await call(client, "list_tasks")
    assert listed.structured_content["tasks"][0]["id"] == task.id
    assert json.loads(text(listed)) == listed.structured_content


async def test_what_cannot_be_called_is_told_why(app: App) -> None:
    async with near(app) as client:
        wrong = await call(client, "list_tasks", limit=1000)
        missing = await call(client, "get_task", task="nothing")
        unknown = await call(client, "lst_tasks")
    assert (wrong.is_error, missing.is_error, unknown.is_error) == (True, True, True)
    assert "limit" in text(wrong)
    assert "nothing" in text(missing)
    assert "lst_tasks" in text(unknown)


async def test_a_privileged_call_asks_the_person_at_the_client_and_runs_once(app: App, task: Task) -> None:
    seen: list[str] = []
    async with far(app, elicitation_handler=answering({"run": True}, seen=seen)) as client:
        started = await call(client, "start_task", task=task.id)
    assert started.structured_content["state"] == "queued"
    assert "experiments: 10" in seen[0]
    assert await actions(app) == ["proposed", "approved", "started", "finished"]
    audit = await app.assistant.ledger.audit(AuditQuery(session_id=session_id(NAME)))
    assert audit[1].who == f"MCP client {NAME}"


async def test_what_the_person_at_the_client_refuses_does_not_run(app: App, task: Task) -> None:
    handler = answering({"run": False, "reason": "too dear"}, ElicitResult(action="decline"), {"run": True})
    async with far(app, elicitation_handler=handler) as client:
        refused = await call(client, "start_task", task=task.id)
        declined = await call(client, "start_task", task=task.id)
        assert await state(app, task) == TaskState.CREATED
        approved = await call(client, "start_task", task=task.id)
    assert "too dear" in text(refused)
    assert "rejects this call" in text(declined)
    assert (refused.is_error, declined.is_error, approved.is_error) == (True, True, False)


async def test_a_question_that_is_put_off_waits_for_the_page(app: App, task: Task) -> None:
    async with far(app, elicitation_handler=answering(ElicitResult(action="cancel"))) as client:
        put_off = await call(client, "start_task", task=task.id)
    approval = await open_approval(app)
    assert put_off.structured_content == {"state": "waits for approval", "approval": {"id": approval.id}}


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_client_that_cannot_ask_hears_which_approval_waits_and_the_page_decides(
    app: App, task: Task, mode: Any
) -> None:
    async with far(app, mode=mode) as client:
        waits = await call(client, "start_task", task=task.id)
        again = await call(client, "start_task", task=task.id)
        approval = await open_approval(app)
        assert waits.structured_content["approval"]["id"] == again.structured_content["approval"]["id"] == approval.id
        assert "/approve" in text(waits)
        assert waits.is_error

        decided = await app.post(f"/approvals/{approval.id}/decision", {"kind": "approve", "digest": approval.digest})
        assert decided["run_id"] is None
        assert await state(app, task) == TaskState.CREATED

        started = await call(client, "start_task", task=task.id)
        assert started.structured_content["state"] == "queued"
        await call(client, "start_task", task=task.id)
    assert (await open_approval(app)).id != approval.id
    assert (await actions(app)).count("started") == 1


async def test_the_session_of_a_client_shows_its_approvals(app: App, task: Task) -> None:
    async with near(app) as client:
        await call(client, "start_task", task=task.id)
    [session], _ = await app.assistant.sessions(text="MCP client")
    approval = await open_approval(app)
    assert approval.session_id == session.id
    shown = [told.event async for told in app.read(f"/sessions/{session.id}/events?follow=false")]
    assert any(event.get("value", {}).get("id") == approval.id for event in shown)
    await app.post(f"/sessions/{session.id}/cancel")
    assert (await app.assistant.ledger.approval(approval.id)).state is ApprovalState.CANCELLED


async def test_a_rejection_is_told_once_and_the_next_call_asks_anew(app: App, task: Task) -> None:
    async with near(app) as client:
        await call(client, "start_task", task=task.id)
        approval = await open_approval(app)
        await app.post(f"/approvals/{approval.id}/decision", {"kind": "reject", "reason": "not before Monday"})
        assert "not before Monday" in text(await call(client, "start_task", task=task.id))
        assert "waits for approval" in text(await call(client, "start_task", task=task.id))
    assert (await open_approval(app)).id != approval.id


async def test_arguments_edited_on_the_page_are_the_ones_that_run(app: App, task: Task) -> None:
    other = await app.tuner.create(rig.spec(task_name="other"))
    async with near(app) as client:
        await call(client, "start_task", task=task.id)
        approval = await open_approval(app)
        edited = {"kind": "approve", "digest": approval.digest, "args": {"task": other.id}}
        await app.post(f"/approvals/{approval.id}/decision", edited)
        started = await call(client, "start_task", task=task.id)
    assert other.id in started.structured_content["note"] or other.id == started.structured_content["id"]
    assert (await state(app, task), await state(app, other)) == (TaskState.CREATED, TaskState.QUEUED)


async def test_a_task_that_was_changed_after_it_was_shown_does_not_start(app: App, task: Task) -> None:
    async with near(app) as client:
        await call(client, "start_task", task=task.id)
        approval = await open_approval(app)
        await app.tuner.update(task.id, rig.spec(parameters={"speed": [1, 2]}))
        await app.post(f"/approvals/{approval.id}/decision", {"kind": "approve"})
        assert "has changed since it was shown" in text(await call(client, "start_task", task=task.id))
        assert "waits for approval" in text(await call(client, "start_task", task=task.id))
    assert await state(app, task) == TaskState.CREATED
    assert (await open_approval(app)).id != approval.id


async def test_fifty_calls_at_once_ask_once_and_run_once(app: App, task: Task) -> None:
    async with near(app) as client:
        calls = await asyncio.gather(*(call(client, "start_task", task=task.id) for _ in range(50)))
        approval = await open_approval(app)
        assert {one.structured_content["approval"]["id"] for one in calls} == {approval.id}
        await app.post(f"/approvals/{approval.id}/decision", {"kind": "approve"})
        await asyncio.gather(*(call(client, "start_task", task=task.id) for _ in range(50)))
    assert (await actions(app)).count("started") == 1


async def test_an_approval_that_waits_is_found_by_the_next_process(app: App, task: Task, tmp_path: Path) -> None:
    async with near(app) as client:
        await call(client, "start_task", task=task.id)
    approval = await open_approval(app)
    async with agent_app(tmp_path, []) as later, near(later) as client:
        await later.post(f"/approvals/{approval.id}/decision", {"kind": "approve"})
        started = await call(client, "start_task", task=task.id)
    assert started.structured_content["state"] == "queued"


async def test_the_policy_denies_allows_and_asks_again_after_text_from_outside(
    app: App, task: Task, tmp_path: Path
) -> None:
    (tmp_path / "policy.yaml").write_text(
        "deny:\n- {tool: delete_task, reason: never}\nallow: [start_task, save_preset]"
    )
    async with near(app) as client:
        denied = await call(client, "delete_task", task=task.id)
        started = await call(client, "start_task", task=task.id)
        await call(client, "get_task_logs", task=task.id)
        asks = await call(client, "save_preset", name="fast", task={"base_runtime": "vllm"})
    assert "never" in text(denied)
    assert started.structured_content["state"] == "queued"
    assert "waits for approval" in text(asks)
    assert await actions(app) == ["denied", "auto_approved", "started", "finished", "proposed"]


async def raw(client: Client[Any], task: str, **more: Any) -> CallToolResult | InputRequiredResult:
    answer: CallToolResult | InputRequiredResult = await client.session.call_tool(
        "start_task", {"task": task}, allow_input_required=True, **more
    )
    return answer


YES = {"approval": Said(action="accept", content={"run": True})}


async def test_a_forged_or_borrowed_question_approves_nothing(app: App, task: Task) -> None:
    other = await app.tuner.create(rig.spec(task_name="other"))
    async with far(app, elicitation_handler=answering()) as client:
        question = await raw(client, task.id)
        assert isinstance(question, InputRequiredResult)
        assert question.request_state is not None
        forged = json.dumps([(await open_approval(app)).id, "0" * 64])
        for sealed, about in (
            (forged, task.id),
            (question.request_state[:-2], task.id),
            (question.request_state, other.id),
        ):
            with pytest.raises(McpError, match="requestState"):
                await raw(client, about, input_responses=YES, request_state=sealed)
        assert await state(app, task) == await state(app, other) == TaskState.CREATED

        first = await raw(client, task.id, input_responses=YES, request_state=question.request_state)
        replayed = await raw(client, task.id, input_responses=YES, request_state=question.request_state)
    assert isinstance(first, CallToolResult)
    assert isinstance(replayed, CallToolResult)
    assert (first.is_error, replayed.is_error) == (False, True)
    assert (await actions(app)).count("started") == 1


async def test_answers_without_a_question_approve_nothing(app: App, task: Task) -> None:
    async with far(app) as client:
        result = await raw(client, task.id, input_responses=YES)
    assert isinstance(result, CallToolResult)
    assert result.is_error
    assert await state(app, task) == TaskState.CREATED


async def test_progress_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def tell(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    with hub(org__tiny=Model({"config.json": b"{}", "model.safetensors": b"x" * 300_000})) as served:
        monkeypatch.setenv("AUTOTUNER_HF_ENDPOINT", served.url)
        (tmp_path / "policy.yaml").write_text("allow: [hf_download]")
        async with agent_app(tmp_path, []) as app, far(app) as client:
            loaded = await client.call_tool("hf_download", {"repo": "org/tiny"}, progress_handler=tell)
    assert loaded.structured_content is not None
    assert told[-1][0] == told[-1][1] == 300_002
    assert "org/tiny" in str(told[-1][2])


async def test_a_client_that_leaves_in_the_middle_cancels_its_call_and_the_ledger_knows(
    app: App, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = asyncio.Event()

    async def start(self: Tuner, ref: str, *, key: str | None = None) -> Task:
        began.set()
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(Tuner, "start", start)
    async with far(app, elicitation_handler=answering({"run": True})) as client:
        calling = asyncio.create_task(call(client, "start_task", task=task.id))
        await began.wait()
        calling.cancel()
        await asyncio.wait([calling])
    async with asyncio.timeout(60):
        while "cancelled" not in await actions(app):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Host": "evil.example:8686"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),
    ],
)
async def test_the_guard_stands_before_mcp(app: App, headers: dict[str, str], status: int) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    url = app.url.replace("/api/agent", "/mcp")
    sent = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", **HEADERS, **headers}
    async with httpx.AsyncClient() as client:
        answer = await client.post(url, content=body, headers=sent)
    assert answer.status_code == status
    assert "start_task" not in answer.text


async def test_a_service_without_an_assistant_says_so(tuner: Tuner) -> None:
    async with asked(create_app(tuner, None, server=server_settings())) as client:
        answer = await client.post("/mcp", json={})
    assert answer.status_code == 503
    assert "autotuner serve" in answer.json()["detail"]


@asynccontextmanager
async def spoken_to(home: Path, **more: Any) -> AsyncIterator[Client[Any]]:
    """`autotuner mcp` as a program starts it."""
    env = {"AUTOTUNER_HOME": str(home), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "tuner.cli", "mcp", "--no-worker"]
    transport = StdioTransport(command[0], command[1:], env=env, keep_alive=False)
    async with Client(transport, **more) as client:
        yield client


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_on_standard_input_and_output_the_tools_are_the_same(tmp_path: Path, mode: Any) -> None:
    seen: list[str] = []
    preset = {"name": "fast", "task": {"base_runtime": "vllm"}}
    handler = answering({"run": True}, ElicitResult(action="cancel"), seen=seen)
    async with spoken_to(tmp_path, mode=mode, elicitation_handler=handler) as client:
        assert len(await client.list_tools()) == len(tools.TOOLS)
        saved = await client.call_tool("save_preset", preset)
        put_off = await call(client, "delete_preset", name="fast")
    assert "save_preset" in seen[0]
    assert saved.structured_content is not None
    assert put_off.structured_content["state"] == "waits for approval"


@pytest.mark.slow
async def test_on_standard_input_a_client_without_forms_is_told_what_waits(tmp_path: Path) -> None:
    async with spoken_to(tmp_path) as client:
        waits = await call(client, "save_preset", name="fast", task={"base_runtime": "vllm"})
    assert "waits for approval" in text(waits)
