"""Requests to explain: results, comparisons, charts."""

import re
from collections.abc import Generator

from pydantic import JsonValue

from agent.offline.markdown import block, blocks, bullets, cell, listed, paragraphs, quote, table, text, texts
from agent.offline.messages import ConversationState, Data
from agent.offline.script import Script, ScriptStep, call
from agent.offline.scripts.inspection import taken
from agent.offline.scripts.tasks import NoSubjectError, task
from agent.offline.summaries import SIMULATED, described, margin

CHARTS = {
    r"pareto|trade-?offs?|front|objectives": "objectives-against-each-other",
    r"progress|course|search|history": "course-of-the-search",
    r"measured again|error bars?|intervals?|confirmations?": "measured-again-against-the-baseline",
    r"effects?|importance|parameters?|flags?": "effect-of-each-parameter",
    r"(?:by |over |against )?concurrenc(?:y|ies)|by load": "objective-against-concurrency",
    r"load(?: curves?)?|latency|throughput|curves?": "throughput-against-latency",
}


def compare(rest: str, state: ConversationState) -> Script:
    """Experiments by number, or `best` and `baseline`."""
    which, _, of = rest.partition(" of ")
    numbers = [int(number) for number in re.findall(r"(?<![\w.-])\d{1,6}(?![\w.-])", which)]
    if re.search(r"\b(?:baseline|defaults?)\b", which, re.IGNORECASE):
        numbers.append(0)
    ref = yield from task(of, state)
    if len(set(numbers)) < 2 or re.search(r"\b(?:best|winner|winning)\b", which, re.IGNORECASE):
        numbers = [(yield from _best(ref)), *numbers, 0]
    chosen: list[JsonValue] = list(dict.fromkeys(numbers[:6]))
    if len(chosen) < 2:
        raise NoSubjectError(
            f"The best of task {ref} is experiment 0, the baseline itself; name another by its number."
        )
    answer = yield call("compare_experiments", task=ref, experiments=chosen)
    rows = blocks(answer, "experiments")
    titles = [text(one, "experiment") for one in rows]
    differing = block(answer, "parameters")
    against = ", ".join(one or "unknown" for one in texts(answer, "against_first")[1:])
    side: list[Data] = [{"": f"**{name}**", **_across(titles, value)} for name, value in differing.items()]
    for title, key in (("TTFT p90", "ttft_p90"), ("tok/s", "output_tokens_per_s"), ("TPOT mean", "tpot_mean")):
        side += [
            {"": f"{title}, {text(level, 'level')}", **_across(titles, level.get(key))}
            for level in blocks(answer, "levels")
        ]
    return paragraphs(
        f"Task {text(answer, 'task')}, experiments {', '.join(titles)}, to {listed(answer, 'objectives')}:",
        bullets([described({key: one[key] for key in one if key != "parameters"}) for one in rows]),
        f"Against experiment {', '.join(titles[:1])}: {against}." if against else "",
        _side_by_side(side, titles),
        text(answer, "verdict"),
    )


def _best(ref: str) -> Generator[ScriptStep, Data, int]:
    found = yield call("get_task", task=ref)
    best = block(found, "best").get("experiment")
    if not isinstance(best, int):
        raise NoSubjectError(f"Task {ref} has no best experiment yet; name two by their numbers: compare 0 and 1.")
    return best


def explain(rest: str, state: ConversationState) -> Script:
    ref = yield from task(rest, state)
    answer = yield call("explain_result", task=ref)
    binding = block(answer, "binding")
    effects = [_effect(one) for one in blocks(answer, "effects")]
    failures = [_failure(one) for one in blocks(answer, "failures")]
    best = block(answer, "best")
    return paragraphs(
        f"Task {text(answer, 'task')} “{text(answer, 'name')}” ({text(answer, 'state')}): {text(answer, 'verdict')}",
        SIMULATED if answer.get("simulated") else "",
        bullets([f"{text(gain, 'gain')}; {text(gain, 'measured')}" for gain in blocks(answer, "gains")]),
        bullets(texts(answer, "slos")),
        f"Measurements differ by {text(answer, 'noise')} from run to run." if answer.get("noise") else "",
        f"The best measured is {described(best)}" if best else "",
        f"Closest to its limit: {margin(binding)}." if binding else "",
        paragraphs("What each parameter did:", bullets(effects)) if effects else "",
        paragraphs("What failed:", bullets(failures)) if failures else "",
        quote(block(answer, "error")) if "error" in answer else "",
        paragraphs("What to try next:", bullets(texts(answer, "next"))) if texts(answer, "next") else "",
    )


def plot(rest: str, state: ConversationState) -> Script:
    chart = None
    for pattern, name in CHARTS.items():
        rest, found = taken(rest, rf"\b(?:the |its |a |by |of ){{0,4}}({pattern})\b(?: (?:plot|chart|graph|curve))?")
        if found:
            chart = name
            break
    ref = yield from task(re.sub(r"\b(?:a|an|me|plot|chart|graph|picture)\b", " ", rest, flags=re.IGNORECASE), state)
    answer = yield call("plot", task=ref, chart=chart)
    numbers = block(answer, "numbers")
    columns, lines = texts(numbers, "columns"), numbers.get("rows")
    cells: list[Data] = [
        dict(zip(columns, line, strict=False))
        for line in (lines if isinstance(lines, list) else ())
        if isinstance(line, list)
    ]
    return paragraphs(
        f"![{text(answer, 'title')}]({text(answer, 'url')})",
        f"{text(answer, 'title')} of task {text(answer, 'task')}. {text(answer, 'caption')}",
        table(cells, {name: name for name in columns}),
        f"There are also: {listed(answer, 'others')}." if texts(answer, "others") else "",
    )


def _effect(effect: Data) -> str:
    explains = f" explains {text(effect, 'explains')} of the differences" if "explains" in effect else ""
    values = [
        f"{text(value, 'value')} "
        + (f"reaches {text(value, 'of_best')} of the best" if "of_best" in value else "failed")
        for value in blocks(effect, "values")
    ]
    return f"{text(effect, 'parameter')}{explains}: {', '.join(values)}"


def _failure(failure: Data) -> str:
    first = text(block(failure, "lines"), "text").strip().partition("\n")[0]
    which = f"experiments {text(failure, 'experiments')}"
    return f"{text(failure, 'count')} × {text(failure, 'kind')} ({which}): {cell(first)}"


def _across(titles: list[str], values: JsonValue) -> Data:
    cells = values if isinstance(values, list) else []
    return dict(zip(titles, cells, strict=False))


def _side_by_side(side: list[Data], titles: list[str]) -> str:
    if not side:
        return ""
    head = f"| | {' | '.join(titles)} |\n|{' --- |' * (len(titles) + 1)}"
    return "\n".join(
        [head, *(f"| {row['']} | {' | '.join(cell(row.get(title)) for title in titles)} |" for row in side)]
    )
