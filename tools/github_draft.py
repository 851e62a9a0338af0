"""An issue about a failed experiment, composed and not published: versions, flags, log, similar issues."""

import platform
import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

from pydantic import Field

from tools.arguments import Ref
from tools.context import Context, Runtime
from tools.github_search import IssueRow, search
from tools.plain import plain
from tools.tool import tool
from tools.untrusted import disarmed
from tuner.domain import LARGEST, Experiment, ExperimentState, Task
from tuner.errors import ConflictError, NotFoundError, TunerError
from tuner.logs.cleaning import printable
from tuner.logs.redaction import redact
from tuner.report.command import shell
from tuner.spec.values import Frozen

LOG_LINES = 40
LOG_CHARACTERS = 6_000
"""The model repeats the body when it publishes it: long enough to see the cause, not longer."""
SIMILAR = 5
WORDS, FEWER = 6, 3
"""All must occur in a similar issue; where there is none, the first few."""


class IssueDraft(Frozen):
    title: str
    body: str
    labels: tuple[str, ...]
    similar: tuple[IssueRow, ...]
    note: str
    """What to do with it now."""


@tool(untrusted=True)
async def draft_github_issue(
    runtime: Runtime,
    task: Ref,
    experiment: Annotated[int, Field(ge=0, le=LARGEST, description="Number of a failed experiment.")],
) -> IssueDraft:
    """Composes an issue about a failed experiment: what happened, versions, the command with its flags, the end of the
    log with secrets removed, and links to similar issues, which are searched first. Publishes nothing.

    Use it when the user wants a failure reported. Show the draft; where a similar issue fits, propose a comment there
    instead (comment_github_issue), else publish the draft as it is or as the user wants it (create_github_issue).
    """
    context = runtime.context
    found = await context.tuner.task(task)
    one = _failed(found, await context.tuner.experiments(found.id), experiment)
    similar, note = await _similar(context, one)
    return IssueDraft(
        title=_hidden(context, _title(found, one)),
        body=_hidden(context, await _body(context, found, one, similar)),
        labels=("bug",),
        similar=similar,
        note=note,
    )


def _failed(task: Task, experiments: Sequence[Experiment], number: int) -> Experiment:
    one = next((one for one in experiments if one.number == number), None)
    failed = ", ".join(str(one.number) for one in experiments if one.state is ExperimentState.FAILED) or "none"
    if one is None:
        raise NotFoundError(f"Task {task.id} has no experiment {number}; those that failed: {failed}.")
    if one.failure is None:
        raise ConflictError(
            f"Experiment {number} of task {task.id} is {one.state} and did not fail, so there is nothing to report; "
            f"those that failed: {failed}."
        )
    return one


async def _similar(context: Context, one: Experiment) -> tuple[tuple[IssueRow, ...], str]:
    assert one.failure is not None
    words = _words(one.failure.message)
    try:
        found = await search(context.settings, " ".join(words), limit=SIMILAR)
        if not found.issues and len(words) > FEWER:
            found = await search(context.settings, " ".join(words[:FEWER]), limit=SIMILAR)
    except TunerError as error:
        # A draft is of use without them, and can be published by hand.
        return (), f"Nothing is published. Similar issues were not found: {error}"
    if found.issues:
        return (
            found.issues,
            "Nothing is published. Read the similar issues first; one that fits gets a comment instead.",
        )
    return (), f"Nothing is published. No issue of {found.repo} has the words {' '.join(words[:FEWER])!r}."


def _words(message: str) -> list[str]:
    """The longest run of plain words in an error: numbers, paths and addresses are of one machine."""
    runs: list[list[str]] = [[]]
    for part in message.split():
        word = re.fullmatch(r"([A-Za-z][A-Za-z_'-]*)([.,:;!?]*)", part)
        if word:
            runs[-1].append(word[1])
        if word is None or word[2]:
            runs.append([])
    return max(runs, key=lambda run: len("".join(run)))[:WORDS] or ["error"]


def _title(task: Task, one: Experiment) -> str:
    assert one.failure is not None
    first = next(iter(disarmed(printable(one.failure.message)).strip().splitlines()), "no message")
    title = f"[{task.spec.base_runtime}] {one.failure.kind}: {first}"
    return title if len(title) <= 120 else f"{title[:119].rstrip()}…"


async def _body(context: Context, task: Task, one: Experiment, similar: Sequence[IssueRow]) -> str:
    assert one.failure is not None
    flags = "\n".join(f"{name}: {value}" for name, value in one.params.flat.items()) or "the engine's defaults"
    links = "\n".join(f"- #{issue.number} {plain(issue.title, 120)} ({issue.state}) {issue.url}" for issue in similar)
    sections = {
        "What happened": f"`{one.failure.kind}` in experiment {one.number} ({one.role}) of a tuning task:\n\n"
        + _block(one.failure.message),
        "Versions": "\n".join(f"- {line}" for line in await _versions(context, task)),
        "Flags that were tried": _block(flags),
        "Command": _block(shell(task.spec, one) or "nothing was launched"),
        "Decisive lines": _block("\n".join(one.failure.lines)) if one.failure.lines else "",
        "End of the log": _block(await _log(context, task, one)),
        "Similar issues": links or "None found.",
    }
    return "\n\n".join(f"### {heading}\n\n{text}" for heading, text in sections.items() if text)


async def _versions(context: Context, task: Task) -> list[str]:
    """As installed now, which may be newer than the failure."""
    name = task.spec.base_runtime
    engine = next((engine for engine in await context.tuner.engines() if engine.name == name), None)
    hardware = await context.tuner.hardware()
    gpus = ", ".join(f"{gpu.name} ({gpu.memory_gib:.0f} GiB)" for gpu in hardware.gpus) or "none"
    driver = f", driver {hardware.driver}" if hardware.driver else ""
    return [
        f"{name} {engine.version if engine and engine.version else 'of unknown version'}",
        f"model {task.spec.model.id_or_path}",
        f"autotuner {version('autotuner')}, Python {platform.python_version()}",
        f"{platform.system()} {platform.release()}, {platform.machine()}",
        f"GPUs: {gpus}{driver}; {hardware.cpus} CPUs, {hardware.memory_gib:.0f} GiB",
    ]


async def _log(context: Context, task: Task, one: Experiment) -> str:
    try:
        excerpt = await context.tuner.logs(task.id, one.number, lines=LOG_LINES)
    except NotFoundError as error:
        return str(error)
    text = "\n".join(excerpt.lines)
    return text if len(text) <= LOG_CHARACTERS else "…" + text[-LOG_CHARACTERS:]


def _hidden(context: Context, text: str) -> str:
    """With secrets and the paths of this machine, which hold user names, taken out."""
    text = redact(disarmed(printable(text)), context.settings.secrets)
    for folder, name in ((context.tuner.settings.home, "$AUTOTUNER_HOME"), (Path.home(), "~")):
        if len(folder.parts) > 1:
            text = re.sub(rf"{re.escape(str(folder))}(?![\w-])", name, text)
    return text


def _block(text: str) -> str:
    """A code block that its text cannot end: nothing in it is a mention, a link or a heading."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}text\n{text.rstrip()}\n{fence}"
