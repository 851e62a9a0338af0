"""The OpenAPI description is true: whatever is sent, no failure of the service, and no answer that is not described."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from agent.service import Assistant
from agent.settings import AgentSettings
from api.app import create_app
from tests.fakes import rig
from tests.fakes.http import TOKEN, free_port, served, server_settings
from tools.settings import ToolSettings
from tuner.service import Tuner
from tuner.settings import Settings

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
STREAMS = ("follow_task", "follow_logs")
"""Of a task that has not ended they would go on."""
PLENTY = 12
"""Tasks in each state, for some are deleted on the way."""


@dataclass(frozen=True)
class Live:
    url: str
    drafts: list[str]
    ended: list[str]


def description() -> dict[str, Any]:
    nobody: Any = None
    return create_app(nobody, None, server=server_settings()).openapi()


DESCRIPTION = description()
OPERATIONS = sorted(
    operation["operationId"] for operations in DESCRIPTION["paths"].values() for operation in operations.values()
)


@contextmanager
def in_a_thread(home: Path) -> Iterator[Live]:
    """A server with tasks in it, on an event loop of its own: schemathesis asks as blocking clients do."""
    ready, stop, found, loops = threading.Event(), asyncio.Event(), [], []

    async def go() -> None:
        loops.append(asyncio.get_running_loop())
        held, port = free_port()
        async with (
            Tuner.open(Settings(home=home)) as tuner,
            Assistant.open(tuner, AgentSettings(), ToolSettings()) as assistant,
        ):
            drafts = [(await tuner.create(rig.spec(parameters={"speed": [5]}))).id for _ in range(PLENTY)]
            ended = []
            for _ in range(PLENTY):
                task = await tuner.create(rig.spec(parameters={"speed": [5, 6]}))
                await tuner.start(task.id)
                ended.append((await tuner.run(task.id)).id)
            app = create_app(tuner, assistant, server=server_settings(port=port))
            async with served(app, held):
                found.append(Live(f"http://127.0.0.1:{port}", drafts, ended))
                ready.set()
                await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(go()))
    thread.start()
    assert ready.wait(60)
    try:
        yield found[0]
    finally:
        loops[0].call_soon_threadsafe(stop.set)
        thread.join()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with pytest.MonkeyPatch.context() as patch:
        rig.install(patch)
        with in_a_thread(tmp_path_factory.mktemp("home")) as live:
            yield live


@pytest.mark.slow
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_is_described_and_none_is_a_failure(name: str, live: Live) -> None:
    operation = schemathesis.openapi.from_dict(DESCRIPTION).find_operation_by_id(name)
    tasks = st.sampled_from(live.ended if name in STREAMS else [*live.ended, *live.drafts])

    @settings(
        max_examples=12,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=st.one_of([operation.as_strategy(generation_mode=mode) for mode in GenerationMode]),
        task=tasks if name in STREAMS else st.one_of(tasks, st.none()),
    )
    def ask(case: Case[Any], task: str | None) -> None:
        if task is not None and "task" in case.path_parameters:
            case.path_parameters["task"] = task
        headers = {"Authorization": f"Bearer {TOKEN}"}
        response = case.call(base_url=live.url, headers=headers, timeout=30)
        case.validate_response(response, checks=CHECKS)

    ask()


def test_every_operation_has_a_readable_id_of_its_own() -> None:
    assert len(set(OPERATIONS)) == len(OPERATIONS)
    assert all(name.replace("_", "").isalpha() and name.islower() for name in OPERATIONS)


def test_every_refusal_is_described_as_problem_details() -> None:
    for path, operations in DESCRIPTION["paths"].items():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if int(status) >= 400 and (path, status) != ("/api/system/health", "503"):
                    assert list(answer["content"]) == ["application/problem+json"], (path, status)


def test_every_answer_with_data_has_a_model() -> None:
    for path, operations in DESCRIPTION["paths"].items():
        for method, operation in operations.items():
            for answer in operation["responses"].values():
                for kind, content in answer.get("content", {}).items():
                    assert content.get("schema") or content.get("itemSchema"), (path, method, kind)


def test_every_reference_in_the_description_leads_somewhere() -> None:
    def references(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(ref := node.get("$ref"), str):
                yield ref
            for inner in node.values():
                yield from references(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from references(inner)

    models = DESCRIPTION["components"]["schemas"]
    assert {ref.removeprefix("#/components/schemas/") for ref in references(DESCRIPTION)} <= set(models)
