"""What the terminal makes of a conversation, without a terminal."""

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue
from rich.console import Console

from agent.domain import ApprovalState
from agent.errors import InvalidInputError
from agent.events.types import (
    ApprovalDecided,
    Payload,
    RunFailed,
    RunFinished,
    RunStarted,
    ToolCallArgs,
    ToolCallEnded,
    ToolCallStarted,
    ToolProgress,
    ToolResult,
    UserMessage,
)
from agent.terminal import approvals
from agent.terminal.interactive import script
from agent.terminal.markdown import complete_length
from agent.terminal.screen import render, wording
from agent.terminal.view import (
    AssistantBlock,
    CallBlock,
    ChatBlock,
    ErrorBlock,
    NoteBlock,
    ProgressBlock,
    UserBlock,
    View,
)
from tests.fakes.conversation import approval, events, said
from tuner.errors import InvalidSpecError

PIECES = st.sampled_from(
    ["text ", "\n", "\n\n", "- one\n", "1. two\n", "```\n", "~~~sh\n", "# head\n", "| a |\n", "> quote\n", "  in\n"]
)


def shown(*payloads: Payload, view: View | None = None) -> list[ChatBlock]:
    taking = view or View()
    return [block for event in events(*payloads) for block in taking.apply(event)]


def call(
    tool: str = "look", answer: str = '{"said":"fine"}', *, failed: bool = False, key: str = "c1"
) -> list[Payload]:
    return [
        ToolCallStarted(call_id=key, tool=tool),
        ToolCallArgs(call_id=key, delta='{"task": '),
        ToolCallArgs(call_id=key, delta='"demo"}'),
        ToolCallEnded(call_id=key),
        ToolResult(call_id=key, tool=tool, content=answer, failed=failed),
    ]


def printed(*blocks: ChatBlock, terminal: bool = False, width: int = 60) -> str:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=width, no_color=True)
    for block in blocks:
        render.show(console, block)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


# Markdown as it grows


def test_a_paragraph_is_whole_when_the_next_begins() -> None:
    assert complete_length("one\n\n") == 0
    assert complete_length("one\n\nt") == len("one\n\n")


@pytest.mark.parametrize("rest", ["- two", "  more of it", "2. two", "2", "-", "> more"])
def test_what_may_still_belong_to_a_list_keeps_it_open(rest: str) -> None:
    assert complete_length(f"- one\n\n{rest}") == 0


def test_an_empty_line_in_a_code_block_parts_nothing() -> None:
    assert complete_length("```\na\n\nb\n") == 0
    assert complete_length("```\na\n\nb\n```\n\nc") == len("```\na\n\nb\n```\n\n")
    assert complete_length("````\n```\n\nb") == 0


@given(st.lists(PIECES, max_size=12).map("".join))
def test_what_is_whole_stays_whole_and_nothing_is_lost(text: str) -> None:
    sizes = [complete_length(text[:end]) for end in range(len(text) + 1)]
    assert sizes == sorted(sizes)
    ended = shown(*said(*text, message="m"))
    assert "".join("".join(block.text.split()) for block in ended if isinstance(block, AssistantBlock)) == "".join(
        text.split()
    )


# Events → blocks


def test_text_is_told_in_whole_blocks_and_the_rest_grows() -> None:
    view = View()
    assert shown(*said("one\n\ntw", "o")[:-1], view=view) == [AssistantBlock("one")]
    assert view.unfinished_text == "two"


def test_a_call_is_told_once_it_has_its_answer() -> None:
    (block,) = shown(*call())
    assert isinstance(block, CallBlock)
    assert (block.number, block.tool, block.args, block.answer) == (1, "look", '{"task": "demo"}', '{"said":"fine"}')


def test_progress_is_told_at_every_tenth() -> None:
    began: list[Payload] = [ToolCallStarted(call_id="c", tool="fetch")]
    steps = [ToolProgress(call_id="c", data={"done": done, "total": 100, "unit": "bytes"}) for done in range(0, 101, 2)]
    assert len([block for block in shown(*began, *steps) if isinstance(block, ProgressBlock)]) == 10


@pytest.mark.parametrize("data", [{}, {"done": 1}, {"done": "x", "total": "y"}, {"done": 1, "total": 0}])
def test_progress_of_another_form_is_no_trouble(data: dict[str, JsonValue]) -> None:
    assert shown(ToolCallStarted(call_id="c", tool="fetch"), ToolProgress(call_id="c", data=data)) == []


def test_the_tasks_that_a_conversation_starts_are_known() -> None:
    view = View()
    shown(*call("start_task", '{"id":"0123abcd"}'), *call("start_task", "no", failed=True, key="c2"), view=view)
    assert view.tasks == ["0123abcd"]


@pytest.mark.parametrize("answer", ["not JSON", "[]", '{"id": 1}'])
def test_an_answer_that_names_no_task_starts_none(answer: str) -> None:
    view = View()
    shown(*call("start_task", answer), view=view)
    assert view.tasks == []


def test_a_call_that_waits_for_approval_stays_open_and_a_failed_turn_closes_it() -> None:
    view = View()
    started = RunStarted(trigger="message", model="offline")
    shown(started, *call()[:-1], RunFinished(outcome="approvals"), view=view)
    assert [one.tool for one in view.open_calls] == ["look"]
    blocks = shown(started, RunFailed(message="It stops.", error_id="e1"), view=view)
    assert blocks == [ErrorBlock("It stops. (error e1)")]
    assert view.open_calls == []
    assert view.running is None


def test_reports_on_tasks_are_counted() -> None:
    view = View()
    shown(RunStarted(trigger="task_ended", model="offline"), *said("done"), RunFinished(outcome="done"), view=view)
    assert view.reports == 1


def test_a_decision_is_told_with_its_reason() -> None:
    rejected = approval(state=ApprovalState.REJECTED).model_copy(update={"reason": "too long"})
    assert shown(ApprovalDecided(approval=rejected)) == [NoteBlock("start_task: rejected, too long.")]


# Blocks → text


def test_a_pipe_gets_plain_lines_without_colours_however_long() -> None:
    blocks = shown(UserMessage(message_id="u", text="hi"), *said("**bold** " + "x" * 200), *call())
    text = printed(*blocks)
    assert "\x1b" not in text
    assert "**bold** " + "x" * 200 in text.splitlines()
    assert "✓ 1 look task=demo → said=fine" in text


def test_a_terminal_gets_markdown_drawn_and_calls_in_one_line() -> None:
    text = printed(
        AssistantBlock("**bold**"), *shown(*call(answer=json.dumps({"said": "word " * 50}))), terminal=True, width=40
    )
    assert "\x1b[1mbold" in text
    assert len([line for line in text.splitlines() if "look" in line or "word" in line]) == 1


def test_no_control_character_of_what_others_wrote_reaches_the_terminal() -> None:
    evil = "a\x1b]0;title\x07b\x1b[2Jc\x9b31md\u202ee\rf"
    blocks = [
        UserBlock(evil),
        AssistantBlock(evil),
        NoteBlock(evil),
        ErrorBlock(evil),
        *shown(*call(answer=json.dumps({evil: evil}))),
    ]
    for terminal in (True, False):
        text = printed(*blocks, terminal=terminal)
        assert not set(text) & set("\x07\x9b\u202e\r")
        assert "title" not in text
        assert "\x1b[2J" not in text


def test_a_link_shows_where_it_leads() -> None:
    assert "https://evil.example" in printed(AssistantBlock("[home](https://evil.example)"), terminal=True)


def test_a_narrow_terminal_leaves_nothing_of_a_table_out() -> None:
    table = "| task | name | state |\n|---|---|---|\n| 0123abcd | throughput | completed |"
    letters = sorted(printed(AssistantBlock(table), terminal=True, width=16))
    assert all(letters.count(one) >= "0123abcdthroughputcompleted".count(one) for one in "0123abcdthroughputcompleted")


def test_what_grows_fits_the_screen() -> None:
    view = View()
    shown(*said("- line\n" * 200)[:-1], view=view)
    console = Console(file=io.StringIO(), force_terminal=True, width=30, height=20)
    assert len(render.unfinished(view, console, waits=False).splitlines()) == 20 - render.EDGE


def test_a_call_that_goes_on_shows_its_progress() -> None:
    view = View(now=lambda: 0.0)
    data = {"done": 2**20, "total": 2**22, "unit": "bytes", "message": "file.safetensors"}
    shown(ToolCallStarted(call_id="c", tool="hf_download"), ToolProgress(call_id="c", data=data), view=view)
    console = Console(file=io.StringIO(), force_terminal=True, width=80, no_color=True)
    assert "hf_download 1.00 of 4.00 MiB, file.safetensors" in render.unfinished(view, console, waits=False)
    assert "hf_download" not in render.unfinished(view, console, waits=True)


def test_an_unfolded_answer_is_whole_but_for_an_endless_one() -> None:
    (block,) = shown(*call(answer=json.dumps({"lines": ["x" * 100] * 1000})))
    assert isinstance(block, CallBlock)
    text = render.call_details(block)
    assert "task: demo" in text
    assert text.rstrip().endswith("more characters: /export")


# Approvals


def test_an_approval_shows_the_exact_call_and_its_plan() -> None:
    plan = {"experiments": 7, "candidates": 5, "baseline": True, "confirmations": 1, "levels": ["D(8,8) × 1"],
            "gpus": 0, "at_most": "2 min 0 s", "engine": "vllm", "commands": ["serve --a 1", "b", "c", "d"],
            "missing": ["install it"]}  # fmt: skip
    text = approvals.described("start_task", {"task": "0123abcd", "tags": None}, {"name": "demo", "plan": plan})  # type: ignore[dict-item]
    assert text.startswith("task: 0123abcd\ntags: null\n")
    for fact in ("at most 7: 5 candidates, the baseline, 1 confirmations", "at most 2 min 0 s", "none", "install it"):
        assert fact in text
    assert "  serve --a 1\n  b\n  c" in text
    assert "\n  d" not in text


def test_an_approval_hides_no_character() -> None:
    console = Console(file=io.StringIO(), width=80)
    text = approvals.described("launch", {"task": "a\u202eb\x1b[1A\u200bc"}, {"note": "x\x1b[2Jy"})
    render.print_on(console, render.card(console, "May launch run?", text))
    assert isinstance(console.file, io.StringIO)
    seen = console.file.getvalue()
    assert "\x1b" not in seen
    assert "\u202e" not in seen
    assert "\\u202e" in seen
    assert "\\u001b[2Jy" in seen


@pytest.mark.parametrize("text", ["- a\n- b", "just text", "1"])
def test_arguments_that_are_no_mapping_are_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="name: value"):
        approvals.read(text)


def test_arguments_that_are_no_yaml_are_refused_with_the_line() -> None:
    with pytest.raises(InvalidSpecError, match="line 2"):
        approvals.read("a: 1\nb: [")


# Words


def test_what_a_stream_cannot_encode_is_written_in_characters_that_it_can() -> None:
    wording.register()
    assert wording.encodable("› ✓ “done” → ☃", "ascii") == '> + "done" -> ?'


def test_a_line_is_one_and_no_longer_than_agreed() -> None:
    assert wording.line("a\nb\t c\x1b[31m", 80) == "a b c"
    assert len(wording.line("word " * 1000, 20)) <= 20


def test_written_arguments_read_back_as_they_were() -> None:
    args = {"a": "1e3", "b": [1, 2.5, None, True], "c": {"d": "x: y\n"}, "e": "é"}
    assert approvals.read(wording.as_yaml(args)) == args


# Scripts


def test_a_script_is_its_lines_without_comments(tmp_path: Path) -> None:
    path = tmp_path / "a.chat"
    path.write_text("# what it does\n\nhello\n  approve  \n")
    found = script.load(path)
    assert (found.next(), found.number) == ("hello", 3)
    assert (found.next(), found.number) == ("approve", 4)
    assert found.next() is None


@pytest.mark.parametrize(
    ("content", "why"), [(b"# only this\n", "comments"), (b"\xff\xfe\xff", "UTF-8"), (None, "read")]
)
def test_a_script_that_cannot_be_typed_is_refused(tmp_path: Path, content: bytes | None, why: str) -> None:
    path = tmp_path / "a.chat"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidInputError, match=why):
        script.load(path)
