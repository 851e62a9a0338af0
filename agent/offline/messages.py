"""What the offline model reads from the messages: the last request, the tools' answers since, the task spoken of."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from pydantic import JsonValue

Data = dict[str, JsonValue]

TASK_ID = r"[0-9a-f]{8}"


@dataclass(frozen=True)
class ToolAnswer:
    """What a tool call gave."""

    tool: str
    args: Data
    data: Data
    """Empty where the answer is no JSON object."""
    text: str
    failed: bool


@dataclass(frozen=True)
class ConversationState:
    """All that the grammar knows of a conversation."""

    text: str
    """What the person said last."""
    previous_text: str
    """What the person said before that."""
    answers: tuple[ToolAnswer, ...]
    """Since then, in the order of the calls."""
    task: str | None
    """Id or name of the task spoken of last."""


def read(messages: Sequence[BaseMessage]) -> ConversationState:
    spoken = [place for place, message in enumerate(messages) if isinstance(message, HumanMessage)]
    last = spoken[-1] if spoken else -1
    text = _text(messages[last]) if spoken else ""
    return ConversationState(
        text=text,
        previous_text=_text(messages[spoken[-2]]) if len(spoken) > 1 else "",
        answers=tuple(_answers(messages[last + 1 :])),
        task=_task(messages[: last + 1]),
    )


def _answers(messages: Sequence[BaseMessage]) -> list[ToolAnswer]:
    """The answered calls. One that a cancelled turn left without an answer is none."""
    results = {message.tool_call_id: message for message in messages if isinstance(message, ToolMessage)}
    return [
        _answer(str(call["name"]), dict(call["args"]), results[call["id"]])
        for message in messages
        if isinstance(message, AIMessage)
        for call in message.tool_calls
        if call["id"] in results
    ]


def _answer(tool: str, args: Data, message: ToolMessage) -> ToolAnswer:
    text = _text(message)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    return ToolAnswer(tool, args, data if isinstance(data, dict) else {}, text, failed=message.status == "error")


def _task(messages: Sequence[BaseMessage]) -> str | None:
    """Asked of the calls and their answers, newest first; a note on a task's end speaks of it too."""
    for place in range(len(messages) - 1, -1, -1):
        message = messages[place]
        if isinstance(message, HumanMessage) and (
            note := re.match(rf"\(Note from [^)]*\) Task ({TASK_ID})", _text(message))
        ):
            return note[1]
        if not isinstance(message, AIMessage):
            continue
        for one in reversed(_answers([message, *messages[place + 1 :]])):
            if not one.failed and (found := _named(one)) is not None:
                return found
    return None


def _named(one: ToolAnswer) -> str | None:
    if one.tool == "delete_task":
        return None
    if one.tool in ("create_task", "update_task", "get_task", "start_task", "resume_task", "cancel_task"):
        id_ = one.data.get("id")
        return id_ if isinstance(id_, str) else None
    if one.tool == "list_tasks":
        tasks = one.data.get("tasks")
        first = tasks[0] if isinstance(tasks, list) and len(tasks) == 1 else None
        id_ = first.get("id") if isinstance(first, dict) else None
        return id_ if isinstance(id_, str) else None
    task = one.data.get("task") or one.args.get("task")
    return task if isinstance(task, str) else None


def _text(message: BaseMessage) -> str:
    return str(message.text)
