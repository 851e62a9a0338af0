"""The language model that the settings name: an OpenAI-compatible endpoint, Anthropic, or the offline one."""

from urllib.parse import urlsplit

from langchain_core.language_models import BaseChatModel
from pydantic import SecretStr

from agent.offline import OfflineModel
from agent.settings import AgentSettings
from tuner.errors import InvalidSettingsError
from tuner.machine.addresses import is_loopback

OFFLINE = "offline"
ADDRESSES = {"openai": "https://api.openai.com/v1", "anthropic": "https://api.anthropic.com"}
"""Said explicitly, so that no variable of the environment sends a conversation elsewhere."""
NO_KEY = SecretStr("none")
"""Servers of one's own rarely ask for a key, but the clients insist on sending one."""


def label(settings: AgentSettings) -> str:
    """Which model answers, for people: `offline`, or its provider's name for it."""
    return settings.llm_model or OFFLINE


def build(settings: AgentSettings) -> BaseChatModel:
    """The model that answers. Connects to nothing yet.

    Raises:
        InvalidSettingsError: the endpoint's own address or the key that it needs is missing or malformed.
    """
    return OfflineModel() if settings.llm_model is None else _remote(settings, settings.llm_model)


def fallback(settings: AgentSettings) -> BaseChatModel | None:
    """The model to ask where the first one fails for good; None where the settings name none.

    Raises:
        InvalidSettingsError: as `build`, or a fallback of no model.
    """
    if settings.llm_fallback_model is None:
        return None
    if settings.llm_model is None:
        raise InvalidSettingsError(
            f"AUTOTUNER_LLM_FALLBACK_MODEL is {settings.llm_fallback_model!r}, but no model is set to fall back from. "
            "Set AUTOTUNER_LLM_MODEL too."
        )
    return _remote(settings, settings.llm_fallback_model)


def _remote(settings: AgentSettings, model: str) -> BaseChatModel:
    address, key, silence_s = _address(settings), _key(settings), settings.llm_timeout_s
    # One's own machine is reached directly, whatever proxy the environment names for the rest of the world.
    host = urlsplit(address).hostname or ""
    direct = is_loopback(host) or host.endswith(".localhost")
    # Imported here and not above: a second of work that nobody else should wait for.
    if settings.llm_provider == "anthropic":
        from agent.models import anthropic_messages

        return anthropic_messages.build(model, address.removesuffix("/v1"), key, silence_s, direct=direct)
    from agent.models import chat_completions

    return chat_completions.build(model, address, key, silence_s, direct=direct)


def _address(settings: AgentSettings) -> str:
    address = (settings.llm_base_url or ADDRESSES[settings.llm_provider]).rstrip("/")
    if "@" in address:  # before anything that shows it
        raise InvalidSettingsError(
            "AUTOTUNER_LLM_BASE_URL holds a name or a password, which would be shown wherever the address is. "
            "Give the key as AUTOTUNER_LLM_API_KEY."
        )
    try:
        parts = urlsplit(address)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound, parts = False, urlsplit("")
    if not sound:
        raise InvalidSettingsError(
            f"AUTOTUNER_LLM_BASE_URL is {address!r:.200}, which is no address of a model server. "
            "Write it as http://127.0.0.1:8000/v1."
        )
    for path in ("/chat/completions", "/messages"):
        if parts.path.endswith(path):
            raise InvalidSettingsError(
                f"AUTOTUNER_LLM_BASE_URL is {address!r:.200}; the path {path} is added to it. Leave it out."
            )
    return address


def _key(settings: AgentSettings) -> SecretStr:
    if settings.llm_api_key is not None:
        return settings.llm_api_key
    if settings.llm_base_url is not None:
        return NO_KEY
    raise InvalidSettingsError(
        f"AUTOTUNER_LLM_MODEL is {settings.llm_model!r}, at {ADDRESSES[settings.llm_provider]}, which needs a key: set "
        "AUTOTUNER_LLM_API_KEY. For a server of your own set AUTOTUNER_LLM_BASE_URL."
    )
