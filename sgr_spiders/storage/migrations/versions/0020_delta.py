"""Remember how lists were looked at, so that a refresh by delta can leave most of them out."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0017"


def upgrade() -> None:
    """Add the columns. All looks so far were whole ones."""
    for name in ("looked", "whole_at", "newest_first"):
        op.add_column("walks", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("walks", sa.Column("counted", sa.BigInteger(), nullable=True))
    op.add_column("walks", sa.Column("neighbours", sa.Integer(), nullable=True))
    op.add_column("walks", sa.Column("known_to", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE walks SET looked = 'whole', whole_at = finished_at WHERE status IN ('done', 'capped', 'gone')"
    )
