"""A turn, from what somebody said to its last event, whatever the model and the tools do."""

import asyncio
import socket
from pathlib import Path

import pytest
from langchain_core.exceptions import ModelAPIError

from agent.conversation.middleware.context_window import tokens
from agent.domain import Approve
from agent.events.types import RunFailed
from agent.models import build
from agent.settings import AgentSettings
from tests.fakes.gated import let_time_pass
from tests.fakes.model_server import Answer, model_server
from tests.fakes.model_server import Call as ServerCall
from tests.fakes.talk import Call, Say, Toolbox, database, kinds, outcome, requested, results, talk, text


async def test_what_the_model_says_is_streamed_and_counted(tmp_path: Path) -> None:
    async with talk(tmp_path, [Say("Hello there, friend.")]) as one:
        events = await one.say("hi")
        assert kinds(events) == [
            "run_started",
            "user_message",
            "text_started",
            "text_delta",
            "text_ended",
            "usage",
            "run_finished",
        ]
        assert text(events) == "Hello there, friend."
        session = await one.assistant.session(one.session_id)
        assert (session.title, session.input_tokens, session.output_tokens, session.running) == ("hi", 10, 3, None)


async def test_a_tool_is_called_and_its_result_goes_back_to_the_model(tmp_path: Path) -> None:
    script = [Say("Looking.", calls=[Call("look", {"task": "a"})]), Say("Fine.")]
    async with talk(tmp_path, script) as one:
        events = await one.say("look at a")
        assert kinds(events) == [
            "run_started",
            "user_message",
            "text_started",
            "text_delta",
            "tool_call_started",
            "tool_call_args",
            "text_ended",
            "tool_call_ended",
            "usage",
            "tool_result",
            "text_started",
            "text_delta",
            "text_ended",
            "usage",
            "run_finished",
        ]
        assert [result.content for result in results(events)] == ['{"said":"a is fine"}']


async def test_a_privileged_call_waits_and_the_turn_goes_on_when_it_is_approved(tmp_path: Path) -> None:
    script = [Say(calls=[Call("launch", {"task": "a"}), Call("look", {"task": "b"})]), Say("Launched.")]
    async with talk(tmp_path, script) as one:
        events = await one.say("launch a")
        assert outcome(events) == "approvals"
        (approval,) = requested(events)
        assert [result.tool for result in results(events)] == ["look"]
        assert one.toolbox.count("launch") == 0
        again = await one.approve(approval)
        assert kinds(again)[:2] == ["run_started", "tool_result"]
        assert [result.tool for result in results(again)] == ["launch"], "the other result is told once"
        assert (text(again), outcome(again), one.toolbox.count("launch")) == ("Launched.", "done", 1)


async def test_progress_names_the_call_it_is_about(tmp_path: Path) -> None:
    calls = [Call("fetch", {"size": 2}, id="one"), Call("fetch", {"size": 1}, id="two")]
    async with talk(tmp_path, [Say(calls=calls), Say("Done.")]) as one:
        events = await one.say("fetch")
        told = [(e.payload.call_id, e.payload.data["done"]) for e in events if e.payload.kind == "tool_progress"]
        assert sorted(told) == [("one", 1), ("one", 2), ("two", 1)]


async def test_a_cancelled_turn_keeps_what_was_said_and_goes_on_with_the_next_message(tmp_path: Path) -> None:
    script = [Say("one two three four five six", pause_s=0.05), Say("Again.")]
    async with talk(tmp_path, script) as one:
        run_id = await one.assistant.send(one.session_id, "count")
        await one.until(run_id, lambda payload: payload.kind == "text_delta")
        await one.assistant.cancel(one.session_id)
        events = await one.heard(run_id)
        assert outcome(events) == "cancelled"
        assert "text_ended" in kinds(events)
        assert outcome(await one.say("go on")) == "done"
        shown = [message.text for message in one.asked[-1][1:]]
        assert shown == ["count", text(events), "go on"]
        assert text(events).startswith("one ")


async def test_a_cancelled_tool_is_answered_for_and_its_finished_siblings_are_kept(tmp_path: Path) -> None:
    script = [Say(calls=[Call("look", {"task": "a"}), Call("wait")]), Say("Fine.")]
    async with talk(tmp_path, script) as one:
        run_id = await one.assistant.send(one.session_id, "wait")
        await one.until(run_id, lambda payload: payload.kind == "tool_result")
        await one.toolbox.waiting.wait()
        await one.assistant.cancel(one.session_id)
        looked, waited = results(await one.heard(run_id))
        assert (looked.content, looked.failed) == ('{"said":"a is fine"}', False)
        assert waited.failed
        assert "cancelled" in waited.content
        assert outcome(await one.say("and?")) == "done"
        shown = one.asked[-1]
        assert [message.text for message in shown if message.type == "tool"] == [looked.content, waited.content]


async def test_a_privileged_call_that_is_cancelled_in_the_middle_is_told_as_of_unknown_outcome(tmp_path: Path) -> None:
    toolbox = Toolbox(hold=asyncio.Event())
    async with talk(tmp_path, [Say(calls=[Call("launch", {"task": "a"})]), Say("Hm.")], toolbox=toolbox) as one:
        (approval,) = requested(await one.say("launch"))
        run_id = await one.assistant.decide(one.session_id, {approval.id: Approve()}, who="tester")
        assert run_id is not None
        await toolbox.running.wait()
        await one.assistant.cancel(one.session_id)
        (result,) = results(await one.heard(run_id))
        assert "outcome is unknown" in result.content
        assert outcome(await one.say("and?")) == "done"
        assert toolbox.count("launch") == 1


async def test_cancelling_what_waits_for_approval_closes_it_and_frees_the_session(tmp_path: Path) -> None:
    async with talk(tmp_path, [Say(calls=[Call("launch", {"task": "a"})]), Say("Alright.")]) as one:
        (approval,) = requested(await one.say("launch"))
        await one.assistant.cancel(one.session_id)
        assert (await one.assistant.ledger.approval(approval.id)).state == "cancelled"
        assert kinds(await one.log())[-2:] == ["tool_result", "approval_decided"]
        assert outcome(await one.say("something else")) == "done"
        assert one.toolbox.count("launch") == 0


async def test_a_rejection_reaches_the_model_with_its_reason(tmp_path: Path) -> None:
    async with talk(tmp_path, [Say(calls=[Call("launch", {"task": "a"})]), Say("Alright.")]) as one:
        (approval,) = requested(await one.say("launch"))
        events = await one.reject(approval, "too dear")
        assert "too dear" in results(events)[0].content
        assert outcome(events) == "done"


async def test_an_expired_approval_is_told_to_the_model_with_the_next_message(tmp_path: Path) -> None:
    script = [Say(calls=[Call("launch", {"task": "a"})]), Say("Too late.")]
    async with talk(tmp_path, script) as one, database(tmp_path) as opened:
        await one.say("launch")
        await let_time_pass(opened)
        events = await one.say("well?")
        assert "time ended" in results(events)[0].content
        assert text(events) == "Too late."
        assert one.toolbox.count("launch") == 0


# What models do wrong


async def test_an_endless_loop_of_calls_ends_with_a_sentence(tmp_path: Path) -> None:
    async with talk(tmp_path, [Say(calls=[Call("look")])], repeat=True, max_steps=5) as one:
        events = await one.say("loop")
        assert outcome(events) == "done"
        assert "5 steps" in text(events)
        assert one.toolbox.count("look") == 5
        assert outcome(await one.say("again")) == "done"


async def test_fifty_calls_at_once_all_run(tmp_path: Path) -> None:
    calls = [Call("look", {"task": str(number)}) for number in range(50)]
    async with talk(tmp_path, [Say(calls=calls), Say("Done.")]) as one:
        events = await one.say("look at all of them")
        assert {result.content for result in results(events)} == {f'{{"said":"{n} is fine"}}' for n in range(50)}
        assert outcome(events) == "done"


async def test_an_unknown_tool_and_wrong_arguments_are_answered_so_that_the_model_can_mend_them(tmp_path: Path) -> None:
    calls = [Call("lok", {}), Call("look", {"tsk": "a"})]
    async with talk(tmp_path, [Say(calls=calls), Say("Sorry.")]) as one:
        unknown, wrong = sorted(results(await one.say("look")), key=lambda result: result.tool)
        assert unknown.failed
        assert "look" in unknown.content
        assert wrong.failed
        assert "tsk" in wrong.content


async def test_calls_with_ids_that_were_used_before_are_told_apart(tmp_path: Path) -> None:
    same = [Say(calls=[Call("launch", {"task": name}, id="call_0")]) for name in ("a", "b")]
    async with talk(tmp_path, [same[0], Say("One."), same[1], Say("Two.")]) as one:
        for name in ("a", "b"):
            (approval,) = requested(await one.say(f"launch {name}"))
            await one.approve(approval)
        assert [args["task"] for _, args in one.toolbox.ran] == ["a", "b"]
        log = await one.log()
        started = [event.payload.call_id for event in log if event.payload.kind == "tool_call_started"]
        assert len(set(started)) == 2
        assert [result.call_id for result in results(log)] == started


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer("no such key sk-secret-abcdefgh", status=401), "AUTOTUNER_LLM_API_KEY"),
        (Answer("slow down", status=429), "429"),
        (Answer("boom", status=500), "5xx"),
        (Answer("no tools", status=400), "enable-auto-tool-choice"),
        (Answer("nothing", status=404), "AUTOTUNER_LLM_MODEL"),
        (Answer("one two three four", cut_after=2), "broke off"),
        (Answer(calls=[ServerCall("look", {"task": "a"})], cut_after=2), "broke off"),
    ],
    ids=["401", "429", "500", "400", "404", "cut text", "cut call"],
)
async def test_a_model_that_fails_is_explained_and_the_next_message_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, answer: Answer, says: str
) -> None:
    monkeypatch.setattr("agent.conversation.graph.FIRST_RETRY_S", 0.01)
    script = [answer, answer, answer, Answer("Here I am.")]
    broken = {"401": 1, "400": 1, "404": 1}.get(str(answer.status), 3)
    with model_server(*script[3 - broken :]) as server:
        settings = AgentSettings(
            _env_file=None, llm_model="scripted-model", llm_base_url=server.url, llm_api_key="sk-secret-abcdefgh"
        )
        async with talk(tmp_path, build.build(settings), llm_model="scripted-model", llm_base_url=server.url) as one:
            events = await one.say("hello")
            assert says in outcome(events)
            assert "sk-secret" not in str([event.model_dump() for event in events])
            (failed,) = (event.payload for event in events if isinstance(event.payload, RunFailed))
            assert str(failed.error_id) in caplog.text
            opened = {e.payload.message_id for e in events if e.payload.kind == "text_started"}
            assert opened == {e.payload.message_id for e in events if e.payload.kind == "text_ended"}
            calls = {e.payload.call_id for e in events if e.payload.kind == "tool_call_started"}
            assert calls == {e.payload.call_id for e in events if e.payload.kind == "tool_result"}
            assert text(await one.say("and now?")) == "Here I am."
            assert one.toolbox.ran == []


async def test_a_call_whose_arguments_are_no_json_does_not_run_and_the_model_hears_of_it(tmp_path: Path) -> None:
    garbled = Answer(calls=[ServerCall("look", '{"task": "a'), ServerCall("look", {"task": "b"})])
    with model_server(garbled, Answer("Sorry.")) as server:
        settings = AgentSettings(_env_file=None, llm_model="scripted-model", llm_base_url=server.url)
        async with talk(tmp_path, build.build(settings)) as one:
            events = await one.say("look")
            wrong, right = sorted(results(events), key=lambda result: not result.failed)
            assert "no valid JSON" in wrong.content
            assert right.content == '{"said":"b is fine"}'
            assert text(events) == "Sorry."
            assert one.toolbox.ran == [("look", {"task": "b"})]
            started = [event.payload.call_id for event in events if event.payload.kind == "tool_call_started"]
            assert sorted(started) == sorted(result.call_id for result in results(events))


async def test_a_model_that_is_not_there_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.conversation.graph.FIRST_RETRY_S", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    settings = AgentSettings(_env_file=None, llm_model="gone", llm_base_url=url)
    async with talk(tmp_path, build.build(settings), llm_model="gone", llm_base_url=url) as one:
        assert f"{url} cannot be reached" in outcome(await one.say("hello"))


async def test_a_model_that_fails_once_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.conversation.graph.FIRST_RETRY_S", 0.01)
    async with talk(tmp_path, [ModelAPIError("boom"), Say("Here.")]) as one:
        events = await one.say("hello")
        assert (text(events), outcome(events)) == ("Here.", "done")


# What does not fit into the window


async def test_a_long_conversation_stays_inside_the_window_and_its_transcript_is_whole(tmp_path: Path) -> None:
    dump = Say("Reading.", calls=[Call("dump", {"size": 3000})])
    script = [turn for _ in range(12) for turn in (dump, Say("Read."))]
    async with talk(tmp_path, script, llm_context_tokens=6000) as one:
        for number in range(12):
            assert outcome(await one.say(f"message {number} " + "w" * 1500)) == "done"
        assert max(tokens(shown) for shown in one.asked) <= 6000
        assert all(shown[1].type == "human" for shown in one.asked)
        whole = await one.assistant.transcript(one.session_id)
        assert all(f"message {number} " in whole for number in range(12))


async def test_a_message_longer_than_the_window_is_shown_without_its_middle(tmp_path: Path) -> None:
    async with talk(tmp_path, [Say("Long.")], llm_context_tokens=5000) as one:
        await one.say("begin " + "w" * 90_000 + " end")
        (shown,) = one.asked
        assert tokens(shown) <= 5000
        assert shown[-1].text.startswith("begin ")
        assert shown[-1].text.endswith(" end")
        assert "characters left out" in shown[-1].text
