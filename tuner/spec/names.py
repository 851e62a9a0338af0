"""Names that a task chooses out of tables. Those are listed in the layers above, so this one is told where."""

from collections.abc import Callable, Mapping
from typing import Literal

Kind = Literal["engine", "strategy", "deployment mode", "load generator"]
Table = Callable[[], Mapping[str, object]]
"""Asked whenever a task is checked or described: tables can grow."""

TABLES: dict[Kind, Table] = {}
"""Filled by `tuner/__init__.py`, which runs before any module below it."""
ENGINE_ALIASES: dict[str, str] = {
    "tensorrt_llm": "tensorrt-llm",
    "trtllm": "tensorrt-llm",
    "trt-llm": "tensorrt-llm",
    "simulation": "simulated",
    "simulator": "simulated",
}
"""Other spellings, and the names they stand for."""


def named(kind: Kind) -> Table:
    """The table of a kind, for when it is needed."""
    return lambda: TABLES[kind]()
