"""Presets: named parts of a task file, to begin a task with. The built-in ones, what a preset may hold, and merging."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from tuner.engines import ENGINES
from tuner.errors import ConflictError, InvalidSpecError, Problem
from tuner.spec import taskfile
from tuner.spec.presets import Preset
from tuner.spec.problems import WHOLE, alternatives
from tuner.spec.values import flag_name

Part = Mapping[str, JsonValue]
"""Some keys of a task file."""


def check(preset: Preset) -> None:
    """Raises:
    InvalidSpecError: it can be no part of a task, with every problem that shows without the rest of the task.
    """
    problems = []
    if preset.engine is not None and preset.engine not in ENGINES:
        said = f"no engine {preset.engine!r:.60}; {alternatives(preset.engine, ENGINES)}"
        problems.append(Problem(said, "engine"))
    if "task_name" in preset.task:
        problems.append(Problem("a preset is for many tasks, so it names none; leave this out", "task_name"))
    try:
        taskfile.check_part({key: value for key, value in preset.task.items() if key != "task_name"})
    except InvalidSpecError as error:
        problems += error.problems
    if not problems:
        problems += _foreign(preset, preset.task)
    if problems:
        raise InvalidSpecError(problems)


def check_own(name: str) -> None:
    """Raises:
    ConflictError: it is the name of a built-in preset.
    """
    if name in BUILT_IN:
        raise ConflictError(f"The preset {name!r} is built in and stays as it is; save yours under another name.")


def merge(presets: Sequence[Preset], task: Part) -> dict[str, JsonValue]:
    """The presets in order, then the task's own keys on top; nested blocks merge, lists and plain values replace.

    A preset's engine is the task's, where nothing else says it. What comes out is not checked.

    Raises:
        InvalidSpecError: a preset is for another engine than the task's.
    """
    merged: dict[str, JsonValue] = {}
    for preset in presets:
        merged = _over(merged, preset.task)
    merged = _over(merged, task)
    for preset in presets:
        if preset.engine is not None:
            merged.setdefault("base_runtime", preset.engine)
    if problems := [problem for preset in presets for problem in _foreign(preset, merged)]:
        raise InvalidSpecError(problems)
    return merged


def _foreign(preset: Preset, task: Part) -> list[Problem]:
    """In OME mode the runtime may be a name of the cluster's, whose engine is not known here."""
    runtime = task.get("base_runtime", preset.engine)
    if preset.engine is None or runtime == preset.engine or runtime not in ENGINES:
        return []
    said = f"the preset {preset.name!r} is for {preset.engine}, not for {runtime}; leave one of them out"
    return [Problem(said, "base_runtime")]


def _over(lower: Part, upper: Part) -> dict[str, JsonValue]:
    """One task's keys over another's."""
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        if key == "model":
            value = _model(below, value)
        elif isinstance(below, dict) and isinstance(value, dict):
            if key == "parameters":
                below, value = _spelled(below), _spelled(value)
            value = {**below, **value} if key in WHOLE else _over(below, value)
        merged[key] = value
    return merged


def _spelled(flags: Part) -> dict[str, JsonValue]:
    return {flag_name(name): domain for name, domain in flags.items()}


def _model(below: JsonValue, value: JsonValue) -> JsonValue:
    """A model may be written as its id alone, and its id as `name`."""
    if isinstance(value, str) and isinstance(below, dict):
        value = {"id_or_path": value}
    if not isinstance(value, dict) or not isinstance(below, dict):
        return value
    kept = {key: part for key, part in below.items() if key not in ("name", "id_or_path")}
    return {**(kept if {"name", "id_or_path"} & value.keys() else below), **value}


BUILT_IN: Mapping[str, Preset] = {
    preset.name: preset.model_copy(update={"built_in": True})
    for preset in (
        Preset(
            name="quick-check",
            description="A first look in minutes: a handful of configurations, short prompts, few confirmations.",
            task={
                "optimization": {"max_iterations": 4, "confirm": 3},
                "benchmark": {
                    "traffic_scenarios": ["D(100,32)"],
                    "num_concurrency": [1, 4],
                    "max_requests_per_iteration": 32,
                    "max_time_per_iteration": 1,
                },
            },
        ),
        Preset(
            name="thorough",
            description="For a configuration that stays: more configurations, more requests, more confirmations.",
            task={
                "optimization": {"max_iterations": 60, "n_initial_random": 12, "confirm": 12},
                "benchmark": {"max_requests_per_iteration": 400, "max_time_per_iteration": 10},
            },
        ),
        Preset(
            name="chat-slo",
            description="Chat for people: most tokens per second while 9 of 10 answers begin within 0.5 s and go on at "
            "20 tokens/s.",
            task={
                "optimization": {"objective": "maximize_throughput"},
                "benchmark": {"traffic_scenarios": ["N(480,240)/(300,150)"], "num_concurrency": [1, 4, 16, 64]},
                "slo": {
                    "ttft": {"p90": {"threshold": 0.5, "hard_fail": True}},
                    "tpot": {"p90": {"threshold": 0.05, "hard_fail": True}},
                },
            },
        ),
        Preset(
            name="long-prompts",
            description="Documents in, short answers out (retrieval, summaries): the time to the first token decides.",
            task={
                "optimization": {"objective": "minimize_ttft"},
                "benchmark": {"traffic_scenarios": ["D(4000,200)"], "num_concurrency": [1, 4, 16]},
            },
        ),
        *(preset for engine in ENGINES.values() for preset in engine.presets),
    )
}
