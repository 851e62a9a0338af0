"""What runs of all that was started here, and what becomes of a task whose engine is stopped."""

import asyncio
import json
import os
import signal
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import psutil
import pytest

from tests.fakes.command import small_task
from tests.fakes.quick_benchmark import QuickBenchmark
from tuner.benchmarks import BENCHMARKS
from tuner.deploy import processes_list
from tuner.domain import Label, TaskState
from tuner.errors import ConflictError, NotFoundError
from tuner.machine import processes
from tuner.machine.processes import Child, Identity
from tuner.service import Tuner
from tuner.settings import Settings
from tuner.spec import taskfile

BUSY = "import os, sys; os.fork(); print('up', flush=True)\nwhile True: pass"
IDLE = "import signal; signal.pause()"


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    return tmp_path / "home" / "processes"


def session(
    registry: Path, experiment: int, *, url: str | None = None, code: str = BUSY
) -> AbstractAsyncContextManager[Child]:
    label = Label("0badcafe", experiment, Identity.current().text)
    env = {**os.environ, "CUDA_VISIBLE_DEVICES": "GPU-a,GPU-b"}
    return processes.session((sys.executable, "-c", code), env, registry.parent / "log", label, registry, url=url)


async def up(session: Child, times: int = 2) -> None:
    while session.log.read_text().count("up") < times:
        await asyncio.sleep(0.01)


async def test_engines_and_load_generators_are_listed_with_what_they_use(registry: Path) -> None:
    assert await processes_list.listed(registry) == []
    async with session(registry, 3, url="http://127.0.0.1:30007") as engine, session(registry, -1, code=IDLE) as load:
        await up(engine)
        one, other = await processes_list.listed(registry)
    assert (one.kind, one.task_id, one.experiment, one.pid) == ("engine", "0badcafe", 3, engine.pid)
    assert (one.url, one.gpus, one.log) == ("http://127.0.0.1:30007", ("GPU-a", "GPU-b"), str(registry.parent / "log"))
    assert one.argv == (sys.executable, "-c", BUSY)
    assert one.cpu_percent > 0, "both of its processes are busy"
    assert one.memory_gib > 0.004, "and both have some memory"
    assert (other.kind, other.experiment, other.url, other.gpus) == ("benchmark", None, None, ())
    assert one.started_at <= other.started_at
    assert load.pid == other.pid
    assert await processes_list.listed(registry) == []


async def test_what_a_dead_tuner_or_a_half_written_note_left_is_not_listed(registry: Path) -> None:
    registry.mkdir(parents=True)
    gone = {"pid": os.getpid(), "started": 1, "task_id": "0badcafe", "owner": Identity.current().text}
    (registry / "0badcafe-0-1.json").write_text(json.dumps(gone))
    (registry / "0badcafe-1-2.json").write_text('{"pid": 1')
    assert await processes_list.listed(registry) == []


async def test_stopping_kills_all_of_a_session_and_nothing_else(registry: Path) -> None:
    async with session(registry, 0) as engine, session(registry, 1, code=IDLE) as other:
        await up(engine)
        members = processes.members(engine.pid)
        assert len(members) == 2
        [running] = [one for one in await processes_list.listed(registry) if one.pid == engine.pid]
        await asyncio.to_thread(processes_list.stop, registry, running.id)
        assert await engine.process.wait() == -signal.SIGKILL
        assert not [process for process in members if processes.started(process.pid) is not None]
        assert other.exit_code is None
        assert not processes_list.stop(registry, running.id)


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "0badcafe-0", "\0"])
def test_only_what_is_listed_can_be_stopped(registry: Path, name: str) -> None:
    assert not processes_list.stop(registry, name)


async def test_another_users_process_is_left_to_that_user(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(pid: int, number: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    async with session(registry, 0, code=IDLE) as engine:
        [running] = await processes_list.listed(registry)
        with monkeypatch.context() as patched:
            patched.setattr(os, "killpg", forbidden)
            with pytest.raises(ConflictError, match="belongs to another user of this machine"):
                processes_list.stop(registry, running.id)
        assert engine.exit_code is None


@pytest.mark.slow
async def test_a_task_whose_engine_is_stopped_starts_it_again_and_blames_no_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BENCHMARKS, "quick", QuickBenchmark)
    async with Tuner.open(Settings(home=tmp_path / "home")) as tuner:
        made = small_task(parameters={"max-num-seqs": [4, 8], "sim-speed": 5})
        task = await tuner.start((await tuner.create(taskfile.validate(made))).id)
        running = asyncio.create_task(tuner.run(task.id))
        while not (found := await tuner.deployments()):
            assert not running.done()
        [engine] = found
        assert (engine.kind, engine.task_name, engine.experiment) == ("engine", "small", 0)
        assert engine.log == str(tuner.settings.runs(task.id) / "0" / "engine.log")
        assert (await tuner.deployment(engine.id)).pid == engine.pid
        await tuner.stop_deployment(engine.id)
        assert (await running).state is TaskState.COMPLETED
        [retried] = [event async for event in tuner.follow(task.id) if event.kind == "experiment_retried"]
        assert retried.payload == {"number": 0, "reason": "The engine was killed from outside (SIGKILL)."}
        assert [one.attempt for one in await tuner.experiments(task.id)] == [2, 1, 1]
        assert all(one.failure is None for one in await tuner.experiments(task.id))
        assert await tuner.deployments() == []
        with pytest.raises(NotFoundError, match=f"Nothing runs as '{engine.id}'; there is nothing running"):
            await tuner.stop_deployment(engine.id)
    assert engine.pid is not None
    assert not psutil.pid_exists(engine.pid)
