"""Requests to create, plan, start, stop or delete tasks."""

import re

from agent.offline.markdown import block, blocks, bullets, code, paragraphs, text, texts
from agent.offline.messages import ConversationState, Data
from agent.offline.parsing import tuning
from agent.offline.parsing.tuning import TuningRequest
from agent.offline.script import CallRefusedError, Script, call, rejection

TUNE_EXAMPLE = "tune the demo model for throughput with ttft p90 under 0.5 s over max-num-seqs 4, 16, 64"
_IT = re.compile(
    r"(?:(?:it|this|that|them|its|the|me|a|my|our|last|latest|newest|current|same|please|now|of|for|on|in|with|task|tasks|run|"
    r"job|one|again|from|about|going|doing|done|yet|is|are|so|far|there|up)\b|[\s?!.,:'’]|\bs\b)*",
    re.IGNORECASE,
)


def tune(request: str, *, start: bool = True) -> Script:
    """Written down, then started, which asks."""
    tuned = tuning.read(request)
    if problem := _cannot(tuned):
        return problem
    draft = yield call("create_task", _announced(tuned), task=tuned.task, presets=list(tuned.presets) or None)
    id_, plan = text(draft, "id"), block(draft, "plan")
    written = f"Task {id_} “{text(draft, 'name')}” is written down. {planned(plan)}"
    if missing := texts(plan, "missing"):
        return paragraphs(written, "It cannot run here yet:", bullets(missing), f"Then say: start {id_}")
    if not (start and tuned.start):
        return f"{written} It is a draft: nothing runs before you say `start {id_}`."
    return (
        yield from started(
            id_, paragraphs(written, "I start it now; that takes this machine's time, so you are asked first.")
        )
    )


def started(id_: str, announced: str = "", tool: str = "start_task") -> Script:
    try:
        answer = yield call(tool, announced, task=id_)
    except CallRefusedError as refused:
        why = rejection(refused.answer.text) or _sentence(refused.answer.text)
        return paragraphs(
            f"Task {id_} was not started. {why}",
            f"It is kept as it is. Say `start {id_}` to be asked again, or tell me what you would like instead.",
        )
    return (
        f"Task {text(answer, 'id')} “{text(answer, 'name')}” is {text(answer, 'state')}. {text(answer, 'note')} "
        "I report here when it ends; meanwhile ask for `status`, `logs` or `cancel`."
    )


def plan(request: str, state: ConversationState) -> Script:
    """A dry run of a request, or of a task that is written down."""
    if re.search(r"\b(?:over|for|with|where|vary(?:ing)?|presets?)\b", request, re.IGNORECASE):
        tuned = tuning.read(
            re.sub(r"^\W*(?:to )?(?:tun(?:e|ing)|optimi[sz](?:e|ing))\s+", "", request, flags=re.IGNORECASE)
        )
        if problem := _cannot(tuned):
            return problem
        answer = yield call("plan_task", _announced(tuned), task=tuned.task, presets=list(tuned.presets) or None)
    else:
        ref = yield from task(request, state)
        answer = yield call("plan_task", task=ref)
    return paragraphs(
        planned(answer),
        paragraphs("Left out:", bullets(texts(answer, "skipped"))) if texts(answer, "skipped") else "",
        "The first commands:" if texts(answer, "commands") else "",
        code("\n".join(texts(answer, "commands"))) if texts(answer, "commands") else "",
        bullets([*texts(answer, "missing"), *texts(answer, "warnings")]),
        "Nothing was written down.",
    )


def planned(plan: Data) -> str:
    """Experiments, load levels, GPUs and time, in a sentence."""
    levels, gpus = texts(plan, "levels"), plan.get("gpus")
    parts = [
        f"at most {text(plan, 'experiments', '?')} experiments ({text(plan, 'candidates', '?')} candidates"
        + (", the baseline" if plan.get("baseline") else "")
        + (f"; then {text(plan, 'confirming')})" if plan.get("confirmations") else ")"),
        f"load levels {', '.join(levels)}" if levels else "",
        f"{gpus} GPU{'' if gpus == 1 else 's'}" if gpus else "no GPU",
        f"at most {text(plan, 'at_most')}" if plan.get("at_most") else "",
    ]
    return f"The plan: {'; '.join(part for part in parts if part)}."


def start(rest: str, state: ConversationState) -> Script:
    ref = yield from task(rest, state)
    return (yield from started(ref, f"I start task {ref}; you are asked first."))


def resume(rest: str, state: ConversationState) -> Script:
    ref = yield from task(rest, state)
    return (yield from started(ref, f"I go on with task {ref}; you are asked first.", "resume_task"))


def cancel(rest: str, state: ConversationState) -> Script:
    ref = yield from task(rest, state)
    answer = yield call("cancel_task", f"I stop task {ref}; you are asked first.", task=ref)
    return (
        f"Task {text(answer, 'id')} is {text(answer, 'state')}. {text(answer, 'note')} Finished experiments are kept: "
        "`result` shows them, `resume` goes on."
    )


def delete(rest: str, state: ConversationState) -> Script:
    ref = yield from task(rest, state)
    answer = yield call(
        "delete_task", f"I delete task {ref} with all that belongs to it; you are asked first.", task=ref
    )
    count = f"{text(answer, 'experiments')} experiments"
    return f"Task {text(answer, 'id')} “{text(answer, 'name')}” ({count}): {text(answer, 'note')}"


def save_preset(rest: str, name: str, state: ConversationState) -> Script:
    """A task without its name, as a preset."""
    ref = yield from task(rest, state)
    found = yield call("get_task", task=ref)
    kept = {key: value for key, value in block(found, "spec").items() if key not in ("task_name", "description")}
    answer = yield call(
        "save_preset",
        f"I save task {text(found, 'id')} as the preset {name}; you are asked first.",
        name=name,
        task=kept,
    )
    return f"The preset {text(answer, 'name')} is saved. Say: tune with preset {text(answer, 'name')}"


def task(rest: str, state: ConversationState) -> "Script":
    """Which task is meant: the one named, the one spoken of, or the newest. Returns its id, or its name as said."""
    named = _IT.sub("", rest, count=1).strip(" \t?!.,:'\"“”`’")
    named = re.sub(r"(?:\s+(?:please|now|task|yet|going|doing|done))+$", "", named, flags=re.IGNORECASE)
    named = named.rstrip(" ,;:")
    if named:
        return named[:200]
    if state.task is not None:
        return state.task
    found = yield call("list_tasks", limit=1)
    newest = [text(one, "id") for one in blocks(found, "tasks")]
    if not any(newest):
        raise NoSubjectError(f"There is no task yet. Say, for example: {TUNE_EXAMPLE}")
    return newest[0]


class NoSubjectError(Exception):
    """There is nothing that the request could be about; says so to the person."""


def _cannot(tuned: TuningRequest) -> str | None:
    if tuned.problems:
        return paragraphs(*tuned.problems)
    if len(tuned.unknown) > 6:
        return paragraphs(
            f"I did not understand {_listed(tuned.unknown)} well enough to run anything. Say it like this:",
            f"- {TUNE_EXAMPLE}",
        )
    return None


def _announced(tuned: TuningRequest) -> str:
    said = ", ".join(tuned.said)
    parts = [f"My plan: tune {said}."]
    if tuned.taken:
        parts.append(f"Not said, so I took {', '.join(tuned.taken)}.")
    if tuned.unknown:
        parts.append(f"I did not understand {_listed(tuned.unknown)} and left it out.")
    return " ".join(parts)


def _listed(words: list[str]) -> str:
    more = len(words) - 8
    return ", ".join(f"“{word}”" for word in words[:8]) + (f" and {more} more words" if more > 0 else "")


def _sentence(said: str) -> str:
    said = said.strip()[:1000]
    return said if said.endswith((".", "!", "?")) else f"{said}."
