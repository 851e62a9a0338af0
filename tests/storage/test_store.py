"""What the store keeps, and what it refuses, on every database it runs on."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

import tuner.storage.store
from tuner.domain import Experiment, ExperimentState, Failure, LoadPoint, Params, Role, Score, Stats, Task, TaskState
from tuner.errors import ConflictError, FailureKind, InvalidSpecError, LeaseLostError, NotFoundError
from tuner.spec.presets import Preset
from tuner.spec.task import TaskSpec
from tuner.storage.store import Lease, Store

WHEN = datetime(2026, 11, 21, 9, 30, 0, 123456, timezone(timedelta(hours=5, minutes=30)))


def spec(name: str = "tiny", **keys: Any) -> TaskSpec:
    return TaskSpec.model_validate({"task_name": name, "base_runtime": "simulated", "model": "tiny", **keys})


def experiment(number: int = 0, state: ExperimentState = ExperimentState.RUNNING) -> Experiment:
    return Experiment(
        number=number, role=Role.CANDIDATE, params=Params(flags={"max-num-seqs": 8}), state=state, started_at=WHEN
    )


@pytest.fixture
async def other(store: Store, store_url: str) -> AsyncIterator[Store]:
    """A second user of the same database, with connections of its own."""
    async with Store(store_url) as other:
        yield other


async def start(store: Store, name: str = "tiny", owner: str = "worker", **keys: Any) -> Lease:
    task = await store.add(spec(name, **keys))
    await store.queue(task.id)
    lease = await store.claim(task.id, owner)
    assert lease is not None
    return lease


async def kinds(store: Store, task_id: str) -> list[str]:
    return [event.kind for event in await store.events(task_id)]


class TestTasks:
    async def test_a_task_comes_back_as_it_was_added(self, store: Store) -> None:
        written = spec(
            parameters={"max-num-seqs": [1, 2], "x": {"type": "continuous", "low": 0.1, "high": 1e300}},
            environment={"A": "é\N{SNOWMAN}"},
            benchmark={"additional_params": {"temperature": 0.0, "nested": [None, True, {"a": 1}]}},
            slo={"ttft": {"p90": {"threshold": 0.3}}},
        )
        task = await store.add(written)
        assert task == await store.task(task.id)
        assert task.spec == written
        assert (task.state, task.created_at.utcoffset()) == (TaskState.CREATED, timedelta(0))
        assert await kinds(store, task.id) == ["task_created"]

    async def test_a_task_is_found_by_id_by_the_beginning_of_its_id_and_by_name(self, store: Store) -> None:
        older, task = await store.add(spec("same")), await store.add(spec("same"))
        assert len(task.id) == 8
        assert [await store.task(ref) for ref in (task.id, task.id[:6], "same")] == [task] * 3
        assert await store.task(older.id) == older

    async def test_the_newest_of_a_name_is_the_last_added_also_when_the_clock_jumps_back(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await store.add(spec("same"))
        monkeypatch.setattr(tuner.storage.store, "now", lambda: datetime(1999, 1, 1, tzinfo=UTC))
        late = await store.add(spec("same"))
        assert await store.task("same") == late
        assert next(row.id for row in (await store.tasks())[0]) == late.id

    async def test_an_unknown_task_is_refused_with_the_names_near_it(self, store: Store) -> None:
        with pytest.raises(NotFoundError, match=r"No task 'x'; there are none yet\."):
            await store.task("x")
        await store.add(spec("throughput-llama"))
        await store.add(spec("else"))
        with pytest.raises(NotFoundError, match=r"No task 'throughput-lama'; near it: throughput-llama\."):
            await store.task("throughput-lama")

    @pytest.mark.parametrize("ref", ["", "%%%%", "____", "a\0bcd", "\ud800 \N{SNOWMAN}", "x" * 100_000])
    async def test_odd_references_are_just_not_found(self, store: Store, ref: str) -> None:
        await store.add(spec())
        with pytest.raises(NotFoundError):
            await store.task(ref)
        assert await store.tasks(text=ref or "none", engine="none") == ([], 0)

    async def test_an_ambiguous_beginning_names_the_ids(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        ids = iter(["abcd0001", "abcd0001", "abcd0002"])
        monkeypatch.setattr("tuner.storage.statements.secrets.token_hex", lambda _size: next(ids))
        for name in ("one", "two"):  # the second task is given an id that is taken, then a free one
            await store.add(spec(name))
        with pytest.raises(NotFoundError, match=r"'abcd' begins several ids: abcd0001, abcd0002"):
            await store.task("abcd")

    async def test_the_list_is_paged_newest_first_and_counts_all(self, store: Store) -> None:
        ids = [(await store.add(spec(f"task {number}"))).id for number in range(5)]
        page, total = await store.tasks(limit=2, offset=1)
        assert ([row.id for row in page], total) == ([ids[3], ids[2]], 5)
        assert await store.tasks(offset=10**30) == ([], 5)

    async def test_the_list_is_filtered_by_state_text_and_engine(self, store: Store) -> None:
        llama = await store.add(spec("Llama 100%", base_runtime="vllm"))
        qwen = await store.add(spec("other", model="org/Qwen_3"))
        await store.queue(qwen.id)

        async def found(**filters: Any) -> list[str]:
            rows, total = await store.tasks(**filters)
            assert total == len(rows)
            return [row.id for row in rows]

        assert (
            await found(state=TaskState.QUEUED)
            == await found(text="qwen_")
            == await found(text=qwen.id[1:])
            == [qwen.id]
        )
        assert await found(engine="vllm") == await found(text="llama") == await found(text="0%") == [llama.id]
        assert await found(text="%") == [llama.id]
        assert await found(text="llama", state=TaskState.QUEUED) == []

    async def test_the_list_counts_finished_experiments(self, store: Store) -> None:
        lease = await start(store)
        await store.add(spec("empty"))
        for number, state in enumerate(("completed", "completed", "failed", "running")):
            await store.record(lease, experiment=experiment(number, ExperimentState(state)))
        await store.finish(lease, TaskState.COMPLETED, gain=0.25)
        [empty, row], _ = await store.tasks()
        assert (row.completed, row.failed, row.gain, row.engine, row.mode) == (2, 1, 0.25, "simulated", "local")
        assert (empty.completed, empty.failed, empty.gain) == (0, 0, None)

    async def test_a_spec_is_replaced_until_the_task_is_started(self, store: Store) -> None:
        task = await store.add(spec())
        changed = await store.replace_spec(task.id, spec("renamed", base_runtime="vllm"))
        assert changed == await store.task("renamed")
        assert (await store.tasks(engine="vllm"))[1] == 1
        await store.queue(task.id)
        with pytest.raises(ConflictError, match=f"Task {task.id} is queued"):
            await store.replace_spec(task.id, spec())

    async def test_deletion_removes_every_row(self, store: Store, store_url: str) -> None:
        lease, kept = await start(store), await start(store, "kept")
        for one in (lease, kept):
            await store.record(one, experiment=experiment(), events=[("experiment_started", {})])
        with pytest.raises(ConflictError, match="running"):
            await store.delete(lease.task_id)
        await store.finish(lease, TaskState.FAILED, error="no")
        await store.delete(lease.task_id)
        with pytest.raises(NotFoundError):
            await store.delete(lease.task_id)
        left = (
            await asyncio.to_thread(rows_of, store_url, lease.task_id),
            await asyncio.to_thread(rows_of, store_url, kept.task_id),
        )
        assert left == ({"task": 0, "experiment": 0, "event": 0}, {"task": 1, "experiment": 1, "event": 4})

    async def test_an_error_that_no_database_keeps_as_text_is_made_printable(self, store: Store) -> None:
        lease = await start(store)
        await store.finish(lease, TaskState.FAILED, error="bad \0 and \ud800")
        assert (await store.task(lease.task_id)).error == "bad \ufffd and ?"


def rows_of(url: str, task_id: str) -> dict[str, int]:
    """How many rows each table has for a task, seen without the store."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with engine.connect() as connection:
            return {
                table: connection.execute(
                    text(f"SELECT count(*) FROM {table} WHERE {key} = :id"), {"id": task_id}
                ).scalar_one()
                for table, key in (("task", "id"), ("experiment", "task_id"), ("event", "task_id"))
            }
    finally:
        engine.dispose()


class TestStates:
    async def test_a_failed_task_is_queued_again_without_its_error(self, store: Store) -> None:
        lease = await start(store)
        failed = await store.finish(lease, TaskState.FAILED, error="the disk was full")
        assert (failed.state, failed.error) == (TaskState.FAILED, "the disk was full")
        assert failed.finished_at is not None
        queued = await store.queue(lease.task_id)
        assert (queued.state, queued.error, queued.finished_at) == (TaskState.QUEUED, None, None)
        assert queued == await store.queue(lease.task_id), "queueing twice changes nothing"
        assert queued.started_at == failed.started_at

    @pytest.mark.parametrize("state", [TaskState.RUNNING, TaskState.COMPLETED])
    async def test_a_running_or_complete_task_is_not_queued(self, store: Store, state: TaskState) -> None:
        lease = await start(store)
        if state.ended:
            await store.finish(lease, state)
        with pytest.raises(ConflictError, match=f"Task {lease.task_id} is {state}"):
            await store.queue(lease.task_id)

    async def test_a_waiting_task_is_cancelled_at_once(self, store: Store) -> None:
        for queued in (False, True):
            task = await store.add(spec())
            if queued:
                await store.queue(task.id)
            cancelled = await store.request_cancel(task.id)
            assert (cancelled.state, cancelled.finished_at is not None) == (TaskState.CANCELLED, True)
            last = (await store.events(task.id))[-1]
            assert (last.kind, last.payload) == ("task_finished", {"state": "cancelled", "error": None})
            with pytest.raises(ConflictError, match="is cancelled already"):
                await store.request_cancel(task.id)
        assert await store.next_queued() is None

    async def test_a_running_task_learns_of_its_cancellation_by_the_next_beat(self, store: Store, other: Store) -> None:
        lease = await start(store)
        assert await store.beat(lease) is False
        for _ in range(2):
            assert (await other.request_cancel(lease.task_id)).state is TaskState.RUNNING
        assert await store.beat(lease) is True
        await store.finish(lease, TaskState.CANCELLED)
        assert (await kinds(store, lease.task_id))[2:] == ["task_started", "cancel_requested", "task_finished"]

    async def test_a_cancellation_does_not_outlive_the_next_start(self, store: Store) -> None:
        lease = await start(store)
        await store.request_cancel(lease.task_id)
        await store.finish(lease, TaskState.CANCELLED)
        await store.queue(lease.task_id)
        again = await store.claim(lease.task_id, "worker")
        assert again is not None
        assert await store.beat(again) is False

    async def test_a_task_finishes_only_in_a_state_that_is_an_end(self, store: Store) -> None:
        with pytest.raises(ValueError, match="cannot finish as queued"):
            await store.finish(await start(store), TaskState.QUEUED)


class TestExperiments:
    async def test_an_experiment_comes_back_as_it_was_recorded(self, store: Store) -> None:
        lease = await start(store)
        stats = Stats(mean=0.1, p50=1 / 3, p90=1e-17, p95=1e300, p99=2.0, min=0.0, max=3.0)
        written = experiment(3, ExperimentState.FAILED).model_copy(
            update={
                "params": Params(flags={"a": 1, "b": 1.0, "c": True, "d": "1"}, parallel={"tp": 2}),
                "points": (LoadPoint(scenario="D(1,1)", concurrency=4, ttft=stats),),
                "scores": (Score(value=1.0, penalised=2.0, excess={"ttft.p90": -0.5}),),
                "failure": Failure(kind=FailureKind.CRASHED, message="died", lines=("nul \0", "é")),
            }
        )
        await store.record(lease, experiment=written)
        read = await store.experiment(lease.task_id, 3)
        assert read == written
        assert read.params.key == written.params.key, "1, 1.0, True and '1' stay what they are"
        assert await store.experiments(lease.task_id) == [written]

    async def test_a_running_experiment_is_recorded_again_and_then_finished(self, store: Store) -> None:
        lease = await start(store)
        for attempt in (1, 2):
            again = experiment().model_copy(update={"attempt": attempt})
            await store.record(lease, experiment=again, events=[("experiment_started", {"attempt": attempt})])
        await store.record(lease, experiment=experiment(0, ExperimentState.COMPLETED))
        [only] = await store.experiments(lease.task_id)
        assert only.state is ExperimentState.COMPLETED

    @pytest.mark.parametrize("state", [ExperimentState.COMPLETED, ExperimentState.FAILED])
    async def test_a_finished_experiment_is_never_changed(self, store: Store, state: ExperimentState) -> None:
        lease = await start(store)
        await store.record(lease, experiment=experiment(0, state))
        for after in ExperimentState:
            with pytest.raises(ConflictError, match=f"Experiment 0 of task {lease.task_id} is {state} already"):
                await store.record(lease, experiment=experiment(0, after), events=[("experiment_finished", {})])
        assert (await store.experiment(lease.task_id, 0)).state is state
        assert "experiment_finished" not in await kinds(store, lease.task_id), "the events went with the refused record"

    async def test_a_missing_experiment_is_named_with_those_that_are_there(self, store: Store) -> None:
        lease = await start(store)
        with pytest.raises(NotFoundError, match="has no experiment 7; it has none yet"):
            await store.experiment(lease.task_id, 7)
        await store.record(lease, experiment=experiment())
        with pytest.raises(NotFoundError, match="it has 0 to 0"):
            await store.experiment(lease.task_id, 10**30)
        for read in (store.experiment("none", 0), store.experiments("none"), store.events("none")):
            with pytest.raises(NotFoundError, match="No task 'none'"):
                await read


class TestEvents:
    async def test_events_are_read_from_any_sequence(self, store: Store) -> None:
        task = await store.add(spec())
        for number in range(5):
            event = await store.append(task.id, "line", {"number": number, "nested": {"text": "\0 é"}})
            assert event.at.utcoffset() == timedelta(0)
            assert abs(event.at - datetime.now(UTC)) < timedelta(minutes=1)
        page = await store.events(task.id, after=3, limit=2)
        assert [(event.sequence, event.payload["number"]) for event in page] == [(4, 2), (5, 3)]
        assert await store.events(task.id, after=10**30) == []
        assert len(await store.events(task.id, after=-1)) == 6
        with pytest.raises(NotFoundError):
            await store.append("none", "line", {})

    async def test_many_writers_leave_no_hole_and_no_double(self, store: Store, other: Store) -> None:
        task, second = await store.add(spec()), await store.add(spec())
        async with asyncio.TaskGroup() as group:
            for number in range(30):
                group.create_task((store, other)[number % 2].append(task.id, "line", {"number": number}))
                group.create_task(other.append(second.id, "line", {}))
        for one in (task, second):
            assert [event.sequence for event in await store.events(one.id)] == list(range(1, 32))
        numbers = [event.payload["number"] for event in await store.events(task.id, after=1)]
        assert sorted(map(str, numbers)) == sorted(map(str, range(30)))

    async def test_the_events_of_a_record_stand_in_order(self, store: Store) -> None:
        lease = await start(store)
        events = await store.record(lease, events=[(f"step_{number}", {}) for number in range(50)])
        assert [event.kind for event in events] == [f"step_{number}" for number in range(50)]
        assert [event.sequence for event in events] == list(range(4, 54))
        assert (await store.events(lease.task_id))[3:] == events


class TestLeases:
    async def test_the_oldest_queued_task_is_next(self, store: Store) -> None:
        first, second = await store.add(spec()), await store.add(spec())
        for task in (second, first):
            await store.queue(task.id)
        assert await store.next_queued() == first.id
        await store.claim(first.id, "worker")
        assert await store.next_queued() == second.id

    async def test_of_two_claimers_exactly_one_wins(self, store: Store, other: Store) -> None:
        ids = [(await store.queue((await store.add(spec())).id)).id for _ in range(15)]
        claims = [claimer.claim(task_id, owner) for task_id in ids for claimer, owner in ((store, "a"), (other, "b"))]
        leases = [lease for lease in await asyncio.gather(*claims) if lease is not None]
        assert sorted(lease.task_id for lease in leases) == sorted(ids)
        held = {one.task_id: (one.owner, one.token) for one in await store.owned()}
        assert held == {lease.task_id: (lease.owner, lease.token) for lease in leases}

    async def test_of_many_that_replace_a_dead_worker_exactly_one_wins(self, store: Store, other: Store) -> None:
        dead = await start(store)
        await store.beat(dead)
        claims = [
            (store, other)[number % 2].claim(dead.task_id, f"w{number}", replacing=dead.token) for number in range(8)
        ]
        [winner] = [lease for lease in await asyncio.gather(*claims) if lease is not None]
        assert winner.token == dead.token + 1
        assert [(one.owner, one.beat) for one in await store.owned()] == [(winner.owner, 0)]

    async def test_a_beat_is_seen_by_others(self, store: Store, other: Store) -> None:
        lease = await start(store)
        seen = [(await other.owned())[0].beat]
        for _ in range(2):
            await store.beat(lease)
            seen.append((await other.owned())[0].beat)
        assert seen == [0, 1, 2]

    async def test_the_worker_that_lost_its_lease_can_do_nothing_more(self, store: Store, other: Store) -> None:
        old = await start(store, owner="old")
        await other.claim(old.task_id, "new", replacing=old.token)
        before = await other.events(old.task_id)
        for step in steps(store, old):
            with pytest.raises(LeaseLostError, match=r"belongs to new \(lease 2\); lease 1 is over"):
                await step
        assert await other.events(old.task_id) == before
        assert await other.experiments(old.task_id) == []

    async def test_a_lease_ends_with_the_task(self, store: Store) -> None:
        lease = await start(store)
        await store.finish(lease, TaskState.FAILED, error="no")
        for step in steps(store, lease):
            with pytest.raises(LeaseLostError, match="is failed"):
                await step
        await store.delete(lease.task_id)
        for step in steps(store, lease):
            with pytest.raises(LeaseLostError, match="was deleted"):
                await step

    async def test_what_cannot_be_claimed_is_not(self, store: Store) -> None:
        task: Task = await store.add(spec())
        assert await store.claim(task.id, "worker") is None, "not queued"
        assert await store.claim("none", "worker") is None, "gone"
        await store.queue(task.id)
        assert await store.claim(task.id, "worker", replacing=0) is None, "queued, not running"
        lease = await store.claim(task.id, "worker")
        assert lease is not None
        assert await store.claim(task.id, "worker") is None, "running"
        assert await store.claim(task.id, "worker", replacing=lease.token + 1) is None, "another lease"


def steps(store: Store, lease: Lease) -> list[Any]:
    """Everything that a worker may ask with its lease."""
    return [
        store.beat(lease),
        store.record(lease, experiment=experiment(), events=[("experiment_started", {})]),
        store.record(lease),
        store.finish(lease, TaskState.COMPLETED),
    ]


WRITER = """
import asyncio, sys
from tuner.storage.store import Store

async def main():
    async with Store(sys.argv[1]) as store:
        while True:
            print((await store.append(sys.argv[2], "line", {})).sequence, flush=True)

asyncio.run(main())
"""


async def test_a_killed_process_loses_nothing_it_was_told_is_written(store: Store, store_url: str) -> None:
    task = await store.add(spec())
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, store_url, task.id, stdout=asyncio.subprocess.PIPE
    )
    assert writer.stdout is not None
    told = [int(await writer.stdout.readline()) for _ in range(20)]
    writer.kill()
    rest, _ = await writer.communicate()
    told += [int(line) for line in rest.splitlines()]
    kept = [event.sequence for event in await store.events(task.id)]
    assert kept == list(range(1, len(kept) + 1))
    assert set(told) <= set(kept)


@given(
    params=st.dictionaries(
        st.text(min_size=1),
        st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    )
)
def test_any_configuration_survives_being_written_as_json(params: dict[str, Any]) -> None:
    written = experiment().model_copy(update={"params": Params(flags=params)})
    read = Experiment.model_validate(json.loads(json.dumps(written.model_dump(mode="json"))))
    assert read.params.key == written.params.key


class TestRequests:
    async def test_the_same_key_and_spec_make_one_task(self, store: Store, other: Store) -> None:
        made = await asyncio.gather(*(one.add(spec(), key="a b") for one in (store, other) * 10))
        assert len({task.id for task in made}) == 1
        assert (await store.tasks())[1] == 1
        assert await kinds(store, made[0].id) == ["task_created"]
        assert await other.added(spec(), "a b") == made[0]

    async def test_a_key_stands_for_one_spec_until_its_task_is_deleted(self, store: Store) -> None:
        task = await store.add(spec(), key="k")
        with pytest.raises(ConflictError, match=f"The key 'k' stands for another request to create .task {task.id}"):
            await store.add(spec("other"), key="k")
        with pytest.raises(ConflictError, match="choose a new key"):
            await store.added(spec("other"), "k")
        await store.replace_spec(task.id, spec("changed"))
        again = await store.add(spec(), key="k")
        assert (again.id, again.spec.task_name) == (task.id, "changed")
        await store.delete(task.id)
        assert await store.added(spec(), "k") is None
        assert (await store.add(spec("other"), key="k")).id != task.id

    async def test_a_start_under_a_key_happens_once_whatever_became_of_the_task(
        self, store: Store, other: Store
    ) -> None:
        task = await store.add(spec(), key="k")
        await asyncio.gather(*(one.queue(task.id, key="k") for one in (store, other) * 5))
        lease = await store.claim(task.id, "worker")
        assert lease is not None
        assert (await store.queue(task.id, key="k")).state is TaskState.RUNNING
        await store.finish(lease, TaskState.FAILED, error="broken")
        assert (await store.queue(task.id, key="k")).state is TaskState.FAILED
        assert (await store.queue(task.id, key="another")).state is TaskState.QUEUED
        assert (await kinds(store, task.id)).count("task_queued") == 2
        with pytest.raises(ConflictError, match=f"another request to start .task {task.id}"):
            await store.queue((await store.add(spec())).id, key="k")

    async def test_a_refused_start_uses_no_key_up(self, store: Store) -> None:
        lease = await start(store)
        with pytest.raises(ConflictError, match="is running and cannot be started"):
            await store.queue(lease.task_id, key="k")
        await store.finish(lease, TaskState.FAILED)
        assert (await store.queue(lease.task_id, key="k")).state is TaskState.QUEUED
        with pytest.raises(NotFoundError):
            await store.queue("00000000", key="other")

    @pytest.mark.parametrize("key", ["", "x" * 201, "a\0b", "a\nb"])
    async def test_a_key_that_cannot_be_kept_is_refused(self, store: Store, key: str) -> None:
        for ask in (store.add(spec(), key=key), store.added(spec(), key), store.queue("00000000", key=key)):
            with pytest.raises(InvalidSpecError, match="is no key; give 1 to 200 printable ones"):
                await ask


class TestPages:
    async def test_experiments_of_all_tasks_are_paged_newest_task_first(self, store: Store) -> None:
        leases = [await start(store, name) for name in ("old", "new")]
        for lease in leases:
            for number in range(3):
                await store.record(lease, experiment=experiment(number))
            await store.record(lease, experiment=experiment(1, ExperimentState.FAILED))
            await store.record(
                lease, experiment=experiment(3, ExperimentState.COMPLETED).model_copy(update={"role": Role.BASELINE})
            )
        old, new = (lease.task_id for lease in leases)

        async def page(**asked: Any) -> tuple[list[tuple[str, int]], int]:
            found, total = await store.experiments_page(**asked)
            return [(task_id, one.number) for task_id, one in found], total

        everything = [(task_id, number) for task_id in (new, old) for number in range(4)]
        assert await page() == (everything, 8)
        assert await page(limit=3, offset=3) == (everything[3:6], 8)
        assert await page(offset=8) == ([], 8)
        assert await page(task_id=old) == (everything[4:], 4)
        assert await page(state=ExperimentState.FAILED) == ([(new, 1), (old, 1)], 2)
        assert await page(role=Role.BASELINE, task_id=new) == ([(new, 3)], 1)
        assert await page(role=Role.CONFIRMATION) == ([], 0)
        assert await store.newest(old) == 3
        assert await store.newest((await store.add(spec())).id) is None

    async def test_what_was_measured_again_is_found_in_completed_tasks_of_the_same_kind(self, store: Store) -> None:
        async def ended(state: TaskState = TaskState.COMPLETED, **keys: Any) -> str:
            lease = await start(store, **keys)
            roles = [Role.BASELINE, Role.CANDIDATE, Role.CANDIDATE, Role.CONFIRMATION, Role.CONFIRMATION]
            for number, role in enumerate(roles):
                confirms = {3: 2, 4: 0}.get(number)
                made = experiment(number, ExperimentState.COMPLETED).model_copy(
                    update={"role": role, "confirms": confirms}
                )
                await store.record(lease, experiment=made)
            await store.finish(lease, state)
            return lease.task_id

        old, new = await ended(), await ended(name="another name")
        await ended(state=TaskState.CANCELLED)
        await ended(model="big")
        await ended(base_runtime="vllm")
        found = await store.repeated("simulated", "local", "tiny")
        assert [(task.id, [one.number for one in ran]) for task, ran in found] == [
            (new, [0, 2, 3, 4]),
            (old, [0, 2, 3, 4]),
        ]
        assert [task.id for task, _ in await store.repeated("simulated", "local", "tiny", limit=1)] == [new]
        assert await store.repeated("simulated", "docker", "tiny") == []

    async def test_tasks_are_counted_by_state(self, store: Store) -> None:
        none = dict.fromkeys([state.value for state in TaskState], 0)
        assert await store.counts() == none
        await store.add(spec())
        lease = await start(store)
        assert await store.counts() == {**none, "created": 1, "running": 1}
        assert await store.names([lease.task_id, "gone"]) == {lease.task_id: "tiny"}


class TestPresetsAndWorkers:
    async def test_a_preset_comes_back_as_it_was_saved(self, store: Store, other: Store) -> None:
        mine = Preset(name="Mine", description="ä\0", engine="vllm", task={"a": [1, {"b": None}], "c": 0.1})
        saved = await store.presets.save(mine, replace=False)
        assert saved.updated_at is not None
        assert saved == mine.model_copy(update={"updated_at": saved.updated_at, "description": "ä\ufffd"})
        assert await other.presets.get("Mine") == saved
        assert await other.presets.all() == [saved]

    async def test_a_preset_is_replaced_only_where_that_is_wanted(self, store: Store) -> None:
        await store.presets.save(Preset(name="mine"), replace=True)
        with pytest.raises(ConflictError, match="There is a preset 'mine' already; replace it"):
            await store.presets.save(Preset(name="mine", description="new"), replace=False)
        await store.presets.save(Preset(name="mine", description="new"), replace=True)
        assert [preset.description for preset in await store.presets.all()] == ["new"]

    async def test_of_many_that_save_one_name_exactly_one_wins(self, store: Store, other: Store) -> None:
        saving = [one.presets.save(Preset(name="mine"), replace=False) for one in (store, other) * 5]
        outcomes = await asyncio.gather(*saving, return_exceptions=True)
        assert sum(isinstance(outcome, Preset) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, ConflictError) for outcome in outcomes) == 9

    async def test_a_missing_preset_is_refused_with_the_name_near_it(self, store: Store) -> None:
        await store.presets.save(Preset(name="nightly"), replace=False)
        for ask in (store.presets.get("nihgtly"), store.presets.delete("nihgtly")):
            with pytest.raises(NotFoundError, match=r"No preset 'nihgtly'; did you mean 'nightly'\?"):
                await ask
        with pytest.raises(NotFoundError, match="there are quick-check, "):
            await store.presets.get("0\0")
        await store.presets.delete("nightly")
        assert await store.presets.all() == []

    async def test_workers_come_are_seen_again_and_go(self, store: Store, other: Store) -> None:
        await store.workers.seen("a/b/1/2")
        [first] = await other.workers.all()
        await asyncio.gather(*(one.workers.seen(owner) for one in (store, other) for owner in ("a/b/1/2", "c/d/3/4")))
        again, second = await other.workers.all()
        assert again.started_at == first.started_at <= first.seen_at < again.seen_at
        await other.workers.forget(["a/b/1/2", "unknown"])
        assert await store.workers.all() == [second]
