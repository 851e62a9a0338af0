"""Nothing that a tool does blocks the event loop: watched while each runs on a tuner with data."""

import asyncio
import socket
import sys
import threading
import time
from asyncio import events
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import pytest

import tools
from tests.fakes.engine import install_environment
from tests.fakes.rig import spec
from tests.fakes.stores import live_owner
from tools import Context
from tuner.errors import TunerError
from tuner.installs import installations
from tuner.service import Tuner
from tuner.spec import taskfile
from tuner.spec.presets import Preset

BLOCKING = {"sqlite3.connect", "socket.getaddrinfo", "shutil.rmtree", "os.system"}
"""Events of the interpreter's own audit that have no business on the loop's thread."""
LINES = 50_000
"""Lines of Python that one step of the loop may run: counted, as time would depend on what else the machine does."""


@dataclass
class Watch:
    """What the thread of the loop was caught at."""

    thread: int
    caught: list[str] = field(default_factory=list)


_watches: list[Watch] = []


def _audit(event: str, args: tuple[Any, ...]) -> None:
    for watch in _watches:
        if threading.get_ident() == watch.thread:
            if event in BLOCKING or (event == "open" and str(args[0]).endswith((".log", ".svg"))):
                watch.caught.append(f"{event} {args[:1]}")
            elif event == "import" and args[0] == "matplotlib":
                watch.caught.append("import matplotlib")


sys.addaudithook(_audit)


@contextmanager
def watching() -> Iterator[Watch]:
    watch = Watch(threading.get_ident())
    run, sleep = events.Handle._run, time.sleep
    lines = 0

    def counted(frame: FrameType, event: str, arg: object) -> Callable[..., Any]:
        nonlocal lines
        lines += event == "line"
        return counted

    def traced(handle: events.Handle) -> None:
        nonlocal lines
        lines, before = 0, sys.gettrace()
        sys.settrace(counted)
        try:
            run(handle)
        finally:
            sys.settrace(before)
        if lines > LINES:
            watch.caught.append(f"{lines} lines in {handle}")

    def slept(seconds: float) -> None:
        if threading.get_ident() == watch.thread:
            watch.caught.append(f"time.sleep {seconds}")
        sleep(seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(events.Handle, "_run", traced)
        patch.setattr(time, "sleep", slept)
        _watches.append(watch)
        try:
            yield watch
        finally:
            _watches.remove(watch)


async def furnish(tuner: Tuner) -> None:
    """A finished task with logs, one in every other state that a tool wants, a preset, an engine, a worker."""
    made = await tuner.create(spec(task_name="done", parameters={"speed": list(range(1, 10))}))
    await tuner.start(made.id)
    await tuner.run(made.id)
    waiting = await tuner.create(spec(task_name="waiting"))
    await tuner.start(waiting.id)
    await tuner._store.workers.seen(live_owner())
    await tuner.create(spec(task_name="draft"))
    await tuner.cancel((await tuner.create(spec(task_name="stopped"))).id)
    await tuner.save_preset(Preset(name="there"))
    install_environment(tuner.settings.home, "vllm")


NETWORK = {"search_hf_models", "hf_model_info", "hf_download", "hf_cache_scan"} | {
    one for one in tools.TOOLS if "github" in one
}
"""They have tests of their own, beside a server."""
ARGS: dict[str, dict[str, Any]] = {
    "list_tasks": {},
    "get_task": {"task": "done"},
    "list_experiments": {"task": "done"},
    "get_experiment": {"task": "done", "experiment": 3},
    "compare_experiments": {"task": "done", "experiments": [0, 3, 5]},
    "explain_result": {"task": "done"},
    "plot": {"task": "done"},
    "get_task_logs": {"task": "done"},
    "get_experiment_logs": {"task": "done", "search": "/start(ed)+/"},
    "plan_task": {"task": "done"},
    "create_task": {"task": taskfile.dump(spec(parameters={"speed": list(range(1, 61)), "batch": list(range(1, 61))}))},
    "update_task": {"task": "draft", "changes": {"description": "x"}},
    "list_presets": {},
    "save_preset": {"name": "kept", "task": {"benchmark": {"num_concurrency": [2]}}},
    "delete_preset": {"name": "there"},
    "list_engines": {},
    "engine_flags": {"engine": "fake"},
    "hardware_status": {},
    "worker_status": {},
    "list_deployments": {},
    "start_task": {"task": "draft"},
    "cancel_task": {"task": "waiting"},
    "resume_task": {"task": "stopped"},
    "get_current_time": {},
    "sleep": {"seconds": 0.01},
    "restart_worker": {},
    "stop_deployment": {"deployment": "none"},
    "install_engine": {"environment": "vllm-cpu"},
    "delete_task": {"task": "done"},
}
"""In an order that leaves each what it needs."""
REFUSED = {"restart_worker", "stop_deployment", "install_engine"}
"""What they need is not here; that they say so must not block either."""


def test_every_tool_is_watched() -> None:
    assert ARGS.keys() | NETWORK == tools.TOOLS.keys()


async def test_no_tool_blocks_the_loop(tuner: Tuner, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    await furnish(tuner)
    monkeypatch.setattr(installations, "COMMAND", (sys.executable, "-c", "raise SystemExit('no disk')"))
    caught = {}
    for name, args in ARGS.items():
        with watching() as watch:
            await tools.preview(name, args, context)
            if name in REFUSED:
                with pytest.raises(TunerError):
                    await tools.call(name, args, context, call_id="1")
            else:
                await tools.call(name, args, context, call_id="1")
        caught[name] = watch.caught
    assert {name: what for name, what in caught.items() if what} == {}


async def test_the_watch_catches_what_blocks() -> None:
    async def sleep() -> None:
        time.sleep(0)  # noqa: ASYNC251 - this is what must not be

    async def read() -> None:
        socket.getaddrinfo("127.0.0.1", 0)

    async def count() -> None:
        for _ in range(LINES):
            pass

    for blocking, said in ((sleep, "time.sleep"), (read, "socket.getaddrinfo"), (count, " lines in <")):
        with watching() as watch:
            await asyncio.create_task(blocking())
            await asyncio.sleep(0)
        assert said in " ".join(watch.caught)
