"""A small web server on loopback, for the fakes that stand in for others' servers."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    @property
    def token(self) -> str | None:
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme else None


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    pause_after: int | None = None
    """Bytes of the body that are sent before the server waits for `Server.go_on`, or its end."""
    silent: bool = False
    """Nothing is ever sent."""


def json_answer(data: Any, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps(data).encode(), {"Content-Type": "application/json", **named})


class Server(ThreadingHTTPServer):
    """Writes down what it is asked."""

    daemon_threads = False

    def __init__(self, answer: Callable[[Request], Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.asked: list[Request] = []
        self.go_on = Event()
        """Set: answers that paused are sent to their end, and new ones do not pause."""
        self.paused = Event()
        self.closing = Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    """Of HTTP/1.0: each answer ends its connection, so that none is left when the server closes."""

    server: Server

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, parts.path, parse_qs(parts.query), headers, body)
        self.server.asked.append(request)
        answer = self.server.answer(request)
        if answer.silent:
            self.server.closing.wait()
            return
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self._send(answer)

    def _send(self, answer: Answer) -> None:
        first = len(answer.body) if answer.pause_after is None else answer.pause_after
        self.wfile.write(answer.body[:first])
        self.wfile.flush()
        if answer.pause_after is not None:
            self.server.paused.set()
            while not (self.server.go_on.wait(0.02) or self.server.closing.is_set()):
                pass
            if not self.server.closing.is_set():
                self.wfile.write(answer.body[first:])

    def handle(self) -> None:
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return

    do_GET = do_HEAD = do_POST = do_PATCH = _serve  # noqa: N815


@contextmanager
def serving(answer: Callable[[Request], Answer]) -> Iterator[Server]:
    server = Server(answer)
    listening = Thread(target=server.serve_forever, args=(0.01,))
    listening.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        listening.join()
