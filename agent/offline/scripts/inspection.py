"""Requests to look at tasks: their state, their experiments, their logs."""

import re

from agent.offline.markdown import block, blocks, code, listed, paragraphs, quote, settings, table, text
from agent.offline.messages import ConversationState
from agent.offline.script import Script, call
from agent.offline.scripts.tasks import task
from agent.offline.summaries import described, experiments_table, summary


def status(rest: str, state: ConversationState) -> Script:
    ref = yield from task(rest, state)
    answer = yield call("get_task", task=ref)
    return summary(answer)


def tasks(state: str | None, word: str | None) -> Script:
    answer = yield call("list_tasks", state=state, text=word)
    found = blocks(answer, "tasks")
    if not found:
        return f"There is no {state + ' ' if state else ''}task{f' with “{word}” in it' if word else ''}."
    for one in found:
        one["gain"] = f"{one['gain_percent']:+g} %" if isinstance(one.get("gain_percent"), int | float) else None
    columns = {"task": "id", "name": "name", "state": "state", "engine": "engine", "model": "model",
               "experiments": "completed", "failed": "failed", "gain": "gain"}  # fmt: skip
    return paragraphs(f"Tasks, newest first ({text(answer, 'shown')}):", table(found, columns))


def experiments(rest: str, state: ConversationState) -> Script:
    ref = yield from task(rest, state)
    answer = yield call("list_experiments", task=ref)
    found = blocks(answer, "experiments")
    if not found:
        return f"Task {text(answer, 'task', ref)} has no experiments yet."
    return paragraphs(
        f"Experiments of task {text(answer, 'task')} ({text(answer, 'shown')}), best first, to "
        f"{listed(answer, 'objectives')}:",
        experiments_table(found),
    )


def experiment(number: int, rest: str, state: ConversationState) -> Script:
    ref = yield from task(rest, state)
    answer = yield call("get_experiment", task=ref, experiment=number)
    levels = blocks(answer, "levels")
    columns = {"load level": "level", "output tokens/s": "output_tokens_per_s", "TTFT p90": "ttft_p90",
               "TPOT mean": "tpot_mean", "latency p90": "latency_p90", "requests": "requests", "failed": "failed",
               "failure": "failure"}  # fmt: skip
    reason = block(answer, "reason")
    return paragraphs(
        f"Task {text(answer, 'task')}, {described(block(answer, 'summary'))}",
        f"Parameters: {settings(block(answer, 'parameters'))}.",
        table(levels, columns),
        code(text(answer, "command")) if text(answer, "command") else "",
        paragraphs("Why it failed, in the engine's words:", quote(reason)) if reason else "",
    )


def logs(rest: str, state: ConversationState) -> Script:
    """Of an experiment's engine, by default the newest; `load generator` for the other side."""
    number, rest = experiment_of(rest)
    rest, lines = taken(rest, r"\b(?:the )?(?:last\s+)?(\d{1,4})\s+lines\b|\blast\s+(\d{1,4})\b")
    rest, word = taken(
        rest,
        r"\b(?:search(?:ing)?(?: for)?|with|about|containing|matching|grep|that (?:say|contain))\s+"
        r"(\"[^\"]+\"|'[^']+'|/.+/|\S+)",
    )
    rest, load = taken(rest, r"\b(?:of |from )?(?:the )?(load generator|benchmark|load)\b")
    ref = yield from task(rest, state)
    most = min(500, int(lines)) if lines else None
    searched = word.strip("\"'") if word else None
    if load:
        answer = yield call("get_task_logs", task=ref, lines=most, search=searched)
    else:
        answer = yield call("get_experiment_logs", task=ref, experiment=number, lines=most, search=searched)
    log = block(answer, "log")
    matches = answer.get("matches")
    found = f", {matches} lines with “{searched}”" if searched and matches is not None else ""
    return paragraphs(f"From {text(log, 'source', 'the log')}{found}:", quote(log))


def experiment_of(rest: str) -> tuple[int | None, str]:
    """The experiment that is named, and the rest."""
    rest, number = taken(rest, r"\b(?:of |for |from |about )?(?:the )?(?:failed )?experiment\s+#?(\d{1,6})\b")
    return (int(number) if number else None), rest


def taken(rest: str, pattern: str) -> tuple[str, str | None]:
    """A part of a text taken out of it: the rest, and the first group that has something."""
    match = re.search(pattern, rest, re.IGNORECASE)
    if match is None:
        return rest, None
    found = next((group for group in match.groups() if group), None)
    return f"{rest[: match.start()]} {rest[match.end() :]}", found
