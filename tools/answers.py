"""What several tools answer with: experiments and bounds in numbers that carry their units, tables cut with a count."""

from tuner.analysis.formatting import described, duration, percent, statistic
from tuner.analysis.gains import SLOVerdict, change
from tuner.analysis.result import Bound, Result, Standing
from tuner.analysis.verdict import Outcome
from tuner.analysis.wording import slo_sentence
from tuner.domain import Experiment, ExperimentState, Role
from tuner.errors import FailureKind
from tuner.report import rows
from tuner.spec.objectives import Metric
from tuner.spec.values import Frozen, Value


class Margin(Frozen):
    """An SLO at the operating point."""

    slo: str
    limit: str
    actual: str
    margin: str
    """`18 % below the limit`."""
    met: bool
    hard: bool
    verdict: str | None = None
    """Over fresh measurements: `met`, `missed`, `too close to say`; none: measured once."""


class Row(Frozen):
    """One experiment among the others of its task."""

    experiment: int
    role: Role
    state: ExperimentState
    place: int | None = None
    """1 is the best; none where it cannot be ranked."""
    confirms: int | None = None
    parameters: dict[str, Value]
    """Those that tell the task's experiments apart; empty: the engine's defaults."""
    values: tuple[str, ...] = ()
    """One per objective."""
    against_baseline: tuple[str, ...] = ()
    """One per objective: what fresh measurements show, with the interval; else of one measurement each."""
    judged_at: str | None = None
    """The load level that counts."""
    slos: tuple[Margin, ...] = ()
    feasible: bool | None = None
    """It holds every hard SLO."""
    failure: FailureKind | None = None


def shown(count: int, total: int, offset: int = 0) -> str:
    """`20 of 143, offset 20 for more`."""
    if offset + count < total and count:
        return f"{count} of {total:,}, offset {offset + count} for more"
    return f"all {total:,}" if count == total else f"{count} of {total:,}"


def margin(bound: Bound) -> Margin:
    metric, _, which = bound.name.rpartition(".")
    side = "over" if bound.excess > 0 else "below"
    return Margin(
        slo=statistic(Metric(metric), which),
        limit=duration(bound.threshold_s),
        actual=duration(bound.actual_s),
        margin=f"{percent(abs(bound.excess))} {side} the limit",
        met=bound.met,
        hard=bound.hard,
        verdict=rows.held(bound) if bound.verdict else None,
    )


def slo_line(one: SLOVerdict) -> str:
    """`experiment 3: p90 time to first token 290 ms (270 ms to 312 ms), limit 300 ms: too close to say`."""
    return f"experiment {one.experiment}: {slo_sentence(one)}: {rows.HELD[one.verdict]}"


def row(result: Result, one: Experiment, names: list[str] | None = None) -> Row:
    """An experiment as a row; one that runs has no values yet.

    Args:
        names: of the parameters to name, by default those that tell the experiments apart.
    """
    named = rows.distinct(result) if names is None else names
    standing = _standing(result, one)
    return Row(
        experiment=one.number,
        role=one.role,
        state=one.state,
        place=standing.place if standing else None,
        confirms=one.confirms,
        parameters={name: one.params.flat[name] for name in named if name in one.params.flat},
        values=values(result, one),
        against_baseline=_against(result, standing),
        judged_at=rows.operating_point(one) or None,
        slos=tuple(map(margin, standing.bounds)) if standing else (),
        feasible=one.feasible if one.scores else None,
        failure=one.failure.kind if one.failure else None,
    )


def values(result: Result, one: Experiment) -> tuple[str, ...]:
    """`341 output tokens/s`, per objective; nothing where it was not judged."""
    return tuple(
        described(objective, score.value) for objective, score in zip(result.objectives, one.scores, strict=False)
    )


def sentence(result: Result) -> str:
    """The verdict, without the engine's own words: a reason for failing again is quoted elsewhere."""
    if result.verdict.outcome is Outcome.FAILED_AGAIN:
        return (
            f"Not proven: experiment {result.winner} won the search, but failed when it was measured again "
            "(get_experiment of that confirmation quotes why)."
        )
    return result.verdict.text


def _standing(result: Result, one: Experiment) -> Standing | None:
    return next((standing for standing in result.standings if standing.number == one.number), None)


def _against(result: Result, standing: Standing | None) -> tuple[str, ...]:
    if standing is None or standing.number == result.baseline:
        return ()
    if standing.against_baseline and standing.against_baseline[0].low is not None:
        return tuple(map(change, standing.against_baseline))
    return tuple(f"{percent(ratio - 1, signed=True)}, measured once" for ratio in standing.relative_to_baseline)
