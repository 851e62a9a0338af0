"""Tasks, experiments and events.

Says itself what it makes, and imports nothing of the tuner: today's schema is not the one of that day.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "task",
        sa.Column("serial", sa.Integer, primary_key=True),
        sa.Column("id", sa.String(8), nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("engine", sa.Text, nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("spec", sa.JSON, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("gain", sa.Float),
        sa.Column("owner", sa.Text),
        sa.Column("lease", sa.Integer, nullable=False),
        sa.Column("beat", sa.Integer, nullable=False),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
    )
    op.create_index("task_by_name", "task", ["name", "serial"])
    op.create_index("task_by_state", "task", ["state", "serial"])
    op.create_index("task_by_engine", "task", ["engine", "serial"])
    op.create_table(
        "experiment",
        sa.Column("task_id", sa.String(8), sa.ForeignKey("task.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("feasible", sa.Boolean, nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
    )
    op.create_index("experiment_by_state", "experiment", ["task_id", "state"])
    op.create_table(
        "event",
        sa.Column("task_id", sa.String(8), sa.ForeignKey("task.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
