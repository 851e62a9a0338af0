"""What is told of load levels, equal notes together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.results import experiment, point, spec, task_of
from tuner.analysis.notes import Note, notes, of_level
from tuner.analysis.result import result
from tuner.domain import Experiment, LoadPoint
from tuner.errors import FailureKind

TASK = spec()


def told(concurrency: int, *texts: str, **changes: object) -> LoadPoint:
    return point(concurrency, scenario="D(8,8)").model_copy(update={"notes": texts, **changes})


def ran(*levels: LoadPoint | list[LoadPoint]) -> list[Experiment]:
    """Experiments by number, each with its load levels."""
    return [
        experiment(number, made if isinstance(made, list) else [made], task=TASK) for number, made in enumerate(levels)
    ]


def test_equal_notes_are_one_with_the_levels_they_are_about() -> None:
    found = notes(ran([told(1, "Odd."), told(8, "Odd.")], [told(1, "Odd."), told(8, "Odd.")], told(1), told(1, "Odd.")))
    assert found == (
        Note(text="Odd.", levels=5, where="D(8,8) × 1 of experiments 0, 1, 3; D(8,8) × 8 of experiments 0, 1"),
    )


def test_notes_that_differ_in_their_numbers_only_are_one_with_the_range_of_each() -> None:
    texts = ("9% of 1,000 bytes in 3 parts.", "35% of 1,000 bytes in 3 parts.", "12% of 990 bytes in 3 parts.")
    (found,) = notes(ran(*(told(1, text) for text in texts)))
    assert found.text == "9 to 35% of 990 to 1,000 bytes in 3 parts."
    assert found.where == "D(8,8) × 1 of experiments 0 to 2"


def test_what_is_told_of_most_levels_comes_first() -> None:
    assert [note.text for note in notes(ran(told(1, "Rare.", "Common."), told(1, "Common.")))] == ["Common.", "Rare."]


def test_a_level_that_does_not_count_is_told_of_among_the_failures_only() -> None:
    dead = point(1, failure=FailureKind.OUT_OF_MEMORY).model_copy(update={"notes": ("Odd.",)})
    assert notes(ran([dead, point(8)])) == ()


def test_of_very_many_levels_the_first_are_named() -> None:
    (found,) = notes(ran(*(told(1, "Odd.") if number % 2 else told(1) for number in range(40))))
    assert found.where == "D(8,8) × 1 of experiments 1, 3, 5, 7, 9, 11, 13, 15, 12 more"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"failed": 2}, ["2 of 64 requests failed."]),
        ({"failed": 3, "unanswered": 3}, ["3 of 64 requests were never answered; they count as failed."]),
        ({"missing": {"itl": "9 of 64 answers hid it."}}, ["No time between tokens: 9 of 64 answers hid it."]),
    ],
)
def test_what_a_level_lacks_is_said_in_sentences(changes: dict[str, object], said: list[str]) -> None:
    assert [*of_level(told(8, **changes))] == said


@given(st.lists(st.sets(st.integers(1, 4)), min_size=1, max_size=8))
def test_every_note_of_every_level_is_counted_once(levels: list[set[int]]) -> None:
    found = notes(ran(*([told(at, "Odd.") for at in sorted(these)] or told(9) for these in levels)))
    assert sum(note.levels for note in found) == sum(map(len, levels))


def test_the_result_has_them() -> None:
    made = result(task_of(TASK), ran([told(1, "Odd.")], [told(1)]))
    assert made.notes == (Note(text="Odd.", levels=1, where="D(8,8) × 1 of experiment 0"),)
