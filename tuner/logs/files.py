"""The files of one log: it is written to the last one, and what was set aside before stands beside it, numbered."""

from pathlib import Path


def set_aside(log: Path) -> None:
    """Keeps the log of an earlier start, `engine.1.log`: what it says explains no later end."""
    if log.exists():
        log.rename(log.with_name(f"{log.stem}.{len(_aside(log)) + 1}{log.suffix}"))


def series(log: Path) -> list[Path]:
    """From the oldest that was set aside to the one that is written now, which may not be there."""
    return [*sorted(_aside(log), key=lambda path: int(path.stem.rpartition(".")[2])), log]


def _aside(log: Path) -> list[Path]:
    numbered = log.parent.glob(f"{log.stem}.*{log.suffix}")
    return [path for path in numbered if path.stem.rpartition(".")[2].isdecimal()]
