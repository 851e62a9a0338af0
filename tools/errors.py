"""The error that is a tool's own; every other comes from below."""

from tuner.errors import Problem, TunerError


class InvalidArgumentsError(TunerError):
    """A call that cannot be made as it is written; says which argument, why, and what is allowed."""

    def __init__(self, tool: str, problems: list[Problem]) -> None:
        listed = "\n".join(f"- {problem}" for problem in problems)
        super().__init__(f"{tool} cannot be called like this:\n{listed}")
        self.problems = problems
