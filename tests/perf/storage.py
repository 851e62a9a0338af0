"""How much a conversation leaves on the disk: 50 turns, each with a tool's answer of 20 KB, on SQLite.

    python -m tests.perf.storage [--turns 50] [--answer 20000]

Exits 1 where the databases come to more than 25 MB in all.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.fakes.talk import Call, Say, outcome, talk

LIMIT_MB = 25


async def converse(home: Path, turns: int, answer: int) -> int:
    """The most that lay on the disk after a turn, in bytes."""
    dump = [Say("I read it.", calls=[Call("dump", {"size": answer})]), Say("This is what it says. " * 20)]
    most = 0
    async with talk(home, [say for _ in range(turns) for say in dump]) as one:
        for number in range(turns):
            ended = outcome(await one.say(f"Read part {number}."))
            assert ended == "done", ended
            most = max(most, sum(file.stat().st_size for file in home.rglob("*") if file.is_file()))
    return most


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=50)
    parser.add_argument("--answer", type=int, default=20_000, help="characters")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        size = await converse(Path(folder), options.turns, options.answer) / 1e6
    verdict = "PASS" if size < LIMIT_MB else "FAIL"
    print(f"{verdict}  {options.turns} turns with {options.answer} characters each: {size:.1f} MB, limit {LIMIT_MB} MB")
    return 0 if size < LIMIT_MB else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
