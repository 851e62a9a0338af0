"""Streamed chats over plain connections, whose answers are stamped piece by piece and left unread.

Standard library only: load generators' own interpreters run it, by its path.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from tuner.benchmarks import answers
from tuner.benchmarks.clients import HEADERS, percentile_90

Kept = tuple[float, float | None, float | None, int | None, int, str | None, list[answers.Piece]]
"""A request: started at, ended at, due at, tokens wanted, tokens of the prompt, error, and the pieces of the answer."""


class Place:
    """Where chats are sent."""

    def __init__(self, url: str) -> None:
        found = urlsplit(url)
        assert found.hostname is not None
        self.address = (found.hostname, found.port or 80)
        host = f"[{found.hostname}]" if ":" in found.hostname else found.hostname
        path = f"{found.path.rstrip('/')}/v1/chat/completions"
        self.head = f"POST {path} HTTP/1.1\r\nHost: {host}:{self.address[1]}\r\n{HEADERS}".encode()

    def request(self, body: bytes) -> bytes:
        return b"%sContent-Length: %d\r\n\r\n%s" % (self.head, len(body), body)


def body(
    fixed: Mapping[str, Any], said: Sequence[tuple[str, str]], text: str, tokens: int | None, extra: Mapping[str, Any]
) -> tuple[bytes, int | None]:
    """A request, and the tokens that it tells the model to write (None: it is free to stop).

    Args:
        said: messages and answers of the conversation before.
        tokens: to answer with; None: the scenario says nothing of it.
        extra: fields that win over all others.
    """
    messages = [
        {"role": role, "content": content}
        for message, answer in said
        for role, content in (("user", message), ("assistant", answer))
    ]
    messages.append({"role": "user", "content": text})
    lengths = {} if tokens is None else {"max_tokens": tokens, "ignore_eos": True}
    fields = {**fixed, "messages": messages, **lengths, **extra}
    return json.dumps(fields).encode(), fields.get("max_tokens") if fields.get("ignore_eos") else None


class Chat(asyncio.Protocol):
    """One request under way, and the pieces of its answer."""

    def __init__(self, wanted: int | None, tokens: int, due_at: float | None, sign: Callable[[float], None]) -> None:
        """
        Args:
            sign: told of every piece, by its time.
        """
        self.wanted, self.tokens, self.due_at, self.sign = wanted, tokens, due_at, sign
        self.reply = answers.Reply()
        self.started_at = time.monotonic()
        self.ended_at: float | None = None
        self.error: str | None = None
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def kept(self) -> Kept:
        times = (self.started_at, self.ended_at, self.due_at)
        return (*times, self.wanted, self.tokens, self.error, self.reply.pieces)

    async def send(self, place: Place, body: bytes) -> None:
        """Returns when the answer has ended, one way or another. Cancelled, it counts as under way."""
        transport = None
        try:
            transport, _ = await asyncio.get_running_loop().create_connection(lambda: self, *place.address)
            transport.write(place.request(body))
            await self._over
        except OSError as error:
            self.ended_at, self.error = time.monotonic(), repr(error)
        finally:
            if transport is not None:
                transport.abort()

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        self.sign(now)
        if self.reply.take(now, data):
            self._end(now)

    def connection_lost(self, error: Exception | None) -> None:
        if error is not None and not self._over.done():
            self.error = repr(error)
        self._end(time.monotonic())

    def _end(self, now: float) -> None:
        if not self._over.done():
            self.ended_at = now
            self._over.set_result(None)

    def read(self) -> str:
        """The text of the answer.

        Raises:
            RuntimeError: there is none; with what the server said.
        """
        if (error := record(self.kept, len).get("error")) is not None:
            raise RuntimeError(error)
        found = answers.head(self.reply.pieces)
        return "".join(answers.read(answers.body(self.reply.pieces, found)[0] if found else []).text)


def idle_s(sent: Sequence[Kept], clients: int) -> float:
    """How long a client of a closed loop waits between an answer and its next request, at the 90th percentile.

    Args:
        sent: by order of sending. Of the first ones of each client nothing is said.
    """
    starts, ends = [one[0] for one in sent], sorted(one[1] for one in sent if one[1] is not None)
    pairs = zip(starts[2 * clients :], ends[clients:], strict=False)
    return percentile_90(max(0.0, start - end) for start, end in pairs)


def record(kept: Kept, count: Callable[[str], int]) -> dict[str, Any]:
    """By the names of `requests.Request`.

    Args:
        count: tokens of a text.
    """
    started_at, ended_at, due_at, wanted, tokens, error, pieces = kept
    line = {"started_at": started_at, "scheduled_at": due_at, **answers.record(pieces, wanted, tokens, count)}
    if ended_at is None:
        return line | {"finished_at": None, "output_tokens": 0, "error": None}
    if error is not None:
        return line | {"finished_at": ended_at, "output_tokens": 0, "error": error}
    return line | {"finished_at": line["finished_at"] or ended_at}
