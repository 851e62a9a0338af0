"""Editing of a text by a person: in the editor that they set, or else in the prompt."""

import asyncio
import os
import shlex
import tempfile
from pathlib import Path

from agent.terminal.screen.plain import Screen
from tuner.errors import UnavailableError

HINT = "Alt-Enter takes it, Ctrl-C leaves it as it was:\n"


async def edit(screen: Screen, text: str, editor: str | None) -> str | None:
    """The text as it was left; None: it was given up.

    Raises:
        UnavailableError: the editor cannot be run, or failed.
    """
    if editor is None:
        return await screen.ask(HINT, message=False, text=text)
    async with screen.aside():
        return await _with(editor, text)


async def _with(editor: str, text: str) -> str:
    descriptor, name = tempfile.mkstemp(prefix="autotuner-", suffix=".yaml")  # for this user's eyes only
    path = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        process = await asyncio.create_subprocess_exec(*shlex.split(editor), name)
        code = await process.wait()
        if code != 0:
            raise UnavailableError(f"The editor {editor!r:.100} ended with code {code}; nothing was changed.")
        return path.read_text("utf-8", errors="replace")
    except (OSError, ValueError) as error:
        raise UnavailableError(
            f"The editor {editor!r:.100} cannot be run: {error}. Set EDITOR to one that can, or to nothing."
        ) from error
    finally:
        path.unlink(missing_ok=True)
