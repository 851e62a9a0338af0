"""`list`, `show`, `report`, `export`: reading what is in the store."""

import asyncio
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook

from tests.fakes.results import spec, sweep
from tuner.cli import main
from tuner.domain import TaskState
from tuner.service import Tuner
from tuner.settings import Settings


@pytest.fixture
def task_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A finished task in a data folder of its own, and one that was only written down."""
    monkeypatch.setenv("AUTOTUNER_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)

    async def fill() -> str:
        async with Tuner.open(Settings()) as tuner:
            task = await tuner._store.add(spec())
            await tuner._store.queue(task.id)
            lease = await tuner._store.claim(task.id, "test")
            assert lease is not None
            for experiment in sweep(task.spec):
                await tuner._store.record(lease, experiment=experiment)
            await tuner._store.finish(lease, TaskState.COMPLETED, gain=0.13)
            await tuner._store.add(spec(task_name="other", model="big"))
            return task.id

    return asyncio.run(fill())


def run(*arguments: str, code: int = 0) -> Result:
    outcome = CliRunner().invoke(main, list(arguments))
    assert outcome.exit_code == code, outcome.output
    return outcome


def test_list_shows_tasks_newest_first_and_finds_them(task_id: str) -> None:
    lines = run("list").stdout.splitlines()
    assert [line.split()[1] for line in lines[1:]] == ["other", "chat"]
    assert "33 (2 failed)" in lines[2]
    assert "+13 %" in lines[2]
    assert task_id in run("list", "--search", "chat", "--state", "completed").stdout
    assert run("list", "--search", "nowhere").stdout == "No task fits.\n"
    assert "… and 1 more" in run("list", "--limit", "1").stdout


def test_list_as_json_has_a_total(task_id: str) -> None:
    listed = json.loads(run("list", "--json", "--limit", "1").stdout)
    assert listed["total"] == 2
    assert [task["name"] for task in listed["tasks"]] == ["other"]


def test_an_empty_list_says_how_to_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOTUNER_HOME", str(tmp_path))
    assert run("list").stdout == "No tasks yet. Start one: autotuner tune FILE\n"


def test_show_has_the_task_its_file_and_its_ranking(task_id: str) -> None:
    text = run("show", "chat <&> load").stdout
    assert f"id       {task_id}" in text
    assert "state    completed" in text
    assert "max-num-seqs: [2, 8, 32, 128]" in text
    assert "Proven: experiment 16" in text
    data = json.loads(run("show", task_id, "--json").stdout)
    assert data["task"]["id"] == task_id
    assert len(data["experiments"]) == 33


def test_show_tells_one_experiment_in_full(task_id: str) -> None:
    text = run("show", task_id, "--experiment", "16").stdout
    assert "experiment 16: candidate, completed" in text
    assert "parameters  max-num-seqs 32, max-num-batched-tokens 512, MODE b" in text
    assert "D(256,32) × 32: 528 output tokens/s, TTFT 336 ms (p90 505 ms)" in text
    assert "failed      out_of_memory: Not enough memory" in run("show", task_id, "--experiment", "23").stdout
    assert json.loads(run("show", task_id, "--experiment", "16", "--json").stdout)["number"] == 16


@pytest.mark.parametrize("command", ["show", "report", "export"])
def test_an_unknown_task_is_bad_input(task_id: str, command: str) -> None:
    assert "nowhere" in run(command, "nowhere", code=2).stderr


def test_an_unknown_experiment_is_bad_input(task_id: str) -> None:
    error = run("show", task_id, "--experiment", "99", code=2).stderr
    assert error == f"Error: No experiment 99 in task {task_id}, which has experiments 0 to 32.\n"


def test_documents_go_into_a_file_named_after_the_task_and_never_overwrite_unasked(
    task_id: str, tmp_path: Path
) -> None:
    for kind in ("html", "xlsx"):
        assert run("report", task_id, "--format", kind).stdout == f"Written to chat-load.{kind}\n"
        assert "exists; --force overwrites it" in run("report", task_id, "--format", kind, code=1).stderr
        run("report", task_id, "--format", kind, "--force")
    assert (tmp_path / "chat-load.html").read_text().startswith("<!doctype html>")
    assert "Levels" in load_workbook(tmp_path / "chat-load.xlsx").sheetnames


def test_reports_go_to_standard_output_or_where_they_are_sent(task_id: str, tmp_path: Path) -> None:
    assert json.loads(run("report", task_id, "--format", "json").stdout)["task_id"] == task_id
    assert run("report", task_id, "--format", "csv").stdout.startswith("task,engine,")
    piped = run("report", task_id, "--format", "xlsx", "--output", "-").stdout_bytes
    assert load_workbook(io.BytesIO(piped)).sheetnames[0] == "Summary"
    run("report", task_id, "--output", "table.txt")
    assert "Proven" in (tmp_path / "table.txt").read_text()
    missing = str(tmp_path / "missing" / "table.txt")
    assert "No such file or directory" in run("report", task_id, "--output", missing, code=1).stderr


def test_export_writes_the_command_or_the_task(task_id: str, tmp_path: Path) -> None:
    assert run("export", task_id).stdout.endswith("--port 8000 --max-num-seqs 32 --max-num-batched-tokens 512\n")
    run("export", task_id, "--as", "task", "--output", "again.yaml")
    assert (tmp_path / "again.yaml").read_text().startswith("task_name: chat <&> load")


def test_a_task_without_a_result_has_no_command(task_id: str) -> None:
    error = run("export", "other", code=1).stderr
    assert "has no configuration to export. Nothing was measured yet." in error
