"""From a behaviour and a request to what is made and written when. Times are seconds from the request's own zero."""

import json
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from tests.fakes.oracle.behaviours import Behaviour, Fault

MODEL = "demo"
WORDS = (
    "self", "return", "import", "class", "value", "name", "path", "file", "line", "test", "time", "error", "string",
    "object", "list", "number", "index", "result", "data", "size", "type", "text", "node", "item", "code", "write",
)  # fmt: skip
"""With a space before it, each is one token of the demo model's tokenizer."""
GROUP = 4
"""Tokens of a chunk with `stream-interval`; events of a write that is coalesced hold fewer."""
COALESCED = 3
SPLIT_S = 0.002
"""Between the two halves of an event that is cut."""
LATE_S = 0.15
"""Between the last token and a usage that comes late."""


@dataclass(frozen=True)
class Write:
    at: float
    data: bytes
    tokens: tuple[int, ...] = ()
    """The tokens whose text a reader has once this has arrived."""


@dataclass(frozen=True)
class Script:
    """One answer."""

    made: tuple[float, ...]
    """When each token is made."""
    visible: tuple[bool, ...]
    """Whether it has text."""
    writes: tuple[Write, ...]
    fault: Fault | None


def write_script(behaviour: Behaviour, number: int, max_tokens: int, prompt_tokens: int, ttft_s: float) -> Script:
    """The answer to the request with this number.

    Args:
        ttft_s: the time of the first token: the behaviour's own, or longer where the prompt had to wait.
    """
    chance = random.Random(number)
    count = _length(behaviour, max_tokens, chance)
    groups = list(_groups(behaviour, count, chance))
    made = _made(behaviour, groups, ttft_s)
    visible = tuple(not _is_hidden(behaviour, token, count) for token in range(count))
    answer = _Answer(behaviour, number, prompt_tokens, groups, made, visible)
    fault = behaviour.fault if behaviour.fault and behaviour.fault.befalls(number) else None
    events = list(answer.events()) if fault is None else list(_until(answer.events(), fault, ttft_s))
    if fault is not None:
        made, visible = made[: fault.after or 0], visible[: fault.after or 0]
    return Script(made, visible, tuple(_wired(behaviour, events)), fault)


def _length(behaviour: Behaviour, max_tokens: int, chance: random.Random) -> int:
    match behaviour.length:
        case "none":
            return 0
        case "half":
            return max_tokens // 2
        case "log-normal":
            return min(max_tokens, max(1, round(chance.lognormvariate(math.log(max_tokens / 2), 0.6))))
        case "asked":
            return max_tokens


def _groups(behaviour: Behaviour, count: int, chance: random.Random) -> Iterator[range]:
    """Tokens that share a chunk."""
    begin = 0
    while begin < count:
        size = {"speculation": chance.randint(1, GROUP), "interval": GROUP, "whole": count}.get(behaviour.chunk, 1)
        end = min(begin + size, count)
        yield range(begin, end)
        begin = end


def _made(behaviour: Behaviour, groups: list[range], ttft_s: float) -> tuple[float, ...]:
    """Speculation makes the tokens of a chunk at once, all else one by one."""
    times: list[float] = []
    for step, group in enumerate(groups):
        for token in group:
            steps = step * (1 + GROUP) / 2 if behaviour.chunk == "speculation" else token
            pauses = sum(pause for after, pause in behaviour.pauses if token >= after)
            times.append(ttft_s + steps * behaviour.tpot_s + pauses)
    return tuple(times)


def _is_hidden(behaviour: Behaviour, token: int, count: int) -> bool:
    match behaviour.hidden:
        case "none":
            return False
        case "first":
            return token < count // 2
        case "spread":
            return token % 3 == 1
        case "all":
            return True


@dataclass(frozen=True)
class _Answer:
    """The events of an answer that nothing befalls."""

    behaviour: Behaviour
    number: int
    prompt_tokens: int
    groups: list[range]
    made: tuple[float, ...]
    visible: tuple[bool, ...]

    def events(self) -> Iterator[Write]:
        said = self.behaviour
        if said.role_first:
            yield Write(self.made[0] / 2, self._event({"role": "assistant", "content": ""}))
        for group in self.groups:
            tokens = tuple(token for token in group if self.visible[token])
            if tokens or said.hidden == "spread":
                last = group[-1] + 1 == len(self.made)
                finish = "stop" if said.finish_with_last and last else None
                yield Write(self.made[group[-1]], self._event(self._delta(tokens), finish, group[-1] + 1), tokens)
        end = self.made[-1] if self.made else said.ttft_s
        if not said.finish_with_last:
            yield Write(end, self._event({}, "tool_calls" if said.tool_call else "length"))
        usage_at = end + (LATE_S if said.usage == "late" else 0)
        if said.usage in ("end", "late", "cumulative"):
            yield Write(usage_at, _data({**self._head(), "choices": [], "usage": self._usage(len(self.made))}))
        if said.done:
            yield Write(usage_at, b"data: [DONE]\n\n")

    def _event(self, delta: dict[str, Any], finish: str | None = None, tokens: int = 0) -> bytes:
        body = {**self._head(), "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        match self.behaviour.usage:
            case "cumulative":
                body["usage"] = self._usage(tokens if finish is None else len(self.made))
            case "with finish" if finish:
                body["usage"] = self._usage(len(self.made))
            case "null":
                body["usage"] = None
        return _data(body)

    def _delta(self, tokens: tuple[int, ...]) -> dict[str, Any]:
        said = self.behaviour
        text = "".join(said.word or f" {WORDS[(self.number + token) % len(WORDS)]}" for token in tokens)
        if said.tool_call:
            return {"tool_calls": [_call(text, first=0 in tokens)]}
        if said.thinking is not None and tokens and tokens[0] < len(self.made) // 2:
            return {said.thinking: text}
        return {"content": text}

    def _head(self) -> dict[str, Any]:
        return {"id": f"chatcmpl-{self.number}", "object": "chat.completion.chunk", "created": 0, "model": MODEL}

    def _usage(self, made: int) -> dict[str, Any]:
        told = round(made * self.behaviour.usage_factor)
        usage: dict[str, Any] = {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": told,
            "total_tokens": self.prompt_tokens + told,
        }
        if self.behaviour.hidden_counted:
            usage["completion_tokens_details"] = {"reasoning_tokens": self.visible[:made].count(False)}
        return usage


def _call(text: str, *, first: bool) -> dict[str, Any]:
    """A piece of a tool call: the first has its name, the others are pieces of its arguments."""
    if first:
        return {"index": 0, "id": "call_1", "type": "function", "function": {"name": text.strip(), "arguments": ""}}
    return {"index": 0, "function": {"arguments": text}}


def _data(value: object) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def _until(events: Iterator[Write], fault: Fault, ttft_s: float) -> Iterator[Write]:
    """What a fault leaves of an answer: the events of so many tokens, and what it sends itself."""
    at, left = ttft_s, fault.after or 0
    for event in events:
        if len(event.tokens) > left or (not left and not event.tokens):
            break
        at, left = event.at, left - len(event.tokens)
        yield event
    if fault.sends:
        yield Write(at, fault.sends)


def _wired(behaviour: Behaviour, events: list[Write]) -> Iterator[Write]:
    """The same events, as they go over the wire."""
    if behaviour.between:
        events = [replace(event, data=behaviour.between + event.data) for event in events]
    if behaviour.chunk == "held":
        yield _joined(events)
        return
    match behaviour.wire:
        case "coalesced":
            yield from (_joined(events[at : at + COALESCED]) for at in range(0, len(events), COALESCED))
        case "split":
            for event in events:
                yield from _split(event, len(event.data) // 2)
        case "split character":
            for event in events:
                yield from _split(event, event.data.find("ö".encode()) + 1)
        case "no space":
            yield from (replace(event, data=event.data.replace(b"data: ", b"data:")) for event in events)
        case "crlf":
            yield from (replace(event, data=event.data.replace(b"\n", b"\r\n")) for event in events)
        case _:
            yield from events


def _joined(events: list[Write]) -> Write:
    data = b"".join(event.data for event in events)
    return Write(max(event.at for event in events), data, tuple(token for event in events for token in event.tokens))


def _split(event: Write, at: int) -> Iterator[Write]:
    if at > 0:
        yield Write(event.at, event.data[:at])
        yield Write(event.at + SPLIT_S, event.data[at:], event.tokens)
    else:
        yield event
