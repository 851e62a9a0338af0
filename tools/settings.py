"""Settings of GitHub and of the Hugging Face hub: addresses and tokens."""

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from tuner.machine.addresses import is_loopback
from tuner.settings import EnvironmentSettings


def _address(url: str) -> str:
    """A token travels there: so in the clear only to this machine, and with no second secret in the URL itself."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise ValueError("this is no URL; write https://host/path") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("this is no URL of a web server; write https://host/path")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a user or password in the URL is not taken; give the token in its own variable")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError(f"{host} is another machine, and http would show it the token in the clear; write https://")
    return url.rstrip("/")


def _visible(token: SecretStr) -> SecretStr:
    """A line end, copied along with a token, would end the header that carries it."""
    text = token.get_secret_value().strip()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("this is no token: it has spaces, control or non-ASCII characters in it; copy it again")
    return SecretStr(text)


def _repository(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9_.-]{1,100}", name):
        raise ValueError("write owner/name")
    return name


Address = Annotated[str, AfterValidator(_address)]
Token = Annotated[SecretStr, AfterValidator(_visible)]


class ToolSettings(EnvironmentSettings):
    """`AUTOTUNER_GITHUB_REPO`, `AUTOTUNER_HF_TOKEN`, …; a tool that lacks one says so when it is used."""

    model_config = SettingsConfigDict(populate_by_name=True)

    github_repo: Annotated[str, AfterValidator(_repository)] | None = None
    """`owner/name`: whose issues are searched, read and written."""
    github_token: Token | None = None
    """A fine-grained token of that repository with the permission Issues: read and write. Reading works without."""
    github_url: Address = "https://api.github.com"
    """Base of the REST API; of GitHub Enterprise `https://HOST/api/v3`."""
    github_timeout_s: int = Field(default=15, ge=1, le=300)
    """For a connection, and between two pieces of an answer."""
    # Variables of Hugging Face's own programs count where ours are not set.
    hf_endpoint: Address = Field(
        default="https://huggingface.co", validation_alias=AliasChoices("AUTOTUNER_HF_ENDPOINT", "HF_ENDPOINT")
    )
    hf_token: Token | None = Field(default=None, validation_alias=AliasChoices("AUTOTUNER_HF_TOKEN", "HF_TOKEN"))
    """Needed for private and gated models."""
    hf_offline: bool = Field(default=False, validation_alias=AliasChoices("AUTOTUNER_HF_OFFLINE", "HF_HUB_OFFLINE"))
    """The hub is never asked."""
    hf_cache: Path | None = Field(default=None, validation_alias=AliasChoices("AUTOTUNER_HF_CACHE", "HF_HUB_CACHE"))
    """Folder of Hugging Face's own cache. None: where its library puts it."""
    hf_timeout_s: float = Field(default=15, gt=0, le=300)
    """For a whole answer about models, not for downloads."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What is removed from everything that is shown."""
        return tuple(token.get_secret_value() for token in (self.github_token, self.hf_token) if token is not None)
