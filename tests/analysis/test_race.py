"""The race: simulated tasks with a known truth, and its rules one by one."""

from collections.abc import Mapping

import pytest

from tests.perf.trust import Cell, goals, run, special_cells
from tuner.analysis.estimates import spread, within
from tuner.analysis.race import Left, Race, Reading, Rules, race, worth

TASKS = 400


@pytest.mark.parametrize("noise", [0.02, 0.1, 0.3])
def test_where_nothing_is_better_hardly_any_task_says_so(noise: float) -> None:
    tally = run(Cell(noise, 10, 0.0), TASKS)
    assert (tally.found, tally.wrong <= 0.05, tally.coverage >= 0.9) == (0, True, True)
    assert tally.launches / tally.tasks < 12


@pytest.mark.parametrize(("noise", "gain"), [(0.1, 0.25), (0.02, 0.05)])
def test_a_gain_that_can_be_seen_is_found_in_about_a_dozen_launches(noise: float, gain: float) -> None:
    tally = run(Cell(noise, 10, gain), TASKS)
    assert (tally.power >= 0.74, tally.coverage >= 0.9) == (True, True)
    assert tally.launches / tally.tasks < 14


@pytest.mark.parametrize("machine", ["drift", "walk", "outliers", "uneven"])
def test_an_unquiet_machine_makes_no_winners(machine: str) -> None:
    assert goals(Cell(0.1, 20, 0.0, machine), run(Cell(0.1, 20, 0.0, machine), 300)) == []


@pytest.mark.parametrize("cell", [cell for name, cell in special_cells() if "SLO" in name or "objective" in name])
def test_slos_and_several_objectives_keep_the_error(cell: Cell) -> None:
    assert goals(cell, run(cell, 150)) == []


def told(order: list[int], *rounds: Mapping[int, float | None], rules: Rules | None = None) -> Race:
    """A race of merits, round by round; 0 is the baseline."""
    readings: dict[int, list[Reading | None]] = {}
    for row in rounds:
        for one, merit in row.items():
            readings.setdefault(one, []).append(None if merit is None else Reading(merit))
    return race(order, readings, rules or Rules(baseline=0))


def test_rounds_go_there_and_back() -> None:
    assert told([1, 2, 3, 4]).due == (1, 2, 3, 0)
    first = {1: 0.1, 2: 0.12, 3: 0.11, 0: 0.0}
    assert told([1, 2, 3, 4], first).due == (0, 3, 2, 1)
    assert told([1, 2, 3, 4], first, {0: 0.02, 3: 0.2}).due == (2, 1)


def test_who_is_clearly_behind_leaves_and_is_not_replaced() -> None:
    found = told([1, 2, 3], {1: 0.10, 2: -0.10, 0: 0.0, 3: 0.05}, {1: 0.02, 2: -0.02, 0: 0.03, 3: 0.11})
    assert found.left == {2: Left.BEHIND}
    assert found.due == (1, 3, 0)


def test_a_failure_is_replaced_by_the_next_in_order() -> None:
    found = told([1, 2, 3, 4], {1: None, 2: 0.1, 3: 0.1, 0: 0.0})
    assert (found.left, found.due, found.joined[4]) == ({1: Left.FAILED}, (0, 4, 3, 2), 1)


def test_a_race_replayed_with_more_measurements_than_it_took_ends_where_it_ended() -> None:
    rounds = [{1: 0.20, 0: 0.0}, {1: 0.21, 0: 0.01}, {1: -5.0, 0: 5.0}]
    assert told([1], *rounds[:2]).proven == told([1], *rounds).proven == 1


def test_nothing_is_proven_by_one_round() -> None:
    assert told([1], {1: 9.0, 0: 0.0}, rules=Rules(baseline=0, rounds=1)).proven is None


def test_a_level_is_spent_in_small_parts_first() -> None:
    rules = Rules(baseline=0, rounds=8)
    levels = [rules.level(rounds) for rounds in range(2, 9)]
    assert levels == sorted(levels)
    assert sum(levels) < 0.03
    assert Rules(baseline=0, rounds=2).level(2) <= 0.01


def test_what_is_worth_another_look_is_ordered_by_merit_then_by_what_it_misses() -> None:
    search = {
        1: Reading(0.1, (0.2,)), 2: Reading(0.3, (0.1,)), 3: Reading(0.9, (-0.05,)), 4: Reading(0.9, (-0.5,)),
        5: Reading(-0.1, (0.5,)), 6: None,
    }  # fmt: skip
    assert worth(search, Reading(0.0, (0.1,))) == [2, 1, 3]
    assert worth(search, Reading(0.0, (-0.2,))) == [2, 1, 5, 3]
    assert worth(search, None) == [2, 1, 5, 3]


def test_the_spread_takes_rounds_out_only_where_they_clearly_differ() -> None:
    calm = [(one, number, 0.01 * ((one * number) % 3)) for one in range(3) for number in range(4)]
    assert spread(calm) == within(calm)
    drifting = [(one, number, value + number) for one, number, value in calm]
    variance, df = spread(drifting)
    assert (df, variance < 0.001 < within(drifting)[0]) == (6, True)
