"""A process that begins a turn in a session, and never comes to its end by itself: `HOME SESSION`; prints its run."""

import asyncio
import sys
from pathlib import Path

from tests.fakes.talk import Say, talk


async def main(home: Path, session_id: str) -> None:
    async with talk(home, [Say("word " * 10_000, pause_s=0.01)], session_id=session_id) as one:
        print(await one.assistant.send(session_id, "count"), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
