"""What the approval middleware lets through, what it asks about, and what the model hears when something goes wrong."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import ToolMessage

from agent.approvals.policy import PolicyDecision
from agent.approvals.sequence import error_text
from agent.domain import Approve, Reject
from tests.fakes.gated import Toolbox, Where, config_of, gated
from tests.fakes.scripted_model import Call, Say
from tuner.errors import TunerError

LAUNCH = Say(calls=[Call("launch", {"task": "x"})])
DONE = Say("done")
SCRIPT = (LAUNCH, DONE)


async def test_what_is_not_privileged_runs_at_once_and_leaves_no_trace_in_the_audit_log(tmp_path: Path) -> None:
    async with gated(tmp_path, [Say(calls=[Call("look")]), DONE]) as gate:
        [answer] = await gate.send()
        assert (answer.content, answer.status) == ('{"said":"all is fine"}', "success")
        assert await gate.actions() == []


async def test_a_privileged_call_is_shown_as_it_will_run_before_it_does(tmp_path: Path) -> None:
    async with gated(tmp_path, SCRIPT) as gate:
        assert await gate.send() == []
        approval = await gate.approval()
        assert (approval.tool, approval.args) == ("launch", {"task": "x", "gpus": 1, "tags": None})
        assert (approval.run_id, approval.call_id) == ("run-aaaa", "call_1")
        assert approval.preview == {"said": "would start x on 1", "fingerprint": "a plan"}
        assert approval.args_schema["properties"].keys() == {"task", "gpus", "tags"}
        await gate.ledger.decide(gate.session_id, approval.id, Approve(), "ann")
        await gate.resume()
        assert gate.toolbox.ran == [("launch", approval.args)]
        assert gate.toolbox.previews == 2, "shown, and compared before it ran"
        assert await gate.actions() == ["proposed", "approved", "started", "finished"]


async def test_arguments_that_do_not_fit_are_told_to_the_model_and_propose_nothing(tmp_path: Path) -> None:
    wrong = Say(calls=[Call("launch", {"task": "x", "gpu": 2}), Call("launch", {"task": "x", "gpus": 99})])
    async with gated(tmp_path, [wrong, LAUNCH]) as gate:
        answers = await gate.send()
        assert [answer.status for answer in answers] == ["error", "error"]
        assert "no such argument; there are task, gpus, tags; did you mean 'gpus'?" in str(answers[0].content)
        assert "gpus: must be at most 8, not 99" in str(answers[1].content)
        assert (await gate.approval()).call_id == "call_3"


async def test_an_unknown_tool_is_told_to_the_model(tmp_path: Path) -> None:
    async with gated(tmp_path, [Say(calls=[Call("explode", {"now": True})]), DONE]) as gate:
        [answer] = await gate.send()
        assert answer.status == "error"
        assert "explode is not a valid tool, try one of [launch, remove, look, read_log]" in str(answer.content)


async def test_the_model_hears_why_a_call_was_rejected(tmp_path: Path) -> None:
    async with gated(tmp_path, SCRIPT) as gate:
        await gate.send()
        await gate.ledger.decide(gate.session_id, (await gate.approval()).id, Reject(reason="wait for Monday"), "ann")
        [answer] = await gate.resume()
        assert "says: wait for Monday" in str(answer.content)
        heard = [message for message in gate.model.asked[-1] if isinstance(message, ToolMessage)]
        assert [message.content for message in heard] == [answer.content]


async def test_without_an_approver_what_would_ask_is_denied_for_good(tmp_path: Path) -> None:
    async with gated(tmp_path, SCRIPT, interactive=False) as gate:
        [answer] = await gate.send()
        assert "launch is privileged. Nobody is here to approve it: no approver, no run." in str(answer.content)
        assert (gate.toolbox.ran, await gate.ledger.open_approvals()) == ([], [])
        assert await gate.actions() == ["denied"]


async def test_without_an_approver_what_the_policy_allows_runs(tmp_path: Path) -> None:
    async with gated(tmp_path, SCRIPT, interactive=False, policy="allow: [launch]") as gate:
        [answer] = await gate.send()
        assert answer.content == '{"said":"x on 1"}'
        assert await gate.actions() == ["auto_approved", "started", "finished"]


async def test_the_policy_may_deny_and_ask_about_tools_that_are_not_privileged(tmp_path: Path) -> None:
    policy = "deny: [{tool: look, args: {task: 'secret*'}, reason: Not for models}]\nask: [look]"
    script = [Say(calls=[Call("look", {"task": "secret one"}), Call("look", {"task": "x"})]), DONE]
    async with gated(tmp_path, script, policy=policy) as gate:
        await gate.send()
        approval = await gate.approval()
        assert (approval.tool, approval.args) == ("look", {"task": "x"})
        await gate.ledger.decide(gate.session_id, approval.id, Approve(), "ann")
        answers = await gate.resume()
        assert "the policy denies look with these arguments: Not for models." in str(answers[0].content)
        assert (answers[1].content, gate.toolbox.ran) == ('{"said":"x is fine"}', [("look", {"task": "x"})])


async def test_what_is_not_privileged_stays_rejected_when_its_rule_is_gone(tmp_path: Path) -> None:
    async with gated(tmp_path, [Say(calls=[Call("look")]), DONE], policy="ask: [look]") as gate:
        await gate.send()
        await gate.ledger.decide(gate.session_id, (await gate.approval()).id, Reject(), "ann")
        (tmp_path / "policy.yaml").unlink()
        [answer] = await gate.resume()
        assert (answer.status, gate.toolbox.ran) == ("error", [])


async def test_a_policy_that_cannot_be_read_asks_about_everything_and_says_so(tmp_path: Path) -> None:
    script = [Say(calls=[Call("look")]), DONE, LAUNCH]
    async with gated(tmp_path, script, policy="deny: [lanch]") as gate:
        await gate.send()
        approval = await gate.approval()
        assert approval.tool == "look"
        verdict = await gate.ledger.policy_decision(gate.session_id, approval.call_id, "look", approval.args)
        assert verdict is not None
        assert "no tool 'lanch'" in verdict.reason
        assert "did you mean 'launch'?" in verdict.reason


async def test_text_from_outside_taints_the_session_and_then_nothing_is_approved_ahead(tmp_path: Path) -> None:
    script = [Say(calls=[Call("read_log", {"task": "x"})]), Say(calls=[Call("remove", {"task": "all"})]), DONE]
    async with gated(tmp_path, script, policy="allow: [remove]") as gate:
        assert not await gate.ledger.tainted(gate.session_id)
        [answer] = await gate.send()
        assert answer.name == "read_log"
        assert await gate.ledger.tainted(gate.session_id)
        assert (await gate.approval()).tool == "remove"
        assert gate.toolbox.count("remove") == 0


async def test_a_rule_may_allow_also_after_text_from_outside(tmp_path: Path) -> None:
    script = [Say(calls=[Call("read_log", {"task": "x"})]), Say(calls=[Call("remove", {"task": "x"})]), DONE]
    policy = "allow: [{tool: remove, args: {task: x}, after_untrusted: true}]"
    async with gated(tmp_path, script, policy=policy) as gate:
        await gate.send()
        assert gate.toolbox.count("remove") == 1


async def test_a_grant_approves_later_calls_and_a_revoked_one_does_not(tmp_path: Path) -> None:
    script = [*[Say(calls=[Call("launch", {"task": f"demo-{n}"})]) for n in range(3)], DONE]
    async with gated(tmp_path, script) as gate:
        await gate.send()
        decision = Approve(for_session=True, pattern={"task": "demo-*"})
        await gate.ledger.decide(gate.session_id, (await gate.approval()).id, decision, "ann")
        [grant] = await gate.ledger.grants(gate.session_id)
        gate.model.script.insert(1, DONE)
        await gate.resume()
        assert [args["task"] for _, args in gate.toolbox.ran] == ["demo-0", "demo-1"]
        assert (await gate.actions())[-4:] == ["proposed", "auto_approved", "started", "finished"]
        await gate.ledger.revoke(gate.session_id, grant.id)
        await gate.send("again")
        assert (await gate.approval()).args["task"] == "demo-2"
        assert gate.toolbox.count("launch") == 2


async def test_a_grant_is_not_honoured_once_text_from_outside_has_entered(tmp_path: Path) -> None:
    script = [LAUNCH, Say(calls=[Call("read_log", {"task": "x"})]), LAUNCH, DONE]
    async with gated(tmp_path, script) as gate:
        await gate.send()
        await gate.ledger.decide(gate.session_id, (await gate.approval()).id, Approve(for_session=True), "ann")
        await gate.resume()
        assert (await gate.approval()).call_id == "call_3"
        assert gate.toolbox.count("launch") == 1


async def test_a_privileged_call_outside_of_a_session_does_not_run(tmp_path: Path) -> None:
    async with gated(tmp_path, [LAUNCH, DONE, Say(calls=[Call("look")]), DONE]) as gate:
        for expected in ("launch belongs to a session", '{"said":"all is fine"}'):
            given = {"messages": [("user", "go")]}
            result = await gate.graph.ainvoke(given, config_of("0" * 32), context=Where(None))
            answers = [message for message in result["messages"] if isinstance(message, ToolMessage)]
            assert str(answers[-1].content).startswith(expected)
        assert gate.toolbox.count("launch") == 0


async def test_a_privileged_call_with_an_id_that_cannot_be_kept_does_not_run(tmp_path: Path) -> None:
    async with gated(tmp_path, [Say(calls=[Call("launch", {"task": "x"}, id="c" * 129)]), DONE]) as gate:
        [answer] = await gate.send()
        assert "needs an id of 1 to 128 characters, and this one has 129" in str(answer.content)
        assert (gate.toolbox.ran, await gate.ledger.open_approvals()) == ([], [])


async def test_an_unexpected_error_of_a_tool_is_a_number_to_the_model_and_a_trace_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Toolbox):
        async def preview(self, name: str, args: Any, context: Any) -> Any:
            raise ZeroDivisionError("inner workings")

    async with gated(tmp_path, SCRIPT, toolbox=Broken()) as gate:
        with caplog.at_level(logging.ERROR, logger="agent"):
            [answer] = await gate.send()
        assert "launch failed unexpectedly. The error has the id" in str(answer.content)
        assert "inner workings" not in str(answer.content)
        [record] = caplog.records
        assert str(record.args[0]) in str(answer.content)  # type: ignore[index]
        assert "inner workings" in caplog.text


def test_an_error_that_holds_a_secret_is_told_without_it() -> None:
    told = error_text(
        "launch", TunerError("401 for https://ann:pa55word@hub with hunter2-hunter2"), ("hunter2-hunter2",)
    )
    assert "pa55word" not in told
    assert "hunter2" not in told
    assert told.startswith("401 for https://")


async def test_the_note_about_edited_arguments_keeps_the_answer_json(tmp_path: Path) -> None:
    async with gated(tmp_path, SCRIPT) as gate:
        await gate.send()
        decision = Approve(args={"task": "x", "gpus": 2})
        await gate.ledger.decide(gate.session_id, (await gate.approval()).id, decision, "ann")
        [answer] = await gate.resume()
        assert json.loads(str(answer.content))["said"] == "x on 2"
        [heard] = [message for message in gate.model.asked[-1] if isinstance(message, ToolMessage)]
        assert heard.content == answer.content


async def test_the_graph_cannot_be_run_around_the_gate_synchronously(tmp_path: Path) -> None:
    async with gated(tmp_path, SCRIPT) as gate:
        graph = gate.graph.copy({"checkpointer": None})
        with pytest.raises(NotImplementedError, match="wrap_tool_call"):
            graph.invoke({"messages": [("user", "go")]}, config_of(gate.session_id), context=Where(gate.session_id))
        assert gate.toolbox.ran == []


async def test_what_the_policy_says_of_a_call_is_recorded_once(tmp_path: Path) -> None:
    async with gated(tmp_path, []) as gate:
        call = (gate.session_id, "call", "launch", {"task": "x"})
        assert await gate.ledger.policy_decision(*call) is None
        assert await gate.ledger.record_policy_decision(*call, PolicyDecision("ask", "first")) == PolicyDecision(
            "ask", "first"
        )
        assert await gate.ledger.record_policy_decision(*call, PolicyDecision("auto", "second")) == PolicyDecision(
            "ask", "first"
        )
