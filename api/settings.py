"""Where the service listens, who may ask it, and how much at once."""

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import NoDecode

from tuner.errors import InvalidSettingsError
from tuner.machine.addresses import is_loopback
from tuner.settings import EnvironmentSettings

SHORTEST_TOKEN = 16


def _names(raw: Any) -> Any:
    return [name.strip() for name in raw.split(",") if name.strip()] if isinstance(raw, str) else raw


class ServerSettings(EnvironmentSettings):
    """`AUTOTUNER_HOST`, `AUTOTUNER_PORT`, `AUTOTUNER_TOKEN`, …

    Raises:
        InvalidSettingsError: also for a bind to other machines without a token.
    """

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(default=8686, ge=0, le=65535)
    """0: any that is free."""
    require_token: bool = True
    """Off is possible on a loopback address only."""
    token: SecretStr | None = None
    """None: a new one for each launch."""
    hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)] = ()
    """Further names this service is called by, with commas between: `tuner.example.org`, `tuner.example.org:8443`."""
    max_body_bytes: int = Field(default=16 * 2**20, ge=1024)
    """Of a request. AG-UI clients send the whole conversation with every message."""
    max_streams: int = Field(default=2000, ge=1)
    """Event streams open at once."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.require_token and not self.loopback:
            raise InvalidSettingsError(
                f"{self.host} is no loopback address, so other machines could use this service without a token. "
                "Leave --no-token and AUTOTUNER_REQUIRE_TOKEN away, or listen on 127.0.0.1."
            )
        token = self.token.get_secret_value() if self.token else None
        if token is not None and (len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable()):
            raise InvalidSettingsError(
                f"AUTOTUNER_TOKEN has {len(token)} characters; give at least {SHORTEST_TOKEN} that can be printed in "
                "ASCII, or leave it away: then every launch makes its own."
            )
        return self

    @property
    def loopback(self) -> bool:
        """Nobody outside this machine can reach it."""
        return is_loopback(self.host)
