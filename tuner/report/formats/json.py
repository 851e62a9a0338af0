"""A result for programs: `result.Result` as JSON, with units in its names."""

from tuner.analysis.result import Result


def render(result: Result) -> str:
    return result.model_dump_json(indent=2)
