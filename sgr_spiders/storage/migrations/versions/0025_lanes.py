"""The table of lanes, which takes over the learned request rates."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Create the table, fill it with the rates, and drop theirs."""
    op.create_table(
        "lanes",
        sa.Column("api_origin", sa.Text(), nullable=False),
        sa.Column("key_fingerprint", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("used_at", sa.Text(), nullable=False),
        sa.Column("interval_seconds", sa.Float(), nullable=True),
        sa.Column("learned_at", sa.Text(), nullable=True),
        sa.Column("next_slot", sa.Float(), nullable=False),
        sa.Column("held_until", sa.Float(), nullable=False),
        sa.Column("held_by", sa.Text(), nullable=True),
        sa.Column("pauses_in_a_row", sa.Integer(), nullable=False),
        sa.Column("probe_until", sa.Float(), nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.Column("steps", sa.BigInteger(), nullable=False),
        sa.Column("curve", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("api_origin", "key_fingerprint", name=op.f("pk_lanes")),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO lanes (api_origin, key_fingerprint, name, state, used_at, interval_seconds, learned_at, "
        "next_slot, held_until, pauses_in_a_row, probe_until, changes, taken, steps) "
        "SELECT api_origin, key_fingerprint, 'default', 'ok', learned_at, interval_seconds, learned_at, "
        "0, 0, 0, 0, 0, 0, 0 FROM request_rates"
    )
    op.drop_table("request_rates")
