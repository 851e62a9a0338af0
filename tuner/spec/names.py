"""Names that a task chooses out of tables, which are listed in the layers above and looked up when they are needed."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any, Literal

Kind = Literal["engine", "strategy", "deployment mode", "load generator", "load policy"]
Table = Callable[[], Mapping[str, Any]]
"""Asked whenever a task is checked or described: tables can grow."""

TABLES: Mapping[Kind, tuple[str, str]] = {
    "engine": ("tuner.engines", "ENGINES"),
    "strategy": ("tuner.search.strategies", "STRATEGIES"),
    "deployment mode": ("tuner.deploy", "DEPLOYERS"),
    "load generator": ("tuner.benchmarks", "BENCHMARKS"),
    "load policy": ("tuner.search.load_policies", "LOAD_POLICIES"),
}
"""Module and name of each."""
PLANNED: Mapping[Kind, Mapping[str, str]] = {"deployment mode": {"docker": "Docker", "ome": "Kubernetes (OME)"}}
"""Names that files may use before there is a row for them, with titles: the plan says that it is missing."""


def named(kind: Kind) -> Table:
    """The table of a kind, for when it is needed."""
    return partial(_table, kind)


def engine_called(name: str) -> str:
    """The engine's own name, of one of its aliases; anything else as it is."""
    engines = _table("engine")
    return next((own for own, engine in engines.items() if name in engine.aliases), name)


def _table(kind: Kind) -> Mapping[str, Any]:
    module, name = TABLES[kind]
    rows: Mapping[str, Any] = getattr(import_module(module), name)
    return {**rows, **{name: None for name in PLANNED.get(kind, ()) if name not in rows}}
