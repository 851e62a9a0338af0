"""What this machine does beside us during a load level: other programs, its hypervisor, its GPUs' users and clocks."""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import psutil

from tuner.domain import MachineLoad
from tuner.machine import hardware
from tuner.machine.hardware import Activity
from tuner.machine.processes import Identity

log = logging.getLogger(__name__)

PROC = Path("/proc")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
SHORTEST_S = 1.0
"""Of shorter levels a clock of hundredths of a second says too little."""
EVERY_S = 1.0
"""Between looks at the GPUs."""
PATIENCE_S = 5.0
"""For a last look at the GPUs: a driver that hangs holds up no level."""

STEAL, MEMORY_STALLED = 0.02, 0.02
"""Beyond this a level is slower by as much as the least differences that tuning is about; an idle machine has none."""
OTHERS = 0.10
"""An operating system's own work stays well under it; above, an engine or a load generator may have to wait."""
HOT = 0.02
"""A GPU that is cooled well enough never is; less is a single look of a level of a minute."""
AT_POWER_LIMIT = 0.5
"""Loaded GPUs meet their power limit by design: it is worth knowing where it is what was measured."""


@dataclass
class Recording:
    """What was seen; complete when the context of `recorded` is left."""

    load: MachineLoad = field(default_factory=MachineLoad)


@asynccontextmanager
async def recorded(gpu_ids: Sequence[str]) -> AsyncIterator[Recording]:
    """Records what this machine does beside us until the context is left.

    It raises nothing of its own: what cannot be read stays unknown. It reads the processes before and after, 2 ms for a
    hundred of them, and looks at the GPUs once a second.

    Args:
        gpu_ids: those of the experiment.
    """
    recording, gpus = Recording(), _GPUs(gpu_ids)
    before = await asyncio.to_thread(_counters)
    thread = Thread(target=gpus.look, name="GPU load", daemon=True)
    if gpu_ids:
        thread.start()
    try:
        yield recording
        after = await asyncio.to_thread(_counters)
    finally:
        gpus.over.set()
    if gpu_ids:
        await asyncio.to_thread(thread.join, PATIENCE_S)
    recording.load = between(before, after).model_copy(update=gpus.load())


def notes(load: MachineLoad) -> Iterator[str]:
    """What to know of a level measured on a machine that did this beside it."""
    if (load.steal or 0) > STEAL:
        yield f"Other virtual machines had {load.steal:.0%} of this machine's processor time, so that it was slower."
    if (load.others or 0) > OTHERS:
        yield f"Programs that are not part of the tuning used {load.others:.0%} of this machine's processor time."
    if (load.memory_stalled or 0) > MEMORY_STALLED:
        yield f"This machine is short of memory: processes waited for it {load.memory_stalled:.0%} of the time."
    if load.gpu_strangers:
        yield f"Other programs were on the GPUs of this experiment: {', '.join(load.gpu_strangers)}."
    if (load.gpu_hot or 0) > HOT:
        yield f"A GPU was slowed down for heat or lack of power {load.gpu_hot:.0%} of the time."
    if (load.gpu_at_power_limit or 0) > AT_POWER_LIMIT:
        yield f"A GPU was slowed down by its power limit {load.gpu_at_power_limit:.0%} of the time."


@dataclass(frozen=True)
class Counters:
    """What a machine has counted since it was started, in seconds; None: it does not count that."""

    at: float
    total: float | None = None
    """Of processor time, whatever it was used for."""
    used: float | None = None
    """By processes. Interrupts are left out: those of our own network traffic are nobody's."""
    stolen: float | None = None
    ours: float | None = None
    """By us and all that we have started."""
    stalled: float | None = None
    """In which some process waited for memory."""


def between(before: Counters, after: Counters) -> MachineLoad:
    """The load between two moments."""
    total = _grown(before.total, after.total)
    used, ours = _grown(before.used, after.used), _grown(before.ours, after.ours)
    if (span_s := after.at - before.at) < SHORTEST_S:
        return MachineLoad()
    return MachineLoad(
        steal=_share(_grown(before.stolen, after.stolen), total),
        others=_share(None if used is None or ours is None else used - ours, total),
        memory_stalled=_share(_grown(before.stalled, after.stalled), span_s),
    )


def _grown(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before


def _share(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else min(1.0, max(0.0, part / whole))


def _counters() -> Counters:
    total, used, stolen = _processors()
    return Counters(time.monotonic(), total, used, stolen, _ours(), _stalled())


def _processors() -> tuple[float | None, float | None, float | None]:
    """Total, used and stolen time of the processors that we may run on."""
    mine = {f"cpu{number}" for number in os.sched_getaffinity(0)}
    try:
        lines = [line.split() for line in (PROC / "stat").read_text().splitlines()]
        ticks = [[int(word) for word in words[1:9]] for words in lines if words and words[0] in mine]
    except (OSError, ValueError) as error:
        log.info("the load of the processors is not known: %s", error)
        return None, None, None
    if not any(map(any, ticks)):
        return None, None, None
    total = sum(map(sum, ticks))
    used = sum(sum(one[:3]) for one in ticks)  # user (guests included), nice, system
    stolen = sum(one[7] for one in ticks) / TICKS_PER_S if all(len(one) > 7 for one in ticks) else None
    return total / TICKS_PER_S, used / TICKS_PER_S, stolen


def _ours() -> float | None:
    """Those that have ended are counted by their parents, if those waited for them."""
    try:
        me = psutil.Process()
        family = [me, *me.children(recursive=True)]
    except (psutil.Error, OSError) as error:
        log.info("our own processor time is not known: %s", error)
        return None
    spent = 0.0
    for one in family:
        with suppress(psutil.Error, OSError):
            times = one.cpu_times()
            spent += times.user + times.system + times.children_user + times.children_system
    return spent


def _stalled() -> float | None:
    """Kernels without pressure stall information have no such file."""
    try:
        some = (PROC / "pressure" / "memory").read_text().splitlines()[0]
        return int(some.rpartition("total=")[2]) / 1e6
    except (OSError, ValueError, IndexError):
        return None


@dataclass
class _GPUs:
    """What was seen of the experiment's GPUs, by a thread of its own: a driver can take its time."""

    ids: Sequence[str]
    over: Event = field(default_factory=Event)
    looks: list[Sequence[Activity]] = field(default_factory=list)
    users: dict[int, str | None] = field(default_factory=dict)
    """By number of a process, the stranger's name; None: it is ours, or not known here."""

    def look(self) -> None:
        """Until it is over."""
        try:
            with hardware.opened() as there:
                while there:
                    self.looks.append(now := hardware.activity(self.ids))
                    for pid in {pid for one in now for pid in one.pids} - self.users.keys():
                        self.users[pid] = _stranger(pid)
                    if self.over.wait(EVERY_S):
                        return
        except Exception:
            log.exception("the load of the GPUs is not recorded any further")

    def load(self) -> dict[str, object]:
        return {
            "gpu_strangers": tuple(name for _, name in sorted(self.users.items()) if name is not None),
            "gpu_hot": _part([one.hot for one in look] for look in self.looks),
            "gpu_at_power_limit": _part([one.at_power_limit for one in look] for look in self.looks),
        }


def _stranger(pid: int) -> str | None:
    """A container is told numbers of processes that it cannot see, its own among them: nothing is said of those."""
    try:
        process = psutil.Process(pid)
        ours = os.getpid() in (pid, *(one.pid for one in process.parents()))
        with suppress(psutil.AccessDenied):  # another user's
            ours = ours or process.environ().get("AUTOTUNER_OWNER") == Identity.current().text
        return None if ours else f"{process.name()} (process {pid})"
    except (psutil.Error, OSError):
        return None


def _part(looks: Iterable[Sequence[bool | None]]) -> float | None:
    """Of the looks that told, the share in which it was so on any GPU."""
    told = [[one for one in look if one is not None] for look in looks]
    shown = [any(look) for look in told if look]
    return sum(shown) / len(shown) if shown else None
