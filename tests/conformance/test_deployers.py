"""What every deployer keeps: a server is reachable while its context lasts, and nothing remains after it."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import psutil
import pytest

from tests.fakes import servers
from tests.fakes.command import small_task
from tests.fakes.quick_benchmark import QuickBenchmark
from tests.fakes.remote import RemoteDeployer, node  # noqa: F401 - named in an expression
from tests.fakes.results import spec
from tuner.benchmarks import BENCHMARKS
from tuner.deploy import DEPLOYERS
from tuner.domain import Label, TaskState
from tuner.engines import ENGINES
from tuner.errors import DeploymentError, FailureKind, InvalidSpecError
from tuner.launch import Program
from tuner.machine import processes
from tuner.machine.processes import SHARED_MEMORY, Identity
from tuner.protocols import Deployer, Deployment, Running
from tuner.runner.plan import plan
from tuner.service import Tuner
from tuner.settings import Settings
from tuner.spec import taskfile

REMOTE = "remote"
"""A deployer kept here: on another machine, so that nothing of its servers is a process or a file of this one."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with node(tmp_path_factory.mktemp("remote")) as address:
        yield address


@pytest.fixture(params=[*DEPLOYERS, pytest.param(REMOTE, marks=pytest.mark.slow)])
def maker(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An expression that makes the deployer, in any process."""
    if request.param == REMOTE:
        return f"RemoteDeployer({request.getfixturevalue('address')!r})"
    return f"DEPLOYERS[{str(request.param)!r}](Settings(home=Path({str(tmp_path)!r})))"


@pytest.fixture
def deployer(maker: str) -> Deployer:
    made: Deployer = eval(maker)
    return made


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


def deploy(deployer: Deployer, program: str, label: Label, log: Path) -> AbstractAsyncContextManager[Deployment]:
    return deployer.deploy(servers.launch(program), servers.HERE, label, log, [])


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
    async with deployer.deploy(
        servers.launch(getattr(servers, program)), servers.HERE, label, tmp_path / "log", []
    ) as deployment:
        await answers(deployment)
        assert labelled(label)
    assert labelled(label) == []
    assert not listening(deployment.url)


async def test_a_body_that_raises_or_is_cancelled_leaves_nothing_either(
    deployer: Deployer, label: Label, tmp_path: Path
) -> None:
    async def body(entered: asyncio.Event) -> None:
        async with deployer.deploy(
            servers.launch(servers.FAMILY), servers.HERE, label, tmp_path / "log", []
        ) as deployment:
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
        async with deploy(deployer, servers.SERVER, label, tmp_path / "log"):
            1 / 0  # noqa: B018
    assert labelled(label) == []


async def test_an_exit_is_seen_with_its_code_and_its_last_words(
    deployer: Deployer, label: Label, tmp_path: Path
) -> None:
    async with deploy(deployer, servers.DIES, label, tmp_path / "log") as deployment:
        first, second = await asyncio.gather(deployment.wait(), deployment.wait())
        assert first == second == await deployment.wait() == await deployment.exit_code() == 3
    assert "the disk is on fire" in (tmp_path / "log").read_text()


async def test_shared_memory_of_a_killed_server_is_removed(deployer: Deployer, label: Label, tmp_path: Path) -> None:
    async with deploy(deployer, servers.SHARED, label, tmp_path / "log") as deployment:
        await answers(deployment)
        name = (tmp_path / "log").read_text().split()[1]
        assert (SHARED_MEMORY / name).exists()
    assert not (SHARED_MEMORY / name).exists()


async def test_two_deployments_at_once_never_share_a_port(deployer: Deployer, tmp_path: Path) -> None:
    async def url(number: int) -> str:
        label = Label(f"task-{tmp_path.name}", number, Identity.current().text)
        async with deploy(deployer, servers.SERVER, label, tmp_path / str(number)) as deployment:
            await answers(deployment)
            await gate.wait()
            return deployment.url

    gate = asyncio.Barrier(4)
    urls = await asyncio.gather(*(url(number) for number in range(4)))
    assert len(set(urls)) == 4


async def test_a_program_that_does_not_exist_is_a_deployment_error(
    deployer: Deployer, label: Label, tmp_path: Path
) -> None:
    missing = servers.launch("").model_copy(update={"program": Program(words=("no-such-engine",))})
    with pytest.raises(DeploymentError, match="no-such-engine cannot be started") as caught:
        async with deployer.deploy(missing, servers.HERE, label, tmp_path / "log", []):
            pass
    assert caught.value.kind is FailureKind.CRASHED


async def test_a_log_that_cannot_be_written_is_this_machines_fault_and_is_named(
    deployer: Deployer, label: Label, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DeploymentError, match="/file/1 cannot be written: Not a directory") as caught:
        async with deploy(deployer, servers.SERVER, label, tmp_path / "file" / "1" / "log"):
            pass
    assert caught.value.kind is FailureKind.INFRASTRUCTURE


async def test_what_a_dead_owner_left_is_reaped_and_a_live_owners_is_not(
    deployer: Deployer, maker: str, tmp_path: Path
) -> None:
    """A tuner is killed without a farewell: its engine, and a child that left the session, outlive it."""
    script = f"""
import asyncio
from pathlib import Path
from tests.conformance.test_deployers import *
async def main():
    label = Label("task-{tmp_path.name}", 0, Identity.current().text)
    async with deploy({maker}, servers.FAMILY, label, Path({str(tmp_path / "log")!r})) as deployment:
        print(deployment.url, flush=True)
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


async def test_it_knows_the_target_of_an_engine_with_its_flags(deployer: Deployer) -> None:
    resolved = await deployer.resolve(ENGINES["simulated"], spec())
    assert resolved.missing is None
    assert resolved.target.version
    assert resolved.schema is not None
    assert "max-num-seqs" in resolved.schema


async def test_an_engine_that_is_not_there_is_missing_with_the_way_to_get_it(deployer: Deployer) -> None:
    resolved = await deployer.resolve(ENGINES["sglang"], spec(base_runtime="sglang"))
    assert "autotuner engine install sglang" in str(resolved.missing)
    assert resolved.schema is None


def test_no_more_gpus_are_reserved_than_there_are(deployer: Deployer) -> None:
    with deployer.reserve(0) as ids:
        assert ids == ()
    with pytest.raises(DeploymentError, match="GPUs needed: 99") as caught, deployer.reserve(99):
        pass
    assert caught.value.kind is FailureKind.INFRASTRUCTURE


async def test_what_runs_is_listed_and_can_be_stopped(deployer: Deployer, label: Label, tmp_path: Path) -> None:
    async def mine() -> list[Running]:
        return [one for one in await deployer.running() if one.task_id == label.task_id]

    assert await mine() == []
    assert not await deployer.stop(f"{label.task_id}-0-1")
    async with deploy(deployer, servers.SERVER, label, tmp_path / "log") as deployment:
        await answers(deployment)
        [one] = await mine()
        assert (one.kind, one.experiment, one.url, one.argv) == ("engine", 0, deployment.url, deployment.argv)
        assert await deployer.stop(one.id)
        assert await deployment.wait() == -signal.SIGKILL
        assert not listening(deployment.url)
    assert await mine() == []


async def test_the_log_grows_while_the_server_runs(deployer: Deployer, label: Label, tmp_path: Path) -> None:
    async with deploy(deployer, servers.SHARED, label, tmp_path / "log") as deployment:
        await answers(deployment)
        async with asyncio.timeout(30):
            while "segment" not in (tmp_path / "log").read_text():
                await asyncio.sleep(0.01)


async def test_a_plan_asks_the_deployer_of_its_mode(deployer: Deployer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DEPLOYERS, "docker", lambda _: deployer)
    settings = Settings(_env_file=None)
    made = await plan(spec(deployment_mode="docker"), settings)
    assert made.summary().engine_version
    assert not any("flags could not be checked" in warning for warning in made.warnings)
    with pytest.raises(InvalidSpecError, match="the engine has no flag max-num-seq") as caught:
        await plan(spec(deployment_mode="docker", parameters={"max-num-sequences": [1, 2]}), settings)
    assert [problem.where for problem in caught.value.problems] == ["parameters.max-num-sequences"]


@pytest.mark.slow
async def test_a_task_runs_where_its_deployer_runs_it(
    deployer: Deployer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DEPLOYERS, "ome", lambda _: deployer)
    monkeypatch.setitem(BENCHMARKS, "quick", QuickBenchmark)
    async with Tuner.open(Settings(_env_file=None, home=tmp_path / "home")) as tuner:
        made = taskfile.validate(small_task(deployment_mode="ome"))
        task = await tuner.start((await tuner.create(made)).id)
        assert (await tuner.run(task.id)).state is TaskState.COMPLETED
        for one in await tuner.experiments(task.id):
            assert one.failure is None
            assert one.launch is not None
            assert one.target is not None
            assert one.command == one.launch.command(one.target, "127.0.0.1", port(one.command))
            assert (await tuner.logs(task.id, one.number)).lines
        assert await tuner.deployments() == []


def port(command: Sequence[str]) -> int:
    return int(command[command.index("--port") + 1])
