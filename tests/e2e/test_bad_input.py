"""The command line in a hostile world: readers that leave, terminals that close, machines that lack something."""

import os
import pty
import re
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import psutil
import pytest
import yaml

from tests.fakes.command import ROOT, Command, small_task

pytestmark = pytest.mark.slow

PATIENCE_S = 60
LONG = {"max-num-seqs": [2, 4, 6, 8, 10, 12], "sim-speed": 8}


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Command:
    return Command(tmp_path_factory.mktemp("a user") / "data")


@pytest.fixture(autouse=True)
def nothing_runs_on(command: Command) -> Iterator[None]:
    yield
    assert not [p.pid for p in psutil.process_iter() if _home(p) == str(command.home)]


def _home(process: psutil.Process) -> str | None:
    try:
        return process.environ().get("AUTOTUNER_HOME")
    except (psutil.Error, OSError):
        return None


def state(command: Command, name: str) -> str:
    return next(str(row["state"]) for row in command.tasks() if row["name"] == name)


def shell(command: Command, line: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a line of bash, in which `tuner` is the command line."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", f'tuner() {{ "$PYTHON" -m tests.fakes.main "$@"; }}; {line}'],
        env={**command.env, "PYTHON": sys.executable, **(env or {})},
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip


def on_a_terminal(command: Command, name: str, *, until: str, then: str) -> tuple[int, str]:
    """Tunes on a pseudo-terminal; `then` is typed once `until` is read. An empty `then` closes the terminal.

    Returns:
        The exit code and everything that was printed.
    """
    file = command.file(name, small_task(task_name=name, parameters=LONG))
    child, terminal = pty.fork()
    if child == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a test run in the background ignores it, and hands that on
        os.chdir(ROOT)
        os.execve(
            sys.executable, [sys.executable, "-m", "tests.fakes.main", "tune", file], {**command.env, "TERM": "xterm"}
        )
    shown, typed, deadline = b"", until == "Start", time.monotonic() + PATIENCE_S
    try:
        while time.monotonic() < deadline:
            if select.select([terminal], [], [], 0.1)[0]:
                try:
                    shown += os.read(terminal, 65536)
                except OSError:  # the other end is closed
                    break
            if b"Start?" in shown and not typed:
                os.write(terminal, b"y\n")
                typed = True
            # A Ctrl-C between the print of a question and the read of its answer is heard with the next key only.
            if re.search(until.encode(), shown) and psutil.Process(child).status() == psutil.STATUS_SLEEPING:
                if not then:
                    break
                os.write(terminal, then.encode())
                until = "(?!)"
    finally:
        os.close(terminal)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), shown.decode(errors="replace")


def test_ctrl_c_at_the_question_starts_nothing(command: Command) -> None:
    code, shown = on_a_terminal(command, "asked", until="Start", then="\x03")
    assert code == 130
    assert "Traceback" not in shown
    assert "asked" not in {row["name"] for row in command.tasks()}


def test_ctrl_c_cancels_and_says_how_to_go_on(command: Command) -> None:
    code, shown = on_a_terminal(command, "interrupted", until="measuring", then="\x03")
    assert code == 130
    assert "autotuner resume" in shown
    assert state(command, "interrupted") == "cancelled"


def test_a_terminal_that_closes_cancels(command: Command) -> None:
    code, _ = on_a_terminal(command, "hung-up", until="measuring", then="")
    assert code in (1, 130)
    assert state(command, "hung-up") == "cancelled"


def test_a_hang_up_cancels_where_there_is_no_terminal(command: Command) -> None:
    running = command.start("tune", command.file("hup", small_task(task_name="hup", parameters=LONG)))
    assert running.stdout is not None
    while "experiment #" not in running.stdout.readline():
        assert running.poll() is None
    running.send_signal(signal.SIGHUP)
    _, errors = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 130
    assert "Traceback" not in errors
    assert state(command, "hup") == "cancelled"


def test_a_reader_that_leaves_cancels_quietly(command: Command) -> None:
    file = command.file("left", small_task(task_name="left", parameters=LONG))
    done = shell(command, f"tuner tune '{file}' | sed -n '/^experiment/q'")
    assert done.stderr == ""
    assert done.returncode == 1
    assert state(command, "left") == "cancelled"


def test_output_that_cannot_be_written_is_said(command: Command) -> None:
    file = command.file("no-room", small_task(task_name="no-room"))
    done = shell(command, f"tuner tune '{file}' > /dev/full")
    assert done.stderr == "Error: the output cannot be used: No space left on device.\n"
    assert done.returncode == 1


def test_a_terminal_without_unicode_gets_question_marks(command: Command) -> None:
    file = command.file("ascii", small_task(task_name="größe 🚀"))
    done = shell(command, f"tuner validate '{file}'", {"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert "Task gr??e ?" in done.stdout
    assert "D(64,16) ? 8" in done.stdout


def test_where_nothing_completes_the_exit_code_says_so(command: Command) -> None:
    parameters = {"sim-hang": True, "max-num-seqs": [2]}
    optimization = {"strategy": "grid_search", "confirm": 0, "timeout_per_iteration": 1}
    task = small_task(task_name="hanging", parameters=parameters, optimization=optimization)
    done = command.run("tune", command.file("hanging", task), expect=1)
    assert "sim-hang=true" in done.stdout
    assert "Nothing completed" in done.stdout
    assert state(command, "hanging") == "completed"


def test_a_database_that_stays_locked_leaves_a_task_that_can_be_resumed(command: Command) -> None:
    file = command.file("locked", small_task(task_name="locked", parameters=LONG))
    impatient = {"AUTOTUNER_DATABASE_URL": f"sqlite:///{command.home}/autotuner.db?timeout=0.3"}
    running = command.start("tune", file, "--max-experiments", "2", env=impatient)
    assert running.stdout is not None
    while "tok/s" not in running.stdout.readline():
        assert running.poll() is None
    with closing(sqlite3.connect(command.home / "autotuner.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        _, errors = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 1
    found = re.search(r"stays locked by another process.* Then go on with: autotuner resume (\w+)", errors)
    assert found, errors
    command.run("resume", found[1])


@pytest.mark.parametrize(
    ("arguments", "env", "said"),
    [
        (["--mode", "docker"], {}, "Deployment mode docker is not available"),
        (["--max-experiments", "0"], {}, "0 is not in the range"),
        (["--budget", "nonsense"], {}, "no duration 'nonsense'; write seconds, or 90s"),
        (["--model-path", "/nowhere"], {}, "there is no folder '/nowhere'"),
        ([], {"AUTOTUNER_PORT_LOW": "many"}, "AUTOTUNER_PORT_LOW is 'many'"),
        ([], {"AUTOTUNER_HOME": "/dev/null/home"}, "Set AUTOTUNER_HOME to a folder that can be written"),
    ],
)
def test_what_cannot_be_is_one_message_and_no_traceback(
    command: Command, arguments: list[str], env: dict[str, str], said: str
) -> None:
    started = command.start("tune", command.file("plain", small_task()), *arguments, env=env)
    _, errors = started.communicate(timeout=PATIENCE_S)
    assert started.returncode in (1, 2)
    assert said in errors
    assert "Traceback" not in errors


def test_problems_of_the_plan_have_lines_too(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    benchmark = {**small_task()["benchmark"], "traffic_scenarios": ["dataset"], "dataset_url": "file:///etc/passwd"}
    task = small_task(parameters={"max-num-seqz": [2, 8]}, benchmark=benchmark)
    path.write_text(yaml.safe_dump(task, sort_keys=False))
    said = command.run("validate", str(path), expect=2).stderr
    assert re.search(r"line \d+, parameters\.max-num-seqz: .*did you mean max-num-seqs\?", said)
    assert re.search(r"line \d+, benchmark\.dataset_url: .*only http and https", said)
