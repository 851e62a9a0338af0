"""What is particular to single strategies."""

import logging
import subprocess
import sys

import pytest

from tests.fakes.search import THEN, Run, finished, make_space, scores
from tuner.domain import Experiment, Role
from tuner.protocols import Dimension
from tuner.search.strategies.auto import Auto
from tuner.search.strategies.grid import Grid
from tuner.search.strategies.observations import observe
from tuner.search.strategies.random import Random
from tuner.search.strategies.sampler import BAYESIAN, NSGA2, Sampler
from tuner.search.strategies.scales import Scale
from tuner.spec.objectives import NAMED_OBJECTIVES


def test_the_grid_goes_through_the_combinations_in_order() -> None:
    asked = Run(Grid(), make_space(a=[2, 1], b=["x", "y"]), lambda _: scores(1)).steps(9)
    assert [tuple(params.flat.values()) for params in asked] == [(2, "x"), (2, "y"), (1, "x"), (1, "y")]


def test_a_continuous_range_is_ten_points_of_a_grid() -> None:
    asked = Run(Grid(), make_space(a={"type": "continuous", "low": 0, "high": 9}), lambda _: scores(1)).steps(99)
    assert [params.flat["a"] for params in asked] == pytest.approx(list(range(10)))


def test_a_grid_too_large_to_list_goes_on_where_it_stopped() -> None:
    space = make_space(["b > 7"], **{key: {"type": "integer", "low": 0, "high": 999} for key in "ab"})
    asked = Run(Grid(), space, lambda _: scores(1)).steps(3)
    assert [tuple(params.flat.values()) for params in asked] == [(0, 8), (0, 9), (0, 10)]


def test_random_points_are_spread_evenly_and_logarithmic_ranges_by_magnitude() -> None:
    even = make_space(a={"type": "continuous", "low": 0, "high": 1000})
    log = make_space(a={"type": "continuous", "low": 1, "high": 1000, "log": True})
    share = [
        sum(params.flat["a"] < 500 for params in Run(Random(), space, lambda _: scores(1)).steps(200)) / 200  # type: ignore[operator]
        for space in (even, log)
    ]
    assert 0.4 < share[0] < 0.6
    assert 0.8 < share[1] < 0.97


@pytest.mark.parametrize(("budget", "objectives", "like"), [(6, 1, Grid()), (5, 1, BAYESIAN), (5, 2, NSGA2)])
def test_auto_takes_the_grid_that_the_budget_covers_and_a_model_else(
    budget: int, objectives: int, like: Grid | Sampler
) -> None:
    wanted = (NAMED_OBJECTIVES["minimize_ttft"], NAMED_OBJECTIVES["minimize_tpot"])[:objectives]
    space = make_space(a=[1, 2, 3], b=["x", "y"])
    runs = [
        Run(strategy, space, lambda values: scores(*(float(values["a"]),) * objectives), 0, wanted, budget)
        for strategy in (Auto(), like)
    ]
    assert runs[0].steps(6) == runs[1].steps(6)


def test_the_first_points_of_a_model_are_random() -> None:
    space = make_space(a=list(range(50)))
    assert Run(BAYESIAN, space, lambda _: scores(1)).steps(5) == Run(Random(), space, lambda _: scores(1)).steps(5)


def test_a_sampler_sees_what_ranks() -> None:
    run = Run(BAYESIAN, make_space(a=[1, 2, 3]), lambda v: None if v.get("a") == 1 else scores(2.0, violation=0.5))
    run.step(Role.BASELINE, run.space.fixed)
    for params in run.space.candidates or ():
        run.step(params=params)
    seen = observe(run.search, run.history)
    assert [observation.values for observation in seen] == [{"a": 1}, {"a": 2}, {"a": 3}]
    assert [observation.losses is None for observation in seen] == [True, False, False]
    assert seen[1].violation == 0.5


@pytest.mark.parametrize("sampler", [BAYESIAN, NSGA2], ids=lambda sampler: sampler.kind)
def test_what_is_under_way_counts_as_failed_until_it_has_ended(sampler: Sampler) -> None:
    space = make_space(a=list(range(40)))
    run = Run(sampler, space, lambda v: scores(1 + abs(float(v["a"]) - 20)))
    run.steps(10)
    asked = run.strategy.ask(run.search, run.history, run.pending)
    assert asked is not None
    run.pending.append(Experiment(number=10, role=Role.CANDIDATE, params=asked, started_at=THEN))
    assert [one.losses is None for one in observe(run.search, [*run.history, *run.pending])] == [False] * 10 + [True]
    failed = finished(run.pending[0], None)
    assert run.strategy.ask(run.search, run.history, run.pending) == run.strategy.ask(
        run.search, [*run.history, failed], ()
    )


def test_a_better_value_is_a_smaller_loss_in_either_direction() -> None:
    for name, sign in (("minimize_ttft", 1), ("maximize_throughput", -1)):
        run = Run(Grid(), make_space(a=[1, 2]), lambda v: scores(float(v["a"])), 0, (NAMED_OBJECTIVES[name],))
        run.steps(2)
        first, second = (observation.losses for observation in observe(run.search, run.history))
        assert first is not None
        assert second is not None
        assert (second[0] - first[0]) * sign > 0


def test_asking_says_nothing_and_leaves_the_log_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    import optuna

    before = optuna.logging.get_verbosity()
    Run(BAYESIAN, make_space(a=list(range(30))), lambda v: scores(1 + float(v["a"]))).steps(8)
    assert capfd.readouterr() == ("", "")
    assert optuna.logging.get_verbosity() == before
    assert logging.getLogger("optuna").level == before


def test_the_strategies_are_there_without_loading_optuna() -> None:
    code = "import sys, tuner.search.strategies; sys.exit('optuna' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "dimension",
    [
        Dimension(values=(8, 2, 4)),
        Dimension(values=("b", "a", True, 1)),
        Dimension(values=tuple(range(1, 65)), low=1, high=64, log=True, integer=True),
        Dimension(values=(7,)),
    ],
)
def test_every_listed_value_has_a_place_and_is_found_at_it(dimension: Dimension) -> None:
    scale = Scale(dimension)
    for i, value in enumerate(dimension.values):
        assert scale.index(value) == i
        found = scale.at(scale.place(value))
        assert (type(found), found) == (type(value), value)
        assert 0 <= scale.place(value) <= 1


def test_ranges_keep_to_their_bounds_and_steps() -> None:
    steps = Scale(Dimension(low=3, high=700_000_003, step=7, integer=True))
    assert [steps.at(place) for place in (0.0, 1e-9, 1.0)] == [3, 3, 700_000_003]
    assert all((int(steps.at(i / 977)) - 3) % 7 == 0 for i in range(977))
    log = Scale(Dimension(low=0.001, high=10, log=True))
    assert log.at(0.5) == pytest.approx(0.1)
    assert log.at(1.0) == pytest.approx(10)
    assert float(log.at(1.0)) <= 10
