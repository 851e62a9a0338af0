"""The policy: a file of rules about which calls run by themselves, which ask a person first, and which never run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, JsonValue, ValidationError, model_validator

from agent.approvals.patterns import matches, wildcard
from agent.approvals.toolbox import Toolbox
from agent.settings import AgentSettings
from tuner.errors import InvalidSpecError, Problem
from tuner.spec import reader
from tuner.spec.problems import alternatives, explain
from tuner.spec.values import Frozen

Kind = Literal["auto", "ask", "deny"]


@dataclass(frozen=True)
class PolicyDecision:
    """What the policy says of one call."""

    kind: Kind
    reason: str
    """For people and for the model: which rule says so."""


class Rule(Frozen):
    """The calls that a rule applies to: a tool, and those of its arguments that matter."""

    tool: str
    """A name; `*` stands for any characters."""
    args: dict[str, JsonValue] = {}
    """As `agent.approvals.patterns` reads them. None: whatever they are."""
    reason: str = ""
    """Told to whoever is asked or denied."""
    after_untrusted: bool = False
    """For rules that allow: also once text that nobody vouches for has entered the session."""

    @model_validator(mode="before")
    @classmethod
    def _a_name_alone(cls, raw: object) -> object:
        return {"tool": raw} if isinstance(raw, str) else raw

    def applies_to(self, tool: str, args: Mapping[str, JsonValue]) -> bool:
        return wildcard(self.tool, tool) and matches(self.args, dict(args))

    def sentence(self, what: str) -> str:
        written = f"the policy {what} {self.tool}{' with these arguments' if self.args else ''}"
        return f"{written}: {self.reason.rstrip('.')}." if self.reason else f"{written}."


class Policy(Frozen):
    """The first rule that a call meets decides: those that deny, then those that ask, then those that allow.

    A call that meets none asks if its tool is privileged, and runs if not.
    """

    deny: tuple[Rule, ...] = ()
    ask: tuple[Rule, ...] = ()
    allow: tuple[Rule, ...] = ()
    problem: str | None = Field(default=None, exclude=True)
    """Why the file cannot be used. Then every call asks."""

    def decide(
        self, tool: str, args: Mapping[str, JsonValue], *, privileged: bool = True, tainted: bool = False
    ) -> PolicyDecision:
        if self.problem is not None:
            return PolicyDecision("ask", f"the policy cannot be used, so everything asks: {self.problem}")
        if rule := _first_match(self.deny, tool, args):
            return PolicyDecision("deny", rule.sentence("denies"))
        if rule := _first_match(self.ask, tool, args):
            return PolicyDecision("ask", rule.sentence("asks about"))
        if not privileged:
            return PolicyDecision("auto", f"{tool} is not privileged.")
        rule = _first_match(self.allow, tool, args)
        if rule is None:
            return PolicyDecision("ask", f"{tool} is privileged.")
        if tainted and not rule.after_untrusted:
            return PolicyDecision(
                "ask", "text that nobody here vouches for (a log, a model card, an issue) has been read."
            )
        return PolicyDecision("auto", rule.sentence("allows"))


class PolicyFile:
    """A policy that is read again when its file changes."""

    def __init__(self, path: Path, toolbox: Toolbox, *, required: bool = False) -> None:
        """
        Args:
            required: somebody named this file, so that its absence is a mistake.
        """
        self.path, self._toolbox, self._required = path, toolbox, required
        self._seen: tuple[int, ...] | None = None
        self._policy = Policy()

    @classmethod
    def from_settings(cls, settings: AgentSettings, home: Path, toolbox: Toolbox) -> Self:
        """The file that the settings name, or the one in the data folder."""
        named = settings.policy
        return cls(named or home / "policy.yaml", toolbox, required=named is not None)

    def read(self) -> Policy:
        try:
            stat = self.path.stat()
            seen: tuple[int, ...] = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        except OSError:
            seen = ()
        if seen != self._seen:
            self._policy = load(self.path, self._toolbox, required=self._required)
            self._seen = seen
        return self._policy


def load(path: Path, toolbox: Toolbox, *, required: bool = True) -> Policy:
    """The policy of a file; one that cannot be used has a `problem`, and asks about every call."""
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        missing = f"there is no file {path}; write it, or name another with AUTOTUNER_POLICY."
        return Policy(problem=missing if required else None)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        return Policy(problem=f"{path} cannot be read: {reason}.")
    try:
        return parse(text, toolbox)
    except InvalidSpecError as error:
        return Policy(problem=f"{path}: {error}")


def parse(text: str, toolbox: Toolbox) -> Policy:
    """
    Raises:
        InvalidSpecError: with everything that is wrong, each with its line.
    """
    if not text.strip():
        return Policy()
    document = reader.read(text)
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        raise InvalidSpecError([Problem("a policy has lists of rules under deny, ask and allow", line=1)])
    known = set(Policy.model_fields) - {"problem"}
    problems = [
        Problem(f"no such list of rules; {alternatives(str(name), sorted(known))}", str(name))
        for name in data
        if name not in known
    ]
    blocks = {name: block or [] for name, block in data.items() if name in known}
    try:
        policy = Policy.model_validate(blocks)
    except ValidationError as error:
        raise InvalidSpecError([*problems, *explain(error, data, document.lines)]) from None
    for name in ("deny", "ask", "allow"):
        for place, rule in enumerate(getattr(policy, name)):
            line = document.lines.get((name, place))
            problems += [Problem(wrong, f"{name}.{place}", line) for wrong in _problems(rule, name, toolbox)]
    if problems:
        raise InvalidSpecError(problems)
    return policy


def _first_match(rules: Iterable[Rule], tool: str, args: Mapping[str, JsonValue]) -> Rule | None:
    return next((rule for rule in rules if rule.applies_to(tool, args)), None)


def _problems(rule: Rule, kind: str, toolbox: Toolbox) -> list[str]:
    """Why no call can ever meet a rule: a misspelled one would deny nothing, and nobody would know."""
    tools = [name for name in toolbox.TOOLS if wildcard(rule.tool, name)]
    if not tools:
        return [f"no tool {rule.tool!r}; {alternatives(rule.tool, toolbox.TOOLS)}"]
    known = dict.fromkeys(name for tool in tools for name in _properties(toolbox.args_schema(tool)))
    wrong = [
        f"{rule.tool} has no argument {name!r}; {alternatives(name, known)}" for name in rule.args if name not in known
    ]
    if rule.after_untrusted and kind != "allow":
        wrong.append(f"after_untrusted belongs to rules that allow; leave it out under {kind}")
    return wrong


def _properties(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    return properties
