"""The simulated engine's law: where its optimum lies, and that the server keeps to it."""

from pathlib import Path

import pytest
import yaml

from tests.fakes.closed_loop import predict
from tests.fakes.quick_benchmark import QuickBenchmark
from tests.fakes.simulated_process import MODEL, simulated
from tuner.domain import Label
from tuner.engines.simulated.law import Configuration
from tuner.engines.simulated.scheduler import Generation, Scheduler
from tuner.protocols import Workload
from tuner.spec.task import TaskSpec

EXAMPLE = Path(__file__).parents[2] / "examples" / "simulated.yaml"
"""Its comment names the optimum that is computed here."""
TOKENS = (128, 16)
OPTIMUM = (32, 256)


def throughput(spec: TaskSpec, seqs: int, tokens: int, prompt: int = TOKENS[0]) -> float:
    """Of the best load level that meets the hard SLO."""
    p90 = next(slo for slo in spec.slo.bounds if slo.hard) if spec.slo else None
    assert p90 is not None
    flags = {"max-num-seqs": seqs, "max-num-batched-tokens": tokens, "sim-speed": spec.parameters["sim-speed"]}
    levels = [
        predict(flags, level, prompt, TOKENS[1], spec.benchmark.max_requests_per_iteration)  # type: ignore[arg-type]
        for level in spec.benchmark.num_concurrency
    ]
    return max((level.output_tokens_per_s for level in levels if level.ttft_p90 <= p90.threshold), default=0)


@pytest.mark.parametrize("prompt", [90, 128, 140])
def test_the_example_has_one_optimum_with_a_margin_of_ten_percent(prompt: int) -> None:
    """Prompts of D(128,16) are 128 tokens for the tests' load generator, and about 90 for the one with a tokenizer."""
    spec = TaskSpec.model_validate(yaml.safe_load(EXAMPLE.read_text()))
    assert spec.benchmark.traffic_scenarios == (f"D({TOKENS[0]},{TOKENS[1]})",)
    seqs, tokens = spec.parameters["max-num-seqs"], spec.parameters["max-num-batched-tokens"]
    assert isinstance(seqs, tuple)
    assert isinstance(tokens, tuple)
    space = {(s, t): throughput(spec, s, t, prompt) for s in seqs for t in tokens if t >= s}  # type: ignore[operator,arg-type]
    best, second = sorted(space, key=lambda point: space[point], reverse=True)[:2]
    assert best == OPTIMUM
    assert space[best] > 1.1 * space[second]
    assert min(seqs) < OPTIMUM[0] < max(seqs)  # type: ignore[operator]
    assert min(tokens) < OPTIMUM[1] < max(tokens)  # type: ignore[operator]


def test_few_sequences_queue_and_many_slow_every_step() -> None:
    points = ({"max-num-seqs": seqs, "max-num-batched-tokens": 256} for seqs in (4, 32, 192))
    few, right, many = (predict(point, 40, *TOKENS) for point in points)
    assert few.ttft_p90 > 3 * right.ttft_p90
    assert many.tpot_mean > 3 * right.tpot_mean
    assert right.output_tokens_per_s > 2 * max(few.output_tokens_per_s, many.output_tokens_per_s)


def test_a_large_budget_of_tokens_holds_decoding_up() -> None:
    small, large = (predict({"max-num-seqs": 32, "max-num-batched-tokens": b}, 32, 512, 16) for b in (256, 4096))
    assert large.tpot_mean > small.tpot_mean


def test_reserving_fewer_cores_is_faster() -> None:
    rates = [predict({"SIMULATED_RESERVED_CPU": cores}, 8, *TOKENS).output_tokens_per_s for cores in (0, 1, 2)]
    assert rates[0] > rates[1] > rates[2]


def test_more_ranks_are_faster_but_not_in_proportion() -> None:
    one, two = (predict({"tp": ranks}, 40, *TOKENS).output_tokens_per_s for ranks in (1, 2))
    assert one < two < 2 * one


def test_noise_repeats_with_its_seed_only() -> None:
    noisy = {"sim-noise": 0.2, "sim-seed": 1}
    first = predict(noisy, 8, *TOKENS)
    assert predict(noisy, 8, *TOKENS) == first
    assert predict({**noisy, "sim-seed": 2}, 8, *TOKENS) != first


def test_too_little_memory_preempts_and_still_answers_everybody() -> None:
    scheduler = Scheduler(Configuration(max_model_len=512, kv_cache_gib=0.05, max_num_batched_tokens=64))
    requests = [Generation(prompt_tokens=40, max_tokens=40) for _ in range(12)]
    for request in requests:
        scheduler.add(request)
    tokens = 0
    while step := scheduler.step():
        tokens += len(step.yielded)
        assert scheduler.held <= scheduler.configuration.capacity or len(scheduler.running) == 1
    assert scheduler.preemptions > 0
    assert tokens == 12 * 40
    assert all(request.finished for request in requests)


def test_a_cached_prefix_costs_nothing() -> None:
    scheduler = Scheduler(Configuration(enable_prefix_caching=True))
    durations = []
    for _ in range(2):
        scheduler.add(Generation(prompt_tokens=1024, max_tokens=1, prefix=range(1, 65)))
        step = scheduler.step()
        assert step is not None
        durations.append(step.duration_s)
    assert durations[1] < durations[0]
    assert scheduler.prefix_hits == 1023


def test_an_answer_needs_a_step_for_each_token() -> None:
    scheduler = Scheduler(Configuration(max_num_batched_tokens=64))
    request = Generation(prompt_tokens=200, max_tokens=3)
    scheduler.add(request)
    yields = []
    while step := scheduler.step():
        yields.append(len(step.yielded))
    assert yields == [0, 0, 0, 1, 1, 1]


@pytest.mark.alone
async def test_a_real_server_under_a_real_load_agrees_with_the_prediction(tmp_path: Path) -> None:
    """On the ratio of two configurations: both suffer from a busy machine."""
    predicted, measured = [], []
    for seqs, tokens in ((32, 256), (4, 64)):
        flags = {"max-num-seqs": seqs, "max-num-batched-tokens": tokens, "sim-speed": 2}
        predicted.append(predict(flags, 40, *TOKENS, requests=80))
        with simulated(*(part for name, value in flags.items() for part in (f"--{name}", str(value)))) as server:
            workload = Workload("t", ("D(128,16)",), (40,), "", max_time_s=60, max_requests=80)
            async with QuickBenchmark(tmp_path).open(workload, tmp_path / "log", Label("t", 0, "")) as load:
                point = await load.measure(server.url, MODEL, "D(128,16)", 40, tmp_path / "0")
        assert point.valid
        assert point.output_tokens == 80 * 16
        assert point.input_tokens == 80 * 128
        assert point.ttft is not None
        measured.append((point.output_tokens_per_s, point.ttft.mean))
    rates, ttfts = zip(*measured, strict=True)
    faster = predicted[0].output_tokens_per_s / predicted[1].output_tokens_per_s
    sooner = predicted[1].ttft_mean / predicted[0].ttft_mean
    assert rates[0] / rates[1] == pytest.approx(faster, rel=0.5)
    assert ttfts[1] / ttfts[0] == pytest.approx(sooner, rel=0.5)
