"""The history of the tables. Revisions are numbered 0001, 0002, … in `versions`; a released one never changes."""

from sqlalchemy import Connection

HEAD = "0004"
"""The newest revision. Written here so that opening an up-to-date database needs no Alembic."""

VERSION_TABLE = "tuner_version"
"""Not Alembic's own name: others may keep their tables in the same database."""


def upgrade(connection: Connection, revision: str = HEAD, scripts: str = "tuner.storage:migrations") -> None:
    """Brings the tables of these scripts to `revision`, inside the caller's transaction."""
    # Imported here, not above: Alembic takes 0.2 s to import, and is needed once per database and version.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", scripts)
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
