"""What the model is shown always fits, begins with what a person said, and keeps calls and results together."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from agent.conversation.middleware.context_window import fit, tokens

TEXTS = st.integers(0, 4000).map(lambda size: "ä " * size)
TURNS = st.lists(st.tuples(TEXTS, st.lists(st.lists(TEXTS, max_size=4), max_size=4)), min_size=1, max_size=6)
"""Per turn what was said, and per step the answers of its calls."""


def conversation(turns: Sequence[tuple[str, Sequence[Sequence[str]]]]) -> list[AnyMessage]:
    made: list[AnyMessage] = []
    for said, steps in turns:
        made.append(HumanMessage(said))
        for answers in steps:
            ids = [f"c{len(made)}-{number}" for number in range(len(answers))]
            calls = [{"name": "look", "args": {}, "id": identity, "type": "tool_call"} for identity in ids]
            made.append(AIMessage("Looking.", tool_calls=calls))
            made += [ToolMessage(text, tool_call_id=identity) for identity, text in zip(ids, answers, strict=True)]
    return made


@given(TURNS, st.integers(1500, 20_000))
def test_whatever_was_said_fits_and_can_be_answered(turns: list[tuple[str, list[list[str]]]], budget: int) -> None:
    messages = conversation(turns)
    shown = fit(messages, budget)
    assert tokens(shown) <= budget
    assert isinstance(shown[0], HumanMessage)
    assert shown[-1].type == messages[-1].type
    called = {str(call["id"]) for one in shown if isinstance(one, AIMessage) for call in one.tool_calls}
    assert called == {one.tool_call_id for one in shown if isinstance(one, ToolMessage)}
    said = [one.text for one in messages if isinstance(one, HumanMessage)]
    kept = [one.text for one in shown if isinstance(one, HumanMessage)]
    assert kept[-1][:100] == said[-1][:100], "what was said last is always there"


@given(TURNS)
def test_what_fits_is_shown_as_it_is(turns: list[tuple[str, list[list[str]]]]) -> None:
    messages = conversation(turns)
    assert fit(messages, tokens(messages)) == messages


def test_arguments_longer_than_the_window_are_left_out() -> None:
    call = {"name": "create", "args": {"text": "x" * 100_000}, "id": "c", "type": "tool_call"}
    shown = fit([HumanMessage("go"), AIMessage("", tool_calls=[call]), ToolMessage("done", tool_call_id="c")], 2000)
    assert tokens(shown) <= 2000
    assert shown[1].tool_calls[0]["args"] == {"left_out": "too long"}  # type: ignore[union-attr]
