"""What a page of somebody else, a rebound name, or a program without the token tries on a running service."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from agent.domain import Approval, ApprovalState
from tests.fakes import rig
from tests.fakes.agent_app import App, agent_app
from tests.fakes.http import TOKEN
from tests.fakes.scripted_model import Call, Say
from tuner.domain import TaskState

HERE = "{here}"
"""Stands for the right value of `Host`."""


@dataclass(frozen=True)
class Attack:
    headers: Mapping[str, str | None]
    """On top of those of a good request; None: without it."""
    status: int


ATTACKS = {
    "a foreign host": Attack({"Host": "evil.example"}, 403),
    "no host": Attack({"Host": None}, 400),
    "a rebound name with the right port": Attack({"Host": "rebound.evil.example:{port}"}, 403),
    "another port": Attack({"Host": "127.0.0.1:1"}, 403),
    "a page of another origin": Attack({"Origin": "https://evil.example"}, 403),
    "a sandboxed page": Attack({"Origin": "null"}, 403),
    "another service of this host": Attack({"Origin": "http://127.0.0.1:1"}, 403),
    "a browser that says cross-site": Attack({"Sec-Fetch-Site": "cross-site"}, 403),
    "a browser that says same-site": Attack({"Sec-Fetch-Site": "same-site"}, 403),
    "a form": Attack({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    "a form with files": Attack({"Content-Type": "multipart/form-data; boundary=x"}, 415),
    "a simple body of a script": Attack({"Content-Type": "text/plain"}, 415),
    "no token": Attack({"Authorization": None}, 401),
    "a wrong token": Attack({"Authorization": "Bearer wrong"}, 401),
    "the token in other case": Attack({"Authorization": f"Bearer {TOKEN.upper()}"}, 401),
    "the beginning of the token": Attack({"Authorization": f"Bearer {TOKEN[:-1]}"}, 401),
    "more than the token": Attack({"Authorization": f"Bearer {TOKEN}x"}, 401),
    "the token as a password": Attack({"Authorization": f"Basic {TOKEN}"}, 401),
    "the token as a cookie": Attack({"Authorization": None, "Cookie": "autotuner-{port}=" + TOKEN}, 401),
}


@pytest.fixture
async def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[App]:
    rig.install(monkeypatch)
    async with agent_app(tmp_path, []) as app:
        yield app


async def send(app: App, method: str, path: str, changes: Mapping[str, str | None], body: bytes = b"") -> int:
    """A request byte by byte, so that no client mends it. The status of the answer."""
    here = urlsplit(app.url)
    headers: dict[str, str | None] = {
        "Host": here.netloc, "Authorization": f"Bearer {TOKEN}", "Connection": "close",
        "Content-Length": str(len(body)), **({"Content-Type": "application/json"} if body else {}), **changes,
    }  # fmt: skip
    lines = [
        f"{name}: {value.replace('{port}', str(here.port))}" for name, value in headers.items() if value is not None
    ]
    reader, writer = await asyncio.open_connection(here.hostname, here.port)
    writer.write("\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode() + body)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(answer.split()[1])


@pytest.fixture
async def approval(app: App) -> Approval:
    """Of a call that deletes a task."""
    task = await app.tuner.create(rig.spec())
    app.model.script = [Say(calls=[Call("delete_task", {"task": task.id})]), Say("Gone.")]
    await app.talk()
    [waiting] = await app.assistant.ledger.open_approvals()
    return waiting


@pytest.mark.parametrize("attack", ATTACKS)
async def test_nothing_is_decided_started_cancelled_or_deleted_by(app: App, approval: Approval, attack: str) -> None:
    tried = ATTACKS[attack]
    body = json.dumps({"kind": "approve"}).encode()
    draft = await app.tuner.create(rig.spec(task_name="draft"))
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "delete_preset", "arguments": {}}}
    requests = [
        ("POST", f"/api/agent/approvals/{approval.id}/decision", body),
        ("POST", f"/api/agent/sessions/{app.session}/cancel", b""),
        ("DELETE", f"/api/agent/sessions/{app.session}", b""),
        ("POST", f"/api/tasks/{draft.id}/start", b""),
        ("DELETE", f"/api/tasks/{draft.id}", b""),
        ("POST", "/mcp", json.dumps(call).encode()),
        ("GET", "/api/tasks", b""),
        ("GET", f"/api/agent/sessions/{app.session}/transcript", b""),
    ]
    for method, path, content in requests:
        if tried.status == 415 and method != "POST":
            continue  # it has no body
        assert await send(app, method, path, tried.headers, content) == tried.status, path
    assert (await app.assistant.ledger.approval(approval.id)).state is ApprovalState.OPEN
    assert (await app.tuner.task(draft.id)).state is TaskState.CREATED
    assert [session.id for session in (await app.assistant.sessions())[0]] == [app.session]


async def test_the_same_requests_are_answered_where_all_is_right(app: App, approval: Approval) -> None:
    body = json.dumps({"kind": "approve"}).encode()
    assert await send(app, "GET", "/api/tasks", {}) == 200
    assert await send(app, "POST", f"/api/agent/approvals/{approval.id}/decision", {}, body) == 200


async def test_what_health_tells_without_a_token_is_nothing_else(app: App) -> None:
    for path in (
        "/api/system/health/../info",
        "/api/system/health/",
        "/api/system/health?x=/../info",
        "//api/system/info",
    ):
        status = await send(app, "GET", path, {"Authorization": None})
        assert status == (200 if path.startswith("/api/system/health?") else 401)
