"""The conversation in the terminal, typed by a test: the real assistant with a scripted model, a screen in memory."""

import asyncio
import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from pydantic import BaseModel
from rich.console import Console

from agent.domain import ApprovalState, Approve
from agent.terminal.interactive import script as scripts
from agent.terminal.interactive.chat import INTERRUPTED, Chat
from agent.terminal.interactive.slash import COMMANDS
from agent.terminal.screen.plain import Print
from tests.fakes import rig
from tests.fakes.scripted_model import Turn
from tests.fakes.talk import Call, Say, Talk, Toolbox, talk
from tools.context import Context, Runtime
from tools.settings import ToolSettings
from tools.tool import tool
from tuner.domain import TaskState
from tuner.runner.worker import Worker
from tuner.service import Tuner
from tuner.settings import Settings

LAUNCH = Say("I start it.", [Call("launch", {"task": "demo"})])
TOLD = Say("It runs.")


@dataclass
class Memory:
    """A screen at which nobody sits but the test: it answers what is asked, one line a question."""

    console: Console = field(default_factory=lambda: Console(file=io.StringIO(), width=200))
    asked: list[str] = field(default_factory=list)
    edits: list[str] = field(default_factory=list)
    """What was given to be edited."""
    _typed: asyncio.Queue[str | None] = field(default_factory=asyncio.Queue)
    _idle: asyncio.Event = field(default_factory=asyncio.Event)
    open: bool = True

    @property
    def text(self) -> str:
        assert isinstance(self.console.file, io.StringIO)
        return self.console.file.getvalue()

    async def show(self, *prints: Print) -> None:
        for one in prints:
            one(self.console)

    async def ask(self, prompt: str, *, message: bool = True, text: str | None = None) -> str | None:
        self.asked.append(prompt)
        if text is not None:
            self.edits.append(text)
        self._idle.set()
        typed = await self._typed.get()
        if typed is None and not self.open:
            raise EOFError
        return typed

    async def type(self, line: str) -> None:
        """Answers the next question."""
        async with asyncio.timeout(60):
            await self._idle.wait()
        self._idle.clear()
        self._typed.put_nowait(line)

    async def asks(self, what: str = "›") -> None:
        """Waits for a question."""
        async with asyncio.timeout(60):
            while not (self._idle.is_set() and self.asked and what in self.asked[-1]):
                await asyncio.sleep(0.005)

    async def shows(self, what: str) -> None:
        async with asyncio.timeout(60):
            while what not in self.text:
                await asyncio.sleep(0.005)

    def wake(self) -> None:
        if self._idle.is_set():
            self._idle.clear()
            self._typed.put_nowait(None)

    def refresh(self) -> None:
        """Drawn by nobody."""

    def close(self) -> None:
        """Ctrl-D."""
        self.open = False
        self._typed.put_nowait(None)

    @asynccontextmanager
    async def aside(self) -> AsyncIterator[None]:
        yield


@dataclass
class Terminal:
    talk: Talk
    chat: Chat
    screen: Memory
    running: "asyncio.Task[int]"

    @property
    def ran(self) -> list[tuple[str, Any]]:
        return self.talk.toolbox.ran

    async def leaves(self) -> int:
        async with asyncio.timeout(60):
            return await self.running


@asynccontextmanager
async def terminal(
    home: Path,
    model: Sequence[Turn] | BaseChatModel,
    *,
    session_id: str | None = None,
    toolbox: Toolbox | None = None,
    script: str | None = None,
    **options: Any,
) -> AsyncIterator[Terminal]:
    async with talk(home / "home", model, session_id=session_id, toolbox=toolbox) as talking:
        written = None
        if script is not None:
            path = home / "test.chat"
            path.write_text(script)
            written = scripts.load(path)
        context = Context(talking.tuner, ToolSettings(_env_file=None))
        chat, screen = Chat(talking.assistant, context, script=written, **options), Memory()
        running = asyncio.create_task(chat.converse(screen, talking.session_id))
        try:
            yield Terminal(talking, chat, screen, running)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


async def test_what_is_typed_is_answered(tmp_path: Path) -> None:
    async with terminal(tmp_path, [Say("Hello **you**.")]) as at:
        await at.screen.type("hi")
        await at.screen.shows("Hello **you**.")
        await at.screen.asks()
        at.screen.close()
        assert await at.leaves() == 0
        assert "› hi" in at.screen.text


async def test_nothing_typed_is_nothing_said(tmp_path: Path) -> None:
    async with terminal(tmp_path, []) as at:
        await at.screen.type("   ")
        await at.screen.type("/quit")
        assert await at.leaves() == 0
        assert await at.talk.log() == []


@pytest.mark.parametrize("yes", ["y", "YES", "approve"])
async def test_an_approved_call_runs_as_it_was_shown(tmp_path: Path, yes: str) -> None:
    async with terminal(tmp_path, [LAUNCH, TOLD]) as at:
        await at.screen.type("start demo")
        await at.screen.asks("run it")
        assert "task: demo\ngpus: 1" in at.screen.text
        assert "would start demo on 1" in at.screen.text
        await at.screen.type(yes)
        await at.screen.shows("It runs.")
        assert at.ran == [("launch", {"task": "demo", "gpus": 1, "tags": None})]


@pytest.mark.parametrize(
    ("typed", "reason"), [(["n", "too dear"], "too dear"), (["n too dear"], "too dear"), (["n", ""], "")]
)
async def test_a_rejection_gives_its_reason_to_the_model(tmp_path: Path, typed: list[str], reason: str) -> None:
    async with terminal(tmp_path, [LAUNCH, Say("As you like.")]) as at:
        await at.screen.type("start demo")
        for line in typed:
            await at.screen.asks("not" if line == typed[0] else "Why")
            await at.screen.type(line)
        await at.screen.shows("As you like.")
        assert at.ran == []
        (approval,), _ = await at.talk.assistant.ledger.approvals()
        assert (approval.state, approval.reason or "") == (ApprovalState.REJECTED, reason)


async def test_an_edit_is_checked_shown_again_and_runs_only_when_approved(tmp_path: Path) -> None:
    async with terminal(tmp_path, [LAUNCH, TOLD]) as at:
        await at.screen.type("start demo")
        await at.screen.asks("run it")
        for line in ("e", "task: demo\ngpus: 99\n", "", "task: other\ngpus: 2\n"):
            await at.screen.type(line)
        await at.screen.asks("run it")
        assert at.screen.edits[1] == "task: demo\ngpus: 99\n"
        assert "must be at most 8, not 99" in at.screen.text
        assert "(edited)" in at.screen.text
        assert "would start other on 2" in at.screen.text
        assert at.ran == []
        await at.screen.type("y")
        await at.screen.shows("It runs.")
        assert at.ran == [("launch", {"task": "other", "gpus": 2, "tags": None})]


@pytest.mark.parametrize("edited", ["", "task: demo\ngpus: 1\ntags: null\n", "gpus: 1\ntask: demo"])
async def test_an_edit_that_changes_nothing_leaves_the_call_as_it_was(tmp_path: Path, edited: str) -> None:
    async with terminal(tmp_path, [LAUNCH, TOLD]) as at:
        for line in ("start demo", "e", edited):
            await at.screen.type(line)
        await at.screen.shows("Nothing was changed.")
        await at.screen.type("y")
        await at.screen.shows("It runs.")
        assert at.ran == [("launch", {"task": "demo", "gpus": 1, "tags": None})]


async def test_an_editor_that_is_set_edits_the_call(tmp_path: Path) -> None:
    editor = tmp_path / "edit"
    editor.write_text("#!/bin/sh\nsed -i 's/demo/other/' \"$1\"\n")
    editor.chmod(0o755)
    async with terminal(tmp_path, [LAUNCH, TOLD], editor=str(editor)) as at:
        for line in ("start demo", "e", "y"):
            await at.screen.type(line)
        await at.screen.shows("It runs.")
        assert at.ran == [("launch", {"task": "other", "gpus": 1, "tags": None})]


@pytest.mark.parametrize("editor", ["false", "/nowhere/edit", "'unclosed"])
async def test_an_editor_that_fails_changes_nothing(tmp_path: Path, editor: str) -> None:
    async with terminal(tmp_path, [LAUNCH, TOLD], editor=editor) as at:
        for line in ("start demo", "e"):
            await at.screen.type(line)
        await at.screen.shows("editor")
        await at.screen.type("y")
        await at.screen.shows("It runs.")
        assert at.ran == [("launch", {"task": "demo", "gpus": 1, "tags": None})]


async def test_a_call_allowed_for_the_session_does_not_ask_again(tmp_path: Path) -> None:
    script = [LAUNCH, TOLD, Say("", [Call("launch", {"task": "demo"})]), Say("Once more.")]
    async with terminal(tmp_path, script) as at:
        for line in ("start demo", "a", "", "again"):
            await at.screen.type(line)
        await at.screen.shows("Once more.")
        assert at.talk.toolbox.count("launch") == 2
        await at.screen.type("/grants")
        await at.screen.shows("/revoke GRANT")


async def test_a_pattern_allows_what_it_means_and_nothing_else(tmp_path: Path) -> None:
    script = [LAUNCH, TOLD, Say("", [Call("launch", {"task": "other"})]), Say("No.")]
    async with terminal(tmp_path, script) as at:
        for line in ("start demo", "a {task: dem*}", "another"):
            await at.screen.type(line)
        await at.screen.asks("run it")
        assert at.talk.toolbox.count("launch") == 1
        await at.screen.type("n no")
        await at.screen.shows("No.")


async def test_what_is_no_decision_asks_again(tmp_path: Path) -> None:
    async with terminal(tmp_path, [LAUNCH, TOLD]) as at:
        for line in ("start demo", "perhaps", "", "/help"):
            await at.screen.type(line)
        await at.screen.shows("'perhaps' is none")
        await at.screen.shows("/sessions")
        assert at.ran == []
        await at.screen.type("y")
        await at.screen.shows("It runs.")


async def test_a_call_decided_elsewhere_is_no_longer_asked_about(tmp_path: Path) -> None:
    async with terminal(tmp_path, [LAUNCH, TOLD]) as at:
        await at.screen.type("start demo")
        await at.screen.asks("run it")
        (approval,) = await at.talk.assistant.ledger.open_approvals(at.talk.session_id)
        await at.talk.assistant.decide(at.talk.session_id, {approval.id: Approve()}, who="elsewhere")
        await at.screen.shows("It runs.")
        await at.screen.asks()
        assert "run it" not in at.screen.asked[-1]
        assert at.talk.toolbox.count("launch") == 1


async def test_calls_of_one_answer_are_decided_one_by_one(tmp_path: Path) -> None:
    both = Say("", [Call("launch", {"task": "a"}), Call("remove", {"task": "b"})])
    async with terminal(tmp_path, [both, Say("Both.")]) as at:
        for line in ("do both", "y", "y"):
            await at.screen.type(line)
        await at.screen.shows("Both.")
        assert sorted(name for name, _ in at.ran) == ["launch", "remove"]


async def test_an_approval_waits_for_the_next_one_who_comes(tmp_path: Path) -> None:
    async with terminal(tmp_path, [LAUNCH]) as first:
        await first.screen.type("start demo")
        await first.screen.asks("run it")
        first.screen.close()
        assert await first.leaves() == 0
        session_id = first.talk.session_id
    async with terminal(tmp_path, [TOLD], session_id=session_id) as second:
        await second.screen.asks("run it")
        assert "› start demo" in second.screen.text
        await second.screen.type("y")
        await second.screen.shows("It runs.")
        assert second.talk.toolbox.count("launch") == 1


async def test_ctrl_c_stops_the_turn_and_the_conversation_goes_on(tmp_path: Path) -> None:
    async with terminal(tmp_path, [Say("", [Call("wait")]), Say("Here.")]) as at:
        await at.screen.type("wait")
        await at.talk.toolbox.waiting.wait()
        at.chat.interrupt()
        await at.screen.shows("Stopped.")
        await at.screen.type("still there?")
        await at.screen.shows("Here.")


async def test_ctrl_c_at_an_approval_withdraws_the_call(tmp_path: Path) -> None:
    async with terminal(tmp_path, [LAUNCH, Say("Here.")]) as at:
        await at.screen.type("start demo")
        await at.screen.asks("run it")
        at.chat.interrupt()
        await at.screen.shows("cancelled")
        await at.screen.type("still there?")
        await at.screen.shows("Here.")
        assert at.ran == []


async def test_a_second_ctrl_c_leaves(tmp_path: Path) -> None:
    async with terminal(tmp_path, []) as at:
        await at.screen.asks()
        at.chat.interrupt()
        await at.screen.shows("once more")
        at.chat.interrupt()
        assert await at.leaves() == INTERRUPTED


async def test_a_failed_turn_is_told_and_the_conversation_goes_on(tmp_path: Path) -> None:
    async with terminal(tmp_path, [RuntimeError("boom"), Say("Better.")]) as at:
        await at.screen.type("hi")
        await at.screen.shows("(error ")
        await at.screen.type("again")
        await at.screen.shows("Better.")
        assert "boom" not in at.screen.text


async def test_what_others_say_in_the_session_is_shown(tmp_path: Path) -> None:
    async with terminal(tmp_path, [Say("To them.")]) as at:
        await at.screen.asks()
        await at.talk.say("from the page")
        await at.screen.shows("To them.")
        assert "› from the page" in at.screen.text


async def test_only_the_last_of_a_long_session_is_shown_again(tmp_path: Path) -> None:
    async with terminal(tmp_path, [Say(f"Answer {number}.") for number in range(4)]) as at:
        for number in range(4):
            await at.screen.type(f"message {number}")
            await at.screen.shows(f"Answer {number}.")
        session_id = at.talk.session_id
    async with terminal(tmp_path, [], session_id=session_id) as again:
        await again.screen.asks()
        assert "(2 earlier messages" in again.screen.text
        assert "message 1" not in again.screen.text.split("earlier messages")[1]
        assert "Answer 3." in again.screen.text


async def test_a_session_deleted_meanwhile_is_said_to_be_and_another_can_begin(tmp_path: Path) -> None:
    async with terminal(tmp_path, [Say("New.")]) as at:
        await at.screen.asks()
        await at.talk.assistant.delete_session(at.talk.session_id)
        await at.screen.shows("was deleted")
        await at.screen.type("/new")
        await at.screen.type("hi")
        await at.screen.shows("New.")


# Commands


async def test_every_command_answers_in_an_empty_session(tmp_path: Path) -> None:
    async with terminal(tmp_path, []) as at:
        for name in COMMANDS:
            if name not in ("/quit", "/export"):  # the first ends it all, the second has a test of its own
                before = len(at.screen.text)
                await at.screen.type(name)
                await at.screen.asks()
                assert len(at.screen.text) > before, name
        await at.screen.type("/quit")
        assert await at.leaves() == 0


async def test_an_unknown_command_is_said_to_be(tmp_path: Path) -> None:
    async with terminal(tmp_path, []) as at:
        await at.screen.type("/taks")
        await at.screen.shows("did you mean '/tasks'")


async def test_show_unfolds_a_call(tmp_path: Path) -> None:
    async with terminal(tmp_path, [Say("", [Call("look", {"task": "demo"})]), Say("Seen.")]) as at:
        await at.screen.type("look")
        await at.screen.shows("Seen.")
        await at.screen.type("/show 1")
        await at.screen.shows("said: demo is fine")
        await at.screen.type("/show 7")
        await at.screen.shows("this session has calls 1 to 1")


async def test_audit_tells_what_was_decided(tmp_path: Path) -> None:
    async with terminal(tmp_path, [LAUNCH, TOLD]) as at:
        for line in ("start demo", "y"):
            await at.screen.type(line)
        await at.screen.shows("It runs.")
        await at.screen.type("/audit")
        await at.screen.shows("UTC")
        assert "terminal" in at.screen.text.split("UTC")[-1]


async def test_export_writes_the_conversation_and_overwrites_nothing(tmp_path: Path) -> None:
    path = tmp_path / "talk.md"
    async with terminal(tmp_path, [Say("Hello.")]) as at:
        await at.screen.type("hi")
        await at.screen.shows("Hello.")
        await at.screen.type(f"/export {path}")
        await at.screen.type(f"/export {path}")
        await at.screen.shows("exists")
        assert "Hello." in path.read_text()


async def test_sessions_are_gone_to_by_the_start_of_their_id(tmp_path: Path) -> None:
    async with terminal(tmp_path, [Say("Hello.")]) as at:
        await at.screen.type("hi")
        await at.screen.shows("Hello.")
        await at.screen.type("/new other")
        await at.screen.asks()
        assert at.chat.session_id != at.talk.session_id
        await at.screen.type(f"/sessions {at.talk.session_id[:6]}")
        await at.screen.asks()
        assert at.chat.session_id == at.talk.session_id
        await at.screen.type("/sessions nothing")
        await at.screen.shows("nothing")


# Tasks


async def test_the_end_of_a_task_is_reported_while_nothing_is_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.install(monkeypatch)
    task_id = ""
    script: list[Turn] = [lambda _: Say("", [Call("begin", {"task": task_id})]), Say("It waits."), Say("It has ended.")]
    async with terminal(tmp_path, script) as at:
        tuner = at.talk.tuner
        task_id = (await tuner.create(rig.spec())).id
        await at.screen.type("begin")
        await at.screen.shows("It waits.")
        await Worker(tuner._store, tuner.settings).run(task_id)
        await at.screen.shows("It has ended.")
        assert "A task of this conversation has ended." in at.screen.text
        await at.screen.asks()


# Scripts


async def test_a_script_types_decides_and_ends(tmp_path: Path) -> None:
    async with terminal(tmp_path, [LAUNCH, TOLD], script="# demo\nstart demo\napprove\n/show 1\n") as at:
        assert await at.leaves() == 0
        assert at.talk.toolbox.count("launch") == 1
        for line in ("› start demo", "› approve", "› /show 1", "It runs."):
            assert line in at.screen.text


async def test_a_script_rejects_with_a_reason(tmp_path: Path) -> None:
    async with terminal(tmp_path, [LAUNCH, Say("Well.")], script="start demo\nreject too dear\n") as at:
        assert await at.leaves() == 0
        (approval,), _ = await at.talk.assistant.ledger.approvals()
        assert approval.reason == "too dear"


@pytest.mark.parametrize(
    ("model", "script", "why"),
    [
        ([LAUNCH], "start demo\nhow are you?\n", "line 2: launch waits for a decision"),
        ([Say("Hello.")], "hi\napprove\n", "line 2: 'approve' decides, but nothing waits"),
        ([RuntimeError("boom")], "hi\nmore\n", "line 1: the turn failed"),
        ([], "/nothing\n", "line 1: No command '/nothing'"),
    ],
)
async def test_a_script_that_goes_wrong_ends_with_1(tmp_path: Path, model: list[Turn], script: str, why: str) -> None:
    async with terminal(tmp_path, model, script=script) as at:
        assert await at.leaves() == 1
        assert why in at.screen.text
        assert at.ran == []


async def test_a_script_that_ends_at_an_approval_leaves_it_open(tmp_path: Path) -> None:
    async with terminal(tmp_path, [LAUNCH], script="start demo\n") as at:
        assert await at.leaves() == 1
        assert len(await at.talk.assistant.ledger.open_approvals()) == 1


class Queued(BaseModel):
    id: str


@tool
async def start_task(runtime: Runtime, task: str) -> Queued:
    """Start a task of the tuner, without asking."""
    await runtime.context.tuner.start(task)
    await runtime.context.started(task)
    return Queued(id=task)


@pytest.mark.parametrize(("cancelled", "code"), [(False, 0), (True, 1)])
async def test_a_script_waits_for_the_task_and_the_report_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cancelled: bool, code: int
) -> None:
    rig.install(monkeypatch)
    async with Tuner.open(Settings(_env_file=None, home=tmp_path / "home")) as other:
        made = (await other.create(rig.spec())).id
    toolbox = Toolbox()
    toolbox.tools["start_task"] = start_task
    turns: list[Turn] = [Say("", [Call("start_task", {"task": made})]), *map(Say, ("It waits.", "Reported.", "Bye."))]
    async with terminal(tmp_path, turns, toolbox=toolbox, script="begin\nwait\nbye\n") as at:
        tuner = at.talk.tuner
        await at.screen.shows("It waits.")
        if cancelled:
            await tuner.cancel(made)
        else:
            await Worker(tuner._store, tuner.settings).run(made)
        assert await at.leaves() == code
        assert "Reported." in at.screen.text
        assert ("Bye." in at.screen.text) is not cancelled
        assert ("experiment #0, 1 of" in at.screen.text) is not cancelled
        state = (await tuner.task(made)).state
        assert state is (TaskState.CANCELLED if cancelled else TaskState.COMPLETED)
