"""What a preset may hold, how presets and a task become one, and that the built-in ones can be used."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from tuner.engines import ENGINES, flags, presets
from tuner.engines.presets import BUILT_IN
from tuner.errors import ConflictError, InvalidSpecError
from tuner.spec import taskfile
from tuner.spec.presets import Preset


def preset(name: str = "mine", engine: str | None = None, **task: Any) -> Preset:
    return Preset(name=name, engine=engine, task=task)


@pytest.mark.parametrize("name", list(BUILT_IN))
def test_a_task_from_a_built_in_preset_needs_only_a_name_and_a_model(name: str) -> None:
    chosen = BUILT_IN[name]
    presets.check(chosen)
    assert chosen.built_in
    assert chosen.description
    spec = taskfile.validate(presets.merge([chosen], {"task_name": "mine", "model": "org/model"}))
    assert spec.base_runtime == (chosen.engine or "vllm")
    assert chosen.engine is None or chosen.engine in ENGINES


def test_the_built_in_presets_for_vllm_vary_flags_that_it_has() -> None:
    known = flags.parse((Path(__file__).parents[1] / "engines" / "vllm_help.txt").read_text())
    for chosen in BUILT_IN.values():
        if chosen.engine == "vllm":
            parameters = chosen.task["parameters"]
            assert isinstance(parameters, dict)
            assert parameters.keys() <= known.keys()


@pytest.mark.parametrize(
    ("task", "says"),
    [
        ({"optimisation": {}}, "optimisation: unknown key 'optimisation'; did you mean 'optimization'?"),
        ({"optimization": {"stratgy": "random"}}, "unknown key 'stratgy'; did you mean 'strategy'?"),
        ({"optimization": {"strategy": "randm"}}, "no strategy 'randm'; there are grid_search"),
        ({"task_name": "x"}, "task_name: a preset is for many tasks, so it names none"),
        ({"benchmark": {"traffic_scenarios": []}}, "has 0 entries; at least 1 must be there"),
        ({"benchmark": {"num_concurrency": []}}, "needs a num_concurrency or a request_rate to be sent at"),
        ({"parameters": {"a": {"type": "integer", "low": 1}}}, "parameters.a.high: this is missing; add it"),
        ({"description": "\0"}, "holds a NUL character"),
    ],
)
def test_what_can_be_no_part_of_a_task_is_refused(task: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidSpecError) as refused:
        presets.check(preset(**task))
    assert says in str(refused.value)


def test_every_problem_of_a_preset_is_said_at_once() -> None:
    with pytest.raises(InvalidSpecError) as refused:
        presets.check(preset(engine="vlm", task_name="x", modl="y"))
    assert [problem.where for problem in refused.value.problems] == ["engine", "task_name", "modl"]
    assert "no engine 'vlm'; there are vllm" in str(refused.value)


@pytest.mark.parametrize(
    "task", [{}, {"model": {"quantization": "awq"}}, {"slo": {"ttft": {"p90": {"weight": 2}}}}, {"budget": {}}]
)
def test_a_part_may_leave_to_others_what_a_task_needs(task: dict[str, Any]) -> None:
    presets.check(preset(**task))


def test_a_preset_for_one_engine_names_no_other() -> None:
    with pytest.raises(InvalidSpecError, match="'mine' is for vllm, not for sglang"):
        presets.check(preset(engine="vllm", base_runtime="sglang"))


@pytest.mark.parametrize("name", ["", "a b", "../up", "-x", "a" * 65, "ä"])
def test_names_are_plain_words(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        Preset(name=name)


# Merging


def test_later_presets_and_then_the_task_win_block_by_block() -> None:
    first = preset(optimization={"seed": 1, "confirm": 3}, benchmark={"num_concurrency": [1, 2]}, gpu_type="a")
    second = preset(optimization={"seed": 2}, benchmark={"num_concurrency": [4]})
    merged = presets.merge([first, second], {"gpu_type": "b", "optimization": {"max_iterations": 5}})
    assert merged == {
        "optimization": {"seed": 2, "confirm": 3, "max_iterations": 5},
        "benchmark": {"num_concurrency": [4]},
        "gpu_type": "b",
    }
    assert first.task["optimization"] == {"seed": 1, "confirm": 3}, "the presets themselves are as before"


def test_a_range_replaces_a_range_whole_and_spellings_of_a_flag_are_one() -> None:
    ranges = preset(parameters={"max-num-seqs": {"type": "choice", "values": [1]}, "x": 1}, environment={"A": [1]})
    integers: dict[str, JsonValue] = {"type": "integer", "low": 1, "high": 9}
    merged = presets.merge([ranges], {"parameters": {"--max_num_seqs": integers}, "environment": {"B": 2}})
    assert merged == {
        "parameters": {"max-num-seqs": integers, "x": 1},
        "environment": {"A": [1], "B": 2},
    }


@pytest.mark.parametrize("model", ["org/b", {"name": "org/b"}, {"id_or_path": "org/b"}])
def test_a_model_is_replaced_however_it_is_written_and_keeps_what_is_said_besides(model: Any) -> None:
    below = preset(model={"name": "org/a", "quantization": "awq"})
    merged = taskfile.validate(presets.merge([below], {"task_name": "x", "model": model}))
    assert (merged.model.id_or_path, merged.model.quantization) == ("org/b", "awq")


def test_a_presets_engine_is_the_tasks_unless_they_contradict() -> None:
    mine = preset(engine="sglang")
    assert presets.merge([mine], {}) == {"base_runtime": "sglang"}
    assert presets.merge([mine], {"base_runtime": "runtime-of-the-cluster"})["base_runtime"] == "runtime-of-the-cluster"
    with pytest.raises(InvalidSpecError, match="'mine' is for sglang, not for vllm; leave one of them out"):
        presets.merge([mine], {"base_runtime": "vllm"})
    with pytest.raises(InvalidSpecError, match="'mine' is for sglang"):
        presets.merge([preset("other", engine="vllm"), mine], {})


def test_no_one_saves_under_a_built_in_name() -> None:
    with pytest.raises(ConflictError, match="'chat-slo' is built in and stays as it is"):
        presets.check_own("chat-slo")
