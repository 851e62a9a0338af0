"""Settings from environment variables: read once, at the entry point, and handed down."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import quote, unquote, urlsplit

import platformdirs
from pydantic import (
    AfterValidator,
    AliasChoices,
    Field,
    ModelWrapValidatorHandler,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from tuner.errors import InvalidSettingsError


def _absolute(path: Path) -> Path:
    """Engines run in folders of their own, and a quoted `~` reaches us as it stands."""
    return path.expanduser().absolute()


class EnvironmentSettings(BaseSettings):
    """Base of all settings: variables AUTOTUNER_…, of which an empty one counts as not set.

    Raises:
        InvalidSettingsError: with every variable that cannot be used. What may hold a secret is not repeated in it.
    """

    model_config = SettingsConfigDict(env_prefix="AUTOTUNER_", env_ignore_empty=True, frozen=True, extra="ignore")

    @model_validator(mode="wrap")
    @classmethod
    def _in_sentences(cls, raw: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(raw)
        except ValidationError as error:
            problems = [_sentence(detail, cls.model_fields.values()) for detail in error.errors(include_url=False)]
            raise InvalidSettingsError("\n".join(problems)) from None


def _sentence(detail: ErrorDetails, fields: Iterable[FieldInfo]) -> str:
    name = f"AUTOTUNER_{str(detail['loc'][0]).upper().removeprefix('AUTOTUNER_')}"
    spellings = (field.validation_alias.choices for field in fields if isinstance(field.validation_alias, AliasChoices))
    also = "".join(f" (or {other})" for first, *others in spellings if first == name for other in others)
    # Neither a token is shown nor a URL: what is wrong with it may be that there is a password in it.
    given = "cannot be used" if name.endswith(("TOKEN", "KEY", "URL", "ENDPOINT")) else f"is {detail['input']!r:.60}"
    return f"{name}{also} {given}: {detail['msg'].removeprefix('Value error, ')}."


class Settings(EnvironmentSettings):
    """`AUTOTUNER_HOME`, `AUTOTUNER_DATABASE_URL`, …; every one has a default that works."""

    home: Annotated[Path, AfterValidator(_absolute)] = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("autotuner", appauthor=False))
    )
    """The data folder: autotuner.db logs/ runs/ datasets/ models/ engines/."""
    database_url: SecretStr | None = None
    """SQLAlchemy URL of a PostgreSQL database (`postgresql+psycopg://…`); by default SQLite in the data folder."""
    port_low: int = Field(default=30000, ge=1024, le=65535)
    port_high: int = Field(default=30100, ge=1024, le=65535)
    """Engines listen on ports from `port_low` to `port_high`, both included."""
    lease_s: float = Field(default=30, gt=0)
    """A worker on another machine, or one that hangs, loses its task after this many seconds without a heartbeat."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.port_low > self.port_high:
            raise InvalidSettingsError(
                f"AUTOTUNER_PORT_LOW is {self.port_low}, above AUTOTUNER_PORT_HIGH, {self.port_high}: "
                "between them lie the ports that engines may listen on. Set both."
            )
        return self

    @property
    def store_url(self) -> str:
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite+aiosqlite:///{quote(str(self.home / 'autotuner.db'))}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What is removed from everything that is shown: the database's password."""
        password = urlsplit(self.database_url.get_secret_value()).password if self.database_url else None
        return tuple({password, unquote(password)}) if password else ()

    @property
    def engines(self) -> Path:
        return self.home / "engines"

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def datasets(self) -> Path:
        return self.home / "datasets"

    @property
    def processes(self) -> Path:
        """Where what runs is written down."""
        return self.home / "processes"

    def runs(self, task_id: str) -> Path:
        """Everything a task writes: engine and benchmark logs, per-request data."""
        return self.home / "runs" / task_id
