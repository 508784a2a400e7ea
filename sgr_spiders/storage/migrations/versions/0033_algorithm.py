"""The name of the algorithm of each build of a relationship table."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    """Add the column. Builds of earlier versions have no name; the next build has one."""
    op.add_column("relationship_runs", sa.Column("algorithm", sa.Text(), nullable=True))
