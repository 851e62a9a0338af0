"""What every deployer keeps: a server is reachable while its context lasts, and nothing remains after it."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.fakes import servers
from tuner.deploy import DEPLOYERS
from tuner.domain import Label
from tuner.errors import DeploymentError, FailureKind
from tuner.machine import processes
from tuner.machine.processes import SHARED_MEMORY, Identity
from tuner.protocols import Deployer, Deployment
from tuner.settings import Settings


@pytest.fixture(params=DEPLOYERS)
def deployer(request: pytest.FixtureRequest, tmp_path: Path) -> Deployer:
    return DEPLOYERS[request.param](Settings(home=tmp_path))


@pytest.fixture
def label(tmp_path: Path) -> Iterator[Label]:
    label = Label(f"task-{tmp_path.name}", 0, Identity.current().text)
    yield label
    assert labelled(label) == []


def labelled(label: Label) -> list[str]:
    """Every live process that carries the label."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("AUTOTUNER_TASK") == label.task_id and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline())[:80])
        except (psutil.Error, OSError):
            continue
    return found


async def answers(deployment: Deployment) -> None:
    async with httpx.AsyncClient() as client:
        for _ in range(400):
            try:
                if (await client.get(deployment.url)).is_success:
                    return
            except httpx.HTTPError:
                await asyncio.sleep(0.05)
    raise AssertionError(f"{deployment.url} never answered; exit code {await deployment.exit_code()}")


def listening(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(url.rsplit(":", 1)[1]))) == 0


@pytest.mark.parametrize("program", ["SERVER", "STUBBORN", "FAMILY"])
async def test_a_left_deployment_leaves_no_process_and_no_port(
    deployer: Deployer, label: Label, tmp_path: Path, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "GRACE_S", 1.0)
    async with deployer.deploy(servers.launch(getattr(servers, program)), label, tmp_path / "log", []) as deployment:
        await answers(deployment)
        assert labelled(label)
    assert labelled(label) == []
    assert not listening(deployment.url)


async def test_a_body_that_raises_or_is_cancelled_leaves_nothing_either(
    deployer: Deployer, label: Label, tmp_path: Path
) -> None:
    async def body(entered: asyncio.Event) -> None:
        async with deployer.deploy(servers.launch(servers.FAMILY), label, tmp_path / "log", []) as deployment:
            await answers(deployment)
            entered.set()
            await asyncio.sleep(600)

    entered = asyncio.Event()
    task = asyncio.create_task(body(entered))
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert labelled(label) == []

    with pytest.raises(ZeroDivisionError):
        async with deployer.deploy(servers.launch(servers.SERVER), label, tmp_path / "log", []):
            1 / 0  # noqa: B018
    assert labelled(label) == []


async def test_an_exit_is_seen_with_its_code_and_its_last_words(
    deployer: Deployer, label: Label, tmp_path: Path
) -> None:
    async with deployer.deploy(servers.launch(servers.DIES), label, tmp_path / "log", []) as deployment:
        first, second = await asyncio.gather(deployment.wait(), deployment.wait())
        assert first == second == await deployment.wait() == await deployment.exit_code() == 3
    assert "the disk is on fire" in (tmp_path / "log").read_text()


async def test_shared_memory_of_a_killed_server_is_removed(deployer: Deployer, label: Label, tmp_path: Path) -> None:
    async with deployer.deploy(servers.launch(servers.SHARED), label, tmp_path / "log", []) as deployment:
        await answers(deployment)
        name = (tmp_path / "log").read_text().split()[1]
        assert (SHARED_MEMORY / name).exists()
    assert not (SHARED_MEMORY / name).exists()


async def test_two_deployments_at_once_never_share_a_port(deployer: Deployer, tmp_path: Path) -> None:
    async def url(number: int) -> str:
        label = Label(f"task-{tmp_path.name}", number, Identity.current().text)
        async with deployer.deploy(servers.launch(servers.SERVER), label, tmp_path / str(number), []) as deployment:
            await answers(deployment)
            await gate.wait()
            return deployment.url

    gate = asyncio.Barrier(4)
    urls = await asyncio.gather(*(url(number) for number in range(4)))
    assert len(set(urls)) == 4


async def test_a_program_that_does_not_exist_is_a_deployment_error(
    deployer: Deployer, label: Label, tmp_path: Path
) -> None:
    missing = servers.launch("").__class__(argv=("/nowhere/engine",), env={}, served_model="m")
    with pytest.raises(DeploymentError, match="/nowhere/engine cannot be started") as caught:
        async with deployer.deploy(missing, label, tmp_path / "log", []):
            pass
    assert caught.value.kind is FailureKind.CRASHED


async def test_a_log_that_cannot_be_written_is_this_machines_fault_and_is_named(
    deployer: Deployer, label: Label, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DeploymentError, match="/file/1 cannot be written: Not a directory") as caught:
        async with deployer.deploy(servers.launch(servers.SERVER), label, tmp_path / "file" / "1" / "log", []):
            pass
    assert caught.value.kind is FailureKind.INFRASTRUCTURE


async def test_what_a_dead_owner_left_is_reaped_and_a_live_owners_is_not(deployer: Deployer, tmp_path: Path) -> None:
    """A tuner is killed without a farewell: its engine, and a child that left the session, outlive it."""
    script = f"""
import asyncio, sys
from pathlib import Path
from tests.fakes import servers
from tuner.machine import processes
from tuner.deploy import DEPLOYERS
from tuner.domain import Label
from tuner.machine.processes import Identity
from tuner.settings import Settings
async def main():
    deployer = DEPLOYERS["local"](Settings(home=Path({str(tmp_path)!r})))
    label = Label("task-{tmp_path.name}", 0, Identity.current().text)
    async with deployer.deploy(servers.launch(servers.FAMILY), label, Path({str(tmp_path / "log")!r}), []) as d:
        print(d.url, flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""
    owner = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE)
    assert owner.stdout is not None
    url = (await owner.stdout.readline()).decode().strip()
    label = Label(f"task-{tmp_path.name}", 0, "")
    async with httpx.AsyncClient() as client:
        for _ in range(200):
            try:
                await client.get(url)
                break
            except httpx.HTTPError:
                await asyncio.sleep(0.05)
    assert await deployer.reap(None) == []
    assert len(labelled(label)) == 4

    os.kill(owner.pid, signal.SIGKILL)
    await owner.wait()
    assert len(await deployer.reap(None)) >= 4
    assert labelled(label) == []
    assert not listening(url)
    assert await deployer.reap(None) == []
