"""Constraints: what they mean, what they leave open, and that nothing but arithmetic ever runs."""

import contextlib

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tuner.errors import InvalidSpecError
from tuner.search import constraints

NAMES = ("max-num-seqs", "max-num-batched-tokens", "kv-cache-dtype", "enforce-eager", "VLLM_X", "x.y")
VALUES: dict[str, bool | int | float | str] = {
    "max-num-seqs": 8,
    "max-num-batched-tokens": 128,
    "kv-cache-dtype": "fp8",
    "enforce-eager": True,
    "tp": 2,
    "pp": 4,
    "x.y": 0.5,
}


def holds(expression: str, values: dict[str, bool | int | float | str] | None = None) -> bool:
    return constraints.compile(expression, NAMES).refusal(VALUES if values is None else values) is None


@pytest.mark.parametrize(
    "expression",
    [
        "tp * pp <= 8",
        "max_num_batched_tokens >= max_num_seqs",
        "1 <= tp <= 4",
        "tp in [1, 2, 4] and pp not in (1, 2)",
        "not tp == 3",
        "kv_cache_dtype == 'fp8' or tp == 1",
        "kv_cache_dtype in ['auto', 'fp8']",
        "enforce_eager",
        "enforce_eager == True",
        "not enable_expert_parallel",
        "min(tp, pp, 3) + max(tp, pp) - abs(-1) == 5",
        "pp // tp == 2 and pp % 3 == 1 and pp / 8 == 0.5 and tp ** 3 == 8",
        "-tp < +tp",
        "x_y < 1",
        "  tp > 1 ",
    ],
)
def test_what_is_true_of_a_candidate_holds(expression: str) -> None:
    assert holds(expression)
    assert not holds(f"not ({expression})")


def test_a_refusal_names_the_constraint() -> None:
    assert constraints.compile("tp > 2", ()).refusal({"tp": 2}) == "'tp > 2' does not hold"


@pytest.mark.parametrize("name", ["tp", "pp", "dp", "dcp", "cp"])
def test_a_degree_that_is_not_given_is_one(name: str) -> None:
    assert holds(f"{name} == 1", {})


@pytest.mark.parametrize("expression", ["VLLM_X > 3", "not VLLM_X > 3", "VLLM_X * 2 > tp", "min(VLLM_X, 1) in [5]"])
def test_what_hangs_on_an_engines_default_counts_as_satisfied(expression: str) -> None:
    assert holds(expression)
    assert holds(f"not ({expression})")


def test_one_known_side_may_decide_in_spite_of_an_unknown_one() -> None:
    assert not holds("VLLM_X > 3 and tp == 5")
    assert not holds("tp == 5 and VLLM_X > 3")
    assert holds("VLLM_X > 3 or tp == 5")
    assert not holds("not (VLLM_X > 3 or tp == 2)")


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("tp / (pp - 4) > 1", "it divides by zero"),
        ("tp % (pp - 4) > 1", "it divides by zero"),
        ("kv_cache_dtype > 3", "not supported between"),
        ("kv_cache_dtype * 3 == 1", "'fp8' is text, not a number"),
        ("10 ** 10 ** 10 > tp", "more than 1024 bits"),
        ("(2 ** 1000) * (2 ** 1000) * 2 > tp", "more than 1024 bits"),
        ("10.0 ** 999 > tp", "too large"),
        ("(0 - tp) ** 0.5 > 1", "no real number"),
    ],
)
def test_what_has_no_value_excludes_the_candidate_and_says_why(expression: str, why: str) -> None:
    reason = constraints.compile(expression, NAMES).refusal(VALUES)
    assert reason is not None
    assert why in reason


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("max_num_seq > 3", "no parameter 'max_num_seq'; did you mean 'max_num_seqs'?"),
        ("zzz > 3", "no parameter 'zzz'; there are"),
        ("tp * pp", "neither yes nor no"),
        ("3", "neither yes nor no"),
        ("tp <=", "write it like tp * pp <= 4"),
        ("", "write it like"),
        ("tp = 4", "write it like"),
        ("tp <= 4; import os", "write it like"),
        ("tp && pp", "write it like"),
        ("tp\0 > 1", "write it like"),
        ("__import__('os').system('ls') == 0", "is not taken"),
        ("().__class__ == 1", "is not taken"),
        ("tp.real == 1", "is not taken"),
        ("[x for x in (1, 2)] == 1", "is not taken"),
        ("(lambda: 1)() == 1", "is not taken"),
        ("(tp := 3) == 3", "is not taken"),
        ("f'{tp}' == '2'", "is not taken"),
        ("tp if pp else 1 == 1", "neither yes nor no"),
        ("eval('1') == 1", "is not taken"),
        ("max(tp, *[1, 2]) == 1", "is not taken"),
        ("max(tp) == 1", "two values or more"),
        ("tp << 3 == 1", "is not taken"),
        ("tp is 3", "write =="),
        ("tp in 3", "needs a list"),
        ("1j == tp", "is not taken"),
        ("b'x' == tp", "is not taken"),
        ("None == tp", "is not taken"),
        (f"tp > {'9' * 600}", "500 are the limit"),
        ("tp in [" + "1," * 200 + "]", "more than 200 parts"),
        ("not " * 60 + "tp == 1", "nested deeper than 30"),
        ("(" * 240 + "tp == 1" + ")" * 240, "write it like"),
    ],
)
def test_what_is_no_constraint_is_refused_when_it_is_written(expression: str, why: str) -> None:
    with pytest.raises(InvalidSpecError) as caught:
        constraints.compile(expression, NAMES)
    assert why in str(caught.value)


def test_a_constraint_knows_the_parameters_it_names() -> None:
    assert constraints.compile("max_num_seqs > tp", NAMES).names == {"max-num-seqs", "tp"}


NUMBERS = st.integers(-20, 20)
ARITHMETIC = st.recursive(
    st.sampled_from(["a", "b"]) | NUMBERS.map(lambda n: f"({n})"),
    lambda inner: (
        st.builds(
            lambda left, op, right: f"({left} {op} {right})",
            inner,
            st.sampled_from(["+", "-", "*", "/", "//", "%"]),
            inner,
        )
        | st.builds(lambda name, x, y: f"{name}({x}, {y})", st.sampled_from(["min", "max"]), inner, inner)
    ),
    max_leaves=8,
)
COMPARISON = st.builds(
    lambda left, op, right: f"{left} {op} {right}",
    ARITHMETIC,
    st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
    ARITHMETIC,
)
LOGIC = st.recursive(
    COMPARISON,
    lambda inner: (
        st.builds(lambda x, op, y: f"({x} {op} {y})", inner, st.sampled_from(["and", "or"]), inner)
        | st.builds(lambda x: f"(not {x})", inner)
    ),
    max_leaves=4,
)


@settings(deadline=None)
@given(LOGIC, NUMBERS, NUMBERS)
def test_an_expression_means_what_it_means_in_python(expression: str, a: int, b: int) -> None:
    assume(len(expression) <= constraints.MAX_LENGTH and expression.count(" ") < 40)
    constraint = constraints.compile(expression, ["a", "b"])
    try:
        expected = bool(eval(expression, {"min": min, "max": max}, {"a": a, "b": b}))
    except ZeroDivisionError:
        expected = False
    assert (constraint.refusal({"a": a, "b": b}) is None) == expected


@settings(deadline=None)
@given(st.text(max_size=40) | st.text(alphabet="tp ()[]<>=!*/%+-.,'0179andornoti", max_size=60))
def test_any_text_is_a_constraint_or_refused(expression: str) -> None:
    with contextlib.suppress(InvalidSpecError):
        constraints.compile(expression, ["a"]).refusal({"tp": 2, "a": "x"})
