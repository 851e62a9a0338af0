"""How load is sent and timed. A new load generator is one module here and one line in this table."""

from collections.abc import Callable
from pathlib import Path

from tuner.benchmarks.genai_bench import GenaiBench
from tuner.benchmarks.guidellm import Guidellm
from tuner.protocols import Benchmark

BENCHMARKS: dict[str, Callable[[Path], Benchmark]] = {"genai-bench": GenaiBench, "guidellm": Guidellm}
"""By the data folder, which holds the environments that the generators run in."""
