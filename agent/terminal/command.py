"""`autotuner chat`: what it takes, and who talks to whom."""

import asyncio
import os
import sys
from pathlib import Path

import click


@click.command(epilog="Exit codes: 0 done, 1 failed, 2 bad input, 3 a call needed an approval and was denied, 130 "
                      "left by Ctrl-C.")  # fmt: skip
@click.option("--session", metavar="ID", help="Go on with this session: its id, or the start of it.")
@click.option("--new", is_flag=True, help="Begin a session; by default the one last used goes on.")
@click.option(
    "--message", metavar="TEXT", help="Say this in a session of its own, print the answer and end; - reads it."
)
@click.option("--yes", is_flag=True, help="Approve every call that asks. What the policy denies stays denied.")
@click.option("--json", "as_json", is_flag=True, help="With --message: print the answer and its calls as JSON.")
@click.option(
    "--script",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Type the lines of FILE, each when the assistant is ready; `approve` and `reject WHY` decide, `wait` waits "
    "for the tasks.",
)
@click.option("--no-worker", is_flag=True, help="Bring no worker, also where none is alive.")
def chat(
    session: str | None, new: bool, message: str | None, yes: bool, as_json: bool, script: Path | None, no_worker: bool
) -> None:
    """Talk to the assistant: it tunes, asks before it acts, and explains.

    With --message nobody is there to approve: what would ask is denied, unless --yes is given or the policy allows it.
    """
    if session is not None and new:
        raise click.UsageError("--session goes on with a session and --new begins one: give one of them.")
    if message is not None and script is not None:
        raise click.UsageError("--message says one thing and --script many: give one of them.")
    if as_json and message is None:
        raise click.UsageError("--json belongs to --message.")
    # Only here: these libraries take seconds to load, and `--help` should not.
    from agent.errors import InvalidInputError
    from agent.terminal.opening import ChatOptions, run

    options = ChatOptions(
        session=session,
        new=new,
        message=sys.stdin.read() if message == "-" else message,
        approve_all=yes,
        as_json=as_json,
        script=script,
        worker=not no_worker,
        editor=_editor(),
    )
    try:
        code = asyncio.run(run(options))
    except InvalidInputError as error:
        click.echo(f"Error: {error}", err=True)
        code = 2
    raise SystemExit(code)


def _editor() -> str | None:
    """What people set for it; only where it has a terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return None
    return os.environ.get("VISUAL") or os.environ.get("EDITOR") or None
