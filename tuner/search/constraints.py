"""Constraints of a task: `tp * pp <= 4` → a function of a candidate. Parsed, checked and built by hand; never `eval`.

Numbers, text and booleans; + - * / // % **; comparisons, also chained; `in [..]`; and, or, not; min, max, abs.
A name is a flag, a variable, or a key of the parallel and quantization blocks, with `_` for `-` and `.`.
"""

import ast
import difflib
import operator
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from tuner.errors import InvalidSpecError, Problem

MAX_LENGTH = 500
MAX_NODES = 200
MAX_DEPTH = 30
MAX_BITS = 1024
"""Of a whole number on the way to a result, so that no power runs away."""

DEFAULTS: Mapping[str, bool | int] = {
    **dict.fromkeys(("tp", "pp", "dp", "dcp", "cp", "ep", "moe_tp", "moe_ep", "moe_cluster", "moe_dense_tp"), 1),
    "enable_expert_parallel": False,
}
"""What a candidate has that does not say. Any other name it leaves out stays at the engine's default, which nobody here
knows: an expression that hangs on it counts as satisfied."""


class _Unknown(Enum):
    """Value of a name that the candidate leaves at the engine's default."""

    UNKNOWN = 0


_UNKNOWN = _Unknown.UNKNOWN
_Plain = bool | int | float | str
_Result = _Plain | _Unknown
_Term = Callable[[Mapping[str, _Plain]], _Result]


class _Undefined(Exception):  # noqa: N818 - it is no error of ours, it has no value
    """The expression has no value for these parameters; says why."""


@dataclass(frozen=True)
class Constraint:
    expression: str
    names: frozenset[str]
    """Of parameters, as they are spelled in a candidate."""
    _term: _Term

    def refusal(self, values: Mapping[str, _Plain]) -> str | None:
        """Why a candidate is excluded; None where the constraint holds, or hangs on an engine's default.

        Args:
            values: the candidate's, by flat name (`Params.flat`).
        """
        try:
            result = self._term(values)
        except _Undefined as error:
            return f"{self.expression!r} has no value: {error}"
        return None if result is _UNKNOWN or result else f"{self.expression!r} does not hold"


def compile(  # noqa: A001 - `constraints.compile` reads well
    expression: str, names: Iterable[str], aliases: Mapping[str, str] | None = None
) -> Constraint:
    """
    Args:
        aliases: other names that the expression may use, and what a candidate calls them.

    Raises:
        InvalidSpecError: this is no expression, it is too large, or it names something that is no parameter.
    """
    called = {name: name for name in (*DEFAULTS, *names)} | dict(aliases or {})
    builder = _Builder({re.sub(r"[-.]", "_", name): own for name, own in called.items()})
    try:
        if len(expression) > MAX_LENGTH:
            raise _Refused(f"it has {len(expression)} characters; {MAX_LENGTH} are the limit")
        term = builder.build(_parsed(expression))
    except _Refused as error:
        raise InvalidSpecError([Problem(f"{expression!r:.80} is no constraint: {error}")]) from None
    return Constraint(expression, frozenset(builder.used), term)


class _Refused(Exception):  # noqa: N818
    """Why an expression is not taken."""


def _parsed(expression: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's advice on odd spellings is not for this author.
            body = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else type(error).__name__
        raise _Refused(f"{reason}; write it like tp * pp <= 4, joined by and, or, not") from None
    if sum(1 for _ in ast.walk(body)) > MAX_NODES:
        raise _Refused(f"it has more than {MAX_NODES} parts; split it into several constraints")
    if not isinstance(body, ast.Compare | ast.BoolOp | ast.Name) and not _is_not(body):
        raise _Refused("it says neither yes nor no; compare with something, as in tp * pp <= 4")
    return body


def _is_not(node: ast.expr) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)


def _number(value: _Plain) -> int | float:
    if isinstance(value, str):
        raise _Undefined(f"{value!r} is text, not a number")
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise _Undefined(f"a number on the way has more than {MAX_BITS} bits")
    return value


def _power(base: int | float, exponent: int | float) -> int | float:
    if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * abs(exponent) > MAX_BITS:
        raise _Undefined(f"a power on the way has more than {MAX_BITS} bits")
    result = base**exponent
    if isinstance(result, complex):
        raise _Undefined(f"{base} ** {exponent} is no real number")
    return result


_ARITHMETIC: Mapping[type[ast.operator], Callable[[int | float, int | float], int | float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
}
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[_Plain, _Plain], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_FUNCTIONS: Mapping[str, Callable[..., _Plain]] = {"min": min, "max": max, "abs": abs}


class _Builder:
    """Turns a syntax tree into functions, once; a candidate then costs a few calls."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self.used: set[str] = set()

    def build(self, node: ast.expr, depth: int = 0) -> _Term:
        if depth > MAX_DEPTH:
            raise _Refused(f"it is nested deeper than {MAX_DEPTH} levels; split it into several constraints")
        match node:
            case ast.Constant(value=bool() | int() | float() | str() as value):
                return lambda _: value
            case ast.Name(id=name):
                return self._name(name)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return _negate(self.build(operand, depth + 1))
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
                factor = -1 if isinstance(sign, ast.USub) else 1
                return _apply(lambda value: factor * _number(value), [self.build(operand, depth + 1)])
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                function = _ARITHMETIC[type(op)]
                terms = [self.build(left, depth + 1), self.build(right, depth + 1)]
                return _apply(lambda a, b: function(_number(a), _number(b)), terms)
            case ast.BoolOp(op=op, values=values):
                return _join([self.build(value, depth + 1) for value in values], stop=isinstance(op, ast.Or))
            case ast.Compare():
                return self._compare(node, depth)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS and args:
                if name != "abs" and len(args) < 2:
                    raise _Refused(f"{name} needs two values or more")
                return _apply(_FUNCTIONS[name], [self.build(arg, depth + 1) for arg in args])
            case _:
                raise _Refused(f"{ast.unparse(node)!r:.60} is not taken; there are numbers, text, names, {_TAKEN}")

    def _name(self, name: str) -> _Term:
        if name not in self._names:
            close = difflib.get_close_matches(name, self._names, n=1)
            known = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(sorted(self._names))}"
            raise _Refused(f"no parameter {name!r}; {known}")
        spelled = self._names[name]
        default = DEFAULTS.get(spelled, _UNKNOWN)
        self.used.add(spelled)
        return lambda values: values.get(spelled, default)

    def _compare(self, node: ast.Compare, depth: int) -> _Term:
        """`1 <= tp <= 4` is `1 <= tp and tp <= 4`."""
        sides = [node.left, *node.comparators]
        terms = [self._side(op, sides[i], sides[i + 1], depth + 1) for i, op in enumerate(node.ops)]
        return _join(terms, stop=False)

    def _side(self, op: ast.cmpop, left: ast.expr, right: ast.expr, depth: int) -> _Term:
        first = self.build(left, depth)
        if isinstance(op, ast.In | ast.NotIn):
            if not isinstance(right, ast.List | ast.Tuple | ast.Set):
                raise _Refused("'in' needs a list: tp in [1, 2, 4]")
            inside = _any_equal(first, [self.build(item, depth + 1) for item in right.elts])
            return _negate(inside) if isinstance(op, ast.NotIn) else inside
        if type(op) not in _COMPARISONS:
            raise _Refused("'is' is not taken; write ==")
        return _apply(_COMPARISONS[type(op)], [first, self.build(right, depth)])


_TAKEN = "+ - * / // % **, comparisons, in [..], and, or, not, min, max, abs"


def _apply(function: Callable[..., _Plain], terms: list[_Term]) -> _Term:
    def result(values: Mapping[str, _Plain]) -> _Result:
        operands = [term(values) for term in terms]
        if _UNKNOWN in operands:
            return _UNKNOWN
        try:
            return function(*operands)
        except ZeroDivisionError:
            raise _Undefined("it divides by zero") from None
        except OverflowError:
            raise _Undefined("a number on the way is too large") from None
        except TypeError as error:
            raise _Undefined(str(error)) from None

    return result


def _negate(term: _Term) -> _Term:
    return _apply(lambda value: not value, [term])


def _any_equal(first: _Term, items: list[_Term]) -> _Term:
    return _join([_apply(operator.eq, [first, item]) for item in items], stop=True)


def _join(terms: list[_Term], *, stop: bool) -> _Term:
    """`or` where `stop` is true, else `and`: one term that is `stop` decides, whatever the unknown ones are."""

    def result(values: Mapping[str, _Plain]) -> _Result:
        unknown = False
        for term in terms:
            value = term(values)
            if value is _UNKNOWN:
                unknown = True
            elif bool(value) is stop:
                return stop
        return _UNKNOWN if unknown else not stop

    return result
