"""Health, information, metrics, machines, documentation, the page."""

import asyncio
import re
import sqlite3
from collections.abc import Callable, Iterator
from inspect import iscoroutinefunction
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from prometheus_client.parser import text_string_to_metric_families

from api import metrics
from api.app import ROUTERS, create_app
from api.page import Page
from tests.fakes.http import TOKEN, asked, server_settings
from tests.fakes.rig import spec
from tuner.domain import TaskState
from tuner.errors import StorageError
from tuner.service import Tuner
from tuner.settings import Settings
from tuner.storage.store import Store


async def test_a_service_that_works_says_so_to_everybody(app: FastAPI) -> None:
    async with asked(app, token=None) as stranger:
        health = await stranger.get("/api/system/health")
        assert (health.status_code, health.json()) == (200, {"status": "ok", "database": "ok"})
        assert (await stranger.get("/api/system/info")).status_code == 401


async def test_a_database_that_cannot_be_used_makes_the_service_unhealthy_and_its_requests_wait_for_another_time(
    app: FastAPI, tuner: Tuner, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(store: Store, *_: object, **__: object) -> None:
        raise StorageError("The database /home/somebody/autotuner.db is damaged.")

    monkeypatch.setattr(Store, "counts", broken)
    monkeypatch.setattr(Store, "tasks", broken)
    async with asked(app) as client:
        health = await client.get("/api/system/health")
        assert (health.status_code, health.json()) == (503, {"status": "degraded", "database": "unavailable"})
        refused = await client.get("/api/tasks")
        assert (refused.status_code, "damaged" in refused.json()["detail"]) == (503, True)


async def test_a_database_that_hangs_is_unhealthy_too(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(store: Store) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("api.system.DATABASE_S", 0.01)
    monkeypatch.setattr(Store, "counts", hangs)
    assert (await client.get("/api/system/health")).status_code == 503


async def test_reading_goes_on_while_somebody_else_holds_the_write_lock(
    client: httpx.AsyncClient, tuner: Tuner
) -> None:
    with sqlite3.connect(tuner.settings.home / "autotuner.db") as other:
        other.execute("BEGIN IMMEDIATE")
        assert (await client.get("/api/system/health")).status_code == 200
        assert (await client.get("/api/tasks")).status_code == 200


async def test_information_has_no_secret_in_it(tmp_path: Path) -> None:
    secret = "postgresql://user:hidden-password@host/database"
    settings = Settings(home=tmp_path).model_copy(update={"database_url": None})
    async with Tuner.open(settings) as opened:
        tuner = Tuner(
            settings.model_copy(update={"database_url": Settings(database_url=secret).database_url}), opened._store
        )
        async with asked(create_app(tuner, None, server=server_settings())) as client:
            info = await client.get("/api/system/info")
    assert info.json()["settings"]["database"] == "postgresql"
    assert "hidden-password" not in info.text
    assert TOKEN not in info.text


async def test_a_further_browser_is_let_in_by_a_link(app: FastAPI, client: httpx.AsyncClient) -> None:
    link = (await client.post("/api/system/login-links")).json()["path"]
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=client.base_url) as browser:
        assert (await browser.get(link)).headers["Location"] == "/"
        assert (await browser.get("/api/tasks")).status_code == 200


async def test_metrics_count_tasks_experiments_requests_and_streams(client: httpx.AsyncClient, tuner: Tuner) -> None:
    task = await tuner.create(spec(parameters={"speed": [5, 6]}))
    await tuner.create(spec())
    await tuner.start(task.id)
    assert (await tuner.run(task.id)).state is TaskState.COMPLETED
    for _ in range(3):
        await client.get(f"/api/tasks/{task.id}")
    await client.get("/api/tasks/nope")
    await client.get("/wp-login.php")
    answer = await client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert samples["autotuner_tasks", "completed"] == 1
    assert samples["autotuner_tasks", "created"] == 1
    assert samples["autotuner_tasks", "failed"] == 0
    assert samples["autotuner_experiments", "completed"] == 3
    route, requests = "/api/tasks/{task}", "autotuner_http_requests_total"
    assert samples[requests, *sorted((route, "200", "GET"))] == 3
    assert samples[requests, *sorted((route, "404", "GET"))] == 1
    assert samples[requests, *sorted(("other", "404", "GET"))] == 1
    assert samples["autotuner_http_request_seconds_count", *sorted((route, "GET"))] == 4
    assert samples["autotuner_http_streams",] == 0
    assert samples["process_resident_memory_bytes",] > 0


async def test_two_applications_count_for_themselves(tuner: Tuner) -> None:
    for _ in range(2):
        async with asked(create_app(tuner, None, server=server_settings())) as client:
            await client.get("/api/tasks")
            counted = (await client.get("/metrics")).text
        assert re.search(r'requests_total\{method="GET",route="/api/tasks",status="200"\} 1\.0', counted)


async def test_machines_engines_and_workers_are_shown(client: httpx.AsyncClient) -> None:
    hardware = (await client.get("/api/hardware")).json()
    assert hardware["cpus"] >= 1
    engines = {one["name"]: one for one in (await client.get("/api/engines")).json()}
    assert engines["simulated"]["installed"]
    assert not engines["vllm"]["installed"]
    flags = (await client.get("/api/engines/simulated/flags", params={"search": "num-seqs"})).json()
    assert "max-num-seqs" in [flag["name"] for flag in flags]
    missing = await client.get("/api/engines/vllm/flags")
    assert (missing.status_code, "autotuner engine install" in missing.json()["detail"]) == (409, True)
    assert (await client.get("/api/engines/vlm/flags")).status_code == 404
    for path in ("/api/deployments", "/api/workers"):
        assert (await client.get(path)).json() == []
    for method in ("GET", "DELETE"):
        assert (await client.request(method, "/api/deployments/nope")).status_code == 404
    assert (await client.get("/api/deployments/nope/logs")).status_code == 404


async def test_the_documentation_names_every_operation_and_needs_nothing_from_elsewhere(
    client: httpx.AsyncClient,
) -> None:
    page = (await client.get("/docs")).text
    description = (await client.get("/openapi.json")).json()
    for path, operations in description["paths"].items():
        assert path in page
        for operation in operations.values():
            assert operation["operationId"] in page
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?!#|/)', page)
    targets = set(re.findall(r'href="#([^"]+)"', page))
    assert targets <= set(re.findall(r'id="([^"]+)"', page))


async def test_without_a_built_page_a_word_says_how_to_build_it(
    client: httpx.AsyncClient, app: FastAPI, tmp_path: Path
) -> None:
    app.router.default = Page(tmp_path / "dist")
    page = await client.get("/")
    assert (page.status_code, "make ui" in page.text) == (200, True)
    assert (await client.get("/tasks/1", headers={"Accept": "text/html"})).status_code == 404


@pytest.fixture
def built(app: FastAPI, tmp_path: Path) -> None:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>the page")
    (folder / "assets" / "app-1a2b.js").write_text("go()")
    (tmp_path / "secret.txt").write_text("outside")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    app.router.default = Page(folder)


@pytest.mark.usefixtures("built")
async def test_a_built_page_is_served_at_every_address_that_a_person_may_open(client: httpx.AsyncClient) -> None:
    html = {"Accept": "text/html,application/xhtml+xml"}
    for path in ("/", "/tasks/0123abcd", "/index.html"):
        page = await client.get(path, headers=html)
        assert (page.status_code, page.text) == (200, "<!doctype html>the page")
        assert page.headers["Cache-Control"] == "no-cache"
    script = await client.get("/assets/app-1a2b.js")
    assert (script.text, "immutable" in script.headers["Cache-Control"]) == ("go()", True)
    assert (await client.get("/assets/gone.js")).status_code == 404
    assert (await client.get("/api/nope", headers=html)).status_code == 404
    assert (await client.post("/tasks/0123abcd")).status_code == 404


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "/link.txt", "//secret.txt"]
)
async def test_nothing_outside_the_built_page_is_served(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(httpx.URL(client.base_url).copy_with(raw_path=path.encode()))
    assert "outside" not in answer.text


def test_no_request_takes_the_way_over_a_thread_only_to_be_read() -> None:
    def calls(dependant: Dependant) -> Iterator[Callable[..., object] | None]:
        yield dependant.call
        for inner in dependant.dependencies:
            yield from calls(inner)

    routes = [route for router in (*ROUTERS, metrics.router) for route in router.routes]
    assert len(routes) > 40
    for route in routes:
        assert isinstance(route, APIRoute)
        assert all(map(iscoroutinefunction, calls(route.dependant))), route.path
