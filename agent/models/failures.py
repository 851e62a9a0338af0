"""Why a model did not answer, in a sentence with the setting that may help. Never the provider's own words: they may
hold keys and addresses.
"""

from langchain_core.exceptions import (
    ContextOverflowError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelInvalidRequestError,
    ModelNotFoundError,
    ModelPermissionDeniedError,
    ModelRateLimitError,
    ModelTimeoutError,
)

from agent.settings import AgentSettings
from tuner.errors import TunerError

UNFORESEEN = "Something went wrong that was not foreseen. Send the message again; the service's log has the details."


def is_transient(error: Exception) -> bool:
    """Whether asking the model again may help. After a long silence people rather decide that themselves."""
    return isinstance(error, ModelError) and error.is_retryable and not isinstance(error, ModelTimeoutError)


def user_message(error: Exception, settings: AgentSettings) -> str:
    """What a user may read of the failure of a turn."""
    model, address = settings.llm_model or "offline", settings.llm_base_url or "its provider's address"
    match error:
        case TunerError():
            return str(error)
        case ModelAuthenticationError():
            return f"The model server refuses the key for {model} (401). Set AUTOTUNER_LLM_API_KEY to a valid one."
        case ModelPermissionDeniedError():
            return f"The key may not use {model} (403). Set AUTOTUNER_LLM_API_KEY or AUTOTUNER_LLM_MODEL to others."
        case ModelNotFoundError():
            return (
                f"The model server has no model {model} (404). Set AUTOTUNER_LLM_MODEL to one that it has, and check "
                f"AUTOTUNER_LLM_BASE_URL ({address})."
            )
        case ModelRateLimitError():
            return (
                f"The model server takes no more requests for {model} at the moment (429). Wait a minute, and send the "
                "message again; or set AUTOTUNER_LLM_FALLBACK_MODEL."
            )
        case ContextOverflowError():
            return (
                f"The conversation does not fit into the window of {model}. Set AUTOTUNER_LLM_CONTEXT_TOKENS, now "
                f"{settings.llm_context_tokens}, to what the model really has, or begin a new conversation."
            )
        case ModelTimeoutError() | TimeoutError():
            return (
                f"{model} was silent for {settings.llm_timeout_s:g} s. Check the model server, raise "
                "AUTOTUNER_LLM_TIMEOUT_S, or send the message again."
            )
        case ModelInvalidRequestError():
            return (
                f"The model server refuses the request for {model} (400). Check that it takes tools (for vLLM: "
                "--enable-auto-tool-choice), or set AUTOTUNER_LLM_MODEL to a model that does."
            )
        case ModelConnectionError():
            return (
                f"The model server at {address} cannot be reached, or its answer broke off. Start it and look at its "
                "log, or correct AUTOTUNER_LLM_BASE_URL; without AUTOTUNER_LLM_MODEL the offline model answers."
            )
        case ModelAPIError():
            return (
                f"The model server failed while it answered for {model} (5xx). Look at its log, send the message "
                "again, or set AUTOTUNER_LLM_FALLBACK_MODEL."
            )
        case ModelError():
            return (
                f"{model} gave an answer that cannot be used, several times. Send the message again, or set "
                "AUTOTUNER_LLM_MODEL to a model that can call tools."
            )
        case _:
            return UNFORESEEN
