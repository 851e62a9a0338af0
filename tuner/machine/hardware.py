"""What this machine has: GPUs by NVML, processors, memory; and who uses a GPU now."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil
import pynvml

from tuner.machine import locks
from tuner.spec.values import Frozen

log = logging.getLogger(__name__)


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
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:  # no library, no driver, or no device: all mean that there is nothing to use
        return None, ()
    try:
        found = [_gpu(index) for index in range(pynvml.nvmlDeviceGetCount())]
        return str(pynvml.nvmlSystemGetDriverVersion()), tuple(gpu for gpu in found if gpu is not None)
    finally:
        pynvml.nvmlShutdown()


def _gpu(index: int) -> GPU | None:
    """None: it does not answer."""
    try:
        handle = pynvml.nvmlDeviceGetHandleByIndex(index)
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
    except pynvml.NVMLError as error:
        log.warning("GPU %d is left out: %s", index, error)
        return None


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
