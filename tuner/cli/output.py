"""Where a command's product goes: standard output, or a file that is not overwritten unasked."""

from pathlib import Path

import click

from tuner.errors import ConflictError, StorageError


def write(content: str | bytes, output: Path | None, *, force: bool) -> None:
    """To standard output where there is no file, or it is `-`; else into the file, whose name is printed.

    Raises:
        ConflictError: the file exists and `force` is not given.
        StorageError: it cannot be written.
    """
    if output is None or str(output) == "-":
        click.echo(content, nl=isinstance(content, str) and not content.endswith("\n"))
        return
    data = content if isinstance(content, bytes) else click.unstyle(content).encode()
    if not data.endswith(b"\n") and isinstance(content, str):
        data += b"\n"
    try:
        with output.open("wb" if force else "xb") as file:
            file.write(data)
    except FileExistsError:
        raise ConflictError(f"{output} exists; --force overwrites it, --output names another file.") from None
    except OSError as error:
        raise StorageError(f"{output} cannot be written: {error.strerror}. --output names another file.") from error
    click.echo(f"Written to {output}")
