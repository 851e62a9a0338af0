"""Fills a data folder with tasks that were never run, one for each kind of result: `result-seed.py HOME` prints ids.

Those that are there already stay as they are.
"""

import json
import math
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, insert

from tuner.analysis.result import result, to_confirm
from tuner.analysis.score import judged
from tuner.domain import Experiment, ExperimentState, Failure, LoadPoint, Params, Role, Stats, Task, TaskState
from tuner.engines import ENGINES
from tuner.errors import FailureKind
from tuner.launch import LOOPBACK, Image
from tuner.spec import taskfile
from tuner.spec.task import TaskSpec
from tuner.spec.values import Value
from tuner.storage.schema import EXPERIMENT, TASK, experiment_values, task_values

START = datetime.now(UTC) - timedelta(hours=3)
IMAGE = Image("vllm/vllm-openai")
LEVELS = (1, 8, 32, 64, 128)
CHAT, LONG = "D(512,128)", "D(4000,200)"
SEQS, TOKENS, POLICIES = (16, 32, 64, 128, 256), (512, 2048, 8192), ("fcfs", "priority")
OOM = (
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 79.10 GiB",
    "Engine core initialization failed. See root cause above. <script>document.title='planted'</script>",
)


def spec(name: str, **changes: Any) -> TaskSpec:
    base: dict[str, Any] = {
        "task_name": name,
        "base_runtime": "vllm",
        "model": "Qwen/Qwen3-8B",
        "parameters": {"max-num-seqs": list(SEQS), "max-num-batched-tokens": list(TOKENS)},
        "benchmark": {"traffic_scenarios": [CHAT], "num_concurrency": list(LEVELS)},
        "slo": {"ttft": {"p90": {"threshold": 0.5, "hard_fail": True}}, "tpot": {"mean": {"threshold": 0.02}}},
        "optimization": {"confirm": 8},
    }
    return taskfile.validate({**base, **changes})


def stats(mean: float) -> Stats:
    spread = {"p50": 0.95, "p90": 1.5, "p95": 1.7, "p99": 2.1, "min": 0.5, "max": 2.4}
    return Stats(mean=mean, **{name: mean * factor for name, factor in spread.items()})


def points(flags: Mapping[str, Value], gpus: int, noise: float, scenarios: Sequence[str]) -> Iterator[LoadPoint]:
    """More sequences at once give more throughput and slower tokens; bigger batches cost the first token."""
    seqs, tokens = int(flags.get("max-num-seqs", 48)), int(flags.get("max-num-batched-tokens", 2048))
    policy = 0.97 if flags.get("scheduling-policy") == "priority" else 1.0
    for scenario in scenarios:
        size = 4.0 if scenario == LONG else 1.0
        for level in LEVELS:
            batch = min(seqs, level)
            tpot = (0.006 + 0.00011 * batch * policy + tokens * 3e-7) / gpus**0.7 * noise
            wait = (level / batch - 1) * tpot * 64
            ttft = (0.03 + 0.9 * size * level / (tokens + 1500) + tokens * 1e-5) / gpus**0.5 * noise + wait
            e2e = ttft + 127 * tpot
            rate = batch * 128 / (e2e - wait)
            yield LoadPoint(
                scenario=scenario, concurrency=level, requests=200, duration_s=200 * 128 / rate,
                ttft=stats(ttft), tpot=stats(tpot), itl=stats(tpot), e2e_latency=stats(e2e),
                input_tokens=200 * 512, output_tokens=200 * 128, output_tokens_per_s=rate, total_tokens_per_s=rate * 5,
                requests_per_s=rate / 128, goodput_per_s=rate / 160,
            )  # fmt: skip


def experiment(task: TaskSpec, number: int, flags: Mapping[str, Value], luck: random.Random, **own: Any) -> Experiment:
    gpus = own.pop("gpus", 1)
    failure = own.pop("failure", None)
    begun = START + timedelta(minutes=3 * number)
    params = Params(flags=dict(flags), parallel={"tp": gpus} if own.pop("parallel", False) else {})
    launch = ENGINES["vllm"].launch(task.model.id_or_path, params, IMAGE, None)
    measured = () if failure else tuple(points(flags, gpus, luck.uniform(0.98, 1.02), task.benchmark.traffic_scenarios))
    return Experiment(
        number=number, role=own.pop("role", Role.CANDIDATE if number else Role.BASELINE),
        params=params,
        state=ExperimentState.FAILED if failure else ExperimentState.COMPLETED, gpus=gpus,
        gpu_ids=tuple(f"GPU-{index}" for index in range(gpus)),
        command=launch.command(IMAGE, LOOPBACK, 30017), launch=launch, target=IMAGE,
        points=measured, failure=failure, started_at=begun, finished_at=begun + timedelta(seconds=150),
        start_s=42.5, wall_s=150.0, **own,
    )  # fmt: skip


def grid(task: TaskSpec, luck: random.Random, *, most: int, parallel: bool = False) -> list[Experiment]:
    found = [experiment(task, 0, {}, luck, parallel=parallel)]
    for seqs in SEQS:
        for tokens in TOKENS:
            for policy in POLICIES[: 2 if seqs in (64, 128) else 1]:
                flags: dict[str, Value] = {
                    "max-num-seqs": seqs,
                    "max-num-batched-tokens": tokens,
                    "scheduling-policy": policy,
                }
                own: dict[str, Any] = {"gpus": 2 if parallel and tokens == 8192 else 1, "parallel": parallel}
                if seqs == 256 and tokens == 8192:
                    own["failure"] = Failure(
                        kind=FailureKind.OUT_OF_MEMORY, message="Not enough memory for the KV cache.", lines=OOM
                    )
                found.append(experiment(task, len(found), flags, luck, **own))
    return found[:most]


def many(task: TaskSpec, luck: random.Random, count: int) -> list[Experiment]:
    found = [experiment(task, 0, {}, luck)]
    while len(found) < count:
        flags: dict[str, Value] = {
            "max-num-seqs": round(math.exp(luck.uniform(2, 6))),
            "max-num-batched-tokens": round(math.exp(luck.uniform(6, 9.5))),
            "gpu-memory-utilization": round(luck.uniform(0.8, 0.95), 3),
            "scheduling-policy": luck.choice(POLICIES),
            "enable-prefix-caching": luck.choice((True, False)),
        }
        own = {}
        if luck.random() < 0.06:
            own["failure"] = Failure(kind=FailureKind.CRASHED, message="The engine ended with code 1.", lines=OOM)
        found.append(experiment(task, len(found), flags, luck, **own))
    return found


def confirmed(task: Task, found: list[Experiment], luck: random.Random) -> list[Experiment]:
    """With the race of the best and the baseline."""
    while due := to_confirm(task.spec, found):
        for number, params in due:
            again = experiment(
                task.spec,
                len(found),
                params.flags,
                luck,
                gpus=found[number].gpus,
                role=Role.CONFIRMATION,
                confirms=number,
            )
            found.append(again.model_copy(update={"params": params}))
    return found


def tasks() -> Iterator[tuple[str, TaskSpec, TaskState, list[Experiment]]]:
    luck = random.Random(7)
    two = {"objective": ["maximize_throughput", "minimize_tpot"], "strategy": "nsga2", "confirm": 8}
    hard = {"ttft": {"p90": {"threshold": 0.01, "hard_fail": True}}}
    broken = Failure(kind=FailureKind.OUT_OF_MEMORY, message="Not enough memory for the weights.", lines=OOM)
    made = {
        "proven": spec("chat, 8B on H100"),
        "gpus": spec("one GPU or two", parallel_config={"tp": [1, 2]}),
        "scenarios": spec(
            "chat and documents", benchmark={"traffic_scenarios": [CHAT, LONG], "num_concurrency": [*LEVELS]}
        ),
        "objectives": spec("two objectives", base_runtime="simulated", optimization=two),
        "infeasible": spec("too strict", slo=hard),
        "failed": spec("nothing fits"),
        "draft": spec("not begun"),
        "many": spec("500 experiments", optimization={"max_iterations": 494}),
    }
    for name, task in made.items():
        if name == "draft":
            found, state = [], TaskState.CREATED
        elif name == "failed":
            found, state = (
                [experiment(task, number, {}, luck, failure=broken) for number in range(4)],
                TaskState.COMPLETED,
            )
        else:
            found = many(task, luck, 488) if name == "many" else grid(task, luck, most=40, parallel=name == "gpus")
            state = TaskState.COMPLETED
        yield name, task, state, found


def main(home: Path) -> None:
    luck, ids = random.Random(3), {}
    engine = create_engine(f"sqlite:///{home / 'autotuner.db'}", connect_args={"timeout": 30})
    with engine.begin() as connection:
        for place, (name, task, state, found) in enumerate(tasks()):
            ids[name] = f"{place + 1:08x}"
            began = (
                {} if state is TaskState.CREATED else {"started_at": START, "finished_at": START + timedelta(hours=2)}
            )
            whole = Task(id=ids[name], spec=task, state=state, created_at=START, **began)
            _, scored = judged(task, confirmed(whole, found, luck))
            values = whole.model_dump(include={"id", "state", "created_at", "started_at", "finished_at"})
            verdict = result(whole, scored).verdict
            gain = verdict.gains[0].gain if verdict.proven else None
            connection.execute(insert(TASK).prefix_with("OR IGNORE"), [values | {"gain": gain} | task_values(task)])
            rows = [{"task_id": whole.id, "number": one.number, **experiment_values(one)} for one in scored]
            if rows:
                connection.execute(insert(EXPERIMENT).prefix_with("OR IGNORE"), rows)
    print(json.dumps(ids))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
