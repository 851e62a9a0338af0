"""Why a task came out as it did: computed facts only."""

from tools.advice import advice
from tools.answers import Margin, Row, margin, row, sentence, slo_line
from tools.arguments import Ref
from tools.context import Runtime
from tools.tool import tool
from tools.untrusted import Quoted, quoted
from tuner.analysis.effects import Effect
from tuner.analysis.formatting import percent
from tuner.analysis.gains import Gain, change
from tuner.analysis.result import Result
from tuner.analysis.verdict import Outcome
from tuner.domain import Experiment, TaskState
from tuner.errors import FailureKind
from tuner.report import rows
from tuner.spec.values import Frozen

MOST = 8
"""Parameters, values of each, and kinds of failure that are told of."""
QUOTE = 1_500


class GainAnswer(Frozen):
    gain: str
    """With its 95 % interval, or that no difference is shown."""
    shown: bool
    """The interval lies beyond the least gain that counts; else this is no gain, whatever its middle is."""
    measured: str


class ValueEffect(Frozen):
    value: str
    of_best: str | None = None
    """Median score of its experiments against the best experiment, 100 %; none: all of them failed."""
    experiments: int
    failed: int


class EffectAnswer(Frozen):
    parameter: str
    explains: str | None = None
    """Of the variance of scores, by itself; none: too few experiments."""
    values: tuple[ValueEffect, ...]


class FailureAnswer(Frozen):
    kind: FailureKind
    experiments: tuple[int, ...]
    count: int
    lines: Quoted
    """Of the first of them."""


class Explanation(Frozen):
    task: str
    name: str
    state: TaskState
    simulated: bool | None = None
    outcome: Outcome
    proven: bool
    headline: str
    verdict: str
    noise: str | None = None
    """From run to run, of fresh measurements."""
    visible_gain: str | None = None
    """What such a race would have shown at this noise."""
    slos: tuple[str, ...] = ()
    """Of winner and baseline over fresh measurements: met, missed, or too close to say."""
    error: Quoted | None = None
    """What ended the task before its time."""
    gains: tuple[GainAnswer, ...]
    best: Row | None = None
    baseline: Row | None = None
    binding: Margin | None = None
    """The SLO closest to its limit, or furthest past it, for the best."""
    effects: tuple[EffectAnswer, ...]
    """The most important first. Parameters that matter only together both look small."""
    failures: tuple[FailureAnswer, ...]
    notes: tuple[str, ...] = ()
    """What to know of the measured numbers, and of which load levels; tell it where it bears on the answer."""
    drift: str | None = None
    """How the baseline moved from its first measurement to its last; none: it was measured once."""
    next: tuple[str, ...]
    """What the measurements suggest trying."""


@tool(untrusted=True)
async def explain_result(runtime: Runtime, task: Ref) -> Explanation:
    """Why a task came out as it did: the verdict, the gain with its interval, the SLO that binds, what each parameter
    did and how much it explains, failures by kind with the decisive lines of their logs, and what to try next.

    Use it when a task has ended, or when the user asks why, how sure, or what now. Costs nothing. Everything in it is
    computed from measurements: add no causes of your own without saying that they are guesses.
    """
    return explained(await runtime.context.tuner.result(task))


def explained(result: Result) -> Explanation:
    number = result.winner if result.winner is not None else result.nearest
    best = None if number is None else result.experiment(number)
    bounds = () if number is None else result.standing(number).bounds
    return Explanation(
        task=result.task_id,
        name=result.task_name,
        state=result.state,
        simulated=result.simulated or None,
        outcome=result.verdict.outcome,
        proven=result.verdict.proven,
        headline=result.verdict.headline,
        verdict=sentence(result),
        noise=None if result.noise is None else percent(result.noise),
        visible_gain=None if result.verdict.visible_gain is None else percent(result.verdict.visible_gain),
        slos=tuple(slo_line(one) for one in result.verdict.slos),
        error=quoted(result.error, f"task {result.task_id}, its worker", limit=QUOTE) if result.error else None,
        gains=tuple(map(_gain, result.verdict.gains)),
        best=None if best is None else row(result, best, list(best.params.flat)),
        baseline=None if result.baseline is None else row(result, result.experiment(result.baseline)),
        binding=margin(max(bounds, key=lambda bound: bound.excess)) if bounds else None,
        effects=tuple(map(_effect, result.effects[:MOST])),
        failures=_failures(result),
        notes=tuple(f"{note.text} ({note.where})" for note in result.notes[:MOST]),
        drift=result.drift.text if result.drift else None,
        next=tuple(advice(result)),
    )


def _gain(gain: Gain) -> GainAnswer:
    count = min(len(gain.winner), len(gain.baseline))
    kind = "fresh, interleaved" if gain.fresh else "search"
    measured = f"{count} {kind} measurement{'' if count == 1 else 's'} each"
    return GainAnswer(gain=change(gain), shown=gain.shown, measured=measured)


def _effect(effect: Effect) -> EffectAnswer:
    return EffectAnswer(
        parameter=effect.name,
        explains=None if effect.importance is None else percent(effect.importance),
        values=tuple(
            ValueEffect(
                value=rows.text(one.value),
                of_best=None if one.relative is None else percent(one.relative),
                experiments=one.experiments,
                failed=one.failed,
            )
            for one in effect.values[:MOST]
        ),
    )


def _failures(result: Result) -> tuple[FailureAnswer, ...]:
    """The most frequent kind first."""
    kinds: dict[FailureKind, list[Experiment]] = {}
    for one in result.experiments:
        if one.failure is not None:
            kinds.setdefault(one.failure.kind, []).append(one)
    return tuple(
        FailureAnswer(
            kind=kind,
            experiments=tuple(one.number for one in failed[:20]),
            count=len(failed),
            lines=_lines(result, failed[0]),
        )
        for kind, failed in sorted(kinds.items(), key=lambda pair: -len(pair[1]))[:MOST]
    )


def _lines(result: Result, one: Experiment) -> Quoted:
    assert one.failure is not None
    text = "\n".join((one.failure.message, *one.failure.lines))
    return quoted(text, f"task {result.task_id}, experiment {one.number}, the engine", limit=QUOTE)


READ = (explain_result,)
