"""The task file, ready to be run again or changed."""

from tuner.analysis.result import Result
from tuner.spec import taskfile


def render(result: Result) -> str:
    return taskfile.dump(result.spec)
