"""The warm process: run by genai-bench's own interpreter, never imported by the tuner.

Importing genai-bench takes seconds, so it is done once, while the engine starts. Each line on standard input is then
one load level: a forked child runs genai-bench's own command for it, up to where that would start its clients. One line
comes back on standard output when it is ready, and one after each level. What genai-bench itself prints goes to
standard error.

The prompts, their lengths and the body of each request are genai-bench's. Sending them is done here, because its own
way was measured and is wrong: all clients start at once, answers under way at the end are thrown away with their
tokens, stopping freezes it for a third of a second in which answers are still recorded, a request costs it 3 to 5 ms of
processor time, and its files say neither when a request was sent nor what was never answered. Here pieces are stamped
as they come and read after the level, several processes share many clients, and what is under way at the end is kept.

Run it with `python -I`: the modules beside this file are named like some that genai-bench imports.
"""

# mypy: disable-error-code="import-not-found,import-untyped"
# What is imported here is in genai-bench's environment, not in ours.

import genai_bench.cli.cli as program  # first: it patches gevent into the standard library

# isort: split
import itertools
import json
import os
import random
import signal
import sys
import time
import traceback
from logging import NullHandler
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn, TextIO
from urllib.parse import urlsplit

import gevent
import numpy as np
from click import ClickException
from genai_bench.logging import LoggingManager
from gevent import monkey
from locust.runners import Runner

# The tuner's modules that need nothing but the standard library, without what their packages bring with them.
for name, folder in (("tuner", Path(__file__).parents[1]), ("tuner.benchmarks", Path(__file__).parent)):
    package = sys.modules[name] = ModuleType(name)
    package.__path__ = [str(folder)]

from tuner.benchmarks import answers  # noqa: E402
from tuner.benchmarks.clients import Call, Clients, Order, Prompt, Shared, percentile_90  # noqa: E402

# gevent's own wait for its event loop, which this process never runs: even to close a file.
fork, waitpid, close = monkey.get_original("os", ["fork", "waitpid", "close"])
select = monkey.get_original("select", "select")

MESSAGE_CHARACTERS = 2000
SPARE_PROMPTS = 2
"""For each client, drawn before the level for what is sent after the measured ones."""
MOST_PROMPTS = 4000
"""Drawn before the level; a longer one draws the others as it goes."""

Message = dict[str, Any]
"""One line of JSON, in or out."""


def main(tokenizer_name: str) -> None:
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    try:
        tokenizer = program.validate_tokenizer(tokenizer_name)
    except Exception as error:
        traceback.print_exc()
        _answer(replies, _told(error))
        return
    program.validate_tokenizer = lambda name: tokenizer
    _answer(replies, {})
    for line in iter(sys.stdin.buffer.readline, b""):
        _answer(replies, _run(json.loads(line), replies.fileno()))


def _answer(replies: TextIO, outcome: Message) -> None:
    replies.write(json.dumps(outcome) + "\n")


def _told(error: BaseException) -> Message:
    """What the tuner is told of an error."""
    text = error.format_message() if isinstance(error, ClickException) else str(error)
    return {"error": (text.strip() or repr(error))[:MESSAGE_CHARACTERS], "errno": getattr(error, "errno", None)}


def _run(order: Message, replies: int) -> Message:
    """Runs one level in a child. Nobody is left to measure for once standard input closes: then all of it ends."""
    outcome, told = os.pipe()
    child = fork()
    if child == 0:
        close(replies)
        close(outcome)
        _Command(order, told).run()
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


class _Command:
    """genai-bench's command for one level, in a process of its own, with our clients in place of its own."""

    def __init__(self, order: Message, told: int) -> None:
        self.order, self.told = order, told

    def run(self) -> NoReturn:
        try:
            gevent.reinit()
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            # The same requests for every configuration. numpy's generator has to be seeded anyway: a fork copies it.
            random.seed(self.order["seed"])
            np.random.seed(self.order["seed"])
            LoggingManager.get_file_handler = lambda manager: NullHandler()  # a second copy of what it prints
            Runner.start = lambda *arguments, **named: None
            program.manage_run_time = self._instead
            program.cli(["benchmark", *self.order["arguments"]], standalone_mode=False)
            raise RuntimeError("genai-bench ended without sending its requests")
        except BaseException as error:
            self._end(_told(error), error)

    def _instead(self, environment: Any, **limits: Any) -> NoReturn:
        order = Order(**self.order["order"])
        shared, prompts, me = Shared.of(order.processes), _Prompts(environment, order, self.order["ignore_eos"]), 0
        siblings: list[int] = []
        for number in range(1, order.processes):
            if not (sibling := fork()):
                me = number
                random.seed(f"{self.order['seed']} {number}")
                break
            siblings.append(sibling)
        try:
            self._send(order, shared, me, prompts)
        except BaseException:
            shared.stop("failed", time.monotonic())
            if me:
                traceback.print_exc()
                os._exit(1)
            raise
        if me:
            os._exit(0)
        failed = [code for code in (waitpid(one, 0)[1] for one in siblings) if code]
        if failed:
            raise RuntimeError(f"{len(failed)} of {order.processes} processes failed")
        self._end({"ending": shared.why, "ended_at": shared.ended_at, "parts": order.processes})

    def _send(self, order: Order, shared: Shared, me: int, prompts: "_Prompts") -> None:
        address = urlsplit(self.order["url"])
        assert address.hostname is not None
        place, path = (address.hostname, address.port or 80), f"{address.path.rstrip('/')}/v1/chat/completions"
        system = (monkey.get_original("socket", "socket"), monkey.get_original("select", "epoll"))
        clients = Clients(order, shared, me, place, path, prompts.take, *system)
        clients.run()
        with Path(f"{self.order['records']}.{me}").open("w", encoding="utf-8") as out:
            busy = min(1.0, clients.cpu_s / max(clients.wall_s, 1e-9))
            said = {"lag_s": percentile_90(clients.lags), "busy": busy, "cpu_s": clients.cpu_s}
            for line in itertools.chain([said], map(prompts.record, clients.calls)):
                out.write(json.dumps(line) + "\n")

    def _end(self, outcome: Message, error: BaseException | None = None) -> NoReturn:
        if error is not None:
            traceback.print_exception(error)
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(self.told, json.dumps(outcome).encode())
        os._exit(0 if error is None else 1)


class _Prompts:
    """The requests of a level as genai-bench makes them, drawn before it begins: drawing takes the processor's time."""

    def __init__(self, environment: Any, order: Order, ignore_eos: bool | None) -> None:
        self.environment, self.ignore_eos = environment, ignore_eos
        sampler = environment.sampler
        if sampler._is_dataset_mode(environment.scenario):  # without repetition, as long as there are enough
            texts = list(sampler.data)
            random.shuffle(texts)
            turn = itertools.cycle(texts)
            sampler._sample_text = lambda *arguments: next(turn)
        user_class = environment.user_classes[0]
        self.user = user_class(environment)
        self.user.on_start()
        self.user.send_request = self._keep
        self.task = user_class.tasks[0]
        count = order.unmeasured + order.wanted + SPARE_PROMPTS * order.concurrency
        self.drawn = [self._draw() for _ in range(min(count, MOST_PROMPTS))]

    def take(self, number: int) -> Prompt:
        return self.drawn[number] if number < len(self.drawn) else self._draw()

    def _draw(self) -> Prompt:
        self.task(self.user)
        return self.last

    def _keep(self, stream: bool, endpoint: str, payload: Message, parse: Any, prompt_tokens: int | None) -> None:
        """In place of genai-bench's sending."""
        if self.ignore_eos is not None:
            payload["ignore_eos"] = self.ignore_eos
        wanted = payload.get("max_tokens") if payload.get("ignore_eos") else None
        self.last = Prompt(json.dumps(payload).encode(), wanted, prompt_tokens or 0)

    def record(self, call: Call) -> Message:
        """By the names of `tuner.benchmarks.requests.Request`."""
        prompt = call.prompt
        line = {"started_at": call.started_at, **answers.record(call.pieces, prompt.wanted, prompt.tokens, self._count)}
        if call.ended_at is None:
            return line | {"finished_at": None, "output_tokens": 0, "error": None}
        if call.error is not None:
            return line | {"finished_at": call.ended_at, "output_tokens": 0, "error": call.error}
        return line | {"finished_at": line["finished_at"] or call.ended_at}

    def _count(self, text: str) -> int:
        return int(self.environment.sampler.get_token_length(text, add_special_tokens=False))


if __name__ == "__main__":
    main(sys.argv[1])
