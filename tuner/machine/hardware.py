"""What this machine has: GPUs by NVML, processors, memory; and who uses a GPU now."""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psutil
import pynvml

from tuner.machine import locks
from tuner.spec.values import Frozen

log = logging.getLogger(__name__)

VISIBLE = "CUDA_VISIBLE_DEVICES"
"""In our own environment it bounds what any experiment is given; each engine gets its own."""
HOT = (
    pynvml.nvmlClocksEventReasonSwThermalSlowdown
    | pynvml.nvmlClocksEventReasonHwThermalSlowdown
    | pynvml.nvmlClocksEventReasonHwSlowdown
    | pynvml.nvmlClocksEventReasonHwPowerBrakeSlowdown
)
AT_POWER_LIMIT = pynvml.nvmlClocksEventReasonSwPowerCap


class GPU(Frozen):
    id: str
    """NVML's UUID, which `CUDA_VISIBLE_DEVICES` understands."""
    index: int
    name: str
    memory_gib: float
    free_gib: float
    utilization: float
    """Part of the last sample period with a kernel running, 0 to 1."""


class Hardware(Frozen):
    cpus: int
    memory_gib: float
    available_gib: float
    gpus: tuple[GPU, ...] = ()
    driver: str | None = None


def survey() -> Hardware:
    """This machine, now. Without an NVIDIA driver there are no GPUs."""
    memory = psutil.virtual_memory()
    driver, gpus = _gpus()
    return Hardware(
        cpus=len(os.sched_getaffinity(0)),
        memory_gib=memory.total / 2**30,
        available_gib=memory.available / 2**30,
        gpus=gpus,
        driver=driver,
    )


def _gpus() -> tuple[str | None, tuple[GPU, ...]]:
    with opened() as there:
        if not there:
            return None, ()
        found = [gpu for index in range(pynvml.nvmlDeviceGetCount()) if (gpu := _gpu(index)) is not None]
        return str(pynvml.nvmlSystemGetDriverVersion()), tuple(_allowed(found, os.environ.get(VISIBLE)))


@contextmanager
def opened() -> Iterator[bool]:
    """NVIDIA's management library, kept open: opening it anew takes longer than what is asked of it. False: no library,
    no driver, or no device, which all mean that there is nothing to use."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        yield False
        return
    try:
        yield True
    finally:
        pynvml.nvmlShutdown()


def _allowed(gpus: Sequence[GPU], visible: str | None) -> Iterator[GPU]:
    """Those that `CUDA_VISIBLE_DEVICES` names, as CUDA reads it: up to the first entry that names none.

    Entries are indices, in NVML's order; UUIDs, or the start of one; or MIG devices by their UUID. Empty names none.
    """
    if visible is None:
        yield from gpus
        return
    seen = set()
    for entry in filter(None, map(str.strip, visible.split(","))) if visible.strip() else ():
        if entry.startswith("MIG-"):
            gpu = _mig(entry)
        else:
            fitting = [one for one in gpus if str(one.index) == entry or (_is_uuid(entry) and one.id.startswith(entry))]
            gpu = fitting[0] if len(fitting) == 1 else None
        if gpu is None or gpu.id in seen:
            log.warning("%s=%s: %r names no GPU here, or one twice; those before it are used.", VISIBLE, visible, entry)
            return
        seen.add(gpu.id)
        yield gpu


def _is_uuid(entry: str) -> bool:
    return entry.startswith("GPU-")


def _mig(uuid: str) -> GPU | None:
    """A part of a GPU, which counts as one; None: there is none of that name."""
    try:
        handle = pynvml.nvmlDeviceGetHandleByUUID(uuid)
        whole = pynvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(handle)
        return _described(handle, pynvml.nvmlDeviceGetIndex(whole))
    except pynvml.NVMLError as error:
        log.warning("%s is left out: %s", uuid, error)
        return None


def _gpu(index: int) -> GPU | None:
    """None: it does not answer."""
    try:
        return _described(pynvml.nvmlDeviceGetHandleByIndex(index), index)
    except pynvml.NVMLError as error:
        log.warning("GPU %d is left out: %s", index, error)
        return None


def _described(handle: Any, index: int) -> GPU:
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    utilization = 0.0
    with suppress(pynvml.NVMLError_NotSupported):  # MIG slices report none
        utilization = pynvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100
    return GPU(
        id=str(pynvml.nvmlDeviceGetUUID(handle)),
        index=index,
        name=str(pynvml.nvmlDeviceGetName(handle)),
        memory_gib=memory.total / 2**30,
        free_gib=memory.free / 2**30,
        utilization=utilization,
    )


@dataclass(frozen=True)
class Activity:
    """What a GPU does at a moment."""

    hot: bool | None
    """Its clocks are held down for heat, or by its hardware for lack of power; None: it does not tell."""
    at_power_limit: bool | None
    """Its clocks are held down to keep within its power limit; None: it does not tell."""
    pids: tuple[int, ...]
    """Of the processes that compute on it, by this machine's numbers; empty where it does not tell."""


def activity(gpu_ids: Sequence[str]) -> list[Activity]:
    """What these GPUs do now, asked while the library is `opened`. Those that do not answer are left out."""
    found = []
    for gpu_id in gpu_ids:
        with suppress(pynvml.NVMLError):
            found.append(_activity(pynvml.nvmlDeviceGetHandleByUUID(gpu_id)))
    return found


def _activity(handle: Any) -> Activity:
    reasons: int | None = None
    pids: tuple[int, ...] = ()
    with suppress(pynvml.NVMLError):
        reasons = pynvml.nvmlDeviceGetCurrentClocksEventReasons(handle)
    with suppress(pynvml.NVMLError):
        pids = tuple(one.pid for one in pynvml.nvmlDeviceGetComputeRunningProcesses(handle))
    if reasons is None:
        return Activity(None, None, pids)
    return Activity(bool(reasons & HOT), bool(reasons & AT_POWER_LIMIT), pids)


@dataclass(frozen=True)
class Short:
    """Fewer GPUs are free than are needed."""

    needed: int
    free: int


@contextmanager
def hold(count: int) -> Iterator[tuple[GPU, ...] | Short]:
    """The `count` GPUs with most free memory and least use that no other experiment holds, until the context is left.

    The lock is the kernel's, so a GPU is free again when its holder dies.
    """
    taken: list[int] = []
    try:
        held: list[GPU] = []
        if count:
            for gpu in sorted(survey().gpus, key=lambda gpu: (-round(gpu.free_gib), gpu.utilization, gpu.index)):
                if len(held) < count and (lock := locks.take(f"gpu-{gpu.id}")) is not None:
                    taken.append(lock)
                    held.append(gpu)
        yield tuple(held) if len(held) == count else Short(count, len(held))
    finally:
        for lock in taken:
            os.close(lock)
