"""How to choose what to measure next, by the name that task files use. A new strategy is one file and one line here."""

from tuner.protocols import Strategy
from tuner.search.strategies.auto import Auto
from tuner.search.strategies.grid import Grid
from tuner.search.strategies.random import Random
from tuner.search.strategies.sampler import BAYESIAN, NSGA2

STRATEGIES: dict[str, Strategy] = {
    "grid_search": Grid(),
    "random": Random(),
    "bayesian": BAYESIAN,
    "nsga2": NSGA2,
    "auto": Auto(),
}
