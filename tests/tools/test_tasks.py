"""Tasks by their tools: written down, changed, planned, followed, started, stopped."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

import tools
from tests.fakes import rig
from tests.fakes.rig import Flags, Silence, Tables
from tests.fakes.stores import REMOTE, dead_owner, live_owner
from tests.tools.conftest import Ask
from tools import Context, runs
from tuner.domain import LoadPoint, TaskState
from tuner.errors import ConflictError, InvalidSpecError, NotFoundError
from tuner.runner.supervisor import SupervisorStatus
from tuner.service import Tuner

TASK: dict[str, Any] = {
    "task_name": "chat",
    "base_runtime": "fake",
    "model": "org/model",
    "parameters": {"speed": [5, 6], "batch": 4},
    "optimization": {"strategy": "grid_search", "confirm": 0},
    "benchmark": {"tool": "fake", "traffic_scenarios": ["D(64,16)"], "num_concurrency": [1, 8], "warmup_requests": 0},
}


class Own:
    """The service's worker, as its supervisor tells of it."""

    def __init__(self, *, alive: bool) -> None:
        self.alive, self.restarted = alive, 0

    def status(self) -> SupervisorStatus:
        return SupervisorStatus(pid=7 if self.alive else None, alive=self.alive, restarts=0, started_at=None)

    async def restart(self) -> None:
        self.restarted += 1
        self.alive = True


async def test_a_task_is_written_down_with_its_plan_and_nothing_runs(ask: Ask, tuner: Tuner) -> None:
    draft = await ask("create_task", task=TASK)
    assert draft["state"] == "created"
    assert draft["plan"]["experiments"] == 3
    assert draft["plan"]["levels"] == ["D(64,16) × 1", "D(64,16) × 8"]
    assert draft["plan"]["commands"][1].endswith(" -m fake --port '{port}' --batch 4 --speed 5")
    assert draft["next"] == "Nothing runs before start_task."
    assert (await tuner.task(draft["id"])).state is TaskState.CREATED


async def test_a_task_may_be_written_as_text(ask: Ask) -> None:
    assert (await ask("create_task", task=json.dumps(TASK)))["name"] == "chat"
    yaml = "task_name: from yaml\nmodel: org/model\nbase_runtime: fake\nbenchmark: {tool: fake}"
    assert (await ask("plan_task", task=yaml))["experiments"] == 1


async def test_every_problem_of_a_task_comes_with_its_place(ask: Ask, tuner: Tuner) -> None:
    wrong = {
        **TASK,
        "paramters": {},
        "optimization": {"strategy": "magic", "max_iterations": 0},
        "benchmark": {"num_concurrency": [4, 0]},
    }
    for name in ("create_task", "plan_task"):
        with pytest.raises(InvalidSpecError) as caught:
            await ask(name, task=wrong)
        said = str(caught.value)
        assert "paramters: unknown key 'paramters'; did you mean 'parameters'?" in said
        assert "optimization.strategy: no strategy 'magic'; there are grid_search" in said
        assert "optimization.max_iterations: must be at least 1, not 0" in said
        assert "benchmark.num_concurrency.1: must be at least 1, not 0" in said
    assert (await tuner.tasks())[1] == 0


async def test_presets_give_what_the_task_leaves_out(ask: Ask) -> None:
    del (partial := dict(TASK))["benchmark"]
    await ask("save_preset", name="short-load", task={"benchmark": TASK["benchmark"]}, engine="fake")
    draft = await ask("create_task", task=partial, presets=["quick-check", "short-load"])
    assert draft["plan"]["levels"] == ["D(64,16) × 1", "D(64,16) × 8"]
    with pytest.raises(NotFoundError, match="short-load"):
        await ask("plan_task", task=partial, presets=["shortload"])
    with pytest.raises(tools.InvalidArgumentsError, match="presets: a task that is written down has its presets in it"):
        await ask("plan_task", task=draft["id"], presets=["quick-check"])


async def test_a_draft_is_changed_in_what_is_named_and_keeps_the_rest(ask: Ask, tuner: Tuner) -> None:
    made = await ask("create_task", task={**TASK, "slo": {"ttft": {"p90": {"threshold": 0.5}}}})
    changes = {
        "description": "evening load",
        "parameters": {"speed": {"type": "integer", "low": 4, "high": 8}, "batch": None},
        "optimization": {"max_iterations": 3, "strategy": "random"},
        "slo": None,
    }
    changed = await ask("update_task", task=made["id"], changes=changes)
    assert changed["id"] == made["id"]
    assert changed["plan"]["candidates"] == 3
    spec = (await ask("get_task", task=made["id"]))["spec"]
    assert spec["parameters"] == {"speed": {"type": "integer", "low": 4, "high": 8, "log": False}}
    assert spec["optimization"] == {"strategy": "random", "confirm": 0, "max_iterations": 3}
    assert spec["benchmark"] == TASK["benchmark"]
    assert "slo" not in spec
    with pytest.raises(InvalidSpecError, match=r"optimization.confirm: must be at least 0, not -1"):
        await ask("update_task", task=made["id"], changes={"optimization": {"confirm": -1}})


async def test_a_task_that_was_started_is_not_changed(ask: Ask, tuner: Tuner) -> None:
    made = await ask("create_task", task=TASK)
    await ask("start_task", task=made["id"])
    with pytest.raises(ConflictError, match="cannot be changed; create another task"):
        await ask("update_task", task=made["id"], changes={"description": "x"})


async def test_tasks_are_found_and_a_long_list_is_cut_with_a_count(ask: Ask) -> None:
    for number in range(5):
        await ask("create_task", task={**TASK, "task_name": f"night {number}"})
    page = await ask("list_tasks", limit=2)
    assert page["shown"] == "2 of 5, offset 2 for more"
    assert [task["name"] for task in page["tasks"]] == ["night 4", "night 3"]
    assert (await ask("list_tasks", limit=2, offset=4))["shown"] == "1 of 5"
    assert (await ask("list_tasks", text="NIGHT 3"))["shown"] == "all 1"
    assert (await ask("list_tasks", state="completed")) == {"shown": "all 0", "tasks": []}


async def test_a_finished_task_tells_verdict_winner_command_and_margins(ask: Ask, tuner: Tuner) -> None:
    slo = {"ttft": {"p90": {"threshold": 0.05}}, "latency": {"threshold": 1}}
    made = await ask(
        "create_task", task={**TASK, "slo": slo, "optimization": {"strategy": "grid_search", "confirm": 2}}
    )
    await ask("start_task", task=made["id"])
    await tuner.run(made["id"])
    told = await ask("get_task", task="chat")
    assert told["state"] == "completed"
    assert told["completed"] == 9
    assert told["verdict"].startswith("Proven, with the SLOs counted: experiment 2 gives") or told[
        "verdict"
    ].startswith("Proven: experiment 2 gives")
    assert told["best"]["parameters"] == {"speed": 6, "batch": 4}
    assert told["best"]["values"] == ["4,000 output tokens/s"]
    assert told["best"]["judged_at"] == "D(64,16) × 8"
    assert told["best"]["slos"] == [
        {
            "slo": "end-to-end latency",
            "limit": "1.00 s",
            "actual": "0.25 ms",
            "margin": "100 % below the limit",
            "met": True,
            "hard": False,
            "verdict": "met",
        },
        {
            "slo": "p90 time to first token",
            "limit": "50.0 ms",
            "actual": "60.0 ms",
            "margin": "20 % over the limit",
            "met": False,
            "hard": False,
            "verdict": "missed",
        },
    ]
    assert told["command"].endswith(" -m fake --port 8000 --batch 4 --speed 6")
    assert "progress" not in told
    assert (await ask("list_tasks"))["tasks"][0]["gain_percent"] > 100


async def test_a_running_task_tells_what_it_does_the_best_so_far_and_what_is_left(
    ask: Ask, tuner: Tuner, tables: Tables
) -> None:
    def law(flags: Flags, scenario: str, concurrency: int) -> LoadPoint | Silence:
        return Silence() if flags.get("speed") == "6" else rig.throughput(flags, scenario, concurrency)

    tables.benchmark.law = law
    made = await ask("create_task", task=TASK)
    await ask("start_task", task=made["id"])
    running = asyncio.create_task(tuner.run(made["id"]))
    while len((await ask("list_experiments", task=made["id"]))["experiments"]) < 3:
        await asyncio.sleep(0.01)
    told = await ask("get_task", task=made["id"])
    assert told["state"] == "running"
    assert told["verdict"].startswith("Not confirmed")
    assert told["best"]["parameters"] == {"speed": 5, "batch": 4}
    progress = told["progress"]
    assert (progress["done"], progress["at_most"]) == (2, 3)
    assert progress["running"]["parameters"] == {"speed": 6, "batch": 4}
    assert {"mean_experiment", "guessed_left"} <= progress.keys()
    table = await ask("list_experiments", task=made["id"])
    assert table["experiments"][0]["state"] == "running"
    ended = await ask("cancel_task", task=made["id"])
    assert ended["state"] == "cancelled"
    assert ended["note"] == "It has ended."
    await running
    assert "resume_task goes on" in (await ask("get_task", task=made["id"]))["note"]


async def test_a_task_that_does_not_end_soon_after_its_cancellation_is_said_to_be_stopping(
    ask: Ask, tuner: Tuner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "CANCEL_S", 0.05)
    made = await ask("create_task", task=TASK)
    await ask("start_task", task=made["id"])
    assert await tuner._store.claim(made["id"], live_owner())  # a worker that does not hear
    told = await ask("cancel_task", task=made["id"])
    assert told["state"] == "running"
    assert told["note"].startswith("Still stopping after 0.05 s")


async def test_a_start_answers_at_once_tells_the_session_and_says_that_no_worker_is_alive(
    context: Context, tuner: Tuner
) -> None:
    heard: list[str] = []

    async def started(task_id: str) -> None:
        heard.append(task_id)

    task = await tuner.create(rig.spec())
    context = replace(context, started=started)
    said = json.loads(await tools.call("start_task", {"task": task.id}, context, call_id="1"))
    assert said["state"] == "queued"
    assert "No worker is alive here" in said["note"]
    assert "`autotuner worker` starts one" in said["note"]
    assert heard == [task.id]
    await tuner.cancel(task.id)
    await tools.call("resume_task", {"task": task.id}, context, call_id="2")
    assert heard == [task.id, task.id]


@pytest.mark.parametrize(
    ("owner", "said"),
    [("live", "A worker takes it up"), ("busy", "Every worker is busy (with "), ("dead", "No worker is alive here")],
)
async def test_a_start_says_who_will_run_the_task(context: Context, tuner: Tuner, owner: str, said: str) -> None:
    await tuner._store.workers.seen(dead_owner() if owner == "dead" else live_owner())
    if owner == "busy":
        other = await tuner.create(rig.spec())
        await tuner.start(other.id)
        assert await tuner._store.claim(other.id, live_owner())
    task = await tuner.create(rig.spec())
    assert said in str((await tools.preview("start_task", {"task": task.id}, context))["worker"])
    assert said in await tools.call("start_task", {"task": task.id}, context, call_id="1")


async def test_a_worker_elsewhere_counts_while_it_says_that_it_lives(context: Context, tuner: Tuner) -> None:
    await tuner._store.workers.seen(REMOTE)
    told = json.loads(await tools.call("worker_status", {}, context, call_id="1"))
    assert told["alive"] == 1
    assert "alive" not in told["workers"][0]
    assert told["workers"][0]["host"] == "elsewhere"


async def test_the_services_own_worker_is_told_of_and_restarted(context: Context, tuner: Tuner) -> None:
    own = Own(alive=False)
    served = replace(context, supervisor=own)  # type: ignore[arg-type]
    task = await tuner.create(rig.spec())
    said = json.loads(await tools.call("start_task", {"task": task.id}, served, call_id="1"))
    assert "restart_worker starts one" in said["note"]
    assert (await tools.preview("restart_worker", {}, served))["note"] == "No worker is alive here: queued tasks wait."
    told = json.loads(await tools.call("restart_worker", {}, served, call_id="2"))
    assert own.restarted == 1
    assert told["own"] == {"alive": True, "pid": 7, "restarts": 0}
    assert "note" not in told


async def test_the_preview_of_a_start_is_its_plan(ask: Ask, context: Context) -> None:
    made = await ask("create_task", task=TASK)
    shown = await tools.preview("start_task", {"task": "chat"}, context)
    assert shown["id"] == made["id"]
    assert shown["plan"] == made["plan"]


async def test_the_preview_of_a_removal_says_what_goes(ask: Ask, context: Context, tuner: Tuner) -> None:
    made = await ask("create_task", task=TASK)
    await ask("start_task", task=made["id"])
    await tuner.run(made["id"])
    facts = {"id": made["id"], "name": "chat", "state": "completed", "experiments": 3}
    assert await tools.preview("delete_task", {"task": "chat"}, context) == facts
    assert (await ask("delete_task", task="chat"))["experiments"] == 3
    assert await tools.preview("delete_task", {"task": "chat"}, context) == {
        "problem": "No task 'chat'; there are none yet."
    }


async def test_a_long_list_of_values_and_a_long_text_are_cut_in_the_answer(ask: Ask) -> None:
    spec = {**TASK, "description": "word " * 1000, "parameters": {"speed": list(range(1, 200))}}
    made = await ask("create_task", task=spec)
    told = (await ask("get_task", task=made["id"]))["spec"]
    assert told["parameters"]["speed"] == "199 values from 1 to 199"
    assert len(told["description"]) == 501
