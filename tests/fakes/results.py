"""Tasks that were never run, with experiments as a plausible engine would give them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tuner.analysis.result import Result, result, to_confirm
from tuner.analysis.score import effective_objectives, judge
from tuner.domain import Experiment, ExperimentState, Failure, LoadPoint, Params, Role, Stats, Task, TaskState
from tuner.errors import FailureKind
from tuner.launch import LOOPBACK, PORT, Installation, Launch, Program
from tuner.spec import taskfile
from tuner.spec.task import TaskSpec
from tuner.spec.values import Value

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
TARGET = Installation("engine", Path("/opt/engine venv/bin/python"), "1.0")
SCENARIO = "D(256,32)"
LEVELS = (1, 8, 32)
SEQS, TOKENS = (2, 8, 32, 128), (128, 512, 2048)


def spec(**changes: Any) -> TaskSpec:
    """Two flags and a variable, three levels, throughput with a soft bound on the p90 TTFT."""
    base: dict[str, Any] = {
        "task_name": "chat <&> load",
        "base_runtime": "simulated",
        "model": "tiny",
        "parameters": {"max-num-seqs": list(SEQS), "max-num-batched-tokens": list(TOKENS)},
        "environment": {"MODE": ["a", "b"]},
        "benchmark": {"traffic_scenarios": [SCENARIO], "num_concurrency": list(LEVELS)},
        "slo": {"ttft": {"p90": {"threshold": 1.0}}},
    }
    return taskfile.validate({**base, **changes})


def stats(mean: float) -> Stats:
    return Stats(mean=mean, p50=mean, p90=mean * 1.5, p95=mean * 1.7, p99=mean * 2, min=mean / 2, max=mean * 2.1)


def point(
    concurrency: int = 8,
    *,
    rate: float = 100.0,
    ttft: float = 0.1,
    tpot: float | None = 0.02,
    e2e: float = 1.0,
    scenario: str = SCENARIO,
    failure: FailureKind | None = None,
) -> LoadPoint:
    """A load level; latencies are means, p90 is half as much again."""
    return LoadPoint(
        scenario=scenario,
        concurrency=concurrency,
        requests=64,
        failed=64 if failure else 0,
        duration_s=64 * 32 / max(rate, 1.0),
        ttft=stats(ttft),
        tpot=None if tpot is None else stats(tpot),
        itl=None if tpot is None else stats(tpot),
        e2e_latency=stats(e2e),
        input_tokens=64 * 256,
        output_tokens=64 * 32,
        output_tokens_per_s=rate,
        total_tokens_per_s=rate * 9,
        requests_per_s=rate / 32,
        goodput_per_s=rate / 40,
        failure=failure,
        error="The engine ran out of memory." if failure else None,
    )


def experiment(
    number: int,
    points: Sequence[LoadPoint] = (),
    *,
    task: TaskSpec,
    role: Role | None = None,
    flags: Mapping[str, Value] | None = None,
    failure: Failure | None = None,
    confirms: int | None = None,
    gpus: int = 0,
    env: Mapping[str, Value] | None = None,
) -> Experiment:
    """A finished experiment, scored; number 0 is the baseline."""
    fallback = Role.CONFIRMATION if confirms is not None else Role.CANDIDATE if number else Role.BASELINE
    params = Params(flags=dict(flags or {}), env=dict(env or {}))
    argv = [part for name, value in params.flags.items() for part in (f"--{name}", str(value))]
    launch = Launch(
        program=Program(words=("server",), module=True),
        args=("--port", PORT, *argv),
        env={name: str(value) for name, value in params.env.items()},
        measuring_env={"VLLM_SERVER_DEV_MODE": "1"},
        model="tiny",
        served_model="tiny",
        gpus=gpus,
    )
    begun = START + timedelta(minutes=number)
    return Experiment(
        number=number,
        role=role or fallback,
        params=params,
        state=ExperimentState.FAILED if failure else ExperimentState.COMPLETED,
        confirms=confirms,
        gpus=gpus,
        launch=launch,
        target=TARGET,
        command=launch.command(TARGET, LOOPBACK, 30017),
        env={**launch.measuring_env, **launch.env},
        points=tuple(points),
        scores=() if failure else judge(task, effective_objectives(task, [gpus]), points, gpus),
        failure=failure,
        started_at=begun,
        finished_at=begun + timedelta(seconds=50),
        start_s=21.5,
    )


def task_of(task_spec: TaskSpec, state: TaskState = TaskState.COMPLETED) -> Task:
    return Task(
        id="a1b2c3d4", spec=task_spec, state=state, created_at=START, started_at=START, finished_at=START + timedelta(1)
    )


def sweep(task_spec: TaskSpec, rounds: int = 8) -> list[Experiment]:
    """Baseline, the whole grid, two out-of-memory failures, and a race of at most so many rounds at 1 % noise."""
    found = [experiment(0, _sent(task_spec, 64, 1024, "a"), task=task_spec)]
    for seqs, tokens, mode in _grid():
        flags: dict[str, Value] = {"max-num-seqs": seqs, "max-num-batched-tokens": tokens}
        failure = None
        if seqs == 128 and tokens == 2048:
            lines = ("=cmd|' /C calc'!A0", "<script>alert('log')</script>")
            message = "Not enough memory for the <KV> cache."
            failure = Failure(kind=FailureKind.OUT_OF_MEMORY, message=message, lines=lines)
        points = [] if failure else _sent(task_spec, seqs, tokens, mode)
        made = experiment(len(found), points, task=task_spec, flags=flags, env={"MODE": mode}, failure=failure)
        found.append(made)
    for _ in range(rounds):
        for number, _ in to_confirm(task_spec, found):
            one, factor = found[number], 0.98 + 0.01 * (len(found) % 3)
            points = [p.model_copy(update={"output_tokens_per_s": p.output_tokens_per_s * factor}) for p in one.points]
            made = experiment(len(found), points, task=task_spec, confirms=number)
            found.append(made.model_copy(update={"params": one.params, "env": one.env, "command": one.command}))
    return found


def swept(rounds: int = 8, **changes: Any) -> Result:
    made = spec(**changes)
    return result(task_of(made), sweep(made, rounds))


def _grid() -> Iterator[tuple[int, int, str]]:
    for seqs in SEQS:
        for tokens in TOKENS:
            for mode in ("a", "b"):
                yield seqs, tokens, mode


def _sent(task_spec: TaskSpec, seqs: int, tokens: int, mode: str) -> list[LoadPoint]:
    """The law's levels; in an open loop as rates of so many requests per second."""
    points = _law(seqs, tokens, mode)
    if not task_spec.benchmark.request_rate:
        return points
    return [one.model_copy(update={"concurrency": 0, "rate": float(one.concurrency)}) for one in points]


def _law(seqs: int, tokens: int, mode: str) -> list[LoadPoint]:
    """More sequences at once give more throughput and slower tokens; bigger batches cost the first token."""
    made = []
    for concurrency in LEVELS:
        batch = min(seqs, concurrency)
        tpot = 0.02 + 0.0012 * batch * (0.8 if mode == "b" else 1.0) + tokens * 2e-6
        wait = (concurrency / batch - 1) * tpot * 32 * 0.5
        ttft = 0.05 + 256 * concurrency / (tokens + 2000) * 0.08 + tokens * 5e-5 + wait
        e2e = ttft + 31 * tpot
        made.append(point(concurrency, rate=batch * 32 / (e2e - wait), ttft=ttft, tpot=tpot, e2e=e2e))
    return made
