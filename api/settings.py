"""Where the service listens, who may ask it, and how much at once."""

import ipaddress
from typing import Annotated, Any, Self, TypeVar

from pydantic import BeforeValidator, Field, ModelWrapValidatorHandler, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from tuner.errors import InvalidSettingsError

SHORTEST_TOKEN = 16

S = TypeVar("S", bound=BaseSettings)


def unusable(error: ValidationError) -> InvalidSettingsError:
    """With every variable that cannot be used, and without its value: it may be a secret."""
    return InvalidSettingsError(
        "\n".join(
            f"AUTOTUNER_{'_'.join(map(str, detail['loc'])).upper()} cannot be used: {detail['msg']}."
            for detail in error.errors(include_url=False, include_input=False)
        )
    )


def read(kind: type[S]) -> S:
    """Settings from the environment.

    Raises:
        InvalidSettingsError: with every variable that cannot be used.
    """
    try:
        return kind()
    except ValidationError as error:
        raise unusable(error) from None


def _names(raw: Any) -> Any:
    return [name.strip() for name in raw.split(",") if name.strip()] if isinstance(raw, str) else raw


class ServerSettings(BaseSettings):
    """`AUTOTUNER_HOST`, `AUTOTUNER_PORT`, `AUTOTUNER_TOKEN`, …

    Raises:
        InvalidSettingsError: with every variable that cannot be used, and for a bind to other machines without a token.
    """

    model_config = SettingsConfigDict(env_prefix="AUTOTUNER_", env_ignore_empty=True, frozen=True, extra="ignore")

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

    @model_validator(mode="wrap")
    @classmethod
    def _check(cls, raw: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            settings = handler(raw)
        except ValidationError as error:
            raise unusable(error) from None
        if not settings.require_token and not settings.loopback:
            raise InvalidSettingsError(
                f"{settings.host} is no loopback address, so other machines could use this service without a token. "
                "Leave --no-token and AUTOTUNER_REQUIRE_TOKEN away, or listen on 127.0.0.1."
            )
        token = settings.token.get_secret_value() if settings.token else None
        if token is not None and (len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable()):
            raise InvalidSettingsError(
                f"AUTOTUNER_TOKEN has {len(token)} characters; give at least {SHORTEST_TOKEN} that can be printed in "
                "ASCII, or leave it away: then every launch makes its own."
            )
        return settings

    @property
    def loopback(self) -> bool:
        """Nobody outside this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False
