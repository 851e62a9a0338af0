"""Prompts from a file or a URL, as a file that genai-bench reads: a JSON list of texts."""

import asyncio
import csv
import hashlib
import itertools
import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydantic import JsonValue

from tuner.benchmarks.archives import opened
from tuner.benchmarks.download import PUBLIC, Reach, RefusedError, download
from tuner.errors import InvalidSpecError, Problem, StorageError

log = logging.getLogger(__name__)

WHERE = "benchmark.dataset_url"
FIELDS = ("prompt", "messages", "request_body")
"""Where a prompt is looked for, in this order."""
Row = Mapping[str, JsonValue]


@dataclass(frozen=True)
class Limits:
    download_bytes: int = 2 * 2**30
    download_s: float = 300
    unpacked_bytes: int = 2**30
    prompts: int = 1_000_000
    line_bytes: int = 16 * 2**20


LIMITS = Limits()


async def fetch(
    url_or_path: str,
    cache: Path,
    *,
    deduplicate: bool,
    prompt_column: str | None,
    limits: Limits = LIMITS,
    reach: Reach = PUBLIC,
) -> Path:
    """A file of prompts in `cache`, made from a CSV or JSONL file, packed or not. Equal content is read only once.

    Args:
        url_or_path: http(s) URL; or a path, relative to the current folder.
        deduplicate: keep only the first of equal prompts.
        prompt_column: the field that holds the prompt; by default `prompt`, `messages` (the last one of the user) or
            `request_body` (a request as JSON, holding either).

    Raises:
        InvalidSpecError: no such file, a URL or content that is refused, no prompts in it.
        UnavailableError: the server did not answer, or not in time.
        StorageError: the cache cannot be written.
    """
    read = _Reader(deduplicate, prompt_column, limits)
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


def _from_path(path: Path, cache: Path, read: "_Reader") -> Path:
    try:
        if not path.is_file():
            raise RefusedError(f"There is no file {str(path)!r}; give the path of a CSV or JSONL file, or a URL.")
        if path.stat().st_size > read.limits.download_bytes:
            raise RefusedError(f"{path} is larger than {read.limits.download_bytes:,} bytes; take a sample of it.")
        content = path.open("rb")
    except OSError as error:
        raise RefusedError(f"{path} cannot be read: {error}") from error
    with content:
        return _convert(content, hashlib.file_digest(content, "sha256").hexdigest(), cache, read)


def _convert(content: BinaryIO, digest: str, cache: Path, read: "_Reader") -> Path:
    choices = json.dumps([digest, read.deduplicate, read.prompt_column])
    target = cache / f"{hashlib.sha256(choices.encode()).hexdigest()[:32]}.json"
    if target.exists():
        return target
    draft = target.with_suffix(f".{os.getpid()}.part")
    try:
        with opened(content, read.limits.unpacked_bytes) as data, draft.open("w", encoding="ascii") as out:
            count = 0
            for prompt in read.prompts(data):
                out.write(f"{',' if count else '['}\n{json.dumps(prompt)}")
                count += 1
            out.write("\n]\n")
        if not count:
            raise RefusedError("The dataset has no prompts: it is empty, or every prompt in it is.")
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    log.info("%d prompts in %s", count, target)
    return target


@dataclass(frozen=True)
class _Reader:
    """From the bytes of a CSV or JSONL file to prompts."""

    deduplicate: bool
    prompt_column: str | None
    limits: Limits

    def prompts(self, data: BinaryIO) -> Iterator[str]:
        seen: set[bytes] = set()
        count = 0
        for number, row in self._rows(data):
            prompt = self._prompt(number, row)
            if not prompt.strip():
                continue
            if self.deduplicate:
                mark = hashlib.blake2b(prompt.encode(), digest_size=16).digest()
                if mark in seen:
                    continue
                seen.add(mark)
            count += 1
            if count > self.limits.prompts:
                raise RefusedError(f"The dataset has more than {self.limits.prompts:,} prompts; take a sample of it.")
            yield prompt

    def _rows(self, data: BinaryIO) -> Iterator[tuple[int, Row]]:
        """Each with the number of its line: objects if the first line that says anything is one, else CSV."""
        lines = self._lines(data)
        first = next((line for line in lines if line[1].strip()), None)
        if first is None:
            raise RefusedError("The dataset is empty.")
        lines = itertools.chain([first], lines)
        return _objects(lines) if first[1].lstrip().startswith("{") else self._table(text for _, text in lines)

    def _lines(self, data: BinaryIO) -> Iterator[tuple[int, str]]:
        number = 0
        while line := data.readline(self.limits.line_bytes + 1):
            number += 1
            if len(line) > self.limits.line_bytes:
                raise RefusedError(f"Line {number} of the dataset is longer than {self.limits.line_bytes:,} bytes.")
            if b"\0" in line:
                raise RefusedError(f"Line {number} of the dataset is not text; give CSV or JSONL in UTF-8.")
            try:
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise RefusedError(f"Line {number} of the dataset is not UTF-8: {error.reason}.") from error

    def _table(self, lines: Iterator[str]) -> Iterator[tuple[int, Row]]:
        csv.field_size_limit(self.limits.line_bytes)
        table = csv.DictReader(lines, strict=True)
        try:
            for row in table:
                yield table.line_num, {name: value for name, value in row.items() if isinstance(name, str)}
        except csv.Error as error:
            raise RefusedError(f"Line {table.line_num} of the dataset is no CSV: {error}.") from error

    def _prompt(self, number: int, row: Row) -> str:
        """Empty where the row has the field and nothing in it."""
        names = (self.prompt_column,) if self.prompt_column else FIELDS
        name = next((name for name in names if row.get(name)), None) or next((n for n in names if n in row), None)
        if name is None:
            wanted = " or ".join(repr(name) for name in names)
            raise RefusedError(
                f"Line {number} of the dataset has no {wanted}; it has {', '.join(map(repr, row)) or 'nothing'}. "
                "Name the field in benchmark.dataset_prompt_column."
            )
        try:
            prompt = PROMPTS.get(name, _text)(row[name])
            prompt.encode()  # JSON can write halves of a character, which nobody can send
        except ValueError as error:
            raise RefusedError(f"Line {number} of the dataset has no usable {name!r}: {error}.") from error
        return prompt


def _objects(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, Row]]:
    for number, line in lines:
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise RefusedError(f"Line {number} of the dataset is no JSON: {error}.") from error
        if not isinstance(row, dict):
            raise RefusedError(f"Line {number} of the dataset is no JSON object.")
        yield number, row


def _text(value: JsonValue) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"it is {type(value).__name__}, not text")
    return value


def _last_of_user(value: JsonValue) -> str:
    messages = _unpacked(value)
    if not isinstance(messages, list):
        raise ValueError("it is no list of messages")
    said = [m.get("content") for m in messages if isinstance(m, dict) and m.get("role") == "user"]
    if not said:
        return ""
    if isinstance(said[-1], list):  # content in parts, of which some may be images
        parts = [part.get("text") for part in said[-1] if isinstance(part, dict) and part.get("type") == "text"]
        return "\n".join(_text(part) for part in parts)
    return _text(said[-1])


def _of_request(value: JsonValue) -> str:
    body = _unpacked(value)
    if not isinstance(body, dict):
        raise ValueError("it is no JSON object")
    if body.get("messages"):
        return _last_of_user(body["messages"])
    if "prompt" not in body:
        raise ValueError("it has neither messages nor a prompt")
    return _text(body["prompt"])


def _unpacked(value: JsonValue) -> JsonValue:
    """A CSV file holds JSON as text."""
    if not isinstance(value, str):
        return value
    try:
        unpacked: JsonValue = json.loads(value) if value.strip() else []
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return unpacked


PROMPTS: Mapping[str, Callable[[JsonValue], str]] = {"messages": _last_of_user, "request_body": _of_request}
"""How a prompt is taken out of a field; any other field holds it as text."""
