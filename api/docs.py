"""The interface for people: one page made of the OpenAPI description, without script and without other hosts."""

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, TypeAlias

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

router = APIRouter(include_in_schema=False)

Node: TypeAlias = Mapping[str, Any]

STYLE = """
:root { color-scheme: light dark; --line: #8884; --faint: #808080; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1.5rem 1.25rem 5rem; }
h2 { margin: 2rem 0 .4rem; text-transform: capitalize; }
details { border-bottom: 1px solid var(--line); padding: .35rem 0; }
summary { cursor: pointer; overflow-wrap: anywhere; }
summary span { color: var(--faint); }
b.method { display: inline-block; min-width: 4.2rem; font: 600 .85rem ui-monospace, Menlo, Consolas, monospace; }
code, pre { font: .86rem/1.5 ui-monospace, Menlo, Consolas, monospace; }
pre { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line); }
"""


@router.get("/docs")
async def show_docs(request: Request) -> HTMLResponse:
    return HTMLResponse(page(request.app.openapi()))


def page(schema: Node) -> str:
    by_tag: dict[str, list[str]] = {}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            by_tag.setdefault(operation.get("tags", ["other"])[0], []).append(_operation(method, path, operation))
    parts = [f"<h2>{escape(tag)}</h2>{''.join(found)}" for tag, found in by_tag.items()]
    models = "".join(_model(name, model) for name, model in sorted(schema["components"]["schemas"].items()))
    title = escape(f"{schema['info']['title']} {schema['info']['version']}")
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}: HTTP</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}: the HTTP interface</h1>\n"
        f"{_paragraphs(schema['info'].get('description', ''))}"
        f'<p>For programs: <a href="/openapi.json">openapi.json</a></p>\n'
        f"{''.join(parts)}<h2>models</h2>{models}\n</body>\n</html>\n"
    )


def _operation(method: str, path: str, operation: Node) -> str:
    rows = [
        (f"<code>{escape(one['name'])}</code> ({escape(one['in'])})", _type(one["schema"]), one.get("description", ""))
        for one in operation.get("parameters", ())
    ]
    parts = [_paragraphs(operation.get("description", "")), _table(("parameter", "type", "meaning"), rows)]
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        parts.append(f"<p>Body as <code>{escape(kind)}</code>: {_type(content['schema'])}</p>")
        if "example" in content and kind.endswith("json"):
            parts.append(f"<pre>{escape(json.dumps(content['example'], indent=2))}</pre>")
    answers = [
        (f"<code>{escape(status)}</code>", _content(answer), answer.get("description", ""))
        for status, answer in operation["responses"].items()
    ]
    parts.append(_table(("status", "body", "meaning"), answers))
    return (
        f"<details><summary><b class=method>{escape(method.upper())}</b> <code>{escape(path)}</code> "
        f"<span>{escape(operation['operationId'])}</span></summary>{''.join(parts)}</details>\n"
    )


def _content(answer: Node) -> str:
    found = answer.get("content", {})
    return "<br>".join(f"<code>{escape(kind)}</code> {_type(said.get('schema', {}))}" for kind, said in found.items())


def _model(name: str, model: Node) -> str:
    required = set(model.get("required", ()))
    rows = [
        (
            f"<code>{escape(field)}</code>{'' if field in required else ' (optional)'}",
            _type(of),
            of.get("description", ""),
        )
        for field, of in model.get("properties", {}).items()
    ]
    about = _paragraphs(model.get("description", ""))
    body = about + (_table(("field", "type", "meaning"), rows) if rows else f"<p>{_type(model)}</p>")
    return f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>{body}</details>\n'


def _type(schema: Node) -> str:
    """In a few words, with a link to the model."""
    if "$ref" in schema:
        name = escape(str(schema["$ref"]).rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    for many in ("anyOf", "oneOf", "allOf"):
        if many in schema:
            return " or ".join(dict.fromkeys(map(_type, schema[many])))
    if "enum" in schema:
        return " · ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if isinstance(inner := schema.get("additionalProperties"), Mapping):
        return f"names to {_type(inner)}"
    return escape(str(schema.get("type", "anything")))


def _table(head: Iterable[str], rows: Iterable[tuple[str, str, str]]) -> str:
    body = "".join(
        f"<tr><td>{first}</td><td>{second}</td><td>{escape(third)}</td></tr>" for first, second, third in rows
    )
    return f"<table><tr>{''.join(f'<th>{name}</th>' for name in head)}</tr>{body}</table>" if body else ""


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{escape(part.strip())}</p>\n" for part in text.split("\n\n") if part.strip())
