"""Keeps one worker alive beside a service: a child process, started again when it ends, gone when its parent is."""

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from tuner.errors import UnavailableError
from tuner.machine import processes
from tuner.settings import Settings
from tuner.spec.values import Frozen

log = logging.getLogger(__name__)

COMMAND: tuple[str, ...] = (sys.executable, "-P", "-m", "tuner.cli", "worker", "--with-parent")
"""`-P`: a folder `tuner` where the service happens to be started is not ours."""
BACK_OFF_S, BACK_OFF_AT_MOST_S = 1.0, 60.0
"""Before a worker that ended is started again; doubled each time."""
SETTLED_S = 60.0
"""After a worker that lived so long the next pause is the shortest again."""
FAREWELL_S = 20.0
"""A worker that stops stops its engine first, which takes a few seconds."""
RESTART_S = 60.0
LOG_BYTES = 10 * 2**20


class SupervisorStatus(Frozen):
    pid: int | None
    """Of the worker; None: there is none now."""
    alive: bool
    restarts: int
    """Workers started after the first."""
    started_at: datetime | None
    """Of this worker."""


class Supervisor:
    """Restarts a worker process whenever it ends. Use it by `async with Supervisor.open(settings)`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: asyncio.subprocess.Process | None = None
        self._started_at: datetime | None = None
        self._launches = 0
        self._asked = asyncio.Event()
        self._changed = asyncio.Condition()

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings) -> AsyncIterator[Self]:
        """A worker on this data folder, until the context is left; what it runs then goes on in the next worker."""
        supervisor = cls(settings)
        keeping = asyncio.create_task(supervisor._keep())
        try:
            yield supervisor
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    def status(self) -> SupervisorStatus:
        alive = self._process is not None and self._process.returncode is None
        return SupervisorStatus(
            pid=self._process.pid if self._process is not None and alive else None,
            alive=alive,
            restarts=max(0, self._launches - 1),
            started_at=self._started_at if alive else None,
        )

    async def restart(self) -> None:
        """Stops the worker and starts another; the task it ran goes on there, its interrupted experiment anew.

        Raises:
            UnavailableError: none could be started.
        """
        before = self._launches
        self._asked.set()
        try:
            async with asyncio.timeout(RESTART_S), self._changed:
                await self._changed.wait_for(lambda: self._launches > before)
        except TimeoutError:
            raise UnavailableError(f"No worker could be started in {RESTART_S:g} s; {self.log} may say why.") from None

    @property
    def log(self) -> Path:
        """What the workers print."""
        return self._settings.home / "logs" / "worker.log"

    async def _keep(self) -> None:
        pause_s = BACK_OFF_S
        while True:
            began = time.monotonic()
            try:
                await self._live()
            except OSError as error:
                log.error("the worker cannot be started: %s", error)
            if time.monotonic() - began >= SETTLED_S:
                pause_s = BACK_OFF_S
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), pause_s)
            pause_s = BACK_OFF_S if self._asked.is_set() else min(2 * pause_s, BACK_OFF_AT_MOST_S)
            self._asked.clear()

    async def _live(self) -> None:
        """One worker, from its start until it ends by itself or is asked to."""
        process = self._process = await self._launch()
        asked = asyncio.create_task(self._asked.wait())
        ended = asyncio.create_task(process.wait())
        try:
            self._started_at = datetime.now(UTC)
            async with self._changed:
                self._launches += 1
                self._changed.notify_all()
            await asyncio.wait([asked, ended], return_when=asyncio.FIRST_COMPLETED)
            if not asked.done():
                log.warning("the worker ended with code %d; %s may say why", ended.result(), self.log)
        finally:
            asked.cancel()
            await asyncio.shield(self._end(process))
            await asyncio.gather(asked, ended, return_exceptions=True)

    async def _launch(self) -> asyncio.subprocess.Process:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_name("worker.1.log"))
        with self.log.open("ab") as sink:
            # Its own session: Ctrl-C is for the service, which then says farewell to it. The pipe, which nobody writes
            # to, ends with this process, however that ends.
            return await asyncio.create_subprocess_exec(
                *COMMAND, env=self._env(), stdin=asyncio.subprocess.PIPE, stdout=sink, stderr=sink,
                start_new_session=True,
            )  # fmt: skip

    def _env(self) -> Mapping[str, str]:
        """Ours, with the settings that we were given, wherever they came from."""
        settings, url = self._settings, self._settings.database_url
        given = {
            "AUTOTUNER_HOME": str(settings.home),
            "AUTOTUNER_DATABASE_URL": url.get_secret_value() if url else "",
            "AUTOTUNER_PORT_LOW": str(settings.port_low),
            "AUTOTUNER_PORT_HIGH": str(settings.port_high),
            "AUTOTUNER_LEASE_S": str(settings.lease_s),
        }
        return {**os.environ, **given}

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        """Stops the worker; one that had to be killed leaves processes, which are stopped too."""
        if process.returncode is not None:
            return
        await processes.stop(process, FAREWELL_S)
        if process.returncode == -signal.SIGKILL:
            log.warning("the worker did not stop in %g s and was killed", FAREWELL_S)
            await asyncio.to_thread(processes.reap, self._settings.processes)
