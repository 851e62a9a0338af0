"""What the catalog offers can be had."""

import httpx

from tuner.report.artifacts import ARTIFACTS
from tuner.report.formats import FORMATS
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


async def test_the_catalog_has_the_words_of_every_format_and_artifact(client: httpx.AsyncClient) -> None:
    found = (await client.get("/api/catalog")).json()
    for rows, table in ((found["report_formats"], FORMATS), (found["artifacts"], ARTIFACTS)):
        assert [one["name"] for one in rows] == list(table)
        assert all(one["title"] == table[one["name"]].title for one in rows)
