"""Which worker holds a running experiment.

Says itself what it makes, and imports nothing of the tuner: today's schema is not the one of that day.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("experiment", sa.Column("holder", sa.Text))
