"""Secrets in every setting and in everything that an engine or a server says; then all that can be read is searched."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from pydantic import JsonValue, SecretStr

from agent.service import Assistant
from agent.settings import AgentSettings
from api.app import create_app
from api.settings import ServerSettings
from tests.fakes import rig, servers
from tests.fakes.github_server import ISSUE
from tests.fakes.http import free_port, served, server_settings
from tests.fakes.model_server import Answer, ModelServer, model_server
from tests.fakes.model_server import Call as ServerCall
from tests.fakes.obedient import obedient
from tests.fakes.scripted_model import Call, Say
from tests.fakes.web import Answer as WebAnswer
from tests.fakes.web import Request, json_answer, serving
from tests.fakes.world import World, world
from tools.settings import ToolSettings
from tuner.deploy.local import Local
from tuner.domain import Label
from tuner.errors import TunerError
from tuner.machine.processes import Identity
from tuner.service import Tuner
from tuner.settings import Settings

LLM_KEY = "sk-planted-llm-0123456789abcdef"
GITHUB = "ghp_PlantedGithubToken0123456789"
HUB = "hf_PlantedHubToken0123456789"
SERVER = "planted-server-token-0123456789"
DATABASE = "planted-database-password"
UNMARKED = "zq7-correct-horse-battery"
"""A key that no pattern recognizes: only who knows its value can remove it."""
SECRETS = (LLM_KEY, GITHUB, HUB, SERVER, DATABASE, UNMARKED)

SPILLED = (
    f"Authorization: Bearer {LLM_KEY}\nHF_TOKEN={HUB} GITHUB_TOKEN={GITHUB}\n"
    f"postgresql://tuner:{DATABASE}@db.internal/autotuner password={DATABASE}\n"
    f"401 from https://api.example/v1?api_key={UNMARKED}: wrong (token={SERVER})"
)
"""As careless programs log."""


def spilled(text: str) -> list[str]:
    """With what stands before each, so that it is found again."""
    return [text[max(0, text.index(secret) - 60) :][: 60 + len(secret)] for secret in SECRETS if secret in text]


@pytest.fixture(autouse=True)
def _tables(monkeypatch: pytest.MonkeyPatch) -> None:
    rig.install(monkeypatch)


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, "aiosqlite")  # every statement, with the rows of the database
    return caplog


@dataclass
class Service:
    there: World
    http: httpx.AsyncClient
    read: dict[str, str] = field(default_factory=dict)
    """All that was answered, headers included, by where."""

    async def get(self, path: str, method: str = "GET", **more: object) -> httpx.Response:
        answer = await self.http.request(method, path, **more)  # type: ignore[arg-type]
        self.read[f"{method} {path}"] = f"{answer.status_code} {dict(answer.headers)} {answer.text}"
        return answer


@asynccontextmanager
async def service(home: Path, model: ModelServer, outside: str) -> AsyncIterator[Service]:
    """With secrets in all of its settings."""
    agent = AgentSettings(
        _env_file=None, llm_model="scripted-model", llm_base_url=model.url, llm_api_key=SecretStr(LLM_KEY)
    )
    tools = ToolSettings(
        _env_file=None, github_repo="octocat/engine", github_url=outside, github_token=SecretStr(GITHUB),
        hf_endpoint=outside, hf_token=SecretStr(HUB),
    )  # fmt: skip
    held, port = free_port()
    async with (
        Tuner.open(Settings(_env_file=None, home=home)) as tuner,
        Assistant.open(tuner, agent, tools, secrets=(SERVER,)) as assistant,
        served(create_app(tuner, assistant, server=server_settings(port=port, token=SERVER)), held),
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {SERVER}"}, timeout=20
        ) as http,
    ):
        session = await assistant.create_session()
        victim = await tuner.create(rig.spec(task_name="victim"))
        there = World(tuner, assistant, obedient(), session.id, victim)
        yield Service(there, http)


def careless(request: Request) -> WebAnswer:
    """GitHub and the hub in one, which repeat what they were sent."""
    if "/issues/7" in request.path:
        return json_answer({**ISSUE, "title": SPILLED, "body": SPILLED})
    if request.path.startswith("/repos"):
        return json_answer({"name": "engine", "full_name": "octocat/engine", "url": "/repos/octocat/engine"})
    said = f"{dict(request.headers)} {SPILLED}".replace("\n", " ")
    return json_answer({"message": said, "error": said}, 403, X_Error_Message=said[:500])


CALLS: tuple[tuple[str, dict[str, JsonValue]], ...] = (
    ("get_experiment_logs", {}),
    ("get_task_logs", {}),
    ("get_experiment", {"experiment": 0}),
    ("explain_result", {}),
    ("draft_github_issue", {"experiment": 0}),
    ("get_github_issue", {"number": 7}),
    ("hf_model_info", {"repo": "org/model", "card": True}),
    ("search_hf_models", {"text": "model"}),
    ("hf_download", {"repo": "org/model"}),
    ("create_github_issue", {"title": "T", "body": "B"}),
)


OF_TASK = {"get_experiment_logs", "get_task_logs", "get_experiment", "explain_result", "draft_github_issue"}

PAGES = (
    "/api/agent/sessions/{session}/transcript",
    "/api/agent/sessions/{session}/messages",
    "/api/agent/sessions/{session}/events?follow=false",
    "/api/agent/approvals",
    "/api/agent/audit",
    "/api/agent/info",
    "/api/agent/policy",
    "/api/agent/sessions",
    "/api/tasks",
    "/api/tasks/{task}",
    "/api/tasks/{task}/result",
    "/api/tasks/{task}/experiments",
    "/api/tasks/{task}/experiments/0",
    "/api/tasks/{task}/report?format=html",
    "/api/tasks/{task}/report?format=json",
    "/api/tasks/{task}/report?format=csv",
    "/api/tasks/{task}/export?as=task",
    "/api/tasks/{task}/logs",
    "/api/tasks/{task}/logs?experiment=0",
    "/api/system/info",
    "/api/system/health",
    "/metrics",
    "/api/presets",
    "/api/tasks/nothing",
    "/openapi.json",
    "/docs",
)


@pytest.mark.slow
async def test_no_secret_comes_out_again(
    tmp_path: Path, everything_logged: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    ids: dict[str, str] = {}

    def look(_: object) -> Answer:
        of_task: dict[str, JsonValue] = {"task": ids["task"]}
        return Answer(
            "I look.", [ServerCall(tool, {**args, **(of_task if tool in OF_TASK else {})}) for tool, args in CALLS]
        )

    refused = Answer(SPILLED, status=401)
    with serving(careless) as outside, model_server(look, Answer("Done."), refused) as model:
        async with service(tmp_path, model, outside.url) as one:
            there = one.there
            ids |= {"task": (await there.finished(SPILLED)).id, "session": there.session}
            await there.says("What is going on?")
            for approval in await there.open():
                await one.get(f"/api/agent/approvals/{approval.id}/decision", "POST", json={"kind": "approve"})
            while (run := (await there.assistant.session(there.session)).running) is not None:
                async for _ in there.assistant.run_events(run):
                    ...
            await there.says("And now?")
            for path in PAGES:
                await one.get(path.format(**ids))
    assert len(model.requests) == 3
    assert {where: text[:3] for where, text in one.read.items() if text[:3] not in ("200", "404", "409")} == {}
    asked = [json.dumps(dict(request.body)) for request in model.requests]
    assert [found for text in asked if (found := spilled(text))] == []
    assert {where: found for where, text in one.read.items() if (found := spilled(text))} == {}
    assert spilled(everything_logged.text) == []
    assert spilled("".join(capfd.readouterr())) == []


async def test_a_secret_that_looks_like_none_is_known_by_its_value(tmp_path: Path) -> None:
    """To the model, to readers of the conversation, and to programs that call the tools themselves."""
    bare = f"I was told {UNMARKED} and {SERVER} and {DATABASE}"
    agent = AgentSettings(_env_file=None, llm_api_key=SecretStr(UNMARKED))
    url = SecretStr(f"sqlite://tuner:{DATABASE}@/{tmp_path}/a.db")
    assert Settings(_env_file=None, database_url=url).secrets == (DATABASE,)
    async with world(tmp_path, settings=agent, secrets=(SERVER, DATABASE)) as there:
        ended = await there.finished(bare)
        await there.reads("get_experiment_logs", task=ended.id)
        shown = json.dumps([message.model_dump(mode="json") for asked in there.model.asked for message in asked])
        told = await there.assistant.transcript(there.session)
        answer = await there.assistant.mcp_calls.call("tester", "get_experiment_logs", {"task": ended.id})
    assert "I was told [removed]" in told
    assert spilled(shown + told + str(answer)) == []


async def test_what_a_model_writes_into_a_call_is_not_in_the_audit_log(tmp_path: Path) -> None:
    async with world(tmp_path) as there:
        there.model.script = [
            Say(calls=[Call("create_github_issue", {"title": "T", "body": f"token={GITHUB}"})]),
            Say(),
        ]
        await there.says("Report it.")
        entries = await there.assistant.ledger.audit()
    assert [entry.action for entry in entries] == ["proposed"]
    assert spilled(str(entries)) == []


@pytest.mark.parametrize("variable", ["AUTOTUNER_LLM_API_KEY", "AUTOTUNER_TOKEN", "AUTOTUNER_DATABASE_URL"])
async def test_an_engine_gets_none_of_our_own_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, UNMARKED)
    monkeypatch.setenv("HF_HOME", "kept")
    launch = servers.launch("import os; print(dict(os.environ))")
    log, label = tmp_path / "engine.log", Label("0123abcd", 0, Identity.current().text)
    async with Local(Settings(home=tmp_path)).deploy(launch, servers.HERE, label, log, ()) as deployment:
        while await deployment.exit_code() is None:
            await asyncio.sleep(0.01)
    assert "'HF_HOME': 'kept'" in log.read_text()
    assert UNMARKED not in log.read_text()


async def test_a_database_that_cannot_be_reached_does_not_tell_its_password(
    tmp_path: Path, everything_logged: pytest.LogCaptureFixture
) -> None:
    url = SecretStr(f"postgresql://tuner:{DATABASE}@127.0.0.1:1/autotuner")
    with pytest.raises(TunerError) as caught:
        async with Tuner.open(Settings(_env_file=None, home=tmp_path, database_url=url)):
            ...
    assert spilled(f"{caught.value!r} {caught.getrepr(style='long')} {everything_logged.text}") == []


async def test_settings_that_cannot_be_used_are_told_without_their_values(monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    for kind, variables in (
        (ToolSettings, {"AUTOTUNER_GITHUB_TOKEN": f"{GITHUB} x", "AUTOTUNER_GITHUB_URL": f"http://u:{UNMARKED}@h"}),
        (ServerSettings, {"AUTOTUNER_TOKEN": "\u00e9" + SERVER, "AUTOTUNER_PORT": "x"}),
    ):
        with monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            with pytest.raises(TunerError) as caught:
                kind()
        told.append(str(caught.value))
    assert all("AUTOTUNER_" in one for one in told)
    assert spilled("".join(told)) == []
