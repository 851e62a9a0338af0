"""The schemas that providers of language models are given, all of them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from langchain_core.utils.function_calling import convert_to_openai_tool

import tools
from tuner.spec import taskfile

EXAMPLES = sorted(
    path for path in (Path(__file__).parents[2] / "examples").glob("*.*") if "task_name" in path.read_text("utf-8")
)
SNAPSHOT = Path(__file__).with_name("tools.json")
WORDS = {
    "type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "description",
    "default", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength",
    "minItems", "maxItems",
}  # fmt: skip
"""What every provider takes. `$ref`, `oneOf`, `propertyNames` and the like are not among it."""


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema in a schema."""
    if isinstance(schema, list):
        for item in schema:
            yield from nodes(item)
    elif isinstance(schema, dict):
        yield schema
        for key, value in schema.items():
            yield from nodes(
                list(value.values()) if key == "properties" else value if key in ("items", "anyOf") else None
            )
            yield from nodes(schema["additionalProperties"] if key == "additionalProperties" else None)


def snapshot() -> str:
    table = {"READ": tools.READ, "WRITE": tools.WRITE, "ACT": tools.ACT}
    listed = [
        {
            "name": one.name,
            "table": name,
            "untrusted": one.untrusted,
            "description": one.description,
            "schema": tools.args_schema(one.name),
        }
        for name, members in table.items()
        for one in sorted(members, key=lambda member: member.name)
    ]
    return json.dumps(listed, indent=1, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("name", tools.TOOLS)
def test_a_schema_is_one_that_every_provider_takes(name: str) -> None:
    schema = tools.args_schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["type"] == "object"
    for node in nodes(schema):
        assert set(node) <= WORDS, node
    made = convert_to_openai_tool(tools.TOOLS[name])["function"]
    assert made["name"] == name
    assert made["description"] == tools.TOOLS[name].description
    assert made["parameters"]["properties"].keys() == schema["properties"].keys()
    assert "runtime" not in made["parameters"]["properties"]
    assert "$ref" not in json.dumps(made)


@pytest.mark.parametrize("name", [name for name in tools.TOOLS if "github" not in name and "hf_" not in name])
def test_every_tool_and_argument_says_what_it_is_for(name: str) -> None:
    assert len(tools.TOOLS[name].description) > 40
    undescribed = [
        arg for arg, schema in tools.args_schema(name)["properties"].items() if not schema.get("description")
    ]
    assert undescribed == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_fits_the_schema_of_create_task(path: Path) -> None:
    written = taskfile.load(path).model_dump(mode="json", exclude_none=True)
    jsonschema.validate({"task": written}, tools.args_schema("create_task"))


@pytest.mark.parametrize(
    "task",
    [
        {"task_name": 5},
        {"slo": {"ttft": {"p90": {"threshold": 0}}}},
        {"optimization": {"strategy": "magic"}},
        {"benchmark": {"num_concurrency": [0]}},
        {"parameters": {"max-num-seqs": []}},
        {"unknown": 1},
    ],
)
def test_the_schema_of_create_task_refuses_what_no_task_can_hold(task: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"task": task}, tools.args_schema("create_task"))


def test_all_tools_together_leave_room_in_a_small_window() -> None:
    told = json.dumps([convert_to_openai_tool(one) for one in tools.TOOLS.values()])
    assert len(told) < 56_000, "about four characters are a token, and every call of the model pays for them"


def test_the_tables_are_those_of_the_specification() -> None:
    assert {one.name for one in tools.READ} == {
        "list_tasks", "get_task", "list_experiments", "get_experiment", "get_task_logs", "get_experiment_logs",
        "compare_experiments", "explain_result", "plot", "plan_task", "list_engines", "engine_flags", "list_presets",
        "hardware_status", "worker_status", "list_deployments", "search_hf_models", "hf_model_info", "hf_cache_scan",
        "search_github_issues", "get_github_issue", "get_current_time", "sleep",
        "draft_github_issue",  # what create_github_issue publishes
    }  # fmt: skip
    assert {one.name for one in tools.WRITE} == {"create_task", "update_task"}
    assert {one.name for one in tools.ACT} == {
        "start_task", "cancel_task", "resume_task", "delete_task", "save_preset", "delete_preset", "hf_download",
        "create_github_issue", "comment_github_issue", "restart_worker", "stop_deployment", "install_engine",
    }  # fmt: skip
    assert {"get_task_logs", "get_experiment_logs", "get_experiment", "explain_result"} <= tools.UNTRUSTED


def test_names_tables_descriptions_and_schemas_are_those_that_were_agreed_on() -> None:
    """After a change that is meant: `python tests/tools/test_schema.py` writes the file anew."""
    assert snapshot() == SNAPSHOT.read_text("utf-8"), (
        test_names_tables_descriptions_and_schemas_are_those_that_were_agreed_on.__doc__
    )


if __name__ == "__main__":
    SNAPSHOT.write_text(snapshot(), "utf-8")
