"""Slash commands of the chat: `/tasks`, `/help`. To add one: write it, list it in COMMANDS."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.approvals.records.audit import AuditQuery
from agent.domain import AuditEntry, Session
from agent.service import Assistant
from agent.terminal.screen import render
from agent.terminal.screen.wording import as_yaml, line, pairs, table
from tools.machines import alive
from tuner.cli.output import write
from tuner.domain import TaskState
from tuner.errors import NotFoundError
from tuner.logs.cleaning import printable
from tuner.spec.problems import alternatives

if TYPE_CHECKING:
    from agent.terminal.interactive.chat import Chat

SHORT = 8
"""Of a session's 32 digits; as many as tell it from the others will do."""
MOST = 1000
AUDITED = 20
KEYS = (
    "Enter sends; Alt-Enter, or \\ and Enter, begins a new line; Tab completes a command. "
    "Ctrl-C stops the turn, a second one leaves; Ctrl-D leaves."
)


@dataclass(frozen=True)
class Command:
    run: Callable[["Chat", str], Awaitable[None]]
    what: str
    takes: str = ""


async def run(chat: "Chat", typed: str) -> None:
    """
    Raises:
        NotFoundError: there is no such command.
    """
    name, _, rest = typed.strip().partition(" ")
    if name not in COMMANDS:
        raise NotFoundError(
            f"No command {name!r:.40}; {alternatives(name, COMMANDS)}. A message may begin with a slash after a space."
        )
    await COMMANDS[name].run(chat, rest.strip())


def banner(chat: "Chat", session: Session) -> str:
    assistant = chat.assistant
    model = f"model {assistant.model}"
    if assistant.offline:
        model = "model offline: no language model is set, so it understands plain words of a small grammar (say help)"
    return f"Autotuner · {model} · session {session.id[:SHORT]} {line(session.title, 50)} · /help"


async def help_(chat: "Chat", rest: str) -> None:
    listed = pairs({f"{name} {one.takes}".strip(): one.what for name, one in COMMANDS.items()})
    await chat.show_text(f"{listed}\n\n{KEYS}")


async def tasks(chat: "Chat", rest: str) -> None:
    try:
        state = TaskState(rest) if rest else None
    except ValueError:
        raise NotFoundError(f"No state {rest!r:.40}; there are {', '.join(TaskState)}.") from None
    found, total = await chat.context.tuner.tasks(state=state, limit=20)
    rows = [
        (one.id, printable(one.name), one.state.value, one.engine, str(one.completed), str(one.failed)) for one in found
    ]
    titles = ("task", "name", "state", "engine", "done", "failed")
    await chat.show_text(f"{table(titles, rows)}\n{len(found)} of {total}" if found else "There is no such task.")


async def approve(chat: "Chat", rest: str) -> None:
    waiting = await chat.assistant.ledger.open_approvals()
    if not waiting:
        await chat.show_text("Nothing waits for a decision.")
        return
    rows = [
        (one.session_id[:SHORT], one.tool, line(as_yaml(one.args), 50), f"{one.expires_at:%Y-%m-%d %H:%M} UTC")
        for one in waiting
    ]
    elsewhere = any(one.session_id != chat.session_id for one in waiting)
    how = "\n/sessions SESSION goes to another session, where it is asked." if elsewhere else ""
    await chat.show_text(f"{table(('session', 'call', 'arguments', 'open until'), rows)}{how}")


async def sessions(chat: "Chat", rest: str) -> None:
    if rest:
        await chat.enter((await find(chat.assistant, rest)).id)
        return
    found, total = await chat.assistant.sessions(limit=20)
    rows = [
        (
            "*" if one.id == chat.session_id else "",
            one.id[:SHORT],
            f"{one.updated_at:%Y-%m-%d %H:%M}",
            printable(one.title),
        )
        for one in found
    ]
    shown = table(("", "session", "last used", "title"), rows)
    await chat.show_text(f"{shown}\n{len(found)} of {total}; /sessions SESSION goes there.")


async def find(assistant: Assistant, ref: str) -> Session:
    """A session by its id, or the start of it.

    Raises:
        NotFoundError: none begins so, or several.
    """
    found, _ = await assistant.sessions(limit=MOST)
    matching = [one for one in found if one.id.startswith(ref.lower())]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise NotFoundError(f"{len(matching)} sessions begin with {ref!r:.40}; give more of its digits.")
    return await assistant.session(ref)


async def new(chat: "Chat", rest: str) -> None:
    await chat.enter((await chat.assistant.create_session(rest or None)).id)


async def model(chat: "Chat", rest: str) -> None:
    assistant, settings = chat.assistant, chat.assistant.settings
    session = await assistant.session(chat.session_id)
    facts = {
        "model": f"{assistant.model} (built in; AUTOTUNER_LLM_MODEL sets a language model)"
        if assistant.offline
        else assistant.model,
        "tokens": f"{session.input_tokens:,} in, {session.output_tokens:,} out, in this session",
    }
    if not assistant.offline:
        facts["address"] = settings.llm_base_url or f"the provider's own ({settings.llm_provider})"
        facts["window"] = f"{settings.llm_context_tokens:,} tokens"
    await chat.show_text(pairs(facts))


async def policy(chat: "Chat", rest: str) -> None:
    found = chat.assistant.policies.read()
    if found.problem is not None:
        await chat.show_text(f"The policy cannot be used, so every call asks: {printable(found.problem)}")
        return
    rules = found.model_dump(mode="json", exclude_defaults=True)
    said = as_yaml(rules) if rules else "No rules: every privileged call asks."
    await chat.show_text(f"{said}\nThe file: {chat.assistant.policies.path}")


async def export(chat: "Chat", rest: str) -> None:
    path = Path(rest or f"chat-{chat.session_id[:SHORT]}.md").expanduser()
    transcript = await chat.assistant.transcript(chat.session_id)
    await chat.screen.show(lambda console: write(transcript, path, force=False))


async def show(chat: "Chat", rest: str) -> None:
    calls = chat.view.calls
    if not rest and calls:
        rest = str(len(calls))
    if not rest.isdecimal() or not 1 <= int(rest) <= len(calls):
        there = f"this session has calls 1 to {len(calls)}" if calls else "this session has none yet"
        raise NotFoundError(f"No call {rest!r:.20}; {there}.")
    await chat.show_text(render.call_details(calls[int(rest) - 1]))


async def audit(chat: "Chat", rest: str) -> None:
    entries: list[AuditEntry] = []
    while page := await chat.assistant.ledger.audit(
        AuditQuery(session_id=chat.session_id, after=entries[-1].sequence if entries else 0, limit=MOST)
    ):
        entries += page
    kept = entries[-(int(rest) if rest.isdecimal() and int(rest) else AUDITED) :]
    rows = [
        (f"{one.at:%Y-%m-%d %H:%M:%S}", one.action, one.tool or "", one.who or "", line(as_yaml(one.detail), 60))
        for one in kept
    ]
    await chat.show_text(table(("UTC", "what", "call", "who", "detail"), rows) if rows else "Nothing yet.")


async def grants(chat: "Chat", rest: str) -> None:
    found = [one for one in await chat.assistant.grants(chat.session_id) if one.revoked_at is None]
    rows = [(one.id[:SHORT], one.tool, line(as_yaml(one.pattern), 50), f"{one.expires_at:%H:%M} UTC") for one in found]
    listed = table(("grant", "tool", "arguments", "until"), rows)
    await chat.show_text(f"{listed}\n/revoke GRANT takes one back." if rows else "Nothing is allowed for this session.")


async def revoke(chat: "Chat", rest: str) -> None:
    found = await chat.assistant.grants(chat.session_id)
    matching = [one for one in found if rest and one.id.startswith(rest)]
    if len(matching) != 1:
        raise NotFoundError(f"{len(matching) or 'No'} grants begin with {rest!r:.40}; /grants lists them.")
    revoked = await chat.assistant.ledger.revoke(chat.session_id, matching[0].id)
    await chat.show_text(f"{revoked.tool} asks again.")


async def workers(chat: "Chat", rest: str) -> None:
    found = await chat.context.tuner.workers()
    rows = [(one.host, str(one.pid), "alive" if alive(one) else "gone", one.task_id or "") for one in found]
    await chat.show_text(table(("host", "pid", "state", "task"), rows) if rows else "No worker: autotuner worker.")


async def quit_(chat: "Chat", rest: str) -> None:
    chat.leave()


COMMANDS = {
    "/help": Command(help_, "this list"),
    "/tasks": Command(tasks, "the newest tasks", "[STATE]"),
    "/approve": Command(approve, "what waits for a decision, in all sessions"),
    "/show": Command(show, "a call with all of its answer, the last by default", "[CALL]"),
    "/sessions": Command(sessions, "the sessions, or on with another one", "[SESSION]"),
    "/new": Command(new, "begin another session", "[TITLE]"),
    "/model": Command(model, "which model answers, and the tokens of this session"),
    "/policy": Command(policy, "which calls run, ask or are denied"),
    "/grants": Command(grants, "what is allowed for this session"),
    "/revoke": Command(revoke, "take such a permission back", "GRANT"),
    "/audit": Command(audit, "what was proposed, decided and run here", "[LINES]"),
    "/workers": Command(workers, "who runs tasks"),
    "/export": Command(export, "write this conversation as Markdown", "[FILE]"),
    "/quit": Command(quit_, "leave; tasks go on where a worker is"),
}
