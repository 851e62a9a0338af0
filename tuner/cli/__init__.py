"""The command line: `autotuner COMMAND`. To add a command: write it, list it here."""

import errno
import io
import logging
import sys
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

import click

from tuner.errors import InvalidSettingsError, InvalidSpecError, NotFoundError, TunerError

COMMANDS = {
    "tune": ("tuner.cli.commands.tune:tune", "Tune a model as a task file says."),
    "validate": ("tuner.cli.commands.validate:validate", "Check a task file and show the plan; nothing is started."),
    "list": ("tuner.cli.commands.list_:list_command", "List tasks, newest first."),
    "show": ("tuner.cli.commands.show:show", "Show a task and its experiments."),
    "logs": ("tuner.cli.commands.logs:logs", "Print the log of an experiment, or follow it."),
    "report": ("tuner.cli.commands.report:report", "Report a task's result, to read or to hand on."),
    "recompute": ("tuner.cli.commands.recompute:recompute", "Compute a report's figures again from the raw requests."),
    "export": ("tuner.cli.commands.export:export", "Write the best configuration to be used elsewhere."),
    "cancel": ("tuner.cli.commands.control:cancel", "Stop a task; finished experiments stay."),
    "resume": ("tuner.cli.commands.control:resume", "Go on with a task that stopped before its end."),
    "delete": ("tuner.cli.commands.control:delete", "Remove a task with its experiments and files."),
    "worker": ("tuner.cli.commands.worker:worker", "Run queued tasks until stopped."),
    "engine": ("tuner.cli.commands.engine:engine", "Install engines, list them and their flags."),
    "demo": ("tuner.cli.commands.demo:demo", "Make what a first try needs: a tiny model."),
    "doctor": ("tuner.cli.commands.doctor:doctor", "Say what this machine has, what is missing, and how to get it."),
}
"""Name → where it is and what it does. A command is imported when it is run, so that `--help` is quick."""


@cache
def table() -> dict[str, tuple[str, str]]:
    """Ours, and those of the packages above us, which the tuner never imports by itself."""
    return COMMANDS | {found.name: found.load() for found in entry_points(group="autotuner.commands")}


class CommandGroup(click.Group):
    """Loads its commands lazily and turns the tuner's errors into messages and exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(table())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in table():
            return None
        module, _, name = table()[cmd_name][0].partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("CommandGroup"):
            formatter.write_dl([(name, what) for name, (_, what) in table().items()])

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (InvalidSpecError, InvalidSettingsError, NotFoundError) as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(2)
        except TunerError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(1)
        except (KeyboardInterrupt, click.Abort):
            click.echo("Stopped.", err=True)
            ctx.exit(130)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # nobody reads on: click ends in silence
            click.echo(f"Error: {error.filename or 'the output'} cannot be used: {error.strerror}.", err=True)
            ctx.exit(1)


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="autotuner")
@click.option("--debug", is_flag=True, help="Log what the tuner does, to standard error.")
def main(debug: bool) -> None:
    """Finds the fastest safe way to serve a language model, by measuring it.

    Exit codes: 0 done, 1 failed, 2 bad input, 130 cancelled.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without × and ≤ shows ? in their place
    logging.basicConfig(
        level=logging.INFO if debug else logging.ERROR,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
