"""Noise from run to run, and drift, against values whose spread and slope are known."""

import math
import random
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.results import START, experiment, point, spec, task_of
from tuner.analysis.noise import LEAST_REPEATED, Drift, drift, of_past, pooled, repeated
from tuner.analysis.result import result
from tuner.domain import Experiment, Failure
from tuner.errors import FailureKind
from tuner.spec.objectives import NAMED_OBJECTIVES, Objective
from tuner.spec.task import TaskSpec

RATE = NAMED_OBJECTIVES["maximize_throughput"]
TTFT = NAMED_OBJECTIVES["minimize_ttft"]
DEAD = Failure(kind=FailureKind.CRASHED, message="It died.")


def made(**changes: Any) -> TaskSpec:
    load = {"traffic_scenarios": ["D(256,32)"], "num_concurrency": [8]}
    return spec(**{"benchmark": load, "slo": None, **changes})


def ran(task: TaskSpec, *told: tuple[float | None, int | None]) -> list[Experiment]:
    """Experiments by number: (throughput, None: it failed; what it confirms)."""
    return [
        experiment(
            number,
            [] if rate is None else [point(8, rate=rate, ttft=10 / rate)],
            task=task,
            confirms=confirms,
            failure=DEAD if rate is None else None,
        )
        for number, (rate, confirms) in enumerate(told)
    ]


def test_the_spread_is_pooled_by_how_often_each_was_measured_again() -> None:
    two, three = [100.0, 110.0], [50.0, 50.0, 53.0]
    squares = 0.5 * math.log(1.1) ** 2 + (2 / 3) * math.log(1.06) ** 2
    assert pooled([two, two, three, [7.0], []]) == pytest.approx(math.sqrt((squares + 0.5 * math.log(1.1) ** 2) / 4))


def test_pooling_finds_a_known_noise_whatever_the_values_are() -> None:
    chance = random.Random(7)
    groups = [[math.exp(chance.gauss(mean, 0.1)) for _ in range(3)] for mean in (0, 5, -3, 1) for _ in range(500)]
    assert pooled(groups) == pytest.approx(0.1, rel=0.03)


def test_too_few_repetitions_tell_no_noise() -> None:
    assert pooled([[1.0, 2.0]] * (LEAST_REPEATED - 1)) is None
    assert pooled([[1.0, 2.0]] * LEAST_REPEATED) is not None


def test_what_a_candidate_won_the_search_with_is_not_among_its_repetitions() -> None:
    task = made()
    told = ran(task, (100, None), (900, None), (50, None), (200, 1), (101, 0), (210, 1), (None, 0))
    assert repeated(task, RATE, told) == [[100, 101], [200, 210]]


def test_past_tasks_tell_the_noise_of_every_metric_they_measured_whatever_they_aimed_at() -> None:
    by_rate, by_ttft = made(), made(optimization={"objective": "minimize_ttft"})
    told: list[tuple[float | None, int | None]] = [(100, None), *[(100 * 1.1**at, 0) for at in range(1, 4)]]
    past = [(one, ran(one, *told)) for one in (by_rate, by_ttft)]
    expected = pooled([[rate for rate, _ in told if rate]] * 2)
    assert of_past([RATE], past) == pytest.approx(expected)
    assert of_past([RATE, TTFT], past) == pytest.approx(expected)
    assert of_past([RATE], past[1:]) is None, "too few of them"


def test_of_several_objectives_the_noisiest_counts_and_each_must_be_known() -> None:
    task = made()
    told = [
        one.model_copy(update={"points": (point(8, rate=100, ttft=0.1 * 1.2**at, tpot=None),)})
        for at, one in enumerate(ran(task, (100, None), *[(100, 0)] * 4))
    ]
    assert of_past([RATE], [(task, told)]) == pytest.approx(0, abs=1e-9)
    assert of_past([RATE, TTFT], [(task, told)]) == of_past([TTFT], [(task, told)]) == pytest.approx(0.288, abs=1e-3)
    assert of_past([RATE, NAMED_OBJECTIVES["minimize_tpot"]], [(task, told)]) is None


def measured(*told: tuple[float, float], objective: Objective = RATE) -> Drift | None:
    """The baseline, (minutes since the start, throughput)."""
    task = made()
    first, *again = (
        one.model_copy(update={"started_at": START + timedelta(minutes=at)})
        for (at, _), one in zip(
            told, ran(task, *((rate, 0 if n else None) for n, (_, rate) in enumerate(told))), strict=True
        )
    )
    return drift([objective], first, again)


def test_a_steady_fall_is_found_with_its_size() -> None:
    found = measured((0, 100), (10, 100 * 0.98), (30, 100 * 0.98**3), (40, 100 * 0.98**4 * 1.0001))
    assert found is not None
    assert found.change == pytest.approx(0.98**4 - 1, abs=1e-3)
    assert found.shown
    assert (found.measurements, found.span_s) == (4, 2400)
    assert found.text.startswith(
        "The machine drifted: the baseline's output tokens/s changed by -7.8 % (-7.8 % to -7.7 %)"
    )
    assert found.text.endswith("from the first to the last of 4 measurements, 40 min 0 s apart.")


def test_noise_alone_is_called_drift_one_time_in_twenty() -> None:
    chance = random.Random(3)
    found = [measured(*((at, 100 * math.exp(chance.gauss(0, 0.05))) for at in (0, 1, 5, 6, 7))) for _ in range(600)]
    assert sum(one is not None and one.shown for one in found) / len(found) == pytest.approx(0.05, abs=0.02)


def test_two_measurements_say_how_far_apart_they_are_and_nothing_of_drift() -> None:
    found = measured((0, 100), (90, 104))
    assert found is not None
    assert found.change == pytest.approx(0.04)
    assert found.low is None
    assert not found.shown
    assert found.text == (
        "Between its two measurements, 1 h 30 min apart, the baseline's output tokens/s changed by +4.0 %; two say "
        "nothing of drift."
    )


def test_a_baseline_measured_once_has_no_drift() -> None:
    task = made()
    (alone,) = ran(task, (100, None))
    assert drift([RATE], alone, []) is None
    assert drift([RATE], None, []) is None
    assert drift([RATE], alone, [alone]) is None, "at the same moment"


def test_the_result_has_it_from_the_baseline_and_its_confirmations() -> None:
    task = made(parameters={"max-num-seqs": [2, 4]})
    told = ran(task, (100, None), (150, None), (150, 1), (102, 0), (151, 1), (98, 0))
    found = result(task_of(task), told).drift
    assert found is not None
    assert found.measurements == 3
    assert not found.shown
    assert found.text.startswith("No drift shown: the baseline's output tokens/s changed by -1.6 % (")
