"""Remember the walks whose pages were too large."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("walks", sa.Column("page_limit", sa.Integer(), nullable=True))
    op.add_column(
        "walks", sa.Column("without_tracks", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
