"""Which model answers, how far a turn may go, and how long an approval stays open."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from tuner.settings import EnvironmentSettings


class AgentSettings(EnvironmentSettings):
    """`AUTOTUNER_LLM_MODEL`, `AUTOTUNER_LLM_BASE_URL`, …; without a model the offline one answers."""

    llm_model: str | None = None
    """Name of the model, as its provider calls it. None: the built-in offline model."""
    llm_provider: Literal["openai", "anthropic"] = "openai"
    """`openai`: anything that speaks Chat Completions."""
    llm_base_url: str | None = None
    """None: the provider's own address."""
    llm_api_key: SecretStr | None = None
    llm_fallback_model: str | None = None
    """Of the same provider; asked where the first one fails for good."""
    llm_context_tokens: int = Field(default=128_000, ge=2_000)
    """The model's window: what does not fit is left out of what the model sees, never of the transcript."""
    llm_timeout_s: float = Field(default=120, gt=0)
    """Between two pieces of an answer."""
    max_steps: int = Field(default=100, ge=1, le=1000)
    """Calls of the model in one turn."""
    approval_expires_s: float = Field(default=24 * 3600, gt=0)
    grant_expires_s: float = Field(default=8 * 3600, gt=0)
    """How long "allow for this session" lasts."""
    policy: Path | None = None
    """YAML with rules deny → ask → allow; None: `policy.yaml` in the data folder, or where there is none, every
    privileged call asks."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What is removed from everything that is shown."""
        return (self.llm_api_key.get_secret_value(),) if self.llm_api_key is not None else ()
