"""A task is planned once in a process, whoever asks, until something here changes; the worker plans it anew."""

import json
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

import tools
from api.app import create_app
from tests.fakes import rig
from tests.fakes.engine import RECIPE, install_environment
from tests.fakes.http import asked, server_settings
from tests.fakes.rig import Tables
from tools import Context, ToolSettings
from tuner.cli import main
from tuner.runner import plan as plan_module
from tuner.runner import plans, worker
from tuner.runner.plans import Plans
from tuner.service import Tuner
from tuner.settings import Settings
from tuner.spec.task import TaskSpec

SPEC = rig.spec(parameters={"speed": [5, 6]})


@pytest.fixture(autouse=True)
def tables(monkeypatch: pytest.MonkeyPatch) -> Tables:
    return rig.install(monkeypatch)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who made a plan: the one place where they are kept, or the worker."""
    made: list[str] = []

    def counted(who: str) -> object:
        async def plan(spec: TaskSpec, settings: Settings) -> plan_module.Plan:
            made.append(who)
            return await plan_module.plan(spec, settings)

        return plan

    monkeypatch.setattr(plans, "plan", counted("plans"))
    monkeypatch.setattr(worker, "plan", counted("worker"))
    return made


def test_tune_plans_a_file_once_and_its_worker_checks_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: list[str]
) -> None:
    monkeypatch.setenv("AUTOTUNER_HOME", str(tmp_path / "home"))
    file = tmp_path / "task.json"
    file.write_text(SPEC.model_dump_json())
    ended = CliRunner().invoke(main, ["tune", str(file), "--yes", "--json"])
    assert ended.exit_code == 0, ended.output
    assert made == ["plans", "worker"]


async def test_http_plans_a_task_once_to_show_it_and_to_write_it_down(tmp_path: Path, made: list[str]) -> None:
    body = json.loads(SPEC.model_dump_json())
    async with (
        Tuner.open(Settings(home=tmp_path)) as tuner,
        asked(create_app(tuner, None, server=server_settings())) as client,
    ):
        assert (await client.post("/api/tasks", json=body)).status_code == httpx.codes.CREATED
        assert made == ["plans"]
        assert (await client.post("/api/tasks/plan", json=body)).json()["plan"]["candidates"] == 2
        assert (await client.post("/api/tasks", json=body)).status_code == httpx.codes.CREATED
    assert made == ["plans"]


async def test_a_draft_and_the_approval_of_its_start_share_a_plan(tmp_path: Path, made: list[str]) -> None:
    async with Tuner.open(Settings(home=tmp_path)) as tuner:
        context = Context(tuner, ToolSettings(hf_offline=True))
        task = json.loads(SPEC.model_dump_json())
        draft = json.loads(await tools.call("create_task", {"task": task}, context, call_id="1"))
        asked_for = await tools.preview("start_task", {"task": draft["id"]}, context)
        assert asked_for["plan"] == draft["plan"]
        await tools.call("start_task", {"task": draft["id"]}, context, call_id="2")
        assert made == ["plans"]
        await tuner.run(draft["id"])
    assert made == ["plans", "worker"]


async def test_what_is_installed_later_is_planned_with(tmp_path: Path, tables: Tables, made: list[str]) -> None:
    tables.engine.recipes = {"fake": RECIPE}
    settings, kept = Settings(home=tmp_path), Plans()
    assert (await kept.find(SPEC, settings)).missing
    assert (await kept.find(SPEC, settings)).missing
    assert made == ["plans"]
    install_environment(tmp_path, "fake", cpu_only=True)
    tables.benchmark.lacks = None
    assert (await kept.find(SPEC, settings)).resolved.missing is None
    tables.benchmark.lacks = "The load generator is not installed."
    assert (await kept.find(SPEC, settings)).missing == (tables.benchmark.lacks,)
    assert len(made) == 3


async def test_only_the_newest_plans_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: list[str]) -> None:
    monkeypatch.setattr(plans, "KEPT", 2)
    kept, settings = Plans(), Settings(home=tmp_path)
    one, two, three = (rig.spec(task_name=name) for name in ("one", "two", "three"))
    for spec in (one, two, one, three, one):
        await kept.find(spec, settings)
    assert len(made) == 3
    await kept.find(two, settings)
    assert len(made) == 4
