"""Draws the blocks of a conversation with Rich; anywhere but on a terminal as plain text."""

import json

from pydantic import JsonValue
from rich.console import Console, ConsoleOptions, Group, OverflowMethod, RenderableType, RenderResult
from rich.markdown import Markdown, TableElement
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from agent.terminal.screen.wording import as_yaml, brief, encodable, line, visible
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
from tuner.analysis.formatting import duration, number
from tuner.logs.cleaning import printable

PROMPT = "› "
EDGE = 8
"""Lines of the screen that what grows leaves to the rest."""
SHOWN = 20_000
"""Characters of an answer that is unfolded."""


def show(console: Console, block: ChatBlock) -> None:
    """Prints a block, once and for all."""
    print_on(console, renderable(block, decorated=decorated(console)))


def print_on(console: Console, what: RenderableType) -> None:
    """Prints; into a pipe without wrapping lines."""
    one_line = True if isinstance(what, Text) and what.no_wrap else None
    overflow: OverflowMethod | None = "ellipsis" if one_line else None
    console.print(what, highlight=False, no_wrap=one_line, overflow=overflow, soft_wrap=not decorated(console))


def decorated(console: Console) -> bool:
    return console.is_terminal and not console.is_dumb_terminal


def renderable(block: ChatBlock, *, decorated: bool) -> RenderableType:
    match block:
        case UserBlock(text):
            return Text(f"{PROMPT}{printable(text)}\n", style="bold")
        case AssistantBlock(text) if decorated:
            return Group(_markdown(text), "")
        case AssistantBlock(text):
            return Text(f"{printable(text)}\n")
        case NoteBlock(text):
            return Text(f"{printable(text)}", style="dim")
        case ErrorBlock(text):
            return Text(printable(text), style="red")
        case CallBlock() as call:
            style = "red" if call.failed else "dim"
            return Text(call_line(call), style=style, no_wrap=decorated)
        case ProgressBlock(call):
            return Text(f"· {call.tool} {_progress(call.progress)}".rstrip(), style="dim")


def call_line(call: CallBlock) -> str:
    """A call in one line: its state, its number, what goes in and what came out."""
    mark = "·" if call.answer is None else "✗" if call.failed else "✓"
    parts = [mark, str(call.number), call.tool, brief(_json(call.args or "{}"), 60)]
    if call.answer is not None:
        parts += ["→", brief(_json(call.answer), 90)]
    return " ".join(filter(None, parts))


def call_details(call: CallBlock) -> str:
    """A call with all of its arguments and its answer."""
    head = f"{call.tool}, call {call.number}"
    answer = "It has no answer yet." if call.answer is None else _all(call.answer)
    return f"{head}\n\n{_all(call.args or '{}')}\n\n→\n\n{answer}\n"


def unfinished(view: View, console: Console, waits: bool) -> str:
    """The unfinished text and calls, drawn: as many of the last lines as the screen has room for.

    Args:
        waits: for decisions, so that no call goes on.
    """
    calls = (
        []
        if waits
        else [Text(_pending(call, view.now() - call.began), style="dim", no_wrap=True) for call in view.open_calls]
    )
    with console.capture() as capture:
        if view.unfinished_text.strip():
            print_on(console, _markdown(view.unfinished_text))
        for call in calls:
            print_on(console, call)
    lines = capture.get().rstrip("\n").split("\n")
    room = max(3, console.height - EDGE)
    return encodable("\n".join(lines[-room:]), console.encoding)


def card(console: Console, title: str, text: str) -> RenderableType:
    """Something to decide on, exactly as it is."""
    body = Text(visible(text))
    if decorated(console):
        return Panel(body, title=Text(title), title_align="left", border_style="yellow")
    return Group(Text(title), body, "")


class _Table(TableElement):
    """On a narrow terminal a cell takes more lines; nothing of it is left out."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for table in super().__rich_console__(console, options):
            assert isinstance(table, Table)
            for column in table.columns:
                column.overflow = "fold"
            yield table


class _Markdown(Markdown):
    elements = {**Markdown.elements, "table_open": _Table}


def _markdown(text: str) -> Markdown:
    # Without links that show one address and lead to another.
    return _Markdown(printable(text), hyperlinks=False, code_theme="ansi_dark")


def _pending(call: CallBlock, seconds: float) -> str:
    done = _progress(call.progress)
    return f"{call_line(call)} {done or (duration(seconds) if seconds >= 1 else '')}".rstrip()


def _progress(data: dict[str, JsonValue]) -> str:
    """`120 of 400 MiB`, and what the tool says besides."""
    done, total, unit = data.get("done"), data.get("total"), line(str(data.get("unit") or ""), 20)
    message = line(str(data.get("message") or ""), 60)
    amount = ""
    if isinstance(done, int | float):
        scale, name = (2**20, "MiB") if unit == "bytes" else (1, unit)
        of = f" of {number(total / scale)}" if isinstance(total, int | float) else ""
        amount = f"{number(done / scale)}{of} {name}".rstrip()
    return ", ".join(filter(None, (amount, message)))


def _json(text: str) -> JsonValue:
    try:
        found: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return found


def _all(text: str) -> str:
    found = _json(text)
    plain = printable(found if isinstance(found, str) else as_yaml(found))
    return plain if len(plain) <= SHOWN else f"{plain[:SHOWN]}\n… {len(plain) - SHOWN:,} more characters: /export"
