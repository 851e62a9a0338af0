"""The command line, end to end on the simulated engine: what a user types and reads."""

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import psutil
import pytest
import yaml

from tests.fakes.command import ROOT, Command, small_task

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Command:
    return Command(tmp_path_factory.mktemp("a user") / "data folder")


@pytest.fixture(scope="module")
def tuned(command: Command) -> dict[str, Any]:
    """A finished task, with what was printed in a pipe."""
    task = small_task(
        task_name="tuned",
        optimization={"strategy": "grid_search", "confirm": 1, "timeout_per_iteration": 60},
        slo={"ttft": {"p90": {"threshold": 2.0, "hard_fail": True}}},
    )
    done = command.run("tune", command.file("tuned", task))
    listed = next(row for row in command.tasks() if row["name"] == "tuned")
    return {"id": listed["id"], "row": listed, "printed": done.stdout, "task": task}


def test_a_run_in_a_pipe_tells_its_story_in_plain_lines(tuned: dict[str, Any]) -> None:
    printed = tuned["printed"]
    assert "\x1b" not in printed
    assert "experiment #0, 1 of 9 (baseline): sim-speed=20" in printed
    assert re.search(r"experiment #\d, \d of 9 \(confirmation\)", printed)
    assert "D(64,16) × 8: " in printed
    assert "simulated" in printed


def test_the_finished_task_is_listed_with_its_counts_and_no_gain_that_is_not_proven(tuned: dict[str, Any]) -> None:
    row = tuned["row"]
    assert (row["state"], row["failed"]) == ("completed", 0)
    assert row["completed"] == 1 + 4 + tuned["printed"].count("(confirmation)")
    assert row["gain"] is None, "one round proves nothing"


def test_experiments_are_recorded_as_they_were_launched(command: Command, tuned: dict[str, Any]) -> None:
    for experiment in command.experiments(tuned["id"]):
        flags = experiment["params"]["flags"]
        argv = experiment["command"]
        for name, value in flags.items():
            assert argv[argv.index(f"--{name}") + 1] == str(value)
        assert len(experiment["points"]) == 2
        for point in experiment["points"]:
            assert (command.home / "runs" / tuned["id"] / point["raw"]).is_file()


def test_every_report_format_tells_the_same_winner(command: Command, tuned: dict[str, Any], tmp_path: Path) -> None:
    winner = json.loads(command.run("report", tuned["id"], "--format", "json").stdout)["winner"]
    table = command.run("report", "tuned", "--format", "table").stdout
    assert f"{winner}" in table
    rows = list(csv.DictReader(io.StringIO(command.run("report", "tuned", "--format", "csv").stdout)))
    assert len(rows) == 2 * tuned["row"]["completed"]
    xlsx, html = tmp_path / "r.xlsx", tmp_path / "r.html"
    command.run("report", "tuned", "--format", "xlsx", "--output", str(xlsx))
    command.run("report", "tuned", "--format", "html", "--output", str(html))
    assert "Experiments" in openpyxl.load_workbook(xlsx).sheetnames
    page = html.read_text()
    assert "<svg" in page
    assert "<script" not in page
    assert "http://" not in page.replace("http://www.w3.org", "").replace("http://127.0.0.1", "")


def test_the_exported_command_starts_the_winner_and_the_exported_task_loads(
    command: Command, tuned: dict[str, Any]
) -> None:
    exported = command.run("export", "tuned", "--as", "command").stdout
    assert "tuner.engines.simulated.server" in exported
    assert "AUTOTUNER_" not in exported
    task = yaml.safe_load(command.run("export", "tuned", "--as", "task").stdout)
    again = command.run("validate", command.file("exported", task), "--json")
    assert json.loads(again.stdout)["valid"] is True


def test_logs_are_those_of_the_experiment_asked_for(command: Command, tuned: dict[str, Any]) -> None:
    assert "simulated" in command.run("logs", "tuned", "--experiment", "0").stdout
    assert "tokens/s" in command.run("logs", "tuned", "--benchmark").stdout
    refused = command.run("logs", "tuned", "--experiment", "99", expect=2)
    assert "no log of experiment 99" in refused.stderr


def test_a_followed_log_ends_with_its_task(command: Command, tuned: dict[str, Any]) -> None:
    assert "simulated" in command.run("logs", "tuned", "-f").stdout


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("show", "nothing"), "nothing"),
        (("tune", "missing.yaml"), "missing.yaml"),
        (("report", "tuned", "--format", "pdf"), "pdf"),
        (("resume", "tuned"), "completed"),
        (("cancel", "tuned"), "completed"),
    ],
)
def test_what_cannot_be_done_is_said_without_a_traceback(
    command: Command, tuned: dict[str, Any], args: tuple[str, ...], says: str
) -> None:
    refused = command.run(*args, expect=None)
    assert refused.returncode in (1, 2)
    assert says in refused.stderr
    assert "Traceback" not in refused.stderr


def test_validate_shows_the_plan_or_every_problem(command: Command) -> None:
    plan = command.json("validate", command.file("good", small_task()))["plan"]
    assert (plan["experiments"], plan["candidates"]) == (5, 4)
    bad = small_task(
        base_runtime="simulated", optimisation={}, parameters={"max-num-seq": [1], "attention-backend": ["x"]}
    )
    refused = command.run("validate", command.file("bad", bad), "--json", expect=2)
    problems = json.loads(refused.stdout)["problems"]
    assert any("optimization" in problem["message"] for problem in problems)


def test_misspelt_and_abbreviated_flags_and_foreign_values_fail_before_anything_starts(command: Command) -> None:
    bad = small_task(parameters={"max-num-seq": [1, 2], "attention-backend": ["x"], "sim-speed": 20})
    refused = command.run("tune", command.file("flags", bad), expect=2)
    assert "max-num-seqs" in refused.stderr
    assert "attention-backend" in refused.stderr


@pytest.mark.parametrize("mode", ["docker", "ome"])
def test_a_mode_that_is_not_there_yet_is_said_and_not_pretended(command: Command, mode: str) -> None:
    file = command.file(mode, small_task(deployment_mode=mode))
    assert f"Deployment mode {mode} is not available" in command.run("tune", file, expect=1).stderr
    assert f"Deployment mode {mode} is not available" in command.run("validate", file).stdout


def test_doctor_names_what_is_missing_and_how_to_get_it(command: Command) -> None:
    found = command.run("doctor", "--json", expect=None)
    findings = {finding["what"]: finding for finding in json.loads(found.stdout)["findings"]}
    assert found.returncode == 1
    assert "autotuner engine install" in findings["vllm"]["says"]
    assert "autotuner engine install genai-bench" in findings["genai-bench"]["says"]


def test_failing_configurations_are_results_with_a_class(command: Command) -> None:
    task = small_task(
        task_name="failing",
        parameters={"max-num-seqs": [8, 64], "sim-oom-seqs": [32, 1024], "sim-speed": 20},
    )
    command.run("tune", command.file("failing", task))
    task_id = next(row["id"] for row in command.tasks() if row["name"] == "failing")
    by_params = {
        (e["params"]["flags"].get("max-num-seqs"), e["params"]["flags"].get("sim-oom-seqs")): e
        for e in command.experiments(task_id)
    }
    failed = by_params[(64, 32)]["failure"]
    assert failed["kind"] == "out_of_memory"
    assert failed["lines"]
    assert by_params[(64, 1024)]["failure"] is None


def test_deleting_a_task_removes_its_files_too(command: Command) -> None:
    command.run("tune", command.file("gone", small_task(task_name="gone", parameters={"sim-speed": [20, 30]})))
    task_id = next(row["id"] for row in command.tasks() if row["name"] == "gone")
    command.run("delete", "gone", "--yes")
    assert not (command.home / "runs" / task_id).exists()
    command.run("show", task_id, expect=2)


def test_help_loads_no_command_and_names_every_one() -> None:
    script = (
        "import sys\nfrom tuner.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print([m for m in ('sqlalchemy', 'optuna', 'matplotlib', 'alembic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")
    for name in ("tune", "validate", "report", "doctor"):
        assert f"  {name} " in done.stdout


@pytest.fixture(autouse=True, scope="module")
def nothing_runs_on(command: Command) -> Iterator[None]:
    yield
    left = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("AUTOTUNER_HOME") == str(command.home):
                left.append(process.cmdline())
        except (psutil.Error, OSError):
            continue
    assert left == []
