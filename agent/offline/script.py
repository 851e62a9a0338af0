"""Scripts of the offline model: generators of steps, replayed from their start with every answer of a tool."""

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import JsonValue

from agent.offline.messages import Data, ToolAnswer


@dataclass(frozen=True)
class PlannedCall:
    tool: str
    args: Data


@dataclass(frozen=True)
class ScriptStep:
    """What is said now, and the tool that is called then; without one the turn is over."""

    text: str = ""
    call: PlannedCall | None = None


_REJECTED = re.compile(
    r"The user rejects this call (?:and says: (?P<reason>.*?)|and gives no reason)\. It did not run", re.DOTALL
)


Script: TypeAlias = Generator[ScriptStep, Data, str]
"""Yields steps with calls, is sent their answers, returns what is said at the end."""


class CallRefusedError(Exception):
    """Thrown into a script where its call failed, was rejected or forbidden."""

    def __init__(self, answer: ToolAnswer) -> None:
        super().__init__(answer.text)
        self.answer = answer


class HistoryMismatchError(Exception):
    """The history is not what this script has made: its calls were others."""


def call(tool: str, text: str = "", /, **args: JsonValue) -> ScriptStep:
    """A step; arguments that are None are left to the tool."""
    return ScriptStep(text, PlannedCall(tool, {name: value for name, value in args.items() if value is not None}))


def replay(script: Script, answers: Sequence[ToolAnswer]) -> ScriptStep:
    """The first step that has no answer yet.

    Raises:
        RefusedError: the script did not take care of a call that failed.
        LostError: an answer is to another call than the script makes.
    """
    try:
        step = next(script)
        for answer in answers:
            if step.call is None or step.call.tool != answer.tool:
                raise HistoryMismatchError
            step = script.throw(CallRefusedError(answer)) if answer.failed else script.send(answer.data)
    except StopIteration as end:
        return ScriptStep(str(end.value))
    finally:
        script.close()
    return step


def reply(text: str) -> Script:
    """A script that says a text and calls nothing."""
    return text
    yield


def rejection(why: str) -> str | None:
    """A person's rejection, in words for that person. None: the call failed otherwise."""
    match = _REJECTED.match(why)
    if match is None:
        return None
    return f"You rejected it: “{match['reason']}”." if match["reason"] else "You rejected it."
