"""What a caller can ask of the tuner, in every state a task can be in."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import rig
from tests.fakes.results import experiment, point
from tests.fakes.rig import Flags, Silence, Tables, spec
from tests.fakes.stores import REMOTE, dead_owner, live_owner
from tests.fakes.world import kept
from tuner import service as service_module
from tuner.analysis.noise import pooled
from tuner.domain import Event, ExperimentState, Role, Task, TaskState
from tuner.engines import ENGINES
from tuner.errors import ConflictError, InvalidSpecError, NotFoundError, StorageError
from tuner.runner import worker as worker_module
from tuner.service import Tuner
from tuner.settings import Settings
from tuner.spec.presets import Preset

STATES = ("created", "queued", "running", "abandoned", "completed", "failed", "cancelled")
"""`running` in another process that lives; `abandoned` by one that is dead."""


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Tables:
    monkeypatch.setattr(worker_module, "IDLE_S", 0.01)
    monkeypatch.setattr(service_module, "FOLLOW_S", 0.01)
    return rig.install(monkeypatch)


@pytest.fixture
def settings(tmp_path: Path, tables: Tables) -> Settings:
    return Settings(home=tmp_path / "a home", lease_s=0.3)


@pytest.fixture
async def tuner(settings: Settings) -> AsyncIterator[Tuner]:
    async with Tuner.open(settings) as tuner:
        yield tuner


@pytest.fixture
async def elsewhere(tuner: Tuner, settings: Settings) -> AsyncIterator[Tuner]:
    """The same data folder, from another process."""
    async with Tuner.open(settings) as elsewhere:
        yield elsewhere


async def in_state(tuner: Tuner, state: str) -> str:
    task = await tuner.create(spec(parameters={"speed": [5, 6]}))
    if state == "created":
        return task.id
    await tuner.start(task.id)
    if state == "queued":
        return task.id
    owner = {"running": live_owner(), "abandoned": dead_owner()}.get(state, REMOTE)
    lease = await tuner._store.claim(task.id, owner)
    assert lease is not None
    if state in ("completed", "failed", "cancelled"):
        await tuner._store.finish(lease, TaskState(state))
    return task.id


ACTIONS: dict[str, Callable[[Tuner, str], Awaitable[object]]] = {
    "start": lambda tuner, ref: tuner.start(ref),
    "resume": lambda tuner, ref: tuner.resume(ref),
    "cancel": lambda tuner, ref: tuner.cancel(ref),
    "delete": lambda tuner, ref: tuner.delete(ref),
    "update": lambda tuner, ref: tuner.update(ref, spec(task_name="changed")),
    "run": lambda tuner, ref: tuner.run(ref),
}

# By action and state: the state after it, `gone`, or the words of the refusal.
CASES = {
    "start": {
        "created": "queued",
        "queued": "queued",
        "running": "is running and cannot be started; cancel it first",
        "abandoned": "is running and cannot be started; cancel it first",
        "completed": "is completed and cannot be started; create another task",
        "failed": "queued",
        "cancelled": "queued",
    },
    "resume": {
        "created": "queued",
        "queued": "queued",
        "running": "is running in process [0-9]+; there is nothing to resume",
        "abandoned": "running",
        "completed": "is completed and cannot be started; create another task",
        "failed": "queued",
        "cancelled": "queued",
    },
    "cancel": {
        "created": "cancelled",
        "queued": "cancelled",
        "abandoned": "cancelled",
        "completed": "is completed already; there is nothing to cancel",
        "failed": "is failed already; there is nothing to cancel",
        "cancelled": "is cancelled already; there is nothing to cancel",
    },
    "delete": {
        "created": "gone",
        "queued": "gone",
        "running": "is running and cannot be deleted; cancel it first",
        "abandoned": "is running and cannot be deleted; cancel it first",
        "completed": "gone",
        "failed": "gone",
        "cancelled": "gone",
    },
    "update": {
        "created": "created",
        **{state: "cannot be changed; create another task" for state in STATES if state != "created"},
    },
    "run": {
        "created": "is created; only a queued task can be run",
        "queued": "completed",
        "running": "is running in process [0-9]+",
        "abandoned": "completed",
        "completed": "is completed; only a queued task can be run",
        "failed": "is failed; only a queued task can be run",
        "cancelled": "is cancelled; only a queued task can be run",
    },
}


@pytest.mark.parametrize(
    ("action", "state", "wanted"),
    [(action, state, wanted) for action, by_state in CASES.items() for state, wanted in by_state.items()],
)
async def test_every_state_allows_what_it_should(tuner: Tuner, action: str, state: str, wanted: str) -> None:
    ref = await in_state(tuner, state)
    before = await tuner.task(ref)
    if " " in wanted:
        with pytest.raises(ConflictError, match=wanted):
            await ACTIONS[action](tuner, ref)
        assert await tuner.task(ref) == before
        return
    await ACTIONS[action](tuner, ref)
    if wanted == "gone":
        with pytest.raises(NotFoundError):
            await tuner.task(ref)
    else:
        assert (await tuner.task(ref)).state == wanted


@pytest.mark.parametrize("action", list(ACTIONS))
async def test_nothing_is_done_to_a_task_that_is_not_there(tuner: Tuner, action: str) -> None:
    with pytest.raises(NotFoundError, match="No task 'nothing'"):
        await ACTIONS[action](tuner, "nothing")


# Creating


async def test_a_task_is_checked_completely_before_it_is_written_down(tuner: Tuner) -> None:
    with pytest.raises(InvalidSpecError) as refused:
        await tuner.create(spec(model="/no/model", parameters={"sped": [1, 2]}))
    assert [problem.where for problem in refused.value.problems] == ["model.id_or_path", "parameters.sped"]
    assert await tuner.tasks() == ([], 0)


async def test_an_update_is_checked_like_a_new_task(tuner: Tuner) -> None:
    ref = await in_state(tuner, "created")
    with pytest.raises(InvalidSpecError):
        await tuner.update(ref, spec(parameters={"sped": [1, 2]}))
    changed = await tuner.update(ref, spec(task_name="changed"))
    assert (changed.id, changed.spec.task_name) == (ref, "changed")
    assert await tuner.task("changed") == changed


async def test_what_is_only_missing_here_does_not_keep_a_task_from_being_written_down(
    tuner: Tuner, tables: Tables
) -> None:
    tables.benchmark.lacks = "not installed"
    assert (await tuner.create(spec())).state is TaskState.CREATED


async def test_a_data_folder_that_cannot_be_made_says_how_to_choose_another(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"cannot be made: .*Set AUTOTUNER_HOME"):
        async with Tuner.open(Settings(home=tmp_path / "file" / "home")):
            pass


# Running


async def test_a_task_is_found_by_name_run_and_summed_up(tuner: Tuner) -> None:
    task = await tuner.create(spec(optimization={"confirm": 2}))
    await tuner.start("fake task")
    assert (await tuner.run(task.id[:5])).state is TaskState.COMPLETED
    result = await tuner.result(task.id)
    assert result.winner == 6
    assert result.verdict.proven
    assert len(await tuner.experiments(task.id)) == 18
    (listed,), total = await tuner.tasks(state=TaskState.COMPLETED, text="fake", engine="fake")
    assert (listed.id, total) == (task.id, 1)


async def test_the_noise_of_past_tasks_is_known_once_enough_was_measured_again(tuner: Tuner) -> None:
    made = spec(benchmark={"num_concurrency": 8})
    plan = await tuner.plan(made)
    rates = [100.0, 103.0, 98.0]
    for told in (rates, [2 * rate for rate in rates]):
        assert await tuner.noise(plan) is None
        levels = [[point(8, scenario=rig.SCENARIO, rate=rate)] for rate in told]
        await kept(
            tuner, made, [experiment(n, one, task=made, confirms=0 if n else None) for n, one in enumerate(levels)]
        )
    assert await tuner.noise(plan) == pytest.approx(pooled([rates, rates]))
    other = await tuner.plan(spec(model="org/other"))
    assert await tuner.noise(other) is None


async def test_deleting_a_task_removes_its_files(tuner: Tuner, settings: Settings) -> None:
    ref = await in_state(tuner, "queued")
    await tuner.run(ref)
    assert (settings.runs(ref) / "0" / "engine.log").is_file()
    await tuner.delete(ref)
    assert not settings.runs(ref).exists()


async def test_a_resumed_task_goes_on_in_this_process(tuner: Tuner) -> None:
    ref = await in_state(tuner, "abandoned")
    await tuner.resume(ref)
    assert (await tuner.run(ref)).state is TaskState.COMPLETED


async def test_who_resumes_a_task_whose_worker_died_while_cancelling_wants_it_to_go_on(tuner: Tuner) -> None:
    ref = await in_state(tuner, "abandoned")
    await tuner._store.request_cancel(ref)
    await tuner.resume(ref)
    assert (await tuner.run(ref)).state is TaskState.COMPLETED


# Cancelling


def never_answers(flags: Flags, scenario: str, concurrency: int) -> Silence:
    return Silence()


async def test_cancelling_waits_until_the_worker_has_stopped_the_engine(
    tuner: Tuner, elsewhere: Tuner, tables: Tables
) -> None:
    tables.benchmark.law = never_answers
    ref = await in_state(tuner, "queued")
    running = asyncio.create_task(tuner.run(ref))
    while not tables.deployer.up:
        await asyncio.sleep(0.005)
    assert (await elsewhere.cancel(ref)).state is TaskState.CANCELLED
    assert tables.deployer.up == []
    assert (await running).state is TaskState.CANCELLED


@pytest.mark.parametrize("here", [True, False])
async def test_a_stalled_workers_task_is_cancelled_here_and_its_engine_reaped(
    tuner: Tuner, tables: Tables, here: bool
) -> None:
    ref = await in_state(tuner, "queued")
    await tuner._store.claim(ref, live_owner() if here else REMOTE)
    assert (await tuner.cancel(ref)).state is TaskState.CANCELLED
    assert tables.deployer.reaped == [ref]


async def test_a_cancelled_task_goes_on_where_it_stopped(tuner: Tuner, elsewhere: Tuner, tables: Tables) -> None:
    law, tables.benchmark.law = tables.benchmark.law, never_answers
    ref = await in_state(tuner, "queued")
    running = asyncio.create_task(tuner.run(ref))
    while not tables.deployer.up:
        await asyncio.sleep(0.005)
    await elsewhere.cancel(ref)
    await running
    tables.benchmark.law = law
    await tuner.resume(ref)
    assert (await tuner.run(ref)).state is TaskState.COMPLETED
    assert [one.attempt for one in await tuner.experiments(ref)] == [2, 1, 1]


# Following


async def events(tuner: Tuner, ref: str, after: int = 0, *, here: bool = False) -> list[Event]:
    return [event async for event in tuner.follow(ref, after, here=here)]


async def test_followers_see_every_event_in_order_and_end_with_the_task(tuner: Tuner, elsewhere: Tuner) -> None:
    ref = await in_state(tuner, "created")
    following = [asyncio.create_task(events(one, ref)) for one in (tuner, elsewhere)]
    await asyncio.sleep(0.05)
    await tuner.start(ref)
    await tuner.run(ref)
    here, there = await asyncio.gather(*following)
    assert here == there == await events(elsewhere, ref)
    assert [event.sequence for event in here] == list(range(1, len(here) + 1))
    assert (here[0].kind, here[-1].kind) == ("task_created", "task_finished")
    assert [event.sequence for event in await events(tuner, ref, after=5)] == list(range(6, len(here) + 1))


async def test_a_follower_in_the_process_of_the_run_asks_nothing_meanwhile(
    tuner: Tuner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_module, "FOLLOW_HERE_S", 3600.0)
    ref = await in_state(tuner, "queued")
    following = asyncio.create_task(events(tuner, ref, here=True))
    await asyncio.sleep(0)
    await tuner.run(ref)
    async with asyncio.timeout(60):
        assert (await following)[-1].kind == "task_finished"


async def test_a_follower_misses_nothing_however_much_there_is(tuner: Tuner) -> None:
    ref = await in_state(tuner, "queued")
    lease = await tuner._store.claim(ref, REMOTE)
    assert lease is not None
    await tuner._store.record(lease, events=[("phase", {"n": n}) for n in range(2500)])
    await tuner._store.finish(lease, TaskState.COMPLETED)
    assert len(await events(tuner, ref)) == 2500 + 4


async def test_a_task_that_ends_between_two_looks_loses_no_event(
    tuner: Tuner, elsewhere: Tuner, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = await in_state(tuner, "queued")
    lease = await tuner._store.claim(ref, REMOTE)
    assert lease is not None
    read = elsewhere._store.news

    async def finished_meanwhile(task_id: str, after: int = 0) -> tuple[TaskState, list[Event]]:
        found = await read(task_id, after)
        if not found[1] and not (await tuner.task(ref)).state.ended:
            await tuner._store.finish(lease, TaskState.COMPLETED)
        return found

    monkeypatch.setattr(elsewhere._store, "news", finished_meanwhile)
    assert (await events(elsewhere, ref))[-1].kind == "task_finished"


async def test_following_a_task_that_is_deleted_ends(tuner: Tuner, elsewhere: Tuner) -> None:
    ref = await in_state(tuner, "created")
    following = asyncio.create_task(events(elsewhere, ref))
    await asyncio.sleep(0.05)
    await tuner.delete(ref)
    with pytest.raises(NotFoundError):
        await following


# Logs


async def test_logs_are_found_where_there_are_any(tuner: Tuner, settings: Settings) -> None:
    ref = await in_state(tuner, "queued")
    await tuner.run(ref)
    folder = settings.runs(ref)
    assert await tuner.log_file(ref) == folder / "2" / "engine.log"
    assert await tuner.log_file("fake task", 0) == folder / "0" / "engine.log"
    assert await tuner.log_file(ref, benchmark=True) == folder / "benchmark.log"


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "is created and has no experiments, so there is no log yet"),
        ({"experiment": 7}, "has no log of experiment 7; autotuner show"),
        ({"benchmark": True}, "has no log of the load generator"),
    ],
)
async def test_a_log_that_is_not_there_is_said(tuner: Tuner, asked: dict[str, Any], says: str) -> None:
    task: Task = await tuner.create(spec())
    with pytest.raises(NotFoundError, match=says):
        await tuner.log_file(task.id, **asked)


# Requests that are sent again


async def test_a_request_that_is_sent_again_is_not_done_again(tuner: Tuner, elsewhere: Tuner) -> None:
    wanted = spec(parameters={"speed": [5, 6]})
    task = await tuner.create(wanted, key="one")
    assert await elsewhere.create(wanted, key="one") == task
    with pytest.raises(ConflictError, match="choose a new key for a new request"):
        await tuner.create(spec(task_name="other"), key="one")
    assert (await tuner.tasks())[1] == 1
    assert (await tuner.start(task.id, key="two")).state is TaskState.QUEUED
    await tuner.run(task.id)
    assert (await elsewhere.start("fake task", key="two")).state is TaskState.COMPLETED
    with pytest.raises(ConflictError, match="is completed and cannot be started"):
        await tuner.start(task.id, key="three")


async def test_what_was_made_is_answered_also_where_it_could_not_be_made_any_more(
    tuner: Tuner, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = await tuner.create(spec(), key="one")
    monkeypatch.delitem(ENGINES, "fake")
    assert await tuner.create(spec(), key="one") == task
    with pytest.raises(InvalidSpecError):
        await tuner.create(spec(), key="two")


@pytest.mark.parametrize("state", STATES)
async def test_a_restart_measures_anew_and_leaves_the_old_task_alone(tuner: Tuner, state: str) -> None:
    ref = await in_state(tuner, state)
    before = await tuner.task(ref)
    fresh = await tuner.restart(ref)
    assert (fresh.state, fresh.spec) == (TaskState.QUEUED, before.spec)
    assert fresh.id != ref
    assert await tuner.task(ref) == before
    assert await tuner.experiments(fresh.id) == []


# Lists


async def test_experiments_are_listed_over_all_tasks_or_of_one(tuner: Tuner) -> None:
    first, second = [await in_state(tuner, "queued") for _ in range(2)]
    for ref in (first, second):
        await tuner.run(ref)
    found, total = await tuner.experiments_page(limit=4)
    assert ([(ref, one.number) for ref, one in found], total) == (
        [(second, 0), (second, 1), (second, 2), (first, 0)],
        6,
    )
    found, total = await tuner.experiments_page(task=first[:5], role=Role.BASELINE, state=ExperimentState.COMPLETED)
    assert ([(ref, one) for ref, one in found], total) == ([(first, await tuner.experiment(first, 0))], 1)
    assert (await tuner.counts())["completed"] == 2
    with pytest.raises(NotFoundError):
        await tuner.experiments_page(task="nothing")


# Presets


async def test_presets_are_kept_listed_merged_and_removed(tuner: Tuner, elsewhere: Tuner) -> None:
    mine = Preset(name="mine", engine="vllm", task={"optimization": {"seed": 3}})
    saved = await tuner.save_preset(mine)
    assert await elsewhere.preset("mine") == saved
    listed = await elsewhere.presets()
    assert [preset.built_in for preset in listed] == [True] * (len(listed) - 1) + [False]
    merged = await tuner.merged(["quick-check", "mine"], {"task_name": "x"})
    assert merged["optimization"] == {"max_iterations": 4, "confirm": 3, "seed": 3}
    assert (merged["base_runtime"], merged["task_name"]) == ("vllm", "x")
    await tuner.delete_preset("mine")
    with pytest.raises(NotFoundError, match="No preset 'mine'"):
        await elsewhere.merged(["mine"], {})


async def test_a_preset_is_checked_before_it_is_kept(tuner: Tuner) -> None:
    with pytest.raises(InvalidSpecError, match="unknown key 'optimisation'; did you mean 'optimization'"):
        await tuner.save_preset(Preset(name="mine", task={"optimisation": {}}))
    for change in (tuner.save_preset(Preset(name="thorough"), replace=True), tuner.delete_preset("thorough")):
        with pytest.raises(ConflictError, match="'thorough' is built in and stays as it is"):
            await change
    assert all(preset.built_in for preset in await tuner.presets())


# This machine, and logs through the door


async def test_what_this_machine_has_can_be_asked(tuner: Tuner) -> None:
    assert (await tuner.hardware()).cpus > 0
    assert {engine.name for engine in await tuner.engines()} >= {"vllm", "simulated"}
    with pytest.raises(NotFoundError, match="No engine 'vlm'"):
        await tuner.engine_flags("vlm")
    assert await tuner.deployments() == []
    assert await tuner.workers() == []
    with pytest.raises(NotFoundError, match="No environment 'vlm'"):
        await tuner.install_engine("vlm")
    for action in (tuner.deployment("x"), tuner.stop_deployment("x")):
        with pytest.raises(NotFoundError, match="Nothing runs as 'x'; there is nothing running"):
            await action


async def test_logs_are_read_searched_and_followed(tuner: Tuner) -> None:
    ref = await in_state(tuner, "queued")
    await tuner.run(ref)
    assert (await tuner.logs(ref, 0)).lines == ("started",)
    assert (await tuner.logs("fake task", benchmark=True, search="GENERATOR")).matches == 1
    assert [chunk.text async for chunk in tuner.follow_log(ref, 1)] == ["started\n"]
    assert [chunk.experiment async for chunk in tuner.follow_log(ref)] == [2]
    assert [chunk async for chunk in tuner.follow_log(ref, benchmark=True, position=15)] == []
    with pytest.raises(NotFoundError, match="has no log of experiment 9"):
        await tuner.logs(ref, 9)
