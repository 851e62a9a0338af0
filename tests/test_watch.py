"""Why a server ended, where its log cannot tell."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.fakes.rig import Death, FakeDeployer, FakeDeployment
from tuner.errors import DeploymentError, FailureKind
from tuner.protocols import Launch
from tuner.watch import LEAST_FREE_BYTES, Watch


@pytest.mark.parametrize(
    ("free", "kind"), [(LEAST_FREE_BYTES - 1, FailureKind.INFRASTRUCTURE), (LEAST_FREE_BYTES, FailureKind.CRASHED)]
)
async def test_a_server_that_ends_on_a_full_disk_says_nothing_of_its_configuration(
    free: int, kind: FailureKind, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    deployment = FakeDeployment("http://127.0.0.1:9", (), {}, tmp_path / "engine.log", FakeDeployer())
    deployment.die(Death(1))
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=free))
    with pytest.raises(DeploymentError) as caught:
        await Watch(deployment, Launch((), {}, "m"), ()).rule_out_death()
    assert caught.value.kind is kind
    assert (f"The disk of {tmp_path} is full" in str(caught.value)) == (kind is FailureKind.INFRASTRUCTURE)
