"""Tasks over HTTP: written, changed, started, ended, and what they came to."""

import io
import json
from typing import Any

import httpx
import openpyxl
import pytest
import yaml

from tests.fakes import rig
from tests.fakes.rig import spec
from tuner.domain import TaskState
from tuner.report.artifacts import ARTIFACTS
from tuner.report.formats import FORMATS
from tuner.service import Tuner
from tuner.spec import taskfile

YAML = {"Content-Type": "application/yaml"}
TASK: dict[str, Any] = {
    "task_name": "over http",
    "base_runtime": "fake",
    "model": "org/model",
    "parameters": {"speed": [5, 6]},
    "optimization": {"strategy": "grid_search", "confirm": 0},
    "benchmark": {"tool": "fake", "traffic_scenarios": [rig.SCENARIO], "num_concurrency": [1, 8]},
}


async def done(tuner: Tuner) -> str:
    task = await tuner.create(spec(task_name="done <&> well", parameters={"speed": [5, 6, 7]}))
    await tuner.start(task.id)
    return (await tuner.run(task.id)).id


async def test_a_task_is_created_from_json_and_found_again(client: httpx.AsyncClient) -> None:
    created = await client.post("/api/tasks", json=TASK)
    assert created.status_code == 201
    task = created.json()
    assert created.headers["Location"] == f"/api/tasks/{task['id']}"
    for ref in (task["id"], task["id"][:5], "over http"):
        assert (await client.get(f"/api/tasks/{ref}")).json() == task
    assert task["spec"]["parameters"] == {"speed": [5, 6]}


async def test_a_task_file_can_be_sent_as_it_is(client: httpx.AsyncClient) -> None:
    created = await client.post("/api/tasks", content=yaml.safe_dump(TASK), headers=YAML)
    assert created.json()["spec"]["model"]["id_or_path"] == "org/model"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("task_name: a\nmodel: m\nbase_runtime: fake\nparameterz: {}\n", ("parameterz", 4, "did you mean")),
        ("task_name: a\nmodel: m\nbase_runtime: vlm\n", ("base_runtime", 3, "there are")),
        ("task_name: a\n  model: m\n", ("", 2, "no YAML")),
        ("", ("", None, "nothing is in it")),
    ],
)
async def test_what_is_wrong_with_a_task_file_is_told_with_its_line(
    client: httpx.AsyncClient, text: str, problem: tuple[str, int | None, str]
) -> None:
    refused = await client.post("/api/tasks", content=text, headers=YAML)
    assert refused.status_code == 422
    assert refused.headers["Content-Type"] == "application/problem+json"
    found = refused.json()["errors"][0]
    assert (found["where"], found["line"]) == problem[:2]
    assert problem[2] in found["message"]
    planned = await client.post("/api/tasks/plan", content=text, headers=YAML)
    assert (planned.status_code, planned.json()["problems"][0]) == (200, found)


@pytest.mark.parametrize("body", [b"task_name: a", b'{"task_name": ', b"\xff{}", b"[" * 5000, b'{"a": NaN}', b"[]"])
async def test_what_is_no_json_is_refused(client: httpx.AsyncClient, body: bytes) -> None:
    refused = await client.post("/api/tasks", content=body, headers={"Content-Type": "application/json"})
    assert refused.status_code == 422
    assert refused.json()["errors"]


async def test_a_plan_says_what_a_task_would_do_and_writes_nothing(client: httpx.AsyncClient) -> None:
    answer = (await client.post("/api/tasks/plan", json=TASK)).json()
    assert answer["problems"] == []
    assert answer["plan"]["experiments"] == 3
    assert (await client.get("/api/tasks")).json() == {"items": [], "total": 0}


async def test_the_same_key_makes_one_task_and_another_spec_under_it_is_refused(client: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "once"}
    first, again = [await client.post("/api/tasks", json=TASK, headers=key) for _ in range(2)]
    assert (again.status_code, again.json()) == (201, first.json())
    other = await client.post("/api/tasks", json={**TASK, "task_name": "other"}, headers=key)
    assert other.status_code == 409
    assert (await client.get("/api/tasks")).json()["total"] == 1


async def test_the_same_key_starts_a_task_once(client: httpx.AsyncClient, tuner: Tuner) -> None:
    task = (await client.post("/api/tasks", json=TASK)).json()["id"]
    start, key = f"/api/tasks/{task}/start", {"Idempotency-Key": "go"}
    assert (await client.post(start, headers=key)).status_code == 202
    await tuner.run(task)
    again = await client.post(start, headers=key)
    assert (again.status_code, again.json()["state"]) == (202, "completed")
    assert (await client.post(start)).status_code == 409


async def test_a_page_of_tasks_is_filtered_and_says_how_many_there_are(client: httpx.AsyncClient, tuner: Tuner) -> None:
    ids = [(await tuner.create(spec(task_name=f"task {number}"))).id for number in range(5)]
    await tuner.start(ids[3])
    page = (await client.get("/api/tasks", params={"limit": 2, "offset": 1})).json()
    assert ([one["id"] for one in page["items"]], page["total"]) == ([ids[3], ids[2]], 5)
    for params, found in (
        ({"state": "queued"}, [ids[3]]),
        ({"text": "TASK 1"}, [ids[1]]),
        ({"engine": "vllm"}, []),
        ({"engine": "fake", "text": "task 4"}, [ids[4]]),
    ):
        listed = (await client.get("/api/tasks", params=params)).json()
        assert ([one["id"] for one in listed["items"]], listed["total"]) == (found, len(found))


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "offset=-1", "offset=2147483648", "state=nope", "limit=x"])
async def test_a_page_that_cannot_be_is_refused_with_the_place(client: httpx.AsyncClient, query: str) -> None:
    refused = await client.get(f"/api/tasks?{query}")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["where"] == f"query.{query.partition('=')[0]}"


async def test_a_draft_is_changed_by_a_merge_patch(client: httpx.AsyncClient) -> None:
    task = (await client.post("/api/tasks", json={**TASK, "budget": {"max_experiments": 9, "max_time": "2h"}})).json()
    changed = await client.patch(
        f"/api/tasks/{task['id']}",
        content=json.dumps({"task_name": "new", "budget": {"max_time": None}, "parameters": {"batch": [1, 2]}}),
        headers={"Content-Type": "application/merge-patch+json"},
    )
    new = changed.json()["spec"]
    assert (new["task_name"], new["parameters"]) == ("new", {"speed": [5, 6], "batch": [1, 2]})
    assert new["budget"] == {"max_experiments": 9, "max_time": None, "max_gpu_hours": None}
    assert {**new, "task_name": "", "budget": {}, "parameters": {}} == {
        **task["spec"], "task_name": "", "budget": {}, "parameters": {},
    }  # fmt: skip


@pytest.mark.parametrize("patch", ["[]", "1", '{"model": null}', '{"nope": 1}', '{"parameters": {"speed": []}}'])
async def test_a_patch_that_makes_no_task_changes_nothing(client: httpx.AsyncClient, patch: str) -> None:
    task = (await client.post("/api/tasks", json=TASK)).json()
    headers = {"Content-Type": "application/json"}
    refused = await client.patch(f"/api/tasks/{task['id']}", content=patch, headers=headers)
    assert refused.status_code == 422
    assert (await client.get(f"/api/tasks/{task['id']}")).json() == task


async def test_a_started_task_cannot_be_changed_and_a_queued_one_is_cancelled(client: httpx.AsyncClient) -> None:
    task = (await client.post("/api/tasks", json=TASK)).json()["id"]
    assert (await client.post(f"/api/tasks/{task}/start")).json()["state"] == "queued"
    assert (await client.patch(f"/api/tasks/{task}", json={"task_name": "new"})).status_code == 409
    assert (await client.post(f"/api/tasks/{task}/cancel")).json()["state"] == "cancelled"
    assert (await client.post(f"/api/tasks/{task}/cancel")).status_code == 409
    assert (await client.post(f"/api/tasks/{task}/resume")).json()["state"] == "queued"


async def test_a_restart_is_a_fresh_copy(client: httpx.AsyncClient, tuner: Tuner) -> None:
    task = await done(tuner)
    fresh = await client.post(f"/api/tasks/{task}/restart")
    assert fresh.status_code == 201
    assert (fresh.json()["state"], fresh.json()["id"] != task) == ("queued", True)
    assert (await tuner.task(task)).state is TaskState.COMPLETED


async def test_a_deleted_task_is_gone(client: httpx.AsyncClient) -> None:
    task = (await client.post("/api/tasks", json=TASK)).json()["id"]
    gone = await client.delete(f"/api/tasks/{task}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await client.get(f"/api/tasks/{task}")).status_code == 404


async def test_experiments_are_listed_by_task_state_and_role(client: httpx.AsyncClient, tuner: Tuner) -> None:
    first, second = await done(tuner), await done(tuner)
    page = (await client.get("/api/experiments", params={"limit": 3})).json()
    assert ([one["task_id"] for one in page["items"]], page["total"]) == ([second] * 3, 8)
    own = (await client.get(f"/api/tasks/{first}/experiments", params={"role": "candidate"})).json()
    assert [one["experiment"]["number"] for one in own["items"]] == [1, 2, 3]
    assert (await client.get("/api/experiments", params={"state": "failed"})).json()["total"] == 0
    one = await client.get(f"/api/tasks/{first}/experiments/2")
    assert one.json() == own["items"][1]["experiment"]
    missing = await client.get(f"/api/tasks/{first}/experiments/9")
    assert (missing.status_code, "it has 0 to 3" in missing.json()["detail"]) == (404, True)


async def test_a_report_comes_in_every_format_as_a_file(client: httpx.AsyncClient, tuner: Tuner) -> None:
    task = await done(tuner)
    reports = {
        kind: await client.get(f"/api/tasks/{task}/report", params={"format": kind})
        for kind in ("table", "json", "csv", "xlsx", "html")
    }
    assert {kind: one.headers["Content-Type"].partition(";")[0] for kind, one in reports.items()} == {
        "table": "text/plain",
        "json": "application/json",
        "csv": "text/csv",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "html": "text/html",
    }
    assert reports["json"].json() == (await client.get(f"/api/tasks/{task}/result")).json()
    assert openpyxl.load_workbook(io.BytesIO(reports["xlsx"].content)).sheetnames
    assert reports["csv"].text.startswith("task,engine,")
    called = reports["html"].headers["Content-Disposition"]
    assert called == "attachment; filename=\"done-well.html\"; filename*=UTF-8''done%20%3C%26%3E%20well.html"
    assert "script" not in reports["html"].headers["Content-Security-Policy"]


async def test_the_winner_is_exported_and_a_task_that_has_none_says_so(client: httpx.AsyncClient, tuner: Tuner) -> None:
    task, draft = await done(tuner), (await tuner.create(spec())).id
    command = await client.get(f"/api/tasks/{task}/export")
    assert "--speed 6" in command.text
    exported = await client.get(f"/api/tasks/{task}/export", params={"kind": "task"})
    assert taskfile.parse(exported.text) == (await tuner.task(task)).spec
    assert (await client.get(f"/api/tasks/{draft}/export")).status_code == 409
    unknown = await client.get(f"/api/tasks/{draft}/export", params={"kind": "nope"})
    assert (unknown.status_code, "there are command" in unknown.json()["detail"]) == (422, True)


async def test_every_listed_artifact_can_be_had_or_says_why_not(client: httpx.AsyncClient, tuner: Tuner) -> None:
    task, draft = await done(tuner), (await tuner.create(spec())).id
    for ref in (task, draft):
        listed = (await client.get(f"/api/tasks/{ref}/artifacts")).json()
        assert [one["name"] for one in listed] == [*ARTIFACTS, *FORMATS]
        for one in listed:
            made = await client.get(one["url"])
            if one["missing"]:
                assert (made.status_code, made.json()["detail"]) == (409, one["missing"])
            else:
                assert (made.status_code, made.headers["Content-Type"]) == (200, one["type"])
        missing = {one["name"] for one in listed if one["missing"]}
        assert ("command" in missing, "task" in missing) == (ref == draft, False)


async def test_every_picture_that_is_listed_can_be_had(client: httpx.AsyncClient, tuner: Tuner) -> None:
    task = await done(tuner)
    listed = (await client.get(f"/api/tasks/{task}/plots")).json()
    assert {one["name"] for one in listed} >= {"throughput-against-latency", "course-of-the-search"}
    picture = await client.get(listed[0]["url"])
    assert picture.headers["Content-Type"] == "image/svg+xml"
    assert "--ink:" in picture.text, "it brings its colours"
    assert "sandbox" in picture.headers["Content-Security-Policy"]
    for name in ("nope", "..%2F..%2Fautotuner"):
        assert (await client.get(f"/api/tasks/{task}/plots/{name}.svg")).status_code == 404


async def test_nothing_is_drawn_before_something_was_measured(client: httpx.AsyncClient, tuner: Tuner) -> None:
    draft = (await tuner.create(spec())).id
    assert (await client.get(f"/api/tasks/{draft}/plots")).json() == []
    missing = await client.get(f"/api/tasks/{draft}/plots/course-of-the-search.svg")
    assert "nothing has been measured" in missing.json()["detail"]


async def test_the_end_of_a_log_is_shown_and_searched(client: httpx.AsyncClient, tuner: Tuner) -> None:
    task = await done(tuner)
    (tuner.settings.runs(task) / "1" / "engine.log").write_text("one\ntwo\nthree\n")
    logs = f"/api/tasks/{task}/logs"
    end = (await client.get(logs, params={"experiment": 1, "lines": 2})).json()
    assert (end["lines"], end["position"], end["truncated"]) == (["two", "three"], 14, True)
    found = (await client.get(logs, params={"experiment": 1, "search": "/^t/"})).json()
    assert (found["lines"], found["matches"]) == (["two", "three"], 2)
    assert (await client.get(logs, params={"benchmark": True})).json()["lines"] == ["load generator"]
    assert (await client.get(logs, params={"experiment": 9})).status_code == 404
    assert (await client.get(logs, params={"search": "/(/"})).status_code == 422
