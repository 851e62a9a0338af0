"""Every way of reading a log shows the same: no secret, nothing that a terminal obeys, all lines, in little memory."""

import asyncio
import json
import os
import tracemalloc
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import httpx
import pytest
from click.testing import CliRunner
from httpx_sse import aconnect_sse

import tools
from api.app import create_app
from tests.fakes import rig
from tests.fakes.http import asked, server_settings
from tests.fakes.results import experiment, spec
from tests.fakes.rig import Death, FakeDeployment
from tests.fakes.world import kept, world
from tools import Context, ToolSettings
from tuner.cli import main
from tuner.machine.processes import Identity
from tuner.report.formats import FORMATS
from tuner.service import Tuner
from tuner.settings import Settings

pytestmark = pytest.mark.slow

SECRET = "S3sameOpenThyself9"
GIB = 2**30
MOST_MEMORY = 64 * 2**20

BEFORE = b"the beginning\n"
"""Then comes a line of 1 GiB."""
PLANTED = "\n".join(
    [
        f" hf_{SECRET} at the end of a very long line",
        f"HF_TOKEN=hf_{SECRET}",
        f"\x1b[31mred\x1b[0m\x07\x00 \x1b]0;title\x07 \u202eturned \x9b1m hf_{SECRET}",
        f"step\x1b[0mhf_{SECRET}",
        "hf_S3same\x1b[1mOpenThy\x1b[0mself9abc",
        f" 10%|#  |\r 20%|## |step\rhf_{SECRET}\rdone",
        f"{'x' * 490} hf_{SECRET}",
        f"{chr(27)}[1m".join("y" * 400) + f" hf_{SECRET} {'z' * 100_000}",
        f"{'y' * (2**16 - 10)} hf_{SECRET}",
        f'password="two words {SECRET}',
        f"postgresql://me:{SECRET}@host/db",
        "-----BEGIN RSA PRIVATE KEY-----",
        *[f"{SECRET}{'A' * 46}"] * 30,
        f"{SECRET}=",
        "-----END RSA PRIVATE KEY-----",
        "the end so far",
        "half a token hf_S3sa",
    ]
).encode()  # fmt: skip
"""Cut within a token."""
MEANWHILE = b"meOpenThyself9\nhf_S3sameOpenThyself9 written meanwhile\n"
MUCH = b"".join(b"line %06d %s\n" % (number, b"." * 480) for number in range(5000)) + b"the last word"
"""More than 2 MiB, which is all that is looked at of an end."""


def plant(log: Path, hole: int = GIB) -> None:
    """What an engine printed so far."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        file.write(BEFORE)
        file.seek(hole, os.SEEK_CUR)
        file.write(PLANTED)


def add(log: Path, text: bytes) -> None:
    with log.open("ab") as file:
        file.write(text)


@dataclass(frozen=True)
class There:
    """A task that has ended, whose two logs somebody still writes."""

    home: Path
    task: str
    monkeypatch: pytest.MonkeyPatch

    @property
    def logs(self) -> tuple[Path, Path]:
        runs = Settings(_env_file=None, home=self.home).runs(self.task)
        return runs / "0" / "engine.log", runs / "benchmark.log"

    def write(self, text: bytes) -> None:
        for log in self.logs:
            add(log, text)

    def asking(self, ask: Callable[[Tuner], Coroutine[Any, Any, str]]) -> str:
        async def go() -> str:
            async with Tuner.open(Settings(_env_file=None, home=self.home)) as tuner:
                return await ask(tuner)

        return asyncio.run(go())

    def http(self, ask: Callable[[httpx.AsyncClient], Coroutine[Any, Any, str]]) -> str:
        async def go(tuner: Tuner) -> str:
            async with asked(create_app(tuner, None, server=server_settings())) as client:
                return await ask(client)

        return self.asking(go)

    def command(self, *arguments: str, code: int = 0) -> str:
        self.monkeypatch.setenv("AUTOTUNER_HOME", str(self.home))
        done = CliRunner().invoke(main, list(arguments))
        assert done.exit_code == code, done.output
        return done.output

    def tool(self, name: str, **arguments: object) -> str:
        async def go(tuner: Tuner) -> str:
            context = Context(tuner, ToolSettings(_env_file=None, github_repo=None, hf_offline=True))
            answer = json.loads(await tools.call(name, {"task": self.task, **arguments}, context, call_id="1"))
            return str(answer["log"]["text"])

        return self.asking(go)


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> There:
    async def fill() -> str:
        async with Tuner.open(Settings(_env_file=None, home=tmp_path / "home")) as tuner:
            return (await kept(tuner, spec(), [experiment(0, task=spec())])).id

    there = There(tmp_path / "home", asyncio.run(fill()), monkeypatch)
    for log in there.logs:
        plant(log)
    return there


@pytest.fixture(autouse=True)
def little_memory(there: There) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()


def check(shown: str) -> None:
    """Nothing of the secret, and nothing but text."""
    parts = {SECRET[at : at + 6] for at in range(len(SECRET) - 5)}
    assert [line[:600] for line in shown.split("\n") if any(part in line for part in parts)] == []
    assert [one for one in shown if not one.isprintable() and one not in "\n\t"] == []
    assert max(map(len, shown.split("\n"))) < 600


# Its end


async def excerpt(tuner: Tuner, task: str, **asked: Any) -> str:
    return "\n".join((await tuner.logs(task, **asked)).lines)


async def got(client: httpx.AsyncClient, path: str) -> str:
    return "\n".join((await client.get(path)).raise_for_status().json()["lines"])


def deployed(there: There) -> str:
    """As the page asks for the log of what runs: this process passes for an engine."""
    registry = there.home / "processes"
    registry.mkdir()
    me = Identity.current()
    note = {"pid": me.pid, "started": me.started, "task_id": there.task, "owner": me.text, "experiment": 0, "argv": []}
    (registry / "engine.json").write_text(json.dumps({**note, "log": str(there.logs[0]), "gpus": ""}))
    return there.http(lambda client: got(client, "/api/deployments/engine/logs"))


ENDS: dict[str, Callable[[There], str]] = {
    "tuner": lambda there: there.asking(lambda tuner: excerpt(tuner, there.task)),
    "tuner, benchmark": lambda there: there.asking(lambda tuner: excerpt(tuner, there.task, benchmark=True)),
    "tuner, search": lambda there: there.asking(lambda tuner: excerpt(tuner, there.task, search="e")),
    "command": lambda there: there.command("logs", there.task),
    "command, benchmark": lambda there: there.command("logs", there.task, "--benchmark"),
    "HTTP": lambda there: there.http(lambda client: got(client, f"/api/tasks/{there.task}/logs")),
    "HTTP, search": lambda there: there.http(lambda client: got(client, f"/api/tasks/{there.task}/logs?search=e")),
    "HTTP, deployment": deployed,
    "get_experiment_logs": lambda there: there.tool("get_experiment_logs"),
    "get_experiment_logs, search": lambda there: there.tool("get_experiment_logs", search="/e/"),
    "get_task_logs": lambda there: there.tool("get_task_logs"),
}


@pytest.mark.parametrize("way", ENDS)
def test_the_end_of_a_log(there: There, way: str) -> None:
    shown = ENDS[way](there)
    check(shown)
    assert "the end so far\nhalf a token" in shown
    assert "[removed]" in shown


@pytest.mark.parametrize("search", [SECRET, "/hf_S/", "/A{20}/", "/self9/"])
def test_a_search_does_not_find_out_what_a_secret_is(there: There, search: str) -> None:
    async def matches(tuner: Tuner) -> str:
        return str((await tuner.logs(there.task, search=search)).matches)

    assert there.asking(matches) == "0"


# What comes


async def followed(there: There, tuner: Tuner, *, begin: bool = False, **asked: Any) -> str:
    """The end, then what is written after it, as two questions."""
    end = await tuner.logs(there.task, **asked)
    there.write(MEANWHILE + MUCH)
    chunks = tuner.follow_log(there.task, **asked, position=0 if begin else end.position)
    return "\n".join(() if begin else end.lines) + "".join([chunk.text async for chunk in chunks])


async def streamed(there: There, client: httpx.AsyncClient, query: str, begin: str) -> str:
    path = f"/api/tasks/{there.task}/logs"
    end = (await client.get(f"{path}{query}")).raise_for_status().json()
    there.write(MEANWHILE + MUCH)
    last = {"Last-Event-ID": f"{begin}:{end['position']}"}
    async with aconnect_sse(client, "GET", f"{path}/stream{query}", headers=last) as source:
        come = [json.loads(event.data)["text"] async for event in source.aiter_sse()]
    return "\n".join(end["lines"]) + "".join(come)


def commanded(there: There, *arguments: str) -> str:
    """What is written as soon as the end is printed."""
    echo, waiting = click.echo, [MEANWHILE + MUCH]

    def told(message: Any = None, **options: Any) -> None:
        echo(message, **options)
        if "the end so far" in str(message) and waiting:
            there.write(waiting.pop())

    there.monkeypatch.setattr(click, "echo", told)
    return there.command("logs", there.task, "-f", *arguments)


FOLLOWED: dict[str, Callable[[There], str]] = {
    "tuner": lambda there: there.asking(lambda tuner: followed(there, tuner)),
    "tuner, from its beginning": lambda there: there.asking(lambda tuner: followed(there, tuner, begin=True)),
    "tuner, one experiment": lambda there: there.asking(lambda tuner: followed(there, tuner, experiment=0)),
    "tuner, benchmark": lambda there: there.asking(lambda tuner: followed(there, tuner, benchmark=True)),
    "HTTP": lambda there: there.http(lambda client: streamed(there, client, "", "0")),
    "HTTP, benchmark": lambda there: there.http(lambda client: streamed(there, client, "?benchmark=true", "")),
    "command": lambda there: commanded(there),
    "command, benchmark": lambda there: commanded(there, "--benchmark"),
}


@pytest.mark.parametrize("way", FOLLOWED)
def test_what_is_written_after_the_end(there: There, way: str) -> None:
    shown = FOLLOWED[way](there)
    check(shown)
    lines = shown.split("\n")
    assert [line for line in lines if line.startswith("line ")] == MUCH.decode().split("\n")[:-1]
    assert lines[-1] == "the last word"
    assert lines.count("the end so far") == 1
    assert lines.count("[removed] written meanwhile") == 1
    assert ("the beginning" in lines) == ("beginning" in way)


# What is kept of a log: failures, in events and reports; and a task in the foreground


def test_a_task_in_the_foreground_its_events_and_its_reports(there: There) -> None:
    """Its engines print all that, and die at once."""

    def die(deployment: FakeDeployment, death: Death) -> None:
        plant(deployment.log, GIB // 8)
        add(deployment.log, MEANWHILE + MUCH)
        deployment.code = death.code

    async def told(tuner: Tuner) -> str:
        events = [event.payload async for event in tuner.follow("dies")]
        made = {name: str(one.render(await tuner.result("dies"))) for name, one in FORMATS.items()}
        assert all("the last word" in made[name] for name in ("json", "html"))
        return json.dumps(events) + "".join(made.values())

    there.monkeypatch.setattr(FakeDeployment, "die", die)
    rig.install(there.monkeypatch).deployer.starts = [Death(1)] * 9
    file = there.home / "task.json"
    file.write_text(json.dumps(rig.spec(task_name="dies", parameters={"speed": [5]}).model_dump(mode="json")))
    shown = there.command("tune", str(file), "--yes", "-v", code=1)
    check(shown)
    for number in (0, 1):
        lines = [line.removeprefix(f"[{number}] ") for line in shown.split("\n") if line.startswith(f"[{number}] ")]
        assert [line for line in lines if line.startswith("line ")] == MUCH.decode().split("\n")[:-1]
        assert lines.count("[removed] written meanwhile") == lines.count("the last word") == 1
    assert SECRET[:6] not in there.asking(told)


def test_a_conversation(there: There, tmp_path: Path) -> None:
    async def say() -> str:
        async with world(tmp_path / "home") as one:
            await one.reads("get_experiment_logs", task=there.task)
            return await one.assistant.transcript(one.session)

    rig.install(there.monkeypatch)
    shown = asyncio.run(say()).replace("\\n", "\n")
    check(shown)
    assert "the end so far" in shown
