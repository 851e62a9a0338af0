"""`python -m tuner.cli`, where the `autotuner` script is not on the path."""

from tuner.cli import main

main(prog_name="autotuner")
