"""A process in the middle of an approved call, until somebody kills it."""

import asyncio
import sys
from pathlib import Path

from agent.domain import Approve
from tests.fakes.gated import Toolbox, gated
from tests.fakes.scripted_model import Call, Say


async def main(folder: Path) -> None:
    toolbox = Toolbox(hold=asyncio.Event(), trace=folder / "trace")
    async with gated(folder, [Say(calls=[Call("launch", {"task": "x"})])], toolbox=toolbox) as gate:
        await gate.send()
        await gate.ledger.decide(gate.session_id, (await gate.approval()).id, Approve(), "tester")
        turn = asyncio.create_task(gate.resume())
        await toolbox.running.wait()
        print("running", flush=True)
        await turn


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
