"""What a level reports, against the steady state of an engine whose law is known."""

from statistics import fmean, stdev

import pytest

from tests.fakes.steady import ENGINES, LENGTHS, measured, truth
from tests.perf.steady import LIMITS, NAMES, before, errors, figures
from tuner.benchmarks.window import requests_for
from tuner.engines.simulated.law import Configuration


@pytest.mark.parametrize(
    ("engine", "kind", "clients"),
    [("balanced", "fixed", 16), ("prompts held up", "log-normal", 8), ("few slots", "fixed", 32)],
)
def test_a_level_reports_the_steady_state(engine: str, kind: str, clients: int) -> None:
    """With lengths that vary single levels stray, so it is the mean of several, give or take its own error."""
    levels = 2 if kind == "fixed" else 8
    columns = zip(*errors(ENGINES[engine], LENGTHS[kind], clients, levels), strict=True)
    for name, column, limit in zip(NAMES, columns, LIMITS, strict=True):
        assert abs(fmean(column)) <= limit + 2 * stdev(column) / levels**0.5, name


@pytest.mark.parametrize("kind", LENGTHS)
def test_counting_the_burst_would_not(kind: str) -> None:
    configuration, lengths = ENGINES["balanced"], LENGTHS[kind]
    once, true = before(configuration, lengths, 16, 1), truth(configuration, lengths, 16)
    wrong = [ours / theirs - 1 for ours, theirs in zip(figures(once, once), figures(true, true), strict=True)]
    assert abs(wrong[NAMES.index("TTFT p90")]) > 1
    assert wrong[NAMES.index("rate")] < -0.1


def test_more_requests_change_no_ranking() -> None:
    """The better of two engines is so by the same part, whatever number of requests is measured."""
    lengths, ratios = LENGTHS["fixed"], []
    for wanted in (requests_for(16, far=False), requests_for(16, far=True), 1000):
        one, other = (measured(ENGINES[name], lengths, 16, wanted) for name in ("balanced", "prompts held up"))
        ratios.append(one.output_tokens_per_s / other.output_tokens_per_s)
    assert max(ratios) / min(ratios) < 1.01


def test_a_level_that_still_changes_says_so() -> None:
    """Memory does not hold all clients, so that they push each other out and slowly fall into waves."""
    point = measured(Configuration(), lambda random: (200, 64), 64, requests_for(64, far=True))
    assert point.steady is False
    assert any("still changing" in note for note in point.notes)
    assert measured(ENGINES["balanced"], LENGTHS["fixed"], 16, requests_for(16, far=False)).steady
