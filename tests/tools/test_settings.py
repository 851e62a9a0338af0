"""Settings of the tools: what cannot be used is refused with its name, and no token is repeated."""

import pytest

from tools import ToolSettings
from tuner.errors import InvalidSettingsError

SECRET = "S3sameOpenThyself9"


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("AUTOTUNER_GITHUB_REPO", "https://github.com/a/b", r"AUTOTUNER_GITHUB_REPO is 'https:.*write owner/name"),
        ("AUTOTUNER_GITHUB_REPO", "a/b/c", "write owner/name"),
        ("AUTOTUNER_GITHUB_TOKEN", f"{SECRET} and more", "AUTOTUNER_GITHUB_TOKEN cannot be used: this is no token"),
        ("HF_TOKEN", f"{SECRET}\nx", r"HF_TOKEN \(or HF_TOKEN\) cannot be used: this is no token"),
        (
            "AUTOTUNER_GITHUB_URL",
            f"https://me:{SECRET}@host",
            "AUTOTUNER_GITHUB_URL cannot be used: a user or password",
        ),
        ("AUTOTUNER_GITHUB_URL", "ftp://host", "write https://host/path"),
        ("AUTOTUNER_GITHUB_URL", "http://[", "write https://host/path"),
        (
            "HF_ENDPOINT",
            "http://mirror.example",
            r"\(or HF_ENDPOINT\) cannot be used: mirror.example is another mach.*https",
        ),
        ("AUTOTUNER_GITHUB_TIMEOUT_S", "0", "AUTOTUNER_GITHUB_TIMEOUT_S is '0'"),
        ("HF_HUB_OFFLINE", "perhaps", r"AUTOTUNER_HF_OFFLINE \(or HF_HUB_OFFLINE\) is 'perhaps'"),
    ],
)
def test_what_cannot_be_used_is_named_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidSettingsError, match=words) as raised:
        ToolSettings()
    assert SECRET not in str(raised.value)


def test_tokens_are_taken_without_the_line_end_that_came_with_them_and_never_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AUTOTUNER_GITHUB_TOKEN", f"{SECRET}\n")
    monkeypatch.setenv("HF_TOKEN", "not this one")
    monkeypatch.setenv("AUTOTUNER_HF_TOKEN", f"hf_{SECRET}")
    settings = ToolSettings()
    assert settings.secrets == (SECRET, f"hf_{SECRET}")
    assert SECRET not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_this_machine_may_be_asked_without_encryption(monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("http://127.0.0.1:80", "http://localhost/api/v3/", "http://[::1]:1"):
        monkeypatch.setenv("AUTOTUNER_GITHUB_URL", url)
        assert ToolSettings().github_url == url.rstrip("/")
