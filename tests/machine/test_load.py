"""What a machine does beside a load level: the truth is a table of its counters, or a process that counts itself."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import psutil
import pynvml
import pytest

from tests.fakes import nvml
from tests.fakes.nvml import FakeGPU
from tuner.domain import MachineLoad
from tuner.machine import load
from tuner.machine.load import Counters, between, notes, recorded
from tuner.machine.processes import Identity

WORK_S = 0.4
BURN = f"""
import os, sys, time
if sys.argv[1] == "stranger" and os.fork():
    os._exit(0)
while sum(os.times()[:2]) < {WORK_S}:
    pass
print(os.getpid(), flush=True)
sys.stdin.read()
"""
HOT, CAPPED = pynvml.nvmlClocksEventReasonHwThermalSlowdown, pynvml.nvmlClocksEventReasonSwPowerCap


@pytest.fixture
def proc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Sets what the kernel tells: ticks of each of our processors, and the file on memory pressure."""
    (tmp_path / "pressure").mkdir()
    monkeypatch.setattr(load, "PROC", tmp_path)
    monkeypatch.setattr(load, "TICKS_PER_S", 100)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1})

    def tell(ticks: str, memory: str | None = None) -> None:
        (tmp_path / "stat").write_text(f"cpu 9 9 9 9 9 9 9 9 9 9\ncpu0 7 7 7 7 7 7 7 7 7 7\ncpu1 {ticks}\nintr 5 0\n")
        if memory is not None:
            (tmp_path / "pressure" / "memory").write_text(memory)

    return tell


def counters(at: float, total: float, used: float, stolen: float | None, ours: float, stalled: float = 0) -> Counters:
    return Counters(at, total, used, stolen, ours, stalled)


def test_shares_are_those_of_the_time_between_two_moments() -> None:
    seen = between(counters(100, 1000, 500, 10, 300, 4), counters(110, 1020, 512, 11, 308, 4.5))
    assert seen == MachineLoad(steal=0.05, others=0.2, memory_stalled=0.05)


def test_a_machine_that_does_not_count_stolen_time_says_nothing_of_it_and_of_all_the_rest() -> None:
    seen = between(counters(0, 0, 0, None, 0), counters(10, 20, 12, None, 8))
    assert seen == MachineLoad(steal=None, others=0.2, memory_stalled=0)


def test_nobody_else_is_seen_where_the_clocks_of_processes_and_processors_disagree() -> None:
    seen = between(counters(0, 0, 0, 0, 0), counters(10, 20, 12, 0, 12.1))
    assert seen.others == 0


def test_a_level_too_short_for_the_clock_says_nothing() -> None:
    assert between(counters(0, 0, 0, 0, 0), counters(load.SHORTEST_S - 0.01, 2, 2, 1, 0)) == MachineLoad()


def test_the_kernel_is_read_right_for_the_processors_we_may_use(proc: Callable[..., None]) -> None:
    proc("1000 200 300 5000 60 7 8 90 100 10", "some avg10=0.00 avg60=0.00 avg300=0.00 total=2500000\nfull total=1\n")
    seen = load._counters()
    assert (seen.total, seen.used, seen.stolen, seen.stalled) == (66.65, 15.0, 0.9, 2.5)


@pytest.mark.parametrize(
    ("ticks", "total"),
    [("1000 200 300 5000 60 7 8", 65.75), ("0 0 0 0 0 0 0 0 0 0", None), ("1000 many", None)],
    ids=["no steal", "counts nothing", "not numbers"],
)
def test_a_kernel_that_tells_less_is_no_error(proc: Callable[..., None], ticks: str, total: float | None) -> None:
    proc(ticks)
    seen = load._counters()
    assert (seen.total, seen.stolen, seen.stalled) == (total, None, None)


async def test_a_machine_without_such_files_is_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(load, "PROC", tmp_path)
    monkeypatch.setattr(load, "SHORTEST_S", 0.0)
    async with recorded(()) as beside:
        pass
    assert beside.load == MachineLoad()


@contextmanager
def burning(whose: str, **env: str) -> Iterator[psutil.Process]:
    """A process that has used the processor for `WORK_S` since it began: our child, or nobody's."""
    command, pipe = [sys.executable, "-c", BURN, whose], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env={**os.environ, **env}) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        yield psutil.Process(int(child.stdout.readline()))
        child.stdin.close()


@pytest.mark.parametrize("whose", ["ours", "stranger"])
def test_what_a_stranger_uses_is_told_from_what_our_own_children_use(whose: str) -> None:
    before = load._counters()
    with burning(whose) as process:
        spent = sum(process.cpu_times()[:2])
        after = load._counters()
    assert before.ours is not None
    assert after.ours is not None
    assert before.used is not None
    assert after.used is not None
    assert spent >= WORK_S
    ours, used = after.ours - before.ours, after.used - before.used
    assert used >= 0.5 * spent, "the machine's own count includes it; it is sampled, so not exact"
    assert (ours >= WORK_S - 0.02) == (whose == "ours")


def test_children_that_have_ended_still_count_as_ours() -> None:
    before = load._ours()
    with burning("ours"):
        pass
    assert before is not None
    assert (load._ours() or 0) - before >= WORK_S - 0.02


# GPUs


class Over(Event):
    """Set after so many looks, none of which is waited for."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.looks = looks

    def wait(self, timeout: float | None = None) -> bool:
        self.looks -= 1
        return self.looks <= 0


def seen_of(gpu_ids: list[str], looks: int = 1) -> MachineLoad:
    gpus = load._GPUs(gpu_ids, Over(looks))
    gpus.look()
    return MachineLoad.model_validate(gpus.load())


def test_a_gpu_is_hot_or_at_its_power_limit_for_a_share_of_the_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = nvml.install(monkeypatch, FakeGPU(reasons=(0, CAPPED, HOT | CAPPED, CAPPED)), FakeGPU(reasons=(HOT, 0)))
    seen = seen_of(ids, looks=4)
    assert (seen.gpu_hot, seen.gpu_at_power_limit) == (0.5, 0.75)


def test_a_gpu_that_does_not_tell_why_it_is_slow_is_not_taken_for_a_cool_one(monkeypatch: pytest.MonkeyPatch) -> None:
    silent, gone = nvml.install(monkeypatch, FakeGPU(reasons=()))[0], "GPU-of-another-machine"
    assert seen_of([silent, gone]) == MachineLoad(gpu_hot=None, gpu_at_power_limit=None)


def test_without_a_driver_nothing_is_said_of_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml.remove(monkeypatch)
    assert seen_of(["GPU-1"]) == MachineLoad()


async def test_strangers_on_the_gpus_of_an_experiment_are_named_and_our_own_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nobody = 2**22 + 1  # more than the kernel gives, as a container is told of processes outside of it
    with burning("ours") as engine, burning("stranger") as other:
        ids = nvml.install(monkeypatch, FakeGPU(pids=(os.getpid(), engine.pid, other.pid, nobody)), FakeGPU(pids=(1,)))
        async with recorded(ids[:1]) as beside:
            pass
        name = other.name()
    assert beside.load.gpu_strangers == (f"{name} (process {other.pid})",)


def test_a_process_with_the_mark_of_this_worker_is_ours_wherever_it_was_started() -> None:
    with burning("stranger", AUTOTUNER_OWNER=Identity.current().text) as engine:
        assert load._stranger(engine.pid) is None
    with burning("stranger", AUTOTUNER_OWNER="another worker") as engine:
        assert load._stranger(engine.pid) is not None


async def test_a_driver_that_breaks_or_hangs_costs_no_level(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ids = nvml.install(monkeypatch, FakeGPU())
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByUUID", lambda _: 1 / 0)
    async with recorded(ids) as broken:
        pass
    assert "not recorded any further" in caplog.text
    answered = Event()
    monkeypatch.setattr(load, "PATIENCE_S", 0.01)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByUUID", lambda _: answered.wait())
    async with recorded(ids) as hanging:
        pass
    answered.set()
    assert broken.load.gpu_hot is None
    assert hanging.load.gpu_hot is None


# What is said


def test_a_quiet_machine_is_not_spoken_of() -> None:
    quiet = MachineLoad(steal=0.02, others=0.1, memory_stalled=0.02, gpu_hot=0.02, gpu_at_power_limit=0.5)
    assert [*notes(quiet), *notes(MachineLoad())] == []


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("steal", 0.031, "Other virtual machines had 3% of this machine's processor time, so that it was slower."),
        ("others", 0.35, "Programs that are not part of the tuning used 35% of this machine's processor time."),
        ("memory_stalled", 0.2, "This machine is short of memory: processes waited for it 20% of the time."),
        ("gpu_strangers", ("x (process 7)",), "Other programs were on the GPUs of this experiment: x (process 7)."),
        ("gpu_hot", 0.1, "A GPU was slowed down for heat or lack of power 10% of the time."),
        ("gpu_at_power_limit", 0.9, "A GPU was slowed down by its power limit 90% of the time."),
    ],
)
def test_each_disturbance_is_told_in_a_sentence(field: str, value: object, said: str) -> None:
    assert [*notes(MachineLoad.model_validate({field: value}))] == [said]
