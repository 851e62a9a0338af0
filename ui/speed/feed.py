"""Lets a seeded task go on: `feed.py HOME TASK COUNT RATE` writes so many events, RATE a second (0: all at once), and
prints at which attempt it is then.

Its newest experiment is tried again and again, so that in the end there is no more to know of the task than before.
"""

import itertools
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import create_engine, func, insert, select

from tuner.storage.schema import EVENT

LEVELS = 27
Happened = tuple[str, dict[str, object]]


def point(number: int, concurrency: int) -> dict[str, object]:
    spread = {"mean": 0.03, "p50": 0.03, "p90": 0.04, "p95": 0.05, "p99": 0.06, "min": 0.01, "max": 0.07}
    return {
        "number": number, "scenario": "D(512,128)", "concurrency": concurrency, "requests": 100, "failed": 0,
        "duration_s": 20.0, "ttft": spread, "tpot": spread, "itl": spread, "e2e_latency": spread,
        "input_tokens": 12800, "output_tokens": 1600, "output_tokens_per_s": 40.0 * concurrency,
        "total_tokens_per_s": 360.0 * concurrency, "requests_per_s": 2.5 * concurrency, "goodput_per_s": None,
        "failure": None, "error": None, "raw": None,
    }  # fmt: skip


def happening(number: int, attempts: int) -> Iterator[Happened]:
    for attempt in itertools.count(attempts + 1):
        yield "experiment_started", {"number": number, "role": "candidate", "params": {}, "attempt": attempt}
        yield "phase", {"number": number, "phase": "starting"}
        yield "phase", {"number": number, "phase": "warming up"}
        for concurrency in range(1, LEVELS + 1):
            level = {"scenario": "D(512,128)", "concurrency": concurrency}
            yield "phase", {"number": number, "phase": "measuring", **level}
            yield "load_point", point(number, concurrency)
        yield "experiment_retried", {"number": number, "reason": "The engine ended with code 1."}


def main(home: Path, task: str, count: int, rate: float) -> None:
    engine = create_engine(f"sqlite:///{home / 'autotuner.db'}", connect_args={"timeout": 30})
    ours = EVENT.c.task_id == task
    with engine.connect() as connection:
        last = connection.execute(select(func.max(EVENT.c.sequence)).where(ours)).scalar_one()
        begun = select(EVENT.c.payload).where(ours, EVENT.c.kind == "experiment_started")
        number, attempts = max((begin["number"], begin["attempt"]) for begin in connection.execute(begun).scalars())
    rows = [
        {"task_id": task, "sequence": last + 1 + at, "kind": kind, "payload": payload}
        for at, (kind, payload) in enumerate(itertools.islice(happening(number, attempts), count))
    ]
    batches = [[row] for row in rows] if rate else [rows]
    began = time.monotonic()
    for place, batch in enumerate(batches):
        if rate:
            time.sleep(max(0.0, began + place / rate - time.monotonic()))
        with engine.begin() as connection:
            connection.execute(insert(EVENT), [row | {"at": datetime.now(UTC)} for row in batch])
    print(max(row["payload"].get("attempt", 0) for row in rows))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
