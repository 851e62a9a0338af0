"""Names of engines and strategies as people say them, out of their tables."""

import re
from collections.abc import Iterable

import prompts
from tuner.engines import ENGINES
from tuner.search.strategies import STRATEGIES
from tuner.spec.task import TaskSpec

USUAL_ENGINE: str = TaskSpec.model_fields["base_runtime"].default


def engines() -> dict[str, str]:
    """Pattern → engine. One of its environments means the engine, too."""
    return {_pattern((name, *one.recipes, *one.aliases)): name for name, one in ENGINES.items()}


def strategies() -> dict[str, str]:
    """Pattern → strategy."""
    return {_pattern(one.spoken): name for name, one in STRATEGIES.items()}


def engine(said: str) -> str | None:
    """The engine that is meant; None: there is none of that name."""
    return next((name for pattern, name in engines().items() if re.fullmatch(pattern, said, re.IGNORECASE)), None)


def help_text() -> str:
    """The grammar, for people."""
    searches = ", ".join(f"`{one.spoken[0]}`" for one in STRATEGIES.values())
    return prompts.render("offline_help", engines=", ".join(ENGINES), strategies=searches)


def _pattern(names: Iterable[str]) -> str:
    """However words are joined: tensorrt-llm, tensorrt_llm, TensorRT LLM. The longest first, for it may begin alike."""
    patterns = {"[-_ ]?".join(map(re.escape, re.split("[-_ ]", name))) for name in names}
    return "|".join(sorted(patterns, key=lambda pattern: (-len(pattern), pattern)))
