"""Plays behaviours over raw sockets, and writes down what really happened. Runs by itself: `python -m` this module.

A line on standard input opens a stage, a port that plays one behaviour from its beginning, or asks what a stage has
served, or how late this machine was; one line comes back. The process ends with its standard input. Times are the
monotonic clock's, which on Linux is one clock for all processes. What is sent is timed against absolute deadlines, so
that being late does not add up.
"""

import asyncio
import gc
import json
import socket
import struct
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from tests.fakes.oracle.behaviours import BEHAVIOURS, EVENTS, JSON, Behaviour
from tests.fakes.oracle.metronome import Metronome
from tests.fakes.oracle.script import MODEL, WORDS, Write, write_script
from tests.fakes.oracle.truth import Outcome, Served

DEFAULT_TOKENS = 16
PHRASES = {200: "OK", 404: "Not Found", 429: "Too Many Requests", 500: "Internal Server Error"}
RESET = struct.pack("ii", 1, 0)
"""Of SO_LINGER: closing sends a reset at once."""


@dataclass
class Stage:
    """One behaviour on one port, with everything it served."""

    behaviour: Behaviour
    served: list[Served] = field(default_factory=list)
    _prefilled_at: float = 0.0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, request after request."""
        try:
            while await self._request(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the client has left
        finally:
            writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection goes on."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        arrived = time.monotonic()
        method, path, _ = head[0].split(" ", 2)
        match method, path.partition("?")[0]:
            case "POST", "/v1/chat/completions":
                asked = json.loads(body)
                if asked.get("stream"):
                    return await self._stream(asked, arrived, reader, writer)
                await self._whole(asked, arrived, writer)
            case "GET", "/v1/models":
                _send(writer, {"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "oracle"}]})
            case "GET", "/health":
                _send(writer, {})
            case "POST", "/reset_prefix_cache":
                _send(writer, {"success": True})
            case _:
                _send(writer, {"error": {"message": f"no such path: {method} {path}"}}, 404)
        return True

    async def _whole(self, asked: Mapping[str, Any], arrived: float, writer: asyncio.StreamWriter) -> None:
        """An answer in one piece, for warm-up. It is not among what was served."""
        tokens = asked.get("max_tokens") or DEFAULT_TOKENS
        await _until(arrived + self.behaviour.ttft_s + tokens * self.behaviour.tpot_s)
        text = " ".join(WORDS[at % len(WORDS)] for at in range(tokens))
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "length"}
        prompt = len(_prompt(asked).split())
        usage = {"prompt_tokens": prompt, "completion_tokens": tokens, "total_tokens": prompt + tokens}
        _send(writer, {"object": "chat.completion", "model": MODEL, "choices": [choice], "usage": usage})

    async def _stream(
        self, asked: Mapping[str, Any], arrived: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        prompt = _prompt(asked)
        served = Served(len(self.served), arrived, prompt, asked.get("max_tokens") or DEFAULT_TOKENS)
        self.served.append(served)
        self._prefilled_at = max(arrived, self._prefilled_at) + self.behaviour.prefill_s
        many, cold_s = self.behaviour.cold
        ttft_s = self._prefilled_at - arrived + self.behaviour.ttft_s + (cold_s if served.number < many else 0.0)
        script = write_script(self.behaviour, served.number, served.max_tokens, len(prompt.split()), ttft_s)
        served.made = [arrived + at for at in script.made]
        served.visible = list(script.visible)
        served.written = [None] * len(script.made)
        fault = script.fault
        answer = _Chunks(writer, old=self.behaviour.wire == "http/1.0")
        if fault is None or fault.after is not None:
            await _until(arrived + min((write.at for write in script.writes), default=ttft_s))
            served.status, served.first_byte = 200 if fault is None else fault.status, time.monotonic()
            answer.begin(served.status, EVENTS if fault is None else fault.content_type)
        for write in script.writes:
            await _until(arrived + write.at)
            if reader.at_eof() or writer.is_closing():
                served.leave()
                return False
            _play(answer, write, served)
        match fault.then if fault else "end":
            case "end":
                served.finish(Outcome.ANSWERED if fault is None else Outcome.FAILED)
                await asyncio.sleep(self.behaviour.lingers_s)
                answer.end()
                return self.behaviour.wire != "http/1.0"
            case "hang":
                served.outcome = Outcome.UNANSWERED
                try:
                    await reader.read()  # until the client leaves
                finally:
                    served.ended = time.monotonic()
            case "reset":
                connection = writer.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                served.finish(Outcome.FAILED)
            case "close":
                served.finish(Outcome.FAILED)
        return False


@dataclass(frozen=True)
class _Chunks:
    """The body of an answer, in chunks; or, as HTTP/1.0 has it, as bytes that the end of the connection ends."""

    writer: asyncio.StreamWriter
    old: bool

    def begin(self, status: int, content_type: str) -> None:
        framing = "Connection: close" if self.old else "Transfer-Encoding: chunked"
        version = "HTTP/1.0" if self.old else "HTTP/1.1"
        head = f"{version} {status} {PHRASES[status]}\r\nContent-Type: {content_type}\r\n{framing}\r\n\r\n"
        self.writer.write(head.encode())

    def write(self, data: bytes) -> None:
        self.writer.write(data if self.old else b"%x\r\n%b\r\n" % (len(data), data))

    def end(self) -> None:
        if not self.old:
            self.writer.write(b"0\r\n\r\n")


def _play(answer: _Chunks, write: Write, served: Served) -> None:
    at = time.monotonic()
    answer.write(write.data)
    for token in write.tokens:
        served.written[token] = at
    if write.tokens:
        served.wrote_at.append(at)


async def _until(deadline: float) -> None:
    while (left := deadline - time.monotonic()) > 0:
        await asyncio.sleep(left)


def _prompt(asked: Mapping[str, Any]) -> str:
    return " ".join(
        content if isinstance(content := message.get("content"), str) else json.dumps(content)
        for message in asked.get("messages", [])
    )


def _send(writer: asyncio.StreamWriter, body: object, status: int = 200) -> None:
    data = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} {PHRASES[status]}\r\nContent-Type: {JSON}\r\nContent-Length: {len(data)}\r\n\r\n"
    writer.write(head.encode() + data)


def scaled(behaviour: Behaviour, by: float) -> Behaviour:
    """The same behaviour, so many times as slow."""
    return replace(
        behaviour,
        ttft_s=by * behaviour.ttft_s,
        tpot_s=by * behaviour.tpot_s,
        prefill_s=by * behaviour.prefill_s,
        cold=(behaviour.cold[0], by * behaviour.cold[1]),
        pauses=tuple((token, by * pause) for token, pause in behaviour.pauses),
    )


async def _obey(orders: asyncio.StreamReader) -> None:
    """Answers line by line, until there are no more."""
    stages: dict[int, Stage] = {}
    servers = []
    metronome = Metronome()
    ticking = asyncio.create_task(metronome.tick())
    while line := await orders.readline():
        order = json.loads(line)
        if "open" in order:
            stage = Stage(scaled(BEHAVIOURS[order["open"]], order["scale"]))
            server = await asyncio.start_server(stage.talk, "127.0.0.1", 0, backlog=1024)
            servers.append(server)
            port = server.sockets[0].getsockname()[1]
            stages[port] = stage
            answer: object = port
        elif "late" in order:
            answer = asdict(metronome.since(order["late"]))
        else:
            answer = [asdict(served) for served in stages[order["truth"]].served]
        print(json.dumps(answer), flush=True)
    ticking.cancel()


async def _main() -> None:
    orders = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    gc.disable()  # a collection would be a pause that no behaviour has
    await _obey(orders)


if __name__ == "__main__":
    asyncio.run(_main())
