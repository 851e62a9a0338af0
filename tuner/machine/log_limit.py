"""Keeps the log of a process short, while the process writes it."""

import asyncio
import os
from contextlib import suppress
from pathlib import Path

LIMIT_BYTES = 256 * 2**20
KEPT_BYTES = 16 * 2**20


async def keep(log: Path) -> None:
    """Cuts it where it grows over the limit. Its writer appends, so what comes follows what was kept."""
    while True:
        await asyncio.sleep(1)
        with suppress(OSError):
            if log.stat().st_size > LIMIT_BYTES:
                await asyncio.to_thread(_cut, log)


def _cut(log: Path) -> None:
    with log.open("r+b", buffering=0) as file:
        place = file.seek(-KEPT_BYTES, os.SEEK_END)
        end = os.pwrite(file.fileno(), b"[the log grew over 256 MiB; what came before was dropped]\n", 0)
        # Also what is written meanwhile; shortened last, so that followers find what they read at every moment.
        while read := os.pread(file.fileno(), KEPT_BYTES, place):
            end, place = end + os.pwrite(file.fileno(), read, end), place + len(read)
        file.truncate(end)
