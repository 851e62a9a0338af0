"""What `validate` says of noise: what past tasks had here, where they measured again often enough."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.fakes import rig
from tests.fakes.results import experiment, point
from tests.fakes.world import kept
from tuner.analysis.noise import pooled
from tuner.cli import main
from tuner.service import Tuner
from tuner.settings import Settings
from tuner.spec import taskfile

RATES = [100.0, 104.0, 97.0, 101.0, 99.0]
MADE = rig.spec(benchmark={"num_concurrency": 8}, optimization={"confirm": 8})


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A task, and a data folder that is not there yet."""
    rig.install(monkeypatch)
    monkeypatch.setenv("AUTOTUNER_HOME", str(tmp_path / "data"))
    path = tmp_path / "task.yaml"
    path.write_text(taskfile.dump(MADE))
    return str(path)


def said(*arguments: str) -> str:
    outcome = CliRunner().invoke(main, ["validate", *arguments])
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout


def fill() -> None:
    async def keep() -> None:
        async with Tuner.open(Settings()) as tuner:
            levels = [[point(8, scenario=rig.SCENARIO, rate=rate)] for rate in RATES]
            ran = [experiment(n, one, task=MADE, confirms=0 if n else None) for n, one in enumerate(levels)]
            await kept(tuner, MADE, ran)

    asyncio.run(keep())


def test_the_noise_of_past_tasks_decides_which_gain_would_show(file: str) -> None:
    fill()
    plan = json.loads(said(file, "--json"))["plan"]
    assert plan["noise"] == pytest.approx(pooled([RATES]))
    assert "2.6 % from run to run, as past tasks had it here" in said(file)


def test_before_any_task_the_noise_is_assumed_and_no_data_folder_is_made(file: str, tmp_path: Path) -> None:
    plan = json.loads(said(file, "--json"))["plan"]
    assert plan["noise"] is None
    assert "if that is the noise here" in said(file)
    assert not (tmp_path / "data").exists()
