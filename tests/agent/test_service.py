"""Sessions and their turns, asked for in every wrong way as well."""

import asyncio
import sys
from pathlib import Path

import psycopg
import pytest

from agent.approvals.records.audit import AuditQuery
from agent.domain import Approve, Reject
from agent.errors import InvalidInputError
from tests.fakes.stores import dead_owner
from tests.fakes.talk import Call, Say, Toolbox, database, kinds, outcome, requested, talk, text
from tests.fakes.talk import run_row as a_run
from tuner.errors import ConflictError, NotFoundError, StorageError

LAUNCH = Say(calls=[Call("launch", {"task": "a"})])
SLOW = Say("one two three four five six seven eight", pause_s=0.05)
NOWHERE = "0" * 32


async def test_sessions_are_listed_by_last_use_found_by_title_and_renamed(tmp_path: Path) -> None:
    async with talk(tmp_path, [Say("Hi.")]) as one:
        other = await one.assistant.create_session("  Nightly\n load ")
        assert other.title == "Nightly load"
        await one.say("  \n Tune the demo model for throughput, with a long sentence that goes on and on\nsecond line")
        listed, total = await one.assistant.sessions()
        assert ([session.id for session in listed], total) == ([one.session_id, other.id], 2)
        assert listed[0].title == "Tune the demo model for throughput, with a long sentence th…"
        assert [session.id for session in (await one.assistant.sessions(text="NIGHT"))[0]] == [other.id]
        assert (await one.assistant.sessions(limit=1, offset=1))[0] == [other]
        assert (await one.assistant.rename(other.id, "Daily")).title == "Daily"


async def test_a_title_that_a_person_gave_stays(tmp_path: Path) -> None:
    async with talk(tmp_path, [Say("Hi.")]) as one:
        await one.assistant.rename(one.session_id, "Mine")
        await one.say("hello")
        assert (await one.assistant.session(one.session_id)).title == "Mine"


@pytest.mark.parametrize("text", ["", " \n\t", "x" * 100_001, "a\0b", "\x1b[31m", "\ud800"], ids=repr)
async def test_a_message_that_is_none_is_refused_before_anything_happens(tmp_path: Path, text: str) -> None:
    async with talk(tmp_path, []) as one:
        with pytest.raises(InvalidInputError, match="message"):
            await one.assistant.send(one.session_id, text)
        assert await one.log() == []


@pytest.mark.parametrize("title", ["", " ", "x" * 201, "a\0b"], ids=repr)
async def test_a_title_that_is_none_is_refused(tmp_path: Path, title: str) -> None:
    async with talk(tmp_path, []) as one:
        with pytest.raises(InvalidInputError, match="1 to 200 characters"):
            await one.assistant.rename(one.session_id, title)


@pytest.mark.parametrize("run_id", ["", "a b", "x" * 65, "a\nb", "ä"], ids=repr)
async def test_a_run_id_that_no_stream_can_carry_is_refused(tmp_path: Path, run_id: str) -> None:
    async with talk(tmp_path, []) as one:
        with pytest.raises(InvalidInputError, match="1 to 64 letters"):
            await one.assistant.send(one.session_id, "hi", run_id=run_id)


@pytest.mark.parametrize("session_id", [NOWHERE, "", "x", "../../etc", "a\0b", "%00", "ä" * 500], ids=repr)
async def test_what_is_not_there_is_said_whatever_is_asked_of_it(tmp_path: Path, session_id: str) -> None:
    async with talk(tmp_path, []) as one:
        assistant = one.assistant
        for asked in (
            assistant.session(session_id),
            assistant.send(session_id, "hi"),
            assistant.cancel(session_id),
            assistant.rename(session_id, "t"),
            assistant.delete_session(session_id),
            assistant.transcript(session_id),
            assistant.resend(session_id, "m", "hi"),
            assistant.decide(session_id, {"x": Approve()}, who="tester"),
            assistant.grants(session_id),
            anext(assistant.events(session_id)),
            assistant.run(session_id),
            anext(assistant.run_events(session_id)),
        ):
            with pytest.raises(NotFoundError):
                await asked


async def test_a_second_message_is_refused_while_a_turn_runs(tmp_path: Path) -> None:
    async with talk(tmp_path, [SLOW]) as one:
        run_id = await one.assistant.send(one.session_id, "count")
        assert (await one.assistant.session(one.session_id)).running == run_id
        with pytest.raises(ConflictError, match=f"A turn is running in this session .run {run_id}"):
            await one.assistant.send(one.session_id, "and?")
        await one.assistant.cancel(one.session_id)


async def test_of_many_messages_at_once_one_begins_a_turn(tmp_path: Path) -> None:
    async with talk(tmp_path, [Say(calls=[Call("wait")]), Say("Hi.")]) as one:
        sent = await asyncio.gather(
            *(one.assistant.send(one.session_id, str(number)) for number in range(20)), return_exceptions=True
        )
        (run_id,) = [answer for answer in sent if isinstance(answer, str)]
        assert [type(answer) for answer in sent].count(ConflictError) == 19
        one.toolbox.let_go.set()
        assert outcome(await one.heard(run_id)) == "done"
        assert len(one.asked) == 2


async def test_a_run_id_is_taken_once(tmp_path: Path) -> None:
    async with talk(tmp_path, [Say("Hi.")]) as one:
        await one.heard(await one.assistant.send(one.session_id, "hi", run_id="mine"))
        with pytest.raises(ConflictError, match="There is a run mine already"):
            await one.assistant.send(one.session_id, "hi", run_id="mine")


async def test_a_message_is_refused_while_approvals_are_open(tmp_path: Path) -> None:
    async with talk(tmp_path, [LAUNCH]) as one:
        (approval,) = requested(await one.say("launch"))
        with pytest.raises(ConflictError, match=rf"waits for a decision on launch \({approval.id}\)"):
            await one.assistant.send(one.session_id, "hi")


# Deciding


async def test_a_turn_goes_on_with_the_last_of_its_decisions(tmp_path: Path) -> None:
    calls = [Call("launch", {"task": "a"}), Call("launch", {"task": "b"}), Call("remove", {"task": "c"})]
    async with talk(tmp_path, [Say(calls=calls), Say("Done.")]) as one:
        a, b, c = sorted(requested(await one.say("do")), key=lambda approval: str(approval.args["task"]))
        decide = one.assistant.decide
        assert await decide(one.session_id, {a.id: Approve(), c.id: Reject(reason="no")}, who="tester") is None
        assert one.toolbox.ran == []
        run_id = await decide(one.session_id, {b.id: Approve(args={"task": "B"})}, who="tester", run_id="resumed")
        assert run_id == "resumed"
        assert outcome(await one.heard("resumed")) == "done"
        assert sorted(str(args["task"]) for _, args in one.toolbox.ran) == ["B", "a"]
        decided = [
            event.payload.approval.state for event in await one.log() if event.payload.kind == "approval_decided"
        ]
        assert decided == ["approved", "rejected", "approved"]


async def test_a_decision_that_cannot_be_taken_leaves_the_session_waiting(tmp_path: Path) -> None:
    async with talk(tmp_path, [LAUNCH, Say("Done.")]) as one:
        (approval,) = requested(await one.say("launch"))
        for decisions, error in (
            ({NOWHERE: Approve()}, NotFoundError),
            ({approval.id: Approve(digest="0" * 64)}, ConflictError),
        ):
            with pytest.raises(error):
                await one.assistant.decide(one.session_id, decisions, who="tester")
        other = await one.assistant.create_session()
        with pytest.raises(NotFoundError):
            await one.assistant.decide(other.id, {approval.id: Approve()}, who="tester")
        assert outcome(await one.approve(approval)) == "done"


async def test_of_fifty_approvals_at_once_one_resumes_and_the_tool_runs_once(tmp_path: Path) -> None:
    async with talk(tmp_path, [LAUNCH, Say("Done.")]) as one:
        (approval,) = requested(await one.say("launch"))
        decided = await asyncio.gather(
            *(one.assistant.decide(one.session_id, {approval.id: Approve()}, who=str(n)) for n in range(50)),
            return_exceptions=True,
        )
        (run_id,) = [answer for answer in decided if isinstance(answer, str)]
        assert sum(isinstance(answer, ConflictError) for answer in decided) == 49
        await one.heard(run_id)
        assert one.toolbox.count("launch") == 1


# Writing anew


async def test_a_message_written_anew_replaces_what_came_after_it(tmp_path: Path) -> None:
    script = [Say("First."), Say("Second."), Say("Other.")]
    async with talk(tmp_path, script) as one:
        await one.say("one")
        events = await one.say("two")
        message_id = next(event.payload.message_id for event in events if event.payload.kind == "user_message")
        anew = await one.heard(await one.assistant.resend(one.session_id, message_id, "too"))
        assert kinds(anew)[:3] == ["run_started", "history_cut", "user_message"]
        assert [message.text for message in one.asked[-1][1:]] == ["one", "First.", "too"]
        transcript = await one.assistant.transcript(one.session_id)
        assert "First." in transcript
        assert "Other." in transcript
        assert "Second." not in transcript
        with pytest.raises(NotFoundError, match="no user message"):
            await one.assistant.resend(one.session_id, message_id, "again")


async def test_the_first_message_can_be_tried_again(tmp_path: Path) -> None:
    async with talk(tmp_path, [Say("First."), Say("Second.")]) as one:
        events = await one.say("one")
        message_id = next(event.payload.message_id for event in events if event.payload.kind == "user_message")
        assert text(await one.heard(await one.assistant.resend(one.session_id, message_id, "one"))) == "Second."
        assert [message.text for message in one.asked[-1][1:]] == ["one"]


async def test_a_transcript_holds_all_that_was_said_called_and_decided(tmp_path: Path) -> None:
    script = [Say("I launch it.", calls=[Call("launch", {"task": "```"})]), Say("Rejected.")]
    async with talk(tmp_path, script) as one:
        (approval,) = requested(await one.say("launch it"))
        await one.reject(approval, "not today")
        markdown = await one.assistant.transcript(one.session_id)
    assert [line for line in markdown.splitlines() if line.startswith(("#", "**"))] == [
        "# launch it",
        "## User",
        "## Assistant (offline)",
        "**launch** rejected by tester: not today",
        "**launch** (failed)",
    ]
    for told in ("I launch it.", "Approval asked for **launch**", "````", "Rejected."):
        assert told in markdown


# Deleting


async def test_deleting_a_session_in_the_middle_of_a_turn_ends_the_turn_and_its_readers(tmp_path: Path) -> None:
    async with talk(tmp_path, [Say(calls=[Call("wait")])]) as one:
        run_id = await one.assistant.send(one.session_id, "wait")
        reading = asyncio.create_task(one.heard(run_id))
        await one.toolbox.waiting.wait()
        await one.assistant.delete_session(one.session_id)
        assert outcome(await reading) == "cancelled"
        for asked in (one.assistant.session(one.session_id), one.assistant.run(run_id)):
            with pytest.raises(NotFoundError):
                await asked


async def test_an_approval_of_a_deleted_session_cannot_be_given(tmp_path: Path) -> None:
    async with talk(tmp_path, [LAUNCH]) as one:
        (approval,) = requested(await one.say("launch"))
        await one.assistant.delete_session(one.session_id)
        with pytest.raises(NotFoundError):
            await one.assistant.decide(one.session_id, {approval.id: Approve()}, who="tester")
        assert one.toolbox.ran == []
        assert [entry.action for entry in await one.assistant.ledger.audit(AuditQuery(session_id=one.session_id))][
            -1
        ] == "cancelled"


async def test_readers_of_a_deleted_session_come_to_an_end(tmp_path: Path) -> None:
    async with talk(tmp_path, [Say("Hi.")]) as one:
        await one.say("hi")

        async def read() -> int:
            return len([event async for event in one.assistant.events(one.session_id)])

        reading = asyncio.create_task(read())
        await asyncio.sleep(0.05)
        await one.assistant.delete_session(one.session_id)
        assert await reading == len(["run_started", "user_message", "started", "delta", "ended", "usage", "finished"])


# Stopping and starting again


async def test_a_service_that_stops_tells_its_turns_and_the_next_message_works(tmp_path: Path) -> None:
    async with talk(tmp_path, [SLOW]) as one:
        run_id = await one.assistant.send(one.session_id, "count")
        await one.until(run_id, lambda payload: payload.kind == "text_delta")
        session_id = one.session_id
    async with talk(tmp_path, [Say("Back.")], session_id=session_id) as one:
        events = await one.heard(run_id)
        assert "The service stops" in outcome(events)
        assert text(await one.say("hello?")) == "Back."
        shown = [message.text for message in one.asked[0][1:]]
        assert shown == ["count", text(events), "hello?"]


async def test_a_run_whose_process_is_gone_is_ended_and_its_thread_healed(tmp_path: Path) -> None:
    async with talk(tmp_path, [Say("Hi."), Say("Fine.")]) as one:
        first = await one.say("hello")
        session_id = one.session_id
    async with database(tmp_path) as opened:
        await a_run(opened, session_id, "lost", owner=dead_owner())
    async with talk(tmp_path, [Say("Fine.")], session_id=session_id) as one:
        events = await one.heard("lost")
        assert "was restarted" in outcome(events)
        assert events[-1].sequence > first[-1].sequence + 100_000, "what a reader may have seen keeps its meaning"
        assert outcome(await one.say("again")) == "done"


async def test_approvals_wait_across_a_restart_and_run_once_when_given(tmp_path: Path) -> None:
    async with talk(tmp_path, [LAUNCH]) as one:
        (approval,) = requested(await one.say("launch"))
        session_id = one.session_id
    async with talk(tmp_path, [Say("Launched.")], session_id=session_id) as one:
        assert one.toolbox.ran == []
        assert text(await one.approve(approval)) == "Launched."
        assert one.toolbox.count("launch") == 1


async def test_a_run_that_only_waited_when_its_process_died_waits_on(tmp_path: Path) -> None:
    async with talk(tmp_path, [LAUNCH]) as one:
        (approval,) = requested(await one.say("launch"))
        session_id = one.session_id
    async with database(tmp_path) as opened:
        await a_run(opened, session_id, "lost", owner=dead_owner())
    async with talk(tmp_path, [Say("Launched.")], session_id=session_id) as one:
        assert outcome(await one.heard("lost")) == "approvals"
        assert text(await one.approve(approval)) == "Launched."


async def test_a_turn_of_another_process_is_cancelled_from_here(tmp_path: Path) -> None:
    async with talk(tmp_path, [Say(calls=[Call("wait")])]) as there:
        run_id = await there.assistant.send(there.session_id, "wait")
        await there.toolbox.waiting.wait()
        async with talk(tmp_path, [], session_id=there.session_id) as here:
            with pytest.raises(ConflictError, match="A turn is running"):
                await here.assistant.send(here.session_id, "hi")
            await here.assistant.cancel(here.session_id)
            assert outcome(await here.heard(run_id)) == "cancelled"


@pytest.mark.slow
async def test_a_killed_process_ends_nobodys_conversation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.conversation.heartbeats.BEAT_S", 0.05)
    monkeypatch.setattr("agent.events.stream.POLL_S", 0.05)
    async with talk(tmp_path, [Say("Here.")]) as one:
        command = (sys.executable, "-m", "tests.fakes.talk_process", str(tmp_path), one.session_id)
        child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        try:
            assert child.stdout is not None
            run_id = (await child.stdout.readline()).decode().strip()
            await one.until(run_id, lambda payload: payload.kind == "text_delta")
        finally:
            child.kill()
            await child.wait()
        events = await one.heard(run_id)
        assert "was restarted" in outcome(events)
        assert "text_ended" in kinds(events)
        assert text(await one.say("hello?")) == "Here."
        assert [message.text for message in one.asked[0][1:]] == ["count", text(events), "hello?"]


@pytest.mark.postgres
async def test_all_of_it_works_on_postgresql_and_keeps_one_checkpoint(tmp_path: Path, postgres_url: str) -> None:
    script = [LAUNCH, Say("Launched."), Say("Second.")]
    async with talk(tmp_path, script[:1], database_url=postgres_url) as one:
        (approval,) = requested(await one.say("launch"))
        session_id = one.session_id
    async with talk(tmp_path, script[1:], database_url=postgres_url, session_id=session_id) as one:
        events = await one.approve(approval)
        assert (text(events), outcome(events)) == ("Launched.", "done")
        with psycopg.connect(postgres_url) as connection:
            assert connection.execute("SELECT count(*) FROM checkpoints").fetchone() == (1,)
        message_id = next(event.payload.message_id for event in await one.log() if event.payload.kind == "user_message")
        assert text(await one.heard(await one.assistant.resend(session_id, message_id, "again"))) == "Second."
        await one.assistant.delete_session(session_id)
        with psycopg.connect(postgres_url) as connection:
            assert connection.execute("SELECT count(*) FROM checkpoints").fetchone() == (0,)
    assert not (tmp_path / "conversations.db").exists()


async def test_a_database_that_is_locked_is_said_and_works_again_afterwards(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'autotuner.db'}?timeout=0.05"
    async with talk(tmp_path, [Say("Hi.")], database_url=url) as one, database(tmp_path) as other:
        async with other.writing():
            with pytest.raises(StorageError, match="stays locked"):
                await one.assistant.send(one.session_id, "hi")
        assert text(await one.say("hi")) == "Hi."


async def test_a_turn_that_cannot_write_its_end_is_ended_when_that_can_be_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.events.stream.RETRY_S", 0.05)
    url = f"sqlite:///{tmp_path / 'autotuner.db'}?timeout=0.05"
    toolbox = Toolbox()
    script = [Say(calls=[Call("wait")]), Say("Waited.")]
    async with talk(tmp_path, script, database_url=url, toolbox=toolbox) as one, database(tmp_path) as other:
        run_id = await one.assistant.send(one.session_id, "wait")
        reading = asyncio.create_task(one.heard(run_id))
        await toolbox.waiting.wait()
        async with other.writing():
            toolbox.let_go.set()
            events = await reading
        assert text(events) == "Waited."
        async with asyncio.timeout(60):
            while (await one.assistant.run(run_id)).state == "running":
                await asyncio.sleep(0.02)
        assert [event.sequence for event in await one.log()][-1] == events[-1].sequence
