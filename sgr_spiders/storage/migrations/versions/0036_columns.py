"""Columns for further fields of tracks, users and playlists, filled from ``raw``."""

import sqlalchemy as sa
from alembic import op

from sgr_spiders.storage.backfill import fill_columns

revision = "0036"
down_revision = "0035"

COLUMNS: dict[str, dict[str, type[sa.Text | sa.Boolean | sa.BigInteger]]] = {
    "track": {
        "permalink": sa.Text,
        "last_modified": sa.Text,
        "full_duration": sa.BigInteger,
        "album_title": sa.Text,
        "upc_or_ean": sa.Text,
        "publisher": sa.Text,
        "writer_composer": sa.Text,
        "p_line": sa.Text,
        "c_line": sa.Text,
        "explicit": sa.Boolean,
        "contains_music": sa.Boolean,
        "release_date": sa.Text,
        "track_type": sa.Text,
        "original_format": sa.Text,
        "policy": sa.Text,
        "monetization_model": sa.Text,
    },
    "user": {
        "country_code": sa.Text,
        "verified": sa.Boolean,
        "badges": sa.Text,
        "likes_count": sa.BigInteger,
        "comments_count": sa.BigInteger,
    },
    "playlist": {
        "permalink": sa.Text,
        "published_at": sa.Text,
        "set_type": sa.Text,
        "is_album": sa.Boolean,
        "release_date": sa.Text,
        "reposts_count": sa.BigInteger,
    },
}


def upgrade() -> None:
    """Add the columns, and move the values that ``raw`` has of them."""
    for kind, columns in COLUMNS.items():
        for name, of_type in columns.items():
            op.add_column(f"{kind}s", sa.Column(name, of_type(), nullable=True))
    fill_columns(op.get_bind(), COLUMNS)
