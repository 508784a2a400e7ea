"""Playlists and users as seeds: the number of their tracks that become seeds, and where a seed is from."""

from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Add the columns."""
    op.execute("ALTER TABLE run_seeds ADD COLUMN max_tracks BIGINT")
    # Alembic adds no foreign key on SQLite, and only this type is that of its keys.
    integer = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    op.execute(
        f"ALTER TABLE run_seeds ADD COLUMN found_by {integer} "
        "CONSTRAINT fk_run_seeds_found_by REFERENCES walks (walk_id)"
    )
