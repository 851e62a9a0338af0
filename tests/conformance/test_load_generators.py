"""What every load generator must make of every behaviour of the oracle: numbers that are true, or a refusal.

All selected levels are measured first, side by side where they mostly wait; each is then judged by a test of its own.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from tests.fakes.oracle.again import settle
from tests.fakes.oracle.behaviours import BEHAVIOURS, Behaviour
from tests.fakes.oracle.judge import Judge, Measured, Problem, Verdict
from tests.fakes.oracle.process import Oracle, oracle
from tests.fakes.oracle.script import MODEL
from tests.fakes.oracle.server import scaled
from tuner.benchmarks import BENCHMARKS
from tuner.domain import Label
from tuner.engines.models import demo_model
from tuner.errors import BenchmarkError
from tuner.protocols import LoadGenerator, Workload
from tuner.settings import Settings

pytestmark = [pytest.mark.bench, pytest.mark.alone]
REQUESTS = {1: 5, 8: 24, 64: 128}
"""Measured at each concurrency."""
MANY = ("steady", "burst-sensitive", "speculation", "hidden-first", "429-seldom")
MANY_SCALE = 4.0
"""At 64 the oracle is slower, so that one processor can serve it."""
TIME_S, HANGING_TIME_S = 60.0, 4.0


@dataclass(frozen=True)
class Case:
    generator: str
    name: str
    concurrency: int

    def __str__(self) -> str:
        return f"{self.generator} {self.name} × {self.concurrency}"

    @property
    def behaviour(self) -> Behaviour:
        return scaled(BEHAVIOURS[self.name], self.scale)

    @property
    def scale(self) -> float:
        return MANY_SCALE if self.concurrency > 8 else 1.0

    @property
    def lane(self) -> "Lane":
        return Lane(self.generator, self.concurrency, self.behaviour.free, self.behaviour.hangs)


@dataclass(frozen=True)
class Lane:
    """Levels that one warm generator can measure one after another."""

    generator: str
    concurrency: int
    free: bool
    hangs: bool

    def workload(self, tokenizer: Path) -> Workload:
        return Workload(
            task_id="task",
            scenarios=(),
            concurrencies=(self.concurrency,),
            tokenizer=str(tokenizer),
            max_time_s=HANGING_TIME_S if self.hangs else TIME_S,
            max_requests=REQUESTS[self.concurrency],
            additional_params={"ignore_eos": False} if self.free else {},
        )


FULL = bool(os.environ.get("ORACLE_FULL"))
"""Every behaviour at 1 and at 8 clients; else at one of them, at the other by the next load generator."""


def _clients(turn: int) -> tuple[int, ...]:
    return (1, 8) if FULL else ((1, 8)[turn % 2],)


CASES = [
    *(
        Case(generator, name, concurrency)
        for turn, generator in enumerate(BENCHMARKS)
        for number, name in enumerate(BEHAVIOURS)
        for concurrency in _clients(turn + number)
    ),
    *(Case(generator, name, 64) for generator in BENCHMARKS for name in MANY),
]
Found = dict[Case, Verdict]


@dataclass(frozen=True)
class Suite:
    """All levels, each from a server that plays its behaviour from the beginning."""

    home: Path
    tokenizer: Path
    oracle: Oracle

    async def judged(self, cases: Sequence[Case]) -> Found:
        found: Found = {}
        async with AsyncExitStack() as stack:
            lanes = {lane: await stack.enter_async_context(self._opened(lane)) for lane in {one.lane for one in cases}}
            for generator in BENCHMARKS:  # more at once would disturb each other
                async with asyncio.TaskGroup() as group:
                    for lane in (lane for lane in lanes if lane.generator == generator):
                        mine = [case for case in cases if case.lane == lane and case.concurrency <= 8]
                        group.create_task(self._measure(lanes[lane], mine, found))
            for case in cases:
                if case.concurrency > 8:
                    found[case] = await self._verdict(lanes[case.lane], case)
            await settle(self.oracle, found, lambda case: self._verdict(lanes[case.lane], case))
        return found

    @asynccontextmanager
    async def _opened(self, lane: Lane) -> AsyncIterator[LoadGenerator]:
        benchmark = BENCHMARKS[lane.generator](self.home)
        log = self.home / "runs" / "task" / "benchmark.log"
        async with benchmark.open(lane.workload(self.tokenizer), log, Label("task", -1, str(self.home))) as load:
            yield load

    async def _measure(self, load: LoadGenerator, cases: Iterable[Case], found: Found) -> None:
        for case in cases:
            found[case] = await self._verdict(load, case)

    async def _verdict(self, load: LoadGenerator, case: Case) -> Verdict:
        stage, behaviour = self.oracle.open(case.name, case.scale), case.behaviour
        folder = self.home / "runs" / "task" / f"{case.generator}-{case.name}-{case.concurrency}"
        try:
            point = await load.measure(stage.url, MODEL, f"D(20,{behaviour.asked_tokens})", case.concurrency, folder)
        except BenchmarkError as error:
            return Verdict((Problem(f"not measured at all: {error}"),))
        assert point.raw is not None
        measured, requests = Measured.of(point, folder.parent / point.raw), REQUESTS[case.concurrency]
        return Judge(behaviour, case.concurrency, requests, measured, stage.served(), stage.late()).verdict()


@pytest.fixture(scope="module")
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """The verdict on each level that a selected test asks about."""
    asked = [
        cast(Case, item.callspec.params["case"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.module is request.module
    ]
    home = _borrowing_home(tmp_path_factory.mktemp("generators"))
    with oracle() as running:
        suite = Suite(home, demo_model.make(home / "models" / MODEL), running)
        return asyncio.run(suite.judged([case for case in asked if _missing(case) is None]))


def _borrowing_home(home: Path) -> Path:
    """A data folder of its own, with the environments that are installed for the generators."""
    (home / "engines").mkdir()
    for benchmark in BENCHMARKS.values():
        for environment in benchmark(home).recipes:
            (home / "engines" / environment).symlink_to(Settings().engines.absolute() / environment)
    return home


def _missing(case: Case) -> str | None:
    return BENCHMARKS[case.generator](Settings().home).missing()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_level_is_what_the_server_did_or_is_refused(case: Case, found: Found) -> None:
    if missing := _missing(case):
        pytest.skip(missing)
    verdict = found[case]
    if verdict.unsure:
        pytest.skip(verdict.unsure)
    assert [problem.text for problem in verdict.problems] == []
