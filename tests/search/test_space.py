"""The search space: what is fixed, what is varied, what is left out and why."""

import itertools
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner.domain import Params
from tuner.errors import InvalidSpecError
from tuner.search.space import SearchSpace, build
from tuner.spec.task import TaskSpec

PARALLEL: Mapping[str, Mapping[str, bool | int]] = {
    "single-gpu": {"tp": 1},
    "wide": {"tp": 2, "dp": 4},
    "moe": {"tp": 2, "dp": 8, "enable_expert_parallel": True},
}
QUANT: Mapping[str, Mapping[str, str]] = {"default": {}, "kv": {"kvcache_dtype": "fp8_e5m2"}}


def runs(params: Params) -> str | None:
    return None


def divisible(params: Params) -> str | None:
    divides = params.parallel.get("tp", 1) % params.parallel.get("dp", 1) == 0
    return None if divides else "tp is no multiple of dp"


def space(**blocks: object) -> SearchSpace:
    spec = TaskSpec.model_validate({"task_name": "t", "model": "m", **blocks})
    return build(spec, parallel_presets=PARALLEL, quant_presets=QUANT, refusal=divisible)


def listed(found: SearchSpace) -> list[dict[str, bool | int | float | str]]:
    assert found.candidates is not None
    return [params.flat for params in found.candidates]


def test_lists_are_varied_and_single_values_are_part_of_the_baseline() -> None:
    found = space(parameters={"a": [1, 2], "b": "x"}, environment={"E": 3, "F": ["u", "v"]})
    assert found.fixed == Params(flags={"b": "x"}, env={"E": 3})
    assert list(found.dimensions) == ["a", "F"]
    assert listed(found) == [{"b": "x", "E": 3, "a": a, "F": f} for a, f in itertools.product((1, 2), ("u", "v"))]


def test_a_list_of_one_value_differs_from_the_engines_default() -> None:
    found = space(parameters={"a": [1]})
    assert found.fixed == Params()
    assert listed(found) == [{"a": 1}]


def test_values_that_stand_twice_are_tried_once_and_one_is_not_true() -> None:
    assert listed(space(parameters={"a": [1, 2, 1, True, 1.0]})) == [{"a": 1}, {"a": 2}, {"a": True}, {"a": 1.0}]
    assert [type(p["a"]) for p in listed(space(parameters={"a": [1, True, 1.0]}))] == [int, bool, float]


def test_ranges_become_their_values() -> None:
    found = space(
        parameters={
            "i": {"type": "integer", "low": 1, "high": 6, "step": 2},
            "r": {"type": "continuous", "low": 0.1, "high": 0.35, "step": 0.1},
        }
    )
    assert found.dimensions["i"].values == (1, 3, 5)
    assert found.dimensions["r"].values == (0.1, 0.2, 0.3)
    assert found.size == 9


def test_a_continuous_range_has_no_size_and_no_list() -> None:
    found = space(parameters={"r": {"type": "continuous", "low": 0, "high": 1}, "a": [1, 2]})
    assert (found.size, found.candidates, found.skipped) == (None, None, ())
    assert found.point({"r": 0.5, "a": 2}) == Params(flags={"r": 0.5, "a": 2})
    assert found.point({"r": 1.5, "a": 2}) is None
    assert found.point({"r": 0.5, "a": 3}) is None


def test_huge_spaces_are_built_without_being_walked() -> None:
    ranges = {f"p{i}": {"type": "integer", "low": 0, "high": 10**9} for i in range(20)}
    found = space(parameters={**ranges, "r": {"type": "continuous", "low": 0, "high": 1e9, "step": 1e-300}})
    small = space(parameters={f"p{i}": list(range(1000)) for i in range(3)})
    assert small.size == 10**9
    assert small.candidates is None
    assert found.size is None


def test_block_lists_are_a_product_and_their_single_values_are_fixed() -> None:
    found = space(parallel_config={"tp": [2, 4], "dp": [1, 2], "pp": 2}, quant_config={"gemm_dtype": "bfloat16"})
    assert found.fixed == Params(parallel={"pp": 2}, quant={"gemm_dtype": "bfloat16"})
    assert [params.parallel for params in found.candidates or ()] == [
        {"pp": 2, "tp": tp, "dp": dp} for tp, dp in itertools.product((2, 4), (1, 2))
    ]


def test_presets_are_points_beside_the_product_of_the_lists() -> None:
    found = space(parallel_config={"presets": ["single-gpu", "wide"], "tp": [1, 4], "dp": 1})
    assert found.dimensions["parallel_config"].values == ("single-gpu", "wide", "tp=1 dp=1", "tp=4 dp=1")
    assert [params.parallel for params in found.candidates or ()] == [{"tp": 1}, {"tp": 1, "dp": 1}, {"tp": 4, "dp": 1}]


def test_two_names_of_one_combination_are_one_point() -> None:
    assert listed(space(parallel_config={"presets": ["single-gpu", "single-gpu"], "tp": [1, 2]})) == [
        {"tp": 1},
        {"tp": 2},
    ]


def test_one_preset_alone_is_fixed() -> None:
    found = space(quant_config={"presets": ["kv"]}, parameters={"a": [1, 2]})
    assert found.fixed == Params(quant={"kvcache_dtype": "fp8_e5m2"})


def test_what_is_left_out_is_counted_by_reason() -> None:
    found = space(
        parallel_config={"tp": [1, 2, 4], "dp": [1, 2]}, parameters={"a": [1, 2, 3]}, constraints="tp * a <= 4"
    )
    assert [(skip.reason, skip.count) for skip in found.skipped] == [
        ("'tp * a <= 4' does not hold", 6),
        ("tp is no multiple of dp", 3),
    ]
    assert found.skipped[0].example == Params(parallel={"tp": 2, "dp": 1}, flags={"a": 3})
    assert found.point({"tp": 4, "dp": 1, "a": 2}) is None
    assert found.candidates is not None
    assert len(found.candidates) == 9


def test_a_space_with_nothing_left_names_what_excludes_it() -> None:
    with pytest.raises(InvalidSpecError) as caught:
        space(parameters={"a": [1, 2, 3], "b": [1, 2]}, constraints=["a > 2", "b > 5"])
    (problem,) = caught.value.problems
    assert problem.where == "constraints"
    assert problem.message == (
        "none of 6 combinations is left: 'a > 2' does not hold (4); 'b > 5' does not hold (2). Loosen one of them"
    )


def test_nothing_varied_leaves_the_baseline() -> None:
    found = space(parameters={"a": 1})
    assert not found.varied
    assert found.size == 1
    assert list(found.candidates or ()) == [found.fixed]


def test_nothing_varied_and_no_baseline_is_refused() -> None:
    with pytest.raises(InvalidSpecError, match="nothing to measure"):
        space(parameters={"a": 1}, optimization={"baseline": False})


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(InvalidSpecError) as caught:
        space(
            parallel_config={"presets": ["singel-gpu"], "tp": [1, 2]},
            quant_config={"presets": ["q"]},
            parameters={"tp": [1], "a": [1]},
            environment={"a": 2},
            constraints=["a > 1", "c > 1"],
        )
    assert [(problem.where, problem.message.split("; ")[-1]) for problem in caught.value.problems] == [
        ("parameters.tp", "keep one of them"),
        ("environment.a", "keep one of them"),
        ("parallel_config.presets", "did you mean 'single-gpu'?"),
        ("quant_config.presets", "there are default, kv"),
        ("constraints.1", "did you mean 'cp'?"),
    ]


def test_a_constraint_may_name_what_only_a_preset_sets() -> None:
    found = space(quant_config={"presets": ["default", "kv"]}, constraints="kvcache_dtype == 'auto'")
    assert [params.quant for params in found.candidates or ()] == [{}]


DOMAINS = st.dictionaries(
    st.sampled_from("abcde"),
    st.lists(st.integers(0, 9) | st.booleans() | st.text("xyz", max_size=2), min_size=1, max_size=4)
    | st.builds(lambda low, n: {"type": "integer", "low": low, "high": low + n}, st.integers(-5, 5), st.integers(0, 4)),
    max_size=4,
)


@settings(deadline=None)
@given(
    DOMAINS,
    st.lists(st.sampled_from(["single-gpu", "wide", "moe"]), max_size=3),
    st.lists(st.integers(1, 4), max_size=3),
)
def test_every_candidate_is_valid_unique_and_found_again(
    domains: dict[str, object], presets: list[str], degrees: list[int]
) -> None:
    parallel = {"presets": presets or None, "tp": degrees or None}
    spec = TaskSpec.model_validate({"task_name": "t", "model": "m", "parameters": domains, "parallel_config": parallel})
    found = build(spec, parallel_presets=PARALLEL, quant_presets=QUANT, refusal=runs)
    assert found.candidates is not None
    keys = [params.key for params in found.candidates]
    assert len(keys) == len(set(keys)) == found.size
    for params in found.candidates:
        values = found.values(params)
        assert values is not None
        assert list(values) == list(found.dimensions)
        assert found.point(values) == params
        assert Params.model_validate(params.model_dump()) == params
    assert list(found.candidates[1:3]) == list(found.candidates)[1:3]


def test_a_configuration_outside_of_the_space_has_no_place_in_it() -> None:
    found = space(parameters={"a": [1, 2], "b": 3})
    assert found.values(Params(flags={"b": 3, "a": 1})) == {"a": 1}
    assert found.values(Params(flags={"b": 3, "a": True})) is None
    assert found.values(Params(flags={"b": 3})) is None
    assert found.values(Params(flags={"b": 4, "a": 1})) is None
    assert found.values(Params(flags={"b": 3, "a": 1, "c": 1})) is None
