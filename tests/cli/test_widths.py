"""What is printed to be copied is printed whole, however wide the terminal."""

import io

import pytest
from rich.console import Console

from tests.fakes import rig
from tuner.cli.commands.validate import show_plan
from tuner.runner.plan import Skipped
from tuner.spec.task import TaskSpec

MODE = "[auto] " + "a-long-word-" * 20 + "end"


def shown(width: int | None, spec: TaskSpec) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=width is not None, color_system=None)
    skipped = (Skipped(reason="'[mode] = 1' does not hold", count=2),)
    show_plan(rig.plan_of(spec).summary().model_copy(update={"skipped": skipped}), console)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 80, 107, 200, None])
def test_a_plan_shows_its_command_and_its_slos_whole(width: int | None) -> None:
    spec = rig.spec(
        parameters={"mode": MODE, "batch": 64}, slo={"ttft": {"p90": {"threshold": "300ms", "hard_fail": True}}}
    )
    command = rig.plan_of(spec).summary().commands[0]
    lines = shown(width, spec)
    assert f"  first: {command}" in lines
    assert command.endswith("64")
    assert "  must hold: p90 time to first token ≤ 300 ms (hard)" in lines
    assert "  skipped 2: '[mode] = 1' does not hold" in lines
