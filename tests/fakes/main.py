"""The command line with the quick load generator in its table: `python -m tests.fakes.main tune FILE`, tool: quick."""

from tests.fakes.quick_benchmark import QuickBenchmark
from tuner.benchmarks import BENCHMARKS
from tuner.cli import main

if __name__ == "__main__":
    BENCHMARKS["quick"] = QuickBenchmark
    main()
