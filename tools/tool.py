"""What makes a tool of an async function: its signature is the schema, its docstring the prompt, its answer JSON."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, get_type_hints, overload

from langchain_core.messages import ToolCall
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import StructuredTool
from pydantic import BaseModel, ConfigDict, Field, JsonValue, SkipValidation, ValidationError, create_model

from tools.context import Context, Runtime
from tools.errors import InvalidArgumentsError
from tools.schema import schema
from tuner.errors import Problem
from tuner.spec.problems import explain, nearest

Function = Callable[..., Awaitable[BaseModel]]
Preview = Callable[..., Awaitable[BaseModel]]
"""Called with the context and the tool's arguments; says what a call would do."""


class Tool(StructuredTool):
    """A tool whose arguments are checked here, not by LangChain: what is wrong with them comes in our own words."""

    arguments: SkipValidation[type[BaseModel]] = Field(exclude=True)
    function: SkipValidation[Function] = Field(exclude=True)
    look: SkipValidation[Preview | None] = Field(default=None, exclude=True)
    untrusted: bool = False
    """Its answers carry text that nobody here vouches for."""

    async def parse(self, args: Mapping[str, Any]) -> BaseModel:
        """Checks the arguments in a thread: they may hold a whole task as text.

        Raises:
            InvalidArgumentsError: with every problem.
        """
        return await asyncio.to_thread(self._parsed, args)

    def _parsed(self, args: Mapping[str, Any]) -> BaseModel:
        fields = self.arguments.model_fields
        there = ", ".join(fields) or "none"
        problems = [
            Problem(f"no such argument; there are {there}{nearest(name, fields)}", name)
            for name in args
            if name not in fields
        ]
        # Models write null for what they leave out.
        known = {
            name: value
            for name, value in args.items()
            if name in fields and (value is not None or fields[name].is_required())
        }
        try:
            parsed = self.arguments.model_validate(known)
        except ValidationError as error:
            problems += explain(error, known, {})
        if problems:
            raise InvalidArgumentsError(self.name, problems)
        return parsed

    async def answer(self, runtime: Runtime, args: Mapping[str, Any]) -> str:
        """Runs it: JSON, without what is not there."""
        answer = await self.function(runtime=runtime, **_values(await self.parse(args)))
        return answer.model_dump_json(exclude_none=True)

    async def preview(self, context: Context, args: Mapping[str, Any]) -> dict[str, JsonValue]:
        """What a call would do; empty where its arguments say it all."""
        parsed = await self.parse(args)
        if self.look is None:
            return {}
        return (await self.look(context, **_values(parsed))).model_dump(mode="json", exclude_none=True)

    async def ainvoke(
        self,
        input: str | dict[str, Any] | ToolCall,  # noqa: A002 - as its base calls it
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Any:
        # A model may call its arguments `self` or `config`, which are LangChain's own: so they travel as one.
        given = dict(input) if isinstance(input, Mapping) else {}
        if given.get("type") == "tool_call":
            return await super().ainvoke({**given, "args": _apart(given["args"])}, config, **kwargs)
        return await super().ainvoke(_apart(given), config, **kwargs)


@overload
def tool(function: Function) -> Tool: ...
@overload
def tool(*, preview: Preview | None = None, untrusted: bool = False) -> Callable[[Function], Tool]: ...
def tool(
    function: Function | None = None, *, preview: Preview | None = None, untrusted: bool = False
) -> Tool | Callable[[Function], Tool]:
    """Makes a tool of `async def name(runtime: Runtime, …) -> AnswerModel`.

    Args:
        preview: takes the context and the same arguments, and says in a model what the call would do.
        untrusted: the answer carries text from outside (logs, model cards, issues); of a privileged tool, its errors.
    """

    def made(function: Function) -> Tool:
        return _tool(function, preview, untrusted)

    return made if function is None else made(function)


def _tool(function: Function, preview: Preview | None, untrusted: bool) -> Tool:
    name, hints = function.__name__, get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {
        parameter.name: (hints[parameter.name], ... if parameter.default is parameter.empty else parameter.default)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name != "runtime"
    }
    arguments = create_model(name, __config__=ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False), **fields)

    async def run(runtime: Runtime, given: dict[str, Any]) -> str:
        return await made.answer(runtime, given)

    made = Tool(
        name=name,
        description=inspect.cleandoc(function.__doc__ or ""),
        args_schema=schema(arguments),
        coroutine=run,
        arguments=arguments,
        function=function,
        look=preview,
        untrusted=untrusted,
    )
    return made


def _values(parsed: BaseModel) -> dict[str, Any]:
    return {name: getattr(parsed, name) for name in type(parsed).model_fields}


def _apart(args: Mapping[str, Any]) -> dict[str, Any]:
    return {"runtime": args.get("runtime"), "given": {name: args[name] for name in args if name != "runtime"}}
