"""Whether a task's traffic can be sent and its objectives measured, and what of it its author should be asked about."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import JsonValue

from tuner.analysis.formatting import bound, duration, statistic
from tuner.benchmarks import BENCHMARKS, datasets, prompts
from tuner.benchmarks.datasets import Choices
from tuner.benchmarks.download import RefusedError, checked
from tuner.benchmarks.window import STEADY_PER_CLIENT, requests_for
from tuner.engines.models import model_paths
from tuner.errors import Problem
from tuner.runner import shapes
from tuner.search.load_policies import LOAD_POLICIES
from tuner.settings import Settings
from tuner.spec.objectives import SLO, Metric
from tuner.spec.problems import alternatives
from tuner.spec.task import BenchmarkConfig, TaskSpec

LOOKED_AT_BYTES = 64 * 2**20
"""Of a dataset, before a task is started: reading a larger one takes too long for a plan."""
LENGTHS = ("max_tokens", "max_completion_tokens", "min_tokens", "truncate_prompt_tokens")
"""Request fields that say how long an answer or a prompt is, as scenarios do."""
OWN: Mapping[str, tuple[tuple[JsonValue, ...], str]] = {
    "messages": ((), "prompts come from traffic_scenarios or benchmark.dataset_url"),
    "prompt": ((), "prompts come from traffic_scenarios or benchmark.dataset_url"),
    "model": ((), "benchmark.model_name says which model requests ask for"),
    "stream": ((True,), "answers are streamed, or no time to the first token could be taken"),
    "stream_options": (({"include_usage": True},), "tokens are counted by the usage that it asks for"),
    "n": ((1,), "a request has one answer, which is timed"),
    "best_of": ((1,), "a request has one answer, which is timed"),
    "use_beam_search": ((False,), "a request has one answer, which is timed"),
    "echo": ((False,), "an answer is what the model writes"),
    "extra_body": ((), "client libraries unpack it, engines do not know it; write its fields beside the others"),
}
"""Request fields that the load generator sets: with values that change nothing, and the way to say it."""
STOPS = ("stop", "stop_token_ids")
LIKELY_MS = {Metric.TTFT: 30.0, Metric.TPOT: 1.0, Metric.E2E: 300.0}
"""Seconds that nobody bounds this metric by, but milliseconds that many do."""


def problems(spec: TaskSpec) -> list[Problem]:
    """Everything that keeps the traffic from being sent as the task says, or its objectives from being measured."""
    benchmark = spec.benchmark
    found = [
        *shapes.problems(benchmark),
        *_source_problems(benchmark),
        *_param_problems(benchmark),
        *_unmeasurable(spec),
        *_too_few_for_far(spec),
    ]
    if benchmark.tool not in BENCHMARKS:
        said = f"no load generator {benchmark.tool!r}; {alternatives(benchmark.tool, BENCHMARKS)}"
        found.append(Problem(said, "benchmark.tool"))
    if benchmark.load_policy not in LOAD_POLICIES:
        said = f"no load policy {benchmark.load_policy!r}; {alternatives(benchmark.load_policy, LOAD_POLICIES)}"
        found.append(Problem(said, "benchmark.load_policy"))
    if benchmark.task != "text-to-text":
        found.append(Problem(f"task {benchmark.task!r} cannot be measured; only text-to-text can", "benchmark.task"))
    return found


def cautions(spec: TaskSpec) -> list[str]:
    """What may be meant otherwise, in sentences."""
    slos = spec.slo.bounds if spec.slo else ()
    return [
        *filter(None, map(_in_milliseconds, slos)),
        *_stops(spec.benchmark),
        *_unsteady(spec.benchmark),
        *shapes.cautions(spec.benchmark),
    ]


def _unsteady(benchmark: BenchmarkConfig) -> Iterator[str]:
    """Levels that are too short to reach what they measure."""
    asked, most = benchmark.max_requests_per_iteration, max(benchmark.num_concurrency, default=0)
    if asked is not None and asked < (needed := STEADY_PER_CLIENT * most):
        yield (
            f"{asked:,} measured requests (benchmark.max_requests_per_iteration) do not show the steady state of "
            f"concurrency {most:,}: it takes {needed:,}, better {requests_for(most, False):,}. Leave the key out, or "
            "lower benchmark.num_concurrency."
        )


def _too_few_for_far(spec: TaskSpec) -> Iterator[Problem]:
    """A 99th percentile of a hundred requests is the luck of one."""
    asked, most = spec.benchmark.max_requests_per_iteration, max(spec.benchmark.num_concurrency, default=0)
    if spec.far and asked is not None and asked < (needed := requests_for(most, True)):
        at = f" at concurrency {most:,}" if most else ""
        yield Problem(
            f"a 99th percentile takes {needed:,} measured requests{at}, not {asked:,}; leave the "
            "key out, or bound the 90th or 95th percentile instead",
            "benchmark.max_requests_per_iteration",
        )


async def dataset_cautions(spec: TaskSpec, settings: Settings) -> list[str]:
    """What a task's own dataset lacks, where it is a file here that is quickly read. It is kept for the run.

    Raises:
        InvalidSpecError: it cannot be used.
        StorageError: it cannot be kept.
    """
    url = spec.benchmark.dataset_url or ""
    path = model_paths.existing(url) if "dataset" in spec.benchmark.traffic_scenarios and "://" not in url else None
    if path is None or not path.is_file() or path.stat().st_size > LOOKED_AT_BYTES:
        return []
    dataset = await datasets.fetch(url, settings.datasets, dataset_choices(spec))
    most = max(spec.benchmark.num_concurrency, default=0)
    requests = most + requests_for(most, spec.far, spec.benchmark.max_requests_per_iteration)
    found = [_repeats(dataset.prompts, dataset.distinct, requests, "A level")]
    if dataset.held_out is not None:
        found.append(_repeats(dataset.held_out, dataset.held_out_distinct, requests, "A level of a confirmation"))
    return [*dataset.notes, *filter(None, await asyncio.gather(*found))]


async def _repeats(part: Path, distinct: int, requests: int, who: str) -> str | None:
    """How much of a level a prefix cache could answer, where that is worth a word."""
    there = await asyncio.to_thread(prompts.read, part, requests)
    said = (await asyncio.to_thread(prompts.repeated, prompts.sent(there, requests))).text
    if said is None:
        return None
    return f"{who} sends {requests:,} requests from {distinct:,} distinct prompts: {said}."


def dataset_choices(spec: TaskSpec) -> Choices:
    """What is made of a task's dataset."""
    benchmark = spec.benchmark
    return Choices(
        deduplicate=benchmark.dataset_deduplicate,
        prompt_column=benchmark.dataset_prompt_column,
        holdout=benchmark.dataset_holdout,
        seed=spec.optimization.seed,
    )


def slo_texts(spec: TaskSpec) -> tuple[str, ...]:
    """`p90 time to first token ≤ 300 ms (hard)`, one for each."""
    return tuple(map(bound, spec.slo.bounds if spec.slo else ()))


def _source_problems(benchmark: BenchmarkConfig) -> Iterator[Problem]:
    url = benchmark.dataset_url
    if url and "://" in url:
        try:
            checked(url)
        except RefusedError as error:
            yield Problem(str(error), "benchmark.dataset_url")
    elif url and not ((path := model_paths.existing(url)) and path.is_file()):
        yield Problem(f"there is no file {url!r}; give a path or an http(s) URL", "benchmark.dataset_url")


def _param_problems(benchmark: BenchmarkConfig) -> Iterator[Problem]:
    for name, value in benchmark.additional_params.items():
        if (why := _contradiction(benchmark, name, value)) is not None:
            yield Problem(f"{name} {value!r:.60} cannot be set: {why}", f"benchmark.additional_params.{name}")


def _contradiction(benchmark: BenchmarkConfig, name: str, value: JsonValue) -> str | None:
    """Why a field of requests would make a level another than it is said to be; None: it would not."""
    if name in OWN:
        harmless, why = OWN[name]
        own_model = name == "model" and value is not None and value == benchmark.model_name
        return None if own_model or any(value == one for one in harmless) else why
    scenarios = [scenario for scenario in benchmark.traffic_scenarios if scenario not in ("dataset", "trace")]
    if name not in LENGTHS or all(value == (_fixed_output(one)) for one in scenarios):
        return None  # a dataset says nothing of lengths, so this is where to say it
    beside = "; give the dataset a task of its own" if len(scenarios) < len(benchmark.traffic_scenarios) else ""
    return f"lengths belong in traffic_scenarios, where it is {', '.join(scenarios)}: D(in,out), or others{beside}"


def _fixed_output(scenario: str) -> int | None:
    """Tokens of every answer; None where they are not the same for all."""
    lengths = [int(digits) for digits in re.findall(r"\d+", scenario)]
    match scenario[0], lengths:
        case "D", [_, tokens]:
            return tokens
        case "N", [_, _, tokens, 0]:
            return tokens
        case "U", [_, _, tokens, most] if tokens == most:
            return tokens
    return None


def _unmeasurable(spec: TaskSpec) -> Iterator[Problem]:
    metrics = {objective.metric for objective in spec.optimization.objective}
    bounds = spec.slo.bounds if spec.slo else ()
    if Metric.GOODPUT in metrics and not bounds:
        yield Problem(
            f"{Metric.GOODPUT} counts the requests that meet every SLO, and there is none; give slo, or maximize "
            f"{Metric.REQUEST_RATE}",
            "optimization.objective",
        )
    single = _one_token(spec.benchmark)
    if single is None:
        return
    why = f"has no value for answers of one token ({single}): there is no second one to wait for; ask for more"
    for metric in sorted(metrics & {Metric.TPOT, Metric.ITL}):
        yield Problem(f"{metric} {why}", "optimization.objective")
    if any(slo.metric is Metric.TPOT for slo in bounds):
        yield Problem(f"{Metric.TPOT} {why}", "slo.tpot")


def _one_token(benchmark: BenchmarkConfig) -> str | None:
    """A scenario all of whose answers have one token."""
    limits = (benchmark.additional_params.get(name) for name in ("max_tokens", "max_completion_tokens"))
    own = 1 if any(limit == 1 for limit in limits) else None
    lengths = {one: own if one == "dataset" else _fixed_output(one) for one in benchmark.traffic_scenarios}
    return next((scenario for scenario, tokens in lengths.items() if tokens == 1), None)


def _in_milliseconds(slo: SLO) -> str | None:
    if slo.threshold < LIKELY_MS[slo.metric]:
        return None
    given = f"{slo.threshold:g} s ({duration(slo.threshold)})" if slo.threshold >= 60 else f"{slo.threshold:g} s"
    return (
        f"The bound of {statistic(slo.metric, slo.statistic)} is {given}; did you mean {slo.threshold / 1000:g} s? "
        "Thresholds are seconds; 300ms and 0.3s say which."
    )


def _stops(benchmark: BenchmarkConfig) -> Iterator[str]:
    scenarios = [scenario for scenario in benchmark.traffic_scenarios if scenario not in ("dataset", "trace")]
    for name in STOPS:
        if scenarios and benchmark.additional_params.get(name):
            yield (
                f"additional_params.{name} can end answers before the length that {', '.join(scenarios)} asks for; "
                "a level with short answers does not count."
            )
