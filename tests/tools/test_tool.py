"""What makes a tool of a function, tried through LangChain's own agent as well."""

import asyncio
import json
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain.tools import ToolRuntime
from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool
from pydantic import Field, JsonValue

import tools
from tests.fakes.scripted_model import Call, Say, ScriptedModel
from tools import Context, InvalidArgumentsError, Runtime
from tools.context import teller
from tools.tool import tool
from tuner.errors import NotFoundError
from tuner.spec.values import Frozen


class Sum(Frozen):
    total: int
    note: str | None = None


async def _look(context: Context, a: int, b: int) -> Sum:
    return Sum(total=a + b)


@tool(preview=_look, untrusted=True)
async def add(runtime: Runtime, a: Annotated[int, Field(ge=0, description="First.")], b: int = 2) -> Sum:
    """Add two numbers.

    Costs nothing.
    """
    teller(runtime)({"done": 1, "total": 1, "unit": "sums"})
    return Sum(total=a + b)


async def through_an_agent(one: BaseTool, context: Context, *calls: Call) -> tuple[list[ToolMessage], list[Any]]:
    """The answers that the model is given, and the progress told meanwhile."""
    agent = create_agent(ScriptedModel(script=[Say(calls=calls), Say("done")]), [one], context_schema=Context)
    told, messages = [], []
    asked: Any = {"messages": [{"role": "user", "content": "go"}]}
    async for part in agent.astream(asked, context=context, stream_mode=["updates", "custom"], version="v2"):
        data: Any = part["data"]
        if part["type"] == "custom":
            told.append(data)
        elif "tools" in data:
            messages += data["tools"]["messages"]
    return messages, told


def test_the_signature_is_the_schema_and_the_docstring_the_prompt() -> None:
    assert add.name == "add"
    assert add.description == "Add two numbers.\n\nCosts nothing."
    assert add.args_schema == {
        "type": "object",
        "properties": {
            "a": {"type": "integer", "minimum": 0, "description": "First."},
            "b": {"default": 2, "type": "integer"},
        },
        "required": ["a"],
        "additionalProperties": False,
    }
    assert add.untrusted


async def test_an_agent_runs_it_with_its_context_and_hears_its_progress(context: Context) -> None:
    messages, told = await through_an_agent(add, context, Call("add", {"a": 1}))
    assert [message.content for message in messages] == ['{"total":3}']
    assert told == [{"done": 1, "total": 1, "unit": "sums"}]


@pytest.mark.parametrize("name", ["runtime", "self", "config", "callbacks", "run_manager", "given"])
async def test_a_model_cannot_reach_what_is_injected_by_naming_it(context: Context, name: str) -> None:
    if name == "runtime":  # the injected one takes its place
        messages, _ = await through_an_agent(add, context, Call("add", {"a": 1, name: "mine"}))
        assert json.loads(str(messages[0].content)) == {"total": 3}
    else:
        with pytest.raises(InvalidArgumentsError, match=f"- {name}: no such argument; there are a, b"):
            await through_an_agent(add, context, Call("add", {"a": 1, name: "mine"}))


async def test_every_problem_of_a_call_is_said_at_once(context: Context) -> None:
    with pytest.raises(InvalidArgumentsError) as caught:
        await add.parse({"a": -1, "b": "x", "c": 3})
    assert str(caught.value).splitlines() == [
        "add cannot be called like this:",
        "- c: no such argument; there are a, b",
        "- a: must be at least 0, not -1",
        "- b: must be a whole number, not 'x'",
    ]


async def test_a_preview_says_what_a_call_would_do(context: Context) -> None:
    assert await add.preview(context, {"a": 5}) == {"total": 7}


async def test_canonical_arguments_have_every_default() -> None:
    assert await tools.canonical("list_tasks", {"state": "running"}) == {
        "state": "running",
        "text": None,
        "engine": None,
        "limit": 20,
        "offset": 0,
    }
    assert await tools.canonical("start_task", {"task": "abcd"}) == {"task": "abcd"}


async def test_what_is_null_is_left_to_its_default_unless_it_must_be_given() -> None:
    assert (await tools.canonical("list_tasks", {"limit": None}))["limit"] == 20
    with pytest.raises(InvalidArgumentsError, match="- task: must be text"):
        await tools.canonical("start_task", {"task": None})


@pytest.mark.parametrize(
    ("name", "args", "said"),
    [
        ("start_task", {}, "- task: this is missing; add it"),
        ("start_task", {"task": 7}, "- task: must be text"),
        ("start_task", {"task": "x" * 201}, "- task: has 201 characters; 200 are the limit"),
        ("list_tasks", {"limit": 1000}, "- limit: must be at most 100, not 1000"),
        ("list_tasks", {"state": "runing"}, "did you mean 'running'"),
        ("list_tasks", {"limits": 5}, "did you mean 'limit'"),
        ("sleep", {"seconds": 3600}, "- seconds: must be at most 60, not 3600"),
        ("sleep", {"seconds": float("nan")}, "- seconds: must be a"),
        ("install_engine", {"environment": "vlm"}, "did you mean 'vllm'"),
        ("save_preset", {"name": "../etc", "task": {}}, "is no name for a preset"),
    ],
)
async def test_arguments_that_cannot_be_are_refused_with_the_way_out(
    name: str, args: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidArgumentsError) as caught:
        await tools.canonical(name, args)
    assert said in str(caught.value)


async def test_an_unknown_tool_is_refused_with_the_nearest_one(context: Context) -> None:
    with pytest.raises(NotFoundError, match=r"No tool 'start_taks'.*did you mean 'start_task'"):
        await tools.canonical("start_taks", {})
    with pytest.raises(NotFoundError, match="did you mean 'sleep'"):
        tools.args_schema("sleeep")
    with pytest.raises(NotFoundError, match="did you mean 'sleep'"):
        await tools.call("slep", {}, context, call_id="1")


async def test_a_preview_of_what_cannot_be_names_the_problem(context: Context) -> None:
    assert await tools.preview("start_task", {"task": "nothing"}, context) == {
        "problem": "No task 'nothing'; there are none yet."
    }
    assert "this is missing" in str((await tools.preview("start_task", {}, context))["problem"])


def test_progress_from_a_thread_that_outlives_its_call_disturbs_nobody() -> None:
    kept: list[Callable[[dict[str, JsonValue]], None]] = []

    async def call() -> None:
        unused: Any = None
        runtime: Runtime = ToolRuntime(
            state=None, context=unused, config={}, stream_writer=unused, tool_call_id="1", store=None
        )
        kept.append(teller(runtime))

    asyncio.run(call())
    kept[0]({"message": "late"})
