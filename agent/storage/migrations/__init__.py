"""The history of the assistant's tables. Revisions are numbered 0001, 0002, … in `versions`; a released one never
changes."""

from sqlalchemy import Connection

from tuner.storage import migrations

HEAD = "0001"
"""The newest revision. Written here so that opening an up-to-date database needs no Alembic."""

VERSION_TABLE = "agent_version"


def upgrade(connection: Connection, revision: str = HEAD) -> None:
    """Brings the tables to `revision`, inside the caller's transaction."""
    migrations.upgrade(connection, revision, "agent.storage:migrations")
