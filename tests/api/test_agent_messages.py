from ag_ui.core import AssistantMessage, ToolMessage
from ag_ui.core import UserMessage as UserSays

from agent.events.types import (
    HistoryCut,
    Payload,
    TextDelta,
    TextStarted,
    ToolCallArgs,
    ToolCallStarted,
    ToolResult,
    UserMessage,
)
from api.messages import conversation
from tests.fakes.conversation import STARTED, events, turn


def test_a_conversation_holds_who_said_what_in_order() -> None:
    told = conversation(events(*turn("One?", "It is ", "one."), *turn("Two?", "Two.", message="m2")))
    assert [(message.role, message.content) for message in told.messages] == [
        ("user", "One?"),
        ("assistant", "It is one."),
        ("user", "Two?"),
        ("assistant", "Two."),
    ]


def test_tool_calls_stand_with_the_message_that_made_them_and_their_results_after_it() -> None:
    asked = ToolCallStarted(call_id="c1", tool="get_task", message_id="m1")
    args = [ToolCallArgs(call_id="c1", delta=piece) for piece in ('{"task"', ': "x"}')]
    alone = ToolCallStarted(call_id="c2", tool="list_tasks")
    failed = ToolResult(call_id="c1", tool="get_task", content="No task 'x'.", failed=True)
    saying, call, result = conversation(events(TextStarted(message_id="m1"), asked, *args, alone, failed)).messages
    assert isinstance(saying, AssistantMessage)
    assert [(one.function.name, one.function.arguments) for one in saying.tool_calls or []] == [
        ("get_task", '{"task": "x"}')
    ]
    assert isinstance(call, AssistantMessage)
    assert [one.function.name for one in call.tool_calls or []] == ["list_tasks"]
    assert isinstance(result, ToolMessage)
    assert (result.tool_call_id, result.content, result.error) == ("c1", "No task 'x'.", "No task 'x'.")


def test_a_message_that_is_said_anew_takes_the_place_of_itself_and_all_after_it() -> None:
    earlier = [*turn("One?", "One."), *turn("Two?", "Two.", message="m2")]
    anew: list[Payload] = [STARTED, HistoryCut(message_id="m2-asked"), UserMessage(message_id="u3", text="Three?")]
    told = conversation(events(*earlier, *anew))
    assert [message.content for message in told.messages] == ["One?", "One.", "Three?"]
    assert isinstance(told.messages[-1], UserSays)


def test_it_says_where_the_stream_goes_on_and_what_runs() -> None:
    assert conversation([]).last_event_id is None
    going = events(STARTED, TextStarted(message_id="m1"), TextDelta(message_id="m1", text="half"), run="now")
    assert (conversation(going).last_event_id, conversation(going).running) == ("now:6", "now")
    assert conversation(events(*turn("One?", "One."))).running is None
