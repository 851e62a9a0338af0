"""The command line with the quick load generator in its table: `python -m tests.fakes.main tune FILE`, tool: quick."""

import sys

from tests.fakes.quick_benchmark import QuickBenchmark
from tuner.benchmarks import BENCHMARKS
from tuner.cli import main
from tuner.runner import supervisor

if __name__ == "__main__":
    BENCHMARKS["quick"] = QuickBenchmark
    supervisor.COMMAND = (sys.executable, "-m", "tests.fakes.main", "worker", "--with-parent")
    main()
