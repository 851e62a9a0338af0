"""What this machine is told by its environment: read once, at the entry point, and handed down."""

from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import quote, unquote, urlsplit

import platformdirs
from pydantic import AfterValidator, Field, ModelWrapValidatorHandler, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tuner.errors import InvalidSettingsError


def _absolute(path: Path) -> Path:
    """Engines run in folders of their own, and a quoted `~` reaches us as it stands."""
    return path.expanduser().absolute()


class Settings(BaseSettings):
    """`AUTOTUNER_HOME`, `AUTOTUNER_DATABASE_URL`, …; every one has a default that works, also where it is empty.

    Raises:
        InvalidSettingsError: with every variable that cannot be used.
    """

    model_config = SettingsConfigDict(env_prefix="AUTOTUNER_", env_ignore_empty=True, frozen=True, extra="ignore")

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

    @model_validator(mode="wrap")
    @classmethod
    def _check(cls, raw: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            settings = handler(raw)
        except ValidationError as error:
            problems = (
                f"AUTOTUNER_{str(detail['loc'][0]).upper()} is {detail['input']!r:.60}: {detail['msg']}."
                for detail in error.errors(include_url=False)
            )
            raise InvalidSettingsError("\n".join(problems)) from None
        if settings.port_low > settings.port_high:
            raise InvalidSettingsError(
                f"AUTOTUNER_PORT_LOW is {settings.port_low}, above AUTOTUNER_PORT_HIGH, {settings.port_high}: "
                "between them lie the ports that engines may listen on. Set both."
            )
        return settings

    @property
    def store_url(self) -> str:
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite+aiosqlite:///{quote(str(self.home / 'autotuner.db'))}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be seen anywhere: the database's password."""
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

    def runs(self, task_id: str) -> Path:
        """Everything a task writes: engine and benchmark logs, per-request data."""
        return self.home / "runs" / task_id
