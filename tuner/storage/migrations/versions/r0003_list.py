"""All that lists of tasks are filtered and sorted by, in one place. Not on PostgreSQL, which keeps specs apart.

Says itself what it makes, and imports nothing of the tuner: today's schema is not the one of that day.
"""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.create_index("task_in_list", "task", ["serial", "state", "engine", "name", "model", "id"])
