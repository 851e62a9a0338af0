"""Turns what the graph streams into events: texts and calls opened and closed in order, every result once."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from langchain_core.messages import AIMessage, AIMessageChunk, ToolCall, ToolMessage
from pydantic import JsonValue, TypeAdapter, ValidationError

from agent.conversation.middleware.tool_calls import call_id
from agent.events.types import (
    Payload,
    RunEvent,
    TextDelta,
    TextEnded,
    TextStarted,
    ToolCallArgs,
    ToolCallEnded,
    ToolCallStarted,
    ToolProgress,
    ToolResult,
    Usage,
)

DATA = TypeAdapter(dict[str, JsonValue])
BROKEN = "The answer broke off before this call was complete; nothing ran."


class EventRecorder:
    """The events of one run."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._answered: set[str] = set()
        self.text = ""
        """What has been said of a message that has not ended."""
        self.message_id: str | None = None
        self._saying = False
        self._used = [0, 0]
        self._places: dict[object, str] = {}
        """The calls of the message that is being written: the provider's index → id."""
        self._writing: dict[str, str] = {}
        """Calls of that message: id → tool."""
        self._open: list[str] = []
        """Those whose arguments are being written."""
        self._waiting: dict[str, str] = {}
        """Calls without a result: id → tool."""

    @classmethod
    def restored(cls, events: Iterable[RunEvent]) -> Self:
        """In the state of the recorder that has written these events."""
        recorder = cls()
        for event in events:
            match event.payload:
                case TextStarted(message_id=identity):
                    recorder.message_id, recorder.text, recorder._saying = identity, "", True
                case TextDelta(text=text):
                    recorder.text += text
                case TextEnded():
                    recorder._saying = False
                case ToolCallStarted(call_id=call, tool=tool):
                    recorder._open.append(call)
                    recorder._waiting[call] = tool
                case ToolCallEnded(call_id=call) if call in recorder._open:
                    recorder._open.remove(call)
                case ToolResult(call_id=call):
                    recorder._answered.add(call)
                    recorder._waiting.pop(call, None)
        return recorder

    def set_known(self, taken: Iterable[str], answered: Iterable[str]) -> None:
        """
        Args:
            taken: ids of calls that the conversation has already.
            answered: calls whose results have been told.
        """
        self._taken |= set(taken)
        self._answered |= set(answered)

    def payloads_of(self, part: Mapping[str, Any]) -> Iterator[Payload]:
        match part["type"], part["data"]:
            case "messages", (AIMessage() as message, _):
                yield from self._said(message)
            case "messages", (ToolMessage() as message, _):
                yield from self._result(message)
            case "custom", {"call_id": str(call), "data": data}:
                yield from _progress(call, data)
            case "updates", {"model": {"messages": [*messages]}}:
                yield from self._written(next((one for one in messages if isinstance(one, AIMessage)), None))

    def close(self, results: Iterable[ToolMessage] = (), *, waiting: bool = False) -> Iterator[Payload]:
        """Ends what is open.

        Args:
            results: that calls were given by others.
            waiting: calls without a result wait for decisions; else they never ran.
        """
        yield from self._ended()
        for message in results:
            yield from self._result(message)
        if not waiting:
            yield from self._broken(dict(self._waiting))

    def _said(self, message: AIMessage) -> Iterator[Payload]:
        identity = str(message.id)
        if identity != self.message_id:
            # The answer before it broke off, and the model was asked again.
            yield from self._ended()
            yield from self._broken(self._writing)
            self.message_id, self._places, self._writing, self.text = identity, {}, {}, ""
        if message.text:
            if not self._saying:
                self._saying = True
                yield TextStarted(message_id=identity)
            self.text += message.text
            yield TextDelta(message_id=identity, text=message.text)
        for chunk in message.tool_call_chunks if isinstance(message, AIMessageChunk) else ():
            place: object = chunk["index"] if chunk["index"] is not None else chunk["id"] or len(self._places)
            if place not in self._places:
                yield from self._called(place, chunk["id"], chunk["name"] or "unknown")
            if chunk["args"]:
                yield ToolCallArgs(call_id=self._places[place], delta=chunk["args"])
        if (used := message.usage_metadata) is not None:
            self._used = [self._used[0] + used["input_tokens"], self._used[1] + used["output_tokens"]]

    def _called(self, place: object, raw: str | None, tool: str) -> Iterator[Payload]:
        call = call_id(raw, len(self._places), str(self.message_id), self._taken)
        self._taken.add(call)
        self._places[place] = call
        yield from self._started(call, tool)

    def _started(self, call: str, tool: str) -> Iterator[Payload]:
        self._open.append(call)
        self._writing[call] = self._waiting[call] = tool
        yield ToolCallStarted(call_id=call, tool=tool, message_id=self.message_id)

    def _written(self, message: AIMessage | None) -> Iterator[Payload]:
        """The model's answer is complete. What was not streamed of it is told now."""
        if message is None:
            return
        if str(message.id) != self.message_id:
            yield from self._said(message)
        calls: dict[str, ToolCall] = {str(call["id"]): call for call in message.tool_calls}
        for call_of, call in calls.items():
            if call_of not in self._writing and call_of not in self._answered:
                self._taken.add(call_of)
                yield from self._started(call_of, call["name"])
                yield ToolCallArgs(call_id=call_of, delta=json.dumps(call["args"]))
        yield from self._ended()
        yield from self._broken({call: tool for call, tool in self._writing.items() if call not in calls})
        self._writing, self.text = {}, ""

    def _ended(self) -> Iterator[Payload]:
        """Nothing more comes of the message that was being written."""
        if self._saying:
            self._saying = False
            yield TextEnded(message_id=str(self.message_id))
        for call in self._open:
            yield ToolCallEnded(call_id=call)
        self._open = []
        if any(self._used):
            yield Usage(message_id=str(self.message_id), input_tokens=self._used[0], output_tokens=self._used[1])
            self._used = [0, 0]

    def _result(self, message: ToolMessage) -> Iterator[Payload]:
        call = message.tool_call_id
        if call in self._answered:
            return
        self._answered.add(call)
        if call in self._open:
            self._open.remove(call)
            yield ToolCallEnded(call_id=call)
        tool = message.name or self._waiting.get(call, "unknown")
        self._waiting.pop(call, None)
        yield ToolResult(call_id=call, tool=tool, content=message.text, failed=message.status == "error")

    def _broken(self, calls: Mapping[str, str]) -> Iterator[Payload]:
        for call, tool in calls.items():
            yield from self._result(ToolMessage(BROKEN, tool_call_id=call, name=tool, status="error"))


def _progress(call: str, data: object) -> Iterator[Payload]:
    try:
        yield ToolProgress(call_id=call, data=DATA.validate_python(data))
    except ValidationError:
        return  # written by a library, not by a tool of ours
