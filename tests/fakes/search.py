"""Searches over synthetic laws: a space, a law that measures it, and the loop that asks and answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tuner.domain import Experiment, ExperimentState, Failure, Params, Role, Score
from tuner.errors import FailureKind
from tuner.protocols import Search, Strategy
from tuner.search.space import SearchSpace, build
from tuner.spec.objectives import NAMED_OBJECTIVES, Objective
from tuner.spec.task import TaskSpec
from tuner.spec.values import Value

THEN = datetime(2026, 1, 1, tzinfo=UTC)

Law = Callable[[Mapping[str, Value]], tuple[Score, ...] | None]
"""What a configuration scores, one a objective; None: it fails."""


def make_space(constraints: Sequence[str] = (), **parameters: object) -> SearchSpace:
    spec = TaskSpec.model_validate(
        {"task_name": "t", "model": "m", "parameters": parameters, "constraints": list(constraints)}
    )
    return build(spec, parallel_presets={}, quant_presets={}, refusal=lambda _: None)


def scores(*values: float, violation: float = 0.0) -> tuple[Score, ...]:
    return tuple(Score(value=value, penalised=value, violation=violation) for value in values)


@dataclass
class Run:
    """A task without an engine: asks a strategy and writes down what the law says, `slots` experiments at a time."""

    strategy: Strategy
    space: SearchSpace
    law: Law
    seed: int = 0
    objectives: tuple[Objective, ...] = (NAMED_OBJECTIVES["minimize_latency"],)
    budget: int = 20
    slots: int = 1
    history: list[Experiment] = field(default_factory=list)
    pending: list[Experiment] = field(default_factory=list)

    @property
    def search(self) -> Search:
        return Search(
            space=self.space, objectives=self.objectives, seed=self.seed, n_initial_random=5, budget=self.budget
        )

    def step(self, role: Role = Role.CANDIDATE, params: Params | None = None) -> Params | None:
        params = params or self.strategy.ask(self.search, self.history, self.pending)
        if params is not None:
            number = len(self.history) + len(self.pending)
            self.pending.append(Experiment(number=number, role=role, params=params, started_at=THEN))
        if len(self.pending) >= self.slots or params is None:
            self.history += [finished(one, self.law(one.params.flat)) for one in self.pending[:1]]
            del self.pending[:1]
        return params

    def steps(self, count: int) -> list[Params]:
        """Fewer where the space is spent."""
        asked: list[Params] = []
        while len(asked) < count and (params := self.step()) is not None:
            asked.append(params)
        return asked


def finished(one: Experiment, found: tuple[Score, ...] | None) -> Experiment:
    failure = None if found is not None else Failure(kind=FailureKind.OUT_OF_MEMORY, message="no memory")
    state = ExperimentState.COMPLETED if found is not None else ExperimentState.FAILED
    return one.model_copy(update={"state": state, "scores": found or (), "failure": failure})
