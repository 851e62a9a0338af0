"""What a task's traffic may be, found out before anything is started."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import rig
from tuner.errors import InvalidSpecError
from tuner.runner import traffic
from tuner.runner.plan import PlanSummary, plan
from tuner.runner.plans import Plans
from tuner.settings import Settings
from tuner.spec import taskfile
from tuner.spec.task import TaskSpec

ROOT = Path(__file__).parents[2]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    rig.install(monkeypatch)
    return Settings(home=tmp_path / "home")


async def summary(settings: Settings, **changes: Any) -> PlanSummary:
    return (await plan(rig.spec(**changes), settings)).summary()


async def problems(settings: Settings, **changes: Any) -> dict[str, str]:
    with pytest.raises(InvalidSpecError) as refused:
        await summary(settings, **changes)
    return {problem.where: problem.message for problem in refused.value.problems}


def dataset(tmp_path: Path, texts: list[str]) -> str:
    path = tmp_path / "prompts.jsonl"
    path.write_text("".join(json.dumps({"prompt": text}) + "\n" for text in texts))
    return str(path)


def of(scenarios: list[str], **params: Any) -> dict[str, Any]:
    here = str(ROOT / "examples/data/prompts.jsonl") if "dataset" in scenarios else None
    return {"traffic_scenarios": scenarios, "additional_params": params, "dataset_url": here}


# What requests carry besides


@pytest.mark.parametrize(
    ("name", "value", "way"),
    [
        ("max_tokens", 50, "lengths belong in traffic_scenarios"),
        ("max_completion_tokens", 50, "lengths belong in traffic_scenarios"),
        ("min_tokens", 5, "lengths belong in traffic_scenarios"),
        ("truncate_prompt_tokens", 5, "lengths belong in traffic_scenarios"),
        ("stream", False, "answers are streamed"),
        ("stream_options", {"include_usage": False}, "tokens are counted by the usage"),
        ("messages", [{"role": "user", "content": "hi"}], "prompts come from traffic_scenarios or benchmark.dataset"),
        ("prompt", "hi", "prompts come from traffic_scenarios or benchmark.dataset_url"),
        ("model", "other", "benchmark.model_name says"),
        ("n", 2, "one answer"),
        ("n", "2", "one answer"),
        ("best_of", 3, "one answer"),
        ("use_beam_search", True, "one answer"),
        ("echo", True, "what the model writes"),
        ("extra_body", {"top_k": 1}, "write its fields beside the others"),
    ],
)
async def test_requests_cannot_contradict_their_level(settings: Settings, name: str, value: Any, way: str) -> None:
    for scenario in ("D(64,16)", "N(64,8)/(16,4)", "U(8,64)/(4,16)"):
        found = await problems(settings, benchmark=of([scenario], **{name: value}))
        assert way in found[f"benchmark.additional_params.{name}"]
        assert name in found[f"benchmark.additional_params.{name}"]


@pytest.mark.parametrize("name", ["stream", "messages", "prompt", "model", "n", "best_of"])
async def test_a_dataset_does_not_excuse_everything(settings: Settings, name: str) -> None:
    assert f"benchmark.additional_params.{name}" in await problems(settings, benchmark=of(["dataset"], **{name: 0}))


@pytest.mark.parametrize(
    "params",
    [
        {"temperature": 0.5, "top_p": 0.9, "seed": 1, "ignore_eos": False, "response_format": {"type": "text"}},
        {"max_tokens": 16, "min_tokens": 16, "ignore_eos": True},
        {"max_tokens": "16"},
        {"stream": True, "stream_options": {"include_usage": True}, "n": "1", "best_of": 1},
        {"model": "own-name"},
    ],
    ids=["others", "the level's own lengths", "as older files quote them", "the generator's own", "the own name"],
)
async def test_what_changes_nothing_is_taken(settings: Settings, params: dict[str, Any]) -> None:
    made = await summary(settings, benchmark={**of(["D(64,16)"], **params), "model_name": "own-name"})
    assert not any("additional_params" in warning for warning in made.warnings)


async def test_a_dataset_says_its_lengths_where_requests_are_described(settings: Settings) -> None:
    await summary(settings, benchmark=of(["dataset"], max_tokens=32, min_tokens=32, ignore_eos=True))
    found = await problems(settings, benchmark=of(["dataset", "D(64,16)"], max_tokens=32))
    assert found["benchmark.additional_params.max_tokens"].endswith("give the dataset a task of its own")


async def test_stop_words_are_asked_about_where_answers_have_a_length(settings: Settings) -> None:
    made = await summary(settings, benchmark=of(["D(64,16)", "dataset"], stop=["\n"]))
    assert any("stop can end answers before the length that D(64,16) asks for" in one for one in made.warnings)
    made = await summary(settings, benchmark=of(["dataset"], stop=["\n"]))
    assert not any("stop" in one for one in made.warnings)


@pytest.mark.parametrize("file", sorted((ROOT / "examples").glob("[lsv]*-*.*")), ids=lambda path: path.name)
def test_what_the_examples_and_older_files_say_is_taken(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert traffic.problems(taskfile.load(file)) == []
    assert traffic.cautions(taskfile.load(file)) == []


# What cannot be measured


async def test_goodput_needs_an_slo(settings: Settings) -> None:
    goodput = {"metric": "goodput_per_s", "direction": "maximize"}
    nothing: tuple[dict[str, Any] | None, ...] = (None, {})
    for slo in nothing:
        found = await problems(settings, optimization={"objective": goodput}, slo=slo)
        assert "there is none; give slo, or maximize requests_per_s" in found["optimization.objective"]
    await summary(settings, optimization={"objective": goodput}, slo={"ttft": {"threshold": 1}})


@pytest.mark.parametrize("scenario", ["D(100,1)", "N(100,10)/(1,0)", "U(10,100)/(1,1)"])
async def test_one_token_has_no_time_between_tokens(settings: Settings, scenario: str) -> None:
    itl = {"metric": "itl", "direction": "minimize"}
    for objective, metric in (("minimize_tpot", "tpot"), (itl, "itl")):
        found = await problems(
            settings,
            optimization={"objective": ["minimize_ttft", objective]},
            benchmark=of(["D(64,16)", scenario]),
            slo={"tpot": {"p90": {"threshold": 0.05}}},
        )
        assert found["optimization.objective"].startswith(
            f"{metric} has no value for answers of one token ({scenario})"
        )
        assert found["slo.tpot"].startswith("tpot has no value for answers of one token")
    await summary(settings, benchmark=of([scenario]), slo={"ttft": {"threshold": 1}})


async def test_a_dataset_asked_for_one_token_has_none_either(settings: Settings) -> None:
    objective = {"objective": "minimize_tpot"}
    found = await problems(settings, optimization=objective, benchmark=of(["dataset"], max_tokens=1))
    assert "answers of one token (dataset)" in found["optimization.objective"]
    await summary(settings, optimization=objective, benchmark=of(["dataset"], max_tokens=2))
    await summary(settings, optimization=objective, benchmark=of(["N(100,10)/(1,1)"]))


# Thresholds


@pytest.mark.parametrize(
    ("written", "seconds"), [("300ms", 0.3), ("0.3s", 0.3), (" 2 m ", 120), (".5s", 0.5), ("0.3", 0.3), (0.3, 0.3)]
)
def test_a_threshold_may_have_its_unit(written: Any, seconds: float) -> None:
    (slo,) = rig.spec(slo={"ttft": {"p90": {"threshold": written}}}).slo.bounds  # type: ignore[union-attr]
    assert slo.threshold == seconds


@pytest.mark.parametrize("written", ["300 msec", "", "ms", "-1s", "1e400s"])
def test_a_threshold_that_is_no_duration_is_refused_with_what_one_is(written: str) -> None:
    with pytest.raises(InvalidSpecError, match=r"no duration .*write seconds, or 90s, 300ms"):
        rig.spec(slo={"ttft": {"p90": {"threshold": written}}})
    with pytest.raises(InvalidSpecError, match="must be above 0"):
        rig.spec(slo={"ttft": {"p90": {"threshold": "0ms"}}})


@pytest.mark.parametrize(
    ("slo", "said"),
    [
        ({"ttft": {"p90": {"threshold": 300}}}, "p90 time to first token is 300 s (5 min 0 s); did you mean 0.3 s?"),
        ({"latency": {"p99": {"threshold": 5000}}}, "p99 end-to-end latency is 5000 s (1 h 23 min); did you mean 5 s?"),
        ({"tpot": {"threshold": 50}}, "time per output token is 50 s; did you mean 0.05 s?"),
    ],
)
async def test_a_bound_that_looks_like_milliseconds_is_asked_about(
    settings: Settings, slo: dict[str, Any], said: str
) -> None:
    made = await summary(settings, slo=slo)
    assert any(said in one for one in made.warnings)


async def test_every_slo_is_said_with_its_unit(settings: Settings) -> None:
    slo = {
        "ttft": {"p90": {"threshold": "300ms", "hard_fail": True}},
        "tpot": {"threshold": 0.05},
        "latency": {"p50": {"threshold": 2}, "p99": {"threshold": 90}},
    }
    made = await summary(settings, slo=slo)
    assert made.slos == (
        "p50 end-to-end latency ≤ 2.00 s (soft)",
        "p99 end-to-end latency ≤ 1 min 30 s (soft)",
        "p90 time to first token ≤ 300 ms (hard)",
        "time per output token ≤ 50.0 ms (soft)",
    )
    assert made.warnings == (await summary(settings)).warnings
    assert (await summary(settings)).slos == ()


# Datasets


def own(path: str, **changes: Any) -> dict[str, Any]:
    return {"traffic_scenarios": ["dataset"], "dataset_url": path, **changes}


async def test_a_dataset_with_too_few_prompts_says_what_a_cache_could_answer(
    settings: Settings, tmp_path: Path
) -> None:
    path = dataset(tmp_path, [f"{number}: a prompt of its own" for number in range(25)])
    made = await summary(settings, benchmark=own(path, max_requests_per_iteration=92))  # and 8 first
    assert any(
        "A level sends 100 requests from 25 distinct prompts: 75 of 100 prompts repeat an earlier one, "
        "so a prefix cache could answer 75 % of the prompts' text." in one
        for one in made.warnings
    )
    made = await summary(settings, benchmark=own(path, max_requests_per_iteration=17))
    assert not any("prefix cache" in one for one in made.warnings)


async def test_a_dataset_that_cannot_be_used_is_refused_with_the_other_problems(
    settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "prompts.csv"
    path.write_text("id,prompt\n1,Hello, world\n")
    found = await problems(settings, parameters={"sped": [1]}, benchmark=own(str(path)))
    assert "Line 2 of the dataset has 3 fields" in found["benchmark.dataset_url"]
    assert "parameters.sped" in found


async def test_a_dataset_that_changed_is_looked_at_again(settings: Settings, tmp_path: Path) -> None:
    plans, path = Plans(), dataset(tmp_path, ["a", "b"])
    spec = rig.spec(benchmark=own(path, max_requests_per_iteration=4))
    assert any("2 distinct prompts" in one for one in (await plans.find(spec, settings)).warnings)
    dataset(tmp_path, ["a", "b", "c"])
    assert any("3 distinct prompts" in one for one in (await plans.find(spec, settings)).warnings)


async def test_a_large_dataset_is_left_for_the_run(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = dataset(tmp_path, ["a"])
    monkeypatch.setattr(traffic, "LOOKED_AT_BYTES", 5)
    made = await summary(settings, benchmark=own(path))
    assert not any("prompts" in one for one in made.warnings)


async def test_a_part_set_aside_is_looked_at_by_itself(settings: Settings, tmp_path: Path) -> None:
    path = dataset(tmp_path, [f"{number}: a prompt of its own" for number in range(100)])
    made = await summary(settings, benchmark=own(path, dataset_holdout=0.2, max_requests_per_iteration=40))
    (said,) = (one for one in made.warnings if "prefix cache" in one)
    assert said.startswith("A level of a confirmation sends 48 requests from 20 distinct prompts: 28 of 48 prompts")
    found = await problems(settings, benchmark=own(path, dataset_holdout=0.05))
    assert "leaves 95 to tune on and 5 to confirm on; each part needs at least 10" in found["benchmark.dataset_holdout"]


@pytest.mark.parametrize("part", [0, 1, -0.5, 1.5])
def test_a_part_is_between_none_and_all(part: float) -> None:
    with pytest.raises(InvalidSpecError, match="dataset_holdout: must be"):
        rig.spec(benchmark=own("x.csv", dataset_holdout=part))


def test_only_a_dataset_can_be_split() -> None:
    with pytest.raises(InvalidSpecError, match="dataset_holdout splits a dataset; add the scenario 'dataset'"):
        rig.spec(benchmark={"dataset_holdout": 0.5})


def far(spec: TaskSpec) -> list[str]:
    where = "benchmark.max_requests_per_iteration"
    return [one.message for one in traffic.problems(spec) if one.where == where]


def test_a_99th_percentile_of_too_few_requests_is_refused() -> None:
    slo = {"ttft": {"p99": {"threshold": 1.0}}}
    refused = rig.spec(slo=slo, benchmark={"num_concurrency": [1, 32], "max_requests_per_iteration": 300})
    (said,) = far(refused)
    assert "640 measured requests at concurrency 32, not 300" in said
    assert not far(rig.spec(slo=slo, benchmark={"num_concurrency": [1, 32]}))
    objective = {"metric": "ttft", "statistic": "p99", "direction": "minimize"}
    few = {"max_requests_per_iteration": 100}
    assert far(rig.spec(optimization={"objective": objective}, benchmark=few))


def test_levels_that_cannot_be_steady_are_told() -> None:
    (said,) = traffic.cautions(rig.spec(benchmark={"num_concurrency": [1, 512], "max_requests_per_iteration": 4}))
    assert "steady state of concurrency 512: it takes 2,560, better 5,120" in said
    assert not traffic.cautions(rig.spec(benchmark={"num_concurrency": [1, 512]}))


# The shape of the load


def shape(**given: Any) -> dict[str, Any]:
    scenario = "trace" if "trace" in given else "D(100,100)"
    closed = [1] if "turns" in given else []
    return {"tool": "guidellm", "num_concurrency": closed, "traffic_scenarios": [scenario], **given}


TRACE = '{"timestamp": %d, "input_length": 9, "output_length": 2}\n'


def trace(tmp_path: Path, *stamps: int) -> str:
    path = tmp_path / "trace.jsonl"
    path.write_text("".join(TRACE % stamp for stamp in stamps))
    return str(path)


@pytest.mark.parametrize(
    ("given", "cannot"),
    [
        ({"request_rate": [2]}, "genai-bench cannot send requests at a rate"),
        ({"trace": "TRACE"}, "genai-bench cannot replay a trace"),
        ({"turns": 4}, "genai-bench cannot hold conversations"),
    ],
)
async def test_what_a_load_generator_cannot_send_is_refused_with_the_one_that_can(
    settings: Settings, tmp_path: Path, given: dict[str, Any], cannot: str
) -> None:
    if "trace" in given:
        given = {"trace": trace(tmp_path, 0, 100)}
    (name,) = given
    said = await problems(settings, benchmark=shape(**given, tool="genai-bench"))
    assert said == {f"benchmark.{name}": f"{cannot}; guidellm can: write benchmark.tool: guidellm"}


async def test_the_levels_of_a_plan_are_rates_where_the_load_is_open(settings: Settings, tmp_path: Path) -> None:
    rates = await summary(settings, benchmark=shape(request_rate=[4, 0.5]))
    assert rates.levels == ("D(100,100) @ 0.5/s", "D(100,100) @ 4/s")
    assert any("engine install guidellm" in one for one in rates.missing)
    replayed = await summary(settings, benchmark=shape(trace=trace(tmp_path, 0, 100)))
    assert replayed.levels == ("trace",)


async def test_a_trace_that_is_none_is_refused_with_its_line(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text(TRACE % 5 + "nonsense\n")
    said = await problems(settings, benchmark=shape(trace=str(path)))
    assert "line 2: 'nonsense' is not JSON" in said["benchmark.trace"]
    said = await problems(settings, benchmark=shape(trace=str(tmp_path / "none")))
    assert "cannot be read" in said["benchmark.trace"]


async def test_a_trace_without_times_cannot_be_stretched(settings: Settings, tmp_path: Path) -> None:
    given = shape(trace=trace(tmp_path, 7, 7), request_rate=2)
    assert "same time" in (await problems(settings, benchmark=given))["benchmark.request_rate"]


async def test_what_of_a_trace_is_not_sent_is_told(settings: Settings, tmp_path: Path) -> None:
    given = shape(trace=trace(tmp_path, 0, 50_000, 90_000), max_time_per_iteration=1)
    told = (await summary(settings, benchmark=given)).warnings
    assert any("lasts 90 s, a load level at most 60 s" in one for one in told)
    told = (await summary(settings, benchmark={**given, "max_requests_per_iteration": 2})).warnings
    assert any("Only the first 2 of 3 requests" in one for one in told)
    assert not any("lasts" in one for one in told)
