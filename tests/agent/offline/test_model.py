"""The offline model as the agent sees it: streamed, through tools, through approvals, and never at a loss."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain.agents import create_agent
from langchain.agents.middleware import wrap_tool_call
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

import prompts
import tools
from agent.domain import Approval, Approve, Reject
from agent.events.types import (
    ApprovalRequested,
    RunFinished,
    RunStarted,
    TextDelta,
    TextEnded,
    ToolCallStarted,
    ToolResult,
)
from agent.offline import OfflineModel
from agent.service import Assistant
from agent.settings import AgentSettings
from tests.fakes import rig
from tuner.service import Tuner
from tuner.settings import Settings

TUNE = "tune the demo model for throughput with ttft p90 under 0.5 s over max-num-seqs 4, 16, 64"


async def test_text_is_streamed_in_words_and_arguments_in_pieces() -> None:
    pieces = [piece async for piece in OfflineModel().astream([HumanMessage(TUNE)])]
    whole = pieces[0]
    for piece in pieces[1:]:
        whole += piece
    assert isinstance(whole, AIMessageChunk)
    assert whole.text.startswith("My plan: tune the model demo")
    assert sum(bool(piece.text) for piece in pieces) == len(whole.text.split())
    assert sum(bool(piece.tool_call_chunks) for piece in pieces if isinstance(piece, AIMessageChunk)) > 2
    assert [call["name"] for call in whole.tool_calls] == ["create_task"]
    assert whole.tool_calls[0]["args"]["task"]["parameters"]["max-num-seqs"] == [4, 16, 64]


async def test_asked_at_once_it_says_the_same_as_in_pieces() -> None:
    streamed = "".join([piece.text async for piece in OfflineModel().astream([HumanMessage("help")])])
    assert OfflineModel().invoke([HumanMessage("help")]).text == streamed
    assert (await OfflineModel().ainvoke([HumanMessage("help")])).text == streamed


async def test_every_call_has_an_id_of_its_own() -> None:
    asked = [HumanMessage("status of 3f2a9c10")]
    ids = {(await OfflineModel().ainvoke(asked)).tool_calls[0]["id"] for _ in range(3)}
    assert len(ids) == 3


async def test_a_tool_that_is_not_offered_is_not_called() -> None:
    @tool
    def get_task(task: str) -> str:
        """A task."""
        return task

    model = OfflineModel().bind_tools([get_task])
    assert (await model.ainvoke([HumanMessage("status of x")])).tool_calls
    refused = await model.ainvoke([HumanMessage("cancel x")])
    assert not refused.tool_calls
    assert "`cancel_task`, which is not available" in refused.text


def ended(facts: str) -> HumanMessage:
    values = {"task_id": "3f2a9c10", "task_name": "demo throughput", "state": "completed"}
    return HumanMessage(prompts.render("task_ended", **values, facts=facts))


async def test_the_end_of_a_task_is_reported_with_its_facts_and_nothing_else() -> None:
    said = await OfflineModel().ainvoke([ended("- Verdict: proven.\n- Winner: experiment 4, 409 tok/s")])
    assert not said.tool_calls
    assert said.text == (
        'Task 3f2a9c10 "demo throughput" has ended: completed.\n\n- Verdict: proven.\n- Winner: experiment 4, 409 tok/s'
    )


async def test_after_that_report_it_is_the_task_spoken_of() -> None:
    history = [ended("- Verdict: proven."), AIMessage("Task 3f2a9c10 has ended."), HumanMessage("why?")]
    assert (await OfflineModel().ainvoke(history)).tool_calls[0]["args"] == {"task": "3f2a9c10"}


WORDS = (
    "tune demo on vllm for throughput with ttft p90 under 0.5 s ms over max-num-seqs 4 , 16 to .. - 1e999 "
    "9999999999999999 ⟨ \" ' ; and preset scenario D(1,2) at concurrency 0 within minutes logs experiment compare "
    "status save it as search issues download a/b flags of plot cancel start report comment on issue 1 : --x = [ ] "
    "True VLLM_A_B {}"
)
ODD = st.one_of(
    st.text(max_size=300),
    st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")),
    st.lists(st.sampled_from(WORDS.split()), max_size=40).map(" ".join),
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    ODD,
    st.sampled_from(["", "{}", "null", "[]", '{"id": 5, "tasks": 3, "best": [1]}', "no JSON", '{"tasks": [{}]}']),
    st.booleans(),
)
def test_no_text_and_no_answer_is_too_odd(text: str, content: str, failed: bool) -> None:
    """Every answer is given, too, and then the next, until the turn is over."""
    history: list[BaseMessage] = [HumanMessage(text)]
    for _ in range(6):
        said = OfflineModel().invoke(history)
        assert said.text or said.tool_calls
        if not said.tool_calls:
            return
        json.dumps(said.tool_calls[0]["args"], allow_nan=False)
        status = "error" if failed else "success"
        history += [said, ToolMessage(content, tool_call_id=said.tool_calls[0]["id"], status=status)]
    raise AssertionError(f"a turn without an end: {text!r}")


@pytest.mark.parametrize(
    "text",
    [
        "tune " * 200_000,
        "x" * 1_000_000,
        "compare " + "1 " * 500_000,
        "ä\x00\ud800" * 300_000,
        "ttft p90 under " * 60_000,
        " " * 1_000_000,
    ],
    ids=["tune", "x", "compare", "binary", "ttft", "blank"],
)
def test_a_megabyte_is_answered_like_any_other_text(text: str) -> None:
    assert len(OfflineModel().invoke([HumanMessage(text)]).text) < 20_000


async def test_a_turn_that_was_broken_off_is_not_guessed_at() -> None:
    other = AIMessage("", tool_calls=[{"name": "delete_task", "args": {}, "id": "1"}])
    said = await OfflineModel().ainvoke([HumanMessage("status of x"), other, ToolMessage("{}", tool_call_id="1")])
    assert not said.tool_calls
    assert "interrupted" in said.text


@wrap_tool_call
async def errors(request: Any, handler: Any) -> Any:
    try:
        return await handler(request)
    except ValueError as error:
        return ToolMessage(str(error), tool_call_id=request.tool_call["id"], status="error")


async def test_the_main_job_is_done_in_plain_words_by_the_agent() -> None:
    """Against small stand-ins for the tools: wish, task, start, progress, result."""
    ran: list[tuple[str, dict[str, Any]]] = []

    @tool
    async def create_task(task: dict[str, Any]) -> str:
        """Writes a task down."""
        ran.append(("create_task", task))
        plan = {
            "experiments": 8,
            "candidates": 3,
            "baseline": True,
            "confirmations": 4,
            "confirming": "about 4 confirmations",
            "gpus": 0,
            "at_most": "40 min 0 s",
        }
        return json.dumps({"id": "3f2a9c10", "name": task["task_name"], "state": "created", "plan": plan})

    @tool
    async def start_task(task: str) -> str:
        """Starts a task."""
        ran.append(("start_task", {"task": task}))
        return json.dumps(
            {"id": task, "name": "demo throughput", "state": "queued", "note": "A worker takes it up at once."}
        )

    @tool
    async def get_task(task: str) -> str:
        """A task."""
        if len([one for one in ran if one[0] == "get_task"]) > 1:
            raise ValueError("The database is locked; try again.")
        ran.append(("get_task", {"task": task}))
        progress = {"done": 3, "at_most": 8, "mean_experiment": "41.0 s", "guessed_left": "3 min 25 s"}
        facts = {"id": task, "name": "demo throughput", "state": "running", "engine": "vllm", "model": "demo"}
        return json.dumps(
            {**facts, "objectives": ["maximize output tokens/s"], "slos": [], "failed": {}, "progress": progress}
        )

    agent = create_agent(
        OfflineModel(), [create_task, start_task, get_task], middleware=[errors], checkpointer=InMemorySaver()
    )

    async def say(text: str) -> list[BaseMessage]:
        state = await agent.ainvoke({"messages": [HumanMessage(text)]}, {"configurable": {"thread_id": "1"}})
        messages: list[BaseMessage] = state["messages"]
        return messages

    told = [one.text for one in await say(TUNE) if isinstance(one, AIMessage)]
    assert [name for name, _ in ran] == ["create_task", "start_task"]
    assert ran[1][1] == {"task": "3f2a9c10"}
    assert "p90 ttft at most 500 ms" in told[0]
    assert "at most 8 experiments (3 candidates, the baseline; then about 4 confirmations)" in told[1]
    assert "no GPU; at most 40 min 0 s" in told[1]
    assert "Task 3f2a9c10 “demo throughput” is queued. A worker takes it up at once." in told[2]
    progress = (await say("how is it going?"))[-1].text
    assert "3 of at most 8 experiments are done at 41.0 s each, about 3 min 25 s left." in progress
    await say("status")
    failed = (await say("status"))[-1].text
    assert "The database is locked; try again." in failed


@pytest.fixture
async def tuner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tuner]:
    rig.install(monkeypatch)
    async with Tuner.open(Settings(home=tmp_path / "home")) as tuner:
        yield tuner


class Person:
    """Talks to the real assistant, and decides what it asks for."""

    def __init__(self, assistant: Assistant, session_id: str) -> None:
        self.assistant, self.session_id = assistant, session_id
        self.asked: list[Approval] = []

    async def told(self) -> str:
        """What the assistant says by itself, the next time."""
        mine, said = False, ""
        async with aclosing(self.assistant.events(self.session_id)) as events:
            async for event in events:
                match event.payload:
                    case RunStarted(trigger="task_ended"):
                        mine = True
                    case TextDelta(text=piece) if mine:
                        said += piece
                    case RunFinished() if mine:
                        return said
        raise AssertionError("the session has ended")

    async def say(self, text: str, decide: Approve | Reject | None = None) -> tuple[str, list[str]]:
        """What was answered, and which tools were called."""
        run_id: str | None = await self.assistant.send(self.session_id, text)
        said, called = "", []
        while run_id is not None:
            waiting: list[Approval] = []
            async with aclosing(self.assistant.run_events(run_id)) as events:
                async for event in events:
                    match event.payload:
                        case TextDelta(text=piece):
                            said += piece
                        case TextEnded():
                            said += "\n"
                        case ToolCallStarted(tool=name):
                            called.append(name)
                        case ToolResult(failed=True, content=content):
                            called.append(f"failed: {content}")
                        case ApprovalRequested(approval=approval):
                            waiting.append(approval)
            self.asked += waiting
            if not waiting:
                return said, called
            assert decide is not None, f"nobody expected to be asked about {waiting[0].tool}"
            run_id = await self.assistant.decide(self.session_id, {one.id: decide for one in waiting}, who="test")
        return said, called


async def test_the_main_job_is_done_with_the_real_tools_approvals_and_streams(tuner: Tuner, tmp_path: Path) -> None:
    made = rig.spec(task_name="rigged", optimization={"max_iterations": 4, "confirm": 2},
                    slo={"ttft": {"p90": {"threshold": 0.5, "hard_fail": True}}})  # fmt: skip
    task = await tuner.create(made)
    options = tools.ToolSettings()
    async with Assistant.open(tuner, AgentSettings(), options) as assistant:
        assert (assistant.model, assistant.offline) == ("offline", True)
        person = Person(assistant, (await assistant.create_session()).id)
        said, called = await person.say(
            "tune org/model on sglang for throughput over max-num-seqs 4, 8 but don't start it"
        )
        assert called[0] == "create_task"
        assert "is written down" in said
        said, called = await person.say("status of rigged")
        assert (called, "A draft" in said) == (["get_task"], True)
        said, called = await person.say("start it", Reject(reason="not at night"))
        assert (await tuner.task(task.id)).state == "created"
        assert "You rejected it: “not at night”" in said
        said, called = await person.say("start it", Approve())
        assert (await tuner.task(task.id)).state == "queued"
        assert f"Task {task.id} “rigged” is queued." in said
        assert person.asked[-1].args == {"task": task.id}
        await tuner.run(task.id)
        told = await person.told()
        assert f'Task {task.id} "rigged" has ended: completed.' in told
        assert "experiment 4, speed=4: 800 output tokens/s" in told
        for wish, tool_name, part in (
            ("what came out?", "explain_result", "Proven: experiment 4"),
            ("compare the best with the baseline", "compare_experiments", "| **speed** | 4 | default |"),
            (
                "list experiments",
                "list_experiments",
                "| 4 | speed 4 | 800 output tokens/s | 420 % more output tokens/s (+420 % to +420 %) |",
            ),
            ("experiment 3", "get_experiment", "400 output tokens/s at D(64,16) × 8"),
            ("logs of experiment 1", "get_experiment_logs", "started"),
            ("status", "get_task", "fake --port 8000 --speed 4"),
            ("compare 0 and 99", "compare_experiments", "no experiment 99"),
        ):
            said, called = await person.say(wish)
            assert tool_name in called, wish
            assert part in said, wish
