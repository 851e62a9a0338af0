"""The search space of a task: everything that is varied, less what constraints and the engine refuse."""

import itertools
import math
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias, overload

from tuner.domain import Params
from tuner.errors import InvalidSpecError, Problem
from tuner.protocols import Dimension
from tuner.search import constraints
from tuner.search.axes import MAX_LISTED, Axis, Block, Patch, axes_of, listed, same
from tuner.search.constraints import Constraint
from tuner.spec.problems import nearest
from tuner.spec.task import ParallelConfig, QuantConfig, TaskSpec
from tuner.spec.values import Frozen, Value

Refusal: TypeAlias = Callable[[Params], str | None]

SHOWN_REASONS = 8


@dataclass(frozen=True)
class LeftOut:
    """Combinations left out for one reason."""

    reason: str
    count: int
    example: Params


@dataclass(frozen=True)
class SearchSpace:
    """All configurations that a task may try. Enumerated lazily."""

    fixed: Params
    """What every configuration has, and all that the baseline has."""
    axes: tuple[Axis, ...]
    constraints: tuple[Constraint, ...]
    refusal: Refusal
    """Why the engine cannot run a configuration, or None."""

    @property
    def varied(self) -> bool:
        return bool(self.axes)

    @cached_property
    def dimensions(self) -> Mapping[str, Dimension]:
        return {axis.name: axis.dimension for axis in self.axes}

    @cached_property
    def size(self) -> int | None:
        """Combinations, refused ones included; None where a range is continuous."""
        counts = [axis.count for axis in self.axes]
        return None if None in counts else math.prod(count for count in counts if count is not None)

    @property
    def candidates(self) -> Sequence[Params] | None:
        return self._listing[0]

    @property
    def skipped(self) -> Sequence[LeftOut]:
        """Why combinations are left out, most frequent first; empty where the space is not listed."""
        return self._listing[1]

    def point(self, values: Mapping[str, Value]) -> Params | None:
        params = self._params(values)
        return None if params is None or self.reason(params) else params

    def values(self, params: Params) -> Mapping[str, Value] | None:
        found = {axis.name: axis.value(params) for axis in self.axes}
        values = {name: value for name, value in found.items() if value is not None}
        if len(values) < len(found):
            return None
        same = self._params(values)
        return values if same is not None and same.key == params.key else None

    def reason(self, params: Params) -> str | None:
        """Why a configuration is left out: the first constraint that excludes it, or the engine's own words."""
        flat = params.flat
        refusals = (constraint.refusal(flat) for constraint in self.constraints)
        return next((refusal for refusal in refusals if refusal is not None), None) or self.refusal(params)

    def combination(self, index: int) -> Params:
        """The combination with this number, refused or not; the last axis changes fastest."""
        patches: list[tuple[Block, Patch]] = []
        for axis in reversed(self.axes):
            index, digit = divmod(index, len(axis.dimension.values))
            patch = axis.patch(axis.dimension.values[digit])
            patches.append((axis.block, patch or {}))
        return self._patched(patches[::-1])

    def _params(self, values: Mapping[str, Value]) -> Params | None:
        patches: list[tuple[Block, Patch]] = []
        for axis in self.axes:
            patch = axis.patch(values[axis.name])
            if patch is None:
                return None
            patches.append((axis.block, patch))
        return self._patched(patches)

    def _patched(self, patches: Sequence[tuple[Block, Patch]]) -> Params:
        parts: dict[str, dict[str, Any]] = {
            "flags": dict(self.fixed.flags),
            "env": dict(self.fixed.env),
            "parallel": dict(self.fixed.parallel),
            "quant": dict(self.fixed.quant),
        }
        for block, patch in patches:
            parts[block].update(patch)
        # Every value was checked when the task was read, and a large space makes very many of these.
        return Params.model_construct(None, **parts)

    @cached_property
    def _listing(self) -> tuple["Candidates | None", tuple[LeftOut, ...]]:
        if self.size is None or self.size > MAX_LISTED:
            return None, ()
        valid = array("L")
        left_out: dict[str, tuple[int, int]] = {}
        for index in range(self.size):
            reason = self.reason(self.combination(index))
            if reason is None:
                valid.append(index)
            else:
                count, example = left_out.get(reason, (0, index))
                left_out[reason] = (count + 1, example)
        skipped = (LeftOut(reason, count, self.combination(i)) for reason, (count, i) in left_out.items())
        return Candidates(self, valid), tuple(sorted(skipped, key=lambda skip: -skip.count))


@dataclass(frozen=True)
class Candidates(Sequence[Params]):
    """The valid configurations of a listed space, kept as numbers and built on access."""

    space: SearchSpace
    numbers: Sequence[int]

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, index: int) -> Params: ...
    @overload
    def __getitem__(self, index: slice) -> "Candidates": ...
    def __getitem__(self, index: int | slice) -> "Params | Candidates":
        if isinstance(index, slice):
            return Candidates(self.space, self.numbers[index])
        return self.space.combination(self.numbers[index])


def build(
    spec: TaskSpec,
    *,
    parallel_presets: Mapping[str, Mapping[str, bool | int]],
    quant_presets: Mapping[str, Mapping[str, str]],
    refusal: Refusal,
    aliases: Mapping[str, str] | None = None,
) -> SearchSpace:
    """The space of a task. One value is fixed and part of the baseline too; a list or a range is varied.

    In the parallel and quantization blocks a list of one value is fixed as well. Presets are tried beside the
    combinations of the values in their block, not crossed with them.

    Args:
        refusal: why the engine cannot run a configuration, None if it can.
        aliases: other names of parameters that constraints may use.

    Raises:
        InvalidSpecError: presets or constraints that do not exist, a name used twice, or nothing left to try.
    """
    problems = _collisions(spec)
    blocks = {
        "flags": axes_of("flags", spec.parameters),
        "env": axes_of("env", spec.environment),
        "parallel": _block("parallel", "parallel_config", spec.parallel_config, parallel_presets, problems),
        "quant": _block("quant", "quant_config", spec.quant_config, quant_presets, problems),
    }
    compiled = _compiled(spec, aliases or {}, problems)
    if problems:
        raise InvalidSpecError(problems)
    fixed = Params.model_validate({name: part for name, (part, _) in blocks.items()})
    order = ("parallel", "quant", "flags", "env")  # The last axis changes fastest: restarts on more GPUs stay rare.
    axes = tuple(axis for name in order for axis in blocks[name][1])
    space = SearchSpace(fixed, axes, compiled, refusal)
    if not space.varied and not spec.optimization.baseline:
        message = "nothing is varied and the baseline is off, so there is nothing to measure; give a parameter a list"
        raise InvalidSpecError([Problem(message, "parameters")])
    if space.candidates is not None and not space.candidates:
        raise InvalidSpecError([Problem(_nothing_left(space), "constraints" if spec.constraints else "")])
    return space


def _block(
    block: Block,
    where: str,
    config: ParallelConfig | QuantConfig | None,
    presets: Mapping[str, Patch],
    problems: list[Problem],
) -> tuple[Patch, list[Axis]]:
    """Without presets every list is varied by itself; with them the block is one choice among named combinations."""
    if config is None:
        return {}, []
    lists: dict[str, tuple[Value, ...]] = {
        name: values for name, values in config if name != "presets" and values is not None
    }
    if config.presets is None:
        fixed = {name: values[0] for name, values in lists.items() if len(set(values)) == 1}
        return fixed, [listed(name, block, values) for name, values in lists.items() if name not in fixed]
    unknown = [name for name in config.presets if name not in presets]
    for name in unknown:
        there = ", ".join(presets) or "none for this engine"
        problems.append(Problem(f"no preset {name!r}; there are {there}{nearest(name, presets)}", f"{where}.presets"))
    named: list[tuple[str, Patch]] = [(name, presets[name]) for name in config.presets if name in presets]
    for values in itertools.product(*lists.values()) if lists else ():
        label = " ".join(f"{key}={value}" for key, value in zip(lists, values, strict=True))
        named.append((label, dict(zip(lists, values, strict=True))))
    joint: dict[str, Patch] = {}
    for label, patch in named:
        if not any(same(patch, other) for other in joint.values()):
            joint[label] = patch
    if len(joint) < 2:
        return next(iter(joint.values()), {}), []
    return {}, [Axis(where, block, Dimension(values=tuple(joint)), len(joint), joint)]


def _compiled(spec: TaskSpec, aliases: Mapping[str, str], problems: list[Problem]) -> tuple[Constraint, ...]:
    blocks = [name for config in (ParallelConfig, QuantConfig) for name in config.model_fields if name != "presets"]
    names = [*blocks, *spec.parameters, *spec.environment]
    compiled: list[Constraint] = []
    for i, expression in enumerate(spec.constraints):
        try:
            compiled.append(constraints.compile(expression, names, aliases))
        except InvalidSpecError as error:
            problems += [Problem(problem.message, f"constraints.{i}") for problem in error.problems]
    return tuple(compiled)


def _collisions(spec: TaskSpec) -> list[Problem]:
    """Names that two blocks use: a table of results could not tell them apart."""
    owners: dict[str, str] = {}
    problems = []
    configs: list[tuple[str, Frozen | None]] = [
        ("parallel_config", spec.parallel_config),
        ("quant_config", spec.quant_config),
    ]
    given = [(where, name) for where, config in configs if config for name, value in config if value is not None]
    given += [("parameters", name) for name in spec.parameters] + [("environment", name) for name in spec.environment]
    for where, name in given:
        if name == "presets":
            continue
        if name in owners:
            problems.append(Problem(f"{name!r} stands in {owners[name]} too; keep one of them", f"{where}.{name}"))
        owners.setdefault(name, where)
    return problems


def _nothing_left(space: SearchSpace) -> str:
    reasons = [f"{skip.reason} ({skip.count})" for skip in space.skipped[:SHOWN_REASONS]]
    more = len(space.skipped) - len(reasons)
    rest = f"; and {more} reasons more" if more > 0 else ""
    return f"none of {space.size} combinations is left: {'; '.join(reasons)}{rest}. Loosen one of them"
