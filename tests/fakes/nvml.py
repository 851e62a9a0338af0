"""NVIDIA's management library, as `pynvml` gives it: GPUs that exist, or none."""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from uuid import uuid4

import pynvml
import pytest

GIB = 2**30


@dataclass(frozen=True)
class FakeGPU:
    free_gib: float = 80.0
    utilization: int | None = 0
    """Percent; None: not supported, as on a MIG slice."""
    lost: bool = False
    """It fell off the bus."""
    uuid: str = ""
    reasons: tuple[int, ...] = (0,)
    """Why its clocks are held down, look by look; the last one stays. Empty: it does not tell."""
    pids: tuple[int, ...] = ()
    """Of the processes that compute on it."""


def install(monkeypatch: pytest.MonkeyPatch, *gpus: FakeGPU) -> list[str]:
    """Puts GPUs into this machine; their ids, which no other test has ever locked."""
    ids = [gpu.uuid or f"GPU-{uuid4()}" for gpu in gpus]

    def memory(index: int) -> SimpleNamespace:
        if gpus[index].lost:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)
        return SimpleNamespace(total=80 * GIB, free=gpus[index].free_gib * GIB)

    def rates(index: int) -> SimpleNamespace:
        if gpus[index].utilization is None:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return SimpleNamespace(gpu=gpus[index].utilization)

    looks = [iter(gpu.reasons) for gpu in gpus]

    def handle(uuid: str) -> int:
        if uuid not in ids:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return ids.index(uuid)

    def reasons(index: int) -> int:
        if not gpus[index].reasons:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return next(looks[index], gpus[index].reasons[-1])

    for name, function in {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlDeviceGetCount": lambda: len(gpus),
        "nvmlSystemGetDriverVersion": lambda: "580.1",
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetUUID": lambda index: ids[index],
        "nvmlDeviceGetName": lambda index: "Fake GPU",
        "nvmlDeviceGetMemoryInfo": memory,
        "nvmlDeviceGetUtilizationRates": rates,
        "nvmlDeviceGetHandleByUUID": handle,
        "nvmlDeviceGetCurrentClocksEventReasons": reasons,
        "nvmlDeviceGetComputeRunningProcesses": lambda index: [SimpleNamespace(pid=pid) for pid in gpus[index].pids],
    }.items():
        monkeypatch.setattr(pynvml, name, function)
    return ids


def split(monkeypatch: pytest.MonkeyPatch, whole: int, parts: dict[str, FakeGPU]) -> None:
    """Makes MIG devices of a GPU, after `install`, by UUID."""
    name_of, memory_of, rates_of = (
        getattr(pynvml, f"nvmlDeviceGet{what}") for what in ("UUID", "MemoryInfo", "UtilizationRates")
    )

    def handle(uuid: str) -> str:
        if uuid not in parts:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return uuid

    def memory(handle: str | int) -> SimpleNamespace:
        if not isinstance(handle, str):
            return SimpleNamespace(**vars(memory_of(handle)))
        return SimpleNamespace(total=10 * GIB, free=parts[handle].free_gib * GIB)

    def rates(handle: str | int) -> SimpleNamespace:
        if isinstance(handle, str):
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return SimpleNamespace(**vars(rates_of(handle)))

    functions: dict[str, Callable[..., object]] = {
        "nvmlDeviceGetHandleByUUID": handle,
        "nvmlDeviceGetDeviceHandleFromMigDeviceHandle": lambda handle: whole,
        "nvmlDeviceGetIndex": lambda index: index,
        "nvmlDeviceGetUUID": lambda handle: handle if isinstance(handle, str) else name_of(handle),
        "nvmlDeviceGetMemoryInfo": memory,
        "nvmlDeviceGetUtilizationRates": rates,
    }
    for name, function in functions.items():
        monkeypatch.setattr(pynvml, name, function)


def remove(monkeypatch: pytest.MonkeyPatch) -> None:
    """No driver at all."""

    def fails() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", fails)
