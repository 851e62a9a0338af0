"""Bodies of requests: JSON or YAML as their Content-Type says, with the line of whatever is wrong in them."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from api.problems import UnsupportedError
from tuner.errors import InvalidSpecError, Problem
from tuner.spec import reader, taskfile
from tuner.spec.problems import explain
from tuner.spec.reader import Document
from tuner.spec.task import TaskSpec

JSON, PATCH, YAML = "application/json", "application/merge-patch+json", "application/yaml"
YAMLS = (YAML, "application/x-yaml", "text/yaml", "text/x-yaml")

M = TypeVar("M", bound=BaseModel)


def declared(
    schema: str, kinds: Sequence[str] = (JSON, YAML), *, example: object = None, required: bool = True
) -> dict[str, Any]:
    """For a route's `openapi_extra`: a body that is read by one of the functions below.

    Args:
        schema: its name among the components: a key of `openapi.INPUTS`.
    """
    content: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    if example is not None:
        content["example"] = example
    return {"requestBody": {"required": required, "content": dict.fromkeys(kinds, content)}}


def sent(schema: str, kind: str = YAML) -> dict[str, Any]:
    """For a route's `responses`: what it sends as a text of its own, whose content is such a component."""
    return {"description": "A file.", "content": {kind: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


async def text(request: Request, kinds: Sequence[str] = (JSON, *YAMLS)) -> str:
    """Raises:
    UnsupportedError: it is of another kind.
    InvalidSpecError: it is empty, no text, or said to be JSON and is not.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in kinds:
        raise UnsupportedError(f"The Content-Type is {kind or 'missing'!r:.60}; {', '.join(kinds)} can be read here.")
    raw = await request.body()
    try:
        body = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InvalidSpecError([Problem("this is no text in UTF-8", line=line)]) from None
    if kind.endswith("json"):
        await asyncio.to_thread(_check_json, body)
    return body


async def document(request: Request, kinds: Sequence[str] = (JSON, *YAMLS)) -> Document:
    """Plain data with its lines, within the limits of task files."""
    return await asyncio.to_thread(reader.read, await text(request, kinds))


async def task(body: str) -> TaskSpec:
    """A task from a text that `text` gave; not on the event loop, for it may be long."""
    return await asyncio.to_thread(taskfile.parse, body)


async def model(request: Request, kind: type[M], kinds: Sequence[str] = (JSON, *YAMLS)) -> M:
    """Raises:
    InvalidSpecError: with every problem and its line.
    """
    read = await document(request, kinds)
    return checked(kind, read.data, read.lines)


def checked(kind: type[M], data: object, lines: Mapping[reader.Path, int] = {}) -> M:
    """Raises:
    InvalidSpecError: with every problem.
    """
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise InvalidSpecError(explain(error, data, lines)) from None


def _check_json(body: str) -> None:
    try:
        json.loads(body)
    except json.JSONDecodeError as error:
        raise InvalidSpecError([Problem(f"this is no JSON: {error.msg}", line=error.lineno)]) from None
    except (ValueError, RecursionError):
        return  # too deep, or a number of thousands of digits: whoever reads it has the words and the line
