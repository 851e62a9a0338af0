"""Answers of tools as Markdown: sentences, tables, quotations. Nothing is added to what stands in them."""

import re
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from agent.offline.messages import Data

CELL, QUOTE_LINES, QUOTE = 120, 60, 6_000
"""Characters of a cell, lines and characters of a quotation."""


def text(data: Data, key: str, default: str = "") -> str:
    """A value as text; missing is the default."""
    return shown(data[key]) if key in data else default


def block(data: Data, key: str) -> Data:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def blocks(data: Data, key: str) -> list[Data]:
    value = data.get(key)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def texts(data: Data, key: str) -> list[str]:
    value = data.get(key)
    return [shown(one) for one in value] if isinstance(value, list) else []


def listed(data: Data, key: str) -> str:
    return ", ".join(texts(data, key))


def shown(value: JsonValue) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}" if abs(value) >= 10_000 else str(value)
        case float():
            return f"{value:,.10g}"
        case list():
            return ", ".join(shown(one) for one in value)
        case dict():
            return ", ".join(f"{name} {setting(one)}" for name, one in value.items())
        case _:
            return value


def setting(value: JsonValue) -> str:
    """A flag's value, as a command line has it: no thousands, true and false."""
    if isinstance(value, list):
        return ", ".join(setting(one) for one in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def settings(data: Data) -> str:
    return ", ".join(f"{name} {setting(value)}" for name, value in data.items()) or "the engine's defaults"


def table(rows: Sequence[Data], columns: Mapping[str, str]) -> str:
    """Columns by title and key; one that is empty in every row is left out."""
    kept = {title: key for title, key in columns.items() if any(shown(row.get(key)) for row in rows)}
    lines = [f"| {' | '.join(kept)} |", f"|{' --- |' * len(kept)}"]
    lines += [f"| {' | '.join(cell(row.get(key)) for key in kept.values())} |" for row in rows]
    return "\n".join(lines) if rows else ""


def cell(value: JsonValue) -> str:
    plain = re.sub(r"\s+", " ", shown(value)).replace("|", "\\|")
    return plain if len(plain) <= CELL else f"{plain[:CELL]}…"


def quote(quoted: Data) -> str:
    """Text that nobody vouches for: in a block that it cannot end."""
    body = text(quoted, "text")
    lines = body[-QUOTE:].splitlines()[-QUOTE_LINES:]
    if not any(line.strip() for line in lines):
        return "(it is empty)"
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", body)), default=0))
    less = len(lines) < len(body.splitlines())
    note = f"The last {len(lines)} lines:\n\n" if less else ""
    return "\n".join([f"{note}{fence}text", *lines, fence])


def code(command: str, language: str = "sh") -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", command)), default=0))
    return f"{fence}{language}\n{command.strip()}\n{fence}"


def bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def paragraphs(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


def facts(data: Data, leave: Sequence[str] = ()) -> str:
    """Whatever an answer holds, name by name, for those that have no words of their own."""
    lines: list[str] = []
    tables: list[str] = []
    for name, value in data.items():
        title = name.replace("_", " ")
        if name in leave or value in (None, [], {}):
            continue
        if isinstance(value, list) and all(isinstance(one, dict) for one in value):
            rows = [one for one in value if isinstance(one, dict)]
            keys = list(dict.fromkeys(key for row in rows for key in row))
            tables.append(paragraphs(f"{title}:", table(rows, {key.replace("_", " "): key for key in keys})))
        elif isinstance(value, dict) and "text" in value and "source" in value:
            tables.append(paragraphs(f"{title}:", quote(value)))
        else:
            lines.append(f"{title}: {shown(value)}")
    return paragraphs(bullets(lines), *tables)
