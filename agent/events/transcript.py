"""A conversation as Markdown, for people."""

import json
from collections.abc import Mapping, Sequence

from agent.domain import Session
from agent.events.types import (
    ApprovalDecided,
    ApprovalRequested,
    HistoryCut,
    Payload,
    RunEvent,
    RunFailed,
    RunFinished,
    RunStarted,
    TextDelta,
    TextEnded,
    ToolCallArgs,
    ToolResult,
    UserMessage,
)

LONGEST_RESULT = 4_000


def markdown(session: Session, events: Sequence[RunEvent]) -> str:
    """All that was said, called and decided. What a user has written anew stands there as it is now."""
    head = (
        f"# {session.title}\n\nSession {session.id}, {session.created_at:%Y-%m-%d %H:%M} UTC. "
        f"Tokens: {session.input_tokens:,} in, {session.output_tokens:,} out."
    )
    blocks: list[tuple[str | None, str]] = []
    texts: dict[str, str] = {}
    args: dict[str, str] = {}
    heading: str | None = None
    for event in events:
        match event.payload:
            case RunStarted(trigger="message" | "task_ended" as trigger, model=model):
                heading = f"## Assistant ({model}){', since a task has ended' if trigger == 'task_ended' else ''}"
            case HistoryCut(message_id=cut):
                places = (place for place, (key, _) in enumerate(blocks) if key == cut)
                del blocks[next(places, len(blocks)) :]
            case UserMessage(message_id=key, text=text):
                blocks.append((key, f"## User\n\n{text}"))
            case TextDelta(message_id=key, text=text):
                texts[key] = texts.get(key, "") + text
            case ToolCallArgs(call_id=key, delta=delta):
                args[key] = args.get(key, "") + delta
            case payload if block := _block(payload, texts, args):
                blocks += [(None, one) for one in (heading, block) if one]
                heading = None
    return "\n\n".join([head, *(text for _, text in blocks)]) + "\n"


def _block(payload: Payload, texts: Mapping[str, str], args: Mapping[str, str]) -> str:
    match payload:
        case TextEnded(message_id=key):
            return texts.get(key, "")
        case ToolResult(call_id=key, tool=tool, content=content, failed=failed):
            called = f"**{tool}** ({'failed' if failed else 'done'})"
            return f"{called}\n\n{_code(args.get(key, '{}'))}\n\n{_code(content)}"
        case ApprovalRequested(approval=approval):
            return f"Approval asked for **{approval.tool}**:\n\n{_code(json.dumps(approval.args))}"
        case ApprovalDecided(approval=approval):
            who = f" by {approval.decided_by}" if approval.decided_by else ""
            return f"**{approval.tool}** {approval.state.value}{who}{f': {approval.reason}' if approval.reason else ''}"
        case RunFinished(outcome="cancelled"):
            return "*Cancelled.*"
        case RunFailed(message=message):
            return f"*Failed: {message}*"
        case _:
            return ""


def _code(text: str) -> str:
    cut = text if len(text) <= LONGEST_RESULT else f"{text[:LONGEST_RESULT]}\n… {len(text) - LONGEST_RESULT:,} more"
    fence = "```"
    while fence in cut:
        fence += "`"
    return f"{fence}\n{cut}\n{fence}"
