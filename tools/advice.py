"""What a result suggests trying next. Every sentence follows from the measurements; where nothing follows, none."""

from collections.abc import Iterator

from tuner.analysis.formatting import percent
from tuner.analysis.result import Result
from tuner.analysis.verdict import Outcome
from tuner.domain import Role, levels
from tuner.report import rows
from tuner.spec.values import Choice, Domain, Value

LITTLE = 0.05
"""A parameter that explains less of the differences than this may stay as it is."""
ENOUGH = 8
"""Candidates it takes to say so."""


def advice(result: Result) -> Iterator[str]:
    yield from _proof(result)
    yield from _budget(result)
    if result.winner is not None:
        yield from _edges(result, result.winner)
        yield from _load(result, result.winner)
    elif result.nearest is not None:
        yield from _missed(result, result.nearest)
    yield from _parameters(result)


def _proof(result: Result) -> Iterator[str]:
    confirm, verdict = result.spec.optimization.confirm, result.verdict
    match verdict.outcome:
        case Outcome.UNCONFIRMED if result.state.ended and confirm < 2:
            yield f"With confirm {confirm} nothing is proven; optimization.confirm 8 measures the best few anew."
        case Outcome.NO_DIFFERENCE | Outcome.SLO_TOO_CLOSE if verdict.launches_needed and verdict.needed_for:
            yield (
                f"To show a gain of {percent(verdict.needed_for)} takes about {verdict.launches_needed:,} launches at "
                "this noise (optimization.confirm); more requests a level make each of them quieter."
            )
        case Outcome.SLO_TOO_CLOSE:
            yield "Whether the SLO is met is too close to say; one with more room below it, or more rounds, would tell."
        case Outcome.NO_BASELINE:
            yield "There was no baseline; optimization.baseline true shows the gain over the engine's defaults."
        case Outcome.FAILED_AGAIN | Outcome.SLO_MISSED_AGAIN:
            yield "What was measured again did not hold up; configurations with more room are the ones to look for."
        case Outcome.WORSE_AGAIN:
            yield "The engine's defaults are better than what was measured again; other parameters may matter."
        case _:
            return


def _budget(result: Result) -> Iterator[str]:
    tried = sum(one.role is Role.CANDIDATE for one in result.experiments)
    if result.state.ended and tried >= result.spec.optimization.max_iterations:
        yield f"The search ended at its limit of {tried} candidates (optimization.max_iterations); there may be more."


def _edges(result: Result, winner: int) -> Iterator[str]:
    """The best value is the smallest or the largest that was allowed."""
    flat = result.experiment(winner).params.flat
    for name, domain in {**result.spec.parameters, **result.spec.environment}.items():
        numbers, value = _numbers(domain), flat.get(name)
        if len(numbers) < 2 or not isinstance(value, int | float) or isinstance(value, bool):
            continue
        for edge, word in ((max(numbers), "largest"), (min(numbers), "smallest")):
            if value == edge:
                yield f"The winner has {name} {rows.text(value)}, the {word} value given; nothing beyond it was tried."


def _load(result: Result, winner: int) -> Iterator[str]:
    points = [point for score in result.experiment(winner).scores[:1] for point in score.points]
    load = result.spec.benchmark
    asked = load.num_concurrency or load.request_rate
    highest = {levels(point.scenario, load.num_concurrency, load.request_rate)[-1] for point in points}
    if asked and points and result.objectives[0].metric.is_rate and {point.level for point in points} == highest:
        at = "concurrency" if load.num_concurrency else "a rate of"
        yield f"The winner is judged at {at} {max(asked):g}, the highest measured; it may give more at a higher one."


def _missed(result: Result, nearest: int) -> Iterator[str]:
    missed = [bound for bound in result.standing(nearest).bounds if bound.hard and not bound.met]
    load = result.spec.benchmark
    below = "A lighter load"
    if load.num_concurrency:
        below = f"Concurrencies below {min(load.num_concurrency)}"
    elif load.request_rate:
        below = f"Rates below {min(load.request_rate):g} requests/s"
    if missed:
        worst = max(missed, key=lambda bound: bound.excess)
        yield (
            f"No configuration holds {worst.name}; experiment {nearest} misses it by {percent(worst.excess)}. "
            f"{below} or a wider limit would have to show whether anything can."
        )


def _parameters(result: Result) -> Iterator[str]:
    judged = sum(one.role is Role.CANDIDATE and bool(one.scores) for one in result.experiments)
    for effect in result.effects:
        for value in effect.values:
            if value.failed == value.experiments >= 2 and any(other.relative is not None for other in effect.values):
                yield f"All {value.experiments} experiments with {effect.name} {rows.text(value.value)} failed."
        if judged >= ENOUGH and effect.importance is not None and effect.importance < LITTLE:
            yield f"{effect.name} explains {percent(effect.importance)} of the differences; it may be left out."


def _numbers(domain: Domain) -> list[float]:
    values: tuple[Value, ...]
    match domain:
        case bool() | int() | float() | str():
            return []
        case tuple():
            values = domain
        case Choice():
            values = domain.values
        case _:
            values = (domain.low, domain.high)
    return [float(one) for one in values if isinstance(one, int | float) and not isinstance(one, bool)]
