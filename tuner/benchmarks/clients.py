"""The clients of a closed loop: each sends its next request when its last one has been answered.

Standard library only: load generators' own interpreters run it too. One process holds many clients in one loop without
threads, and does as little as it can while they run: it stamps what comes and leaves it unread.
"""

import errno
import multiprocessing
import os
import resource
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tuner.benchmarks import pacing
from tuner.benchmarks.answers import Piece, Reply

RAMP_EVERY_S, LOOK_EVERY_S = 0.002, 0.01
READ_BYTES = 2**16
HEADERS = (
    "Accept: text/event-stream\r\nAuthorization: Bearer none\r\nConnection: close\r\n"
    "Content-Type: application/json\r\nUser-Agent: autotuner\r\n"
)
ENDINGS = ("", "complete", "tail", "time", "stalled", "failed")
FIELDS = 4
"""Of a `pacing.Standing`."""


@dataclass(frozen=True)
class Order:
    """A level to be sent."""

    concurrency: int
    unmeasured: int
    wanted: int
    time_s: float
    patience_s: float
    processes: int

    def measures(self, number: int) -> bool:
        """The request of that number, by order of sending, is measured."""
        return 0 <= number - self.unmeasured < self.wanted


@dataclass(frozen=True)
class Prompt:
    """A request, ready to be sent."""

    body: bytes
    wanted: int | None
    """Tokens that it tells the model to write; None: it is free to stop."""
    tokens: int
    """Of the prompt, by the tokenizer."""


@dataclass(eq=False)
class Call:
    """One request: when it was sent, and the pieces of its answer as they came."""

    number: int
    """By order of sending, over all processes."""
    prompt: Prompt
    socket: socket.socket
    unsent: memoryview
    started_at: float
    ended_at: float | None = None
    reply: Reply = field(default_factory=Reply)
    error: str | None = None

    @property
    def pieces(self) -> list[Piece]:
        return self.reply.pieces

    @property
    def last_sign_at(self) -> float:
        return self.pieces[-1][0] if self.pieces else self.started_at


@dataclass
class Shared:
    """What the processes of a level know of each other: numbers in memory, each written by one of them."""

    tickets: Any
    """How many requests were sent; taken under its lock."""
    end: Any
    """(when the level ended, why: a place in `ENDINGS`); written once, under the lock of `tickets`."""
    first: Any
    """Of the first request: pieces, tokens it was told to write, sent at, ended at; 0 where there is none yet."""
    standings: Any

    @classmethod
    def of(cls, processes: int) -> "Shared":
        array = multiprocessing.RawArray
        return cls(multiprocessing.Value("q", 0), array("d", 2), array("d", 4), array("d", processes * FIELDS))

    def take(self) -> int:
        with self.tickets.get_lock():
            number = int(self.tickets.value)
            self.tickets.value = number + 1
            return number

    def stop(self, why: str, at: float) -> None:
        with self.tickets.get_lock():
            if not self.end[1]:
                self.end[0], self.end[1] = at, ENDINGS.index(why)

    @property
    def ended_at(self) -> float:
        return float(self.end[0])

    @property
    def why(self) -> str:
        return ENDINGS[int(self.end[1])]

    def standing(self) -> pacing.Standing:
        rows = [self.standings[start : start + FIELDS] for start in range(0, len(self.standings), FIELDS)]
        return pacing.together([pacing.Standing(int(row[0]), int(row[1]), int(row[2]), row[3]) for row in rows])

    def due(self, clients: int, now: float) -> int:
        pieces, wanted, sent_at, ended_at = self.first
        if not sent_at:
            return 1
        first = pacing.First(int(pieces), int(wanted) or None, sent_at, ended_at or None)
        return pacing.clients_due(clients, first, now)


class Clients:
    """Those of one process of a level: every `processes`-th one."""

    def __init__(
        self,
        order: Order,
        shared: Shared,
        me: int,
        address: tuple[str, int],
        path: str,
        prompt: Callable[[int], Prompt],
        make_socket: Callable[..., socket.socket] = socket.socket,
        make_poll: Callable[[], Any] | None = None,
    ) -> None:
        """
        Args:
            prompt: by the number of the request.
            make_socket, make_poll: the operating system's own, where a library has put others in their place.
        """
        self.order, self.shared, self.me, self.prompt, self.make_socket = order, shared, me, prompt, make_socket
        found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0]
        self.family, self.address = found[0], found[4]
        host = f"[{address[0]}]" if ":" in address[0] else address[0]
        self.head = f"POST {path} HTTP/1.1\r\nHost: {host}:{address[1]}\r\n{HEADERS}".encode()
        self.poll = (make_poll or select.epoll)()
        self.waiting = deque(range(me, order.concurrency, order.processes))
        self.calls: list[Call] = []
        self.by_file: dict[int, Call] = {}
        self.settled, self.longest_s = 0, 0.0
        self.tail_since: float | None = None
        self.lags: list[float] = []
        self.cpu_s = self.wall_s = 0.0
        self.parent = os.getppid()

    def run(self) -> None:
        """Sends requests until the level has ended. Nothing that comes later is looked at."""
        self.began_at, used = time.monotonic(), _processor_s()
        look_at = self.began_at
        while not self.shared.why:
            now = time.monotonic()
            if now >= look_at:
                self.lags.append(now - look_at)
                self._look(now)
                look_at = now + LOOK_EVERY_S
            if self.waiting:
                self._start(self.shared.due(self.order.concurrency, now))
            pause_s = min(RAMP_EVERY_S if self.waiting else LOOK_EVERY_S, look_at - now)
            for number, _ in self.poll.poll(max(0.0, pause_s)):
                if (call := self.by_file.get(number)) is not None:
                    self._serve(call)
        self.cpu_s, self.wall_s = _processor_s() - used, time.monotonic() - self.began_at
        for call in self.by_file.values():
            call.socket.close()

    def _start(self, due: int) -> None:
        while self.waiting and self.waiting[0] < due:
            self.waiting.popleft()
            self._send()

    def _send(self) -> None:
        """The next request of a client; one that cannot even leave is followed by another."""
        number = self.shared.take()
        prompt = self.prompt(number)
        body = b"%sContent-Length: %d\r\n\r\n%s" % (self.head, len(prompt.body), prompt.body)
        line = self.make_socket(self.family, socket.SOCK_STREAM)
        line.setblocking(False)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        call = Call(number, prompt, line, memoryview(body), time.monotonic())
        self.calls.append(call)
        if not number:
            self.shared.first[1], self.shared.first[2] = prompt.wanted or 0, call.started_at
        self.by_file[line.fileno()] = call
        refused = line.connect_ex(self.address)
        self.poll.register(line.fileno(), select.POLLOUT | select.POLLIN)
        if refused not in (0, errno.EINPROGRESS):
            self._fail(call, OSError(refused, os.strerror(refused)))

    def _serve(self, call: Call) -> None:
        try:
            if call.unsent:
                if code := call.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    raise OSError(code, os.strerror(code))
                call.unsent = call.unsent[call.socket.send(call.unsent) :]
                if not call.unsent:
                    self.poll.modify(call.socket.fileno(), select.POLLIN)
            else:
                self._receive(call, call.socket.recv(READ_BYTES))
        except BlockingIOError:
            pass  # it is asked again when there is something
        except OSError as error:
            self._fail(call, error)

    def _receive(self, call: Call, data: bytes) -> None:
        now = time.monotonic()
        over = not data or call.reply.take(now, data)
        if not call.number:
            self.shared.first[0] = len(call.pieces)
        if over:
            self._settle(call, now)

    def _fail(self, call: Call, error: OSError) -> None:
        call.error = repr(error)
        self._settle(call, time.monotonic())

    def _settle(self, call: Call, now: float) -> None:
        """An answer has ended, one way or another; its client goes on."""
        call.ended_at = now
        self.by_file.pop(call.socket.fileno(), None)
        call.socket.close()
        if not call.number:
            self.shared.first[3] = now
        if call.error is None:
            self.longest_s = max(self.longest_s, now - call.started_at)
        if self.order.measures(call.number):
            self.settled += 1
            self._look(now)
        if not self.shared.why:
            self._send()

    def _look(self, now: float) -> None:
        """Says how this process stands, and ends the level when all of them together are done."""
        order, shared = self.order, self.shared
        quiet_s = pacing.patience(shared.standing().longest_s, order.patience_s)
        silent = [call for call in self.by_file.values() if now - call.last_sign_at > quiet_s]
        measured = sum(order.measures(call.number) for call in silent)
        shared.standings[self.me * FIELDS : (self.me + 1) * FIELDS] = [
            self.settled, measured, len(silent), self.longest_s
        ]  # fmt: skip
        standing = shared.standing()
        if self.tail_since is None and pacing.in_tail(order.wanted, standing.settled):
            self.tail_since = now
        tail_s = None if self.tail_since is None else now - self.tail_since
        why = pacing.ending(order.concurrency, order.wanted, standing, tail_s)
        if why is None and now - self.began_at >= order.time_s:
            why = "time"
        if why is not None:
            shared.stop(why, now)
        elif os.getppid() != self.parent:
            os._exit(1)  # nobody is left to measure for


def percentile_90(values: Iterable[float]) -> float:
    """0 where there are none."""
    ordered = sorted(values)
    return ordered[int(0.9 * (len(ordered) - 1))] if ordered else 0.0


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
