"""Small programs that behave like engines, well and badly: argv for a child process."""

import sys
from collections.abc import Mapping
from pathlib import Path

from tuner.launch import PORT, Installation, Launch, Program

HERE = Installation("here", Path(sys.executable), "")

SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"ok")
    def log_message(self, *args): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVER

FAMILY = (
    """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
subprocess.Popen([sys.executable, "-c", "import os, time; os.setsid(); time.sleep(600)"])
subprocess.Popen([sys.executable, "-c", "import os, signal, time; os.setpgid(0, 0); "
                  "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"])
"""
    + SERVER
)

SHARED = (
    """
from multiprocessing import resource_tracker, shared_memory
segment = shared_memory.SharedMemory(create=True, size=4096)
resource_tracker.unregister("/" + segment.name.lstrip("/"), "shared_memory")
print("segment", segment.name, flush=True)
"""
    + SERVER
)

FLOOD = (
    """
import sys
line = "x" * 1023 + chr(10)
for _ in range(300 * 1024):
    sys.stdout.write(line)
sys.stdout.flush()
"""
    + SERVER
)

DIES = "import sys; print('cannot go on: the disk is on fire'); sys.exit(3)"


def launch(program: str, env: Mapping[str, str] | None = None) -> Launch:
    return Launch(
        program=Program(words=("python3",)),
        args=("-c", program, PORT),
        env=dict(env or {}),
        model="m",
        served_model="m",
        health_path="/",
    )
