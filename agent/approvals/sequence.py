"""Runs a privileged call at most once, and keeps how it ended. Every door goes through it, the agent's gate first."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from uuid import uuid4

from pydantic import JsonValue

from agent.approvals.ledger import Ledger
from agent.approvals.records.executions import Ending, Outcome
from tuner.errors import TunerError
from tuner.logs.redaction import redact, traced

log = logging.getLogger(__name__)


async def once(
    ledger: Ledger,
    session_id: str,
    call_id: str,
    tool: str,
    args: Mapping[str, JsonValue],
    run: Callable[[], Awaitable[Outcome]],
    *,
    forbidden: str = "",
) -> Outcome:
    """Runs `run` if the ledger gives the right to, else answers what is known of the run before.

    Args:
        args: those that `run` uses, and no others.
        forbidden: why it must not run, where the caller knows of a reason.

    Raises:
        ConflictError: something forbids it; nothing ran.
    """
    before = await ledger.begin(session_id, call_id, tool, args, forbidden=forbidden)
    if before is not None:
        return before
    try:
        outcome = await run()
    except asyncio.CancelledError:
        await _end(ledger, session_id, call_id, tool, "cancelled", "It was cancelled while it ran.")
        raise
    except Exception as error:
        outcome = Outcome(explain(tool, error, ledger.secrets), failed=True)
    await _end(ledger, session_id, call_id, tool, "failed" if outcome.failed else "done", outcome.content)
    return outcome


def explain(tool: str, error: Exception, secrets: tuple[str, ...] = ()) -> str:
    """What the model is told of an error: everything where it was foreseen, else where the log has the rest."""
    if isinstance(error, TunerError):
        return redact(str(error), secrets)
    error_id = uuid4().hex[:8]
    log.error("Error %s: the tool %s failed unexpectedly. %s", error_id, tool, traced(error, secrets))
    return f"{tool} failed unexpectedly. The error has the id {error_id}; the service's log has the rest."


async def _end(ledger: Ledger, session_id: str, call_id: str, tool: str, ending: Ending, content: str) -> None:
    try:
        if ending == "failed" and tool in ledger.toolbox.UNTRUSTED:
            await ledger.taint(session_id)
        await ledger.end(session_id, call_id, ending, content)
    except TunerError as error:
        # It did run, and that is what its caller must hear; the ledger says of it that its outcome is unknown.
        log.warning("The end of call %s of session %s was not recorded: %s", call_id, session_id, error)
