"""`max-num-seqs 4, 16, 64 and dtype auto, bfloat16`: flags, environment variables and their values, in plain words."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

NUMBER = r"-?(?:\d{1,15}(?:\.\d{1,15})?|\.\d{1,15})(?:e[+-]?\d{1,3})?"
_RANGE = re.compile(
    rf"(?:\b(?:from|between)\s+)?(?<![\w.-])({NUMBER})\s*(?:\bto\b|\.\.+|…|–|(?<=\d)-(?=\d)|\band\b)\s*({NUMBER})(?![\w.])"
    rf"(?:\s*,?\s*(?:in\s+)?steps?\s*(?:of\s+)?({NUMBER}))?",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"\"[^\"]*\"|'[^']*'|[,;=\[\]{}]|[^\s,;=\[\]{}\"']+")
_FLAG = re.compile(r"--?[A-Za-z][\w.-]*|[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9.]+)+")
_ENV = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_NAME = re.compile(r"[A-Za-z][\w.-]{0,99}")

SWITCHES = {"true": True, "on": True, "yes": True, "enabled": True, "false": False, "off": False, "no": False,
            "disabled": False}  # fmt: skip
PARALLEL = {"tp": "tp", "pp": "pp", "dp": "dp", "ep": "ep", "dcp": "dcp", "cp": "cp", "tensor-parallel": "tp",
            "tensor-parallel-size": "tp", "pipeline-parallel": "pp", "pipeline-parallel-size": "pp",
            "data-parallel": "dp", "data-parallel-size": "dp", "enable-expert-parallel": "enable_expert_parallel",
            }  # fmt: skip
QUANT = {name.replace("_", "-"): name for name in ("gemm_dtype", "kvcache_dtype", "attention_dtype", "moe_dtype")}
SINGLE = {"dtype", "quantization", "seed", "device", *PARALLEL}
"""Names of one word, which nothing else would tell from a value."""
FILLER = {
    "the", "flag", "flags", "parameter", "parameters", "values", "value", "of", "in", "as", "over", "both",
    "with", "either", "to", "is", "be", "set", "also", "please", "variable", "variables", "environment",
    "env", "at", "vary", "varying", "try", "trying", "a", "fixed", "fix", "on", "from", ".", "between",
}  # fmt: skip
JOINING = {",", "and", "or", "=", "[", "]", "{", "}", "/", "&", "|", "vs"}


@dataclass
class FlagValues:
    """Blocks of a task, as far as they were said."""

    parameters: dict[str, JsonValue] = field(default_factory=dict)
    environment: dict[str, JsonValue] = field(default_factory=dict)
    parallel_config: dict[str, JsonValue] = field(default_factory=dict)
    quant_config: dict[str, JsonValue] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def blocks(self) -> dict[str, JsonValue]:
        named = {
            "parameters": self.parameters,
            "environment": self.environment,
            "parallel_config": self.parallel_config,
            "quant_config": self.quant_config,
        }
        return {name: dict(block) for name, block in named.items() if block}

    @property
    def said(self) -> list[str]:
        """`max-num-seqs 4, 16, 64`, one for each name."""
        blocks = (self.parameters, self.environment, self.parallel_config, self.quant_config)
        return [f"{name} {_shown(domain)}" for block in blocks for name, domain in block.items()]


def read(text: str) -> FlagValues:
    """Everything that can be told in a clause; what cannot is in `problems` and `unknown`."""
    params, name = FlagValues(), ""
    values: list[JsonValue] = []
    joined, parted = True, False
    pieces = _TOKEN.findall(_RANGE.sub(_range_token, text.replace("⟨", " ")))

    def close() -> None:
        if name:
            _set(params, name, values)

    for place, piece in enumerate(pieces):
        following = pieces[place + 1] if place + 1 < len(pieces) else ";"
        word = piece.lower().rstrip(":")
        if piece == ";":
            close()
            name, values, joined, parted = "", [], True, False
        elif word in JOINING:
            joined, parted = True, word != "="
        elif _starts_item(piece.rstrip(":"), name, bool(values) or parted, following):
            close()
            name, values, joined, parted = piece.rstrip(":"), [], True, False
        elif name and joined and not (word in FILLER and word not in SWITCHES):
            values.append(_value(piece))
            joined = parted = False
        elif word not in FILLER:
            params.unknown.append(piece[:60])
    close()
    return params


def first_flag(text: str) -> int | None:
    """Where the first flag with a value stands, for requests that leave `over` out."""
    for match in _TOKEN.finditer(text):
        if _FLAG.fullmatch(match[0]) and re.match(rf"\s*[=:]?\s*(?:{NUMBER}|true|false)\b", text[match.end() :]):
            return match.start()
    return None


def _starts_item(token: str, name: str, complete: bool, following: str) -> bool:
    if token.startswith("--"):
        return True
    looks = bool(_FLAG.fullmatch(token)) or token.lower() in SINGLE
    if not name:
        return looks or (bool(_NAME.fullmatch(token)) and token.lower() not in FILLER)
    # `attention-backend flash-attn, flash-infer`: a name is followed by a value, a value by a comma or the end.
    return looks and complete and following not in (",", ";", "]", "}") and following.lower() not in ("and", "or")


def _range_token(match: re.Match[str]) -> str:
    text = match[0].lower()
    if re.search(r"\band\b", text) and not text.startswith("between"):
        return match[0]
    return f" ⟨{match[1]}⟨{match[2]}⟨{match[3] or ''} "


def _value(token: str) -> JsonValue:
    if token.startswith("⟨"):
        low, high, step = (_value(part) if part else None for part in token[1:].split("⟨"))
        kind = "integer" if all(part is None or isinstance(part, int) for part in (low, high, step)) else "continuous"
        return {"type": kind, "low": low, "high": high, **({} if step is None else {"step": step})}
    if token[0] in "\"'":
        return token[1:-1]
    if token.lower() in SWITCHES:
        return SWITCHES[token.lower()]
    if not re.fullmatch(NUMBER, token, re.IGNORECASE):
        return token
    number = float(token)
    if not math.isfinite(number):
        return token
    return int(token) if re.fullmatch(r"-?\d+", token) else number


def _set(params: FlagValues, name: str, values: Sequence[JsonValue]) -> None:
    flag = name.lstrip("-").replace("_", "-").lower()
    if not values:
        params.problems.append(f"Which values shall {name:.60} have? For example: {name:.60} 4, 16, 64.")
        return
    ranges = [value for value in values if isinstance(value, dict)]
    if ranges and len(values) > 1:
        params.problems.append(f"{name:.60} has a range and other values besides; give one range, or list the values.")
        return
    domain: JsonValue = values[0] if len(values) == 1 else list(values)
    if _ENV.fullmatch(name):
        params.environment[name] = domain
    elif flag in PARALLEL:
        params.parallel_config[PARALLEL[flag]] = list(values)
    elif flag in QUANT:
        params.quant_config[QUANT[flag]] = list(values)
    else:
        params.parameters[name.lstrip("-").replace("_", "-")] = domain


def _shown(domain: JsonValue) -> str:
    if isinstance(domain, dict):
        step = f" in steps of {domain['step']}" if "step" in domain else ""
        return f"{domain['low']} to {domain['high']}{step}"
    values = domain if isinstance(domain, list) else [domain]
    return ", ".join(str(value).lower() if isinstance(value, bool) else str(value) for value in values)
