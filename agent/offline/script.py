"""What the offline model does about a wish: a generator of steps, played again from its start with every answer."""

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import JsonValue

from agent.offline.messages import Answer, Data


@dataclass(frozen=True)
class Call:
    tool: str
    args: Data


@dataclass(frozen=True)
class Step:
    """What is said now, and the tool that is called then; without one the turn is over."""

    text: str = ""
    call: Call | None = None


_REJECTED = re.compile(
    r"The user rejects this call (?:and says: (?P<reason>.*?)|and gives no reason)\. It did not run", re.DOTALL
)


Script: TypeAlias = Generator[Step, Data, str]
"""Yields steps with calls, is sent their answers, returns what is said at the end."""


class RefusedError(Exception):
    """Thrown into a script where its call failed, was rejected or forbidden."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.text)
        self.answer = answer


class LostError(Exception):
    """The history is not what this script has made: its calls were others."""


def call(tool: str, text: str = "", /, **args: JsonValue) -> Step:
    """A step; arguments that are None are left to the tool."""
    return Step(text, Call(tool, {name: value for name, value in args.items() if value is not None}))


def play(script: Script, answers: Sequence[Answer]) -> Step:
    """The first step that has no answer yet.

    Raises:
        RefusedError: the script did not take care of a call that failed.
        LostError: an answer is to another call than the script makes.
    """
    try:
        step = next(script)
        for answer in answers:
            if step.call is None or step.call.tool != answer.tool:
                raise LostError
            step = script.throw(RefusedError(answer)) if answer.failed else script.send(answer.data)
    except StopIteration as end:
        return Step(str(end.value))
    finally:
        script.close()
    return step


def said(text: str) -> Script:
    """A script of one sentence."""
    return text
    yield


def rejection(why: str) -> str | None:
    """A person's no, in words for that person."""
    match = _REJECTED.match(why)
    if match is None:
        return None
    return f"You rejected it: “{match['reason']}”." if match["reason"] else "You rejected it."
