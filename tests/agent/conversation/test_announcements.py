"""A session is told, once, when a task that was started in it has ended."""

import asyncio
from pathlib import Path

import pytest

from agent.conversation.announcements import facts
from agent.events.types import RunEvent, RunStarted
from tests.fakes import rig
from tests.fakes.results import spec, swept
from tests.fakes.talk import Call, Say, Talk, database, outcome, requested, talk, text
from tuner import service as service_module
from tuner.domain import TaskState
from tuner.runner import worker as worker_module
from tuner.service import Tuner


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "IDLE_S", 0.01)
    monkeypatch.setattr(service_module, "FOLLOW_S", 0.01)
    monkeypatch.setattr("agent.conversation.announcements.LOOK_S", 0.05)
    monkeypatch.setattr("agent.events.stream.POLL_S", 0.05)
    rig.install(monkeypatch)


async def created(tuner: Tuner) -> str:
    return (await tuner.create(rig.spec(parameters={"speed": [5, 6]}))).id


def tuner_of(one: Talk) -> Tuner:
    return one.tuner


async def report(one: Talk) -> list[RunEvent]:
    """The next run that nobody asked for."""
    async with asyncio.timeout(60):
        async for event in one.assistant.events(one.session_id):
            if isinstance(event.payload, RunStarted) and event.payload.trigger == "task_ended":
                return await one.heard(event.run_id)
    raise AssertionError("the session was deleted")


async def reports(one: Talk) -> int:
    log = await one.log()
    return sum(isinstance(event.payload, RunStarted) and event.payload.trigger == "task_ended" for event in log)


async def test_the_end_of_a_task_is_reported_in_its_session_once(tmp_path: Path) -> None:
    script = [Say("Starting."), Say("It is done.")]
    async with talk(tmp_path, script) as one:
        task_id = await created(tuner_of(one))
        one.script.insert(0, Say(calls=[Call("begin", {"task": task_id})]))
        assert text(await one.say("start it")) == "Starting."
        await tuner_of(one).run(task_id)
        events = await report(one)
        assert (text(events), outcome(events)) == ("It is done.", "done")
        note = one.asked[-1][-1].text
        assert note.startswith("(Note from the tuner")
        for told in (task_id, "Verdict:", "Baseline: experiment 0", "To try next"):
            assert told in note
        assert "Note from the tuner" not in await one.assistant.transcript(one.session_id)
        await asyncio.sleep(0.2)
        assert await reports(one) == 1


@pytest.fixture
async def ended_while_down(tmp_path: Path) -> str:
    """A session whose task ended while no assistant was there."""
    async with talk(tmp_path, [Say("Starting.")]) as one:
        task_id = await created(tuner_of(one))
        one.script.insert(0, Say(calls=[Call("begin", {"task": task_id})]))
        await one.say("start it")
        tuner, session_id = tuner_of(one), one.session_id
        settings = tuner.settings
    async with Tuner.open(settings) as tuner:
        await tuner.run(task_id)
    return session_id


async def test_a_task_that_ended_while_the_service_was_down_is_reported_later(
    tmp_path: Path, ended_while_down: str
) -> None:
    async with talk(tmp_path, [Say("It was done.")], session_id=ended_while_down) as one:
        assert text(await report(one)) == "It was done."
    async with talk(tmp_path, [], session_id=ended_while_down) as one:
        await asyncio.sleep(0.2)
        assert await reports(one) == 1


async def test_of_two_services_one_reports(tmp_path: Path, ended_while_down: str) -> None:
    async with (
        talk(tmp_path, [Say("Done.")], session_id=ended_while_down) as one,
        talk(tmp_path, [Say("Done.")], session_id=ended_while_down) as other,
    ):
        assert [text(events) for events in await asyncio.gather(report(one), report(other))] == ["Done."] * 2
        await asyncio.sleep(0.2)
        assert await reports(one) == await reports(other) == 1


async def test_a_busy_session_is_told_when_it_is_free(tmp_path: Path, ended_while_down: str) -> None:
    script = [Say(calls=[Call("launch", {"task": "x"})]), Say("Rejected."), Say("It was done.")]
    async with talk(tmp_path, [], session_id=ended_while_down) as one:
        one.script.extend(script)
        (approval,) = requested(await one.say("launch x"))
        await asyncio.sleep(0.2)
        assert await reports(one) == 0
        await one.reject(approval)
        assert text(await report(one)) == "It was done."


async def test_a_task_that_is_deleted_is_not_waited_for(tmp_path: Path) -> None:
    async with talk(tmp_path, [Say("Starting.")]) as one, database(tmp_path) as opened:
        task_id = await created(tuner_of(one))
        one.script.insert(0, Say(calls=[Call("begin", {"task": task_id})]))
        await one.say("start it")
        await tuner_of(one).delete(task_id)
        from agent.storage.sessions import SessionStore

        async with asyncio.timeout(60):
            while await SessionStore(opened).watched():
                await asyncio.sleep(0.02)
        assert await reports(one) == 0


# What the model is told


def test_the_facts_hold_the_gain_with_its_interval_the_bounds_and_the_failures() -> None:
    told = facts(swept())
    assert "Verdict: " in told
    assert "Baseline: experiment 0, the engine's defaults: " in told
    assert "Winner: experiment " in told
    assert "output tokens/s" in told
    assert "ttft.p90" in told
    assert "out_of_memory 2" in told
    assert "In output_tokens_per_s: 13 % more output tokens/s (+10 % to +16 %), 2 against 2 from fresh" in told
    assert "Noise from run to run: " in told
    assert "SLO of experiment 16: p90 time to first token 505 ms" in told
    assert "Measured on the simulated engine" in told


def test_the_facts_of_a_task_without_a_measurement_say_what_to_do() -> None:
    from tests.fakes.results import task_of
    from tuner.analysis.result import result

    told = facts(result(task_of(spec(), TaskState.CANCELLED), []))
    assert "Experiments: 0, of them failed: 0" in told
    assert "To try next: " in told
