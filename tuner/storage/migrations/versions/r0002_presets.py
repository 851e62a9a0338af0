"""Presets, requests that can be repeated, and who works.

Says itself what it makes, and imports nothing of the tuner: today's schema is not the one of that day.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index("experiment_by_role", "experiment", ["role", "state", "task_id", "number"])
    op.create_table(
        "preset",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("engine", sa.Text),
        sa.Column("task", sa.JSON, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "request",
        sa.Column("action", sa.String(16), primary_key=True),
        sa.Column("key", sa.String(200), primary_key=True),
        sa.Column("task_id", sa.String(8), sa.ForeignKey("task.id", ondelete="CASCADE"), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("request_by_task", "request", ["task_id"])
    op.create_table(
        "worker",
        sa.Column("owner", sa.String(400), primary_key=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
    )
