"""Cache of the plans made in this process, by digest of the task and of what it is resolved against."""

import asyncio
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from tuner.benchmarks import BENCHMARKS
from tuner.engines import ENGINES
from tuner.engines.models import model_paths
from tuner.machine import hardware
from tuner.machine.environments import find
from tuner.runner.plan import Plan, plan
from tuner.settings import Settings
from tuner.spec import taskfile
from tuner.spec.task import TaskSpec

KEPT = 16


@dataclass(frozen=True)
class Plans:
    """The newest plans, by digest, the newest last."""

    _made: dict[str, Plan] = field(default_factory=dict)

    async def find(self, spec: TaskSpec, settings: Settings) -> Plan:
        """What the task would do here: as planned before, or planned now.

        Raises:
            InvalidSpecError: with every problem.
        """
        digest = await asyncio.to_thread(_digest, spec, settings)
        made = self._made.pop(digest, None) or await plan(spec, settings)
        # An engine that printed no help may do so the next time.
        if made.resolved.missing or made.resolved.schema is not None:
            self._made[digest] = made
            for oldest in list(self._made)[:-KEPT]:
                del self._made[oldest]
        return made


def _digest(spec: TaskSpec, settings: Settings) -> str:
    """Of a task and of what it is resolved against here: engine, model, dataset, load generator, GPUs."""
    engine, benchmark = ENGINES.get(spec.base_runtime), BENCHMARKS.get(spec.benchmark.tool)
    here = (
        engine and find(settings.home, tuple(engine.recipes)),
        model_paths.find(spec, settings.models),
        _dated(model_paths.existing(spec.benchmark.dataset_url or "")),
        benchmark and benchmark(settings.home).missing(),
        tuple(gpu.id for gpu in hardware.survey().gpus),
    )
    return hashlib.sha256(f"{taskfile.digest(spec)} {here}".encode()).hexdigest()


def _dated(path: Path | None) -> tuple[Path, int, int] | None:
    """A file as it is now: a plan says what is in it."""
    if path is None:
        return None
    there = path.stat()
    return path, there.st_size, there.st_mtime_ns
