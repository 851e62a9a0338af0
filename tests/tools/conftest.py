"""A tuner without processes, and its tools called as MCP calls them."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import tools
from tests.fakes import rig
from tests.fakes.rig import Tables
from tools import Context, ToolSettings
from tuner import service as service_module
from tuner.runner import worker as worker_module
from tuner.service import Tuner
from tuner.settings import Settings

Ask = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Tables:
    monkeypatch.setattr(worker_module, "IDLE_S", 0.01)
    monkeypatch.setattr(service_module, "FOLLOW_S", 0.01)
    return rig.install(monkeypatch)


@pytest.fixture
async def tuner(tmp_path: Path, tables: Tables) -> AsyncIterator[Tuner]:
    async with Tuner.open(Settings(home=tmp_path / "home", lease_s=0.3)) as tuner:
        yield tuner


@pytest.fixture
def context(tuner: Tuner) -> Context:
    return Context(tuner, ToolSettings(github_repo=None, hf_offline=True))


@pytest.fixture
def ask(context: Context) -> Ask:
    """Calls a tool and reads its answer."""

    async def ask(tool: str, /, **args: Any) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(await tools.call(tool, args, context, call_id="call-1"))
        return answer

    return ask
