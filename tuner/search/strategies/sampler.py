"""Model-based search: Optuna proposes a place, the nearest valid configuration that was not tried is taken."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from tuner.domain import Experiment, Params
from tuner.protocols import Search, Space
from tuner.search.strategies.observations import observe
from tuner.search.strategies.random import draw, source
from tuner.search.strategies.scales import Scale, scales
from tuner.spec.values import Value

PROPOSALS = 4
"""Asked for before the nearest neighbour of the first is taken instead."""
NEIGHBOURS = 2000
"""Configurations compared with a proposal, so that an answer takes a tenth of a second in any space."""
JUDGED = 2
"""Experiments with a score before there is anything to model: evolution needs two parents."""


@dataclass
class Sampler:
    """`tpe`: a tree-structured Parzen estimator over all parameters together; `nsga2`: evolution of a Pareto front.

    What is modelled is what ranks: the value with its soft SLOs, and hard SLOs as constraints.
    """

    kind: str
    name: str
    description: str
    spoken: tuple[str, ...]
    in_order: bool = False

    def ask(self, search: Search, history: Sequence[Experiment], pending: Sequence[Experiment]) -> Params | None:
        begun = [*history, *pending]
        tried = {experiment.params.key for experiment in begun}
        axes = {name: scale for name, scale in scales(search.space).items() if scale.count > 1}
        observations = observe(search, begun)
        judged = sum(observation.losses is not None for observation in observations)
        chance = source(search, begun)
        if not axes or judged < JUDGED or len(observations) < search.n_initial_random:
            return draw(search.space, tried, chance)
        # Optuna costs 0.4 s and 50 MB, which no other strategy and no other command should pay.
        from tuner.search.strategies import studies

        proposals = studies.propose(self.kind, axes, observations, len(search.objectives), chance.getrandbits(32))
        return _taken(search.space, tried, axes, islice(proposals, PROPOSALS), chance)


BAYESIAN = Sampler("tpe", "bayesian", "A model of the space (TPE) proposes what to try", ("bayesian", "bayes"))
NSGA2 = Sampler(
    "nsga2", "nsga2", "Evolution of a Pareto front (NSGA-II), for several objectives", ("nsga-2", "nsga-ii")
)


def _taken(
    space: Space,
    tried: set[str],
    axes: Mapping[str, Scale],
    proposals: Iterable[Mapping[str, Value]],
    chance: random.Random,
) -> Params | None:
    """The first proposal that is valid and new; else the nearest such configuration to the first of them."""
    single = {name: dimension.values[0] for name, dimension in space.dimensions.items() if name not in axes}
    centre: Mapping[str, Value] | None = None
    for proposal in proposals:
        centre = centre or proposal
        params = space.point({**single, **proposal})
        if params is not None and params.key not in tried:
            return params
    assert centre is not None
    near = _neighbours(space, tried, chance)
    return min(near, key=partial(_distance, space, axes, centre), default=None)


def _neighbours(space: Space, tried: set[str], chance: random.Random) -> list[Params]:
    candidates = space.candidates
    if candidates is None:
        params = draw(space, tried, chance)
        return [] if params is None else [params]
    if len(candidates) > NEIGHBOURS:
        numbers = chance.sample(range(len(candidates)), NEIGHBOURS)
        near = [params for number in numbers if (params := candidates[number]).key not in tried]
        if near:
            return near
    return [params for params in candidates if params.key not in tried]


def _distance(space: Space, axes: Mapping[str, Scale], centre: Mapping[str, Value], params: Params) -> float:
    values = space.values(params) or {}
    return sum(
        abs(scale.place(values[name]) - scale.place(centre[name])) if scale.ordered else values[name] != centre[name]
        for name, scale in axes.items()
    )
