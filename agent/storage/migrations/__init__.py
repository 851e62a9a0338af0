"""The history of the assistant's tables. Revisions are numbered 0001, 0002, … in `versions`; a released one never
changes."""

from sqlalchemy import Connection

HEAD = "0001"
"""The newest revision. Written here so that opening an up-to-date database needs no Alembic."""

VERSION_TABLE = "agent_version"


def upgrade(connection: Connection, revision: str = HEAD) -> None:
    """Brings the tables to `revision`, inside the caller's transaction."""
    # Imported here, not above: Alembic takes 0.2 s to import, and is needed once per database and version.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "agent.storage:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
