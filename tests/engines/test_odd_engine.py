"""An engine that spells everything differently is tuned, listed and exported right: nobody reads an argv back."""

import asyncio
import shlex
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import yaml

from tests.fakes.command import small_task
from tests.fakes.odd_engine import OddEngine, parser
from tests.fakes.quick_benchmark import QuickBenchmark
from tuner.benchmarks import BENCHMARKS
from tuner.domain import TaskState
from tuner.engines import ENGINES
from tuner.report.artifacts import ARTIFACTS
from tuner.service import Tuner
from tuner.settings import Settings
from tuner.spec import taskfile

pytestmark = pytest.mark.slow


@pytest.fixture
async def tuner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tuner]:
    monkeypatch.setitem(ENGINES, "odd", OddEngine())
    monkeypatch.setitem(BENCHMARKS, "quick", QuickBenchmark)
    async with Tuner.open(Settings(_env_file=None, home=tmp_path / "home")) as opened:
        yield opened


def parsed(words: Sequence[str]) -> tuple[str, str, int, int]:
    """As the engine reads its arguments."""
    given = parser().parse_args(list(words))
    return given.model, given.bind, given.server_port, given.max_num_seqs


async def test_it_is_tuned_listed_and_exported_by_its_own_spelling(tuner: Tuner, tmp_path: Path) -> None:
    model = tmp_path / "a model"
    model.mkdir()
    for name in ("config.json", "tokenizer.json"):
        (model / name).write_text("{}")
    made = small_task(base_runtime="odd", model=str(model), parameters={"max-num-seqs": [2, 16]})
    task = await tuner.start((await tuner.create(taskfile.validate(made))).id)
    running = asyncio.create_task(tuner.run(task.id))
    while not (listed := await tuner.deployments()):
        assert not running.done()
    assert (await running).state is TaskState.COMPLETED
    [engine] = [one for one in listed if one.kind == "engine"]
    _, host, port, _ = parsed(engine.argv[3:])
    assert engine.url == f"http://{host}:{port}"

    result = await tuner.result(task.id)
    assert result.winner is not None
    winner = result.experiment(result.winner)
    seqs = int(winner.params.flags.get("max-num-seqs", 8))
    assert parsed(winner.command[3:])[::3] == (str(model), seqs)
    words = shlex.split(str(ARTIFACTS["command"].render(result)).splitlines()[-1])
    assert words[words.index("-m") + 1] == "tests.fakes.odd_engine"
    assert parsed(words[words.index("-m") + 2 :]) == (str(model), "127.0.0.1", 8000, seqs)
    assert "ODD_FORGETS" not in " ".join(words)

    (service,) = yaml.safe_load(ARTIFACTS["compose"].render(result))["services"].values()
    assert service["entrypoint"] == ["python3", "-m", "tests.fakes.odd_engine"]
    assert parsed(service["command"]) == ("/model", "0.0.0.0", 8000, seqs)
    assert service["volumes"][0]["source"] == str(model)
    assert service["image"] == "odd/engine-cpu:latest"

    deployment, _front = yaml.safe_load_all(ARTIFACTS["kubernetes"].render(result))
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert (container["command"], container["args"]) == (service["entrypoint"], service["command"])
    assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
