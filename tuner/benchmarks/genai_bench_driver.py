"""The warm process: run by genai-bench's own interpreter, never imported by the tuner.

Importing genai-bench takes seconds, so it is done once, while the engine starts. Each line on standard input is then
one load level: a forked child runs genai-bench's own command for it, and ends where genai-bench would go on to sleep,
plot and write spreadsheets. One line comes back on standard output when it is ready, and one after each level. What
genai-bench itself prints goes to standard error. Requests are sent and timed by genai-bench; here they are written
down one by one, because its own files keep neither when a request was sent nor how long an answer was asked for.

Run it with `python -I`: the modules beside this file are named like some that genai-bench imports.
"""

# mypy: disable-error-code="import-not-found,import-untyped"
# What is imported here is in genai-bench's environment, not in ours.

import genai_bench.cli.cli as program  # first: it patches gevent into the standard library

# isort: split
import functools
import json
import os
import random
import signal
import sys
import time
import traceback
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from itertools import pairwise
from logging import NullHandler
from pathlib import Path
from typing import Any, NoReturn, TextIO

import gevent
import numpy as np
from click import ClickException
from genai_bench.logging import LoggingManager
from genai_bench.metrics.aggregated_metrics_collector import AggregatedMetricsCollector
from genai_bench.protocol import UserResponse
from genai_bench.user.openai_user import OpenAIUser
from gevent import monkey

# gevent's own wait for its event loop, which this process never runs: even to close a file.
fork, waitpid, close = monkey.get_original("os", ["fork", "waitpid", "close"])
select = monkey.get_original("select", "select")

TAIL_LINES = 4
"""How many last lines of a stream are looked at for its end: the finish reason, the usage, [DONE]."""
MESSAGE_CHARACTERS = 2000
LOOK_EVERY_S = 0.05


Message = dict[str, Any]
"""One line of JSON, in or out."""
Parser = Callable[..., Any]


def main(tokenizer_name: str) -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    try:
        tokenizer = program.validate_tokenizer(tokenizer_name)
    except Exception as error:
        traceback.print_exc()
        _answer(answers, _told(error))
        return
    program.validate_tokenizer = lambda name: tokenizer
    _answer(answers, {})
    for line in iter(sys.stdin.buffer.readline, b""):
        _answer(answers, _run(json.loads(line), answers.fileno()))


def _answer(answers: TextIO, outcome: Message) -> None:
    answers.write(json.dumps(outcome) + "\n")


def _told(error: BaseException) -> Message:
    """What the tuner is told of an error."""
    text = error.format_message() if isinstance(error, ClickException) else str(error)
    return {"error": (text.strip() or repr(error))[:MESSAGE_CHARACTERS], "errno": getattr(error, "errno", None)}


def _run(level: Message, answers: int) -> Message:
    """Runs one level in a child. Nobody is left to measure for once standard input closes: then all of it ends."""
    outcome, told = os.pipe()
    child = fork()
    if child == 0:
        close(answers)
        close(outcome)
        _Level(level, told).run()
    close(told)
    text = b""
    while True:
        readable, _, _ = select([outcome, 0], [], [])
        if outcome not in readable:
            os.killpg(0, signal.SIGKILL)
        part = os.read(outcome, 65536)
        if not part:
            break
        text += part
    close(outcome)
    _, status = waitpid(child, 0)
    if text:
        return dict(json.loads(text))
    return {"error": f"genai-bench's process ended with exit code {os.waitstatus_to_exitcode(status)}", "died": True}


class _Level:
    """One load level, in a process of its own."""

    def __init__(self, level: Message, told: int) -> None:
        self.level, self.told = level, told

    def run(self) -> NoReturn:
        try:
            gevent.reinit()
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            # The same requests for every configuration. numpy's generator has to be seeded anyway: a fork copies it.
            random.seed(self.level["seed"])
            np.random.seed(self.level["seed"])
            self.records = Path(self.level["records"]).open("w", encoding="utf-8")  # noqa: SIM115 - closed by _end
            self._observe()
            program.cli(["benchmark", *self.level["arguments"]], standalone_mode=False)
            raise RuntimeError("genai-bench ended without saving what it measured")
        except BaseException as error:
            self._end(error)

    def _end(self, error: BaseException | None = None) -> NoReturn:
        if error is not None:
            traceback.print_exception(error)
        try:
            self.records.close()
        except (AttributeError, OSError) as second:  # never opened, or the disk is full
            error = error or second
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(self.told, json.dumps({} if error is None else _told(error)).encode())
        os._exit(0 if error is None else 1)

    def _observe(self) -> None:
        """Wraps genai-bench's methods with time stamps, and ends the level before it writes its report."""
        program.manage_run_time = _run_time
        LoggingManager.get_file_handler = lambda manager: NullHandler()  # a second copy of what it prints
        save, send, collect = AggregatedMetricsCollector.save, OpenAIUser.send_request, OpenAIUser.collect_metrics

        @functools.wraps(save)
        def save_and_end(collector: Any, *arguments: Any) -> NoReturn:
            save(collector, *arguments)
            self._end()

        @functools.wraps(send)
        def send_and_watch(
            user: Any, stream: bool, endpoint: str, payload: dict[str, Any], parse: Parser, *arguments: Any
        ) -> Any:
            if self.level["ignore_eos"] is not None:
                payload["ignore_eos"] = self.level["ignore_eos"]
            sent = user.sent = _Sent(payload)
            try:
                return send(user, stream, endpoint, payload, sent.watching(parse), *arguments)
            except Exception as error:
                # Locust would log it, forget the request, and send the next one until the time is up.
                failure = UserResponse(status_code=-1, error_message=repr(error)[:MESSAGE_CHARACTERS])
                if not sent.recorded:
                    self._record(sent, failure)
                collect(user, failure, endpoint)
                return failure

        @functools.wraps(collect)
        def collect_and_record(user: Any, response: Any, endpoint: str) -> None:
            self._record(user.sent, response)
            collect(user, response, endpoint)

        AggregatedMetricsCollector.save = save_and_end
        OpenAIUser.send_request, OpenAIUser.collect_metrics = send_and_watch, collect_and_record

    def _record(self, sent: "_Sent", response: Any) -> None:
        sent.recorded = True
        try:
            self.records.write(json.dumps(sent.record(response)) + "\n")
        except OSError as error:
            self._end(error)


def _run_time(max_time_per_run: int, max_requests_per_run: int, environment: Any) -> int:
    """genai-bench's own, looking twenty times a second, not once: the rest of the second would be thrown away."""
    began = time.monotonic()
    while (passed := time.monotonic() - began) < max_time_per_run:
        gevent.sleep(LOOK_EVERY_S)
        if environment.runner.stats.total.num_requests >= max_requests_per_run:
            break
    return int(passed)


class _Sent:
    """One request under way, and when the pieces of its answer came."""

    def __init__(self, payload: dict[str, Any]) -> None:
        self.wanted_tokens = payload.get("max_tokens") if payload.get("ignore_eos") else None
        self.stamps: list[float] = []
        self.tail: deque[bytes] = deque(maxlen=TAIL_LINES)
        self.recorded = False
        self.started_at = time.monotonic()

    def watching(self, parse: Parser) -> Parser:
        """The same parser, reading lines that leave a time stamp as they pass."""

        def parse_watched(response: Any, *arguments: Any) -> Any:
            lines = response.iter_lines

            def stamped(**options: Any) -> Iterator[bytes]:
                for line in lines(**options):
                    if line.startswith(b"data:"):
                        self.stamps.append(time.monotonic())
                        self.tail.append(line)
                    yield line

            response.iter_lines = stamped
            return parse(response, *arguments)

        return parse_watched

    def record(self, response: Any) -> Message:
        """By the names of `tuner.benchmarks.statistics.Request`."""
        fields = {"wanted_tokens": self.wanted_tokens, "error": None, "itl": None}
        if response.status_code == 200:
            return fields | {
                "started_at": response.start_time,
                "first_token_at": response.time_at_first_token,
                "finished_at": response.end_time,
                "input_tokens": response.num_prefill_tokens or 0,
                "output_tokens": response.tokens_received or 0,
                "itl": self._gaps(response.time_at_first_token),
            }
        usages = [end["usage"] for end in map(_parsed, self.tail) if isinstance(end.get("usage"), dict)]
        answered = response.status_code == -1 and bool(usages)  # to its end, but without any text
        return fields | {
            "started_at": self.started_at,
            "first_token_at": None,
            "finished_at": time.monotonic(),
            "input_tokens": usages[-1].get("prompt_tokens", 0) if answered else 0,
            "output_tokens": usages[-1].get("completion_tokens", 0) if answered else 0,
            "error": None if answered else f"{response.status_code}: {response.error_message}"[:MESSAGE_CHARACTERS],
        }

    def _gaps(self, first_token_at: float | None) -> list[float] | None:
        """Between pieces of text, from the first to the last; the lines that only end the stream are left out."""
        if first_token_at is None:
            return None
        first = max(0, bisect_right(self.stamps, first_token_at) - 1)
        last = len(self.stamps)
        for line in reversed(self.tail):
            if _has_text(_parsed(line)):
                break
            last -= 1
        stamps = self.stamps[first:last]
        return [round(after - before, 6) for before, after in pairwise(stamps)]


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line[len(b"data:") :])
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _has_text(piece: dict[str, Any]) -> bool:
    delta = (piece.get("choices") or [{}])[0].get("delta") or {}
    return any(delta.get(name) for name in ("content", "reasoning", "reasoning_content"))


if __name__ == "__main__":
    main(sys.argv[1])
