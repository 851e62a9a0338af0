"""A worker that is kept alive: started again when it ends, on request, and never without its parent."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.fakes.watching import wait_for
from tuner.errors import UnavailableError
from tuner.machine import processes
from tuner.machine.processes import Identity
from tuner.runner import supervisor
from tuner.runner.supervisor import Supervisor
from tuner.settings import Settings

LIVES = "import signal; print('up', flush=True); signal.pause()"
STUBBORN = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)\nwhile True: signal.pause()"
)


def worker(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """What runs in the place of `autotuner worker`."""
    monkeypatch.setattr(supervisor, "COMMAND", (sys.executable, "-c", code))


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(supervisor, "BACK_OFF_S", 0.02)
    monkeypatch.setattr(supervisor, "BACK_OFF_AT_MOST_S", 0.05)
    return Settings(home=tmp_path / "a home", lease_s=7, port_low=31000, port_high=31100)


async def until_up(kept: Supervisor, times: int = 1) -> int:
    """Until as many workers have come up; the number of the last one."""
    while not kept.log.exists() or kept.log.read_text().count("up") < times or not kept.status().alive:
        await asyncio.sleep(0.005)
    pid = kept.status().pid
    assert pid is not None
    return pid


async def test_a_worker_lives_as_long_as_the_context(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    worker(monkeypatch, LIVES)
    async with Supervisor.open(settings) as kept:
        pid = await until_up(kept)
        status = kept.status()
        assert (status.alive, status.restarts, status.started_at is not None) == (True, 0, True)
        assert os.getsid(pid) == pid, "a Ctrl-C on the terminal is not for it"
    assert processes.started(pid) is None
    assert (kept.status().alive, kept.status().pid, kept.status().started_at) == (False, None, None)


async def test_a_worker_that_ends_is_started_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    worker(monkeypatch, LIVES)
    async with Supervisor.open(settings) as kept:
        first = await until_up(kept)
        os.kill(first, signal.SIGKILL)
        assert await until_up(kept, 2) != first
        assert kept.status().restarts == 1


async def test_a_worker_that_cannot_live_is_tried_less_and_less_often(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pauses: list[float] = []
    wait_for_it = asyncio.wait_for

    async def noted(what: object, pause_s: float) -> object:
        pauses.append(pause_s)
        return await wait_for_it(what, pause_s)  # type: ignore[arg-type]

    worker(monkeypatch, "exit(3)")
    monkeypatch.setattr(asyncio, "wait_for", noted)
    async with Supervisor.open(settings) as kept:
        while kept.status().restarts < 4:
            await asyncio.sleep(0.005)
    assert pauses[:4] == [0.02, 0.04, 0.05, 0.05]
    assert "the worker ended with code 3" in caplog.text


async def test_a_restart_gives_another_worker_also_to_two_who_ask_at_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker(monkeypatch, LIVES)
    async with Supervisor.open(settings) as kept:
        first = await until_up(kept)
        await asyncio.gather(kept.restart(), kept.restart())
        assert kept.status().alive
        assert await until_up(kept, 2) != first
        assert processes.started(first) is None


async def test_a_restart_waits_for_no_back_off(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    worker(monkeypatch, "exit(3)")
    monkeypatch.setattr(supervisor, "BACK_OFF_S", 3600.0)
    async with Supervisor.open(settings) as kept:
        while kept.status().started_at is not None or kept.status().restarts != 0 or not kept.log.exists():
            await asyncio.sleep(0.005)
        worker(monkeypatch, LIVES)
        await kept.restart()
        await until_up(kept)


async def test_a_worker_that_cannot_be_started_is_said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "COMMAND", ("/no/such/program",))
    monkeypatch.setattr(supervisor, "RESTART_S", 0.1)
    async with Supervisor.open(settings) as kept:
        with pytest.raises(UnavailableError, match=r"No worker could be started in 0.1 s; .*worker.log may say why"):
            await kept.restart()
        assert kept.status().alive is False


async def test_a_worker_that_does_not_stop_is_killed_with_what_it_left(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker(monkeypatch, STUBBORN)
    monkeypatch.setattr(supervisor, "FAREWELL_S", 0.05)
    async with Supervisor.open(settings) as kept:
        pid = await until_up(kept)
        with engine_of(pid) as engine:
            await kept.restart()
            assert processes.started(pid) is None
            assert await asyncio.to_thread(engine.wait, 10) == -signal.SIGKILL


@contextmanager
def engine_of(pid: int) -> Iterator[subprocess.Popen[bytes]]:
    """An engine that this worker started, as far as anyone can see."""
    owner = replace(Identity.current(), pid=pid, started=processes.started(pid) or 0).text
    label = {"AUTOTUNER_TASK": "0badcafe", "AUTOTUNER_EXPERIMENT": "0", "AUTOTUNER_OWNER": owner}
    argv = [sys.executable, "-c", "import signal; signal.pause()"]
    with subprocess.Popen(argv, env={**os.environ, **label}, start_new_session=True) as engine:
        try:
            yield engine
        finally:
            engine.kill()


async def test_the_worker_gets_the_settings_of_its_parent(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("HOME", "DATABASE_URL", "PORT_LOW", "PORT_HIGH", "LEASE_S")
    code = f"import os; print(*(os.environ['AUTOTUNER_' + name] for name in {names}), sep='|'); "
    worker(monkeypatch, code + LIVES)
    monkeypatch.setenv("AUTOTUNER_PORT_LOW", "1")
    async with Supervisor.open(settings) as kept:
        await until_up(kept)
        assert kept.log.read_text().splitlines()[0] == f"{settings.home}||31000|31100|7.0"


async def test_a_long_log_is_set_aside(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    worker(monkeypatch, LIVES)
    monkeypatch.setattr(supervisor, "LOG_BYTES", 10)
    (settings.home / "logs").mkdir(parents=True)
    (settings.home / "logs" / "worker.log").write_text("x" * 11)
    async with Supervisor.open(settings) as kept:
        await until_up(kept)
    assert kept.log.with_name("worker.1.log").read_text() == "x" * 11


# The real worker

PARENT = """
import asyncio, sys
from pathlib import Path
from tuner.settings import Settings
from tuner.runner.supervisor import Supervisor

async def main():
    async with Supervisor.open(Settings(home=Path(sys.argv[1]))) as kept:
        while not kept.log.exists() or "Waiting" not in kept.log.read_text():
            await asyncio.sleep(0.02)
        print(kept.status().pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path / "home")], stdout=subprocess.PIPE, text=True)
    try:
        yield parent
    finally:
        parent.kill()
        parent.communicate()


@pytest.mark.slow
def test_the_worker_ends_with_its_parent_also_when_that_is_killed(parent: subprocess.Popen[str]) -> None:
    assert parent.stdout is not None
    kept = psutil.Process(int(parent.stdout.readline()))
    assert "--with-parent" in kept.cmdline()
    parent.kill()
    wait_for(lambda: not kept.is_running(), "the end of the worker", patience_s=20)
