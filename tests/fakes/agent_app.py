"""The whole service around a scripted model, on a free port of this machine: what an AG-UI client talks to."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from httpx_sse import aconnect_sse

from agent.service import Assistant
from agent.settings import AgentSettings
from api.app import create_app
from api.streams import Streams
from tests.fakes.http import TOKEN, free_port, served, server_settings
from tests.fakes.scripted_model import ScriptedModel, Turn
from tools.settings import ToolSettings
from tuner.service import Tuner
from tuner.settings import Settings

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@dataclass(frozen=True)
class Told:
    """One AG-UI event as it was read."""

    id: str
    event: dict[str, Any]

    @property
    def type(self) -> str:
        return str(self.event["type"])


@dataclass
class Client:
    """An AG-UI client of a session, wherever the service runs."""

    url: str
    """Up to `/api/agent`."""
    http: httpx.AsyncClient
    """Asks below `url`."""
    session: str

    async def talk(self, text: str = "Hello", **more: Any) -> list[Told]:
        """Says something in the session, and reads to the end of the run."""
        return [told async for told in self.stream(text, **more)]

    async def stream(self, text: str = "Hello", **more: Any) -> AsyncGenerator[Told, None]:
        async for told in self.read("/runs", method="POST", json=self.said(text, **more)):
            yield told

    def said(self, text: str = "Hello", **more: Any) -> dict[str, Any]:
        message = {"id": uuid4().hex, "role": "user", "content": text}
        return {
            "threadId": self.session,
            "runId": uuid4().hex,
            "protocolVersion": "1.0",
            "messages": [message],
            **more,
        }

    async def read(
        self, path: str, *, after: str | None = None, method: str = "GET", **more: Any
    ) -> AsyncGenerator[Told, None]:
        headers = {"Last-Event-ID": after} if after else {}
        async with aconnect_sse(self.http, method, path, headers=headers, **more) as source:
            await _fine(source.response)
            async with aclosing(source.aiter_sse()) as events:
                async for one in events:
                    if one.data:  # a ping has none
                        yield Told(one.id, json.loads(one.data))

    async def get(self, path: str, **params: Any) -> Any:
        return _json(await self.http.get(path, params=params))

    async def post(self, path: str, body: object = None) -> Any:
        return _json(await self.http.post(path, json=body))


@dataclass
class App(Client):
    """With what stands behind it in this process."""

    assistant: Assistant
    tuner: Tuner
    model: ScriptedModel
    streams: Streams

    @asynccontextmanager
    async def afresh(self) -> AsyncIterator["App"]:
        """With a session of its own, and nothing left behind by others: opening the service takes far longer."""
        self.model.script, self.model.asked = [], []
        await self._clear()
        yield replace(self, session=(await self.assistant.create_session()).id)
        await self._clear()

    async def _clear(self) -> None:
        for session in (await self.assistant.sessions(limit=1000))[0]:
            await self.assistant.delete_session(session.id)
        for preset in await self.tuner.presets():
            if not preset.built_in:
                await self.tuner.delete_preset(preset.name)


async def _fine(response: httpx.Response) -> None:
    if response.status_code != 200:
        await response.aread()
        raise AssertionError(f"{response.status_code}: {response.text}")


def _json(response: httpx.Response) -> Any:
    assert response.is_success, response.text
    return response.json()


@asynccontextmanager
async def agent_app(folder: Path, script: Sequence[Turn], **settings: Any) -> AsyncIterator[App]:
    """With the session last used, or a first one."""
    model = ScriptedModel(script=list(script))
    held, port = free_port()
    async with (
        Tuner.open(Settings(home=folder)) as tuner,
        Assistant.open(tuner, AgentSettings(**settings), ToolSettings(), model=model) as assistant,
        served(service := create_app(tuner, assistant, server=server_settings(port=port)), held),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/agent", headers=HEADERS, timeout=10) as client,
    ):
        sessions, _ = await assistant.sessions()
        session = sessions[0].id if sessions else (await assistant.create_session()).id
        yield App(str(client.base_url).rstrip("/"), client, session, assistant, tuner, model, service.state.streams)


def text_of(told: Sequence[Told]) -> str:
    """All that the assistant says."""
    return "".join(one.event["delta"] for one in told if one.type == "TEXT_MESSAGE_CONTENT")


def types(told: Sequence[Told]) -> list[str]:
    """Of the events, in order; those that repeat at once only once."""
    found: list[str] = []
    for one in told:
        if not found or found[-1] != one.type:
            found.append(one.type)
    return found


def interrupts(told: Sequence[Told]) -> list[dict[str, Any]]:
    outcome = told[-1].event["outcome"]
    assert outcome["type"] == "interrupt"
    # Calls of one message ask at the same time, so in any order.
    return sorted(outcome["interrupts"], key=lambda one: str(one["metadata"]["args"].get("name")), reverse=True)


def answer(interrupt: dict[str, Any], status: str = "resolved", **payload: Any) -> dict[str, Any]:
    return {"interruptId": interrupt["id"], "status": status, "payload": payload}


def problem(response: httpx.Response) -> tuple[int, str]:
    """Status and detail of a refusal."""
    assert response.headers["content-type"] == "application/problem+json"
    said = response.json()
    assert said["status"] == response.status_code
    return response.status_code, str(said["detail"])
