"""Presets over HTTP: saved, merged, carried elsewhere."""

from typing import Any

import httpx
import pytest
import yaml

YAML = {"Content-Type": "application/yaml"}
CHAT: dict[str, Any] = {
    "name": "chat",
    "description": "For people.",
    "task": {"slo": {"ttft": {"p90": {"threshold": 0.5}}}},
}


async def test_a_preset_is_saved_replaced_and_deleted(client: httpx.AsyncClient) -> None:
    saved = await client.post("/api/presets", json=CHAT)
    assert (saved.status_code, saved.headers["Location"]) == (201, "/api/presets/chat")
    assert (await client.get("/api/presets/chat")).json() == saved.json()
    assert (await client.post("/api/presets", json=CHAT)).status_code == 409
    replaced = await client.put("/api/presets/chat", json={"task": {"budget": {"max_experiments": 3}}})
    assert replaced.json()["task"] == {"budget": {"max_experiments": 3}}
    assert (await client.delete("/api/presets/chat")).status_code == 204
    assert (await client.get("/api/presets/chat")).status_code == 404


async def test_a_preset_that_is_no_part_of_a_task_is_refused(client: httpx.AsyncClient) -> None:
    refused = await client.post("/api/presets", json={"name": "chat", "task": {"slos": {}}})
    assert refused.status_code == 422
    assert "slos" in refused.json()["detail"]
    assert (await client.post("/api/presets", json={"name": "no good"})).status_code == 422
    assert (await client.post("/api/presets", json={"nmae": "chat"})).status_code == 422


async def test_built_in_presets_are_there_and_stay_as_they_are(client: httpx.AsyncClient) -> None:
    built_in = [one["name"] for one in (await client.get("/api/presets")).json() if one["built_in"]]
    assert built_in
    for changed in (
        await client.put(f"/api/presets/{built_in[0]}", json={"task": {}}),
        await client.delete(f"/api/presets/{built_in[0]}"),
    ):
        assert changed.status_code == 409


async def test_presets_are_merged_in_order_and_the_task_stands_on_top(client: httpx.AsyncClient) -> None:
    await client.post("/api/presets", json=CHAT)
    await client.post("/api/presets", json={"name": "b", "task": {"slo": {"tpot": {"p90": {"threshold": 0.1}}}}})
    merged = await client.post(
        "/api/presets/merge", json={"presets": ["chat", "b"], "task": {"task_name": "x", "model": "m"}}
    )
    task = merged.json()["task"]
    assert task["slo"] == {"ttft": {"p90": {"threshold": 0.5}}, "tpot": {"p90": {"threshold": 0.1}}}
    assert (task["task_name"], task["model"]) == ("x", "m")
    assert (await client.post("/api/presets/merge", json={"presets": ["nope"]})).status_code == 404


async def test_an_exported_preset_can_be_imported_elsewhere(client: httpx.AsyncClient) -> None:
    await client.post("/api/presets", json=CHAT)
    one, every = await client.get("/api/presets/chat/export"), await client.get("/api/presets/export")
    assert yaml.safe_load(one.text) == CHAT
    assert one.headers["Content-Disposition"] == 'attachment; filename="chat.yaml"'
    assert yaml.safe_load(every.text) == {"presets": [CHAT]}
    taken = await client.post("/api/presets/import", content=every.text, headers=YAML)
    assert taken.status_code == 409
    replaced = await client.post("/api/presets/import?replace=true", content=every.text, headers=YAML)
    assert [one["name"] for one in replaced.json()] == ["chat"]
    await client.delete("/api/presets/chat")
    assert (await client.post("/api/presets", content=one.text, headers=YAML)).status_code == 201


@pytest.mark.parametrize("name", ["a" * 65, "..", "%2e%2e%2fx"])
async def test_a_name_that_no_preset_can_have_is_refused(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.put(f"/api/presets/{name}", json={"task": {}})).status_code in (404, 405, 422)
