"""What is seen of a log: its end, what was searched for, and what comes while it is written, cut or begun anew."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.stores import REMOTE
from tuner.domain import Experiment, ExperimentState, Params, Role, TaskState
from tuner.errors import InvalidSpecError, NotFoundError, UnavailableError
from tuner.logs import search_program, searching, tail
from tuner.logs.cleaning import LINE_BYTES
from tuner.logs.following import LogChunk, Reader
from tuner.logs.tail import LogExcerpt
from tuner.runner import logs as task_logs
from tuner.settings import Settings
from tuner.spec.task import TaskSpec
from tuner.storage.store import Lease, Store


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "engine.log"


async def excerpt(log: Path, lines: int = 200, search: str | None = None) -> LogExcerpt:
    return await searching.excerpt(log, lines=lines, search=search)


# Its end


async def test_the_end_of_a_log_says_where_it_ends_and_whether_there_is_more(log: Path) -> None:
    log.write_text("one\ntwo\nthree")
    assert await excerpt(log) == LogExcerpt(lines=("one", "two", "three"), position=13, truncated=False)
    assert await excerpt(log, lines=2) == LogExcerpt(lines=("two", "three"), position=13, truncated=True)
    log.write_text("")
    assert await excerpt(log) == LogExcerpt(lines=(), position=0, truncated=False)


async def test_of_a_huge_log_only_whole_lines_of_its_end_are_read(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "TAIL_BYTES", 16)
    log.write_text("a long first line\nsecond\nthird\n")
    assert await excerpt(log) == LogExcerpt(lines=("second", "third"), position=31, truncated=True)


async def test_what_is_shown_is_safe_to_show(log: Path) -> None:
    log.write_bytes(b"\x1b[31mred\x1b[0m\x07\0 \xff\n" + b"x" * 9999)
    shown = (await excerpt(log)).lines
    assert shown[0] == "red \ufffd"
    assert len(shown[1]) < 1000


@pytest.mark.parametrize("lines", [0, -1, 10_001])
async def test_how_many_lines_can_be_had_is_said(log: Path, lines: int) -> None:
    log.write_text("")
    with pytest.raises(InvalidSpecError, match=f"{lines} lines; 1 to 10,000 can be had at once"):
        await excerpt(log, lines=lines)


@pytest.mark.parametrize("search", [None, "x"])
async def test_a_log_that_has_just_gone_is_said(log: Path, search: str | None) -> None:
    with pytest.raises(NotFoundError, match=r"The log engine\.log is gone"):
        await excerpt(log, search=search)


# Searching


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ERROR", ("an error (1)", "Error 2")),
        ("(1)", ("an error (1)",)),
        ("/Error \\d/", ("Error 2",)),
        ("/^error/i", ("Error 2",)),
        ("/usr", ("/usr/lib",)),
        ("nothing", ()),
    ],
)
async def test_text_is_searched_in_any_case_and_between_slashes_stands_a_regular_expression(
    log: Path, search: str, found: tuple[str, ...]
) -> None:
    log.write_text("an error (1)\nfine\nError 2\n/usr/lib\n")
    result = await excerpt(log, search=search)
    assert (result.lines, result.matches, result.truncated) == (found, len(found), False)
    assert result.position == log.stat().st_size


async def test_the_last_matches_are_shown_and_all_are_counted(log: Path) -> None:
    log.write_text("".join(f"match {n}\nother\n" for n in range(1000)))
    result = await excerpt(log, lines=2, search="match")
    assert (result.lines, result.matches, result.truncated) == (("match 998", "match 999"), 1000, True)


async def test_a_search_looks_at_the_end_of_a_huge_log(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "SEARCH_BYTES", 20)
    log.write_text("match 1\nmatch 2\nmatch 3\nmatch 4\n")
    result = await excerpt(log, search="match")
    assert (result.lines, result.matches, result.truncated) == (("match 3", "match 4"), 2, True)


async def test_a_regular_expression_that_takes_for_ever_is_ended(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "SEARCH_S", 0.3)
    log.write_text("a" * 60 + "b\n")
    with pytest.raises(UnavailableError, match=r"took more than 0.3 s; search for plain text"):
        await excerpt(log, search="/(a+)+$/")


@pytest.mark.parametrize(
    ("search", "says"), [("/(/", "is no regular expression: missing \\)"), ("x" * 1001, "1000 are the limit")]
)
async def test_what_cannot_be_searched_for_is_said(log: Path, search: str, says: str) -> None:
    log.write_text("")
    with pytest.raises(InvalidSpecError, match=says):
        await excerpt(log, search=search)


def test_a_search_sees_only_the_beginning_of_an_endless_line(log: Path) -> None:
    log.write_text("x" * LINE_BYTES + "match\nmatch\n")
    found = search_program.search(str(log), "match", ignore_case=False, lines=5, max_bytes=10**6)
    assert (found["lines"], found["matches"]) == (["match"], 1)


# Reading on


def test_a_reader_gives_whole_lines_as_they_come(log: Path) -> None:
    reader = Reader(log)
    assert reader.read() == ""
    log.write_text("one\ntw")
    assert (reader.read(), reader.position) == ("one\n", 4)
    assert reader.read() == ""
    with log.open("a") as file:
        file.write("o\n\x1b[1mthree")
    assert reader.read() == "two\n"
    assert (reader.read(rest=True), reader.read(rest=True)) == ("three", "")
    assert Reader(log, reader.position).read(rest=True) == ""


def test_a_reader_goes_on_behind_what_it_read_when_the_beginning_is_cut_off(log: Path) -> None:
    log.write_text("".join(f"line {n}\n" for n in range(1000)))
    reader = Reader(log)
    assert reader.read().endswith("line 999\n")
    log.write_text("[dropped]\n" + "".join(f"line {n}\n" for n in range(400, 1003)))
    assert reader.read() == "line 1000\nline 1001\nline 1002\n"
    log.write_text("nothing known\n")
    assert reader.read() == "nothing known\n"


def test_a_reader_begins_a_new_log_at_its_beginning_however_long_it_is(log: Path) -> None:
    log.write_text("old\n")
    reader = Reader(log)
    assert reader.read() == "old\n"
    log.rename(log.with_name("engine.1.log"))
    log.write_text("a new one that is longer\n")
    assert reader.read() == "a new one that is longer\n"


def test_chunks_are_bounded_and_cut_no_character(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuner.logs.following.CHUNK_BYTES", 8)
    log.write_text("äöüäöüä\nab\n", "utf-8")
    reader, read = Reader(log), []
    while text := reader.read(rest=True):
        read.append(text)
    assert "".join(read) == "äöüäöüä\nab\n"
    assert max(map(len, read)) <= 8
    monkeypatch.setattr("tuner.logs.following.CHUNK_BYTES", 5)
    assert Reader(log).read() == "äö", "no line ends in it, and half an ü is left for later"


# Following


@pytest.fixture
async def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(task_logs, "FOLLOW_S", 0.005)
    monkeypatch.setattr(task_logs, "FOLLOW_AT_MOST_S", 0.01)
    return Settings(home=tmp_path / "home")


@pytest.fixture
async def running(home: Settings) -> AsyncIterator[tuple[Store, Lease, Path]]:
    """A task that runs, and the folder of its files."""
    home.home.mkdir()
    async with Store(home.store_url) as store:
        task = await store.add(TaskSpec.model_validate({"task_name": "x", "model": "any"}))
        await store.queue(task.id)
        lease = await store.claim(task.id, REMOTE)
        assert lease is not None
        yield store, lease, home.runs(task.id)


async def record(store: Store, lease: Lease, number: int, state: ExperimentState = ExperimentState.RUNNING) -> None:
    task = await store.task(lease.task_id)
    one = Experiment(number=number, role=Role.CANDIDATE, params=Params(), state=state, started_at=task.created_at)
    await store.record(lease, experiment=one)


def write(runs: Path, name: str, text: str) -> None:
    (runs / name).parent.mkdir(parents=True, exist_ok=True)
    with (runs / name).open("a") as file:
        file.write(text)


def following(
    store: Store, lease: Lease, runs: Path, experiment: int | None = None, **asked: Any
) -> AsyncIterator[LogChunk]:
    asked = {"benchmark": False, "position": 0, **asked}
    return task_logs.follow(store, lease.task_id, runs, experiment, **asked)


async def test_a_follower_goes_from_experiment_to_experiment_and_ends_with_the_task(
    running: tuple[Store, Lease, Path],
) -> None:
    store, lease, runs = running
    chunks = following(*running)
    first = asyncio.ensure_future(anext(chunks))
    await asyncio.sleep(0.03)
    await record(store, lease, 0)
    write(runs, "0/engine.log", "zero\n")
    assert await first == LogChunk(position=5, text="zero\n", experiment=0)
    write(runs, "0/engine.log", "its end")
    await record(store, lease, 1)
    write(runs, "1/engine.log", "one\n")
    assert [await anext(chunks), await anext(chunks)] == [
        LogChunk(position=12, text="its end", experiment=0),
        LogChunk(position=4, text="one\n", experiment=1),
    ]
    write(runs, "1/engine.log", "last words")
    await store.finish(lease, TaskState.CANCELLED)
    assert [chunk async for chunk in chunks] == [LogChunk(position=14, text="last words", experiment=1)]


async def test_a_follower_misses_no_experiment_however_short(running: tuple[Store, Lease, Path]) -> None:
    store, lease, runs = running
    await record(store, lease, 0)
    write(runs, "0/engine.log", "zero\n")
    chunks = following(*running)
    assert (await anext(chunks)).text == "zero\n"
    for number in (1, 2, 3):  # the second failed before it had a log
        await record(store, lease, number)
        if number != 2:
            write(runs, f"{number}/engine.log", f"{number}\n")
    await store.finish(lease, TaskState.COMPLETED)
    assert [(chunk.experiment, chunk.text) async for chunk in chunks] == [(1, "1\n"), (3, "3\n")]
    assert [chunk.experiment async for chunk in following(*running, since=1, position=2)] == [3]
    assert [chunk.text async for chunk in following(*running, lines=1)] == ["3\n"]


async def test_a_follower_of_one_experiment_ends_with_it(running: tuple[Store, Lease, Path]) -> None:
    store, lease, runs = running
    await record(store, lease, 0)
    write(runs, "0/engine.log", "zero\nmore\n")
    chunks = following(*running, 0, position=5)
    assert (await anext(chunks)).text == "more\n"
    await record(store, lease, 1)
    await record(store, lease, 0, ExperimentState.COMPLETED)
    assert [chunk async for chunk in chunks] == []


async def test_the_load_generators_log_is_followed_to_the_end_of_the_task(running: tuple[Store, Lease, Path]) -> None:
    store, lease, runs = running
    write(runs, "benchmark.log", "warm\n")
    chunks = following(*running, benchmark=True)
    assert await anext(chunks) == LogChunk(position=5, text="warm\n", experiment=None)
    await store.finish(lease, TaskState.COMPLETED)
    assert [chunk async for chunk in chunks] == []


async def test_a_follower_of_what_never_comes_ends_with_the_task(running: tuple[Store, Lease, Path]) -> None:
    store, lease, _ = running
    for experiment in (7, -1):
        chunks = following(*running, experiment)
        waiting = asyncio.ensure_future(anext(chunks, None))
        await asyncio.sleep(0.02)
        assert not waiting.done()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    await store.finish(lease, TaskState.COMPLETED)
    assert [chunk async for chunk in following(*running, 7)] == []
