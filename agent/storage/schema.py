"""The assistant's tables. A change here needs a new revision in `migrations/versions`."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from tuner.storage.schema import Moment, Prose

METADATA = MetaData()


def _session() -> Column[str]:
    return Column("session_id", String(32), ForeignKey("session.id", ondelete="CASCADE"), nullable=False)


SESSION = Table(
    "session",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("title", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("input_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("tainted", Boolean, nullable=False),
    Column("thread_id", String(64), nullable=False),
    Index("session_by_update", "updated_at"),
)
"""`thread_id`: of the checkpointer's thread; editing an earlier message begins a new one."""

RUN = Table(
    "run",
    METADATA,
    Column("id", String(64), primary_key=True),
    _session(),
    Column("trigger", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("owner", Text, nullable=False),
    Column("beat_at", Moment, nullable=False),
    Column("cancel_requested", Boolean, nullable=False),
    Index("run_by_session", "session_id", "started_at"),
    Index("run_by_state", "state"),
)
"""`state`: running, done, approvals, cancelled, failed. `owner`: the process that runs it (`Identity.text`)."""

RUN_EVENT = Table(
    "run_event",
    METADATA,
    Column("session_id", String(32), ForeignKey("session.id", ondelete="CASCADE"), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("run_id", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("payload", JSON, nullable=False),
    Index("run_event_by_run", "run_id", "sequence"),
)

APPROVAL = Table(
    "approval",
    METADATA,
    Column("id", String(32), primary_key=True),
    _session(),
    Column("run_id", String(64), nullable=False),
    Column("call_id", String(128), nullable=False),
    Column("tool", String(64), nullable=False),
    Column("args", JSON, nullable=False),
    Column("preview", JSON, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("decided_at", Moment),
    Column("decided_by", Prose),
    Column("reason", Prose),
    Column("grant_id", String(32)),
    UniqueConstraint("session_id", "call_id", name="approval_once"),
    Index("approval_by_state", "state", "created_at"),
)
"""`grant_id`: of the grant that approved it, where no person did."""

VERDICT = Table(
    "verdict",
    METADATA,
    Column("session_id", String(32), ForeignKey("session.id", ondelete="CASCADE"), primary_key=True),
    Column("call_id", String(128), primary_key=True),
    Column("tool", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("reason", Prose, nullable=False),
)
"""What the policy said of a call when it was first seen; asked again, the answer is the same."""

EXECUTION = Table(
    "execution",
    METADATA,
    Column("session_id", String(32), ForeignKey("session.id", ondelete="CASCADE"), primary_key=True),
    Column("call_id", String(128), primary_key=True),
    Column("tool", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Column("outcome", String(16)),
    Column("content", Prose),
)
"""Written before a privileged call runs, and completed after it: what has a row does not run again."""

GRANT = Table(
    "session_grant",
    METADATA,
    Column("id", String(32), primary_key=True),
    _session(),
    Column("tool", String(64), nullable=False),
    Column("pattern", JSON, nullable=False),
    Column("exact", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    Index("grant_by_session", "session_id", "tool"),
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("sequence", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("session_id", String(32)),
    Column("call_id", String(128)),
    Column("approval_id", String(32)),
    Column("action", String(16), nullable=False),
    Column("tool", String(64)),
    Column("who", Prose),
    Column("detail", JSON, nullable=False),
    Index("audit_by_session", "session_id", "sequence"),
)
"""Outlives its session: no foreign key."""

WATCH = Table(
    "watch",
    METADATA,
    Column("task_id", String(8), primary_key=True),
    Column("session_id", String(32), ForeignKey("session.id", ondelete="CASCADE"), primary_key=True),
    Column("created_at", Moment, nullable=False),
    Column("reported_at", Moment),
)
"""Tasks whose end a session is to be told of, once."""
