"""Writes docs/reference/ from the models; with --check, only fails where a page is not what they say."""

import ast
import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import AliasChoices, BaseModel, BeforeValidator
from pydantic_settings import BaseSettings

from agent.settings import AgentSettings
from api.settings import ServerSettings
from tools.settings import ToolSettings
from tuner.settings import Settings
from tuner.spec.objectives import NAMED_OBJECTIVES, objectives
from tuner.spec.task import TaskSpec
from tuner.spec.values import as_tuple

FOLDER = Path(__file__).with_name("reference")
SETTINGS: tuple[type[BaseModel], ...] = (Settings, ServerSettings, AgentSettings, ToolSettings)
TASK = f"""<!-- Generated from the models by `make docs`. Do not edit. -->
# Keys of a task

Unknown keys are refused; a key that is null counts as not given. A *value* is a number, text, true or false. A flag or
variable with one value is fixed, also for the baseline; with a list or a range it is tuned. `model: PATH` is short for
`model: {{id_or_path: PATH}}`. Objectives have names: {", ".join(f"`{name}`" for name in NAMED_OBJECTIVES)}.
"""
VARIABLES = """<!-- Generated from the models by `make docs`. Do not edit. -->
# Environment variables

Read once, when a command starts. An empty one counts as not set, which is *None* below. Of two names the first counts.
"""
TYPES = {"boolean": "true or false", "integer": "whole number", "number": "number", "string": "text"}
FORMATS = {"path": "path", "password": "secret"}
LIMITS = {
    "ge": "≥ {}", "minimum": "≥ {}", "gt": "> {}", "exclusiveMinimum": "> {}", "pattern": "matching `{}`",
    "le": "≤ {}", "maximum": "≤ {}", "lt": "< {}", "exclusiveMaximum": "< {}",
    "minLength": "length ≥ {}", "maxLength": "length ≤ {}", "minItems": "length ≥ {}", "maxItems": "length ≤ {}",
}  # fmt: skip
Schema = Mapping[str, Any]


def task() -> str:
    known = {TaskSpec.__name__: (schema := TaskSpec.model_json_schema()), **schema["$defs"]}
    models = dict.fromkeys(part for part in parts(TaskSpec) if isinstance(part, type(BaseModel)))
    return "\n".join([TASK, *(section(model, known) for model in models)])


def settings() -> str:
    known = {model.__name__: model.model_json_schema(by_alias=False) for model in SETTINGS}
    return "\n".join([VARIABLES, *(section(model, known) for model in SETTINGS)])


PAGES = {"task.md": task, "settings.md": settings}


def parts(annotation: Any) -> Iterator[Any]:
    """An annotation and all that it is made of, through the fields of models."""
    yield annotation
    fields = annotation.model_fields.values() if isinstance(annotation, type(BaseModel)) else ()
    for inner in [field.annotation for field in fields] or get_args(annotation):
        yield from parts(inner)


def section(model: type[BaseModel], known: Mapping[str, Schema]) -> str:
    """A model as a table; `known` has its schema and those of the models it refers to, by name."""
    said = docstrings(model)
    about = ["", model.__doc__.partition("\n\n")[0]] if model.__doc__ else []
    rows = ["| Name | Takes | Default | Meaning |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        schema = known[model.__name__]["properties"][name]
        marks = [*field.metadata, *parts(field.annotation)]
        alone = any(isinstance(mark, BeforeValidator) and mark.func in (as_tuple, objectives) for mark in marks)
        meaning = said.get(name) or known.get(target(schema), {}).get("description", "")
        takes = described(schema, known, alone=alone)
        cells = (called(model, name), takes, default(schema, field.is_required()), meaning)
        rows.append("| " + " | ".join(" ".join(cell.split()).replace("|", r"\|") for cell in cells) + " |")
    return "\n".join([f"## {model.__name__}", *about, "", *rows, ""])


def called(model: type[BaseModel], name: str) -> str:
    """What the user writes: a key, or an environment variable."""
    alias = model.model_fields[name].validation_alias
    plain = f"{model.model_config['env_prefix']}{name}".upper() if issubclass(model, BaseSettings) else name
    return " or ".join(f"`{choice}`" for choice in (alias.choices if isinstance(alias, AliasChoices) else [plain]))


def described(schema: Schema, known: Mapping[str, Schema], *, alone: bool = False) -> str:
    """What a schema takes: `whole number (≥ 1)`. `alone`: where it takes a list, one element will do as well."""
    if options := [one for one in schema.get("anyOf") or schema.get("oneOf") or () if one.get("type") != "null"]:
        words = dict.fromkeys(described(one, known, alone=alone) for one in options)
        return "value" if list(words) == list(TYPES.values()) else " or ".join(words)
    schema = known.get(name := target(schema), schema)
    if choices := schema.get("enum") or ([schema["const"]] if "const" in schema else []):
        return ", ".join(f"`{choice}`" for choice in choices)
    match schema.get("type"):
        case "array":
            inner = described(schema["items"], known)
            word = f"{inner}, or a list of such" if alone else f"list of {inner}"
        case "object" if "properties" in schema:
            word = f"[{name}](#{name.lower()})"
        case "object":
            (named,) = schema.get("patternProperties", {"": schema.get("additionalProperties")}).values()
            word = f"map of names to {described(named, known)}"
        case kind:
            word = FORMATS.get(schema.get("format", ""), TYPES.get(str(kind), "any JSON"))
    limits = ", ".join(text.format(schema[key]) for key, text in LIMITS.items() if key in schema)
    return f"{word} ({limits})" if limits else word


def target(schema: Schema) -> str:
    """The name of the one model that a schema refers to, also where it may be null."""
    one, *others = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    return "" if others else str(one.get("$ref", "")).rpartition("/")[2]


def default(schema: Schema, required: bool) -> str:
    if required or "default" not in schema:
        return "**required**" if required else "depends on the machine"
    if (value := schema["default"]) in (None, "", [], {}):
        return ""
    return "its defaults" if isinstance(value, dict) else f"`{json.dumps(value, ensure_ascii=False)}`"


def docstrings(model: type[BaseModel]) -> dict[str, str]:
    """What stands under each field in the source."""
    (defined,) = ast.parse(inspect.getsource(model)).body
    assert isinstance(defined, ast.ClassDef)
    return {
        field.target.id: str(below.value.value)
        for field, below in zip(defined.body, defined.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
    }


def stale(folder: Path = FOLDER) -> list[str]:
    """Pages that are missing, or not what the models say."""
    return [name for name, page in PAGES.items() if not (at := folder / name).is_file() or at.read_text() != page()]


if __name__ == "__main__":
    if "--check" not in sys.argv[1:]:
        for name, page in PAGES.items():
            (FOLDER / name).write_text(page())
    elif wrong := stale():
        sys.exit(f"docs/reference is not what the models say ({', '.join(wrong)}); run: make docs")
