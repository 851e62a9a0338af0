"""A session's events as the messages that AG-UI clients keep. Pure."""

from collections.abc import Iterable

from ag_ui.core import AssistantMessage, FunctionCall, Message, ToolCall, ToolMessage
from ag_ui.core import UserMessage as UserSays

from agent.events.types import (
    HistoryCut,
    RunEvent,
    RunStarted,
    TextDelta,
    TextStarted,
    ToolCallArgs,
    ToolCallStarted,
    ToolResult,
    UserMessage,
)
from api.encoder import event_id, result_id
from tuner.spec.values import Frozen


class Conversation(Frozen):
    messages: list[Message]
    """In the order in which they began, as a client has them that has read the session's stream so far."""
    running: str | None = None
    """The run that goes on."""
    last_event_id: str | None = None
    """`Last-Event-ID` with which the session's stream goes on from here. None: nothing has been said yet."""


def conversation(events: Iterable[RunEvent]) -> Conversation:
    """Of all events of one session."""
    kept: dict[str, Message] = {}
    calls: dict[str, ToolCall] = {}
    running, last = None, None
    for event in events:
        last = event_id(event)
        running = None if event.ends_run else event.run_id if isinstance(event.payload, RunStarted) else running
        match event.payload:
            case HistoryCut(message_id=message) if message in kept:
                names = list(kept)
                for name in names[names.index(message) :]:
                    del kept[name]
            case UserMessage(message_id=message, text=text):
                kept[message] = UserSays(id=message, content=text)
            case TextStarted(message_id=message):
                _assistant(kept, message)
            case TextDelta(message_id=message, text=text):
                said = _assistant(kept, message)
                said.content = (said.content or "") + text
            case ToolCallStarted(call_id=call, tool=tool, message_id=parent):
                calls[call] = ToolCall(id=call, function=FunctionCall(name=tool, arguments=""))
                asking = _assistant(kept, parent or call)
                asking.tool_calls = [*(asking.tool_calls or []), calls[call]]
            case ToolCallArgs(call_id=call, delta=delta):
                calls[call].function.arguments += delta
            case ToolResult(call_id=call, content=content, failed=failed):
                kept[result_id(call)] = ToolMessage(
                    id=result_id(call), tool_call_id=call, content=content, error=content if failed else None
                )
    return Conversation(messages=list(kept.values()), running=running, last_event_id=last)


def _assistant(kept: dict[str, Message], message: str) -> AssistantMessage:
    found = kept.setdefault(message, AssistantMessage(id=message))
    assert isinstance(found, AssistantMessage)
    return found
