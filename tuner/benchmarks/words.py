"""Prompts of a given number of tokens. Standard library only: load generators' own interpreters run it, by its path.

A prompt is a draw of words that are one token each, wherever they stand, so that its length is known without asking the
tokenizer again. Nothing repeats by chance: of 30 words and more, no two prompts are alike.
"""

import random
from collections.abc import Sequence
from typing import Any

KNOWN = 2000
"""Words to draw from."""
BLOCK_TOKENS = 512
"""Of a trace's block (`traces.BLOCK_TOKENS`)."""


class Words:
    """The text of a level: the same for the same seed."""

    def __init__(self, known: Sequence[str], seed: int, prefix_tokens: int = 0) -> None:
        self.known, self.seed, self.chance = known, seed, random.Random(seed)  # noqa: S311
        self.prefix = self._draw(random.Random(f"{seed} prefix"), prefix_tokens)  # noqa: S311
        self.blocks: dict[int, list[str]] = {}

    def text(self, tokens: int, hash_ids: Sequence[int] = ()) -> str:
        """A prompt of that many tokens, the shared prefix or the blocks of a trace included."""
        words = [word for one in hash_ids for word in self._block(one)] or self.prefix
        words = words[:tokens]
        return "".join([*words, *self._draw(self.chance, tokens - len(words))]).strip()

    def _block(self, one: int) -> list[str]:
        if one not in self.blocks:
            self.blocks[one] = self._draw(random.Random(f"{self.seed} {one}"), BLOCK_TOKENS)  # noqa: S311
        return self.blocks[one]

    def _draw(self, chance: random.Random, count: int) -> list[str]:
        return chance.choices(self.known, k=count) if count > 0 else []


def known(tokenizer: Any) -> list[str]:
    """Words with the space before them, each of which is one token wherever it stands between others.

    Of a tokenizer without such words (one that goes by characters), single letters.
    """
    chance, found = random.Random(0), []  # noqa: S311
    ids = sorted(tokenizer.get_vocab().values())
    for one in chance.sample(ids, len(ids)):
        text = tokenizer.decode([one])
        word = " " + text.strip()
        if not (text.strip().isascii() and text.strip().isalpha()):
            continue
        if len(tokenizer.encode(f" a{word}{word}", add_special_tokens=False)) == 3:
            found.append(word)
        if len(found) == KNOWN:
            break
    return found or [f" {letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
