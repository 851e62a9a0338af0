from pathlib import Path

import pytest

from tuner.errors import InvalidSettingsError
from tuner.settings import Settings


def test_every_variable_that_cannot_be_used_is_named_with_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOTUNER_PORT_LOW", "many")
    monkeypatch.setenv("AUTOTUNER_LEASE_S", "-1")
    with pytest.raises(InvalidSettingsError) as caught:
        Settings()
    first, second = str(caught.value).splitlines()
    assert first.startswith("AUTOTUNER_PORT_LOW is 'many': ")
    assert second.startswith("AUTOTUNER_LEASE_S is '-1': ")


def test_a_range_of_ports_that_ends_before_it_begins_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOTUNER_PORT_LOW", "31000")
    with pytest.raises(InvalidSettingsError, match="31000, above AUTOTUNER_PORT_HIGH, 30100"):
        Settings()


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AUTOTUNER_HOME", "")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert Settings().home == tmp_path / "autotuner"


def test_the_data_folder_is_absolute_and_knows_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings(home=Path("~/tuner")).home == tmp_path / "tuner"
    monkeypatch.chdir(tmp_path)
    assert Settings(home=Path("data")).home == tmp_path / "data"
