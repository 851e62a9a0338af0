"""Random points, none of them twice."""

import random
from collections.abc import Sequence

from tuner.domain import Experiment, Params
from tuner.protocols import Search, Space
from tuner.search.strategies import grid
from tuner.search.strategies.scales import scales

DRAWS = 64
"""Before what is left is listed: with half of the space untried, that many draws all miss once in 10¹⁹ times."""
WIDE_DRAWS = 2000
"""In a space too large to list, where constraints may leave little."""


class Random:
    name = "random"
    title = "Random"
    description = "Random configurations, none of them twice"
    spoken: tuple[str, ...] = ("random",)
    in_order = False

    def ask(self, search: Search, history: Sequence[Experiment], pending: Sequence[Experiment]) -> Params | None:
        begun = [*history, *pending]
        return draw(search.space, {experiment.params.key for experiment in begun}, source(search, begun))


def source(search: Search, begun: Sequence[Experiment]) -> random.Random:
    """The same for the same seed and number of experiments: a resumed task draws as if it had never stopped."""
    return random.Random(f"{search.seed}/{len(begun)}")  # noqa: S311 - a search is no secret


def draw(space: Space, tried: set[str], source: random.Random) -> Params | None:
    """A valid configuration that is not tried, each as likely as the other; None if there is none."""
    candidates = space.candidates
    if candidates is None:
        return _draw_wide(space, tried, source)
    for _ in range(DRAWS if candidates else 0):
        if (params := candidates[source.randrange(len(candidates))]).key not in tried:
            return params
    left = [params for params in candidates if params.key not in tried]
    return source.choice(left) if left else None


def _draw_wide(space: Space, tried: set[str], source: random.Random) -> Params | None:
    axes = scales(space)
    for _ in range(WIDE_DRAWS):
        params = space.point({name: scale.draw(source) for name, scale in axes.items()})
        if params is not None and params.key not in tried:
            return params
    return next(grid.untried(space, tried), None)
