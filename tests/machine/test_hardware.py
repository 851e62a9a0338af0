"""What the machine has, and who holds a GPU."""

import subprocess
import sys

import pytest

from tests.fakes import nvml
from tests.fakes.nvml import FakeGPU
from tuner.machine import hardware
from tuner.machine.hardware import GPU, Short

HOLDER = (
    "import sys\nfrom tuner.machine import locks\n"
    "assert locks.take(sys.argv[1])\nprint('held', flush=True)\nsys.stdin.read()"
)


def held_ids(held: tuple[GPU, ...] | Short) -> list[str]:
    assert not isinstance(held, Short), held
    return [gpu.id for gpu in held]


def test_this_machine_has_processors_and_memory() -> None:
    machine = hardware.survey()
    assert machine.cpus >= 1
    assert 0 < machine.available_gib <= machine.memory_gib


def test_without_a_driver_there_are_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml.remove(monkeypatch)
    machine = hardware.survey()
    assert (machine.gpus, machine.driver) == ((), None)


def test_gpus_come_with_their_memory_and_use(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = nvml.install(monkeypatch, FakeGPU(free_gib=60, utilization=25), FakeGPU(utilization=None))
    machine = hardware.survey()
    assert machine.driver == "580.1"
    assert [gpu.id for gpu in machine.gpus] == ids
    assert [(gpu.index, gpu.memory_gib, gpu.free_gib, gpu.utilization) for gpu in machine.gpus] == [
        (0, 80.0, 60.0, 0.25),
        (1, 80.0, 80.0, 0.0),
    ]


def test_a_gpu_that_does_not_answer_is_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _, good = nvml.install(monkeypatch, FakeGPU(lost=True), FakeGPU())
    assert [gpu.id for gpu in hardware.survey().gpus] == [good]
    assert "GPU 0 is left out" in caplog.text


def test_the_freest_gpus_are_held_first(monkeypatch: pytest.MonkeyPatch) -> None:
    busy, idle, full = nvml.install(
        monkeypatch, FakeGPU(free_gib=80, utilization=90), FakeGPU(free_gib=80), FakeGPU(free_gib=10)
    )
    with hardware.hold(1) as one:
        assert held_ids(one) == [idle]
    with hardware.hold(3) as all_of_them:
        assert held_ids(all_of_them) == [idle, busy, full]


def test_two_experiments_never_share_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml.install(monkeypatch, FakeGPU(), FakeGPU(), FakeGPU())
    with hardware.hold(2) as first, hardware.hold(1) as second:
        assert not set(held_ids(first)) & set(held_ids(second))
        with hardware.hold(1) as third:
            assert third == Short(needed=1, free=0)


def test_too_few_are_told_and_none_stays_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml.install(monkeypatch, FakeGPU(), FakeGPU())
    with hardware.hold(3) as short:
        assert short == Short(needed=3, free=2)
    with hardware.hold(2) as both:
        assert len(held_ids(both)) == 2


def test_an_exception_gives_gpus_back(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml.install(monkeypatch, FakeGPU())
    with pytest.raises(ZeroDivisionError), hardware.hold(1):
        _ = 1 / 0
    with hardware.hold(1) as again:
        assert len(held_ids(again)) == 1


def test_a_killed_holder_frees_its_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    (gpu,) = nvml.install(monkeypatch, FakeGPU())
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, f"gpu-{gpu}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with hardware.hold(1) as none:
            assert none == Short(needed=1, free=0)
        holder.kill()
        holder.wait()
    with hardware.hold(1) as freed:
        assert held_ids(freed) == [gpu]


def test_on_a_cpu_nothing_is_held_and_nothing_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml.remove(monkeypatch)
    with hardware.hold(0) as held:
        assert held == ()


# What our own environment allows


def visible(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)


@pytest.mark.parametrize(
    ("value", "allowed"),
    [
        ("1", [1]),
        ("2,0", [2, 0]),
        (" 0 , 1 ", [0, 1]),
        ("GPU-b1", [1]),
        ("GPU-b", [1]),
        ("GPU-a,GPU-c1", [0, 2]),
        ("", []),
        (" ", []),
        ("-1", []),
        ("NoDevFiles", []),
        ("0,-1,2", [0]),
        ("0,7,2", [0]),
        ("0,0,1", [0]),
        ("GPU-", []),
        ("GPU-x", []),
        ("01", []),
    ],
)
def test_only_gpus_that_our_caller_left_visible_are_used(
    value: str, allowed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = nvml.install(monkeypatch, *[FakeGPU(uuid=f"GPU-{name}") for name in ("a1", "b1", "c1")])
    visible(monkeypatch, value)
    assert [gpu.id for gpu in hardware.survey().gpus] == [ids[index] for index in allowed]
    with hardware.hold(len(allowed)) as held:
        assert sorted(held_ids(held)) == sorted(ids[index] for index in allowed)
    with hardware.hold(len(allowed) + 1) as short:
        assert short == Short(needed=len(allowed) + 1, free=len(allowed))


def test_an_entry_that_names_nothing_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    nvml.install(monkeypatch, FakeGPU(), FakeGPU())
    visible(monkeypatch, "0,5")
    hardware.survey()
    assert "CUDA_VISIBLE_DEVICES=0,5: '5' names no GPU here" in caplog.text


def test_parts_of_a_gpu_are_used_by_their_own_names(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    nvml.install(monkeypatch, FakeGPU(), FakeGPU(uuid="GPU-b"))
    nvml.split(monkeypatch, 1, {"MIG-x": FakeGPU(free_gib=9, utilization=None), "MIG-y": FakeGPU(free_gib=5)})
    visible(monkeypatch, "MIG-x,MIG-y")
    parts = hardware.survey().gpus
    assert [(gpu.id, gpu.index, gpu.free_gib, gpu.utilization) for gpu in parts] == [
        ("MIG-x", 1, 9.0, 0.0),
        ("MIG-y", 1, 5.0, 0.0),
    ]
    with hardware.hold(2) as held:
        assert held_ids(held) == ["MIG-x", "MIG-y"]
    visible(monkeypatch, "MIG-x,MIG-z,MIG-y")
    assert [gpu.id for gpu in hardware.survey().gpus] == ["MIG-x"]
    assert "MIG-z is left out" in caplog.text
