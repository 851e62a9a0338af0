"""The description of the interface, complete: bodies that we read ourselves, and every refusal there is."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from api.encoder import AguiEvent
from api.presets import Import, Merge, PresetBody
from api.problems import MEDIA_TYPE, ProblemDetails, documented
from api.streams import Farewell, StreamError
from api.tasks import SpecPatch
from tuner.domain import Event
from tuner.logs.following import LogChunk
from tuner.spec.task import TaskSpec

INPUTS: Mapping[str, type[BaseModel]] = {
    "TaskSpecInput": TaskSpec,
    "SpecPatch": SpecPatch,
    "PresetBody": PresetBody,
    "PresetImport": Import,
    "PresetMerge": Merge,
}
"""Bodies by the name they are referred to; what is inside them is an input, too, and may be written shorter than it
comes back."""

OUTPUTS: Sequence[type[BaseModel]] = (ProblemDetails, Event, LogChunk, StreamError, Farewell, AguiEvent)
"""What is sent and no route declares."""

ALWAYS = (400, 401, 403, 500, 503)
"""The guard, the edge, the database."""
WITH_INPUT = (422,)
WITH_BODY = (413, 415)
OPEN = ("/api/system/health",)

DESCRIPTION = """
Finds the fastest safe way to serve a language model, by measuring it.

Errors are problem details (RFC 9457). Streams are server-sent events and go on after `Last-Event-ID`.
Programs send `Authorization: Bearer TOKEN`.
""".strip()


def schema(app: FastAPI) -> dict[str, Any]:
    """Made once, when it is first asked for."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes)
        components = made.setdefault("components", {}).setdefault("schemas", {})
        for output in OUTPUTS:
            _add(components, output.__name__, output, "serialization")
        for name, model in INPUTS.items():
            _add(components, name, model, "validation")
        for path, operations in made["paths"].items():
            for operation in operations.values():
                _complete(path, operation)
        for name in ("HTTPValidationError", "ValidationError"):
            components.pop(name, None)
        made["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        made["security"] = [{"token": []}]
        app.openapi_schema = made
    return app.openapi_schema


def _complete(path: str, operation: dict[str, Any]) -> None:
    responses: dict[str, Any] = operation.setdefault("responses", {})
    own = {status for status, said in responses.items() if MEDIA_TYPE not in said.get("content", {})}
    wanted = list(ALWAYS)
    if operation.get("parameters") or "requestBody" in operation:
        wanted += WITH_INPUT
        own.discard("422")
    if "requestBody" in operation:
        wanted += WITH_BODY
    if path in OPEN:
        operation["security"] = []
        wanted.remove(401)
    for status, said in documented(*wanted).items():
        if str(status) not in own:
            responses[str(status)] = said
    operation["responses"] = {status: responses[status] for status in sorted(responses)}


def _add(components: dict[str, Any], name: str, model: type[BaseModel], mode: JsonSchemaMode) -> None:
    """Adds a model and what it refers to; where something of that name looks different, under `…Input`."""
    _, made = models_json_schema([(model, mode)], ref_template="#/components/schemas/{model}")
    defined: dict[str, Any] = _plain(made["$defs"])
    names = {old: old if components.get(old, now) == now else f"{old}Input" for old, now in defined.items()}
    # A model that refers to a renamed one is another one, too.
    while renamed := [
        old
        for old, now in defined.items()
        if names[old] == old and old in components and any(names[inner] != inner for inner in _refers(now))
    ]:
        names |= {old: f"{old}Input" for old in renamed}
    names[model.__name__] = name
    for old, now in defined.items():
        components[names[old]] = _renamed(now, names)


def _plain(node: object) -> Any:
    """As FastAPI writes it: a default that is null is left out."""
    if isinstance(node, dict):
        return {key: _plain(value) for key, value in node.items() if (key, value) != ("default", None)}
    return [_plain(one) for one in node] if isinstance(node, list) else node


def _refers(node: object) -> set[str]:
    if isinstance(node, dict):
        ref = node.get("$ref")
        own = {ref.rpartition("/")[2]} if isinstance(ref, str) else set()
        return own.union(*map(_refers, node.values()))
    return set().union(*map(_refers, node)) if isinstance(node, list) else set()


def _renamed(node: object, names: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        if isinstance(ref := node.get("$ref"), str):
            place, _, old = ref.rpartition("/")
            node = node | {"$ref": f"{place}/{names.get(old, old)}"}
        return {key: _renamed(value, names) for key, value in node.items()}
    return [_renamed(one, names) for one in node] if isinstance(node, list) else node
