"""Sessions, runs and their events; approvals, executions, grants and the audit log.

Says itself what it makes, and imports nothing of the assistant: today's schema is not the one of that day.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _session() -> sa.Column[str]:
    return sa.Column("session_id", sa.String(32), sa.ForeignKey("session.id", ondelete="CASCADE"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "session",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("input_tokens", sa.Integer, nullable=False),
        sa.Column("output_tokens", sa.Integer, nullable=False),
        sa.Column("tainted", sa.Boolean, nullable=False),
        sa.Column("thread_id", sa.String(64), nullable=False),
    )
    op.create_index("session_by_update", "session", ["updated_at"])
    op.create_table(
        "run",
        sa.Column("id", sa.String(64), primary_key=True),
        _session(),
        sa.Column("trigger", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
    )
    op.create_index("run_by_session", "run", ["session_id", "started_at"])
    op.create_index("run_by_state", "run", ["state"])
    op.create_table(
        "run_event",
        sa.Column("session_id", sa.String(32), sa.ForeignKey("session.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("sequence", sa.Integer, primary_key=True),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload", sa.JSON, nullable=False),
    )
    op.create_index("run_event_by_run", "run_event", ["run_id", "sequence"])
    op.create_table(
        "approval",
        sa.Column("id", sa.String(32), primary_key=True),
        _session(),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("call_id", sa.String(128), nullable=False),
        sa.Column("tool", sa.String(64), nullable=False),
        sa.Column("args", sa.JSON, nullable=False),
        sa.Column("preview", sa.JSON, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.Column("decided_by", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("grant_id", sa.String(32)),
        sa.UniqueConstraint("session_id", "call_id", name="approval_once"),
    )
    op.create_index("approval_by_state", "approval", ["state", "created_at"])
    op.create_table(
        "verdict",
        sa.Column("session_id", sa.String(32), sa.ForeignKey("session.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("call_id", sa.String(128), primary_key=True),
        sa.Column("tool", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "execution",
        sa.Column("session_id", sa.String(32), sa.ForeignKey("session.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("call_id", sa.String(128), primary_key=True),
        sa.Column("tool", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("outcome", sa.String(16)),
        sa.Column("content", sa.Text),
    )
    op.create_table(
        "session_grant",
        sa.Column("id", sa.String(32), primary_key=True),
        _session(),
        sa.Column("tool", sa.String(64), nullable=False),
        sa.Column("pattern", sa.JSON, nullable=False),
        sa.Column("exact", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
    )
    op.create_index("grant_by_session", "session_grant", ["session_id", "tool"])
    op.create_table(
        "audit",
        sa.Column("sequence", sa.Integer, primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("session_id", sa.String(32)),
        sa.Column("call_id", sa.String(128)),
        sa.Column("approval_id", sa.String(32)),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("tool", sa.String(64)),
        sa.Column("who", sa.Text),
        sa.Column("detail", sa.JSON, nullable=False),
    )
    op.create_index("audit_by_session", "audit", ["session_id", "sequence"])
    op.create_table(
        "watch",
        sa.Column("task_id", sa.String(8), primary_key=True),
        sa.Column("session_id", sa.String(32), sa.ForeignKey("session.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True)),
    )
