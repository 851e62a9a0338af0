"""What every engine of the table keeps. A new one is tested by being listed."""

import re
from pathlib import Path

import pytest

from tuner.domain import Params
from tuner.engines import ENGINES
from tuner.errors import FailureKind
from tuner.installs import environments
from tuner.launch import HOST, PORT, Image, Installation, Launch
from tuner.logs import failures
from tuner.protocols import Engine
from tuner.spec.task import ParallelConfig
from tuner.spec.values import flag_name

INSTALLATION = Installation("any", Path("/somewhere/bin/python"), "1.0")


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return ENGINES[request.param]


def test_it_is_listed_under_its_own_name(engine: Engine) -> None:
    assert ENGINES[engine.name] is engine


def test_its_environments_can_be_installed(engine: Engine) -> None:
    assert set(engine.recipes) <= set(environments.RECIPES)


def test_a_launch_leaves_host_and_port_to_the_deployer(engine: Engine) -> None:
    launch = engine.launch("org/name", Params(), INSTALLATION, None)
    blanks = [part for word in launch.args for part in (word if isinstance(word, tuple) else (word,))]
    assert [blanks.count(blank) for blank in (HOST, PORT)] == [1, 1]
    assert launch.served_model
    assert launch.health_path.startswith("/")


def test_it_is_called_and_asked_for_help_as_each_target_has_it(engine: Engine) -> None:
    program = engine.program(INSTALLATION)
    assert engine.launch("m", Params(), INSTALLATION, None).program == program
    assert Path(INSTALLATION.command(program)[0]).parent == INSTALLATION.python.parent
    assert not Path(Image("some/image").command(program)[0]).is_absolute()
    assert engine.help


def test_a_launch_is_kept_and_read_again(engine: Engine, tmp_path: Path) -> None:
    launch = engine.launch(str(tmp_path), Params(flags={"a": 1}, env={"B": 2}), INSTALLATION, None)
    assert Launch.model_validate_json(launch.model_dump_json()) == launch
    assert launch.folder == str(tmp_path)


def arguments(launch: Launch) -> tuple[str, ...]:
    return launch.arguments(INSTALLATION, "0.0.0.0", 8000)


def test_flags_and_environment_variables_reach_the_launch(engine: Engine) -> None:
    params = Params(flags={"some-flag": "x y"}, env={"SOME_NUMBER": 4, "SOME_SWITCH": True})
    launch = engine.launch("m", params, INSTALLATION, None)
    written = arguments(launch).index("x y")
    assert flag_name(arguments(launch)[written - 1]) == "some-flag"
    assert (launch.env["SOME_NUMBER"], launch.env["SOME_SWITCH"]) == ("4", "1")


def test_the_same_configuration_gives_the_same_launch(engine: Engine) -> None:
    params = Params(flags={"a": 1, "b": False}, parallel={"tp": 2})
    assert engine.launch("m", params, INSTALLATION, None) == engine.launch("m", params, INSTALLATION, None)


def test_the_defaults_run_on_one_gpu_and_are_never_refused(engine: Engine) -> None:
    assert engine.world_size(Params()) == 1
    assert engine.refusal(Params(), None) is None
    assert engine.refusal(Params(), "awq") is None


def test_tensor_parallelism_is_counted_and_written(engine: Engine) -> None:
    params = Params(parallel={"tp": 4})
    assert engine.refusal(params, None) is None
    assert engine.world_size(params) == 4
    assert "4" in arguments(engine.launch("m", params, INSTALLATION, None))


def test_presets_name_known_degrees_and_are_plain_to_count(engine: Engine) -> None:
    assert "single-gpu" in engine.parallel_presets
    for name, degrees in engine.parallel_presets.items():
        assert set(degrees) <= set(ParallelConfig.model_fields) - {"presets"}
        assert (engine.world_size(Params(parallel=dict(degrees))) > 1) == (name != "single-gpu")


def test_a_degree_without_a_flag_is_refused_by_name(engine: Engine) -> None:
    unknown = set(ParallelConfig.model_fields) - {"presets", "enable_expert_parallel"}
    refused = {name for name in unknown if engine.refusal(Params(parallel={name: 2}), None) is not None}
    assert "tp" not in refused
    assert all(name in str(engine.refusal(Params(parallel={name: 2}), None)) for name in refused)


def test_the_same_thing_said_twice_is_refused(engine: Engine) -> None:
    params = Params(parallel={"tp": 2}, flags={"tensor-parallel-size": 2})
    assert "keep one" in str(engine.refusal(params, None))


def test_what_the_tuner_sets_is_reserved_with_a_reason(engine: Engine) -> None:
    assert {"host", "port", "help"} <= set(engine.reserved)
    assert all(name == flag_name(name) and reason for name, reason in engine.reserved.items())


def test_variables_that_are_reserved_are_not_inherited(engine: Engine) -> None:
    assert all(name.isidentifier() and reason for name, reason in engine.reserved_env.items())
    launch = engine.launch("org/model", Params(), INSTALLATION, None)
    assert set(engine.reserved_env) <= {*launch.unset}
    assert not {*launch.unset} & {*launch.env}


def test_failure_patterns_compile_and_speak_of_engines(engine: Engine) -> None:
    for pattern in (*engine.failures, *failures.COMMON):
        re.compile(pattern.regex)
        assert pattern.kind not in (FailureKind.BENCHMARK_FAILED, FailureKind.UNHEALTHY_OUTPUT)


def test_a_refused_flag_is_told_from_a_crash(engine: Engine) -> None:
    lines = ["usage: server [-h]", "server: error: unrecognized arguments: --nonsense"]
    failure = failures.classify(engine.failures, exit_code=2, out_of_memory=False, lines=lines)
    assert failure.kind is FailureKind.INVALID_FLAG
