"""The blocks and the unfinished text that a terminal shows of a conversation: a reducer of its events."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from agent.domain import ApprovalState, Trigger
from agent.events.types import (
    ApprovalDecided,
    HistoryCut,
    RunEvent,
    RunFailed,
    RunFinished,
    RunStarted,
    TextDelta,
    TextEnded,
    ToolCallArgs,
    ToolCallStarted,
    ToolProgress,
    ToolResult,
    Usage,
    UserMessage,
)
from agent.terminal.markdown import complete_length

STARTING = ("start_task", "resume_task")
"""Tools whose answer names a task that runs from then on."""
TENTHS = 10
RECENT = 2
"""Messages of the user, with all that followed, that are shown when a session is opened again."""


@dataclass(frozen=True)
class UserBlock:
    """A message of the user."""

    text: str


@dataclass(frozen=True)
class AssistantBlock:
    """An answer of the assistant: complete blocks of Markdown."""

    text: str


@dataclass(frozen=True)
class NoteBlock:
    text: str


@dataclass(frozen=True)
class ErrorBlock:
    text: str


@dataclass
class CallBlock:
    """A tool call, written, running or answered."""

    number: int
    tool: str
    began: float
    args: str = ""
    """JSON, as far as it is written."""
    progress: dict[str, JsonValue] = field(default_factory=dict)
    answer: str | None = None
    failed: bool = False


@dataclass(frozen=True)
class ProgressBlock:
    """A call has done another tenth of its work."""

    call: CallBlock


ChatBlock = UserBlock | AssistantBlock | NoteBlock | ErrorBlock | CallBlock | ProgressBlock


@dataclass
class View:
    """What is known of a conversation after the events that were applied."""

    now: Callable[[], float] = time.monotonic
    running: str | None = None
    """The run that goes on."""
    ended: dict[str, RunFinished | RunFailed] = field(default_factory=dict)
    """Runs, by their ids."""
    calls: list[CallBlock] = field(default_factory=list)
    unfinished_text: str = ""
    """Of the answer that is being written: what is no complete block yet."""
    tasks: list[str] = field(default_factory=list)
    """Started in this conversation, one by one."""
    reports: int = 0
    """Ends of tasks that the assistant told of."""
    input_tokens: int = 0
    output_tokens: int = 0
    _open: dict[str, CallBlock] = field(default_factory=dict)
    _trigger: Trigger = "message"

    @property
    def open_calls(self) -> list[CallBlock]:
        return list(self._open.values())

    def apply(self, event: RunEvent) -> list[ChatBlock]:
        """Applies an event; gives the blocks that are complete by it."""
        match event.payload:
            case RunStarted(trigger=trigger):
                self.running, self._trigger = event.run_id, trigger
                return [NoteBlock("A task of this conversation has ended.")] if trigger == "task_ended" else []
            case UserMessage(text=text):
                return [UserBlock(text)]
            case HistoryCut():
                return [NoteBlock("The conversation goes on from an earlier message, written anew:")]
            case TextDelta(text=text):
                self.unfinished_text += text
                return self._said(complete_length(self.unfinished_text))
            case TextEnded():
                return self._said(len(self.unfinished_text))
            case ToolCallStarted(call_id=key, tool=tool):
                call = self._open[key] = CallBlock(len(self.calls) + 1, tool, self.now())
                self.calls.append(call)
                return []
            case ToolCallArgs(call_id=key, delta=delta):
                if key in self._open:
                    self._open[key].args += delta
                return []
            case ToolProgress(call_id=key, data=data):
                return self._progress(self._open.get(key), data)
            case ToolResult() as result:
                return self._answered(result)
            case Usage(input_tokens=input_tokens, output_tokens=output_tokens):
                self.input_tokens += input_tokens
                self.output_tokens += output_tokens
                return []
            case ApprovalDecided(approval=one):
                return [] if one.state is ApprovalState.OPEN else [NoteBlock(_decided(one.tool, one.state, one.reason))]
            case RunFinished() | RunFailed() as last:
                return self._ended(event.run_id, last)
            case _:
                return []

    def _said(self, size: int) -> list[ChatBlock]:
        text, self.unfinished_text = self.unfinished_text[:size], self.unfinished_text[size:]
        return [AssistantBlock(text.strip("\n"))] if text.strip() else []

    def _progress(self, call: CallBlock | None, data: dict[str, JsonValue]) -> list[ChatBlock]:
        if call is None:
            return []
        before, call.progress = call.progress, data
        return [ProgressBlock(call)] if _tenths(data) > _tenths(before) else []

    def _answered(self, result: ToolResult) -> list[ChatBlock]:
        call = self._open.pop(result.call_id, None)
        if call is None:
            return []
        call.answer, call.failed = result.content, result.failed
        if result.tool in STARTING and not result.failed and (task := _task(result.content)) is not None:
            self.tasks.append(task)
        return [call]

    def _ended(self, run_id: str, last: RunFinished | RunFailed) -> list[ChatBlock]:
        self.running = None
        self.ended[run_id] = last
        rest = self._said(len(self.unfinished_text))
        self.reports += self._trigger == "task_ended"
        if isinstance(last, RunFailed) or last.outcome != "approvals":
            self._open.clear()
        match last:
            case RunFailed(message=message, error_id=error_id):
                return [*rest, ErrorBlock(f"{message}{f' (error {error_id})' if error_id else ''}")]
            case RunFinished(outcome="cancelled"):
                return [*rest, NoteBlock("Stopped.")]
        return rest


def recent(blocks: Sequence[ChatBlock]) -> Sequence[ChatBlock]:
    """The last of a long conversation."""
    places = [place for place, block in enumerate(blocks) if isinstance(block, UserBlock)]
    if len(places) <= RECENT:
        return blocks
    left = len(places) - RECENT
    note = NoteBlock(f"({left} earlier message{'s' if left > 1 else ''}: /export writes all of it)")
    return [note, *blocks[places[-RECENT] :]]


def _task(answer: str) -> str | None:
    try:
        found = json.loads(answer)
    except ValueError:
        return None
    task = found.get("id") if isinstance(found, dict) else None
    return task if isinstance(task, str) else None


def _decided(tool: str, state: ApprovalState, reason: str | None) -> str:
    return f"{tool}: {state.value}{f', {reason}' if reason else ''}."


def _tenths(data: dict[str, JsonValue]) -> int:
    done, total = data.get("done"), data.get("total")
    sound = isinstance(done, int | float) and isinstance(total, int | float) and total > 0
    return int(TENTHS * float(str(done)) / float(str(total))) if sound else 0
