"""Fills a data folder with tasks in every state, and one that runs for good with its events and logs.

`tasks-seed.py HOME COUNT NEWEST` prints the id of the one that runs; NEWEST is its newest experiment. A machine that nobody reaches holds it: give the service
a long lease, or its worker takes the task over.
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, insert

from tuner.domain import Experiment, ExperimentState, Params, Role, TaskState
from tuner.settings import Settings
from tuner.spec import taskfile
from tuner.spec.task import TaskSpec
from tuner.storage.schema import EVENT, EXPERIMENT, TASK, experiment_values, task_values

NOW = datetime.now(UTC)
MODELS = ("Qwen/Qwen3-8B", "meta-llama/Llama-3.1-8B-Instruct", "mistralai/Mistral-Small-3.2-24B-Instruct-2506", "demo")
ENGINES = ("vllm", "sglang", "tensorrt-llm", "simulated")
WORDS = ("chat", "documents", "agents", "batch summaries", "long context", "code completion", "embedding-free search")
ENDED = (TaskState.COMPLETED, TaskState.FAILED, TaskState.CANCELLED)
STATES = (*[TaskState.COMPLETED] * 6, TaskState.CREATED, TaskState.FAILED, TaskState.CANCELLED)
RUNNING = "0000aaaa"
PLANTED = "<img src=x onerror=\"document.title='planted'\">"


def spec(name: str, at: int, **changes: Any) -> TaskSpec:
    base: dict[str, Any] = {
        "task_name": name,
        "base_runtime": ENGINES[at % len(ENGINES)],
        "model": MODELS[at * 7 % len(MODELS)],
        "parameters": {"max-num-seqs": [16, 32, 64, 128], "sim-speed": 2},
    }
    return taskfile.validate({**base, **changes})


def row(at: int) -> dict[str, object]:
    state = STATES[at * 5 % len(STATES)]
    created = NOW - timedelta(hours=at * 1.7)
    began = created + timedelta(minutes=1)
    return task_values(spec(f"{WORDS[at * 3 % len(WORDS)]} {at}", at)) | {
        "id": f"{at + 0x1000:08x}",
        "state": state.value,
        "created_at": created,
        "started_at": None if state is TaskState.CREATED else began,
        "finished_at": began + timedelta(seconds=600 + at * 37 % 9000) if state in ENDED else None,
        "gain": round((at * 13 % 70 - 8) / 100, 3) if state is TaskState.COMPLETED else None,
        "error": "The model's files are gone." if state is TaskState.FAILED else None,
        "owner": None,
    }


def level(scenario: str, concurrency: int, rate: float) -> dict[str, object]:
    def stats(mean: float) -> dict[str, float]:
        spread = {"mean": 1.0, "p50": 0.95, "p90": 1.5, "p95": 1.7, "p99": 2.1, "min": 0.5, "max": 2.4}
        return {name: mean * factor for name, factor in spread.items()}

    return {
        "scenario": scenario, "concurrency": concurrency, "requests": 100, "failed": 0, "duration_s": 20.0,
        "ttft": stats(0.02 * concurrency), "tpot": stats(0.008 + 0.0002 * concurrency), "itl": stats(0.008),
        "e2e_latency": stats(0.8 + 0.03 * concurrency), "input_tokens": 12800, "output_tokens": 1600,
        "output_tokens_per_s": rate, "total_tokens_per_s": 9 * rate, "requests_per_s": rate / 16,
        "goodput_per_s": None, "failure": None, "error": None, "raw": None,
    }  # fmt: skip


def happened(count: int) -> list[tuple[str, dict[str, object]]]:
    """`count` experiments that ended, and one that is being measured."""
    told: list[tuple[str, dict[str, object]]] = [("task_created", {}), ("task_queued", {}), ("task_started", {})]
    for number in range(count + 1):
        role = "candidate" if number else "baseline"
        params: dict[str, object] = (
            {} if not number else {"max-num-seqs": 8 << number % 5, "max-num-batched-tokens": 512 << number % 4}
        )
        rate = 900 + 38 * (number * 7 % 23) + 6 * number
        told += [
            ("experiment_started", {"number": number, "role": role, "params": params, "attempt": 1}),
            ("phase", {"number": number, "phase": "starting"}),
            ("phase", {"number": number, "phase": "warming up"}),
        ]
        for concurrency in (1, 8, 32):
            told.append(
                (
                    "phase",
                    {"number": number, "phase": "measuring", "scenario": "D(512,128)", "concurrency": concurrency},
                )
            )
            if number == count and concurrency == 32:
                return told
            told.append(("load_point", {"number": number, **level("D(512,128)", concurrency, rate * concurrency / 32)}))
        failed, kind = number % 9 == 4, "out_of_memory"
        told.append(
            ("experiment_finished", {
                "number": number, "role": role, "state": "failed" if failed else "completed",
                "values": [] if failed else [rate], "feasible": not failed and number % 6 != 5,
                "failure": kind if failed else None,
                "message": f"Not enough memory for the weights. {PLANTED}" if failed else None,
            })
        )  # fmt: skip
    return told


def log() -> str:
    lines = [
        f"INFO 11-21 10:00:{at % 60:02d} [loggers.py:123] Engine 000: Avg prompt throughput: {812.4 + at:.1f} tokens/s, "
        f"Avg generation throughput: {204.1 + at:.1f} tokens/s, Running: {at % 32} reqs, Waiting: 0 reqs"
        for at in range(400)
    ]
    lines[120:120] = [
        "WARNING 11-21 10:00:02 [config.py:8] max_num_batched_tokens is below max_model_len.",
        f"ERROR 11-21 10:00:03 [core.py:77] request failed {PLANTED}",
        "Traceback (most recent call last):",
        '  File "engine/core.py", line 77, in step',
        "ValueError: no slot is free",
    ]
    return "\n".join(lines) + "\n"


def main(home: Path, count: int, newest: int) -> None:
    engine = create_engine(f"sqlite:///{home / 'autotuner.db'}", connect_args={"timeout": 30})
    benchmark = {"traffic_scenarios": ["D(512,128)"], "num_concurrency": [1, 8, 32]}
    slo = {"ttft": {"p90": {"threshold": 0.2}}}
    task = spec(
        f"llama chat, evenings {PLANTED}", 0, benchmark=benchmark, slo=slo, base_runtime="simulated", model="demo"
    )
    running = task_values(task) | {
        "id": RUNNING, "state": TaskState.RUNNING.value, "created_at": NOW - timedelta(minutes=42), "gain": None,
        "started_at": NOW - timedelta(minutes=40), "finished_at": None, "error": None, "owner": "elsewhere/boot/1/1",
    }  # fmt: skip
    measured = Experiment(
        number=newest, role=Role.CANDIDATE, params=Params(), state=ExperimentState.RUNNING, started_at=NOW
    )
    events = happened(newest)
    folder = Settings(home=home).runs(RUNNING) / str(newest)
    folder.mkdir(parents=True)
    (folder / "engine.log").write_text(log())
    with engine.begin() as connection:
        connection.execute(insert(TASK), [row(at) for at in reversed(range(count))])
        connection.execute(insert(TASK), [running])
        connection.execute(insert(EXPERIMENT), [{"task_id": RUNNING, "number": newest, **experiment_values(measured)}])
        connection.execute(
            insert(EVENT),
            [
                {
                    "task_id": RUNNING, "sequence": at + 1, "kind": kind, "payload": payload,
                    "at": NOW - timedelta(seconds=(len(events) - at) * 20),
                }
                for at, (kind, payload) in enumerate(events)
            ],
        )  # fmt: skip
    print(RUNNING)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
