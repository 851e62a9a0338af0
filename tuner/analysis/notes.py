"""What to know of a task's numbers: the notes of its load levels, equal ones together. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence

from tuner.analysis.formatting import NAMES
from tuner.domain import Experiment, LoadPoint
from tuner.spec.objectives import Metric
from tuner.spec.values import Frozen

NUMBER = re.compile(r"\d+(?:,\d+)*(?:\.\d+)?")
MOST_PLACES = 8
"""Load levels and runs of experiments that are named; the tables of levels have all of them."""


class Note(Frozen):
    """A sentence about some load levels. Where it is told of several with other numbers, it has them from … to …."""

    text: str
    levels: int
    """How many load levels it is about."""
    where: str
    """Which ones: `D(100,100) × 8 of experiments 0 to 3, 5`."""


def notes(experiments: Iterable[Experiment]) -> tuple[Note, ...]:
    """Of all load levels that count, what is told of most of them first."""
    told: dict[str, list[tuple[str, Experiment, LoadPoint]]] = {}
    for one in experiments:
        for point in one.points:
            for text in of_level(point) if point.valid else ():
                told.setdefault(NUMBER.sub("#", text), []).append((text, one, point))
    grouped = [
        Note(
            text=_joined([text for text, _, _ in same]),
            levels=len(same),
            where=_where([(one.number, point.name) for _, one, point in same]),
        )
        for same in told.values()
    ]
    return tuple(sorted(grouped, key=lambda note: -note.levels))


def of_level(point: LoadPoint) -> Iterator[str]:
    """Everything to know of a level that counts, each a sentence."""
    yield from point.notes
    if refused := point.failed - point.unanswered:
        yield f"{refused} of {point.requests} requests failed."
    if point.unanswered:
        yield f"{point.unanswered} of {point.requests} requests were never answered; they count as failed."
    for metric, why in point.missing.items():
        yield f"No {NAMES[Metric(metric)]}: {why}"


def _joined(texts: Sequence[str]) -> str:
    """One sentence for texts that differ in their numbers at most: `5 to 12 of 100 requests failed.`"""
    columns = zip(*(NUMBER.findall(text) for text in texts), strict=True)
    ranges = iter([_range(column) for column in columns])
    return NUMBER.sub(lambda _: next(ranges), texts[0])


def _range(numbers: Sequence[str]) -> str:
    ordered = sorted(set(numbers), key=lambda text: float(text.replace(",", "")))
    return ordered[0] if len(ordered) == 1 else f"{ordered[0]} to {ordered[-1]}"


def _where(places: Sequence[tuple[int, str]]) -> str:
    """By load level; those of the same experiments share their mention."""
    by_level: dict[str, list[int]] = {}
    for number, level in places:
        by_level.setdefault(level, []).append(number)
    by_numbers: dict[tuple[int, ...], list[str]] = {}
    for level, numbers in by_level.items():
        by_numbers.setdefault(tuple(sorted(numbers)), []).append(level)
    return "; ".join(_few(_named(levels, numbers) for numbers, levels in by_numbers.items()))


def _named(levels: Sequence[str], numbers: Sequence[int]) -> str:
    who = "experiment" if len(numbers) == 1 else "experiments"
    return f"{', '.join(_few(levels))} of {who} {', '.join(_few(_runs(numbers)))}"


def _runs(numbers: Sequence[int]) -> Iterator[str]:
    """`0 to 3`, `5`: numbers in rising order, those in a row together."""
    first = last = numbers[0]
    for number in [*numbers[1:], None]:
        if number is not None and number == last + 1:
            last = number
            continue
        yield f"{first}" if first == last else f"{first} to {last}" if last > first + 1 else f"{first}, {last}"
        if number is not None:
            first = last = number


def _few(parts: Iterable[str]) -> list[str]:
    every = list(parts)
    more = len(every) - MOST_PLACES
    return every if more <= 0 else [*every[:MOST_PLACES], f"{more:,} more"]
