"""Prompts from a file or a URL, as files that a load generator reads: JSON lists of texts, in a seeded random order."""

import asyncio
import hashlib
import json
import logging
import random
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from pydantic import TypeAdapter, ValidationError

from tuner.benchmarks.archives import opened
from tuner.benchmarks.download import PUBLIC, Reach, RefusedError, download
from tuner.benchmarks.fields import FIELDS, Fields
from tuner.benchmarks.rows import rows
from tuner.errors import InvalidSpecError, Problem, StorageError

log = logging.getLogger(__name__)

WHERE, HOLDOUT = "benchmark.dataset_url", "benchmark.dataset_holdout"
LEAST_PART = 10
"""Distinct prompts in each part of a dataset that is split: fewer are no sample of anything."""
LAYOUT = 2
"""Of the files in the cache; raised when they are made in another way."""


@dataclass(frozen=True)
class Limits:
    download_bytes: int = 2 * 2**30
    download_s: float = 300
    unpacked_bytes: int = 2**30
    prompts: int = 1_000_000
    line_bytes: int = 16 * 2**20


LIMITS = Limits()


@dataclass(frozen=True)
class Choices:
    """What is made of a dataset."""

    deduplicate: bool = False
    """Keep only the first of equal prompts."""
    prompt_column: str | None = None
    """The field that holds the prompt; by default `prompt`, `messages` (the last one of the user), `request_body` or
    `body` (a request as JSON, holding either), `conversations` (the first message of the user)."""
    holdout: float | None = None
    """This part of the distinct prompts is set aside; None: all are in one file."""
    seed: int = 0
    """Of the order, and of what is set aside."""


@dataclass(frozen=True)
class Dataset:
    """The files of a dataset, in the cache, and what is known of them."""

    prompts: Path
    """A JSON list, one text a line."""
    count: int
    distinct: int
    held_out: Path | None = None
    """The part that is set aside: no prompt is in both."""
    held_out_distinct: int = 0
    notes: tuple[str, ...] = ()
    """What of the rows is not sent, in sentences."""


_STORED = TypeAdapter(Dataset)


async def fetch(
    url_or_path: str, cache: Path, choices: Choices, *, limits: Limits = LIMITS, reach: Reach = PUBLIC
) -> Dataset:
    """The prompts of a CSV or JSON file, packed or not. Equal content is read only once.

    Args:
        url_or_path: http(s) URL; or a path, relative to the current folder.

    Raises:
        InvalidSpecError: no such file, a URL or content that is refused, no prompts in it, too few to be split.
        UnavailableError: the server did not answer, or not in time.
        StorageError: the cache cannot be written.
    """
    read = _Reader(choices, limits)
    try:
        await asyncio.to_thread(cache.mkdir, parents=True, exist_ok=True)
        if "://" not in url_or_path:
            return await asyncio.to_thread(_from_path, Path(url_or_path).expanduser(), cache, read)
        with tempfile.TemporaryFile(dir=cache) as content:  # without a name: gone with us, however we go
            digest = await download(
                url_or_path, content, max_bytes=limits.download_bytes, time_limit_s=limits.download_s, reach=reach
            )
            return await asyncio.to_thread(_convert, content, digest, cache, read)
    except RefusedError as error:
        raise InvalidSpecError([Problem(str(error), WHERE)]) from error
    except OSError as error:
        message = f"The dataset cannot be kept in {cache}: {error}; make room, or set AUTOTUNER_HOME to another disk."
        raise StorageError(message) from error


def _from_path(path: Path, cache: Path, read: "_Reader") -> Dataset:
    try:
        if not path.is_file():
            raise RefusedError(f"There is no file {str(path)!r}; give the path of a CSV or JSON file, or a URL.")
        if path.stat().st_size > read.limits.download_bytes:
            raise RefusedError(f"{path} is larger than {read.limits.download_bytes:,} bytes; take a sample of it.")
        content = path.open("rb")
    except OSError as error:
        raise RefusedError(f"{path} cannot be read: {error}") from error
    with content:
        return _convert(content, hashlib.file_digest(content, "sha256").hexdigest(), cache, read)


def _convert(content: BinaryIO, digest: str, cache: Path, read: "_Reader") -> Dataset:
    """What was made of this content before, or is made now. `about.json` is written last."""
    mark = hashlib.sha256(f"{LAYOUT} {digest} {read.choices}".encode()).hexdigest()[:32]
    about = cache / f"{mark}.about.json"
    try:
        found = _STORED.validate_json(about.read_bytes())
    except (FileNotFoundError, ValidationError):
        found = None
    if found is not None and all(path.is_file() for path in (found.prompts, found.held_out) if path):
        return found
    with tempfile.TemporaryFile(dir=cache) as draft, opened(content, read.limits.unpacked_bytes) as data:
        made = _Draft(draft)
        for prompt in read.prompts(data):
            made.add(prompt)
        if not made.marks:
            raise RefusedError(
                f"The dataset has no prompts: it is empty, or every prompt in it is. {' '.join(read.notes)}".strip()
            )
        dataset = made.written(cache / mark, read.choices, read.notes)
    _replace(about, [_STORED.dump_json(dataset)])
    log.info("%d prompts in %s", dataset.count, dataset.prompts)
    return dataset


@dataclass
class _Draft:
    """Prompts in the order of the file, on disk; in memory only where each begins and which are equal."""

    file: BinaryIO
    starts: "array[int]" = field(default_factory=lambda: array("Q", [0]))
    marks: list[bytes] = field(default_factory=list)

    def add(self, prompt: str) -> None:
        line = json.dumps(prompt).encode()
        self.file.write(line)
        self.starts.append(self.starts[-1] + len(line))
        self.marks.append(_mark(prompt))

    def written(self, path: Path, choices: Choices, notes: tuple[str, ...]) -> Dataset:
        """The prompts, shuffled, in one file or in two."""
        order = list(range(len(self.marks)))
        random.Random(choices.seed).shuffle(order)  # noqa: S311 - to be repeated, not to be secret
        distinct = list(dict.fromkeys(self.marks[number] for number in order))
        aside = set(distinct[: _aside(len(distinct), choices.holdout)])
        kept = path.with_name(f"{path.name}.json")
        self._write(kept, [number for number in order if self.marks[number] not in aside])
        held_out = path.with_name(f"{path.name}.held-out.json") if aside else None
        if held_out is not None:
            self._write(held_out, [number for number in order if self.marks[number] in aside])
        count = sum(mark not in aside for mark in self.marks)
        return Dataset(kept, count, len(distinct) - len(aside), held_out, len(aside), notes)

    def _write(self, path: Path, numbers: Sequence[int]) -> None:
        _replace(path, self._lines(numbers))

    def _lines(self, numbers: Sequence[int]) -> Iterator[bytes]:
        for place, number in enumerate(numbers):
            self.file.seek(self.starts[number])
            yield b",\n" if place else b"[\n"
            yield self.file.read(self.starts[number + 1] - self.starts[number])
        yield b"\n]\n"


def _aside(distinct: int, holdout: float | None) -> int:
    """How many prompts are set aside.

    Raises:
        InvalidSpecError: a part would have too few.
    """
    if holdout is None:
        return 0
    aside = round(holdout * distinct)
    if min(aside, distinct - aside) >= LEAST_PART:
        return aside
    message = (
        f"{holdout:g} of {distinct} distinct prompts leaves {distinct - aside} to tune on and {aside} to confirm on; "
        f"each part needs at least {LEAST_PART}: give more prompts, or another part"
    )
    raise InvalidSpecError([Problem(message, HOLDOUT)])


def _mark(prompt: str) -> bytes:
    return hashlib.blake2b(prompt.encode(), digest_size=16).digest()


def _replace(path: Path, parts: Iterable[bytes]) -> None:
    draft = tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False)  # noqa: SIM115
    try:
        with draft:
            draft.writelines(parts)
        Path(draft.name).replace(path)
    finally:
        Path(draft.name).unlink(missing_ok=True)


class _Reader:
    """From the bytes of a file to prompts."""

    def __init__(self, choices: Choices, limits: Limits) -> None:
        self.choices, self.limits = choices, limits
        self.fields = Fields((choices.prompt_column,) if choices.prompt_column else FIELDS)
        self.seen = 0
        """Rows so far."""

    def prompts(self, data: BinaryIO) -> Iterator[str]:
        known: set[bytes] = set()
        count = 0
        for line, row in rows(data, self.fields.names, self.limits.line_bytes):
            self.seen += 1
            prompt = self.fields.prompt(line, row)
            if not prompt.strip() or (self.choices.deduplicate and _mark(prompt) in known):
                continue
            if self.choices.deduplicate:
                known.add(_mark(prompt))
            count += 1
            if count > self.limits.prompts:
                raise RefusedError(f"The dataset has more than {self.limits.prompts:,} prompts; take a sample of it.")
            yield prompt

    @property
    def notes(self) -> tuple[str, ...]:
        return self.fields.notes(self.seen)
