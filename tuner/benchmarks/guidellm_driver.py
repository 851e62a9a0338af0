"""The warm process: run by guidellm's own interpreter, never imported by the tuner.

Each line on standard input is one load level, each line on standard output says that it is ready, or how a level ended.
What guidellm itself prints goes to standard error. What is sent, and when, is decided before (`schedule.py`). guidellm
sends it at its times: its scheduler with its worker processes, its strategies of closed loops and of replayed times,
and its conversations, in which a turn waits for the one before and sends it along.

How an answer is read is what every generator here shares (`answers.py`): guidellm's own client keeps no times of single
pieces, goes by a clock that can be set, and takes 5 ms of processor time for an answer of 32 tokens.

Run it with `python -I`: the modules beside this file are named like some that it imports.
"""

# mypy: disable-error-code="import-not-found,import-untyped,misc"
# What is imported here is in guidellm's environment, not in ours.

import os

if __name__ == "__main__":  # before anything starts a process, which would keep standard output open
    REPLIES = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

# isort: split
import asyncio
import itertools
import json
import marshal
import multiprocessing
import queue
import random
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from guidellm.scheduler import ConcurrentStrategy, NonDistributedEnvironment, Scheduler, SchedulerUpdateAction
from guidellm.scheduler.schemas import ConversationEdge, ConversationGraph, ConversationNode
from guidellm.scheduler.strategies import TraceReplayStrategy
from guidellm.schemas import GenerationRequest, GenerationResponse, RequestInfo, RequestSettings
from guidellm.settings import settings
from pydantic import PrivateAttr

# The tuner's modules that need nothing but the standard library, without what their packages bring with them.
for name, folder in (("tuner", Path(__file__).parents[1]), ("tuner.benchmarks", Path(__file__).parent)):
    package = sys.modules[name] = ModuleType(name)
    package.__path__ = [str(folder)]

from tuner.benchmarks import chats  # noqa: E402
from tuner.benchmarks.clients import percentile_90  # noqa: E402
from tuner.benchmarks.endings import Until  # noqa: E402
from tuner.benchmarks.words import Words, known  # noqa: E402

MESSAGE_CHARACTERS = 2000
MOST_AT_ONCE = 10_000
"""Requests under way, or handed to a worker before they are due."""
AHEAD_S = 1.0
"""Requests are handed to the workers so long before they are due."""
UNSENT_S = 1.0
"""A request that has not left so long after it was due never will in time."""
CLOSED_START_S, OPEN_START_S = 0.2, 0.6
"""From when the workers are ready to the first request. The first of an open loop is on time."""
POLL_S, LOOK_S = 0.02, 0.2
LAG_EVERY_S = 0.01
SPAWN = multiprocessing.get_context("spawn")

Message = dict[str, Any]
"""One line of JSON, in or out."""


def main(tokenizer_name: str) -> None:
    try:
        from transformers import AutoTokenizer  # here: the workers need none

        tokenizer = AutoTokenizer.from_pretrained(tokenizer_name)
        words = known(tokenizer)
    except Exception as error:
        traceback.print_exc()
        _answer(_told(error))
        return
    settings.mp_poll_interval = POLL_S
    _answer({})
    for order in _orders():
        _answer(asyncio.run(_sent(_Run(order, tokenizer, words))))


async def _sent(run: "_Run") -> Message:
    """How the level ended."""
    threading.Thread(target=_guard, args=(run,), daemon=True).start()
    try:
        return await run.run()
    except BaseException as error:
        traceback.print_exc()
        _give_up(_told(error))


def _guard(run: "_Run") -> None:
    """A worker that is killed can take a lock with it that guidellm waits for, so it is missed here; so is a level that
    does not begin."""
    level, workers, started_at = run.level, set[Any](), time.monotonic()
    while not level.why:
        time.sleep(LOOK_S)
        workers.update(multiprocessing.active_children())
        dead = [one for one in workers if one.exitcode is not None and one.exitcode < 0]
        if dead and not level.why:
            _give_up({"error": f"a worker process died with signal {-dead[0].exitcode}", "died": True})
        if not level.numbers and time.monotonic() - started_at > run.first_due_s + run.order["start_s"]:
            _give_up({"error": f"no request left within {run.order['start_s']:g} s", "died": True})


def _give_up(outcome: Message) -> NoReturn:
    """Where a level fails all of this ends: threads of guidellm's may wait for ever for what is gone."""
    _answer(outcome | {"over": True})
    os.killpg(0, signal.SIGKILL)
    raise AssertionError("killed")


def _answer(outcome: Message) -> None:
    REPLIES.write(json.dumps(outcome) + "\n")


def _told(error: BaseException) -> Message:
    """What the tuner is told of an error."""
    text = str(error).strip() or repr(error)
    return {"error": text[:MESSAGE_CHARACTERS], "errno": getattr(error, "errno", None)}


def _orders() -> Iterator[Message]:
    """Nobody is left to measure for once standard input closes: then all of this ends, a level under way included."""
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def read() -> None:
        for line in iter(sys.stdin.buffer.readline, b""):
            lines.put(line)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=read, daemon=True).start()
    while True:
        yield json.loads(lines.get())


class _Run:
    """One load level."""

    def __init__(self, order: Message, tokenizer: Any, words: list[str]) -> None:
        self.order, self.tokenizer, self.words = order, tokenizer, words
        self.until = _Until(order)
        self.level, self.chats = self.until.level, _Chats(order, self.until.last_sign)
        with Path(order["schedule"]).open(encoding="utf-8") as lines:
            self.first_due_s: float = json.loads(next(lines))["turns"][0][2] or 0.0

    async def run(self) -> Message:
        order, used = self.order, _processor_s()
        settings.max_worker_processes = order["processes"]
        settings.scheduler_start_delay_non_distributed = CLOSED_START_S if order["streams"] else OPEN_START_S
        scheduler = Scheduler()
        environment = NonDistributedEnvironment()
        began = time.monotonic()
        async for _ in scheduler.run(self._graphs(), self.chats, self._strategy(), environment, until=self.until):
            pass
        wall_s, cpu_s = max(time.monotonic() - began, 1e-9), _processor_s() - used
        said, calls = self._collected()
        said["busy"] = min(1.0, max(said["busy"], cpu_s / wall_s))
        said["cpu_s"] += cpu_s
        if order["streams"] and order["turns"] == 1:
            said["lag_s"] = max(said["lag_s"], chats.idle_s(calls, order["streams"]))
        lines = itertools.chain([said], (chats.record(call, self._count) for call in calls))
        Path(f"{order['records']}.0").write_text("".join(json.dumps(line) + "\n" for line in lines))
        return {
            "ending": self.level.why or "complete",
            "ended_at": self.level.ended_at or time.monotonic(),
            "unmeasured": self.level.unmeasured or 0,
            "unsent": self._unsent(len(calls)),
            "parts": 1,
        }

    def _strategy(self) -> Any:
        if self.order["streams"]:
            return _Paced(streams=self.order["streams"])
        return TraceReplayStrategy(schedule_turn="timestamp" if self.order["finite"] else "idle_gap")

    def _graphs(self) -> Iterator[Any]:
        """The conversations, shortly before they are due: a thread of guidellm's asks for them.

        One more is given after the end: guidellm ends a level with the news that the last request was cancelled, and
        waits for ever where all news came before it knew that there are no more requests.
        """
        words = Words(self.words, self.order["seed"], self.order["prefix_tokens"])
        prompts = self._prompts()
        with Path(self.order["schedule"]).open(encoding="utf-8") as lines:
            for number, line in enumerate(lines):
                conversation = json.loads(line)
                due_s = conversation["turns"][0][2] or 0.0
                while not self.level.why and self.level.passed_s < due_s - AHEAD_S:
                    time.sleep(POLL_S)
                yield _graph(number, conversation, words, prompts, closed=bool(self.order["streams"]))
                if self.level.why:
                    return

    def _prompts(self) -> Iterator[str] | None:
        """Those of a dataset, without repetition as long as there are enough."""
        if self.order["dataset"] is None:
            return None
        texts = json.loads(Path(self.order["dataset"]).read_text(encoding="utf-8"))
        random.Random(self.order["seed"]).shuffle(texts)  # noqa: S311
        return itertools.cycle(texts)

    def _collected(self) -> tuple[Message, list[chats.Kept]]:
        """What the workers kept of the level, by order of sending."""
        said: Message = {"lag_s": 0.0, "busy": 0.0, "cpu_s": 0.0}
        calls: list[chats.Kept] = []
        for part in sorted(Path(self.order["records"]).parent.glob("worker.*")):
            with part.open("rb") as kept:
                lag_s, busy, cpu_s = marshal.load(kept)  # noqa: S302 - written by our own workers
                said["lag_s"], said["busy"] = max(said["lag_s"], lag_s), max(said["busy"], busy)
                said["cpu_s"] += cpu_s
                calls += marshal.load(kept)  # noqa: S302
            part.unlink()
        return said, sorted(calls, key=lambda call: call[0])

    def _unsent(self, sent: int) -> int:
        """Requests of an open loop that were due before the end and never left."""
        if self.order["streams"] or self.order["turns"] > 1 or not self.level.ended_at:
            return 0
        with Path(self.order["schedule"]).open(encoding="utf-8") as lines:
            due = [json.loads(line)["turns"][0][2] for line in lines]
        overdue: int = sum(at < self.level.passed_s - UNSENT_S for at in due)
        return max(0, overdue - sent)

    def _count(self, text: str) -> int:
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False)
        return len(ids)


def _graph(number: int, conversation: Message, words: Words, prompts: Iterator[str] | None, *, closed: bool) -> Any:
    """A conversation as guidellm knows one: a chain in which each turn follows all before it."""
    think_s, nodes = conversation["think_s"], {}
    for turn, (input_tokens, output_tokens, due_s, hash_ids) in enumerate(conversation["turns"]):
        text = next(prompts) if input_tokens is None and prompts else words.text(input_tokens or 1, hash_ids)
        pause = {"requeue_delay": think_s} if closed and think_s else {}
        when = {} if due_s is None else {"relative_timestamp": due_s + turn * think_s}
        nodes[str(turn)] = ConversationNode[GenerationRequest](
            node_id=str(turn),
            agent_id="user",
            request=GenerationRequest(
                request_id=f"{number}.{turn}", columns={"text": [text], "sizes": [input_tokens or 0, output_tokens]}
            ),
            settings=RequestSettings(**pause, **when),
        )
    edges = [
        ConversationEdge(source_node_id=before, target_node_id=after) for before, after in itertools.pairwise(nodes)
    ]
    return ConversationGraph[GenerationRequest](graph_id=str(number), nodes=nodes, edges=edges)


class _Paced(ConcurrentStrategy):
    """A closed loop whose clients start one after another, over the time that the first answer took: clients that start
    together stay together, as long as their answers are of one length."""

    _first: Any = PrivateAttr(None)

    def init_processes_timings(self, worker_count: int, max_concurrency: int, mp_context: Any) -> None:
        self._first = mp_context.RawArray("d", 2)
        super().init_processes_timings(worker_count, max_concurrency, mp_context)

    async def next_request_time(self, worker_index: int) -> float:
        return float(await self.get_processes_start_time())

    async def resolve_dequeued_target_start(
        self, worker_index: int, provisional_start: float, settings: Any, request_info: RequestInfo | None = None
    ) -> float:
        """Here, not in `next_request_time`, where clients that wait for their turn would hold up those that go on."""
        number = self.next_request_index()
        if not 1 < number <= self.streams:
            return provisional_start
        while not self._first[1]:  # noqa: ASYNC110 - written by another process
            await asyncio.sleep(POLL_S / 4)
        began, ended = self._first
        return float(ended + (number - 1) / self.streams * (ended - began))

    def request_completed(self, request_info: RequestInfo) -> None:
        super().request_completed(request_info)
        timings = request_info.timings
        if not self._first[1] and timings.resolve_end and timings.resolve_start:
            self._first[0], self._first[1] = timings.resolve_start, timings.resolve_end


class _Until:
    """`Until` as a constraint of guidellm: asked after every step of a request, and in between."""

    def __init__(self, order: Message) -> None:
        self.level = Until(order["wanted"], order["time_s"], order["patience_s"], order["unmeasured"])
        self.last_sign = SPAWN.RawValue("d")

    def __call__(self, state: Any, info: RequestInfo | None) -> Any:
        now, level = time.monotonic(), self.level
        level.began_at, level.last_sign_at = now - (time.time() - state.start_time), self.last_sign.value
        if info is not None and info.status == "in_progress":
            level.left(info.request_id, now)
        elif info is not None and info.status in ("completed", "errored", "cancelled"):
            level.settled(info.request_id, now, answered=info.status == "completed")
        if not level.look(now):
            return SchedulerUpdateAction()
        return SchedulerUpdateAction(request_queuing="stop", request_processing="stop_local")


class _Chats:
    """A backend of guidellm."""

    def __init__(self, order: Message, last_sign: Any) -> None:
        self.order, self.last_sign, self.place = order, last_sign, chats.Place(order["url"])
        self.workers = SPAWN.Value("i", 0)

    @property
    def processes_limit(self) -> int | None:
        return None

    @property
    def requests_limit(self) -> int:
        return min(MOST_AT_ONCE, int(self.order["planned"]) + 1)

    @property
    def info(self) -> Message:
        return {}

    async def process_startup(self) -> None:
        with self.workers.get_lock():
            self.me = self.workers.value
            self.workers.value += 1
        self.sent: list[chats.Chat] = []
        self.lags: list[float] = []
        self.began_at, self.used_s = time.monotonic(), _processor_s()
        self.watch = asyncio.create_task(self._watch())

    async def validate(self) -> None: ...

    async def process_shutdown(self) -> None:
        """Keeps what was sent as it is: guidellm waits five seconds for a worker, and reading takes longer."""
        self.watch.cancel()
        busy_s, wall_s = _processor_s() - self.used_s, max(time.monotonic() - self.began_at, 1e-9)
        with Path(self.order["records"]).with_name(f"worker.{self.me}").open("wb") as out:
            marshal.dump((percentile_90(self.lags), min(1.0, busy_s / wall_s), busy_s), out)
            marshal.dump([chat.kept for chat in self.sent], out)

    async def resolve(
        self, request: Any, request_info: RequestInfo, history: list[tuple[Any, Any]] | None = None
    ) -> AsyncIterator[tuple[Any, RequestInfo]]:
        said = [(before.columns["text"][0], answer.text if answer else "") for before, answer in history or ()]
        (text,), (input_tokens, output_tokens) = request.columns["text"], request.columns["sizes"]
        body, wanted = chats.body(self.order["body"], said, text, output_tokens, self.order["extra"])
        chat = chats.Chat(wanted, input_tokens, self._due_at(request_info), self._sign)
        self.sent.append(chat)
        await chat.send(self.place, body)
        answer = chat.read() if self.order["turns"] > 1 else ""
        yield GenerationResponse(request_id=request.request_id, request_args=None, text=answer), request_info

    def _sign(self, at: float) -> None:
        self.last_sign.value = at

    def _due_at(self, info: RequestInfo) -> float | None:
        """On the clock that is used here. A turn is not due before the one it follows has been answered."""
        if self.order["streams"] or info.timings.targeted_start is None:
            return None
        due = max(info.timings.targeted_start, info.timings.predecessor_completed or 0.0)
        return time.monotonic() - (time.time() - float(due))

    async def _watch(self) -> None:
        while True:
            asked = time.monotonic() + LAG_EVERY_S
            await asyncio.sleep(LAG_EVERY_S)
            self.lags.append(max(0.0, time.monotonic() - asked))


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main(sys.argv[1])
