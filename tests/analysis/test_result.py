"""What a task came to: verdicts, gains, confirmations, effects."""

import math
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.results import SCENARIO, experiment, point, spec, swept, task_of
from tuner.analysis.gains import change
from tuner.analysis.race import Reading, Rules, race, worth
from tuner.analysis.result import Result, result, to_confirm
from tuner.analysis.verdict import Outcome
from tuner.domain import Experiment, ExperimentState, Failure, Role, TaskState
from tuner.errors import FailureKind, InvalidSpecError
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


def test_a_gain_whose_interval_is_above_zero_is_proven_with_that_interval() -> None:
    found = Story().add(100).add(200).again(1, (120, 100), (121, 101), (119, 99)).result
    assert found.verdict.outcome is Outcome.PROVEN
    assert found.verdict.proven
    (one,) = found.verdict.gains
    assert (one.fresh, one.shown, one.confidence) == (True, True, 0.95)
    assert one.gain == pytest.approx((120 * 121 * 119 / (100 * 101 * 99)) ** (1 / 3) - 1)
    assert one.low is not None
    assert one.high is not None
    assert one.gain is not None
    assert 0.15 < one.low < one.gain < one.high < 0.25
    assert found.verdict.text == (
        "Proven: experiment 1 gives 20 % more output tokens/s (+19 % to +21 %) than the engine's defaults. 3 fresh "
        "measurements of each, interleaved; where nothing is better, fewer than 1 task in 20 says so."
    )


def test_two_against_two_that_do_not_overlap_are_no_proof() -> None:
    """Equal configurations look so one time in six."""
    found = Story().add(100).add(200).again(1, (120, 100), (130, 110)).result
    assert found.verdict.outcome is Outcome.UNCONFIRMED


def test_the_lucky_value_of_the_search_is_not_the_gain() -> None:
    found = Story().add(100).add(10_000).again(1, (120, 100), (121, 101), (119, 99)).result
    assert found.verdict.gains[0].gain == pytest.approx(0.2, abs=0.01)


def test_no_difference_found_is_said_with_what_it_could_be_and_what_it_would_take() -> None:
    found = (
        Story(optimization={"confirm": 3}).add(100).add(200).again(1, (103, 100), (101, 100), (100, 100)).result.verdict
    )
    assert found.outcome is Outcome.NO_DIFFERENCE
    assert not found.proven
    assert not found.gains[0].shown
    assert found.bound is not None
    assert (found.rounds, round(found.noise or 0, 3), round(found.bound, 2)) == (3, 0.011, 0.05)
    assert found.needed_for == pytest.approx(0.05)
    assert found.launches_needed == 6
    assert found.text == (
        "No difference found (less than 4.7 % if any): in 3 fresh, interleaved measurements of each, experiment 1, the "
        "best of 1 contender, cannot be told from the engine's defaults: no difference shown in output tokens/s "
        "(-2.1 % to +4.9 %). Measurements differ by 1.1 % from run to run; to show +5.0 % would take about 6 launches."
    )


def test_a_gain_below_the_least_that_counts_is_none() -> None:
    rounds = [(103.0, 100.0), (103.1, 100.1), (102.9, 99.9)]
    assert Story().add(100).add(200).again(1, *rounds).result.verdict.proven
    asked = Story(optimization={"min_effect": 0.05}).add(100).add(200).again(1, *rounds).result.verdict
    assert asked.outcome is Outcome.NO_DIFFERENCE
    assert asked.text.startswith("No difference found of more than 5.0 % (less than 3.")


@pytest.mark.parametrize("effect", [-0.01, 1.0])
def test_a_least_effect_that_no_gain_can_have_is_refused(effect: float) -> None:
    with pytest.raises(InvalidSpecError, match=r"optimization.min_effect: must be .*, not"):
        spec(optimization={"min_effect": effect})


def test_a_winner_that_is_worse_when_it_is_measured_again_is_told_as_such() -> None:
    found = Story().add(100).add(200).again(1, (80, 100), (81, 101), (79, 99)).result
    assert found.verdict.outcome is Outcome.WORSE_AGAIN
    assert "gives 20 % less output tokens/s" in found.verdict.text


def test_the_winner_is_the_one_that_was_best_when_measured_again() -> None:
    story = Story().add(100).add(200).add(199)
    assert story.result.winner == 1
    for _ in range(2):
        story.add(110, confirms=1).add(150, confirms=2).add(100, confirms=0)
    assert story.result.winner == 2


def test_only_the_first_three_that_beat_the_baseline_are_measured_again() -> None:
    story = Story().add(100).add(200).add(190).add(195).add(180).add(50)
    assert [number for number, _ in to_confirm(story.spec, story.told)] == [1, 3, 2, 0]


def test_who_fails_again_leaves_and_the_next_one_counts() -> None:
    story = Story().add(100).add(200).add(190).add(180).add(170)
    story.add(None, confirms=1).add(150, confirms=2).add(140, confirms=3).add(100, confirms=0)
    assert [number for number, _ in to_confirm(story.spec, story.told)] == [0, 4, 3, 2]
    for rate, which in ((100.5, 0), (135, 4), (141, 3), (151, 2)):
        story.add(rate, confirms=which)
    assert (story.result.verdict.outcome, story.result.winner) == (Outcome.PROVEN, 2)


def test_who_misses_a_hard_slo_clearly_leaves_and_the_next_one_counts() -> None:
    story = Story(slo=HARD).add(100).add(200).add(150)
    for rate in (200, 201):
        story.add(rate, ttft=0.4, confirms=1).add(150, confirms=2).add(100, confirms=0)
    found = story.result
    assert (found.verdict.outcome, found.winner) == (Outcome.PROVEN, 2)
    assert {(one.experiment, one.verdict) for one in found.verdict.slos} == {(2, "met"), (0, "met")}
    (bound,) = found.standing(1).bounds
    assert (bound.verdict, bound.met) == ("missed", False)


def test_a_winner_that_misses_a_hard_slo_when_measured_again_is_not_proven() -> None:
    story = Story(slo=HARD).add(100).add(200)
    for ttft in (0.3, 0.31):
        story.add(200, ttft=ttft, confirms=1).add(100, confirms=0)
    assert story.result.verdict.outcome is Outcome.SLO_MISSED_AGAIN
    assert story.result.verdict.text == (
        "Not proven: measured again, experiment 1 misses p90 time to first token by 55 % (465 ms, limit 300 ms) "
        "in 2 of 2 measurements."
    )


def test_an_slo_that_is_too_close_to_say_is_not_met_anywhere() -> None:
    story = Story(slo=HARD, optimization={"confirm": 2}).add(100).add(200, ttft=0.19)
    for ttft in (0.18, 0.21):
        story.add(200, ttft=ttft, confirms=1).add(100, confirms=0)
    found = story.result
    assert found.verdict.outcome is Outcome.SLO_TOO_CLOSE
    assert found.verdict.text == (
        "Not proven: whether experiment 1 meets the SLOs is too close to say "
        "(p90 time to first token 292 ms (200 ms to 426 ms), limit 300 ms)."
    )
    (bound,) = found.standing(1).bounds
    assert (bound.excess < 0, bound.met, bound.verdict) == (True, False, "too_close")


def test_who_missed_a_hard_slo_by_little_may_still_win() -> None:
    story = Story(slo=HARD).add(100).add(200, ttft=0.205)
    assert [number for number, _ in to_confirm(story.spec, story.told)] == [1, 0]
    story.again(1, (200, 100), (200, 100))
    assert (story.result.verdict.outcome, story.result.winner) == (Outcome.PROVEN, 1)


def test_confirmations_are_judged_at_the_level_of_what_they_confirm() -> None:
    """Else the value would jump between levels, and every level that happened to meet the SLO would count."""
    made = spec(slo=HARD, benchmark={"traffic_scenarios": [SCENARIO], "num_concurrency": [1, 8]})
    low, high = point(1, rate=50), point(8, rate=200)
    late = point(8, rate=210, ttft=0.4)
    told = [
        experiment(0, [point(1, rate=40), point(8, rate=100)], task=made),
        experiment(1, [low, high], task=made, flags={"max-num-seqs": 2}),
        experiment(2, [low, late], task=made, flags={"max-num-seqs": 2}, confirms=1),
    ]
    (again,) = result(task_of(made), told).experiment(2).scores
    assert (again.points[0].concurrency, again.value, again.feasible) == (8, 210, False)


def test_a_winner_that_fails_when_measured_again_is_not_proven() -> None:
    story = Story().add(100).add(200).add(None, confirms=1).add(100, confirms=0)
    assert story.result.verdict.outcome is Outcome.FAILED_AGAIN
    assert "(Not enough memory)" in story.result.verdict.text


def test_without_confirmation_the_result_says_so() -> None:
    found = Story(optimization={"confirm": 0}).add(100).add(200).result
    assert found.verdict.outcome is Outcome.UNCONFIRMED
    assert not found.verdict.gains[0].fresh
    assert found.verdict.text.startswith("Not confirmed, one measurement each (confirmation is turned off):")


@pytest.mark.parametrize(("asked", "done", "said"), [(1, 1, "it takes 2 to know"), (3, 2, "2 rounds of fresh")])
def test_too_few_fresh_measurements_prove_nothing(asked: int, done: int, said: str) -> None:
    rounds = [(150.0, 100.0), (100.0, 60.0)][:done]
    found = Story(optimization={"confirm": asked}).add(100).add(200).again(1, *rounds).result
    assert found.verdict.outcome is Outcome.UNCONFIRMED
    assert found.verdict.gains[0].fresh
    assert said in found.verdict.text


def test_two_rounds_as_older_files_ask_for_prove_what_two_can_show() -> None:
    def twice(*rounds: tuple[float, float]) -> Outcome:
        return Story(optimization={"confirm": 2}).add(100).add(200).again(1, *rounds).result.verdict.outcome

    assert twice((200, 100), (201, 101)) is Outcome.PROVEN
    assert twice((120, 100), (130, 110)) is Outcome.NO_DIFFERENCE


def test_a_task_of_an_older_version_is_judged_by_its_winner_alone() -> None:
    """It has no measurements of the second and the third."""
    story = Story(optimization={"confirm": 2}).add(100).add(200).add(190).again(1, (200, 100), (201, 101))
    assert story.result.verdict.outcome is Outcome.PROVEN
    assert to_confirm(story.spec, story.told) == []


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
    story = Story(optimization={"objective": "minimize_ttft"}).add(1, ttft=1.0).add(1, ttft=0.4)
    for ours, theirs in ((0.5, 1.0), (0.6, 1.2), (0.55, 1.1)):
        story.add(1, ttft=ours, confirms=1).add(1, ttft=theirs, confirms=0)
    (found,) = story.result.verdict.gains
    assert (found.gain, found.low, found.high) == pytest.approx((0.5, 0.5, 0.5), abs=0.1)
    assert change(found).startswith("50 % less time to first token (-5")


rates = st.lists(st.tuples(st.floats(0.1, 1e6), st.floats(0.1, 1e6)), min_size=2, max_size=4)


@given(rates, st.sampled_from(["maximize_throughput", "minimize_ttft"]))
def test_the_gain_lies_within_its_interval(rounds: list[tuple[float, float]], objective: str) -> None:
    story = Story(optimization={"objective": objective}).add(1, ttft=2e6).add(2, ttft=1e6)
    for ours, theirs in rounds:
        story.add(ours, ttft=ours, confirms=1).add(theirs, ttft=theirs, confirms=0)
    (found,) = story.result.verdict.gains
    assert found.gain is not None
    assert found.low is not None
    assert found.high is not None
    rounding = 1e-9 * (1 + abs(found.low))
    assert found.low - rounding <= found.gain <= found.high + rounding
    assert not (found.shown and change(found).startswith("no difference"))


def test_a_baseline_of_zero_gives_no_ratio() -> None:
    found = Story().add(0).add(200).again(1, (1, 0), (1, 0)).result.verdict
    assert (found.gains[0].gain, found.gains[0].low) == (None, None)


@pytest.mark.parametrize("gain", [-0.3, 0.0, 0.3])
def test_no_unproven_result_reads_like_a_gain(gain: float) -> None:
    """Whatever the measurements were."""
    noisy = [(100 * (1 + gain) * ours, 100.0 * theirs) for ours, theirs in ((1, 1.4), (1.5, 0.9), (0.8, 1.2))]
    found = Story().add(100).add(200).again(1, *noisy).result.verdict
    assert not found.proven
    assert " more output tokens/s" not in found.text
    assert change(found.gains[0]).startswith("no difference shown in output tokens/s (-")


def test_contenders_and_baseline_are_measured_in_turn_and_back() -> None:
    story = Story().add(100).add(200)
    assert [number for number, _ in to_confirm(story.spec, story.told)] == [1, 0]
    assert to_confirm(story.spec, story.told)[0][1] == story.told[1].params
    story.again(1, (150, 149))
    assert [number for number, _ in to_confirm(story.spec, story.told)] == [0, 1]


@pytest.mark.parametrize("done", range(5))
def test_what_is_confirmed_already_is_not_asked_again(done: int) -> None:
    story = Story(optimization={"confirm": 2}).add(100).add(200)
    order = [1, 0, 0, 1]
    for confirms in order[:done]:
        story.add(150, confirms=confirms)
    due = order[done : 2 if done < 2 else 4]
    assert [number for number, _ in to_confirm(story.spec, story.told)] == due


def test_a_failed_confirmation_is_done_and_a_running_one_is_not() -> None:
    story = Story().add(100).add(200).add(150).add(None, confirms=1).add(160, confirms=2)
    assert [number for number, _ in to_confirm(story.spec, story.told)] == [0]
    story.told[-1] = story.told[-1].model_copy(update={"state": ExperimentState.RUNNING})
    assert [number for number, _ in to_confirm(story.spec, story.told)] == [2, 0]


def test_nothing_is_confirmed_where_nothing_was_won() -> None:
    for story in (Story().add(300).add(200), Story().add(None), Story(slo=HARD).add(1, ttft=9).add(2, ttft=9), Story()):
        assert to_confirm(story.spec, story.told) == []
    off = Story(optimization={"confirm": 0}).add(100).add(200)
    assert to_confirm(off.spec, off.told) == []


def test_only_the_winner_is_confirmed_where_the_baseline_failed() -> None:
    story = Story().add(None).add(200).add(190)
    for rate in (190, 210, 200):
        assert [number for number, _ in to_confirm(story.spec, story.told)] == [1]
        story.add(rate, confirms=1)
    assert to_confirm(story.spec, story.told) == []
    (again,) = story.result.standing(1).again
    assert (again.measurements, round(again.value, 1)) == (3, 199.8)
    assert again.low is not None
    assert again.low < 190


def test_a_baseline_that_fails_once_costs_a_round_and_twice_ends_the_race() -> None:
    story = Story().add(100).add(200).add(150, confirms=1).add(None, confirms=0)
    assert story.result.verdict.outcome == "unconfirmed"
    assert [number for number, _ in to_confirm(story.spec, story.told)] == [0, 1]
    story.add(None, confirms=0).add(150, confirms=1)
    assert story.result.verdict.outcome == "baseline_failed"
    assert to_confirm(story.spec, story.told) == []


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


@pytest.mark.parametrize("seed", range(12))
def test_a_whole_task_is_decided_as_the_simulated_ones_of_the_oracle(seed: int) -> None:
    """So that what `tests/perf/trust.py` finds holds for tasks: the same numbers through both."""
    draw, story = random.Random(seed), Story()
    for _ in range(8):
        story.add(100 * math.exp(draw.gauss(0.1 if seed % 2 else 0, 0.1)))
    search = [Reading(math.log(one.points[0].output_tokens_per_s)) for one in story.told]
    readings: dict[int, list[Reading | None]] = {}
    while due := to_confirm(story.spec, story.told):
        order = worth(dict(enumerate(search[1:], 1)), search[0])
        assert [number for number, _ in due] == list(race(order, readings, Rules(baseline=0)).due)
        for number, _ in due:
            rate = 100 * math.exp(draw.gauss(0.02 * number, 0.05))
            story.add(rate, confirms=number)
            readings.setdefault(number, []).append(Reading(math.log(rate)))
    found = race(worth(dict(enumerate(search[1:], 1)), search[0]), readings, Rules(baseline=0))
    assert (found.due, found.proven is not None) == ((), story.result.verdict.proven)
    assert found.leader is None or found.leader == story.result.winner


def test_the_best_value_of_several_slots_waits_for_its_round() -> None:
    """With several at once, the next round begins when the last of this one has ended."""
    story = Story().add(100).add(200).add(190)
    first = [number for number, _ in to_confirm(story.spec, story.told)]
    assert first == [1, 2, 0]
    story.add(150, confirms=2).add(100, confirms=0)
    assert [number for number, _ in to_confirm(story.spec, story.told)] == [1]
