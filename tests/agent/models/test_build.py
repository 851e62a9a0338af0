"""The model that the settings name, against a server on loopback."""

import json
from typing import Any

import httpx
import pytest
from langchain_core.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelRateLimitError,
    ModelTimeoutError,
)
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk
from pydantic import SecretStr

from agent.models import build
from agent.offline import OfflineModel
from agent.settings import AgentSettings
from tests.fakes.model_server import MODEL, Answer, Call, ModelServer, model_server
from tuner.errors import InvalidSettingsError

TOOL = {"name": "get_task", "description": "One task.", "parameters": {"type": "object", "properties": {}}}
PROVIDERS = ["openai", "anthropic"]


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def settings(provider: str, server: ModelServer, **changes: Any) -> AgentSettings:
    values = {"llm_provider": provider, "llm_model": MODEL, "llm_base_url": server.url, "llm_timeout_s": 10.0}
    return AgentSettings(**{**values, **changes})


async def asked(settings: AgentSettings) -> AIMessageChunk:
    pieces = [piece async for piece in build.build(settings).bind_tools([TOOL]).astream("How is it going?")]
    whole = pieces[0]
    for piece in pieces[1:]:
        whole += piece  # type: ignore[assignment]
    assert isinstance(whole, AIMessageChunk)
    return whole


async def test_text_comes_in_pieces_with_the_providers_count_of_tokens(provider: str) -> None:
    with model_server(Answer("Task 3f2a9c10 runs.", usage=(12, 4))) as server:
        model = build.build(settings(provider, server)).bind_tools([TOOL])
        pieces = [piece.text async for piece in model.astream("How is it going?") if piece.text]
        assert pieces == ["Task", " 3f2a9c10", " runs."]
    with model_server(Answer("Task 3f2a9c10 runs.", usage=(12, 4))) as server:
        whole = await asked(settings(provider, server))
    assert whole.usage_metadata is not None
    assert (whole.usage_metadata["input_tokens"], whole.usage_metadata["output_tokens"]) == (12, 4)


async def test_tool_calls_are_put_together_from_their_pieces(provider: str) -> None:
    calls = [Call("get_task", {"task": "3f2a9c10"}), Call("list_tasks"), Call("get_task", "")]
    with model_server(Answer("Let me look.", calls=calls)) as server:
        whole = await asked(settings(provider, server))
    found = [(call["name"], call["args"], call["id"]) for call in whole.tool_calls]
    assert found == [
        ("get_task", {"task": "3f2a9c10"}, "call_1"), ("list_tasks", {}, "call_2"), ("get_task", {}, "call_3")
    ]  # fmt: skip


@pytest.mark.parametrize(
    "written",
    [
        '{"task": "3f2a',
        '{"task": ',
        "{",
        '{"a": [1, {"b": [',
        '{"a": "x", "b": "y\\',
        "no JSON at all",
        "[1, 2]",
        '{"a": 1}}',
    ],
)
async def test_arguments_that_are_cut_off_are_never_mended_into_another_call(provider: str, written: str) -> None:
    sound = Call("list_tasks", {"limit": 3})
    with model_server(Answer(calls=[sound, Call("get_task", written)])) as server:
        whole = await asked(settings(provider, server))
    assert [call["name"] for call in whole.tool_calls] == ["list_tasks"]
    assert [(call["name"], call["id"]) for call in whole.invalid_tool_calls] == [("get_task", "call_2")]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer("who are you", status=401), ModelAuthenticationError),
        (Answer("too many", status=429, headers={"Retry-After": "7"}), ModelRateLimitError),
        (Answer("broken", status=500), ModelAPIError),
        (Answer("one two three", cut_after=2), ModelConnectionError),
        (Answer(calls=[Call("get_task", {"task": "3f2a9c10"})], cut_after=3), ModelConnectionError),
        (Answer("never", wait_s=60), ModelTimeoutError),
        (Answer("one two", pause_s=60), ModelTimeoutError),
    ],
    ids=["401", "429", "500", "cut in text", "cut in a call", "silent", "silent in between"],
)
async def test_a_failure_is_one_error_whatever_the_provider_and_is_not_tried_again(
    provider: str, answer: Answer, error: type[Exception]
) -> None:
    with model_server(answer, repeat=True) as server:
        with pytest.raises(error):
            await asked(settings(provider, server, llm_timeout_s=0.2 if error is ModelTimeoutError else 10.0))
        assert len(server.requests) <= 1  # none where the silence began before it was sent


async def test_a_server_that_is_down_cannot_be_reached(provider: str) -> None:
    with model_server() as server:
        gone = settings(provider, server)
    with pytest.raises(ModelConnectionError):
        await asked(gone)


async def test_the_time_out_is_between_pieces_and_not_over_all_of_them() -> None:
    with model_server(Answer("a b c d e f g h i j", pause_s=0.15)) as server:
        whole = await asked(settings("openai", server, llm_timeout_s=1.4))
    assert whole.text == "a b c d e f g h i j"


async def test_a_megabyte_of_text_arrives_whole(provider: str) -> None:
    with model_server(Answer("ä" * 500_000, piece=50_000)) as server:
        whole = await asked(settings(provider, server))
    assert whole.text == "ä" * 500_000


def foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets what other programs of the user may have set."""
    values = {
        "OPENAI_API_KEY": "sk-of-the-user",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/elsewhere",
        "OPENAI_API_BASE": "http://127.0.0.1:9/elsewhere",
        "ANTHROPIC_API_KEY": "sk-of-the-user",
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:9/elsewhere",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "ALL_PROXY": "http://127.0.0.1:9",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)


async def test_no_variable_of_the_environment_changes_where_a_conversation_goes(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign(monkeypatch)
    with model_server(Answer("here")) as server:
        assert (await asked(settings(provider, server))).text == "here"
        headers = json.dumps(dict(server.requests[0].headers))
    assert "sk-of-the-user" not in headers


async def test_the_key_of_the_settings_is_sent(provider: str) -> None:
    with model_server(Answer("here")) as server:
        await asked(settings(provider, server, llm_api_key=SecretStr("sk-mine")))
        headers = server.requests[0].headers
    assert "sk-mine" in (headers.get("authorization", "") + headers.get("x-api-key", ""))


def test_without_a_model_the_offline_one_answers() -> None:
    assert isinstance(build.build(AgentSettings()), OfflineModel)
    assert build.label(AgentSettings()) == "offline"
    assert build.fallback(AgentSettings()) is None


def test_the_label_is_the_providers_name_of_the_model() -> None:
    assert build.label(AgentSettings(llm_model="qwen3")) == "qwen3"


async def test_the_fallback_is_another_model_at_the_same_address(provider: str) -> None:
    with model_server(Answer("from the second")) as server:
        second = build.fallback(settings(provider, server, llm_fallback_model="second"))
        assert isinstance(second, BaseChatModel)
        assert (await second.ainvoke("hi")).text == "from the second"
        assert server.requests[0].body["model"] == "second"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"llm_model": "m"}, ["'m'", "api.openai.com", "AUTOTUNER_LLM_API_KEY", "AUTOTUNER_LLM_BASE_URL"]),
        ({"llm_model": "m", "llm_provider": "anthropic"}, ["api.anthropic.com", "AUTOTUNER_LLM_API_KEY"]),
        ({"llm_model": "m", "llm_base_url": "localhost:8000"}, ["'localhost:8000'", "http://127.0.0.1:8000/v1"]),
        ({"llm_model": "m", "llm_base_url": "http://h:99999/v1"}, ["'http://h:99999/v1'"]),
        ({"llm_model": "m", "llm_base_url": "http://[::1/v1"}, ["AUTOTUNER_LLM_BASE_URL"]),
        ({"llm_model": "m", "llm_base_url": "http://h/v1/chat/completions"}, ["/chat/completions", "Leave it out"]),
        ({"llm_model": "m", "llm_base_url": "http://me:hunter2@h/v1"}, ["AUTOTUNER_LLM_API_KEY"]),
        ({"llm_model": "m", "llm_base_url": "ftp://me:hunter2@h/v1"}, ["AUTOTUNER_LLM_API_KEY"]),
    ],
)
def test_settings_that_cannot_work_are_refused_with_the_way_out(values: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(InvalidSettingsError) as refused:
        build.build(AgentSettings(**values))
    assert all(word in str(refused.value) for word in words)
    assert "hunter2" not in str(refused.value)


def test_a_fallback_of_the_offline_model_is_refused() -> None:
    with pytest.raises(InvalidSettingsError, match="AUTOTUNER_LLM_MODEL"):
        build.fallback(AgentSettings(llm_fallback_model="second"))


async def test_the_server_lists_its_model_and_streams_what_was_asked_for() -> None:
    """The stand-in itself: whoever tests against it relies on this."""
    with model_server(Answer("a b"), Answer("a b", calls=[Call("t", {"x": 1})])) as server:
        async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
            listed = (await client.get("/models")).json()
            streamed = await client.post("/chat/completions", json={"messages": [], "stream": True})
            whole = (await client.post("/chat/completions", json={"messages": []})).json()
            spent = await client.post("/chat/completions", json={"messages": []})
    assert listed["data"][0]["id"] == MODEL
    events = [line.removeprefix("data: ") for line in streamed.text.splitlines() if line]
    assert events[-1] == "[DONE]"
    assert [json.loads(event)["choices"][0]["finish_reason"] for event in events[:-1]] == [None, None, "stop"]
    assert whole["choices"][0]["message"]["tool_calls"][0]["function"] == {"name": "t", "arguments": '{"x": 1}'}
    assert spent.status_code == 500
    assert [request.path for request in server.requests] == ["/v1/chat/completions"] * 3
