"""How much of a level's prompts an engine's prefix cache could answer, because they were sent before. Pure."""

import hashlib
import itertools
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tuner.analysis.formatting import percent

BLOCK_CHARACTERS = 64
"""Engines cache 16 tokens at a time, of about four characters each."""
WORTH_SAYING = 0.05
"""Part of the text: a level that shares less than this is hardly helped by a cache."""


@dataclass(frozen=True)
class Repeated:
    """What of the prompts of a level was sent before, in the same level."""

    prompts: int = 0
    equal: int = 0
    """Prompts that are exactly like an earlier one."""
    share: float = 0.0
    """Part of all text, 0 to 1, that is the beginning of an earlier prompt, in whole blocks; of equal ones, all."""

    @property
    def text(self) -> str | None:
        """As a sentence; None where there is too little to say."""
        if self.share < WORTH_SAYING:
            return None
        equal = f"{self.equal:,} of {self.prompts:,} prompts repeat an earlier one" if self.equal else ""
        begins = "prompts begin alike" if not equal else ""
        return f"{equal or begins}, so a prefix cache could answer {percent(self.share)} of the prompts' text"


def repeated(prompts: Iterable[str]) -> Repeated:
    """Of prompts in the order in which they are sent. Takes time and memory as the text is long."""
    whole: set[bytes] = set()
    beginnings: set[bytes] = set()
    count = equal = characters = known = 0
    for prompt in prompts:
        marks, mark = _beginnings(prompt)
        count, characters = count + 1, characters + len(prompt)
        if mark in whole:
            equal, known = equal + 1, known + len(prompt)
        else:
            known += BLOCK_CHARACTERS * sum(1 for _ in itertools.takewhile(beginnings.__contains__, marks))
        whole.add(mark)
        beginnings.update(marks)
    return Repeated(count, equal, known / characters if characters else 0.0)


def sent(prompts: Sequence[str], requests: int) -> Iterable[str]:
    """So many prompts, one after the other, from the beginning again where there are not enough."""
    return itertools.islice(itertools.cycle(prompts), requests)


def read(path: Path, most: int) -> list[str]:
    """The first prompts of a dataset that was fetched: a JSON list with an entry a line."""
    with path.open(encoding="ascii") as lines:
        entries = (line.rstrip(",\n") for line in lines)
        return [json.loads(entry) for entry in itertools.islice((one for one in entries if one[0] == '"'), most)]


def _beginnings(prompt: str) -> tuple[list[bytes], bytes]:
    """A mark for the text up to the end of each whole block, and one for all of it."""
    hashed = hashlib.blake2b(digest_size=16)
    marks = []
    for at in range(0, len(prompt), BLOCK_CHARACTERS):
        block = prompt[at : at + BLOCK_CHARACTERS]
        hashed.update(block.encode())
        if len(block) == BLOCK_CHARACTERS:
            marks.append(hashed.digest())
    return marks, hashed.digest()
