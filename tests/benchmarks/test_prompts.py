"""What a prefix cache could answer, held against a cache that is played block by block."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.benchmarks.prompts import BLOCK_CHARACTERS, Repeated, repeated, sent

LONG = "x" * BLOCK_CHARACTERS * 3
OTHER = "y" * BLOCK_CHARACTERS * 3


@pytest.mark.parametrize(
    ("prompts", "expected"),
    [
        ([], Repeated()),
        ([""], Repeated(1)),
        (["a", "b"], Repeated(2)),
        (["a", "a"], Repeated(2, 1, 0.5)),
        ([LONG, OTHER, LONG, OTHER], Repeated(4, 2, 0.5)),
        ([LONG, LONG[:BLOCK_CHARACTERS] + "z" * BLOCK_CHARACTERS], Repeated(2, 0, 1 / 5)),
        ([LONG, "z" + LONG], Repeated(2)),
        ([LONG[: BLOCK_CHARACTERS - 1], LONG], Repeated(2)),
    ],
    ids=["none", "empty", "unlike", "equal", "in turn", "begin alike", "end alike", "less than a block"],
)
def test_what_was_sent_before_is_counted(prompts: list[str], expected: Repeated) -> None:
    found = repeated(prompts)
    assert (found.prompts, found.equal) == (expected.prompts, expected.equal)
    assert found.share == pytest.approx(expected.share)


def common(one: str, other: str) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


@given(st.lists(st.text("ab", max_size=300).map(lambda text: text.replace("b", "b" * BLOCK_CHARACTERS)), max_size=12))
def test_no_more_is_counted_than_the_longest_common_beginning(prompts: list[str]) -> None:
    known = least = 0
    for number, prompt in enumerate(prompts):
        longest = max((common(prompt, other) for other in prompts[:number]), default=0)
        known += longest
        least += longest if prompt in prompts[:number] else longest // BLOCK_CHARACTERS * BLOCK_CHARACTERS
    characters = sum(map(len, prompts))
    share = repeated(prompts).share
    assert share * characters == pytest.approx(least)
    assert share * characters <= known + 1e-6


def test_a_dataset_that_is_too_short_is_sent_again() -> None:
    assert [*sent(["a", "b", "c"], 5)] == ["a", "b", "c", "a", "b"]
    assert repeated(sent(["a", "b", "c"], 3)).equal == 0
    assert repeated(sent(["a", "b", "c"], 12)).share == pytest.approx(0.75)


def test_it_is_said_in_a_sentence_where_it_matters() -> None:
    assert Repeated(100, 0, 0.04).text is None
    assert Repeated(100, 0, 0.2).text == "prompts begin alike, so a prefix cache could answer 20 % of the prompts' text"
    assert (
        Repeated(1000, 900, 0.9).text
        == "900 of 1,000 prompts repeat an earlier one, so a prefix cache could answer 90 % of the prompts' text"
    )
