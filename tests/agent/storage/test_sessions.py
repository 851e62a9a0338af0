"""Sessions, runs and watches in the database: what must happen once happens once, whoever tries it when."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from agent.domain import RunState
from agent.events.log import Batch, EventLog
from agent.events.types import TextDelta, ToolResult, UserMessage
from agent.storage import migrations
from agent.storage.sessions import UNTITLED, SessionStore
from tuner.errors import ConflictError, NotFoundError
from tuner.storage.database import Database


@pytest.fixture
async def opened(store_url: str) -> AsyncIterator[Database]:
    database = Database(store_url, migrations)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def conversations(opened: Database) -> SessionStore:
    return SessionStore(opened)


async def test_of_many_runs_begun_at_once_one_is(conversations: SessionStore) -> None:
    session = await conversations.add_session(None)
    begun = await asyncio.gather(
        *(conversations.begin(session.id, f"run{number}", "message", "me") for number in range(10)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, ConflictError) for one in begun) == 9
    (held,) = await conversations.running()
    assert (await conversations.session(session.id)).running == held.run.id


async def test_the_end_of_a_task_is_told_by_one_run(conversations: SessionStore) -> None:
    session = await conversations.add_session(None)
    await conversations.watch(session.id, "0123abcd")
    assert await conversations.watched() == [(session.id, "0123abcd")]
    begun = await conversations.begin(session.id, "one", "task_ended", "me", task_id="0123abcd")
    await end(conversations, begun.run.id, session.id)
    with pytest.raises(ConflictError, match="told already"):
        await conversations.begin(session.id, "two", "task_ended", "me", task_id="0123abcd")
    assert await conversations.watched() == []
    assert (await conversations.session(session.id)).running is None
    await conversations.watch(session.id, "0123abcd")
    assert await conversations.watched() == [(session.id, "0123abcd")], "it was resumed"
    await conversations.unwatch("0123abcd")
    assert await conversations.watched() == []


async def end(conversations: SessionStore, run_id: str, session_id: str) -> None:
    await EventLog(conversations._database).write([Batch(session_id, ended=(run_id, RunState.DONE))])


async def test_a_dead_process_is_replaced_by_one(conversations: SessionStore) -> None:
    session = await conversations.add_session(None)
    await conversations.begin(session.id, "run", "message", "dead")
    (held,) = await conversations.running()
    taken = await asyncio.gather(*(conversations.take_over(held, f"heir{number}") for number in range(5)))
    assert [last for last in taken if last is not None] == [0]


async def test_who_beats_learns_what_is_to_be_cancelled(conversations: SessionStore) -> None:
    session, other = [await conversations.add_session(None) for _ in range(2)]
    for number, one in enumerate((session, other)):
        await conversations.begin(one.id, f"run{number}", "message", "me")
    assert await conversations.heartbeat(["run0", "run1"]) == []
    await conversations.request_cancel(session.id)
    assert await conversations.heartbeat(["run0", "run1"]) == ["run0"]


async def test_a_title_is_given_once_and_deleting_takes_everything(conversations: SessionStore) -> None:
    session = await conversations.add_session(None)
    assert session.title == UNTITLED
    begun = await conversations.begin(session.id, "run", "message", "me", title="First")
    await end(conversations, begun.run.id, session.id)
    await conversations.begin(session.id, "next", "message", "me", title="Second", thread="new")
    assert (await conversations.session(session.id)).title == "First"
    assert await conversations.thread(session.id) == "new"
    await conversations.delete(session.id)
    for asked in (conversations.run("run"), conversations.thread(session.id), conversations.delete(session.id)):
        with pytest.raises(NotFoundError):
            await asked


async def test_sessions_are_found_by_what_their_title_holds_literally(conversations: SessionStore) -> None:
    for title in ("50 % off", "50x off", "a\0b\ud800"):
        await conversations.add_session(title)
    found, total = await conversations.sessions(text="50 %", limit=10, offset=0)
    assert ([session.title for session in found], total) == (["50 % off"], 1)
    assert (await conversations.sessions(text=None, limit=1, offset=5))[1] == 3


async def test_sessions_are_found_by_what_was_said_in_them(conversations: SessionStore, opened: Database) -> None:
    one, other = [await conversations.add_session(title) for title in ("One", "Other")]
    await EventLog(opened).append(
        one.id,
        "run",
        [
            UserMessage(message_id="u", text="Is 50 % of the cache free?"),
            TextDelta(message_id="a", text='Größer wäre "besser".'),
            ToolResult(call_id="c", tool="get_task", content="only a tool has read this"),
        ],
    )

    async def found(text: str) -> list[str]:
        page, total = await conversations.sessions(text=text, limit=10, offset=0)
        assert total == len(page)
        return [session.id for session in page]

    for said in ("50 % of the CACHE", "größer", 'wäre "besser"'):
        assert await found(said) == [one.id]
    for unsaid in ("50 x of", "only a tool", "user_message"):
        assert await found(unsaid) == []
    assert await found("other") == [other.id]
