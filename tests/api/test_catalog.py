"""What the catalog offers can be had."""

import httpx

from tests.fakes.rig import FakeDeployer
from tuner.report.artifacts import ARTIFACTS
from tuner.report.formats import FORMATS
from tuner.search.strategies import STRATEGIES
from tuner.spec import taskfile


async def test_every_name_of_the_catalog_is_one_that_a_task_can_say(client: httpx.AsyncClient) -> None:
    found = (await client.get("/api/catalog")).json()
    task = {"task_name": "t", "model": "m"}
    for one in found["engines"]:
        for spelling in (one["name"], *one["aliases"]):
            assert taskfile.validate({**task, "base_runtime": spelling}).base_runtime == one["name"]
    for one in found["strategies"]:
        spec = taskfile.validate({**task, "optimization": {"strategy": one["name"]}})
        assert spec.optimization.strategy == one["name"]
    for one in found["objectives"]:
        (objective,) = taskfile.validate({**task, "optimization": {"objective": one["name"]}}).optimization.objective
        assert objective.model_dump(mode="json") == one["objective"]
    modes = {one["name"]: one["available"] for one in found["deployment_modes"]}
    assert modes["local"]
    assert {"docker", "ome"} <= modes.keys()
    assert all(taskfile.validate({**task, "deployment_mode": name}).deployment_mode == name for name in modes)
    assert "genai-bench" in [one["name"] for one in found["load_generators"]]
    assert "fixed" in [one["name"] for one in found["load_policies"]]


async def test_the_default_engine_is_the_one_of_a_task_that_names_none(client: httpx.AsyncClient) -> None:
    found = (await client.get("/api/catalog")).json()
    (default,) = [one["name"] for one in found["engines"] if one["default"]]
    assert taskfile.validate({"task_name": "t", "model": "m"}).base_runtime == default


async def test_the_catalog_has_the_words_of_every_strategy_format_and_artifact(client: httpx.AsyncClient) -> None:
    found = (await client.get("/api/catalog")).json()
    for kind, table in (("strategies", STRATEGIES), ("report_formats", FORMATS), ("artifacts", ARTIFACTS)):
        words = {name: (one.title, one.description) for name, one in table.items()}
        assert {one["name"]: (one["title"], one["description"]) for one in found[kind]} == words


async def test_every_deployment_mode_has_a_title_the_planned_ones_too(client: httpx.AsyncClient) -> None:
    found = (await client.get("/api/catalog")).json()
    titles = {one["name"]: one["title"] for one in found["deployment_modes"]}
    assert titles == {"local": FakeDeployer.title, "docker": "Docker", "ome": "Kubernetes (OME)"}
