"""Sentences about measurements, for verdicts. Pure."""

from collections import Counter
from collections.abc import Sequence

from tuner.analysis.formatting import described, duration, percent, statistic
from tuner.analysis.gains import SLOVerdict
from tuner.domain import Experiment, Role
from tuner.spec.objectives import SLO, Metric, Objective


def slo_sentence(one: SLOVerdict) -> str:
    """`p90 time to first token 290 ms (270 ms to 312 ms), limit 300 ms`."""
    interval = f"{duration(one.low_s)} to {duration(one.high_s)}"
    return f"{_named(one)} {duration(one.actual_s)} ({interval}), limit {duration(one.threshold_s)}"


def _named(one: SLOVerdict) -> str:
    metric, _, which = one.name.rpartition(".")
    return statistic(Metric(metric), which)


def slo_sentences(who: str, slos: Sequence[SLOVerdict]) -> str:
    """` The winner misses p90 time to first token by 40 % (420 ms, limit 300 ms).`, and what is too close to say."""
    missed = [
        f"{_named(one)} by {percent(one.actual_s / one.threshold_s - 1)} "
        f"({duration(one.actual_s)}, limit {duration(one.threshold_s)})"
        for one in slos
        if one.verdict == "missed"
    ]
    close = [slo_sentence(one) for one in slos if one.verdict == "too_close"]
    text = f" {who[0].upper()}{who[1:]} misses {' and '.join(missed)}." if missed else ""
    return f"{text} Whether {who} meets these is too close to say: {'; '.join(close)}." if close else text


def misses(experiments: Sequence[Experiment], slos: Sequence[SLO], hard: bool = False) -> str:
    """`misses p90 time to first token by 40 % (420 ms, limit 300 ms)`, worst first; empty where all hold.

    Args:
        hard: only the hard SLOs missed by more than their `fail_ratio`.
    """
    excess: dict[str, float] = {}
    for one in experiments:
        for score in one.scores:
            for name, value in score.excess.items():
                excess[name] = max(excess.get(name, value), value)
    missed = [
        (slo, excess[slo.name])
        for slo in sorted(slos, key=lambda slo: -excess.get(slo.name, 0))
        if excess.get(slo.name, 0) > (slo.fail_ratio if hard else 0) and (slo.hard or not hard)
    ]
    parts = [
        f"{statistic(slo.metric, slo.statistic)} by {percent(over)} "
        f"({duration(slo.threshold * (1 + over))}, limit {duration(slo.threshold)})"
        for slo, over in missed
    ]
    return f"misses {' and '.join(parts)}" if parts else ""


def values(experiments: Sequence[Experiment], objectives: Sequence[Objective]) -> str:
    parts = []
    for index, objective in enumerate(objectives):
        found = [one.scores[index].value for one in experiments]
        low, high = (described(objective, value) for value in (min(found), max(found)))
        parts.append(low if low == high else f"{low} to {high}")
    return f"{', '.join(parts)}."


def nothing(searched: Sequence[Experiment]) -> str:
    if not searched:
        return "Nothing was measured yet."
    kinds = Counter(one.failure.kind.replace("_", " ") if one.failure else "incomplete" for one in searched)
    reasons = ", ".join(f"{kind} {count}" if len(kinds) > 1 else kind for kind, count in kinds.most_common())
    return f"Nothing completed: {count(len(searched), 'experiment')} failed ({reasons})."


def defaults(
    baseline: Experiment, searched: Sequence[Experiment], objectives: Sequence[Objective], slos: Sequence[SLO]
) -> str:
    others = len(searched) - 1
    head = f"None of {count(others, 'configuration')} beats" if others else "Nothing was measured but"
    text = f"{head} the engine's defaults: {values([baseline], objectives)}"
    return f"{text} They {soft.replace('misses', 'miss', 1)}." if (soft := misses([baseline], slos)) else text


def name(one: Experiment, first: bool = False) -> str:
    called = "the baseline" if one.role is Role.BASELINE else f"experiment {one.number}"
    return called[0].upper() + called[1:] if first else called


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def end(message: str) -> str:
    return message.strip().rstrip(".")
