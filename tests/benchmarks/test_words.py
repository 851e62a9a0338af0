"""Prompts of a given number of tokens, by a tokenizer of one's own."""

import re
from collections.abc import Sequence

from tuner.benchmarks.words import Words, known

VOCABULARY = ["<s>", "\n", "12", *(f" {a}{b}" for a in "abcdefghij" for b in "klmnopqrst"), " a", "é"]


class Tokenizer:
    """One token for a known word with its space, else one for each character."""

    def get_vocab(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(VOCABULARY)}

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(VOCABULARY[one] for one in ids)

    def encode(self, text: str, add_special_tokens: bool) -> list[int]:
        return [0 for piece in re.findall(r" \w+|.", text) for _ in ([0] if piece in VOCABULARY else piece)]


def tokens(text: str) -> int:
    return len(Tokenizer().encode(f" {text}", add_special_tokens=False))


def test_a_prompt_has_the_tokens_that_were_asked_for() -> None:
    words = Words(known(Tokenizer()), seed=1)
    assert [tokens(words.text(count)) for count in (1, 2, 30, 500)] == [1, 2, 30, 500]


def test_prompts_are_distinct_and_the_same_for_the_same_seed() -> None:
    first, again, other = (Words(known(Tokenizer()), seed) for seed in (1, 1, 2))
    texts = [first.text(30) for _ in range(200)]
    assert len(set(texts)) == 200
    assert [again.text(30) for _ in range(200)] == texts
    assert other.text(30) not in texts


def test_the_shared_prefix_is_part_of_the_prompt() -> None:
    words = Words(known(Tokenizer()), 1, prefix_tokens=20)
    one, other = words.text(50).split(), words.text(50).split()
    assert one[:20] == other[:20]
    assert one[20:] != other[20:]
    assert len(one) == 50


def test_equal_blocks_of_a_trace_are_equal_text_and_the_rest_is_not() -> None:
    words = Words(known(Tokenizer()), 1)
    one, other = words.text(1200, [7, 8, 9]).split(), words.text(1500, [7, 8, 10]).split()
    assert (len(one), len(other)) == (1200, 1500)
    assert one[:1024] == other[:1024]
    assert one[1024:] != other[1024:1200]


def test_a_tokenizer_without_words_gives_letters() -> None:
    class Characters(Tokenizer):
        def encode(self, text: str, add_special_tokens: bool) -> list[int]:
            return [0] * len(text)

    assert known(Characters())[:2] == [" a", " b"]
