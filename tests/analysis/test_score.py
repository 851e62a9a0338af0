"""Judging measured configurations: operating points, SLOs, ranks."""

import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.results import SCENARIO, experiment, point, spec, stats
from tuner.analysis.score import LAST, best, effective_objectives, front, judged, key, rank, ranked, score, unjudged
from tuner.domain import LoadPoint, Role, Score
from tuner.errors import FailureKind
from tuner.spec.objectives import NAMED_OBJECTIVES, Metric, Objective, SLOConfig

THROUGHPUT, TTFT = NAMED_OBJECTIVES["maximize_throughput"], NAMED_OBJECTIVES["minimize_ttft"]
E2E = NAMED_OBJECTIVES["minimize_latency"]
REQUESTS = Objective(metric=Metric.REQUEST_RATE, direction="maximize")
OBJECTIVES = (THROUGHPUT, TTFT, E2E, NAMED_OBJECTIVES["minimize_tpot"], REQUESTS)
LEVELS = (1, 8)


def slo(hard: bool = False, ratio: float = 0.0, **thresholds: float) -> SLOConfig:
    """p90 bounds: `slo(ttft=0.3)`."""
    limits: dict[str, Any] = {
        name: {"p90": {"threshold": threshold, "hard_fail": hard, "fail_ratio": ratio}}
        for name, threshold in thresholds.items()
    }
    return SLOConfig.model_validate(limits)


def judge_one(points: Sequence[LoadPoint], objective: Objective, bounds: SLOConfig | None = None) -> Score:
    found = score(points, objective, bounds, [SCENARIO], sorted({p.concurrency for p in points}), 0)
    assert found is not None
    return found


seconds = st.floats(1e-4, 1e3)
rates = st.floats(1e-2, 1e5)
levels = st.builds(point, st.just(8), rate=rates, ttft=seconds, tpot=seconds, e2e=seconds)
bounds = st.none() | st.builds(
    lambda hard, ratio, ttft, tpot, latency: slo(hard, ratio, ttft=ttft, tpot=tpot, latency=latency),
    *(st.booleans(), st.floats(0, 2), seconds, seconds, seconds),
)
objectives = st.sampled_from(OBJECTIVES)


@given(st.lists(levels, min_size=2, max_size=2), bounds, objectives, st.data())
def test_an_improvement_of_any_metric_never_worsens_the_rank(
    pair: list[LoadPoint], slos: SLOConfig | None, objective: Objective, data: st.DataObject
) -> None:
    points = [p.model_copy(update={"concurrency": c}) for p, c in zip(pair, LEVELS, strict=True)]
    which = data.draw(st.integers(0, 1))
    name = data.draw(st.sampled_from(["ttft", "tpot", "e2e_latency", "output_tokens_per_s", "requests_per_s"]))
    factor = data.draw(st.floats(0.01, 1))
    old = getattr(points[which], name)
    new = old / factor if name.endswith("_per_s") else stats(old.mean * factor)
    better = [p.model_copy(update={name: new}) if i == which else p for i, p in enumerate(points)]
    before, after = (key(score(x, objective, slos, [SCENARIO], LEVELS, 0), objective) for x in (points, better))
    assert after[:2] <= before[:2]
    if after[:2] == before[:2]:
        assert after[2] <= before[2] or math.isclose(after[2], before[2], rel_tol=1e-9)


@given(levels, seconds, objectives, st.sampled_from([1e-6, 1e-9]))
def test_the_score_is_continuous_where_a_soft_bound_begins_to_be_missed(
    level: LoadPoint, threshold: float, objective: Objective, step: float
) -> None:
    at, over = (
        judge_one([level.model_copy(update={"ttft": stats(threshold / 1.5 * factor)})], objective, slo(ttft=threshold))
        for factor in (1, 1 + step)
    )
    assert over.penalised == pytest.approx(at.penalised, rel=20 * step)


def test_a_hard_bound_within_its_fail_ratio_bites_softly_and_continuously() -> None:
    limit = slo(hard=True, ratio=0.2, ttft=1.5)
    held, missed, failed = (judge_one([point(ttft=t)], THROUGHPUT, limit) for t in (1.0, 1.2, 1.2000001))
    assert held.penalised == 100 > missed.penalised
    assert (held.feasible, missed.feasible, failed.feasible) == (True, True, False)
    assert failed.violation == pytest.approx(0, abs=1e-6)
    assert failed.penalised == pytest.approx(missed.penalised, rel=1e-5)


@given(st.lists(levels, min_size=2, max_size=6), bounds)
def test_both_directions_give_the_same_order(points: list[LoadPoint], slos: SLOConfig | None) -> None:
    mirrored = [p.model_copy(update={"requests_per_s": 1 / p.e2e_latency.mean}) for p in points if p.e2e_latency]
    down = [key(judge_one([p], E2E, slos), E2E) for p in mirrored]
    up = [key(judge_one([p], REQUESTS, slos), REQUESTS) for p in mirrored]
    for a in range(len(points)):
        for b in range(len(points)):
            if down[a] < down[b] and not math.isclose(down[a][2], down[b][2], rel_tol=1e-9):
                assert up[a] < up[b]


@given(levels, levels, seconds, st.floats(0.01, 0.999), st.floats(1.001, 100), objectives)
def test_what_holds_the_hard_bounds_is_always_above_what_misses_them(
    one: LoadPoint, other: LoadPoint, threshold: float, within: float, over: float, objective: Objective
) -> None:
    limit = slo(hard=True, ttft=threshold)
    holds, misses = (
        key(judge_one([level.model_copy(update={"ttft": stats(threshold / 1.5 * part)})], objective, limit), objective)
        for level, part in ((one, within), (other, over))
    )
    assert holds < misses < key(None, objective) == LAST


def test_among_those_that_miss_a_hard_bound_the_smaller_miss_wins_whatever_the_value() -> None:
    limit = slo(hard=True, ttft=0.1)
    near, far = (judge_one([point(ttft=t, rate=r)], THROUGHPUT, limit) for t, r in ((0.1, 1.0), (0.2, 1000.0)))
    assert key(near, THROUGHPUT) < key(far, THROUGHPUT)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("field", ["value", "penalised", "violation"])
@pytest.mark.parametrize("objective", [THROUGHPUT, TTFT])
def test_nan_and_infinity_never_rank_above_a_number(bad: float, field: str, objective: Objective) -> None:
    good = Score(value=1, penalised=1, violation=5)
    assert key(good, objective) < key(good.model_copy(update={field: bad}), objective) == LAST


@given(st.floats(1, 1e300), st.floats(1e-300, 1), st.floats(1e-300, 10))
def test_no_bound_however_absurd_gives_anything_but_a_finite_score(ttft: float, limit: float, steepness: float) -> None:
    absurd = slo(ttft=limit).model_copy(update={"steepness": steepness})
    level = point().model_copy(update={"ttft": stats(1.0).model_copy(update={"p90": ttft})})
    for objective in (THROUGHPUT, E2E):
        assert all(map(math.isfinite, key(judge_one([level], objective, absurd), objective)))


def test_a_far_worse_miss_still_ranks_lower_where_the_exponential_would_overflow() -> None:
    near, far = (judge_one([point(ttft=t)], THROUGHPUT, slo(ttft=0.01)) for t in (10.0, 20.0))
    assert near.penalised > far.penalised > 0


def test_the_penalty_is_the_exponential_of_the_weighted_excess() -> None:
    limit = SLOConfig.model_validate({"ttft": {"threshold": 0.1, "weight": 2}, "steepness": 0.5})
    assert judge_one([point(ttft=0.12)], THROUGHPUT, limit).penalised == pytest.approx(100 / math.exp(2 * 0.2 / 0.5))
    assert judge_one([point(ttft=0.12)], TTFT, limit).penalised == pytest.approx(0.12 * math.exp(2 * 0.2 / 0.5))


def test_throughput_is_judged_at_the_best_level_that_meets_the_bounds() -> None:
    points = [point(1, rate=50), point(8, rate=200), point(32, rate=400, ttft=9)]
    found = judge_one(points, THROUGHPUT, slo(hard=True, ttft=1.0))
    assert found.value == 200
    assert [(p.scenario, p.concurrency) for p in found.points] == [(SCENARIO, 8)]
    assert found.excess["ttft.p90"] == pytest.approx(0.15 - 1)


@given(st.permutations([1, 4, 8, 32]), st.lists(st.sampled_from([50.0, 100.0]), min_size=4, max_size=4))
def test_the_operating_point_is_a_given_level_and_ties_go_to_the_lower_one(
    order: list[int], values: list[float]
) -> None:
    given_rates = dict(zip((1, 4, 8, 32), values, strict=True))
    found = score([point(c, rate=given_rates[c]) for c in order], THROUGHPUT, None, [SCENARIO], order, 0)
    assert found is not None
    assert found.points[0].concurrency == min(c for c, rate in given_rates.items() if rate == max(values))


def test_a_latency_is_the_mean_over_all_levels_and_needs_every_one() -> None:
    points = [point(1, ttft=0.1), point(8, ttft=0.3)]
    assert judge_one(points, TTFT).value == pytest.approx(0.2)
    assert judge_one(points, TTFT).points[0].concurrency is None
    for left in (points[:1], [points[0], point(8, failure=FailureKind.OUT_OF_MEMORY)]):
        assert score(left, TTFT, None, [SCENARIO], LEVELS, 0) is None
        assert score(left, THROUGHPUT, None, [SCENARIO], LEVELS, 0) is not None


def test_a_latency_over_one_level_is_judged_at_that_level() -> None:
    found = score([point(8, ttft=0.3)], TTFT, None, [SCENARIO], [8], 0)
    assert found is not None
    assert found.value == pytest.approx(0.3)
    assert found.points[0].concurrency == 8


def test_scenarios_are_kept_apart_and_joined_by_the_geometric_mean() -> None:
    points = [point(8, rate=100), point(8, rate=400, scenario="D(9,9)"), point(8, rate=9999, scenario="D(1,1)")]
    found = score(points, THROUGHPUT, None, [SCENARIO, "D(9,9)"], [8], 0)
    assert found is not None
    assert found.value == pytest.approx(200)
    assert [p.scenario for p in found.points] == [SCENARIO, "D(9,9)"]
    assert score(points[:1], THROUGHPUT, None, [SCENARIO, "D(9,9)"], [8], 0) is None


def test_a_level_without_a_metric_that_an_slo_bounds_does_not_count_and_the_reason_is_told() -> None:
    task = spec(slo={"tpot": {"threshold": 0.1}}, benchmark={"traffic_scenarios": [SCENARIO], "num_concurrency": [8]})
    points = [point(8, tpot=None)]
    assert score(points, THROUGHPUT, task.slo, [SCENARIO], [8], 0) is None
    assert unjudged(task, [THROUGHPUT], points) == (
        f"No load level of {SCENARIO} counts: {SCENARIO} × 8 has no tpot.mean, which an SLO bounds."
    )


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_reason_is_given_exactly_where_there_is_no_score(count: int) -> None:
    for objective in OBJECTIVES:
        task = spec(optimization={"objective": [objective.model_dump()]})
        points = [point(c) for c in (1, 8, 32)[:count]]
        found = score(points, objective, task.slo, [SCENARIO], (1, 8, 32), 0)
        assert (found is None) == bool(unjudged(task, [objective], points))


def test_failed_experiments_rank_below_all_others_and_ties_go_to_the_baseline() -> None:
    task = spec()
    worse, same, baseline = (experiment(n, [point(rate=r)], task=task) for n, r in ((1, 50.0), (2, 100.0), (0, 100.0)))
    failed = experiment(3, task=task)
    assert [one.number for one in ranked([failed, worse, same, baseline], [THROUGHPUT])] == [0, 2, 1, 3]
    assert best([failed], [THROUGHPUT]) is None


@given(st.lists(st.tuples(seconds, rates), min_size=1, max_size=8))
def test_the_winner_under_several_objectives_stands_on_the_pareto_front(pairs: list[tuple[float, float]]) -> None:
    both = (E2E, THROUGHPUT)
    task = spec(
        optimization={"objective": ["minimize_latency", "maximize_throughput"]},
        benchmark={"traffic_scenarios": [SCENARIO], "num_concurrency": [8]},
        slo=None,
    )
    tried = [experiment(n, [point(e2e=e2e, rate=rate)], task=task) for n, (e2e, rate) in enumerate(pairs)]
    members, winner = front(tried, both), best(tried, both)
    assert winner is not None
    assert any(rank(one, both) == rank(winner, both) for one in members)
    for one in members:
        assert not any(
            other.scores[0].value <= one.scores[0].value
            and other.scores[1].value >= one.scores[1].value
            and other.scores != one.scores
            and (other.scores[0].value, other.scores[1].value) != (one.scores[0].value, one.scores[1].value)
            for other in tried
        )


def test_throughput_is_compared_per_gpu_only_where_world_sizes_differ() -> None:
    task = spec()
    assert effective_objectives(task, [0, 1, 1]) == (THROUGHPUT,)
    assert effective_objectives(task, [1, 2])[0].metric is Metric.OUTPUT_RATE_PER_GPU
    two = [
        experiment(0, [point(rate=100)], task=task, gpus=1),
        experiment(1, [point(rate=150)], task=task, gpus=2, role=Role.CANDIDATE),
    ]
    found, scored = judged(task, two)
    assert [one.scores[0].value for one in scored] == [100, 75]
    assert found[0].metric is Metric.OUTPUT_RATE_PER_GPU


def test_failed_requests_are_late_for_every_percentile_that_has_no_room_for_them() -> None:
    met = SLOConfig.model_validate({"ttft": {name: {"threshold": 9.0, "hard_fail": True} for name in ("p90", "p99")}})
    for failed, missed in ((0, 0.0), (1, 0.0), (3, 2.0)):
        level = point(8).model_copy(update={"requests": 100, "failed": failed})
        found = score([level], THROUGHPUT, met, [level.scenario], [8], 0)
        assert found is not None
        assert found.excess["ttft.p90"] < 0
        assert max(0.0, found.excess["ttft.p99"]) == pytest.approx(missed)
        assert found.feasible == (failed < 2)


def test_open_loops_are_judged_by_their_rates_and_closed_ones_of_the_same_number_are_others() -> None:
    def open_loop(rate: float, output: float) -> LoadPoint:
        return point(0, rate=output).model_copy(update={"rate": rate})

    points = [open_loop(0.5, 50), open_loop(4.0, 90), open_loop(16.0, 90), point(4, rate=999), point(16, rate=999)]
    found = score(points, THROUGHPUT, None, [SCENARIO], (), 0, (16.0, 0.5, 4.0))
    assert found is not None
    (at,) = found.points
    assert (at.value, at.rate, at.concurrency) == (90, 4.0, 0), "ties go to the lower rate"
    assert at.level is not None
    assert at.level.name == f"{SCENARIO} @ 4/s"
    assert score(points[:2], TTFT, None, [SCENARIO], (), 0, (16.0, 0.5, 4.0)) is None, "all rates must have run"
    assert score(points, THROUGHPUT, None, [SCENARIO], (4,), 0).value == 999  # type: ignore[union-attr]


def test_a_rate_that_does_not_count_is_named_as_one() -> None:
    task = spec(benchmark={"traffic_scenarios": [SCENARIO], "request_rate": [2]})
    assert f"{SCENARIO} @ 2/s was not measured" in unjudged(task, [THROUGHPUT], [])
