"""Every simulated example runs as it stands, with the real load generator; the known optimum is found."""

import json
from pathlib import Path

import pytest
import yaml

from tests.fakes.command import ROOT, Command
from tuner.machine.environments import find
from tuner.settings import Settings

pytestmark = pytest.mark.bench

SIMULATED = sorted(path.name for path in (ROOT / "examples").glob("simulated*.yaml"))


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Command:
    installed = Settings()
    if find(installed.home, ["genai-bench"]) is None:
        pytest.skip("genai-bench is not installed (autotuner engine install genai-bench)")
    home = tmp_path_factory.mktemp("examples") / "home"
    home.mkdir()
    (home / "engines").symlink_to(installed.engines)
    return Command(home)


@pytest.mark.parametrize("name", [name for name in SIMULATED if name != "simulated.yaml"])
def test_a_simulated_example_runs_to_a_result(command: Command, name: str) -> None:
    file = ROOT / "examples" / name
    given = yaml.safe_load(file.read_text())
    tool, task_name = given["benchmark"].get("tool", "genai-bench"), given["task_name"]
    if find(Settings().home, [tool]) is None:
        pytest.skip(f"{tool} is not installed (autotuner engine install {tool})")
    command.run("tune", str(file), "--yes", "--max-experiments", "3", timeout=600)
    result = json.loads(command.run("report", task_name, "--format", "json").stdout)
    assert result["state"] == "completed"
    assert result["simulated"] is True
    assert [e["state"] for e in result["experiments"]].count("completed") >= 2
    for experiment in result["experiments"]:
        for point in experiment["points"]:
            assert (
                point["failure"] is not None or Path(command.home / "runs" / result["task_id"] / point["raw"]).is_file()
            )


@pytest.mark.alone
def test_the_known_optimum_is_found(command: Command) -> None:
    command.run("tune", str(ROOT / "examples" / "simulated.yaml"), "--yes", timeout=900)
    task_name = yaml.safe_load((ROOT / "examples" / "simulated.yaml").read_text())["task_name"]
    result = json.loads(command.run("report", task_name, "--format", "json").stdout)
    winner = next(e for e in result["experiments"] if e["number"] == result["winner"])
    assert (winner["params"]["flags"]["max-num-seqs"], winner["params"]["flags"]["max-num-batched-tokens"]) == (32, 256)
    assert result["verdict"]["outcome"] == "proven"
