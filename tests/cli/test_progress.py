"""What a run in a pipe says of its steps."""

from datetime import UTC, datetime

from pydantic import JsonValue

from tests.fakes.results import point
from tuner.cli.progress import Progress
from tuner.domain import Event
from tuner.spec.objectives import NAMED_OBJECTIVES


def told(*events: tuple[str, int]) -> list[str]:
    """The lines for events of experiments, by kind and number."""
    progress = Progress(9, NAMED_OBJECTIVES["maximize_throughput"])
    payloads: dict[str, dict[str, JsonValue]] = {
        "experiment_started": {"role": "candidate", "params": {"a": 1}, "attempt": 1},
        "load_point": point(8, scenario="D(8,8)").model_dump(mode="json"),
        "experiment_retried": {"reason": "no GPU"},
        "experiment_finished": {"role": "candidate", "values": [5.0], "feasible": True, "failure": None},
        "search_stopped": {"reason": "Enough."},
        "task_started": {},
    }
    lines = []
    for sequence, (kind, number) in enumerate(events, 1):
        payload = {**payloads[kind], **({"number": number} if kind.startswith(("exp", "load")) else {})}
        now = datetime(2026, 1, 1, tzinfo=UTC)
        event = Event(task_id="0123abcd", sequence=sequence, kind=kind, at=now, payload=payload)
        lines += [line for line in [progress.take(event)] if line is not None]
    return lines


def test_one_at_a_time_a_line_needs_no_number() -> None:
    lines = told(("experiment_started", 0), ("load_point", 0), ("experiment_finished", 0), ("experiment_started", 1))
    assert [line.split(":")[0] for line in lines] == [
        "experiment #0, 1 of 9 (candidate)",
        "  D(8,8) × 8",
        "  5.00 output tokens/s, the best so far",
        "experiment #1, 2 of 9 (candidate)",
    ]


def test_of_several_under_way_each_line_says_whose_it_is() -> None:
    lines = told(
        ("experiment_started", 0),
        ("experiment_started", 1),
        ("load_point", 0),
        ("experiment_retried", 1),
        ("experiment_finished", 0),
        ("load_point", 1),
    )
    assert [line.split(":")[0] for line in lines[2:]] == [
        "  #0 D(8,8) × 8",
        "  #1 again, this machine failed it",
        "  #0 5.00 output tokens/s, the best so far",
        "  D(8,8) × 8",
    ]


def test_what_was_cut_off_is_not_under_way_when_the_task_goes_on() -> None:
    lines = told(("experiment_started", 0), ("task_started", 0), ("experiment_started", 0), ("load_point", 0))
    assert lines[-1].startswith("  D(8,8)")


def test_the_reason_that_ended_the_search_is_told() -> None:
    assert told(("search_stopped", 0)) == ["the search ends: Enough."]
