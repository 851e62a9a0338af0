import asyncio
import json
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fakes import servers
from tuner.deploy.local import Local, held_port
from tuner.domain import Label
from tuner.errors import DeploymentError, FailureKind
from tuner.machine import log_limit, processes
from tuner.machine.processes import Identity
from tuner.settings import Settings


def free_range(length: int) -> int:
    """The start of a stretch of ports that nobody uses now."""
    for low in range(42_000, 60_000, length):
        with ExitStack() as stack:
            try:
                for port in range(low, low + length):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
        return low
    raise AssertionError("no free ports")


def test_a_held_port_is_not_given_out_again_until_it_is_left() -> None:
    low = free_range(3)
    with held_port(low, low + 2) as first, held_port(low, low + 2) as second:
        assert first != second
    with held_port(low, low + 2) as again:
        assert again == first


def test_a_port_held_by_another_process_is_not_given_out() -> None:
    low = free_range(2)
    holder = f"from tuner.deploy.local import held_port\nwith held_port({low}, {low}): print(1, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdout.readline()
        with held_port(low, low + 1) as port:
            assert port == low + 1
        other.stdin.close()


def test_a_port_that_a_stranger_listens_on_is_passed_over() -> None:
    low = free_range(2)
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", low))
        stranger.listen()
        with held_port(low, low + 1) as port:
            assert port == low + 1


def test_a_full_range_says_which_ports_and_what_to_do() -> None:
    low = free_range(1)
    with (
        held_port(low, low),
        pytest.raises(DeploymentError, match=f"Every port from {low} to {low} is taken.*AUTOTUNER_PORT_LOW") as caught,
        held_port(low, low),
    ):
        pass
    assert caught.value.kind is FailureKind.INFRASTRUCTURE


async def test_a_flooded_log_is_cut_and_its_end_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_limit, "LIMIT_BYTES", 2**20)
    monkeypatch.setattr(log_limit, "KEPT_BYTES", 2**16)
    log, label = tmp_path / "log", Label("flood", 0, Identity.current().text)
    program = (
        "import sys, time\n"
        "for n in range(4096): sys.stdout.write(f'{n:04d}' + 'x' * 1019 + chr(10))\n"
        "sys.stdout.flush(); time.sleep(2.5); print('the end', flush=True); time.sleep(60)"
    )
    async with processes.session([sys.executable, "-c", program], {}, log, label, tmp_path / "registry"):
        while "the end" not in log.read_text():
            await asyncio.sleep(0.05)
        assert log.stat().st_size < 2**18
        assert "4095xxx" in log.read_text()


def test_an_identity_tells_a_process_from_a_later_one_with_its_number() -> None:
    me = Identity.current()
    assert Identity.parse(me.text) == me
    assert me.alive() is True
    assert Identity(me.host, me.boot, me.pid, me.started + 1).alive() is False
    assert Identity(me.host, "another boot", me.pid, me.started).alive() is False
    assert Identity("another-host", me.boot, me.pid, me.started).alive() is None


def test_the_programs_of_the_fakes_compile() -> None:
    for name in ("SERVER", "STUBBORN", "FAMILY", "SHARED", "FLOOD", "DIES"):
        compile(getattr(servers, name), name, "exec")


ENVIRONMENT = """
import json, os
print(json.dumps(dict(os.environ)), flush=True)
"""


async def test_an_engine_gets_its_own_gpus_and_variables_and_none_that_would_break_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    monkeypatch.setenv("VLLM_API_KEY", "secret")
    monkeypatch.setenv("VLLM_PORT", "tcp://10.0.0.1:8000")
    monkeypatch.setenv("HF_TOKEN", "needed")
    low = free_range(1)
    local = Local(Settings(home=tmp_path, port_low=low, port_high=low))
    launch = servers.launch(ENVIRONMENT, {"OWN": "1"}).model_copy(update={"unset": ("VLLM_PORT",)})
    log, label = tmp_path / "engine.log", Label("t", 0, Identity.current().text)
    async with local.deploy(launch, servers.HERE, label, log, ("GPU-b",)) as deployment:
        await deployment.wait()
    env = json.loads(log.read_text())
    assert (env["CUDA_VISIBLE_DEVICES"], env["OWN"], env["HF_TOKEN"]) == ("GPU-b", "1", "needed")
    assert not {"VLLM_API_KEY", "VLLM_PORT"} & env.keys()
