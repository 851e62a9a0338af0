"""How to choose what to measure next, by name. A new strategy is one file and one line here."""

from collections.abc import Mapping

from tuner.protocols import Strategy
from tuner.search.strategies.auto import Auto
from tuner.search.strategies.grid import Grid
from tuner.search.strategies.random import Random
from tuner.search.strategies.sampler import Sampler
from tuner.spec.task import StrategyName

STRATEGIES: Mapping[StrategyName, Strategy] = {
    StrategyName.GRID: Grid(),
    StrategyName.RANDOM: Random(),
    StrategyName.BAYESIAN: Sampler("tpe"),
    StrategyName.NSGA2: Sampler("nsga2"),
    StrategyName.AUTO: Auto(),
}
