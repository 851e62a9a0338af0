"""What every strategy promises, whatever it thinks of the space."""

import math
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from tests.fakes.search import Law, Run, make_space, scores
from tuner.domain import Role, Score
from tuner.search.space import SearchSpace
from tuner.search.strategies import STRATEGIES
from tuner.spec.objectives import NAMED_OBJECTIVES
from tuner.spec.values import Value

ROOT = Path(__file__).parents[2]
EVERY = pytest.mark.parametrize("name", STRATEGIES)


def bowl(values: Mapping[str, Value]) -> tuple[Score, ...]:
    """Best near the middle of every range, and not above 1,000."""
    numbers = [value if isinstance(value, int | float) else len(value) for value in values.values()]
    return scores(1 + sum((number - 5) ** 2 for number in numbers) % 997)


def touchy(values: Mapping[str, Value]) -> tuple[Score, ...] | None:
    """A third of it fails, a third misses its SLO."""
    (score,) = bowl(values)
    kind = int(score.value) % 3
    return None if kind == 0 else scores(score.value, violation=float(kind - 1))


def hopeless(values: Mapping[str, Value]) -> tuple[Score, ...]:
    (score,) = bowl(values)
    return scores(score.value, violation=score.value)


def broken(values: Mapping[str, Value]) -> None:
    return None


LAWS: list[Law] = [bowl, touchy, hopeless, broken]


def constrained() -> SearchSpace:
    return make_space(["a * b <= 12"], a=[1, 2, 4, 8], b=[1, 2, 3], c=["x", "y"], d=[True, False])


SPACES: dict[str, SearchSpace] = {
    "constrained": constrained(),
    "one dimension": make_space(a={"type": "integer", "low": 1, "high": 40}),
    "one value": make_space(a=[1]),
    "names only": make_space(a=["u", "v", "w"], b=[True, False], c=["x", "y", "zz"]),
    "alike": make_space(a=[1, 1.0, True, "1"], b=[0, False]),
    "logarithmic": make_space(a={"type": "integer", "low": 1, "high": 64, "log": True}),
}
WIDE: dict[str, SearchSpace] = {
    "continuous": make_space(a={"type": "continuous", "low": 0, "high": 10}),
    "mixed": make_space(
        ["a <= c"],
        a={"type": "continuous", "low": 1e-3, "high": 10, "log": True},
        b=["x", "y"],
        c={"type": "integer", "low": 1, "high": 10**12},
    ),
    "thousand million": make_space(["a + b + c <= 2500"], **{key: list(range(1000)) for key in "abc"}),
    "fine steps": make_space(a={"type": "continuous", "low": 0, "high": 1, "step": 1e-7}, b=[1, 2]),
}


@EVERY
@pytest.mark.parametrize("space", SPACES)
def test_every_candidate_is_visited_once_and_then_there_are_none(name: str, space: str) -> None:
    run = Run(STRATEGIES[name], SPACES[space], touchy)
    asked = run.steps(200)
    assert sorted(params.key for params in asked) == sorted(params.key for params in SPACES[space].candidates or ())
    assert run.step() is None


@EVERY
@pytest.mark.parametrize("space", SPACES)
def test_with_several_under_way_every_candidate_is_visited_once_too(name: str, space: str) -> None:
    run = Run(STRATEGIES[name], SPACES[space], touchy, slots=4)
    asked = run.steps(200)
    assert sorted(params.key for params in asked) == sorted(params.key for params in SPACES[space].candidates or ())
    while run.pending:  # the last ones end, and nothing new comes
        assert run.step() is None
    assert len(run.history) == len(asked)


@EVERY
@pytest.mark.parametrize("space", WIDE)
def test_with_several_under_way_points_of_a_space_without_a_list_are_new_too(name: str, space: str) -> None:
    asked = Run(STRATEGIES[name], WIDE[space], touchy, slots=4).steps(9)
    assert len({params.key for params in asked}) == 9


@EVERY
@pytest.mark.parametrize("space", ["constrained", "mixed"])
def test_the_same_question_has_the_same_answer_and_changes_nothing(name: str, space: str) -> None:
    run = Run(STRATEGIES[name], {**SPACES, **WIDE}[space], touchy, slots=4)
    run.steps(12)
    assert len(run.pending) == 3
    before = [one.model_copy(deep=True) for one in run.history], [one.model_copy(deep=True) for one in run.pending]
    ask = partial(STRATEGIES[name].ask, run.search, tuple(run.history), tuple(run.pending))
    assert ask() == ask()
    assert (run.history, run.pending) == before


@EVERY
@pytest.mark.parametrize("space", WIDE)
def test_points_of_a_space_without_a_list_are_valid_and_new(name: str, space: str) -> None:
    found = WIDE[space]
    asked = Run(STRATEGIES[name], found, touchy).steps(9)
    assert len({params.key for params in asked}) == 9
    for params in asked:
        values = found.values(params)
        assert values is not None
        assert found.point(values) == params


@EVERY
@pytest.mark.parametrize("law", LAWS)
def test_a_search_goes_on_through_failures_and_missed_bounds(name: str, law: Law) -> None:
    asked = Run(STRATEGIES[name], constrained(), law).steps(15)
    assert len({params.key for params in asked}) == 15


@EVERY
@pytest.mark.parametrize("space", ["constrained", "mixed"])
def test_a_resumed_search_goes_on_as_if_it_had_never_stopped(name: str, space: str) -> None:
    found = {**SPACES, **WIDE}[space]
    whole = Run(STRATEGIES[name], found, touchy, seed=3)
    asked = whole.steps(12)
    for cut in range(12):
        resumed = Run(STRATEGIES[name], found, touchy, seed=3, history=whole.history[:cut])
        assert resumed.step() == asked[cut]


@EVERY
def test_the_seed_decides_the_sequence(name: str) -> None:
    space = make_space(a=list(range(20)), b=list(range(20)))
    one, same, other = (Run(STRATEGIES[name], space, bowl, seed=seed).steps(8) for seed in (1, 1, 2))
    assert one == same
    assert (one == other) == STRATEGIES[name].in_order


@EVERY
def test_a_baseline_that_lies_in_the_space_is_not_asked_again(name: str) -> None:
    space = constrained()
    assert space.candidates is not None
    baseline, winner = space.candidates[7], space.candidates[9]
    run = Run(STRATEGIES[name], space, bowl)
    run.step(Role.BASELINE, baseline)
    run.step(Role.CONFIRMATION, winner)
    run.step(Role.CONFIRMATION, winner)
    assert {params.key for params in run.steps(100)} == {p.key for p in space.candidates} - {baseline.key, winner.key}


@EVERY
def test_a_baseline_outside_of_the_space_does_no_harm(name: str) -> None:
    space = constrained()
    run = Run(STRATEGIES[name], space, bowl)
    run.step(Role.BASELINE, space.fixed)
    assert len(run.steps(100)) == len(space.candidates or ())


@EVERY
def test_several_objectives_are_searched(name: str) -> None:
    def law(values: Mapping[str, Value]) -> tuple[Score, ...] | None:
        a, b = float(values["a"]), float(values["b"])
        return None if a == b else scores(1 + a, 1000 / (1 + a) + b, violation=max(0.0, a - 15))

    objectives = (NAMED_OBJECTIVES["minimize_ttft"], NAMED_OBJECTIVES["maximize_throughput"])
    run = Run(STRATEGIES[name], make_space(a=list(range(20)), b=list(range(5))), law, objectives=objectives)
    assert len({params.key for params in run.steps(30)}) == 30


@EVERY
def test_extreme_scores_are_survived(name: str) -> None:
    extremes = [0.0, 1e-300, 1e300, -5.0, 1.0, 1e9]

    def law(values: Mapping[str, Value]) -> tuple[Score, ...]:
        return scores(extremes[int(values["a"]) % 6], violation=extremes[int(values["a"]) % 3])

    assert len(Run(STRATEGIES[name], make_space(a=list(range(30))), law).steps(30)) == 30


SEQUENCE = """
from tests.conformance.test_strategies import constrained, touchy
from tests.fakes.search import Run
from tuner.search.strategies import STRATEGIES
for name, strategy in STRATEGIES.items():
    print(name, [params.key for params in Run(strategy, constrained(), touchy).steps(10)])
"""


def test_another_process_searches_in_the_same_order() -> None:
    def asked(hash_seed: str) -> str:
        env = {**os.environ, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", SEQUENCE]
        return subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, text=True).stdout

    one = asked("1")
    assert len(one.splitlines()) == len(STRATEGIES)
    assert asked("2") == one


@EVERY
def test_it_is_listed_under_its_own_name_and_says_what_it_does(name: str) -> None:
    assert STRATEGIES[name].name == name
    assert STRATEGIES[name].title
    assert STRATEGIES[name].description
    assert STRATEGIES[name].spoken


def throughput(values: Mapping[str, Value]) -> tuple[Score, ...] | None:
    """Smooth with one optimum (batch 64, chunk 2048, policy lpm), out of memory in a corner, slow answers beyond."""
    batch, chunk = math.log2(float(values["batch"])), math.log2(float(values["chunk"]))
    if batch + chunk > 19:
        return None
    peak = 400 * math.exp(-((batch - 6) ** 2) / 4 - (chunk - 11) ** 2 / 3)
    return scores(100 + peak + (40 if values["policy"] == "lpm" else 0), violation=max(0.0, batch - 7))


def test_a_model_of_the_space_beats_chance() -> None:
    space = make_space(
        batch=[2**i for i in range(11)], chunk=[2**i for i in range(7, 15)], policy=["lpm", "fcfs", "random", "lof"]
    )

    def best(name: str, seed: int) -> float:
        run = Run(STRATEGIES[name], space, throughput, seed, (NAMED_OBJECTIVES["maximize_throughput"],))
        run.steps(30)
        return max((e.scores[0].value for e in run.history if e.feasible), default=0.0)

    seeds = range(8)
    names = ("random", "bayesian")
    random, bayesian = (sum(best(name, seed) for seed in seeds) / len(seeds) for name in names)
    assert bayesian > random + 20


def test_evolution_covers_more_of_a_front_than_chance() -> None:
    def law(values: Mapping[str, Value]) -> tuple[Score, ...]:
        a, b, c = (float(values[name]) for name in "abc")
        common = 1 + abs(c - 10) / 3 + (b - 7) ** 2 / 50
        return scores(common + (a - 3) ** 2 / 20, common + (a - 15) ** 2 / 20)

    numbers = {"type": "integer", "low": 1, "high": 30}
    space = make_space(a=numbers, b=numbers, c=numbers)
    objectives = (NAMED_OBJECTIVES["minimize_ttft"], NAMED_OBJECTIVES["minimize_tpot"])

    def covered(name: str, seed: int) -> float:
        """The area that the front dominates, up to 30 on either axis."""
        run = Run(STRATEGIES[name], space, law, seed, objectives)
        run.steps(50)
        area, ceiling = 0.0, 30.0
        for x, y in sorted((e.scores[0].value, e.scores[1].value) for e in run.history):
            if x < 30 and y < ceiling:
                area, ceiling = area + (30 - x) * (ceiling - y), y
        return area

    seeds = range(6)
    names = ("random", "nsga2")
    random, evolved = (sum(covered(name, seed) for seed in seeds) / len(seeds) for name in names)
    assert evolved > random
