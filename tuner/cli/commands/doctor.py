"""`autotuner doctor`: what this machine has, what is missing, and how to get it."""

import json
import os
import platform
import shutil
import sys
from dataclasses import asdict, dataclass

import click
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from tuner.benchmarks import BENCHMARKS
from tuner.cli.opened import with_tuner
from tuner.engines import ENGINES
from tuner.errors import TunerError
from tuner.machine import hardware
from tuner.machine.environments import find
from tuner.settings import Settings

LOW_DISK_GIB = 10


@dataclass(frozen=True)
class Finding:
    what: str
    ok: bool
    says: str
    """What was found, or what to do."""
    needed: bool = True
    """Nothing can be tuned without it."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(as_json: bool) -> None:
    """Say what this machine has, what is missing, and how to get it.

    Exits with 0 if a task can run here, with 1 if something needed is missing.
    """
    settings = Settings()
    findings = [*_machine(settings), _store(settings), *_engines(settings), *_benchmarks(settings)]
    ok = all(finding.ok for finding in findings if finding.needed)
    if as_json:
        click.echo(json.dumps({"ok": ok, "findings": [asdict(finding) for finding in findings]}, indent=2))
    else:
        table = Table(*(Column(overflow="fold") for _ in range(3)), box=None, show_header=False, pad_edge=False)
        for finding in findings:
            mark = "[green]ok[/]" if finding.ok else "[red]missing[/]" if finding.needed else "[dim]no[/]"
            table.add_row(mark, finding.what, Text(finding.says))
        Console(soft_wrap=True).print(table)
    sys.exit(0 if ok else 1)


def _machine(settings: Settings) -> list[Finding]:
    found = hardware.survey()
    place = settings.home
    while not place.exists():
        place = place.parent
    free_gib = shutil.disk_usage(place).free / 2**30
    gpus = ", ".join(f"{gpu.name} ({gpu.free_gib:.0f} of {gpu.memory_gib:.0f} GiB free)" for gpu in found.gpus)
    bound = f" ({hardware.VISIBLE} bounds them)" if hardware.VISIBLE in os.environ else ""
    return [
        Finding("python", True, platform.python_version()),
        Finding("processor", True, f"{found.cpus} cores, {found.memory_gib:.0f} GiB of memory"),
        Finding("GPU", bool(gpus), (gpus or "none seen by NVML: engines run on the CPU") + bound, needed=False),
        Finding(
            "disk",
            free_gib > LOW_DISK_GIB,
            f"{free_gib:.0f} GiB free under {place}"
            + ("" if free_gib > LOW_DISK_GIB else f"; an engine needs {LOW_DISK_GIB}: set AUTOTUNER_HOME"),
            needed=False,
        ),
    ]


def _store(settings: Settings) -> Finding:
    try:
        _, total = with_tuner(lambda tuner: tuner.tasks(limit=1))
        return Finding("store", True, f"{total} tasks in {settings.home}")
    except TunerError as error:
        return Finding("store", False, str(error))


def _engines(settings: Settings) -> list[Finding]:
    findings, any_real = [], False
    for name, engine in ENGINES.items():
        if not engine.recipes:
            continue
        found = find(settings.home, tuple(engine.recipes))
        any_real = any_real or found is not None
        says = f"{found.version} ({found.name})" if found else "autotuner engine install " + " | ".join(engine.recipes)
        findings.append(Finding(name, found is not None, says, needed=False))
    if not any_real:
        findings.append(
            Finding("an engine", False, "install one of those above; what is built in is for dry runs only")
        )
    return findings


def _benchmarks(settings: Settings) -> list[Finding]:
    found = []
    for name, make in BENCHMARKS.items():
        lacks = make(settings.home).missing()
        found.append(Finding(name, lacks is None, lacks or "installed"))
    return found
