"""What a task is written with: values, ranges of values, names of flags, and traffic scenarios."""

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    Tag,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from tuner.spec.names import Table


class Frozen(BaseModel):
    """A value: immutable, and strict about keys it does not know."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        json_schema_serialization_defaults_required=True,  # what we send is complete, and its schema says so
    )


class Block(Frozen):
    """A block of a task. A key that is null counts as not given: older files write so for blocks they leave out."""

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        return {key: value for key, value in raw.items() if value is not None or key not in cls.model_fields}


@dataclass(frozen=True)
class OneOf:
    """For text that is a name of a table, as it is when something is checked or described."""

    table: Table

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "enum": [*self.table()]}

    def _check(self, name: str) -> str:
        """Complains as pydantic does of an enum, for whoever makes sentences of it."""
        if name not in (there := self.table()):
            raise PydanticCustomError("enum", "there are {expected}", {"expected": ", ".join(there)})
        return name


@dataclass(frozen=True)
class Suggested:
    """For text that may be a name of a table; whoever uses it finds out."""

    table: Table

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "examples": [*self.table()]}


def _no_switch(raw: Any) -> Any:
    if isinstance(raw, bool):
        raise ValueError(f"must be a number, not {str(raw).lower()}")
    return raw


Whole = Annotated[int, BeforeValidator(_no_switch)]
Real = Annotated[float, BeforeValidator(_no_switch)]
Bound = Annotated[Whole, Field(ge=-(2**53), le=2**53)]
"""A whole number that a float holds exactly."""
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def seconds(raw: Any) -> Any:
    """A duration in seconds: 5400, or written as 300ms, 90s, 90m, 1.5h, 2d."""
    if not isinstance(raw, str):
        return raw
    match = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(ms|s|m|h|d|)\s*", raw)
    if not match:
        raise ValueError(f"no duration {raw!r}; write seconds, or 90s, 300ms, 90m, 1.5h, 2d")
    return round(float(match[1]) * _UNITS[match[2] or "s"], 9)


Text = Annotated[StrictStr, Field(max_length=4096)]


def _value(raw: Any) -> Any:
    """Refuses what is no value in one sentence, where a union would complain once for each of its members."""
    if not isinstance(raw, bool | int | float | str):
        raise ValueError(f"a value is a number, text, true or false, not {_kind(raw)}")
    if isinstance(raw, float) and not math.isfinite(raw):
        raise ValueError(f"{raw} is no value; give a finite number")
    if isinstance(raw, int) and not -(2**63) <= raw < 2**63:
        raise ValueError("this whole number has more than 64 bits; give a smaller one")
    if isinstance(raw, str) and len(raw) > 4096:
        raise ValueError(f"this text has {len(raw)} characters; 4096 are the limit")
    return raw


def _kind(raw: Any) -> str:
    if raw is None:
        return "null"
    return "a list" if isinstance(raw, list | tuple) else "a block" if isinstance(raw, dict) else f"{raw!r:.60}"


Value = Annotated[StrictBool | StrictInt | StrictFloat | StrictStr, BeforeValidator(_value)]
"""One value of a flag or of an environment variable."""


class Choice(Block):
    """A closed list of values."""

    type: Literal["choice"] = "choice"
    values: Annotated[tuple[Value, ...], Field(min_length=1, max_length=10_000)]


class Integer(Block):
    """Whole numbers from `low` to `high`, both included."""

    type: Literal["integer"] = "integer"
    low: Bound
    high: Bound
    step: Annotated[Whole, Field(ge=1)] | None = None
    log: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        _check_range(self)
        return self


class Continuous(Block):
    """Real numbers from `low` to `high`, both included."""

    type: Literal["continuous"] = "continuous"
    low: Real
    high: Real
    step: Annotated[Real, Field(gt=0)] | None = None
    log: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        _check_range(self)
        return self


def _check_range(bounds: Integer | Continuous) -> None:
    if bounds.low > bounds.high:
        raise ValueError(f"low {bounds.low} is above high {bounds.high}; swap them")
    if math.isinf(bounds.high - bounds.low):
        raise ValueError(f"the range from {bounds.low} to {bounds.high} is too wide to divide; narrow it")
    if bounds.log and bounds.low <= 0:
        raise ValueError(f"log needs a low above 0, not {bounds.low}")
    if bounds.log and bounds.step is not None:
        raise ValueError("log and step exclude each other; leave one out")


def _domain_kind(raw: Any) -> str:
    if isinstance(raw, BaseModel):
        raw = {"type": getattr(raw, "type", None)}
    if isinstance(raw, dict):
        return f":{raw.get('type') or ('choice' if 'values' in raw else '')}"
    return ":list" if isinstance(raw, list | tuple) else ":value"


Domain = Annotated[
    Annotated[Value, Tag(":value")]
    | Annotated[Annotated[tuple[Value, ...], Field(min_length=1, max_length=10_000)], Tag(":list")]
    | Annotated[Choice, Tag(":choice")]
    | Annotated[Integer, Tag(":integer")]
    | Annotated[Continuous, Tag(":continuous")],
    Discriminator(_domain_kind),
]
"""What a flag may be: one value (fixed, also for the baseline), a list to choose from, or a range."""


def flag_name(name: str) -> str:
    """The one spelling of a flag: no leading dashes, dashes between words. `--max_num_seqs` is `max-num-seqs`."""
    return name.strip().lstrip("-").replace("_", "-")


def flag_names(raw: Any) -> Any:
    if not isinstance(raw, dict):
        return raw
    named: dict[Any, Any] = {}
    for name, domain in raw.items():
        plain = flag_name(name) if isinstance(name, str) else name
        if plain in named:
            raise ValueError(f"{plain!r} stands here twice, in different spellings; keep one")
        named[plain] = domain
    return named


FlagName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9.-]{0,99}$")]
EnvName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,199}$")]


def renamed(raw: Any, old: str, new: str) -> Any:
    """A block with a key of older files under its present name."""
    if not isinstance(raw, dict) or old not in raw or new in raw:
        return raw
    return {(new if key == old else key): value for key, value in raw.items()}


def as_tuple(raw: Any) -> Any:
    return raw if isinstance(raw, list | tuple) or raw is None else (raw,)


Names = Annotated[tuple[Text, ...], Field(min_length=1), BeforeValidator(as_tuple)]


SCENARIO = re.compile(
    r"^(?:D\(\d{1,7},\d{1,7}\)|N\(\d{1,7},\d{1,7}\)/\(\d{1,7},\d{1,7}\)|U\(\d{1,7},\d{1,7}\)/\(\d{1,7},\d{1,7}\)|dataset|trace)$"
)


def _scenario(raw: str) -> str:
    scenario = raw.replace(" ", "")
    if not SCENARIO.match(scenario):
        raise ValueError(
            f"no traffic scenario {raw!r}; write D(in,out), N(mean,sd)/(mean,sd), "
            "U(min,max)/(min,max), dataset, or trace"
        )
    numbers = [int(number) for number in re.findall(r"\d+", scenario)]
    lengths = numbers[::2] if scenario.startswith("N") else numbers
    if 0 in lengths:
        raise ValueError(f"{scenario} asks for 0 tokens; prompts and answers have at least 1")
    if scenario.startswith("U") and (numbers[0] > numbers[1] or numbers[2] > numbers[3]):
        raise ValueError(f"{scenario} has a minimum above its maximum; swap them")
    return scenario


def shortest_prompt(scenario: str) -> int:
    """Tokens, from the first number of a scenario: the length itself, the minimum, or the mean."""
    match = re.search(r"\d+", scenario)
    return int(match[0]) if match else 0


Scenario = Annotated[str, AfterValidator(_scenario)]
