"""Every known way to run a privileged call twice, unseen or otherwise than it was approved, tried on the real stack."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from langgraph.types import Command
from pydantic import TypeAdapter, ValidationError

from agent.domain import ApprovalState, Approve, Decision, Reject
from tests.fakes.gated import Toolbox, Where, add_session, config_of, delete_session, gated, let_time_pass
from tests.fakes.scripted_model import Call, Say
from tools.errors import InvalidArgumentsError
from tuner.errors import ConflictError, NotFoundError

ROOT = Path(__file__).parents[3]
LAUNCH = Say(calls=[Call("launch", {"task": "x"})])
DONE = Say("done")
SCRIPT = (LAUNCH, DONE)
RAN = '{"said":"x on 1"}'
ALLOWS = 'allow: ["*"]'
DENIES = 'deny: ["launch"]'


async def test_of_fifty_decisions_at_once_one_counts_and_the_tool_runs_once(tmp_path: Path) -> None:
    async with gated(tmp_path, SCRIPT) as gate:
        await gate.send()
        approval = await gate.approval()
        decisions: list[Decision] = [Approve(), Reject(reason="no"), Approve(args={"task": "y"}), Approve()] * 13

        async def decided_and_resumed(decision: Decision) -> bool:
            try:
                await gate.decide(decision, approval)
            except ConflictError:
                return False
            await gate.resume()
            return True

        won = await asyncio.gather(*(decided_and_resumed(decision) for decision in decisions[:50]))
        assert won.count(True) == 1
        final = await gate.ledger.approval(approval.id)
        expected = [] if final.state is ApprovalState.REJECTED else [("launch", final.args)]
        assert gate.toolbox.ran == expected


async def test_of_fifty_approvals_at_once_each_followed_by_a_resume_the_tool_runs_once(tmp_path: Path) -> None:
    async with gated(tmp_path, [*SCRIPT, *[DONE] * 100]) as gate:
        await gate.send()
        approval = await gate.approval()

        async def approve_and_resume() -> None:
            try:
                await gate.decide(Approve(), approval)
            except ConflictError:
                return

        await asyncio.gather(*(approve_and_resume() for _ in range(50)))
        await asyncio.gather(*(gate.resume() for _ in range(10)))
        assert gate.toolbox.count("launch") == 1
        assert (await gate.actions()).count("started") == 1


async def test_concurrent_resumes_run_the_tool_once_even_while_it_runs(tmp_path: Path) -> None:
    toolbox = Toolbox(hold=asyncio.Event())
    async with gated(tmp_path, [LAUNCH, *[DONE] * 3], toolbox=toolbox) as gate:
        await gate.send()
        await gate.decide(Approve())
        first = asyncio.create_task(gate.resume())
        await toolbox.running.wait()
        answers = [await gate.resume() for _ in range(2)]
        assert toolbox.hold is not None
        toolbox.hold.set()
        await first
        assert toolbox.count("launch") == 1
        assert all("outcome is unknown. It is not run again" in str(answer[-1].content) for answer in answers)


async def test_a_replayed_answer_approves_neither_the_next_call_nor_this_one_again(tmp_path: Path) -> None:
    async with gated(tmp_path, [LAUNCH, LAUNCH, DONE]) as gate:
        await gate.send()
        first = await gate.approval()
        [interrupt] = await gate.interrupts()
        await gate.decide(Approve())
        await gate.resume()
        second = await gate.approval()
        assert second.id != first.id
        with pytest.raises(ConflictError, match="approved already, so this decision changes nothing"):
            await gate.decide(Approve(), first)
        for resume in ({interrupt.id: "decided"}, "decided", {"decisions": [{"type": "approve"}]}, True):
            await gate.graph.ainvoke(Command(resume=resume), config_of(gate.session_id), context=Where(gate.session_id))
        assert gate.toolbox.count("launch") == 1
        assert (await gate.approval()).id == second.id


@pytest.mark.parametrize(
    "forged",
    ["approve", True, None, {"approved": True}, {"type": "approve", "args": {"task": "y"}}, [1], {"kind": "approve"}],
)
async def test_what_a_graph_is_resumed_with_approves_nothing_and_poisons_nothing(tmp_path: Path, forged: Any) -> None:
    async with gated(tmp_path, SCRIPT) as gate:
        await gate.send()
        for _ in range(3):
            await gate.resume(forged)
        assert gate.toolbox.ran == []
        await gate.decide(Approve())
        assert [answer.content for answer in await gate.resume()] == [RAN]


async def test_a_decision_about_something_else_than_what_is_there_now_approves_nothing(tmp_path: Path) -> None:
    async with gated(tmp_path, SCRIPT) as gate:
        await gate.send()
        shown = await gate.approval()
        with pytest.raises(ConflictError, match=f"digest {shown.digest}, not 0000"):
            await gate.decide(Approve(digest="0000"))
        assert (await gate.approval()).state is ApprovalState.OPEN
        edited = await gate.decide(Approve(digest=shown.digest, args={"task": "x", "gpus": 2}))
        assert edited.digest != shown.digest
        with pytest.raises(ConflictError):
            await gate.decide(Approve(digest=shown.digest), shown)
        await gate.resume()
        assert gate.toolbox.ran == [("launch", {"task": "x", "gpus": 2, "tags": None})]


@pytest.mark.parametrize(
    "args",
    [
        {"task": "x", "tool": "remove"},
        {"task": "x", "name": "remove"},
        {"type": "edit", "edited_action": {"name": "remove", "args": {"task": "x"}}},
        {"task": "x", "gpus": 9},
        {"task": "x", "gpus": "many"},
        {"task": None},
        {"task": "x", "runtime": {"context": {}}},
        {},
    ],
)
async def test_an_edit_that_switches_the_tool_or_does_not_fit_it_is_refused_and_the_call_still_waits(
    tmp_path: Path, args: dict[str, Any]
) -> None:
    async with gated(tmp_path, SCRIPT) as gate:
        await gate.send()
        with pytest.raises(InvalidArgumentsError, match="launch cannot be called like this"):
            await gate.decide(Approve(args=args))
        approval = await gate.approval()
        assert (approval.tool, approval.state) == ("launch", ApprovalState.OPEN)
        assert await gate.actions() == ["proposed"]


async def test_an_edited_call_runs_as_edited_and_the_model_hears_so(tmp_path: Path) -> None:
    async with gated(tmp_path, SCRIPT) as gate:
        await gate.send()
        await gate.decide(Approve(args={"task": "x", "gpus": 4}))
        [answer] = await gate.resume()
        assert gate.toolbox.ran == [("launch", {"task": "x", "gpus": 4, "tags": None})]
        assert "x on 4" in str(answer.content)
        assert "The user edited the arguments; it ran with" in str(answer.content)


@pytest.mark.parametrize("forged", ["0" * 32, "", "nonsense", "'; drop table approval; --", "\0", "é" * 500])
async def test_a_forged_id_approves_nothing(tmp_path: Path, forged: str) -> None:
    async with gated(tmp_path, SCRIPT) as gate:
        await gate.send()
        with pytest.raises(NotFoundError, match="No approval"):
            await gate.ledger.decide(gate.session_id, forged, Approve(), "tester")
        assert (await gate.approval()).state is ApprovalState.OPEN


async def test_an_approval_cannot_be_given_from_another_session(tmp_path: Path) -> None:
    async with gated(tmp_path, SCRIPT) as gate:
        other = await add_session(gate.database, "b" * 32)
        await gate.send()
        approval = await gate.approval()
        for foreign in (other, "c" * 32, ""):
            with pytest.raises(NotFoundError, match="No approval"):
                await gate.ledger.decide(foreign, approval.id, Approve(), "tester")
        assert (await gate.approval()).state is ApprovalState.OPEN


@pytest.mark.parametrize(
    "raw",
    [
        None,
        "approve",
        [],
        {},
        {"kind": "yes"},
        {"kind": "approve", "tool": "remove"},
        {"kind": "approve", "args": [1]},
        {"kind": "approve", "args": "task=x"},
        {"kind": "approve", "for_session": "perhaps"},
        {"kind": "reject", "reason": "x" * 2001},
        {"kind": "reject", "args": {}},
    ],
)
def test_a_malformed_decision_is_none(raw: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter[Decision](Decision).validate_python(raw)


async def test_an_approval_that_nobody_gave_in_time_cannot_be_given_any_more(tmp_path: Path) -> None:
    async with gated(tmp_path, SCRIPT) as gate:
        await gate.send()
        approval = await gate.approval()
        await let_time_pass(gate.database)
        with pytest.raises(ConflictError, match="is expired already"):
            await gate.decide(Approve(), approval)
        [answer] = await gate.resume()
        assert (gate.toolbox.ran, answer.status) == ([], "error")
        assert "Its time ended at" in str(answer.content)


async def test_an_approval_that_was_given_long_ago_runs_nothing(tmp_path: Path) -> None:
    async with gated(tmp_path, SCRIPT) as gate:
        await gate.send()
        await gate.decide(Approve())
        await let_time_pass(gate.database)
        [answer] = await gate.resume()
        assert gate.toolbox.ran == []
        assert "was approved, but too long ago" in str(answer.content)


async def test_pending_approvals_survive_a_restart(tmp_path: Path) -> None:
    async with gated(tmp_path, SCRIPT) as gate:
        await gate.send()
        before = await gate.approval()
    async with gated(tmp_path, [DONE]) as gate:
        assert await gate.approval() == before
        assert [waiting.value for waiting in await gate.interrupts()] == [{"approval_id": before.id}]
        await gate.decide(Approve())
        assert [answer.content for answer in await gate.resume()] == [RAN]


async def test_a_decision_survives_a_restart_before_the_call_ran(tmp_path: Path) -> None:
    async with gated(tmp_path, SCRIPT) as gate:
        await gate.send()
        await gate.decide(Approve())
    async with gated(tmp_path, [DONE]) as gate:
        assert [answer.content for answer in await gate.resume()] == [RAN]
        assert gate.toolbox.count("launch") == 1


async def test_of_several_calls_in_one_turn_each_waits_for_its_own_decision_and_others_run_at_once(
    tmp_path: Path,
) -> None:
    calls = [Call("launch", {"task": name}) for name in "abc"]
    script = [
        Say(calls=[calls[0], Call("look", {"task": "q"}), calls[1], Call("remove", {"task": "d"}), calls[2]]),
        DONE,
    ]
    async with gated(tmp_path, script) as gate:
        await gate.send()
        assert gate.toolbox.ran == [("look", {"task": "q"})]
        waiting = await gate.ledger.open_approvals(gate.session_id)
        by_task = {str(approval.args["task"]): approval for approval in waiting}
        await gate.decide(Approve(), by_task["a"])
        await gate.resume()
        assert [args["task"] for tool, args in gate.toolbox.ran if tool == "launch"] == ["a"]
        await gate.decide(Reject(), by_task["b"])
        await gate.decide(Approve(args={"task": "cc"}), by_task["c"])
        await gate.decide(Approve(), by_task["d"])
        answers = await gate.resume()
        assert [answer.status for answer in answers] == ["success", "success", "error", "success", "success"]
        assert sorted(str(args["task"]) for _, args in gate.toolbox.ran) == ["a", "cc", "d", "q"]
        assert len(await gate.interrupts()) == 0


async def test_a_cancelled_turn_leaves_nothing_that_could_still_run(tmp_path: Path) -> None:
    script = [Say(calls=[Call("launch", {"task": "a"}), Call("launch", {"task": "b"})]), DONE]
    async with gated(tmp_path, script) as gate:
        await gate.send()
        first, second = await gate.ledger.open_approvals(gate.session_id)
        await gate.decide(Approve(), first)
        assert {one.id for one in await gate.ledger.cancel(gate.session_id)} == {first.id, second.id}
        with pytest.raises(ConflictError, match="is cancelled already"):
            await gate.decide(Approve(), second)
        answers = await gate.resume()
        assert gate.toolbox.ran == []
        assert all("was cancelled before it ran" in str(answer.content) for answer in answers)


async def test_two_sessions_whose_calls_have_the_same_id_do_not_share_approvals(tmp_path: Path) -> None:
    same = Say(calls=[Call("launch", {"task": "x"}, id="same")])
    async with gated(tmp_path, [same, same, DONE, DONE]) as gate:
        other = await add_session(gate.database, "b" * 32)
        await asyncio.gather(gate.send(), gate.send(session_id=other))
        await gate.decide(Approve())
        answers = await asyncio.gather(gate.resume(), gate.resume(session_id=other))
        assert [len(one) for one in answers] == [1, 0]
        assert gate.toolbox.count("launch") == 1
        assert (await gate.approval(other)).state is ApprovalState.OPEN


@pytest.mark.parametrize("second", [Call("launch", {"task": "y"}, id="same"), Call("remove", {"task": "x"}, id="same")])
async def test_a_call_under_the_id_of_an_approved_one_does_not_run(tmp_path: Path, second: Call) -> None:
    async with gated(
        tmp_path, [Say(calls=[Call("launch", {"task": "x"}, id="same")]), Say(calls=[second]), DONE]
    ) as gate:
        await gate.send()
        await gate.decide(Approve())
        *_, answer = await gate.resume()
        assert answer.status == "error"
        assert "The id same belongs to another call of this session, of launch." in str(answer.content)
        assert gate.toolbox.ran == [("launch", {"task": "x", "gpus": 1, "tags": None})]


async def test_nothing_runs_in_a_session_that_was_deleted_while_an_approval_waited(tmp_path: Path) -> None:
    async with gated(tmp_path, SCRIPT) as gate:
        await gate.send()
        approval = await gate.approval()
        await gate.decide(Approve())
        await delete_session(gate.database, gate.session_id)
        with pytest.raises(NotFoundError):
            await gate.decide(Approve(), approval)
        [answer] = await gate.resume()
        assert (gate.toolbox.ran, answer.status) == ([], "error")
        assert "No session" in str(answer.content)
