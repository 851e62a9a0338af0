"""When clients start, and when a level ends."""

import math

import pytest

from tuner.benchmarks.pacing import First, Standing, clients_due, ending, in_tail, patience


def test_clients_start_as_the_first_answer_gets_on() -> None:
    due = [clients_due(5, First(pieces, 8, sent_at=0.0, ended_at=None), now=1.0) for pieces in range(9)]
    assert due == [1, 1, 2, 2, 3, 3, 4, 4, 5]


@pytest.mark.parametrize(("pieces", "wanted"), [(1, 8), (3, None)])
def test_where_the_first_answer_shows_nothing_they_start_over_as_long_as_it_took(
    pieces: int, wanted: int | None
) -> None:
    first = First(pieces, wanted, sent_at=10.0, ended_at=12.0)
    assert [clients_due(5, first, now) for now in (12.5, 13.0, 14.0, 99.0)] == [2, 3, 5, 5]


def standing(settled: int = 0, silent: int = 0, stuck: int = 0, longest_s: float = 1.0) -> Standing:
    return Standing(settled, silent, stuck, longest_s)


@pytest.mark.parametrize(
    ("given", "tail_s", "why"),
    [
        (standing(99), None, None),
        (standing(100), 0.0, "complete"),
        (standing(96, silent=4, stuck=4), None, "complete"),  # the other clients go on, and nothing is left to wait for
        (standing(50, silent=3, stuck=8), None, "stalled"),
        (standing(50, silent=3, stuck=7), None, None),
        (standing(99), 0.9, None),
        (standing(99), 1.0, "tail"),
    ],
)
def test_a_level_ends_for_one_of_these_reasons(given: Standing, tail_s: float | None, why: str | None) -> None:
    assert ending(8, 100, given, tail_s) == why


def test_the_tail_is_the_last_hundredth() -> None:
    assert [in_tail(300, settled) for settled in (296, 297)] == [False, True]
    assert not in_tail(50, 49)


def test_silence_is_measured_by_the_longest_answer_and_by_nothing_before_there_is_one() -> None:
    assert (patience(20.0), patience(0.1), patience(0.0)) == (60.0, 10.0, math.inf)
