"""What every stop rule promises, whatever has been measured."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.results import point
from tests.fakes.rig import SCENARIO, plan_of, spec
from tuner.analysis import score
from tuner.domain import Experiment, ExperimentState, Params, Role
from tuner.search.stop_rules import STOP_RULES, experiment_end, search_end
from tuner.spec.task import TaskSpec

EVERY = pytest.mark.parametrize("name", STOP_RULES)
START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def task(slots: int = 1) -> TaskSpec:
    """One that asks for every rule: within 12 experiments each of them has something to say."""
    return spec(
        budget={"max_experiments": 6, "max_time": 500, "max_gpu_hours": 0.25},
        optimization={"max_iterations": 5, "parallel_experiments": slots},
    )


def experiment(made: TaskSpec, number: int, role: Role = Role.CANDIDATE, *, running: bool = False) -> Experiment:
    """The next is started when the one before has ended: 100 s later. The best comes early."""
    rate = 100.0 - (number - 2) ** 2
    points = () if running else tuple(point(c, scenario=SCENARIO, rate=rate * c) for c in (1, 8))
    one = Experiment(
        number=number,
        role=role,
        params=Params(flags={"speed": number}),
        gpus=2,
        started_at=START + timedelta(seconds=100 * number),
    )
    ended = {
        "state": ExperimentState.COMPLETED,
        "points": points,
        "scores": score.judge(made, plan_of(made).objectives, points, 2),
        "wall_s": 100.0,
    }
    return one if running else one.model_copy(update=ended)


def search(made: TaskSpec, count: int) -> list[Experiment]:
    return [experiment(made, number, Role.CANDIDATE if number else Role.BASELINE) for number in range(count)]


def copies(some: Sequence[Experiment]) -> list[Experiment]:
    return [one.model_copy(deep=True) for one in some]


@EVERY
def test_nothing_measured_stops_nothing_and_a_search_that_is_stopped_stays_so(name: str) -> None:
    made, rule = task(), STOP_RULES[name]
    said = [rule.ends_search(made, search(made, count), ()) for count in range(13)]
    assert said[0] is None
    first = next((count for count, reason in enumerate(said) if reason), len(said))
    assert all(said[first:])


@EVERY
def test_it_stops_a_search_or_an_experiment_and_says_why_in_a_sentence(name: str) -> None:
    made, rule = task(), STOP_RULES[name]
    searches = [rule.ends_search(made, search(made, count), ()) for count in range(13)]
    experiments = [rule.ends_experiment(made, search(made, count), experiment(made, count)) for count in range(13)]
    reasons = [reason for reason in (*searches, *experiments) if reason is not None]
    assert reasons
    for reason in reasons:
        assert reason.endswith(".")
        assert "\n" not in reason


@EVERY
def test_the_same_experiments_have_the_same_answer_and_stay_as_they_are(name: str) -> None:
    made, rule = task(slots=3), STOP_RULES[name]
    for count in range(12):
        history, pending = search(made, count), [experiment(made, count, running=True)]
        before = copies(history), copies(pending)
        assert rule.ends_search(made, history, pending) == rule.ends_search(made, history, pending)
        measured = experiment(made, count)
        assert rule.ends_experiment(made, history, measured) == rule.ends_experiment(made, history, measured)
        assert (history, pending) == before


@EVERY
def test_confirmations_do_not_count(name: str) -> None:
    made, rule = task(), STOP_RULES[name]
    for count in range(12):
        again = [experiment(made, count + more, Role.CONFIRMATION) for more in range(8)]
        assert rule.ends_search(made, [*search(made, count), *again], ()) == rule.ends_search(
            made, search(made, count), ()
        )


@EVERY
def test_what_is_under_way_never_makes_a_search_longer(name: str) -> None:
    made, rule = task(slots=3), STOP_RULES[name]
    for count in range(1, 12):
        pending = [experiment(made, count + more, running=True) for more in range(2)]
        if rule.ends_search(made, search(made, count), ()) is not None:
            assert rule.ends_search(made, search(made, count), pending) is not None


@EVERY
def test_a_baseline_and_a_confirmation_are_measured_whole(name: str) -> None:
    """Both are compared level by level."""
    made = task()
    for role in (Role.BASELINE, Role.CONFIRMATION):
        assert STOP_RULES[name].ends_experiment(made, search(made, 8), experiment(made, 11, role)) is None


@EVERY
def test_a_task_that_does_not_ask_for_a_rule_is_left_alone(name: str) -> None:
    plain = spec(optimization={"max_iterations": 100_000})
    assert STOP_RULES[name].ends_search(plain, search(plain, 12), ()) is None
    assert STOP_RULES[name].ends_experiment(plain, search(plain, 8), experiment(plain, 11)) is None


def test_the_first_rule_that_has_something_to_say_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    class Tired:
        def ends_search(self, task: TaskSpec, history: Sequence[Experiment], pending: Sequence[Experiment]) -> str:
            return "Tired."

        def ends_experiment(self, task: TaskSpec, history: Sequence[Experiment], experiment: Experiment) -> str:
            return f"Tired of {experiment.number}."

    made = spec()
    assert search_end(made, (), ()) is None
    assert experiment_end(made, (), experiment(made, 3)) is None
    monkeypatch.setitem(STOP_RULES, "tired", Tired())
    assert search_end(made, (), ()) == "Tired."
    assert experiment_end(made, (), experiment(made, 3)) == "Tired of 3."
