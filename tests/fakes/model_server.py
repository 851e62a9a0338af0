"""A model server on loopback that says what a test wrote down: Chat Completions and Anthropic's Messages, streamed."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, TypeAlias

from pydantic import JsonValue

MODEL = "scripted-model"


@dataclass(frozen=True)
class Call:
    """A tool call; arguments that are text are sent as they stand, valid JSON or not."""

    tool: str
    args: Mapping[str, JsonValue] | str = field(default_factory=dict)
    id: str | None = None
    """None: `call_N`, counted over the server's life."""

    @property
    def written(self) -> str:
        return self.args if isinstance(self.args, str) else json.dumps(dict(self.args))


@dataclass(frozen=True)
class Answer:
    text: str = ""
    calls: Sequence[Call] = ()
    status: int = 200
    """Any other than 200 is an error answer, with `text` as its message."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of an error answer: `{"Retry-After": "1"}`."""
    wait_s: float = 0.0
    """Before the first byte."""
    pause_s: float = 0.0
    """Before every further piece."""
    cut_after: int | None = None
    """So many pieces are sent, then the connection breaks."""
    piece: int | None = None
    """Characters of a piece of text; None: a word."""
    usage: tuple[int, int] = (10, 5)
    """Tokens in and out."""


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Mapping[str, Any]

    @property
    def messages(self) -> list[dict[str, Any]]:
        return list(self.body.get("messages", []))


Turn: TypeAlias = Answer | Callable[[Request], Answer]


class ModelServer(ThreadingHTTPServer):
    """Answers with `script`, one entry a request; the last one is repeated for ever where `repeat` is set."""

    daemon_threads = False
    request_queue_size = 256

    def __init__(self, script: Sequence[Turn], *, repeat: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[Request] = []
        """Those that asked for an answer."""
        self.closing = Event()
        self._script, self._repeat, self._calls, self._lock = list(script), repeat, 0, Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def next(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            if not self._script:
                return Answer("the script is at its end, and the model was asked once more", status=500)
            turn = self._script[0] if self._repeat and len(self._script) == 1 else self._script.pop(0)
        return turn if isinstance(turn, Answer) else turn(request)

    def call_id(self, call: Call) -> str:
        with self._lock:
            self._calls += 1
            return call.id or f"call_{self._calls}"


@contextmanager
def model_server(*script: Turn, repeat: bool = False) -> Iterator[ModelServer]:
    """A server on a free port of loopback. On leaving, answers that still wait are cut, and all threads have ended."""
    server = ModelServer(script, repeat=repeat)
    thread = Thread(target=server.serve_forever, args=(0.005,))
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: ModelServer
    protocol_version = "HTTP/1.1"  # chunks, so that a stream that was cut does not look like one that ended
    disable_nagle_algorithm = True  # or the first piece waits 40 ms for the reader to acknowledge the head

    def handle(self) -> None:
        with suppress(ConnectionError, TimeoutError):  # clients that are cancelled leave
            super().handle()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as its base calls it
        return

    def do_GET(self) -> None:
        if self.path.rstrip("/").endswith("/models"):
            self._json({"object": "list", "data": [{"id": MODEL, "object": "model", "created": 0, "owned_by": "test"}]})
        else:
            self._json({"error": {"message": f"no such path {self.path}"}}, 404)

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.path.partition("?")[0], headers, json.loads(raw))
        answer = self.server.next(request)
        if self.server.closing.wait(answer.wait_s):
            self.close_connection = True
            return
        wire = _Anthropic if request.path.endswith("/messages") else _OpenAI
        if answer.status != 200:
            self._json(wire.error(answer), answer.status, answer.headers)
            return
        calls = [(self.server.call_id(call), call) for call in answer.calls]
        if request.body.get("stream"):
            usage = wire is _Anthropic or bool((request.body.get("stream_options") or {}).get("include_usage"))
            self._stream(answer, wire.pieces(answer, calls, usage))
        else:
            self._json(wire.whole(answer, calls))

    def _json(self, body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        written = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Connection": "close", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    def _stream(self, answer: Answer, pieces: Iterator[str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close")
        self.end_headers()
        for number, piece in enumerate(pieces):
            if number == answer.cut_after or self.server.closing.wait(answer.pause_s if number else 0):
                return
            written = piece.encode()
            self.wfile.write(b"%x\r\n%b\r\n" % (len(written), written))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")


def _words(answer: Answer) -> list[str]:
    if answer.piece is not None:
        return [answer.text[at : at + answer.piece] for at in range(0, len(answer.text), answer.piece)]
    return re.findall(r"\s*\S+\s*$|\s*\S+", answer.text) or ([answer.text] if answer.text else [])


def _halves(written: str) -> tuple[str, str]:
    return written[: len(written) // 2], written[len(written) // 2 :]


class _OpenAI:
    @staticmethod
    def error(answer: Answer) -> dict[str, Any]:
        return {"error": {"message": answer.text, "type": "test_error", "code": str(answer.status)}}

    @staticmethod
    def whole(answer: Answer, calls: Sequence[tuple[str, Call]]) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": answer.text or None}
        if calls:
            message["tool_calls"] = [
                {"id": id_, "type": "function", "function": {"name": call.tool, "arguments": call.written}}
                for id_, call in calls
            ]
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}
        return {**_OpenAI._head("chat.completion"), "choices": [choice], "usage": _OpenAI._usage(answer)}

    @staticmethod
    def pieces(answer: Answer, calls: Sequence[tuple[str, Call]], usage: bool) -> Iterator[str]:
        def event(delta: Mapping[str, Any], finish: str | None = None) -> str:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            return f"data: {json.dumps({**_OpenAI._head('chat.completion.chunk'), 'choices': [choice]})}\n\n"

        for number, word in enumerate(_words(answer)):
            yield event({"role": "assistant", "content": word} if not number else {"content": word})
        for index, (id_, call) in enumerate(calls):
            function: dict[str, Any] = {"name": call.tool, "arguments": ""}
            yield event({"tool_calls": [{"index": index, "id": id_, "type": "function", "function": function}]})
            for half in _halves(call.written):
                yield event({"tool_calls": [{"index": index, "function": {"arguments": half}}]})
        yield event({}, "tool_calls" if calls else "stop")
        if usage:
            last = {**_OpenAI._head("chat.completion.chunk"), "choices": [], "usage": _OpenAI._usage(answer)}
            yield f"data: {json.dumps(last)}\n\n"
        yield "data: [DONE]\n\n"

    @staticmethod
    def _head(kind: str) -> dict[str, Any]:
        return {"id": "chatcmpl-1", "object": kind, "created": 0, "model": MODEL}

    @staticmethod
    def _usage(answer: Answer) -> dict[str, int]:
        read, written = answer.usage
        return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


class _Anthropic:
    @staticmethod
    def error(answer: Answer) -> dict[str, Any]:
        return {"type": "error", "error": {"type": "test_error", "message": answer.text}}

    @staticmethod
    def whole(answer: Answer, calls: Sequence[tuple[str, Call]]) -> dict[str, Any]:
        uses = [
            {"type": "tool_use", "id": id_, "name": call.tool, "input": json.loads(call.written)} for id_, call in calls
        ]
        text = [{"type": "text", "text": answer.text}] if answer.text else []
        read, written = answer.usage
        return {
            **_Anthropic._head(),
            "content": [*text, *uses],
            "stop_reason": "tool_use" if calls else "end_turn",
            "usage": {"input_tokens": read, "output_tokens": written},
        }

    @staticmethod
    def pieces(answer: Answer, calls: Sequence[tuple[str, Call]], usage: bool) -> Iterator[str]:
        def event(kind: str, **body: Any) -> str:
            return f"event: {kind}\ndata: {json.dumps({'type': kind, **body})}\n\n"

        def block(index: int, start: Mapping[str, Any], deltas: Sequence[Mapping[str, Any]]) -> Iterator[str]:
            yield event("content_block_start", index=index, content_block=start)
            for delta in deltas:
                yield event("content_block_delta", index=index, delta=delta)
            yield event("content_block_stop", index=index)

        read, written = answer.usage
        head = {**_Anthropic._head(), "content": [], "stop_reason": None}
        yield event("message_start", message={**head, "usage": {"input_tokens": read, "output_tokens": 0}})
        words = _words(answer)
        if words:
            yield from block(0, {"type": "text", "text": ""}, [{"type": "text_delta", "text": word} for word in words])
        for index, (id_, call) in enumerate(calls, 1 if words else 0):
            start = {"type": "tool_use", "id": id_, "name": call.tool, "input": {}}
            halves = [{"type": "input_json_delta", "partial_json": half} for half in _halves(call.written)]
            yield from block(index, start, halves)
        stop = {"stop_reason": "tool_use" if calls else "end_turn", "stop_sequence": None}
        yield event("message_delta", delta=stop, usage={"input_tokens": read, "output_tokens": written})
        yield event("message_stop")

    @staticmethod
    def _head() -> dict[str, Any]:
        return {"id": "msg_1", "type": "message", "role": "assistant", "model": MODEL, "stop_sequence": None}
