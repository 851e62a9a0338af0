"""What a task came to: verdicts, gains, confirmations, effects."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.results import SCENARIO, experiment, point, spec, swept, task_of
from tuner.analysis.result import Result, result, to_confirm
from tuner.analysis.verdict import Outcome, gain
from tuner.domain import Experiment, ExperimentState, Failure, Role, TaskState
from tuner.errors import FailureKind
from tuner.spec.objectives import NAMED_OBJECTIVES
from tuner.spec.task import TaskSpec

ONE_LEVEL = {"traffic_scenarios": [SCENARIO], "num_concurrency": [8]}
HARD = {"ttft": {"p90": {"threshold": 0.3, "hard_fail": True}}}
FAILED = Failure(kind=FailureKind.OUT_OF_MEMORY, message="Not enough memory.")


class Story:
    """A task told in throughputs: baseline, candidates, then fresh measurements."""

    def __init__(self, **changes: Any) -> None:
        self.spec: TaskSpec = spec(**{"benchmark": ONE_LEVEL, "slo": None, **changes})
        self.told: list[Experiment] = []

    def add(
        self, rate: float | None, ttft: float = 0.1, confirms: int | None = None, role: Role | None = None
    ) -> "Story":
        number = len(self.told)
        fixed = self.told[confirms].params.flags if confirms is not None else {"max-num-seqs": 2**number}
        flags = {} if number == 0 and role is None else fixed
        points = [] if rate is None else [point(8, rate=rate, ttft=ttft)]
        failure = FAILED if rate is None else None
        self.told.append(
            experiment(number, points, task=self.spec, flags=flags, confirms=confirms, failure=failure, role=role)
        )
        return self

    def again(self, winner: int, *rates: tuple[float, float]) -> "Story":
        """Fresh measurements in turn, (winner, baseline)."""
        for ours, theirs in rates:
            self.add(ours, confirms=winner).add(theirs, confirms=0)
        return self

    @property
    def result(self) -> Result:
        return result(task_of(self.spec), self.told)


def test_a_gain_without_overlap_is_proven_with_its_spread_and_its_luck() -> None:
    found = Story().add(100).add(200).again(1, (120, 100), (130, 110)).result
    assert found.verdict.outcome is Outcome.PROVEN
    assert found.verdict.proven
    assert found.verdict.luck == pytest.approx(1 / 6)
    (one,) = found.verdict.gains
    assert one.fresh
    assert (one.gain, one.low, one.high) == pytest.approx((125 / 105 - 1, 120 / 110 - 1, 130 / 100 - 1))
    assert found.verdict.text == (
        "Proven: experiment 1 gives 19 % more output tokens/s (+9.1 % to +30 %) than the engine's defaults. No overlap "
        "in 2 fresh, interleaved measurements each; equal configurations would show that 1 time in 6."
    )


def test_the_lucky_value_of_the_search_is_not_the_gain() -> None:
    found = Story().add(100).add(10_000).again(1, (120, 100), (130, 110)).result
    assert found.verdict.gains[0].gain == pytest.approx(125 / 105 - 1)


def test_overlapping_measurements_prove_nothing() -> None:
    found = Story().add(100).add(200).again(1, (120, 100), (130, 125)).result
    assert found.verdict.outcome is Outcome.OVERLAP
    assert not found.verdict.proven
    assert found.verdict.text.startswith("Not proven: the measurements overlap. Experiment 1 gives 11 % more")


def test_a_winner_that_is_worse_every_time_it_is_measured_again_is_told_as_such() -> None:
    found = Story().add(100).add(200).again(1, (80, 100), (90, 110)).result
    assert found.verdict.outcome is Outcome.WORSE_AGAIN
    assert "gives 19 % less output tokens/s" in found.verdict.text


def test_confirmations_never_change_the_winner() -> None:
    story = Story().add(100).add(200).add(199)
    assert story.result.winner == 1
    assert story.again(1, (1, 500), (1, 500)).result.winner == 1


def test_a_winner_that_misses_a_hard_slo_when_measured_again_is_not_proven() -> None:
    story = Story(slo=HARD).add(100).add(200)
    story.add(200, confirms=1).add(100, confirms=0).add(200, ttft=0.3, confirms=1).add(100, confirms=0)
    assert story.result.verdict.outcome is Outcome.SLO_MISSED_AGAIN
    assert story.result.verdict.text == (
        "Not proven: measured again, experiment 1 misses p90 time to first token by 50 % (450 ms, limit 300 ms) "
        "in 1 of 2 measurements."
    )


def test_a_winner_that_fails_when_measured_again_is_not_proven() -> None:
    story = Story().add(100).add(200).add(None, confirms=1).add(100, confirms=0)
    assert story.result.verdict.outcome is Outcome.FAILED_AGAIN
    assert "(Not enough memory)" in story.result.verdict.text


def test_without_confirmation_the_result_says_so() -> None:
    found = Story(optimization={"confirm": 0}).add(100).add(200).result
    assert found.verdict.outcome is Outcome.UNCONFIRMED
    assert not found.verdict.gains[0].fresh
    assert found.verdict.text.startswith("Not confirmed, one measurement each (confirmation is turned off):")


@pytest.mark.parametrize(("asked", "done"), [(1, 1), (3, 2)])
def test_too_few_fresh_measurements_prove_nothing(asked: int, done: int) -> None:
    found = Story(optimization={"confirm": asked}).add(100).add(200).again(1, *[(200.0, 100.0)] * done).result
    assert found.verdict.outcome is Outcome.UNCONFIRMED
    assert found.verdict.gains[0].fresh


def test_the_defaults_may_be_best() -> None:
    found = Story().add(300).add(200).add(None).result
    assert (found.verdict.outcome, found.winner, found.baseline) == (Outcome.DEFAULTS_BEST, 0, 0)
    assert found.verdict.text == "None of 2 configurations beats the engine's defaults: 300 output tokens/s."


def test_where_the_defaults_fail_the_winner_stands_alone() -> None:
    found = Story().add(None).add(200).add(190, confirms=1).add(210, confirms=1).result
    assert (found.verdict.outcome, found.winner, found.verdict.gains) == (Outcome.BASELINE_FAILED, 1, ())
    assert found.verdict.text.endswith("Experiment 1 works: 190 output tokens/s to 210 output tokens/s.")


def test_without_a_baseline_there_is_no_gain() -> None:
    found = Story(optimization={"baseline": False}).add(100, role=Role.CANDIDATE).add(200).result
    assert (found.verdict.outcome, found.baseline, found.winner) == (Outcome.NO_BASELINE, None, 1)


def test_where_nothing_is_feasible_the_nearest_is_named_with_its_miss() -> None:
    found = Story(slo=HARD).add(900, ttft=0.8).add(100, ttft=0.4).add(None).result
    assert (found.verdict.outcome, found.winner, found.nearest) == (Outcome.INFEASIBLE, None, 1)
    assert "experiment 1: it misses p90 time to first token by 100 % (600 ms, limit 300 ms)" in found.verdict.text
    assert found.standing(1).reason == "Misses ttft.p90 by 100 %."


def test_where_nothing_completes_the_kinds_of_failure_are_counted() -> None:
    found = Story().add(None).add(None).result
    assert (found.verdict.outcome, found.winner, found.nearest) == (Outcome.NOTHING_COMPLETED, None, None)
    assert found.verdict.text == "Nothing completed: 2 experiments failed (out of memory)."
    assert Story().result.verdict.text == "Nothing was measured yet."


def test_a_winner_may_be_proven_by_the_slo_it_keeps_and_the_price_is_told() -> None:
    story = Story(slo=HARD).add(200, ttft=0.4).add(150)
    for _ in range(2):
        story.add(150, confirms=1).add(200, ttft=0.4, confirms=0)
    verdict = story.result.verdict
    assert verdict.outcome is Outcome.PROVEN
    assert verdict.gains[0].gain == pytest.approx(-0.25)
    assert verdict.text.startswith("Proven, with the SLOs counted: experiment 1 gives 25 % less output tokens/s")
    assert verdict.text.endswith("The baseline misses p90 time to first token by 100 % (600 ms, limit 300 ms).")


def test_a_latency_that_halves_is_a_gain_of_half() -> None:
    found = gain(NAMED_OBJECTIVES["minimize_ttft"], [0.5, 0.6], [1.0, 1.2], fresh=True)
    assert (found.gain, found.low, found.high) == pytest.approx((0.5, 0.4, 1 - 0.5 / 1.2))


rates = st.lists(st.floats(0.1, 1e6), min_size=1, max_size=4)


@given(rates, rates, st.sampled_from(list(NAMED_OBJECTIVES.values())))
def test_the_gain_lies_between_its_extremes(ours: list[float], theirs: list[float], objective: Any) -> None:
    found = gain(objective, ours, theirs, fresh=True)
    assert found.gain is not None
    assert found.low is not None
    assert found.high is not None
    rounding = 1e-9 * (1 + abs(found.low))
    assert found.low - rounding <= found.gain <= found.high + rounding


def test_a_baseline_of_zero_gives_no_ratio() -> None:
    assert gain(NAMED_OBJECTIVES["maximize_throughput"], [1.0], [0.0], fresh=True).gain is None


def test_winner_and_baseline_are_confirmed_in_turn() -> None:
    story = Story().add(100).add(200)
    assert [number for number, _ in to_confirm(story.spec, story.told)] == [1, 0, 1, 0]
    assert to_confirm(story.spec, story.told)[0][1] == story.told[1].params


@pytest.mark.parametrize("done", range(5))
def test_what_is_confirmed_already_is_not_asked_again(done: int) -> None:
    story = Story().add(100).add(200)
    for confirms in (1, 0, 1, 0)[:done]:
        story.add(150, confirms=confirms)
    assert [number for number, _ in to_confirm(story.spec, story.told)] == [1, 0, 1, 0][done:]


def test_a_failed_confirmation_is_done_and_a_running_one_is_not() -> None:
    story = Story().add(100).add(200).add(None, confirms=1).add(100, confirms=0)
    assert [number for number, _ in to_confirm(story.spec, story.told)] == [1, 0]
    story.told[-1] = story.told[-1].model_copy(update={"state": ExperimentState.RUNNING})
    assert [number for number, _ in to_confirm(story.spec, story.told)] == [0, 1, 0]


def test_nothing_is_confirmed_where_nothing_was_won() -> None:
    for story in (Story().add(300).add(200), Story().add(None), Story(slo=HARD).add(1, ttft=9).add(2, ttft=9), Story()):
        assert to_confirm(story.spec, story.told) == []
    off = Story(optimization={"confirm": 0}).add(100).add(200)
    assert to_confirm(off.spec, off.told) == []


def test_only_the_winner_is_confirmed_where_the_baseline_failed() -> None:
    story = Story().add(None).add(200)
    assert [number for number, _ in to_confirm(story.spec, story.told)] == [1, 1]


def test_standings_are_ordered_and_say_why_something_is_not_ranked() -> None:
    found = Story().add(100).add(None).add(200).add(150).result
    assert [one.number for one in found.standings] == [2, 3, 0, 1]
    assert [one.place for one in found.standings] == [1, 2, 3, None]
    assert found.standing(1).reason == "out_of_memory: Not enough memory."
    assert found.standing(2).relative_to_baseline == (2.0,)


def test_the_binding_slo_is_the_one_closest_to_its_limit() -> None:
    limits = {"ttft": {"threshold": 0.2}, "latency": {"p99": {"threshold": 100}}}
    standing = Story(slo=limits).add(100, ttft=0.1).result.standing(0)
    assert standing.binding == "ttft.mean"
    assert {bound.name: bound.actual_s for bound in standing.bounds} == pytest.approx(
        {"ttft.mean": 0.1, "e2e_latency.p99": 2.0}
    )


def test_a_partial_experiment_without_every_level_is_unranked_when_minimizing() -> None:
    made = spec(optimization={"objective": "minimize_ttft"})
    found = result(task_of(made), [experiment(0, [point(1), point(8)], task=made)])
    assert found.standings[0].place is None
    assert "D(256,32) × 32 was not measured" in (found.standings[0].reason or "")


def test_the_parameter_that_decides_is_the_most_important_one() -> None:
    found = swept()
    assert found.effects[0].name == "max-num-seqs"
    assert found.effects[0].importance is not None
    assert found.effects[0].importance > 0.8
    for effect in found.effects[1:]:
        assert effect.importance is not None
        assert effect.importance < 0.1
    by_value = {value.value: value for value in found.effects[0].values}
    assert list(by_value) == [2, 8, 32, 128]
    assert (by_value[128].failed, by_value[128].experiments) == (2, 6)
    assert (by_value[2].relative or 1) < (by_value[8].relative or 1) < (by_value[32].relative or 0) <= 1


def test_many_different_numbers_are_compared_in_quarters() -> None:
    story = Story()
    for number in range(17):
        story.add(100 + number)
    (effect,) = story.result.effects
    assert [value.experiments for value in effect.values] == [4, 4, 4, 4]
    assert effect.values[0].value == "2 to 16"


def test_several_objectives_have_a_front_and_a_gain_each() -> None:
    found = swept(optimization={"objective": ["minimize_ttft", "maximize_throughput"]})
    assert len(found.verdict.gains) == 2
    assert found.winner in found.front
    assert len(found.front) > 1


def test_a_result_survives_json_unchanged() -> None:
    found = swept()
    assert Result.model_validate_json(found.model_dump_json()) == found
    assert found.format == 1


@pytest.mark.parametrize("cut", range(0, 31, 3))
def test_a_result_can_be_had_at_any_moment_of_a_task(cut: int) -> None:
    whole = swept()
    task = task_of(whole.spec, TaskState.RUNNING)
    experiments = list(whole.experiments[:cut])
    if experiments:
        experiments[-1] = experiments[-1].model_copy(update={"state": ExperimentState.RUNNING, "points": ()})
    found = result(task, experiments)
    assert len(found.standings) == max(0, len(experiments) - 1)
    assert found.verdict.text
