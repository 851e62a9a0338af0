"""Finds the fastest safe way to serve a language model, by measuring it.

The model of a task lies below the tables that its names are from; here it is told where those are.
"""

from collections.abc import Mapping

from tuner.spec.names import TABLES


def _engines() -> Mapping[str, object]:
    from tuner.engines import ENGINES

    return ENGINES


def _strategies() -> Mapping[str, object]:
    from tuner.search.strategies import STRATEGIES

    return STRATEGIES


def _deployment_modes() -> Mapping[str, object]:
    """Those of older files are names, too, where there is no deployer for them yet: the plan says so."""
    from tuner.deploy import DEPLOYERS
    from tuner.spec.task import DeploymentMode

    return {**DEPLOYERS, **{mode.value: mode for mode in DeploymentMode}}


def _load_generators() -> Mapping[str, object]:
    from tuner.benchmarks import BENCHMARKS

    return BENCHMARKS


TABLES.update(
    {
        "engine": _engines,
        "strategy": _strategies,
        "deployment mode": _deployment_modes,
        "load generator": _load_generators,
    }
)
