"""Proposals by Optuna: the history becomes a study, which is asked for its next trials. The only file that knows it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, NSGAIISampler, TPESampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from tuner.search.strategies.observations import Observation
from tuner.search.strategies.scales import Scale
from tuner.spec.values import Value

FAILED = 1e9
"""The violation of a configuration that failed: worse than any that was measured."""
POPULATION = (4, 8)
"""Parents, at least and at most: with tens of experiments more of them dilute what was learnt (measured)."""


class _Evolving(NSGAIISampler):
    """NSGA-II for few trials: the best of the whole history are the parents of the next one.

    The usual generations would need a population before anything is learnt, and bookkeeping that a history lacks.
    """

    def get_trial_generation(self, study: optuna.Study, trial: FrozenTrial) -> int:
        return 1

    def get_population(self, study: optuna.Study, generation: int) -> list[FrozenTrial]:
        return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def propose(
    kind: str, axes: Mapping[str, Scale], observations: Sequence[Observation], objectives: int, seed: int
) -> Iterator[dict[str, Value]]:
    """Values for every axis, endlessly. Proposals may repeat each other and the history."""
    distributions = {name: _distribution(scale) for name, scale in axes.items()}
    with _quiet():
        study = optuna.create_study(sampler=_sampler(kind, observations, seed), directions=["minimize"] * objectives)
    study.add_trials([_trial(observation, axes, distributions) for observation in observations])
    while True:
        trial = study.ask(distributions)
        yield {name: _value(axes[name], trial.params[name]) for name in axes}


def _sampler(kind: str, observations: Sequence[Observation], seed: int) -> BaseSampler:
    if kind == "tpe":
        return TPESampler(seed=seed, multivariate=True, n_startup_trials=1)
    least, most = POPULATION
    judged = sum(observation.losses is not None for observation in observations)
    return _Evolving(seed=seed, population_size=max(least, min(most, judged // 2)))


def _trial(
    observation: Observation, axes: Mapping[str, Scale], distributions: dict[str, BaseDistribution]
) -> FrozenTrial:
    # Pruned, not failed: Optuna's samplers overlook failed trials, and would ask for the same again.
    failed = observation.losses is None
    return create_trial(
        state=TrialState.PRUNED if failed else TrialState.COMPLETE,
        values=observation.losses,
        params={name: _coordinate(scale, observation.values[name]) for name, scale in axes.items()},
        distributions=distributions,
        constraints={"violation": FAILED if failed else min(observation.violation, FAILED)},
    )


def _distribution(scale: Scale) -> BaseDistribution:
    if not scale.ordered:
        return CategoricalDistribution(range(len(scale.values)))
    if scale.values and not scale.dimension.log:
        return IntDistribution(0, len(scale.values) - 1)
    return FloatDistribution(0.0, 1.0)


def _coordinate(scale: Scale, value: Value) -> int | float:
    if scale.values and not (scale.ordered and scale.dimension.log):
        return scale.rank(value)
    return min(1.0, max(0.0, scale.place(value)))


def _value(scale: Scale, coordinate: int | float) -> Value:
    if scale.values and not (scale.ordered and scale.dimension.log):
        return scale.sorted[int(coordinate)]
    return scale.at(coordinate)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the line that Optuna logs for every new study; ours are thrown away after one question."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
