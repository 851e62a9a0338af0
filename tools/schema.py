"""A model's JSON Schema as every provider of language models takes it: no references, no words of pydantic's own."""

from typing import Any

from pydantic import BaseModel

WORDS = {"gt": "exclusiveMinimum", "ge": "minimum", "lt": "exclusiveMaximum", "le": "maximum"}
"""Bounds that pydantic leaves as they are where a validator stands before them."""
DROPPED = {"title", "$defs", "discriminator", "examples", "propertyNames"}


def schema(model: type[BaseModel]) -> dict[str, Any]:
    """For the arguments of a tool. The model must not hold itself: no schema without references can say that."""
    raw = model.model_json_schema()
    flat: dict[str, Any] = _flat(raw, raw.get("$defs", {}))
    return {"type": "object", "properties": {}, **flat}


def _flat(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_flat(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = definitions[node["$ref"].removeprefix("#/$defs/")]
        return _flat({**target, **{key: value for key, value in node.items() if key != "$ref"}}, definitions)
    made: dict[str, Any] = {}
    word: str
    for word, value in node.items():
        key = WORDS.get(word, word)
        match key:
            case _ if key in DROPPED:
                continue
            case "default" if value is None or isinstance(value, dict | list):
                continue
            case "properties":
                made[key] = {name: _flat(part, definitions) for name, part in value.items()}
            case "patternProperties":
                made["additionalProperties"] = _flat(next(iter(value.values())), definitions)
            case "anyOf" | "oneOf":
                made["anyOf"] = _alternatives(_flat(value, definitions))
            case "default" | "enum" | "const" | "required":
                made[key] = value
            case _:
                made[key] = _flat(value, definitions)
    return _without_null(made)


def _alternatives(branches: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Alternatives within alternatives, on one level."""
    return [inner for branch in branches for inner in (branch["anyOf"] if branch.keys() == {"anyOf"} else [branch])]


def _without_null(node: dict[str, Any]) -> dict[str, Any]:
    """What may be null may as well be left out, which is simpler to say."""
    branches = node.get("anyOf")
    if not branches or {"type": "null"} not in branches:
        return node
    left = [branch for branch in branches if branch != {"type": "null"}]
    rest = {key: value for key, value in node.items() if key != "anyOf"}
    return {**left[0], **rest} if len(left) == 1 else {**rest, "anyOf": left}
