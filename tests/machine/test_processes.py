"""How a child ends with all that it started."""

import asyncio
import signal
import sys
import time

import pytest

from tuner.machine import processes

PARENT = """
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL)
signal.signal(signal.SIGTERM, lambda *_: {on_term})
print(child.pid, flush=True)
child.wait()
"""


async def launched(on_term: str) -> tuple[asyncio.subprocess.Process, int]:
    """A program, and its child, which ignores SIGTERM."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT.format(on_term=on_term), stdout=asyncio.subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    return process, int(await process.stdout.readline())


@pytest.mark.parametrize(
    ("on_term", "grace_s", "code"),
    [("sys.exit(7)", 30.0, 7), ("None", 0.2, -signal.SIGKILL), ("sys.exit(7)", 0.0, -signal.SIGKILL)],
    ids=["polite", "deaf", "at once"],
)
async def test_a_child_is_asked_then_killed_with_its_children_and_reaped(
    on_term: str, grace_s: float, code: int
) -> None:
    process, grandchild = await launched(on_term)
    began = time.monotonic()
    await processes.stop(process, grace_s)
    assert time.monotonic() - began < 10
    assert process.returncode == code
    assert processes.started(grandchild) is None


async def test_a_caller_that_is_cancelled_leaves_nothing_running() -> None:
    process, grandchild = await launched("None")
    stopping = asyncio.create_task(processes.stop(process, 0.2))
    await asyncio.sleep(0.05)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    assert await asyncio.wait_for(process.wait(), 10) == -signal.SIGKILL
    while processes.started(grandchild) is not None:
        await asyncio.sleep(0.01)


def test_programs_of_others_inherit_no_key_of_any_service(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {"HF_TOKEN": "t", "AUTOTUNER_HOME": "/h", "API_KEYS": "x", "VLLM_CACHE_ROOT": "/c"}
    dropped = ("VLLM_API_KEY", "SGLANG_API_KEY", "OPENAI_API_KEY", "some_api_key", "AUTOTUNER_LLM_API_KEY")
    for name, value in {**kept, **dict.fromkeys(dropped, "secret")}.items():
        monkeypatch.setenv(name, value)
    inherited = processes.inherited()
    assert inherited.items() >= kept.items()
    assert not inherited.keys() & {*dropped}
