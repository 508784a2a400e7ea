"""Add the columns of the significance to the relationship tables."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"

COLUMNS = ("expected", "lift", "p", "q")


def upgrade() -> None:
    """Add the columns to each table of pairs, also to those of types that others have added.

    The next build of a table fills them.
    """
    inspector = sa.inspect(op.get_bind())
    for table in inspector.get_table_names():
        names = [column["name"] for column in inspector.get_columns(table)]
        if names[0].endswith("_id_a") and names[1].endswith("_id_b") and "cut" in names:
            for name in COLUMNS:
                op.add_column(table, sa.Column(name, sa.Float(), nullable=True))
