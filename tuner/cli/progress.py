"""What people see while a task runs: a live panel on a terminal, one line per step in a pipe."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tuner.analysis.formatting import described, quantity
from tuner.domain import Event, Level, LoadPoint
from tuner.logs.following import LogChunk
from tuner.logs.tail import tail
from tuner.service import Tuner
from tuner.spec.objectives import Metric, Objective

REDRAW_S = 0.25
PANEL_BYTES = 2**16
"""Of a log, in which its last line is looked for at every redraw."""


@dataclass
class Progress:
    """The state of a run, folded from its events."""

    total: int
    objective: Objective
    done: int = 0
    """Experiments that ended."""
    number: int | None = None
    """The experiment that was started last; role, params and phase are its own."""
    role: str = ""
    params: str = ""
    phase: str = ""
    best: float | None = None
    best_number: int | None = None
    durations: list[float] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    running: dict[int, float] = field(default_factory=dict)
    """When each experiment under way began."""

    def take(self, event: Event) -> str | None:
        """Takes an event in; gives the line that tells of it, or None where it is not worth one."""
        p = event.payload
        which = f"#{p['number']} " if "number" in p and len(self.running) > 1 else ""
        match event.kind:
            case "task_started":
                self.running.clear()  # what a worker before this one had under way runs again
                return None
            case "experiment_started":
                self.number, self.role, self.began = _int(p["number"]), str(p["role"]), time.monotonic()
                self.running[self.number] = self.began
                self.total = max(self.total, self.number + 1)  # confirmations were only guessed
                named = p["params"]
                self.params = " ".join(f"{k}={_text(v)}" for k, v in named.items()) if isinstance(named, dict) else ""
                again = f", attempt {p['attempt']}" if p["attempt"] != 1 else ""
                of = f"{self.number + 1} of {self.total} ({self.role}{again})"
                return f"experiment #{self.number}, {of}: {self.params or 'defaults'}"
            case "phase" if p["number"] == self.number:
                at = f" {_level(p)}" if "scenario" in p else ""
                self.phase = f"{p['phase']}{at}"
                return None
            case "load_point":
                point = LoadPoint.model_validate({key: value for key, value in p.items() if key != "number"})
                return f"  {which}{point.name}: {_point(point)}"
            case "experiment_finished":
                self.done += 1
                self.durations.append(time.monotonic() - self.running.pop(_int(p["number"]), self.began))
                return f"  {which}{self._judged(event)}"
            case "experiment_retried":
                return f"  {which}again, this machine failed it: {p['reason']}"
            case "search_stopped":
                return f"the search ends: {p['reason']}"
            case "cancel_requested":
                self.phase = "cancelling"
                return "cancelling"
            case _:
                return None

    def _judged(self, event: Event) -> str:
        p = event.payload
        if p["failure"]:
            return f"failed: {p['failure']}: {p['message']}"
        values = p["values"]
        if not isinstance(values, list) or not values:
            return "measured, but some level is missing: it cannot be ranked"
        value = float(str(values[0]))
        text = described(self.objective, value)
        if not p["feasible"]:
            return f"{text}, misses a hard SLO"
        better = self.best is None or (value > self.best) == (self.objective.direction == "maximize")
        if better and p["role"] != "confirmation":
            self.best, self.best_number = value, _int(p["number"])
            return f"{text}, the best so far"
        return text

    @property
    def left_s(self) -> float | None:
        """A guess from the experiments so far."""
        if not self.durations:
            return None
        mean = sum(self.durations) / len(self.durations)
        left = (self.total - self.done) * mean - sum(time.monotonic() - began for began in self.running.values())
        return max(0.0, left) / max(1, len(self.running))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _int(value: object) -> int:
    return int(str(value))


def _point(point: LoadPoint) -> str:
    if not point.valid:
        return f"{point.failure}: {point.error}"
    first = f", TTFT p90 {quantity(Metric.TTFT, point.ttft.p90)}" if point.ttft else ""
    return f"{quantity(Metric.OUTPUT_RATE, point.output_tokens_per_s)}{first}"


async def show(tuner: Tuner, task_id: str, progress: Progress, console: Console, *, verbose: bool) -> None:
    """Shows the events of a task that this process runs, until it ends."""
    if not console.is_terminal:
        await _lines(tuner, task_id, progress, console, verbose=verbose)
        return
    # The lines scroll by above; the panel stays below them.
    with Live(console=console, refresh_per_second=1 / REDRAW_S, transient=True) as live:
        redraw = asyncio.create_task(_redraw(live, tuner, task_id, progress))
        try:
            await _lines(tuner, task_id, progress, console, verbose=verbose)
        finally:
            redraw.cancel()


async def _lines(tuner: Tuner, task_id: str, progress: Progress, console: Console, *, verbose: bool) -> None:
    outputs = [asyncio.create_task(_print(chunks, console)) for chunks in _output(tuner, task_id)] if verbose else []
    try:
        async for event in tuner.follow(task_id, here=True):
            if (line := progress.take(event)) is not None:
                console.print(line, highlight=False, markup=False, soft_wrap=True)
        for output in outputs:
            await output  # until what was written last
    finally:
        for output in outputs:
            output.cancel()


async def _redraw(live: Live, tuner: Tuner, task_id: str, progress: Progress) -> None:
    folder = tuner.settings.runs(task_id)
    while True:
        live.update(panel(progress, _last_line(folder / str(progress.number) / "engine.log")))
        await asyncio.sleep(REDRAW_S)


def panel(progress: Progress, last_line: str) -> Group:
    """The live part of the display."""
    head = Table.grid(padding=(0, 2))
    now = (
        ""
        if progress.number is None
        else f"experiment #{progress.number} · {progress.number + 1} of {progress.total} · {progress.role}"
    )
    left = "" if progress.left_s is None else f"about {max(1, round(progress.left_s / 60))} min left"
    best = (
        ""
        if progress.best is None
        else f"best {quantity(progress.objective.metric, progress.best)} (#{progress.best_number})"
    )
    head.add_row(ProgressBar(total=max(1, progress.total), completed=progress.done, width=24), now, left)
    seconds = round(time.monotonic() - progress.began)
    return Group(
        head,
        Text.assemble((f"{progress.phase} {seconds} s".strip(), "cyan"), "  ", (best, "green")),
        Text(progress.params, style="dim", overflow="ellipsis", no_wrap=True),
        Text(last_line, style="dim", overflow="ellipsis", no_wrap=True),
    )


def _level(payload: Mapping[str, JsonValue]) -> str:
    rate = payload.get("rate")
    at = float(rate) if isinstance(rate, int | float) else None
    return Level(str(payload["scenario"]), _int(payload["concurrency"]), at).name


def _last_line(log: Path) -> str:
    return next(iter(tail(log, lines=1, max_bytes=PANEL_BYTES)), "")


def _output(tuner: Tuner, task_id: str) -> list[AsyncIterator[LogChunk]]:
    """What the engines write from now on, and what the load generator does."""
    folder = tuner.settings.runs(task_id)
    newest = max((int(path.parent.name) for path in folder.glob("*/engine.log")), default=None)
    engine, load = _size(folder / str(newest) / "engine.log"), _size(folder / "benchmark.log")
    return [
        tuner.follow_log(task_id, position=engine, since=newest),
        tuner.follow_log(task_id, position=load, benchmark=True),
    ]


def _size(log: Path) -> int:
    return log.stat().st_size if log.is_file() else 0


async def _print(chunks: AsyncIterator[LogChunk], console: Console) -> None:
    async for chunk in chunks:
        prefix = "load" if chunk.experiment is None else chunk.experiment
        lines = "\n".join(f"[{prefix}] {line}" for line in chunk.text.splitlines())
        console.print(lines, highlight=False, markup=False, soft_wrap=True)
