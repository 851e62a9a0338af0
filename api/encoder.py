"""Run events → AG-UI events, without side effects.

Beside the protocol's own events there are CUSTOM ones, named:

- `user_message` `{messageId, text}`: the service's id of the message that the request brought, for sending it again.
- `history_cut` `{messageId}`: that message and all after it are gone from the conversation; it is said anew.
- `tool_progress` `{toolCallId, data}`: what a long tool reports, as `{done, total, unit, message}`.
- `usage` `{messageId, inputTokens, outputTokens}`: of one call of the model.
- `approval_requested`, `approval_decided`: an approval, as `GET /api/agent/approvals/{id}` answers it.

RUN_STARTED carries `{trigger, model}` as metadata, RUN_ERROR the error's id, under which the log has the rest, as code.
What happens between two runs, as one decision of several, comes as a run of its own without metadata: clients refuse
events elsewhere.
"""

from dataclasses import dataclass, field
from typing import Annotated, TypeAlias

from ag_ui.core import (
    CustomEvent,
    RunErrorEvent,
    RunFinishedCancelledOutcome,
    RunFinishedEvent,
    RunFinishedInterruptOutcome,
    RunFinishedSuccessOutcome,
    RunStartedEvent,
    TextMessageContentEvent,
    TextMessageEndEvent,
    TextMessageStartEvent,
    ToolCallArgsEvent,
    ToolCallEndEvent,
    ToolCallResultEvent,
    ToolCallStartEvent,
)
from pydantic import Field, JsonValue, RootModel

from agent.domain import Approval
from agent.events.types import (
    BETWEEN,
    ApprovalDecided,
    ApprovalRequested,
    HistoryCut,
    RunEvent,
    RunFailed,
    RunFinished,
    RunStarted,
    TextDelta,
    TextEnded,
    TextStarted,
    ToolCallArgs,
    ToolCallEnded,
    ToolCallStarted,
    ToolProgress,
    ToolResult,
    Usage,
    UserMessage,
)
from api.interrupts import interrupt

PROTOCOL_VERSION = "1.0"


Encoded: TypeAlias = (
    RunStartedEvent
    | TextMessageStartEvent
    | TextMessageContentEvent
    | TextMessageEndEvent
    | ToolCallStartEvent
    | ToolCallArgsEvent
    | ToolCallEndEvent
    | ToolCallResultEvent
    | CustomEvent
    | RunFinishedEvent
    | RunErrorEvent
)


class AguiEvent(RootModel[Annotated[Encoded, Field(discriminator="type")]]):
    """What the streams carry, of all that AG-UI knows."""


@dataclass
class Encoder:
    """Of one stream: it knows what is open there, so it is fed all events, those that the reader has included."""

    versioned: bool = True
    """The reader speaks AG-UI 1.0. Older ones know neither the version nor the outcome `cancelled`."""
    echo: bool = True
    """Send what the user wrote as a message. Not to who has just written it: it would stand there twice."""
    _texts: dict[str, None] = field(default_factory=dict)
    _calls: dict[str, None] = field(default_factory=dict)
    _asked: dict[str, Approval] = field(default_factory=dict)

    def encode(self, event: RunEvent) -> list[Encoded]:
        encoded = self._encode(event)
        if event.run_id == BETWEEN:
            encoded = self._framed(event, encoded)
        for one in encoded:
            one.timestamp = int(event.at.timestamp() * 1000)
        return encoded

    def _encode(self, event: RunEvent) -> list[Encoded]:
        match event.payload:
            case RunStarted(trigger=trigger, model=model):
                return [
                    RunStartedEvent(
                        thread_id=event.session_id,
                        run_id=event.run_id,
                        protocol_version=self._version,
                        metadata={"trigger": trigger, "model": model},
                    )
                ]
            case UserMessage(message_id=message, text=text):
                return self._user_message(message, text)
            case HistoryCut(message_id=message):
                return [CustomEvent(name="history_cut", value={"messageId": message})]
            case TextStarted(message_id=message):
                self._texts[message] = None
                return [TextMessageStartEvent(message_id=message, role="assistant")]
            case TextDelta(message_id=message, text=text):
                return [TextMessageContentEvent(message_id=message, delta=text)] if text else []
            case TextEnded(message_id=message):
                return self._end_text(message)
            case ToolCallStarted(call_id=call, tool=tool, message_id=message):
                self._calls[call] = None
                return [ToolCallStartEvent(tool_call_id=call, tool_call_name=tool, parent_message_id=message)]
            case ToolCallArgs(call_id=call, delta=delta):
                return [ToolCallArgsEvent(tool_call_id=call, delta=delta)] if delta else []
            case ToolCallEnded(call_id=call):
                return self._end_call(call)
            case ToolProgress(call_id=call, data=data):
                return [CustomEvent(name="tool_progress", value={"toolCallId": call, "data": data})]
            case ToolResult() as result:
                return [*self._end_call(result.call_id), _result(result)]
            case Usage() as usage:
                return [CustomEvent(name="usage", value=_camel(usage))]
            case ApprovalRequested(approval=approval):
                self._asked[approval.id] = approval
                return [CustomEvent(name="approval_requested", value=approval.model_dump(mode="json"))]
            case ApprovalDecided(approval=approval):
                self._asked.pop(approval.id, None)
                return [CustomEvent(name="approval_decided", value=approval.model_dump(mode="json"))]
            case RunFinished(outcome=outcome):
                if outcome != "approvals":
                    self._asked.clear()  # nothing waits in a turn that is over
                finished = self._finished(event.session_id, event.run_id, cancelled=outcome == "cancelled")
                return [*self._close(), finished]
            case RunFailed(message=text, error_id=error):
                return [*self._close(), RunErrorEvent(message=text, code=error)]

    @property
    def _version(self) -> str | None:
        return PROTOCOL_VERSION if self.versioned else None

    def _user_message(self, message: str, text: str) -> list[Encoded]:
        if not self.echo:
            return [CustomEvent(name="user_message", value={"messageId": message, "text": text})]
        return [
            TextMessageStartEvent(message_id=message, role="user"),
            TextMessageContentEvent(message_id=message, delta=text),
            TextMessageEndEvent(message_id=message),
        ]

    def _end_text(self, message: str) -> list[Encoded]:
        if message not in self._texts:
            return []
        del self._texts[message]
        return [TextMessageEndEvent(message_id=message)]

    def _end_call(self, call: str) -> list[Encoded]:
        if call not in self._calls:
            return []
        del self._calls[call]
        return [ToolCallEndEvent(tool_call_id=call)]

    def _close(self) -> list[Encoded]:
        """A cancelled turn stops in the middle; clients refuse a run that ends with something open."""
        texts = [end for message in list(self._texts) for end in self._end_text(message)]
        return [*texts, *(end for call in list(self._calls) for end in self._end_call(call))]

    def _finished(self, session: str, run: str, *, cancelled: bool = False) -> RunFinishedEvent:
        ended = RunFinishedEvent(thread_id=session, run_id=run)
        if self._asked:
            ended.outcome = RunFinishedInterruptOutcome(interrupts=[interrupt(one) for one in self._asked.values()])
        elif self.versioned:
            ended.outcome = RunFinishedCancelledOutcome() if cancelled else RunFinishedSuccessOutcome()
        return ended

    def _framed(self, event: RunEvent, encoded: list[Encoded]) -> list[Encoded]:
        session, run = event.session_id, f"between-{event.sequence}"
        started = RunStartedEvent(thread_id=session, run_id=run, protocol_version=self._version)
        return [started, *encoded, self._finished(session, run)]


def _result(result: ToolResult) -> ToolCallResultEvent:
    return ToolCallResultEvent(
        message_id=result_id(result.call_id),
        tool_call_id=result.call_id,
        content=result.content,
        role="tool",
        metadata={"failed": True} if result.failed else None,
    )


def event_id(event: RunEvent) -> str:
    """Where a reader is that has all of the event: what it says as `Last-Event-ID`."""
    return f"{event.run_id}:{event.sequence}"


def result_id(call: str) -> str:
    """Of the message that answers a tool call; a call has one answer."""
    return f"{call}-result"


def _camel(usage: Usage) -> dict[str, JsonValue]:
    return {"messageId": usage.message_id, "inputTokens": usage.input_tokens, "outputTokens": usage.output_tokens}
