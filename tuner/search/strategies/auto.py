"""The strategy that suits the size of the space."""

from collections.abc import Sequence

from tuner.domain import Experiment, Params
from tuner.protocols import Search
from tuner.search.strategies.grid import Grid
from tuner.search.strategies.sampler import Sampler


class Auto:
    """The whole grid where the budget covers it, else Bayesian; NSGA-II for several objectives."""

    def ask(self, search: Search, history: Sequence[Experiment], pending: Sequence[Experiment]) -> Params | None:
        candidates = search.space.candidates
        if candidates is not None and len(candidates) <= search.budget:
            return Grid().ask(search, history, pending)
        return Sampler("nsga2" if len(search.objectives) > 1 else "tpe").ask(search, history, pending)
