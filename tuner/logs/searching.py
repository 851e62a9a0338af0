"""The end of a log, or what is found in it, for whoever asks: bounded in time and memory."""

import asyncio
import json
import re
import sys
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tuner.errors import InvalidSpecError, NotFoundError, Problem, UnavailableError
from tuner.logs.cleaning import clean
from tuner.logs.tail import LogExcerpt, ending

MOST_LINES = 10_000
SEARCH_BYTES = 64 * 2**20
SEARCH_S = 5.0

REGEX = re.compile(r"/(.+)/(i?)", re.DOTALL)
PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from tuner.logs import search_program; search_program.main()"
ROOT = Path(__file__).parents[2]


async def excerpt(path: Path, *, lines: int, search: str | None) -> LogExcerpt:
    """The last lines of a log, or of those lines that match.

    Args:
        search: text in any case, or /a regular expression/, or /one in any case/i.

    Raises:
        NotFoundError: there is no such log any more.
        InvalidSpecError: the regular expression is none.
        UnavailableError: the search took too long.
    """
    if not 1 <= lines <= MOST_LINES:
        raise InvalidSpecError([Problem(f"{lines} lines; 1 to {MOST_LINES:,} can be had at once", "lines")])
    if search:
        return await _search(path, lines, search)
    try:
        return await asyncio.to_thread(ending, path, lines)
    except FileNotFoundError:
        raise NotFoundError(f"The log {path.name} is gone.") from None


class Found(BaseModel):
    """What the program says."""

    model_config = ConfigDict(frozen=True)

    lines: tuple[str, ...]
    matches: int
    position: int
    cut: bool


async def _search(path: Path, lines: int, search: str) -> LogExcerpt:
    pattern, ignore_case = _pattern(search)
    order = {"path": str(path), "pattern": pattern, "ignore_case": ignore_case}
    limits = {"lines": lines, "max_bytes": SEARCH_BYTES}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", "-c", PROGRAM, str(ROOT)),
        stdin=pipe,
        stdout=pipe,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(SEARCH_S):
            said, _ = await process.communicate(json.dumps({**order, **limits}).encode())
    except TimeoutError:
        raise UnavailableError(
            f"The search for {search!r:.60} took more than {SEARCH_S:g} s; search for plain text, or without nested "
            "repetitions."
        ) from None
    finally:
        if process.returncode is None:
            process.kill()
            await asyncio.shield(process.wait())
    if process.returncode != 0:
        raise NotFoundError(f"The log {path.name} is gone, or cannot be read.")
    found = Found.model_validate_json(said)
    return LogExcerpt(
        lines=tuple(clean(line) for line in found.lines),
        position=found.position,
        truncated=found.cut or found.matches > len(found.lines),
        matches=found.matches,
    )


def _pattern(search: str) -> tuple[str, bool]:
    """As a regular expression, and whether case is ignored."""
    if len(search) > 1000:
        raise InvalidSpecError([Problem(f"{len(search)} characters to search for; 1000 are the limit", "search")])
    if (expression := REGEX.fullmatch(search)) is None:
        return re.escape(search), True
    try:
        re.compile(expression[1])
    except (re.error, OverflowError, RecursionError) as error:
        said = f"{search!r:.60} is no regular expression: {error}; leave the slashes out to search for plain text"
        raise InvalidSpecError([Problem(said, "search")]) from None
    return expression[1], bool(expression[2])
