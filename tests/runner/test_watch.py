"""When a server is asked whether it is ready, and why it ended, where its log cannot tell."""

import asyncio
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.fakes.rig import Death, FakeDeployer, FakeDeployment
from tuner.errors import DeploymentError, FailureKind
from tuner.launch import Launch, Program
from tuner.runner import watch
from tuner.runner.watch import LEAST_FREE_BYTES, Watch

LAUNCH = Launch(program=Program(words=("server",)), args=(), model="m", served_model="m")


@pytest.mark.parametrize(
    ("free", "kind"), [(LEAST_FREE_BYTES - 1, FailureKind.INFRASTRUCTURE), (LEAST_FREE_BYTES, FailureKind.CRASHED)]
)
async def test_a_server_that_ends_on_a_full_disk_says_nothing_of_its_configuration(
    free: int, kind: FailureKind, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    deployment = FakeDeployment("http://127.0.0.1:9", (), {}, tmp_path / "engine.log", FakeDeployer())
    deployment.die(Death(1))
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=free))
    with pytest.raises(DeploymentError) as caught:
        await Watch(deployment, LAUNCH, deployment.log, ()).rule_out_death()
    assert caught.value.kind is kind
    assert (f"The disk of {tmp_path} is full" in str(caught.value)) == (kind is FailureKind.INFRASTRUCTURE)


@pytest.mark.parametrize(("quickest_s", "often"), [(1e6, False), (0.0, True)])
async def test_an_engine_is_hardly_asked_before_the_quickest_of_its_task_was_ready(
    quickest_s: float, often: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked, enough = 0, asyncio.Event()

    def refused(url: str) -> bool:
        nonlocal asked
        asked += 1
        if asked == (3 if often else 1):
            enough.set()
        return True

    monkeypatch.setattr(watch, "_refused", refused)
    monkeypatch.setattr(watch, "READY_EVERY_S", 0.001)
    monkeypatch.setattr(watch, "READY_AT_MOST_S", 3600.0)
    deployment = FakeDeployment("http://127.0.0.1:9", (), {}, tmp_path / "engine.log", FakeDeployer())
    waiting = asyncio.create_task(Watch(deployment, LAUNCH, deployment.log, ()).until_ready(quickest_s))
    async with asyncio.timeout(60):
        await enough.wait()
    await asyncio.sleep(0.05)
    deployment.die(Death(1))
    with pytest.raises(DeploymentError):
        await waiting
    assert often or asked == 1
