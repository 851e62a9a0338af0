"""The screen of a real terminal, with keys that a test presses."""

import asyncio
import io
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.console import Console

from agent.terminal.screen.prompt import PromptScreen

ENTER, ALT_ENTER, CTRL_C, CTRL_D, TAB, UP = "\r", "\x1b\r", "\x03", "\x04", "\t", "\x1b[A"


@dataclass
class Seat:
    """Where somebody sits at the keyboard."""

    keys: PipeInput
    screen: PromptScreen
    heard: list[str] = field(default_factory=list)

    @property
    def typed(self) -> str:
        """What stands in the prompt."""
        return self.screen._session.default_buffer.text

    async def until(self, typed: str) -> None:
        async with asyncio.timeout(60):
            while self.typed != typed:
                await asyncio.sleep(0.005)

    async def hears(self, what: str) -> None:
        async with asyncio.timeout(60):
            while what not in self.heard:
                await asyncio.sleep(0.005)

    async def answer(self, keys: str, **asked: object) -> str | None:
        question = asyncio.create_task(self.screen.ask("› ", **asked))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        self.keys.send_text(keys)
        async with asyncio.timeout(60):
            return await question


@asynccontextmanager
async def seat(home: Path) -> AsyncIterator[Seat]:
    heard: list[str] = []
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        screen = PromptScreen(
            Console(file=io.StringIO()),
            unfinished=lambda: "\x1b[1mwriting\x1b[0m",
            status=lambda: "task runs",
            interrupted=lambda: heard.append("interrupted"),
            left=lambda: heard.append("left"),
            history=home / "history",
            commands=["/tasks", "/show"],
        )
        async with screen.opened():
            yield Seat(keys, screen, heard)


async def test_enter_sends_what_is_typed(tmp_path: Path) -> None:
    async with seat(tmp_path) as at:
        assert await at.answer(f"hello{ENTER}") == "hello"
        assert at.typed == ""


async def test_a_message_may_have_several_lines(tmp_path: Path) -> None:
    async with seat(tmp_path) as at:
        assert await at.answer(f"a{ALT_ENTER}b\\{ENTER}c{ENTER}") == "a\nb\nc"


async def test_enter_pressed_before_the_terminal_was_ours_counts(tmp_path: Path) -> None:
    async with seat(tmp_path) as at:
        assert await at.answer("early\n") == "early"


async def test_a_pasted_text_is_one_message(tmp_path: Path) -> None:
    async with seat(tmp_path) as at:
        assert await at.answer(f"\x1b[200~a\r\nb\x1b[201~{ENTER}") == "a\nb"


async def test_what_is_typed_while_nothing_is_asked_stays(tmp_path: Path) -> None:
    async with seat(tmp_path) as at:
        at.keys.send_text("early")
        await at.until("early")
        assert await at.answer(f" bird{ENTER}") == "early bird"


async def test_messages_entered_while_nothing_is_asked_are_sent_later_and_decide_nothing(tmp_path: Path) -> None:
    async with seat(tmp_path) as at:
        at.keys.send_text(f"y{ENTER}second{ENTER}third")
        await at.until("third")
        assert await at.answer(f"n{ENTER}", message=False) == "n"
        assert await at.screen.ask("› ") == "y"
        assert await at.screen.ask("› ") == "second"
        assert await at.answer(ENTER) == "third"


async def test_ctrl_c_takes_back_what_was_entered_early(tmp_path: Path) -> None:
    async with seat(tmp_path) as at:
        at.keys.send_text(f"early{ENTER}more{CTRL_C}{CTRL_C}")
        await at.hears("interrupted")
        assert at.heard == ["interrupted"]
        assert await at.answer(ENTER) == "more"


async def test_a_question_that_is_taken_back_keeps_the_half_message(tmp_path: Path) -> None:
    async with seat(tmp_path) as at:
        question = asyncio.create_task(at.screen.ask("› "))
        await asyncio.sleep(0)
        at.keys.send_text("half")
        await at.until("half")
        at.screen.wake()
        assert await question is None
        assert at.typed == "half"
        assert await at.answer(f" y{ENTER}", message=False) == " y"
        assert await at.answer(f"{ENTER}") == "half"


async def test_only_messages_are_remembered_for_their_user_alone(tmp_path: Path) -> None:
    (tmp_path / "history").write_text("")
    (tmp_path / "history").chmod(0o644)
    async with seat(tmp_path) as at:
        await at.answer(f"a message{ENTER}")
        await at.answer(f"a secret reason{ENTER}", message=False)
        assert stat.S_IMODE((tmp_path / "history").stat().st_mode) == 0o600
        assert "secret" not in (tmp_path / "history").read_text()
    async with seat(tmp_path) as again:
        question = asyncio.create_task(again.screen.ask("› "))
        async with asyncio.timeout(60):
            while not again.typed:  # the history is read in the background
                again.keys.send_text(UP)
                await asyncio.sleep(0.01)
        again.keys.send_text(ENTER)
        assert await question == "a message"


async def test_ctrl_c_clears_what_is_typed_before_it_interrupts(tmp_path: Path) -> None:
    async with seat(tmp_path) as at:
        question = asyncio.create_task(at.screen.ask("› "))
        await asyncio.sleep(0)
        at.keys.send_text("wrong")
        await at.until("wrong")
        at.keys.send_text(CTRL_C)
        await at.until("")
        assert at.heard == []
        at.keys.send_text(CTRL_C)
        await at.hears("interrupted")
        at.screen.wake()
        assert await question is None


async def test_ctrl_c_interrupts_at_once_while_nothing_is_asked(tmp_path: Path) -> None:
    async with seat(tmp_path) as at:
        at.keys.send_text(f"early{CTRL_C}")
        await at.hears("interrupted")
        assert at.typed == "early"


async def test_ctrl_d_leaves_and_deletes_where_something_is_typed(tmp_path: Path) -> None:
    async with seat(tmp_path) as at:
        at.keys.send_text(f"ab\x1b[D{CTRL_D}")
        await at.until("a")
        assert at.heard == []
        at.keys.send_text(f"\x1b[D{CTRL_D}")
        await at.until("")
        at.keys.send_text(CTRL_D)
        await at.hears("left")


async def test_a_terminal_that_is_gone_leaves(tmp_path: Path) -> None:
    async with seat(tmp_path) as at:
        at.keys.close()
        await at.hears("left")


async def test_tab_completes_a_command(tmp_path: Path) -> None:
    async with seat(tmp_path) as at:
        at.keys.send_text(f"/ta{TAB}")
        await at.until("/tasks")


async def test_a_text_is_edited_in_place(tmp_path: Path) -> None:
    async with seat(tmp_path) as at:
        assert await at.answer(f"x{ENTER}{ALT_ENTER}", message=False, text="a: 1\n") == "x\na: 1\n"


async def test_editing_is_given_up_with_ctrl_c(tmp_path: Path) -> None:
    async with seat(tmp_path) as at:
        assert await at.answer(CTRL_C, message=False, text="a: 1\n") is None


async def test_what_is_shown_goes_above_the_prompt_in_order(tmp_path: Path) -> None:
    async with seat(tmp_path) as at:
        async with asyncio.TaskGroup() as group:
            for number in range(5):
                group.create_task(at.screen.show(lambda console, number=number: console.print(f"line {number}")))  # type: ignore[misc]
        assert isinstance(at.screen.console.file, io.StringIO)
        assert at.screen.console.file.getvalue().split("\n")[:5] == [f"line {number}" for number in range(5)]
