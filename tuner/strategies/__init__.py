"""How to choose what to measure next, by name. A new strategy is one file and one line here."""

from collections.abc import Mapping

from tuner.protocols import Strategy
from tuner.spec import StrategyName
from tuner.strategies.auto import Auto
from tuner.strategies.grid import Grid
from tuner.strategies.random import Random
from tuner.strategies.sampler import Sampler

STRATEGIES: Mapping[StrategyName, Strategy] = {
    StrategyName.GRID: Grid(),
    StrategyName.RANDOM: Random(),
    StrategyName.BAYESIAN: Sampler("tpe"),
    StrategyName.NSGA2: Sampler("nsga2"),
    StrategyName.AUTO: Auto(),
}
