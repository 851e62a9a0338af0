"""Rows of a data file: JSON values in whatever layout, or a table. One at a time, so that no file is held whole."""

import codecs
import csv
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import BinaryIO

from pydantic import JsonValue

from tuner.benchmarks.download import RefusedError

Numbered = Iterator[tuple[int, JsonValue]]
"""Each with the number of the line that it ends on (CSV) or begins on (JSON)."""

CHUNK = 2**16
SPACE = re.compile(r"[ \t\r\n]*")
DELIMITERS = (",", "\t", ";")
"""Of a table: the first of these that its header has."""
_DECODER = json.JSONDecoder()


def rows(data: BinaryIO, fields: Sequence[str], most_bytes: int) -> Numbered:
    """Objects, or bare texts of a JSON list.

    JSON may be an object a line, objects one after the other, or a list of them, written in one line or over many. A
    file that is one object may hold its rows in a list (`data: […]`), or its columns (`prompt: […]`). Anything else is
    a table with a header.

    Args:
        fields: where a row has its prompt.
        most_bytes: of one line, or of one row.

    Raises:
        RefusedError: it is none of these. Also later, while it is read.
    """
    read_line = partial(data.readline, most_bytes + 1)
    number, head = 1, read_line().removeprefix(codecs.BOM_UTF8)
    while head and not head.strip():
        number, head = number + 1, read_line()
    if not head:
        raise RefusedError("The dataset is empty.")
    begins = head.lstrip()[:1]
    if begins == b"[" or (begins == b"{" and len(head) <= most_bytes and not _is_json(head)):
        pieces = itertools.chain([head], iter(partial(data.read, CHUNK), b""))
        return _unwrapped(_values(_Scanner(_texts(pieces), number, most_bytes)), fields)
    lines = _lines(itertools.chain([head], iter(read_line, b"")), number, most_bytes)
    if begins == b"{":
        return _unwrapped(_by_line(lines), fields)
    return _table((text for _, text in lines), most_bytes)


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _lines(raw: Iterable[bytes], number: int, most_bytes: int) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(raw, start=number):  # noqa: B020 - counted on from the first
        if len(line) > most_bytes:
            raise RefusedError(f"Line {number} of the dataset is longer than {most_bytes:,} bytes.")
        if b"\0" in line:
            raise RefusedError(f"Line {number} of the dataset is not text; give CSV or JSON in UTF-8.")
        try:
            yield number, line.decode()
        except UnicodeDecodeError as error:
            raise RefusedError(f"Line {number} of the dataset is not UTF-8: {error.reason}.") from error


def _texts(pieces: Iterable[bytes]) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for piece in pieces:
            yield decoder.decode(piece)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise RefusedError(f"The dataset is not UTF-8: {error.reason}.") from error


def _by_line(lines: Iterable[tuple[int, str]]) -> Numbered:
    for number, line in lines:
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise RefusedError(f"Line {number} of the dataset is no JSON: {error}.") from error
        if not isinstance(value, dict):
            raise RefusedError(f"Line {number} of the dataset is no JSON object.")
        yield number, value


class _Scanner:
    """JSON values in a text that comes piece by piece."""

    def __init__(self, pieces: Iterator[str], line: int, most: int) -> None:
        self.pieces, self.line, self.most = pieces, line, most
        self.text, self.at = "", 0

    def next(self) -> str:
        """The next character that is no white space; empty at the end. It is not taken."""
        while True:
            space = SPACE.match(self.text, self.at)
            assert space is not None
            self._take(space.end())
            if self.at < len(self.text):
                return self.text[self.at]
            if not self._more():
                return ""

    def take(self) -> None:
        """The character that `next` showed."""
        self._take(self.at + 1)

    def value(self) -> JsonValue:
        while True:
            try:
                value, end = _DECODER.raw_decode(self.text, self.at)
            except RecursionError as error:
                raise self.refused("it is nested too deeply") from error
            except json.JSONDecodeError as error:  # its end may only not be here yet
                if len(self.text) - self.at > self.most:
                    message = f"What begins on line {self.line} of the dataset is longer than {self.most:,} bytes."
                    raise RefusedError(message) from error
                if not self._more():
                    raise self.refused(error.msg, self.text.count("\n", self.at, error.pos)) from error
                continue
            self._take(end)
            return value  # type: ignore[no-any-return]

    def refused(self, why: str, lines_on: int = 0) -> RefusedError:
        return RefusedError(f"Line {self.line + lines_on} of the dataset is no JSON: {why}.")

    def _take(self, end: int) -> None:
        self.line += self.text.count("\n", self.at, end)
        self.at = end

    def _more(self) -> bool:
        """As much again as there is, so that a long value is not parsed over and over; False: that was all."""
        left = self.text[self.at :]
        parts, wanted = [left], max(CHUNK, len(left))
        for piece in self.pieces:
            parts.append(piece)
            wanted -= len(piece)
            if wanted <= 0:
                break
        self.text, self.at = "".join(parts), 0
        return len(self.text) > len(left)


def _values(scanner: _Scanner) -> Numbered:
    """One after the other; of a list, its entries."""
    while begins := scanner.next():
        line = scanner.line
        if begins != "[":
            yield line, scanner.value()
            continue
        scanner.take()
        yield from _entries(scanner)


def _entries(scanner: _Scanner) -> Numbered:
    while (begins := scanner.next()) != "]":
        line = scanner.line
        if not begins:
            raise scanner.refused("its list does not end")
        yield line, scanner.value()
        if (after := scanner.next()) == ",":
            scanner.take()
        elif after != "]":
            raise scanner.refused("there must be a comma between two entries of its list")
    scanner.take()


def _unwrapped(values: Numbered, fields: Sequence[str]) -> Numbered:
    """The same values; of a single object that holds rows or columns, its rows."""
    first, second = next(values, None), next(values, None)
    if first is not None and second is None and isinstance(first[1], dict):
        yield from ((first[0], row) for row in _rows_of(first[1], fields))
        return
    yield from (one for one in (first, second) if one is not None)
    yield from values


def _rows_of(whole: dict[str, JsonValue], fields: Sequence[str]) -> Iterator[JsonValue]:
    found = next((whole[name] for name in fields if whole.get(name)), None)
    columns = {name: column for name, value in whole.items() if (column := _column(value)) is not None}
    tables = [column for column in columns.values() if column and all(isinstance(entry, dict) for entry in column)]
    if (wanted := _column(found)) is not None:
        level = {name: column for name, column in columns.items() if len(column) == len(wanted)}
        for entries in zip(*level.values(), strict=True):
            yield dict(zip(level, entries, strict=True))
    elif found is None and len(tables) == 1:
        yield from tables[0]
    else:
        yield whole


def _column(value: JsonValue) -> list[JsonValue] | None:
    """A list, also where it is written as an object with numbers for keys; None: anything else, messages included."""
    if isinstance(value, dict) and value and all(key.isdecimal() for key in value):
        value = [*value.values()]
    if not isinstance(value, list):
        return None
    messages = any(isinstance(entry, dict) and ("role" in entry or "from" in entry) for entry in value)
    return None if messages else value


def _table(lines: Iterator[str], most_bytes: int) -> Numbered:
    csv.field_size_limit(most_bytes)
    first = next(lines)
    delimiter = next((one for one in DELIMITERS if one in first), ",")
    table = csv.reader(itertools.chain([first], lines), strict=True, delimiter=delimiter)
    try:
        header = next(table)
        if twice := sorted({name for name in header if header.count(name) > 1}):
            raise RefusedError(f"The dataset names a column twice: {', '.join(map(repr, twice))}; rename one.")
        for row in table:
            if row and len(row) != len(header):
                raise RefusedError(_uneven(table.line_num, len(row), len(header)))
            if row:
                yield table.line_num, dict(zip(header, row, strict=True))
    except csv.Error as error:
        raise RefusedError(f"Line {table.line_num} of the dataset is no CSV: {error}.") from error


def _uneven(line: int, fields: int, columns: int) -> str:
    says = f"Line {line} of the dataset has {fields} field{'s' * (fields != 1)}, and its header names {columns}"
    return f"{says}: put a prompt with commas or line breaks in quotes."
