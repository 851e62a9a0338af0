from typing import Any

import pytest
from ag_ui.core import BaseEvent

from agent.domain import ApprovalState
from agent.events.types import (
    BETWEEN,
    ApprovalDecided,
    ApprovalRequested,
    HistoryCut,
    Payload,
    RunFailed,
    RunFinished,
    TextDelta,
    TextStarted,
    ToolCallArgs,
    ToolCallEnded,
    ToolCallStarted,
    ToolProgress,
    ToolResult,
    Usage,
    UserMessage,
)
from api.encoder import Encoder
from api.interrupts import RESPONSE_SCHEMA, InterruptAnswer
from tests.fakes.conversation import AT, SESSION, STARTED, approval, events, said, turn


def encoded(*payloads: Payload, encoder: Encoder | None = None) -> list[dict[str, Any]]:
    encoder = encoder or Encoder()
    return [_json(one) for event in events(*payloads) for one in encoder.encode(event)]


def _json(event: BaseEvent) -> dict[str, Any]:
    plain: dict[str, Any] = event.model_dump(mode="json", by_alias=True)
    assert plain.pop("timestamp") == AT.timestamp() * 1000
    return plain


def kinds(told: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in told]


def call(name: str = "c1") -> list[Payload]:
    return [
        ToolCallStarted(call_id=name, tool="list_tasks", message_id="m1"),
        ToolCallArgs(call_id=name, delta='{"limit"'),
        ToolCallArgs(call_id=name, delta=": 3}"),
        ToolCallEnded(call_id=name),
    ]


def test_a_turn_is_a_run_with_the_question_and_the_answer() -> None:
    assert encoded(*turn("Which?", "This ", "one.")) == [
        {
            "type": "RUN_STARTED",
            "threadId": SESSION,
            "runId": "run",
            "protocolVersion": "1.0",
            "metadata": {"trigger": "message", "model": "offline"},
        },
        {"type": "TEXT_MESSAGE_START", "messageId": "m1-asked", "role": "user"},
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": "m1-asked", "delta": "Which?"},
        {"type": "TEXT_MESSAGE_END", "messageId": "m1-asked"},
        {"type": "TEXT_MESSAGE_START", "messageId": "m1", "role": "assistant"},
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": "m1", "delta": "This "},
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": "m1", "delta": "one."},
        {"type": "TEXT_MESSAGE_END", "messageId": "m1"},
        {"type": "RUN_FINISHED", "threadId": SESSION, "runId": "run", "outcome": {"type": "success"}},
    ]


def test_who_wrote_a_message_gets_its_id_and_not_the_message_again() -> None:
    told = encoded(UserMessage(message_id="u1", text="Which?"), encoder=Encoder(echo=False))
    assert told == [{"type": "CUSTOM", "name": "user_message", "value": {"messageId": "u1", "text": "Which?"}}]


def test_a_tool_call_is_told_with_its_arguments_progress_and_result() -> None:
    progress = ToolProgress(call_id="c1", data={"done": 1, "total": 2, "unit": "bytes"})
    told = encoded(*call(), progress, ToolResult(call_id="c1", tool="list_tasks", content="[]"))
    assert told == [
        {"type": "TOOL_CALL_START", "toolCallId": "c1", "toolCallName": "list_tasks", "parentMessageId": "m1"},
        {"type": "TOOL_CALL_ARGS", "toolCallId": "c1", "delta": '{"limit"'},
        {"type": "TOOL_CALL_ARGS", "toolCallId": "c1", "delta": ": 3}"},
        {"type": "TOOL_CALL_END", "toolCallId": "c1"},
        {
            "type": "CUSTOM",
            "name": "tool_progress",
            "value": {"toolCallId": "c1", "data": {"done": 1, "total": 2, "unit": "bytes"}},
        },
        {
            "type": "TOOL_CALL_RESULT",
            "messageId": "c1-result",
            "toolCallId": "c1",
            "content": "[]",
            "role": "tool",
        },
    ]


def test_a_failed_call_says_so() -> None:
    told = encoded(ToolResult(call_id="c1", tool="get_task", content="No task 'x'.", failed=True))
    assert told[0]["metadata"] == {"failed": True}


def test_a_result_before_the_call_is_written_out_ends_the_call_first() -> None:
    told = encoded(call()[0], ToolResult(call_id="c1", tool="list_tasks", content="[]"), ToolCallEnded(call_id="c1"))
    assert kinds(told) == ["TOOL_CALL_START", "TOOL_CALL_END", "TOOL_CALL_RESULT"]


def test_tokens_are_counted_for_the_message_that_took_them() -> None:
    told = encoded(Usage(message_id="m1", input_tokens=10, output_tokens=3))
    value = {"messageId": "m1", "inputTokens": 10, "outputTokens": 3}
    assert told == [{"type": "CUSTOM", "name": "usage", "value": value}]


def test_a_cut_of_the_history_is_told() -> None:
    told = encoded(HistoryCut(message_id="u1"))
    assert told == [{"type": "CUSTOM", "name": "history_cut", "value": {"messageId": "u1"}}]


@pytest.mark.parametrize("end", [RunFinished(outcome="cancelled"), RunFailed(message="Stopped.", error_id="e1")])
def test_nothing_stays_open_when_a_turn_stops_in_the_middle(end: Payload) -> None:
    text: list[Payload] = [TextStarted(message_id="m1"), TextDelta(message_id="m1", text="I sha")]
    told = encoded(STARTED, *text, *call("done"), call("half")[0], end)
    assert kinds(told)[-3:-1] == ["TEXT_MESSAGE_END", "TOOL_CALL_END"]
    assert told[-3]["messageId"] == "m1"
    assert told[-2]["toolCallId"] == "half"


def test_a_failure_is_told_with_its_id_and_closes_the_run() -> None:
    told = encoded(STARTED, RunFailed(message="The model did not answer.", error_id="e1"))
    assert told[1:] == [{"type": "RUN_ERROR", "message": "The model did not answer.", "code": "e1"}]


def test_a_cancelled_run_says_so_to_clients_that_know_the_word() -> None:
    cancelled = RunFinished(outcome="cancelled")
    assert encoded(cancelled)[0]["outcome"] == {"type": "cancelled"}
    assert "outcome" not in encoded(cancelled, encoder=Encoder(versioned=False))[0]


def test_older_clients_get_neither_version_nor_outcome() -> None:
    told = encoded(STARTED, RunFinished(outcome="done"), encoder=Encoder(versioned=False))
    assert "protocolVersion" not in told[0]
    assert "outcome" not in told[1]


@pytest.mark.parametrize("versioned", [True, False])
def test_open_approvals_end_the_run_as_interrupts(versioned: bool) -> None:
    asked = [ApprovalRequested(approval=approval("a" * 32)), ApprovalRequested(approval=approval("b" * 32, call="c2"))]
    told = encoded(STARTED, *asked, RunFinished(outcome="approvals"), encoder=Encoder(versioned=versioned))
    assert [event["name"] for event in told[1:3]] == ["approval_requested"] * 2
    first, second = told[-1]["outcome"]["interrupts"]
    assert first == {
        "id": "a" * 32,
        "reason": "tool_call",
        "message": "start_task waits for approval.",
        "toolCallId": "c1",
        "responseSchema": RESPONSE_SCHEMA,
        "expiresAt": "2026-11-21T11:00:00+00:00",
        "metadata": {
            "tool": "start_task",
            "args": {"task": "0123abcd"},
            "argsSchema": {"type": "object"},
            "digest": "d" * 64,
            "preview": {"experiments": 3},
        },
    }
    assert (second["id"], second["toolCallId"]) == ("b" * 32, "c2")


def test_an_approval_that_was_decided_meanwhile_is_not_asked_for() -> None:
    decided = ApprovalDecided(approval=approval("b" * 32, state=ApprovalState.EXPIRED))
    asked = [ApprovalRequested(approval=approval(name * 32)) for name in "ab"]
    told = encoded(*asked, decided, RunFinished(outcome="approvals"))
    assert [one["id"] for one in told[-1]["outcome"]["interrupts"]] == ["a" * 32]


def test_what_happens_between_two_runs_is_a_run_that_asks_for_what_is_still_open() -> None:
    encoder = Encoder()
    asked = [ApprovalRequested(approval=approval(name * 32)) for name in "ab"]
    encoded(STARTED, *asked, RunFinished(outcome="approvals"), encoder=encoder)
    decided = [ApprovalDecided(approval=approval(name * 32, state=ApprovalState.APPROVED)) for name in "ab"]
    between = [[_json(one) for one in encoder.encode(event)] for event in events(*decided, run=BETWEEN, after=4)]
    assert [kinds(told) for told in between] == [["RUN_STARTED", "CUSTOM", "RUN_FINISHED"]] * 2
    assert [told[0]["runId"] for told in between] == ["between-5", "between-6"]
    assert [one["id"] for one in between[0][-1]["outcome"]["interrupts"]] == ["b" * 32]
    assert between[1][-1]["outcome"] == {"type": "success"}


def test_a_later_run_of_the_same_stream_starts_with_nothing_open() -> None:
    encoder = Encoder()
    encoded(ApprovalRequested(approval=approval()), RunFinished(outcome="approvals"), encoder=encoder)
    told = encoded(STARTED, *said("So."), RunFinished(outcome="done"), encoder=encoder)
    assert told[-1]["outcome"] == {"type": "success"}


def test_the_schema_that_clients_see_is_the_one_that_answers_are_held_to() -> None:
    properties = RESPONSE_SCHEMA["properties"]
    assert isinstance(properties, dict)
    assert list(properties) == list(InterruptAnswer.model_json_schema()["properties"])
    assert RESPONSE_SCHEMA["required"] == InterruptAnswer.model_json_schema()["required"]
    assert "oneOf" not in str(RESPONSE_SCHEMA)
    assert "$ref" not in str(RESPONSE_SCHEMA)
