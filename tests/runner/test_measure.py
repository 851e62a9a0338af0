"""One experiment: what is sent in which order, and what becomes of every way to fail."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import nvml, rig
from tests.fakes.engine import installed_engine
from tests.fakes.nvml import FakeGPU
from tests.fakes.results import point
from tests.fakes.rig import Bench, Death, Flags, Silence, bench, spec, throughput
from tuner.domain import Experiment, ExperimentState, Level, LoadPoint, MachineLoad, Params, Role
from tuner.errors import BenchmarkError, FailureKind
from tuner.machine import load as machine_load
from tuner.runner import measure as measuring
from tuner.runner.measure import measure
from tuner.search.load_policies import LOAD_POLICIES
from tuner.spec.task import TaskSpec

OOM = Death(1, "loading\nfake: no memory for 8 requests\n")
CRASH = Death(1, "RuntimeError: the engine is broken\n")
KILLED = Death(-9)
TWO_SCENARIOS = {"traffic_scenarios": ["D(64,16)", "D(8,8)"], "num_concurrency": [8, 1, 4]}


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    rig.hurry(monkeypatch)


def experiment(**flags: int) -> Experiment:
    return Experiment(
        number=3, role=Role.CANDIDATE, params=Params(flags=dict(flags)), started_at=datetime(2026, 1, 1, tzinfo=UTC)
    )


async def measured(made: Bench, **flags: int) -> Experiment:
    """The outcome, and proof that nothing was left running."""
    outcome = await measure(made.rig, made.load, experiment(**flags), go_on)
    assert made.deployer.up == []
    return outcome


def go_on(so_far: Experiment) -> None:
    """No stop rule has anything against the next level."""


def law(levels: dict[tuple[str, int], Death | Silence | LoadPoint]) -> rig.Law:
    """`throughput`, with exceptions."""

    def outcome(flags: Flags, scenario: str, concurrency: int) -> LoadPoint | Death | Silence:
        return levels.get((scenario, concurrency)) or throughput(flags, scenario, concurrency)

    return outcome


def outcomes(points: Sequence[LoadPoint]) -> list[tuple[str, int, str | None]]:
    return [(one.scenario, one.concurrency, one.failure) for one in points]


# Order


async def test_levels_run_in_rising_concurrency_on_an_emptied_cache_after_uncounted_warm_up(tmp_path: Path) -> None:
    made = bench(tmp_path, spec(benchmark={**TWO_SCENARIOS, "warmup_requests": 2}))
    outcome = await measured(made, speed=6)
    sent = [step for level in ("D(64,16)", "D(8,8)") for c in (1, 4, 8) for step in ("reset", f"{level} × {c}")]
    assert made.deployer.journal == ["start", "warm-up request", "warm-up request", *sent, "stop"]
    assert [point.concurrency for point in outcome.points] == [1, 4, 8, 1, 4, 8]
    assert outcome.state is ExperimentState.COMPLETED
    assert outcome.failure is None


async def test_the_outcome_says_what_was_launched_and_how_it_scored(tmp_path: Path) -> None:
    made = bench(tmp_path, spec())
    outcome = await measured(made, speed=6, batch=4)
    (deployment,) = made.deployer.started
    assert outcome.command == deployment.argv
    assert deployment.flags == {"speed": "6", "batch": "4"}
    assert outcome.start_s is not None
    assert outcome.scores[0].value == max(point.output_tokens_per_s for point in outcome.points)
    assert not outcome.partial


async def test_every_step_is_told_as_it_comes(tmp_path: Path) -> None:
    made = bench(tmp_path, spec(benchmark={"warmup_requests": 1}))
    await measured(made, speed=6)
    assert made.phases == ["starting", "warming up", "measuring", "measuring"]
    levels = [payload for kind, payload in made.told if kind == "load_point"]
    assert [(payload["number"], payload["concurrency"]) for payload in levels] == [(3, 1), (3, 8)]


async def test_requests_ask_for_the_tasks_own_model_name_where_it_gives_one(tmp_path: Path) -> None:
    asked: list[str] = []

    class Listening(rig.FakeLoad):
        async def measure(
            self,
            url: str,
            model: str,
            scenario: str,
            concurrency: int,
            folder: Path,
            *,
            rate: float | None = None,
            held_out: bool = False,
        ) -> LoadPoint:
            asked.append(model)
            return await super().measure(url, model, scenario, concurrency, folder, held_out=held_out)

    for name in (None, "own-name"):
        made = bench(tmp_path, spec(benchmark={"num_concurrency": 1, "model_name": name}))
        load = Listening(made.deployer, throughput)
        await measure(made.rig, load, experiment(), go_on)
    assert asked == ["org/model", "own-name"]


# Levels that fail


async def test_a_failing_level_keeps_the_others_and_the_experiment_says_it_is_partial(tmp_path: Path) -> None:
    bad = point(8, scenario="D(64,16)", failure=FailureKind.UNHEALTHY_OUTPUT)
    outcome = await measured(bench(tmp_path, spec(), law({("D(64,16)", 8): bad})), speed=6)
    assert outcomes(outcome.points) == [("D(64,16)", 1, None), ("D(64,16)", 8, "unhealthy_output")]
    assert outcome.state is ExperimentState.COMPLETED
    assert outcome.partial
    assert outcome.scores[0].points[0].concurrency == 1


async def test_an_engine_that_dies_takes_the_higher_levels_and_starts_again_for_the_next_scenario(
    tmp_path: Path,
) -> None:
    made = bench(tmp_path, spec(benchmark=TWO_SCENARIOS), law({("D(64,16)", 4): OOM}))
    outcome = await measured(made, speed=6)
    assert outcomes(outcome.points) == [
        ("D(64,16)", 1, None),
        ("D(64,16)", 4, "out_of_memory"),
        ("D(64,16)", 8, "out_of_memory"),
        ("D(8,8)", 1, None),
        ("D(8,8)", 4, None),
        ("D(8,8)", 8, None),
    ]
    assert outcome.points[1].error == "Exited with code 1: fake: no memory for 8 requests"
    assert outcome.points[2].error == "Not run: the engine died at concurrency 4."
    assert made.deployer.journal.count("start") == made.deployer.journal.count("stop") == 2
    assert outcome.partial
    assert outcome.command == made.deployer.started[1].argv


async def test_an_engine_that_dies_between_two_levels_is_the_cause_not_the_cache_it_no_longer_empties(
    tmp_path: Path,
) -> None:
    made = bench(tmp_path, spec())

    def dies_afterwards(flags: Flags, scenario: str, concurrency: int) -> LoadPoint:
        (deployment,) = made.deployer.up
        asyncio.get_running_loop().call_soon(deployment.die, CRASH)
        return throughput(flags, scenario, concurrency)

    load = rig.FakeLoad(made.deployer, dies_afterwards)
    outcome = await measure(made.rig, load, experiment(), go_on)
    assert [point.failure for point in outcome.points] == [None, "crashed"]


async def test_a_level_below_the_one_that_killed_the_engine_is_sent_whatever_order_the_policy_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Falling:
        def next(self, task: TaskSpec, points: Sequence[LoadPoint]) -> Level | None:
            done = {(point.scenario, point.concurrency) for point in points}
            order = [("D(64,16)", 4), ("D(8,8)", 1), ("D(64,16)", 8), ("D(64,16)", 1)]
            return next((Level(*level) for level in order if level not in done), None)

    monkeypatch.setitem(LOAD_POLICIES, "falling", Falling())
    made = bench(tmp_path, spec(benchmark={**TWO_SCENARIOS, "load_policy": "falling"}), law({("D(64,16)", 4): OOM}))
    outcome = await measured(made, speed=6)
    assert outcomes(outcome.points) == [
        ("D(64,16)", 4, "out_of_memory"),
        ("D(8,8)", 1, None),
        ("D(64,16)", 8, "out_of_memory"),
        ("D(64,16)", 1, None),
    ]
    assert made.deployer.journal.count("start") == 2


async def test_the_log_of_an_earlier_start_explains_no_later_end(tmp_path: Path) -> None:
    made = bench(tmp_path, spec(benchmark=TWO_SCENARIOS), law({("D(64,16)", 1): OOM, ("D(8,8)", 1): CRASH}))
    outcome = await measured(made, speed=6)
    assert [point.failure for point in outcome.points] == ["out_of_memory"] * 3 + ["crashed"] * 3
    assert (tmp_path / "3" / "engine.1.log").read_text().endswith(OOM.log)
    assert (tmp_path / "3" / "engine.log").read_text().endswith(CRASH.log)


async def test_where_no_level_counts_the_experiment_failed_as_the_first_did_with_its_lines(tmp_path: Path) -> None:
    made = bench(tmp_path, spec(benchmark=TWO_SCENARIOS), law({("D(64,16)", 1): OOM, ("D(8,8)", 1): CRASH}))
    outcome = await measured(made, speed=6)
    assert outcome.state is ExperimentState.FAILED
    assert outcome.scores == ()
    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.OUT_OF_MEMORY
    assert outcome.failure.message == "Exited with code 1: fake: no memory for 8 requests"
    assert outcome.failure.lines == ("fake: no memory for 8 requests",)


async def test_where_every_level_gives_garbage_the_experiment_failed_with_the_end_of_the_log(tmp_path: Path) -> None:
    outcome = await measured(bench(tmp_path, spec(), rig.failed_level), speed=6)
    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.UNHEALTHY_OUTPUT
    assert outcome.failure.lines == ("started",)
    assert [point.valid for point in outcome.points] == [False, False]


async def test_a_cache_that_is_not_emptied_fails_its_levels(tmp_path: Path) -> None:
    outcome = await measured(bench(tmp_path, spec(), reset_status=500), speed=6)
    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.BENCHMARK_FAILED
    assert outcome.failure.message.startswith("POST /reset answered 500: ")
    assert outcome.failure.message.endswith("; the prefix cache may not be empty.")


async def test_a_refused_warm_up_fails_the_experiment(tmp_path: Path) -> None:
    made = bench(tmp_path, spec(benchmark={"warmup_requests": 2}), warm_up_status=404)
    outcome = await measured(made, speed=6)
    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.BENCHMARK_FAILED
    assert "A warm-up request was answered 404" in outcome.failure.message
    assert outcome.points == ()


async def test_an_experiment_that_a_rule_stops_keeps_its_levels_and_says_why_the_rest_was_not_run(
    tmp_path: Path,
) -> None:
    asked: list[list[int]] = []

    def enough(so_far: Experiment) -> str | None:
        asked.append([one.concurrency for one in so_far.points])
        return "Two levels are enough." if len(so_far.points) == 2 else None

    made = bench(tmp_path, spec(benchmark=TWO_SCENARIOS))
    outcome = await measure(made.rig, made.load, experiment(speed=6), enough)
    assert outcomes(outcome.points) == [
        ("D(64,16)", 1, None),
        ("D(64,16)", 4, None),
        ("D(64,16)", 8, "stopped"),
        *[("D(8,8)", concurrency, "stopped") for concurrency in (1, 4, 8)],
    ]
    assert {one.error for one in outcome.points[2:]} == {"Not run: Two levels are enough."}
    assert asked == [[1], [1, 4]]
    assert outcome.partial
    assert [step for step in made.deployer.journal if "×" in step] == ["D(64,16) × 1", "D(64,16) × 4"]
    assert made.deployer.up == []


# Starts that fail


@pytest.mark.parametrize(
    ("death", "kind"),
    [
        (OOM, "out_of_memory"),
        (CRASH, "crashed"),
        (Death(2, "usage: x\nx: error: unrecognized arguments: --wrong\n"), "invalid_flag"),
        (Death(-9, starved=True), "out_of_memory"),
        (Death(-11), "crashed"),
        (Death(1, "OSError: [Errno 98] Address already in use\n"), "infrastructure"),
        (KILLED, "infrastructure"),
    ],
)
async def test_an_engine_that_ends_while_it_starts_says_why(tmp_path: Path, death: Death, kind: str) -> None:
    made = bench(tmp_path, spec(), starts=[death], healthy=False)
    outcome = await measured(made, speed=6)
    assert outcome.state is ExperimentState.FAILED
    assert outcome.failure is not None
    assert outcome.failure.kind == kind
    assert (outcome.points, outcome.start_s) == ((), None)
    assert outcome.command == made.deployer.started[0].argv


async def test_an_engine_that_never_gets_healthy_is_a_start_that_took_too_long(tmp_path: Path) -> None:
    made = bench(tmp_path, spec(optimization={"timeout_per_iteration": 0.1}), healthy=False)
    outcome = await measured(made, speed=6)
    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.START_TIMEOUT
    assert outcome.failure.message == "The engine was not ready after 0.1 s (optimization.timeout_per_iteration)."
    assert outcome.failure.lines == ("started",)


async def test_a_second_start_that_fails_keeps_what_the_first_measured(tmp_path: Path) -> None:
    made = bench(tmp_path, spec(benchmark=TWO_SCENARIOS), law({("D(64,16)", 8): OOM}), starts=[None, CRASH])
    outcome = await measured(made, speed=6)
    assert outcome.state is ExperimentState.COMPLETED
    assert [point.failure for point in outcome.points] == [None, None, "out_of_memory"] + ["crashed"] * 3


# Time


async def test_the_time_limit_keeps_the_levels_measured_by_then_and_fails_the_rest(tmp_path: Path) -> None:
    task = spec(optimization={"timeout_per_iteration": 2}, benchmark=TWO_SCENARIOS)
    outcome = await measured(bench(tmp_path, task, law({("D(64,16)", 8): Silence()})), speed=6)
    assert outcome.state is ExperimentState.COMPLETED
    assert [point.failure for point in outcome.points] == [None, None] + ["benchmark_failed"] * 4
    assert outcome.points[-1].error == "The experiment reached its limit of 2 s (optimization.timeout_per_iteration)."


async def test_the_time_limit_does_not_cut_the_farewell_to_the_engine_short(tmp_path: Path) -> None:
    made = bench(tmp_path, spec(optimization={"timeout_per_iteration": 2}), farewell_s=2.2)
    outcome = await measured(made, speed=6)
    assert [point.failure for point in outcome.points] == [None, None]
    assert made.deployer.journal[-1] == "stop"


# Infrastructure


async def test_an_engine_killed_from_outside_says_nothing_about_the_configuration(tmp_path: Path) -> None:
    outcome = await measured(bench(tmp_path, spec(), law({("D(64,16)", 8): KILLED})), speed=6)
    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.INFRASTRUCTURE
    assert "killed from outside" in outcome.failure.message


async def test_a_load_generator_that_dies_says_nothing_about_the_configuration(tmp_path: Path) -> None:
    def dies(flags: Flags, scenario: str, concurrency: int) -> LoadPoint:
        raise BenchmarkError(FailureKind.INFRASTRUCTURE, "the load generator died", ("its last line",))

    outcome = await measured(bench(tmp_path, spec(), dies), speed=6)
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.failure.lines) == (FailureKind.INFRASTRUCTURE, ("its last line",))


async def test_an_engine_that_dies_under_a_silent_load_is_noticed(tmp_path: Path) -> None:
    made = bench(tmp_path, spec())

    def starves(flags: Flags, scenario: str, concurrency: int) -> Silence:
        (deployment,) = made.deployer.up
        asyncio.get_running_loop().call_later(0.01, deployment.die, Death(-9, starved=True))
        return Silence()

    load = rig.FakeLoad(made.deployer, starves)
    outcome = await measure(made.rig, load, experiment(), go_on)
    assert [point.failure for point in outcome.points] == ["out_of_memory", "out_of_memory"]


# GPUs


async def test_an_experiment_holds_its_gpus_and_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = nvml.install(monkeypatch, FakeGPU(), FakeGPU(), FakeGPU(free_gib=1))
    task = spec(parallel_config={"tp": 2})
    made = bench(tmp_path, task, engine=installed_engine("fake-gpu"))
    outcome = await measure(
        made.rig, made.load, experiment().model_copy(update={"params": made.rig.plan.space.fixed}), go_on
    )
    assert outcome.gpus == 2
    assert outcome.gpu_ids == tuple(ids[:2])
    assert made.deployer.gpus == [outcome.gpu_ids]


async def test_gpus_that_others_hold_are_infrastructure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvml.install(monkeypatch)
    outcome = await measured(bench(tmp_path, spec(), engine=installed_engine("fake-gpu")))
    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.INFRASTRUCTURE
    assert outcome.failure.message == "GPUs needed: 1; not held by another experiment: 0."


# Leaving


@pytest.mark.parametrize("where", ["starting", "warming up", "measuring"])
async def test_a_cancelled_experiment_leaves_nothing_running(tmp_path: Path, where: str) -> None:
    asleep: dict[str, Any] = {"starting": {"healthy": False}, "warming up": {"deaf": True}}
    silent = law({("D(64,16)", 1): Silence()})
    made = bench(tmp_path, spec(benchmark={"warmup_requests": 1}), silent, **asleep.get(where, {}))
    running = asyncio.create_task(measure(made.rig, made.load, experiment(), go_on))
    while made.phases[-1:] != [where] or not made.deployer.up:
        await asyncio.sleep(0.002)
    await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert made.deployer.up == []


async def test_an_event_that_cannot_be_recorded_ends_the_experiment_and_its_engine(tmp_path: Path) -> None:
    made = bench(tmp_path, spec())

    async def full(kind: str, payload: object) -> None:
        if kind == "load_point":
            raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        await measure(replace(made.rig, tell=full), made.load, experiment(), go_on)
    assert made.deployer.up == []


# The machine beside a level


def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which others use 40 % of the processors, whatever the level."""
    monkeypatch.setattr(machine_load, "between", lambda before, after: MachineLoad(others=0.4))


async def test_a_level_keeps_what_the_machine_did_beside_it_and_warns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy(monkeypatch)
    known = point(1, scenario="D(64,16)").model_copy(update={"notes": ("Not surely the steady state.",)})
    outcome = await measured(bench(tmp_path, spec(), law({("D(64,16)", 1): known})), speed=6)
    used = "Programs that are not part of the tuning used 40% of this machine's processor time."
    assert [one.machine and one.machine.others for one in outcome.points] == [0.4, 0.4]
    assert [one.notes for one in outcome.points] == [("Not surely the steady state.", used), (used,)]


async def test_nothing_is_said_of_this_machine_where_the_engine_runs_on_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy(monkeypatch)
    monkeypatch.setattr(measuring, "is_loopback", lambda host: host == "192.0.2.1")
    outcome = await measured(bench(tmp_path, spec()), speed=6)
    assert [(one.machine, one.notes) for one in outcome.points] == [(None, ()), (None, ())]
