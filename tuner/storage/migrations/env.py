"""What Alembic runs: the revisions, on the connection and in the transaction of `migrations.upgrade`."""

from alembic import context

from tuner.storage.migrations import VERSION_TABLE
from tuner.storage.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
context.run_migrations()
