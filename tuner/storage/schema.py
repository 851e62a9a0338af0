"""The tables, and what their rows mean. A change here needs a new revision in `migrations/versions`."""

from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    Text,
    TypeDecorator,
)

from tuner.domain import Event, Experiment, Task
from tuner.errors import StorageError
from tuner.spec.task import TaskSpec


class Moment(TypeDecorator[datetime]):
    """A point in time: aware, and UTC when it comes back. SQLite keeps no zone, so it is put back here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value} has no time zone; use datetime.now(UTC)")
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def printable(text: str) -> str:
    """Without what no database keeps as text: NUL, and the halves of characters that a broken log line leaves."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


class Prose(TypeDecorator[str]):
    """Text from outside, made `printable`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else printable(value)


METADATA = MetaData()

TASK = Table(
    "task",
    METADATA,
    # The order of creation. The clock may jump; this does not.
    Column("serial", Integer, primary_key=True),
    Column("id", String(8), nullable=False, unique=True),
    Column("name", Prose, nullable=False),
    Column("state", String(16), nullable=False),
    Column("engine", Prose, nullable=False),
    Column("mode", String(16), nullable=False),
    Column("model", Prose, nullable=False),
    Column("spec", JSON, nullable=False),
    Column("error", Prose),
    Column("created_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    Column("gain", Float),
    Column("owner", Prose),
    # Grows with every claim: whoever holds an older number has lost the task.
    Column("lease", Integer, nullable=False, default=0),
    # Grows while the owner lives.
    Column("beat", Integer, nullable=False, default=0),
    Column("cancel_requested", Boolean, nullable=False, default=False),
    Index("task_by_name", "name", "serial"),
    Index("task_by_state", "state", "serial"),
    Index("task_by_engine", "engine", "serial"),
    # A list is filtered and sorted without reading specs. Not on PostgreSQL: it keeps what is long apart by itself, and
    # takes no entry as long as a path may be.
    Index("task_in_list", "serial", "state", "engine", "name", "model", "id").ddl_if(dialect="sqlite"),
)

EXPERIMENT = Table(
    "experiment",
    METADATA,
    Column("task_id", String(8), ForeignKey("task.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("role", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("key", Prose, nullable=False),
    Column("feasible", Boolean, nullable=False),
    Column("data", JSON, nullable=False),
    # `Lease.holder` while it runs.
    Column("holder", Prose),
    # Counting the experiments of a page of tasks reads this and none of the data.
    Index("experiment_by_state", "task_id", "state"),
    # All that a page over all tasks is filtered and sorted by: the data of the rows before it stays unread.
    Index("experiment_by_role", "role", "state", "task_id", "number"),
)

EVENT = Table(
    "event",
    METADATA,
    Column("task_id", String(8), ForeignKey("task.id", ondelete="CASCADE"), primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(64), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("at", Moment, nullable=False),
)

PRESET = Table(
    "preset",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("description", Prose, nullable=False),
    Column("engine", Prose),
    Column("task", JSON, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

REQUEST = Table(
    "request",
    METADATA,
    Column("action", String(16), primary_key=True),
    # What the caller calls its request, so that it can be sent again without being done again.
    Column("key", String(200), primary_key=True),
    Column("task_id", String(8), ForeignKey("task.id", ondelete="CASCADE"), nullable=False),
    # Of what was asked for.
    Column("digest", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Index("request_by_task", "task_id"),
)

WORKER = Table(
    "worker",
    METADATA,
    # `processes.Identity.text`
    Column("owner", String(400), primary_key=True),
    Column("started_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
)

M = TypeVar("M", bound=BaseModel)


def _read(model: type[M], data: object, what: str) -> M:
    # `ignore`: an older version may have written a key that is gone since.
    try:
        return model.model_validate(data, extra="ignore")
    except ValidationError as error:
        raise StorageError(
            f"{what} was written by another version and cannot be read: {error.errors()[0]['msg']}. "
            "Open it with the version that wrote it, or delete the task."
        ) from error


def task_of(row: Row[Any]) -> Task:
    return Task(
        id=row.id,
        spec=_read(TaskSpec, row.spec, f"Task {row.id}"),
        state=row.state,
        error=row.error,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def task_values(spec: TaskSpec) -> dict[str, object]:
    """The columns that follow from a spec."""
    return {
        "name": spec.task_name,
        "engine": spec.base_runtime,
        "mode": spec.deployment_mode,
        "model": spec.model.id_or_path,
        "spec": spec.model_dump(mode="json"),
    }


def experiment_of(row: Row[Any]) -> Experiment:
    return _read(Experiment, row.data, f"Experiment {row.number} of task {row.task_id}")


def experiment_values(experiment: Experiment) -> dict[str, object]:
    return {
        "role": experiment.role.value,
        "state": experiment.state.value,
        "key": experiment.params.key,
        "feasible": experiment.feasible,
        "data": experiment.model_dump(mode="json"),
        "holder": experiment.holder,
    }


def event_of(row: Row[Any]) -> Event:
    return Event(task_id=row.task_id, sequence=row.sequence, kind=row.kind, at=row.at, payload=row.payload)
