"""Read the nodes of relationship tables, with their attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.storage.credited_artists import credited_artists
from sgr_spiders.storage.extent import condition_of
from sgr_spiders.storage.rows import WholeColumn, describe_table, stream
from sgr_spiders.storage.schema import RECORD_TABLES, engagements, tracks, users

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from sgr_spiders.storage.extent import Extent
    from sgr_spiders.storage.pairs.tables import PairTable
    from sgr_spiders.storage.rows import Columns

ATTRIBUTES = {
    "user": ("permalink_url", "followers_count", "country"),
    "track": ("permalink_url", "artist_id", "genre", "playback_count"),
    "playlist": ("permalink_url", "track_count"),
}
"""The node attributes of a graph, by kind. The API's terms require a link to the page of a record shown."""

MIN_UPLOADS = 5
"""Uploads from which an uploader may look like a label."""

OF_UPLOADERS = (
    WholeColumn("country", "text", required=False, meaning="Country of the uploader", refers_to=None),
    *(column for column in describe_table(credited_artists).columns if column.name == "credited_artist"),
)
"""The node attributes of tracks that are not in their table."""


def node_attributes(pairs: PairTable) -> tuple[WholeColumn, ...]:
    """Describe the columns that ``read_nodes`` yields after ID and name."""
    columns = {column.name: column for column in describe_table(RECORD_TABLES[pairs.kind]).columns}
    own = tuple(columns[name] for name in ATTRIBUTES[pairs.kind])
    return (*own, *OF_UPLOADERS) if pairs.kind == "track" else own


def is_there(connection: sa.Connection, pairs: PairTable) -> bool:
    """Return whether the table exists."""
    return sa.inspect(connection).has_table(pairs.name)


def read_nodes(connection: sa.Connection, pairs: PairTable, extent: Extent) -> Iterator[Columns]:
    """Yield ID, name and attributes of the records in any pair of *extent*, by ID, in batches."""
    table, records = pairs.as_table(), RECORD_TABLES[pairs.kind]
    key = records.c[f"{pairs.kind}_id"]
    condition = condition_of(table, extent)
    taken = sa.true() if condition is None else condition
    related = sa.union(*(sa.select(table.c[name]).where(taken) for name in pairs.keys)).subquery()
    source = records.join(related, related.c[0] == key)
    chosen = [key, pairs.names_column, *(records.c[name] for name in ATTRIBUTES[pairs.kind])]
    if pairs.kind == "track":
        source = source.outerjoin(users, users.c.user_id == tracks.c.artist_id)
        source = source.join(credited_artists, credited_artists.c.track_id == key)
        chosen += [users.c.country, credited_artists.c.credited_artist]
    yield from stream(connection, sa.select(*chosen).select_from(source).order_by(key))


def count_genres(connection: sa.Connection, kind: str) -> Iterator[Columns]:
    """Yield ID, genre as spelt by the uploader, and number of tracks, by ID, in batches.

    Of artists, their tracks count; of users, those that they like.
    """
    owner: sa.Column[Any] = tracks.c.artist_id
    source: sa.FromClause = tracks
    conditions: list[sa.ColumnElement[bool]] = [tracks.c.genre.is_not(None), tracks.c.removed_at.is_(None)]
    if kind == "user":
        owner = engagements.c.user_id
        source = engagements.join(tracks, tracks.c.track_id == engagements.c.track_id)
        conditions += [engagements.c.kind == "like", engagements.c.removed_at.is_(None)]
    query = sa.select(owner, tracks.c.genre, sa.func.count()).select_from(source)
    yield from stream(
        connection,
        query.where(owner.is_not(None), *conditions).group_by(owner, tracks.c.genre).order_by(owner),
    )


def count_uploads(connection: sa.Connection) -> Iterator[Columns]:
    """Yield each uploader, the number of their tracks, and how many credit others, by ID, in batches."""
    owner = credited_artists.c.artist_id
    query = (
        sa.select(owner, sa.func.count(), sa.func.sum(credited_artists.c.credits_other))
        .join(tracks, tracks.c.track_id == credited_artists.c.track_id)
        .where(owner.is_not(None), tracks.c.removed_at.is_(None), sa.not_(tracks.c.is_stub))
        .group_by(owner)
        .order_by(owner)
    )
    yield from stream(connection, query)
