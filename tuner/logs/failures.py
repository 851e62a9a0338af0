"""Why a server failed, from how it ended and what it printed last."""

import re
import signal
from collections.abc import Iterable, Sequence

from tuner.domain import Failure
from tuner.errors import FailureKind
from tuner.logs.cleaning import clean
from tuner.protocols import FailurePattern

COMMON: tuple[FailurePattern, ...] = (
    FailurePattern(
        r"error: (?:argument |unrecognized arguments|ambiguous option|the following arguments are required)",
        FailureKind.INVALID_FLAG,
    ),
    FailurePattern(
        r"out of memory|OutOfMemory|\bMemoryError\b|std::bad_alloc|Cannot allocate memory", FailureKind.OUT_OF_MEMORY
    ),
    FailurePattern(r"(?i)address already in use|EADDRINUSE", FailureKind.INFRASTRUCTURE),
    FailurePattern(r"No space left on device|Disk quota exceeded|Read-only file system", FailureKind.INFRASTRUCTURE),
    FailurePattern(
        r"NVIDIA driver|no CUDA-capable device|CUDA error: .*(?:busy|unavailable)", FailureKind.INFRASTRUCTURE
    ),
)
"""What every engine in Python prints alike."""

LINES = 8

_FATAL = (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGINT)

_PREFIX = re.compile(r"^(?:\([\w-]+ pid=\d+\)\s*)?(?:(?:ERROR|CRITICAL) [\d:. -]+ \[[^\]]*\]\s*)?")
_EXCEPTION = re.compile(
    r"^(?:[\w.]+\.)?[A-Z]\w*(?:Error|Exception|Exit|Interrupt)\b(?::|$)|^(?:error|fatal)\b", re.IGNORECASE
)
_FRAME = re.compile(r"^(?:Traceback \(|File \"|\^{2,}|~+\^|During handling of|The above exception)")
_POINTER = re.compile(r"See (?:root cause|stack trace) above|check (?:the )?stack trace", re.IGNORECASE)
"""An exception that only says that another one, printed before it, is the cause."""


def classify(
    patterns: Sequence[FailurePattern], *, exit_code: int | None, out_of_memory: bool, lines: Sequence[str]
) -> Failure:
    """What went wrong: the word of the operating system first, then the first pattern that some line matches.

    Args:
        patterns: of the engine; `COMMON` is asked after them.
        exit_code: negative for a signal; None while it still runs.
        out_of_memory: the operating system says that it killed the server for its memory.
        lines: the end of its log (`tail`).
    """
    shown = [line for line in (clean(line) for line in lines) if line.strip()]
    if out_of_memory:
        how = "The operating system killed it for using too much memory."
        return Failure(kind=FailureKind.OUT_OF_MEMORY, message=how, lines=tuple(shown[-LINES:]))
    for pattern in (*patterns, *COMMON):
        for index, line in enumerate(shown):
            if re.search(pattern.regex, _bare(line)):
                return _failure(pattern.kind, exit_code, shown, index)
    causes = [index for index, line in enumerate(shown) if _EXCEPTION.search(_bare(line)) and not _POINTER.search(line)]
    return _failure(FailureKind.CRASHED, exit_code, shown, causes[-1] if causes else None)


def _failure(kind: FailureKind, exit_code: int | None, lines: list[str], cause: int | None) -> Failure:
    if cause is None:
        return Failure(kind=kind, message=f"{_ending(exit_code)}.", lines=tuple(lines[-LINES:]))
    message = f"{_ending(exit_code)}: {_bare(lines[cause]).strip()}"
    return Failure(kind=kind, message=message, lines=tuple(_from(lines, cause)))


def _from(lines: list[str], cause: int) -> Iterable[str]:
    """The line itself and what explains it below, until the next traceback begins."""
    yield lines[cause]
    for line in lines[cause + 1 : cause + LINES]:
        if _FRAME.search(_bare(line).strip()):
            return
        yield line


def _bare(line: str) -> str:
    """Without the process and place that an engine's logger puts before the text."""
    return _PREFIX.sub("", line, count=1)


def _ending(exit_code: int | None) -> str:
    if exit_code is None:
        return "It runs, but reports a failure"
    # A shell or a container reports death by a signal as 128 and the signal's number.
    number = -exit_code if exit_code < 0 else exit_code - 128
    if number in _FATAL:
        return f"Killed by {signal.Signals(number).name}"
    return f"Killed by signal {number}" if exit_code < 0 else f"Exited with code {exit_code}"
