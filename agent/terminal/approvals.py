"""An approval as text: the call, what it would do, and edited arguments read back."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from agent.domain import Approval
from agent.errors import InvalidInputError
from agent.terminal.screen.wording import as_yaml, pairs
from tuner.spec import reader

QUESTION = "y: run it · n [why]: do not · e: edit · a [pattern]: allow for this session"
COMMANDS = 3
"""Of a plan, that are shown."""


def described(tool: str, args: Mapping[str, JsonValue], preview: Mapping[str, JsonValue]) -> str:
    """The exact call as YAML, then what it would do."""
    call = as_yaml(dict(args)) if args else "(no arguments)"
    return "\n".join(part for part in (call, _effect(preview)) if part)


def title(approval: Approval) -> str:
    return f"May {approval.tool} run?"


def read(text: str) -> dict[str, JsonValue]:
    """Arguments, or a pattern of them, from YAML.

    Raises:
        InvalidSpecError: it is no YAML.
        InvalidInputError: it is no mapping.
    """
    data = reader.read(text).data
    if not isinstance(data, dict):
        raise InvalidInputError("Arguments are written as `name: value`, each on a line of its own.")
    return data


def _effect(preview: Mapping[str, JsonValue]) -> str:
    if not preview:
        return ""
    plan = preview.get("plan")
    facts = {name: _said(value) for name, value in preview.items() if name not in ("plan", "fingerprint")}
    commands: Sequence[JsonValue] = ()
    if isinstance(plan, dict):
        facts |= _plan(plan)
        listed = plan.get("commands")
        commands = listed[:COMMANDS] if isinstance(listed, list) else ()
    parts = [f"\n{pairs(facts)}"] if facts else []
    if commands:
        parts.append("\nThe first commands:\n" + "\n".join(f"  {one}" for one in commands))
    return "\n".join(parts)


def _plan(plan: Mapping[str, JsonValue]) -> dict[str, str]:
    """In the order in which people ask: how much, on what, how long, and what speaks against it."""
    parts = [f"{plan.get('candidates', '?')} candidates", "the baseline" if plan.get("baseline") else ""]
    if plan.get("confirmations"):
        parts.append(f"{plan['confirmations']} confirmations")
    facts = {
        "engine": f"{plan.get('engine', '')} {plan.get('engine_version') or ''}".strip(),
        "experiments": f"at most {plan.get('experiments', '?')}: {', '.join(filter(None, parts))}",
        "load levels": _said(plan.get("levels")),
        "must hold": _said(plan.get("slos")),
        "GPUs": str(plan.get("gpus") or "none"),
        "time": f"at most {plan.get('at_most', '?')}",
        "left out": _said(plan.get("skipped")),
        "missing": _said(plan.get("missing")),
        "warnings": _said(plan.get("warnings")),
    }
    return {name: text for name, text in facts.items() if text}


def _said(value: JsonValue) -> str:
    match value:
        case None | [] | {}:
            return ""
        case str():
            return value
        case list() if all(isinstance(one, str | int | float) for one in value):
            long = any(isinstance(one, str) and len(one) > 30 for one in value)
            return ("\n" if long else ", ").join(map(str, value))
        case _:
            return as_yaml(value)
