"""`autotuner chat` as a user's shell runs it: one shot, in a pipe, by a script, at a terminal."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.fakes.command import ROOT, Command, small_task
from tests.fakes.quick_benchmark import QuickBenchmark
from tests.fakes.terminal import CTRL_C, CTRL_D, ENTER, Terminal
from tuner.benchmarks import BENCHMARKS
from tuner.service import Tuner
from tuner.settings import Settings
from tuner.spec import taskfile

pytestmark = pytest.mark.slow

CHAT = [sys.executable, "-m", "tests.fakes.main", "chat"]
QUESTION = "allow for this session"


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Command]:
    command = Command(tmp_path / "data folder")
    command.home.mkdir()
    yield command
    command.close()


@pytest.fixture
def terminals(command: Command) -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for one in opened:
        one.close()


def at_terminal(command: Command, terminals: list[Terminal], *args: str, **env: str) -> Terminal:
    opened = Terminal.start([*CHAT, *args], env={**command.env, **env}, cwd=ROOT)
    terminals.append(opened)
    opened.shows("/help")
    return opened


def draft(command: Command, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> str:
    """A task that is written down, and takes a few seconds once it is started."""
    monkeypatch.setitem(BENCHMARKS, "quick", QuickBenchmark)

    async def create() -> str:
        async with Tuner.open(Settings(_env_file=None, home=command.home)) as tuner:
            return (await tuner.create(taskfile.validate(small_task(**changes)))).id

    return asyncio.run(create())


# One shot


def test_one_shot_answers_on_standard_output_alone(command: Command) -> None:
    done = command.run("chat", "--message", "list tasks")
    assert done.stdout == "There is no task.\n\n"
    assert "list_tasks" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_what_would_ask_is_denied_and_ends_with_3(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    task = draft(command, monkeypatch)
    done = command.run("chat", "--message", f"start {task}", expect=3)
    assert "nobody is here to approve it" in done.stderr
    assert command.tasks()[0]["state"] == "created"
    said = json.loads(command.run("chat", "--message", f"start {task}", "--json", expect=3).stdout)
    assert (said["denied"], said["outcome"], said["tasks"]) == (["start_task"], "done", [])


def test_yes_approves_what_asks(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    task = draft(command, monkeypatch)
    done = command.run("chat", "--message", f"start {task}", "--yes", "--json")
    assert json.loads(done.stdout)["tasks"] == [task]
    assert "start_task runs (--yes)" in done.stderr
    assert "at most 5: 4 candidates, the baseline" in done.stderr
    assert command.tasks()[0]["state"] == "queued"


def test_what_the_policy_allows_runs_and_what_it_denies_does_not_even_with_yes(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = draft(command, monkeypatch)
    policy = command.home / "policy.yaml"
    policy.write_text("deny: [start_task]\n")
    command.run("chat", "--message", f"start {task}", "--yes", expect=3)
    assert command.tasks()[0]["state"] == "created"
    policy.write_text("allow: [start_task]\n")
    command.run("chat", "--message", f"start {task}")
    assert command.tasks()[0]["state"] == "queued"


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (["--message", "  "], "The message is empty"),
        (["--message", "hi", "--session", "nothing"], "nothing"),
        (["--new", "--session", "a"], "give one of them"),
        (["--message", "hi", "--script", "x"], "give one of them"),
        (["--json"], "belongs to --message"),
        (["--script", "/nowhere.chat"], "cannot be read"),
        (["--script", "/dev/null"], "nothing to type"),
    ],
)
def test_bad_input_ends_with_2(command: Command, args: list[str], why: str) -> None:
    assert why in command.run("chat", *args, expect=2).stderr


def test_a_setting_that_cannot_be_used_ends_with_2(command: Command) -> None:
    process = command.start("chat", "--message", "hi", env={"AUTOTUNER_MAX_STEPS": "many"})
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "AUTOTUNER_MAX_STEPS is " in err


def test_a_model_that_cannot_be_reached_ends_with_1(command: Command) -> None:
    env = {"AUTOTUNER_LLM_MODEL": "none", "AUTOTUNER_LLM_BASE_URL": "http://127.0.0.1:9/v1"}
    process = command.start("chat", "--message", "hi", env=env)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert out == ""
    assert "127.0.0.1:9" in err


def test_one_shot_goes_on_with_a_session(command: Command) -> None:
    first = json.loads(command.run("chat", "--message", "hello", "--json").stdout)
    second = json.loads(command.run("chat", "--message", "help", "--session", first["session_id"][:8], "--json").stdout)
    assert second["session_id"] == first["session_id"]
    assert second["model"] == "offline"


# In a pipe


def piped(
    command: Command, text: str, *args: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CHAT, "--no-worker", *args],
        input=text, env={**command.env, **(env or {})}, cwd=ROOT, capture_output=True, timeout=120, check=False,
        encoding=(env or {}).get("PYTHONIOENCODING", "utf-8"),
    )  # fmt: skip


def test_a_pipe_is_a_conversation_in_plain_lines(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    task = draft(command, monkeypatch)
    done = piped(command, f"start {task}\nn not now\n/audit\nlast line without an end")
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert f"› start {task}" in done.stdout
    assert "start_task: rejected, not now." in done.stdout
    assert "did not understand “last line" in done.stdout
    assert command.tasks()[0]["state"] == "created"


def test_a_reader_that_goes_away_ends_it_in_silence(command: Command) -> None:
    process = command.start("chat", "--message", "help")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    with process.stderr as stderr:
        assert "Traceback" not in stderr.read()
    assert process.wait(60) == 1


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_of_few_characters_gets_those(command: Command, encoding: str) -> None:
    done = piped(command, "hello\n", env={"PYTHONIOENCODING": encoding})
    assert done.returncode == 0, done.stderr
    assert "> hello" in done.stdout
    assert "?" not in done.stdout.split("> hello")[1]


# By a script


def test_a_script_tunes_and_waits_for_the_report(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    task = draft(command, monkeypatch)
    script = tmp_path / "small.chat"
    script.write_text(f"start {task}\napprove\nwait\nexplain\n")
    done = command.run("chat", "--script", str(script))
    assert "experiment #0, 1 of 5 (baseline)" in done.stdout
    assert f'Task {task} "small" has ended: completed.' in done.stdout
    assert command.tasks()[0]["state"] == "completed"
    assert not [
        one
        for one in psutil.process_iter(["environ"])
        if (one.info["environ"] or {}).get("AUTOTUNER_HOME") == str(command.home)
    ]


def test_sigterm_leaves_in_good_order(command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    task = draft(command, monkeypatch, parameters={"sim-speed": [0.2, 0.3]})
    script = tmp_path / "small.chat"
    script.write_text(f"start {task}\napprove\nwait\n")
    process = command.start("chat", "--script", str(script))
    assert process.stdout is not None
    while "experiment #0" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert "goes on in the next one" in err


# At a terminal


def test_a_task_is_tuned_at_a_terminal(
    command: Command, terminals: list[Terminal], monkeypatch: pytest.MonkeyPatch
) -> None:
    task = draft(command, monkeypatch)
    at = at_terminal(command, terminals)
    at.type(f"start {task}{ENTER}")
    card = at.shows(QUESTION)
    assert "May start_task run?" in card
    assert "at most 5: 4 candidates, the baseline" in card
    at.type(f"y{ENTER}")
    at.shows("is queued")
    at.shows(f"task {task} small")  # the line of its progress; what comes later in it is drawn over it in pieces
    at.shows("tok/s (#0)")
    at.shows("has ended: completed.")
    at.type(f"/tasks{ENTER}")
    at.shows("completed")
    at.type(CTRL_D)
    assert at.ends() == 0
    history = command.home / "chat_history"
    assert history.stat().st_mode & 0o777 == 0o600
    assert f"+start {task}" in history.read_text()


def test_an_approval_survives_the_death_of_the_chat(
    command: Command, terminals: list[Terminal], monkeypatch: pytest.MonkeyPatch
) -> None:
    task = draft(command, monkeypatch)
    first = at_terminal(command, terminals, "--no-worker")
    first.type(f"start {task}{ENTER}")
    first.shows(QUESTION)
    first.process.kill()
    assert first.ends() == -signal.SIGKILL
    second = at_terminal(command, terminals, "--no-worker")
    second.shows(f"› start {task}")
    second.shows(QUESTION)
    second.type(f"y{ENTER}")
    second.shows("is queued")
    second.type(f"/quit{ENTER}")
    assert second.ends() == 0
    assert command.tasks()[0]["state"] == "queued"


def test_ctrl_c_withdraws_the_call_and_twice_leaves(
    command: Command, terminals: list[Terminal], monkeypatch: pytest.MonkeyPatch
) -> None:
    task = draft(command, monkeypatch)
    at = at_terminal(command, terminals, "--no-worker")
    at.type(f"start {task}{ENTER}")
    at.shows(QUESTION)
    at.type(CTRL_C)
    at.shows("start_task: cancelled")
    at.shows("›")
    at.type(CTRL_C)
    at.shows("once more")
    at.type(CTRL_C)
    assert at.ends() == 130
    assert command.tasks()[0]["state"] == "created"


def test_no_color_is_honoured_at_a_terminal(command: Command, terminals: list[Terminal]) -> None:
    at = at_terminal(command, terminals, "--no-worker", NO_COLOR="1")
    at.type(f"help{ENTER}")
    at.shows("Follow and steer")
    at.type(CTRL_D)
    assert at.ends() == 0
    assert not any(f"\x1b[{code}m" in at.raw for code in range(30, 50))


def test_the_terminal_is_left_as_it_was(command: Command, terminals: list[Terminal]) -> None:
    at = at_terminal(command, terminals, "--no-worker")
    at.shows("›")
    at.process.send_signal(signal.SIGTERM)
    assert at.ends() == 128 + signal.SIGTERM
    assert at.raw.count("\x1b[?2004h") == at.raw.count("\x1b[?2004l")
