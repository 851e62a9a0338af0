"""A load generator that is right, for the oracle's own tests; with a slip it is wrong in a way that is common.

A closed loop of few requests, in the test's own process. It knows the words of the oracle to be one token each.
"""

import asyncio
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum, auto
from itertools import pairwise
from typing import Any

from tests.fakes.oracle.http import post
from tests.fakes.oracle.judge import Measured, Sent
from tests.fakes.oracle.script import MODEL
from tests.fakes.oracle.truth import statistics

ERRORS, SHORT = 0.05, 0.9
"""The shares of failed requests and of a length that was asked for beyond which a level is refused."""
AT_ONCE_S = 0.001
"""An answer whose text came within this time came all at once."""


class Slip(StrEnum):
    CHUNKS_ARE_TOKENS = auto()
    SURVIVORS_ONLY = auto()
    """What failed or was not answered is forgotten."""
    ERRORS_ARE_ANSWERS = auto()
    """An answer with status 200 is taken as it is."""
    FIRST_EVENT_IS_FIRST_TOKEN = auto()
    USAGE_ENDS_THE_ANSWER = auto()
    EVERY_TOKEN_HAS_TEXT = auto()
    """The tokens of the usage over the time of the text."""
    TEXT_IS_ALL = auto()
    """Only tokens with text are counted."""
    UNDER_WAY_IS_LOST = auto()
    """Tokens of answers that are not finished at the level's end do not count."""
    FIRST_WAVE_IS_MEASURED = auto()


@dataclass
class Exchange:
    """One request and what came of it."""

    started_at: float
    measured: bool
    texts: list[tuple[float, str]] = field(default_factory=list)
    first_event_at: float | None = None
    usage: int | None = None
    finished: bool = False
    error: str | None = None
    state: str = "under way"
    ended_at: float = math.inf

    @property
    def visible(self) -> int:
        return sum(len(text.split()) for _, text in self.texts)

    def read(self, kind: str, data: str) -> None:
        """Takes in one event.

        Raises:
            ValueError: it is an error.
        """
        event = json.loads(data)
        if kind == "error" or event.get("error") or event.get("object") == "error":
            raise ValueError(data)
        usage = event.get("usage")
        self.usage = usage["completion_tokens"] if usage else self.usage
        for choice in event.get("choices") or ():
            if text := _text(choice["delta"]):
                self.texts.append((time.monotonic(), text))
            self.finished = self.finished or bool(choice.get("finish_reason"))


def _text(delta: dict[str, Any]) -> str:
    calls = [call["function"] for call in delta.get("tool_calls") or ()]
    spoken = [delta.get(name) or "" for name in ("content", "reasoning", "reasoning_content")]
    return "".join([*spoken, *(call.get("name", "") + call["arguments"] for call in calls)])


@dataclass
class Client:
    """One level."""

    url: str
    max_tokens: int
    free: bool
    concurrency: int
    requests: int
    ramp_s: float
    limit_s: float
    slip: Slip | None = None
    sent: list[Exchange] = field(default_factory=list)
    _done: int = 0
    _complete: asyncio.Event = field(default_factory=asyncio.Event)

    async def measure(self) -> Measured:
        clients = [asyncio.create_task(self._client(at)) for at in range(self.concurrency)]
        try:
            async with asyncio.timeout(self.limit_s):
                await self._complete.wait()
            late = "censored"
        except TimeoutError:
            late = "unanswered"
        ended_at = time.monotonic()
        for client in clients:
            client.cancel()
        await asyncio.wait(clients)
        for one in self.sent:
            if one.state == "under way":
                one.state, one.ended_at = late if one.measured else "censored", ended_at
        return _Summary(self, ended_at).measured()

    async def _client(self, number: int) -> None:
        await asyncio.sleep(self.ramp_s * number / self.concurrency)
        left_out = 0 if self.slip is Slip.FIRST_WAVE_IS_MEASURED else self.concurrency
        while True:
            one = Exchange(time.monotonic(), left_out <= len(self.sent) < left_out + self.requests)
            self.sent.append(one)
            try:
                await self._ask(one)
                if not one.finished and self.slip is not Slip.ERRORS_ARE_ANSWERS:
                    one.error = "the answer ended without a finish reason"
            except (ValueError, ConnectionError, asyncio.IncompleteReadError) as error:
                one.error = str(error) or repr(error)
            one.state, one.ended_at = "answered" if one.error is None else "failed", time.monotonic()
            self._done += one.measured
            if self._done == self.requests:
                self._complete.set()

    async def _ask(self, one: Exchange) -> None:
        body = {
            "model": MODEL,
            "messages": [{"role": "user", "content": "say something"}],
            "max_tokens": self.max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        async with post(f"{self.url}/v1/chat/completions", body) as answer:
            if answer.status != 200:
                raise ValueError(f"{answer.status}: {await answer.text()}")
            if "event-stream" not in answer.headers["content-type"] and self.slip is not Slip.ERRORS_ARE_ANSWERS:
                raise ValueError(f"no stream: {await answer.text()}")
            kind = ""
            async for line in answer.lines():
                name, _, value = line.partition(":")
                if name == "event":
                    kind = value.strip()
                elif name == "data" and value.strip():
                    if value.strip() == "[DONE]":
                        return
                    one.first_event_at = one.first_event_at or time.monotonic()
                    try:
                        one.read(kind, value)
                    except ValueError:
                        if self.slip is not Slip.ERRORS_ARE_ANSWERS:
                            raise
                    kind = ""


@dataclass(frozen=True)
class _Summary:
    """From exchanges to numbers."""

    client: Client
    ended_at: float

    def measured(self) -> Measured:
        forgets = self.client.slip is Slip.SURVIVORS_ONLY
        mine = [one for one in self.client.sent if one.measured]
        failed = [] if forgets else [one for one in mine if one.state in ("failed", "unanswered")]
        answered = [one for one in mine if one.state == "answered"]
        metrics, missing = self._metrics(answered, [] if forgets else mine)
        return Measured(
            sent=[self._line(one) for one in self.client.sent],
            ended_at=self.ended_at,
            requests=len(mine),
            failed=len(failed),
            unanswered=sum(one.state == "unanswered" for one in failed),
            output_tokens=sum(self._tokens(one) for one in answered),
            hidden_tokens=sum(self._tokens(one) - one.visible for one in answered if self._tokens(one) > one.visible),
            output_tokens_per_s=self._rate(),
            metrics=metrics,
            error=self._error(mine, failed, answered),
            missing=missing,
        )

    def _line(self, one: Exchange) -> Sent:
        finished_at = one.ended_at if one.state in ("answered", "failed") else None
        if finished_at is not None and one.texts:
            finished_at = one.texts[-1][0]
        return Sent(one.started_at, finished_at, self._tokens(one), one.state == "failed")

    def _tokens(self, one: Exchange) -> int:
        match self.client.slip:
            case Slip.CHUNKS_ARE_TOKENS:
                return len(one.texts)
            case Slip.TEXT_IS_ALL:
                return one.visible
        return one.visible if one.usage is None else one.usage

    def _error(self, mine: Sequence[Exchange], failed: Sequence[Exchange], answered: Sequence[Exchange]) -> str | None:
        if len(failed) > ERRORS * len(mine):
            unanswered = sum(one.state == "unanswered" for one in failed)
            reasons = {one.error for one in failed if one.error is not None}
            return f"{len(failed)} of {len(mine)} requests failed, {unanswered} were never answered; {reasons}"
        lax = (Slip.CHUNKS_ARE_TOKENS, Slip.TEXT_IS_ALL, Slip.ERRORS_ARE_ANSWERS)
        if not self.client.free and self.client.slip not in lax:
            for one in answered:
                tokens, asked = self._tokens(one), self.client.max_tokens
                if not tokens:
                    return "an answer was empty"
                if not SHORT * asked <= tokens <= asked:
                    return f"{tokens} of {asked} tokens"
        return None

    def _metrics(
        self, answered: Sequence[Exchange], mine: Sequence[Exchange]
    ) -> tuple[dict[str, dict[str, float] | None], dict[str, str]]:
        cold = [one for one in self.client.sent[: self.client.concurrency] if one.state == "answered"]
        ages = [one.ended_at - one.started_at for one in mine if one.state == "unanswered"]
        known: dict[str, list[float]] = {
            "ttft": [*self._each(self._ttft, answered), *ages],
            "e2e_latency": [*self._each(self._e2e, answered), *ages],
            "tpot": list(self._each(self._tpot, answered)),
            "itl": [gap for one in answered if self._by_token(one) for gap in _gaps(one)],
            "chunk_gap": [gap for one in answered for gap in _gaps(one)],
            "cold ttft": list(self._each(self._ttft, cold)),
            "cold e2e_latency": list(self._each(self._e2e, cold)),
        }
        metrics = {name: statistics(values) for name, values in known.items()}
        return metrics, {name: "not seen" for name, values in metrics.items() if values is None}

    @staticmethod
    def _each(value: Callable[[Exchange], float | None], answered: Sequence[Exchange]) -> Iterator[float]:
        return (told for one in answered if one.texts and (told := value(one)) is not None)

    def _ttft(self, one: Exchange) -> float:
        slip = self.client.slip is Slip.FIRST_EVENT_IS_FIRST_TOKEN
        first = one.first_event_at if slip and one.first_event_at else one.texts[0][0]
        return first - one.started_at

    def _e2e(self, one: Exchange) -> float:
        last = one.ended_at if self.client.slip is Slip.USAGE_ENDS_THE_ANSWER else one.texts[-1][0]
        return last - one.started_at

    def _tpot(self, one: Exchange) -> float | None:
        first, last = one.texts[0][0], one.texts[-1][0]
        if self.client.slip in (Slip.CHUNKS_ARE_TOKENS, Slip.EVERY_TOKEN_HAS_TEXT):
            return (last - first) / (self._tokens(one) - 1) if self._tokens(one) > 1 else None
        later = one.visible - len(one.texts[0][1].split())
        if self._tokens(one) != one.visible or not later or last - first < AT_ONCE_S:
            return None
        return (last - first) / later

    def _by_token(self, one: Exchange) -> bool:
        if self.client.slip is Slip.CHUNKS_ARE_TOKENS:
            return True
        return len(one.texts) == self._tokens(one) > 1 and one.texts[-1][0] - one.texts[0][0] > AT_ONCE_S

    def _rate(self) -> float:
        """Tokens between the c-th answer and the end, over that time. Hidden ones come evenly before the last."""
        ended = sorted(
            one.finished_at for one in map(self._line, self.client.sent) if one.finished_at and not one.failed
        )
        if len(ended) < self.client.concurrency:
            return 0.0
        begin, end = ended[self.client.concurrency - 1], self.ended_at
        lost = self.client.slip is Slip.UNDER_WAY_IS_LOST
        counted = [one for one in self.client.sent if one.state == "answered" or not lost]
        return sum(begin < at <= end for one in counted for at in self._token_times(one)) / (end - begin)

    def _token_times(self, one: Exchange) -> list[float]:
        if self.client.slip is Slip.CHUNKS_ARE_TOKENS:
            return [at for at, _ in one.texts]
        times = [at for at, text in one.texts for _ in text.split()]
        hidden = max(0, self._tokens(one) - one.visible)
        last = times[-1] if times else one.ended_at
        return times + [one.started_at + (last - one.started_at) * at / hidden for at in range(hidden)]


def _gaps(one: Exchange) -> list[float]:
    return [after - before for (before, _), (after, _) in pairwise(one.texts)]
