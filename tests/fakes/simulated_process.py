"""The simulated engine as a real process on a free port."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MODEL = "demo"


@dataclass(frozen=True)
class SimulatedProcess:
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        """Waits until it says where it listens."""
        while True:
            said = self.log.read_text()
            if "listening on " in said:
                return said.partition("listening on ")[2].split()[0]
            assert self.process.poll() is None, said
            time.sleep(0.01)


@contextmanager
def simulated(*flags: str, env: Mapping[str, str] | None = None) -> Iterator[SimulatedProcess]:
    argv = [sys.executable, "-m", "tuner.engines.simulated.server", "--port", "0", "--model", MODEL, *flags]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "engine.log"
        with log.open("wb") as file:
            process = subprocess.Popen(argv, stdout=file, stderr=file, env={**os.environ, **(env or {})})
        try:
            yield SimulatedProcess(process, log)
        finally:
            process.kill()
            process.wait()
