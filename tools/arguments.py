"""Arguments that many tools take."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, JsonValue, WithJsonSchema

from tools.schema import schema
from tuner.domain import LARGEST
from tuner.spec import reader
from tuner.spec.objectives import NAMED_OBJECTIVES
from tuner.spec.task import TaskSpec

Ref = Annotated[
    str, Field(min_length=1, max_length=200, description="The task: its id, the first characters of it, or its name.")
]
Number = Annotated[int, Field(ge=0, le=LARGEST, description="The experiment's number; 0 is the baseline.")]
Limit = Annotated[int, Field(ge=1, le=100, description="Rows in the answer, at most 100.")]
Offset = Annotated[int, Field(ge=0, le=LARGEST, description="Rows to leave out first, to page on.")]
PresetNames = Annotated[
    tuple[str, ...],
    Field(max_length=10, description="Presets to start from, in order; what the task itself says goes over them."),
]


def _read(raw: object) -> object:
    """A block that a model wrote as text, JSON or YAML, as some do."""
    if isinstance(raw, str) and ("\n" in raw or raw.lstrip().startswith("{")):
        return reader.read(raw).data
    return raw


def block(description: str, **said: Any) -> WithJsonSchema:
    """What the schema of an argument that is a block of keys says, instead of nothing."""
    return WithJsonSchema({"type": "object", "description": description, "additionalProperties": True, **said})


_GUIDE = """\
A tuning task, the same as a task file. Times are seconds. Leave out what the user did not ask for: defaults are good.
`parameters` holds the engine's flags: one value is fixed (for the baseline too), a list or a range is searched.
`environment` holds variables of the engine's process in the same way. `slo` bounds ttft, tpot and latency by statistic:
{"ttft": {"p90": {"threshold": 0.5, "hard_fail": true}}}. With presets, whatever they give may be left out.
Example: {"task_name": "chat", "base_runtime": "vllm", "model": {"id_or_path": "org/model"},
"parameters": {"max-num-seqs": [16, 64, 256]}, "benchmark": {"traffic_scenarios": ["D(256,64)"],
"num_concurrency": [1, 8, 32]}}"""


def _task_schema() -> dict[str, Any]:
    """Of a TaskSpec, with the short forms that are most often written, and nothing required: presets may give it."""
    made = schema(TaskSpec)
    fields = made["properties"]
    fields["model"] = {"anyOf": [{"type": "string"}, fields["model"]]}
    objective = fields["optimization"]["properties"]["objective"]
    named = {"type": "string", "enum": list(NAMED_OBJECTIVES)}
    fields["optimization"]["properties"]["objective"] = {"anyOf": [named, objective]}
    return {key: value for key, value in made.items() if key not in ("required", "type", "description")}


TaskBlock = Annotated[dict[str, JsonValue], BeforeValidator(_read), block(_GUIDE, **_task_schema())]
"""A TaskSpec that presets may complete, so that it is checked once it is whole."""
LooseTask = Annotated[
    dict[str, JsonValue], BeforeValidator(_read), block("A task, or a part of one, written as for create_task.")
]
"""The same without the schema, which is too long to be said more than once."""
