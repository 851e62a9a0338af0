"""The strategy that suits the size of the space."""

from collections.abc import Sequence

from tuner.domain import Experiment, Params
from tuner.protocols import Search
from tuner.search.strategies.grid import Grid
from tuner.search.strategies.sampler import BAYESIAN, NSGA2


class Auto:
    """`auto` by itself is a value of many flags, so a sentence says more than that."""

    name = "auto"
    title = "Automatic"
    description = "The whole grid where the budget covers it, else Bayesian; NSGA-II for several objectives"
    spoken: tuple[str, ...] = (
        "automatic search",
        "automatic strategy",
        "automatic sampling",
        "auto search",
        "auto strategy",
        "auto sampling",
    )
    in_order = False

    def ask(self, search: Search, history: Sequence[Experiment], pending: Sequence[Experiment]) -> Params | None:
        candidates = search.space.candidates
        if candidates is not None and len(candidates) <= search.budget:
            return Grid().ask(search, history, pending)
        return (NSGA2 if len(search.objectives) > 1 else BAYESIAN).ask(search, history, pending)
