"""Child processes: their identity, their sessions, how those end completely, and the remains of dead owners."""

import asyncio
import json
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

import psutil

from tuner.domain import Label
from tuner.errors import DeploymentError, FailureKind
from tuner.machine import log_limit

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where the kernel puts it, not a place for files of ours
GRACE_S = 3.0
"""Between SIGTERM and SIGKILL: vLLM ends in under 2 s, and a cancelled task is to be over within 5."""
KILLED_S = 10.0  # at most, until nobody is left


@dataclass(frozen=True)
class Identity:
    """One process on one machine since one boot; a number that the kernel gives again is another process."""

    host: str
    boot: str
    pid: int
    started: int
    """Clock ticks from boot to the start of the process: no jump of the wall clock changes it."""

    @classmethod
    def current(cls) -> Self:
        return cls(socket.gethostname(), _boot(), os.getpid(), started(os.getpid()) or 0)

    @classmethod
    def parse(cls, text: str) -> Self:
        host, boot, pid, begun = text.rsplit("/", 3)
        return cls(host, boot, int(pid), int(begun))

    @property
    def text(self) -> str:
        return f"{self.host}/{self.boot}/{self.pid}/{self.started}"

    def alive(self) -> bool | None:
        """None where it cannot be told from here: the process runs on another machine."""
        if self.host != socket.gethostname():
            return None
        return self.boot == _boot() and started(self.pid) == self.started


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def started(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None if there is none, or only its zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in ("Z", "X") else int(fields[19])


def inherited() -> dict[str, str]:
    """Our environment for programs that others wrote, without what is ours alone, and without keys of other services.

    An engine runs code that comes with models, and may print all it knows into its log.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if name == "AUTOTUNER_HOME"
        or (not name.upper().startswith("AUTOTUNER_") and not name.upper().endswith("_API_KEY"))
    }


@dataclass
class Child:
    """A child with a process session of its own, so that it and all its children can be found and stopped."""

    process: asyncio.subprocess.Process
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def exit_code(self) -> int | None:
        return self.process.returncode


@asynccontextmanager
async def session(
    argv: Sequence[str],
    env: Mapping[str, str],
    log: Path,
    label: Label,
    registry: Path,
    *,
    stdin: int | None = asyncio.subprocess.DEVNULL,
    stdout: int | None = None,
    url: str | None = None,
) -> AsyncIterator[Child]:
    """Starts a program; on leaving, however that happens, stops everything it started.

    Args:
        env: the whole environment, without the label.
        log: what it prints is appended here; beyond 256 MiB only the last 16 MiB are kept.
        registry: folder where the session is written down until it is gone, so that `reap` finds it after a crash.
        url: where it will answer, for those who list what runs.

    Raises:
        DeploymentError: the program does not exist, or the log or registry cannot be written.
    """
    try:
        registry.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(error) from error
    try:
        with opened(log) as sink:
            process = await asyncio.create_subprocess_exec(
                *argv, env={**env, **label.env}, stdin=stdin, stdout=stdout or sink, stderr=sink, start_new_session=True
            )
    except OSError as error:
        kind = FailureKind.CRASHED if isinstance(error, FileNotFoundError) else FailureKind.INFRASTRUCTURE
        raise DeploymentError(kind, f"{argv[0]} cannot be started: {error.strerror}.") from error
    entry = registry / f"{label.task_id}-{label.experiment}-{process.pid}.json"
    keeper = asyncio.create_task(log_limit.keep(log))
    try:
        noted = {
            "pid": process.pid,
            "started": started(process.pid),
            "task_id": label.task_id,
            "owner": label.owner,
            "experiment": label.experiment,
            "argv": list(argv),
            "url": url,
            "log": str(log),
            "gpus": env.get("CUDA_VISIBLE_DEVICES", ""),
        }
        try:
            entry.write_text(json.dumps(noted))
        except OSError as error:
            raise _unwritable(error) from error
        yield Child(process, log)
    finally:
        keeper.cancel()
        await stop(process, GRACE_S, label)
        entry.unlink(missing_ok=True)


def opened(log: Path) -> BinaryIO:
    """A log, made where it is missing, to append to.

    Raises:
        DeploymentError: it cannot be written.
    """
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        return log.open("ab")
    except OSError as error:
        raise _unwritable(error) from error


def _unwritable(error: OSError) -> DeploymentError:
    what = error.filename or "The data folder"  # a full disk is known by no name
    return DeploymentError(FailureKind.INFRASTRUCTURE, f"{what} cannot be written: {error.strerror}.")


async def stop(process: asyncio.subprocess.Process, grace_s: float = 0.0, label: Label | None = None) -> None:
    """Ends a child that leads a session, with everything in it, and reaps it; also where the caller is cancelled.

    Args:
        grace_s: from SIGTERM to SIGKILL; 0: it is killed at once.
        label: whoever carries it is killed too, in whatever session.
    """
    await asyncio.shield(_stop(process, grace_s, label))


async def _stop(process: asyncio.subprocess.Process, grace_s: float, label: Label | None) -> None:
    shared = _shared_memory(members(process.pid))
    if process.returncode is None and grace_s:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), grace_s)
    await asyncio.to_thread(end, process.pid, label)
    await process.wait()
    _remove(shared)


def end(leader: int, label: Label | None = None) -> None:
    """Kills a session, its group by one signal, so that nobody sees another go first; and who carries the label."""
    _kill(lambda: [*members(leader), *(_carriers(label) if label is not None else ())], leader)


def _kill(left: Callable[[], Sequence[psutil.Process]], group: int | None = None) -> None:
    """Until nobody is left: a child may fork while we look. Zombies are left to their parents, who reap them."""
    processes, deadline = left(), time.monotonic() + KILLED_S
    shared = _shared_memory(processes)
    if group is not None and processes:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    while processes and time.monotonic() < deadline:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        time.sleep(0.01)
        processes = left()
    _remove(shared)


def _carriers(label: Label) -> list[psutil.Process]:
    marks = (label.task_id, str(label.experiment), label.owner)
    return [one for one in psutil.process_iter() if _marks(one) == marks and one.pid != os.getpid()]


def _marks(process: psutil.Process) -> tuple[str, str, str] | None:
    """The label in a process's environment. A program that renames itself may have written over it."""
    try:
        env = process.environ()
    except (psutil.Error, OSError):
        return None
    marks = env.get("AUTOTUNER_TASK"), env.get("AUTOTUNER_EXPERIMENT"), env.get("AUTOTUNER_OWNER")
    return marks if all(marks) else None  # type: ignore[return-value]


def _shared_memory(processes: Iterable[psutil.Process]) -> set[Path]:
    """The segments these processes use, made since they started: what a killed one cannot unlink itself."""
    found = set()
    for process in processes:
        with suppress(psutil.Error, OSError):
            begun = process.create_time()
            # Not psutil's memory_maps: it has the kernel count every page, 100 ms for an engine.
            for line in Path(f"/proc/{process.pid}/maps").read_text(errors="replace").splitlines():
                path = Path(line[line.find("/") :])
                if path.is_relative_to(SHARED_MEMORY) and path.exists() and path.stat().st_ctime >= begun - 1:
                    found.add(path)
    return found


def _remove(segments: Iterable[Path]) -> None:
    for segment in segments:
        with suppress(OSError):
            segment.unlink(missing_ok=True)


def reap(registry: Path, task_id: str | None = None) -> list[str]:
    """Kills sessions that nobody looks after any more, and says which.

    Args:
        task_id: this task's, whoever owns them (the caller holds its lease); None: every task's whose owner is dead.
    """
    reaped = []
    for entry in sorted(registry.glob("*.json")):
        try:
            noted = json.loads(entry.read_text())
            pid, begun, task, owner = noted["pid"], noted["started"], noted["task_id"], noted["owner"]
        except (ValueError, KeyError, OSError):
            entry.unlink(missing_ok=True)  # half-written when its owner was killed; the labels below still find it
            continue
        if not _abandoned(task, owner, task_id):
            continue
        now = started(pid)
        if now is None or now == begun:  # else the number has been given to a stranger
            reaped += [f"process {process.pid} of task {task}" for process in members(pid)]
            end(pid)
        entry.unlink(missing_ok=True)
    strays = [
        (process, marks[0])
        for process in psutil.process_iter()
        if (marks := _marks(process)) and process.pid != os.getpid() and _abandoned(marks[0], marks[2], task_id)
    ]
    reaped += [f"process {process.pid} of task {task}" for process, task in strays]
    _kill(lambda: [process for process, _ in strays if process.is_running() and started(process.pid) is not None])
    return reaped


def end_owned(registry: Path) -> None:
    """Kills every session that this process started."""
    mine = Identity.current().text
    for entry in registry.glob("*.json"):
        with suppress(ValueError, KeyError, OSError):
            noted = json.loads(entry.read_text())
            if noted["owner"] == mine:
                end(noted["pid"])
                entry.unlink(missing_ok=True)


def members(leader: int) -> list[psutil.Process]:
    """All processes of the session that `leader` opened, zombies left out."""
    found = []
    for pid in psutil.pids():
        with suppress(ProcessLookupError, psutil.NoSuchProcess, PermissionError):
            if os.getsid(pid) == leader and started(pid) is not None:
                found.append(psutil.Process(pid))
    return found


def _abandoned(task: str, owner: str, task_id: str | None) -> bool:
    if owner == Identity.current().text:
        return False
    if task_id is not None:
        return task == task_id
    try:
        return Identity.parse(owner).alive() is False
    except ValueError:
        return False
