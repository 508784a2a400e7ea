"""Write the records of a page to their tables, and read them back."""

from __future__ import annotations

import functools
from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

from sgr_spiders.model.items import (
    FIELDS,
    RECORD_TYPES,
    Comment,
    Engagement,
    Mention,
    Playlist,
    PlaylistTrack,
    Track,
    User,
)
from sgr_spiders.storage import counter_history, schema, upserts
from sgr_spiders.storage.chunks import chunked
from sgr_spiders.storage.prepared import CompiledStatement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from sgr_spiders.model.items import Entry, MainRecord, Record

USER_REFERENCES: dict[type, str] = {
    Track: "artist_id",
    Playlist: "owner_id",
    Comment: "user_id",
    Engagement: "user_id",
    Mention: "user_id",
}
TRACK_REFERENCES: dict[type, str] = {
    PlaylistTrack: "track_id",
    Engagement: "track_id",
    Comment: "track_id",
    Mention: "track_id",
}

FIELDS_OF_LINKS: dict[type, tuple[str, ...]] = {
    kind: tuple(column.name for column in fields(kind)) for kind in (PlaylistTrack, Engagement)
}
_LAST_PLACE = CompiledStatement(
    sa.select(sa.func.max(schema.playlist_tracks.c.position)).where(
        schema.playlist_tracks.c.playlist_id == sa.bindparam("playlist")
    )
)


def write_entries(
    connection: sa.Connection,
    entries: Iterable[Entry],
    known: set[tuple[str, int, int]],
    now: str,
) -> None:
    """Upsert the records and links of *entries*; of cached tracks only the links, as the rest is stored.

    *known* contains the records (kind, ID, fullness) that are already stored in this version.
    """
    records: list[Record] = []
    growing: list[PlaylistTrack] = []
    there: set[int] = set()
    for entry in entries:
        if entry.cached is None:
            records += entry.inside
            records.append(entry.record)
        else:
            there.add(entry.record.record_id)
        if isinstance(entry.link, PlaylistTrack):
            growing.append(entry.link)
        elif entry.link is not None:
            records.append(entry.link)
    write_records(connection, records, known, now, there)
    _note_places(connection, growing, now)


def write_records(
    connection: sa.Connection,
    records: Iterable[Record],
    known: set[tuple[str, int, int]],
    now: str,
    tracks_there: AbstractSet[int] = frozenset(),
) -> None:
    """Upsert *records* of all types, parents first, with stubs for parents that are only referred to.

    Places in playlists are those of a whole list.

    Args:
        connection: A connection in a write transaction.
        records: The records, in any order.
        known: The records (kind, ID, fullness) that are already stored in this version.
        now: The timestamp for ``fetched_at``, ``first_seen_at`` and ``last_seen_at``.
        tracks_there: The tracks that are already stored, and need no stubs.
    """
    groups: dict[type, list[Any]] = {}
    for record in records:
        groups.setdefault(type(record), []).append(record)
    stubs = _collect_stubs(groups, tracks_there)
    for whole in (User, Track, Playlist):
        stub_ids = stubs.get(whole.kind, set())
        new = [
            record
            for record in groups.get(whole, [])
            if (whole.kind, record.record_id, record.fullness) not in known
        ]
        _write_merged(connection, whole.kind, new, stub_ids, now)
    _write_comments(connection, groups.get(Comment, []), known, now)
    for link, table, insert in (
        (PlaylistTrack, schema.playlist_tracks, upserts.place_tracks),
        (Engagement, schema.engagements, upserts.upsert_engagements),
    ):
        names = FIELDS_OF_LINKS[link]
        at = list(table.columns.keys()).index(upserts.SEEN[0])
        distinct = set(map(attrgetter(*names), groups.get(link, [])))
        columns = (*names[:at], *upserts.SEEN, *names[at:])
        insert(connection, table, columns, [(*row[:at], now, now, *row[at:]) for row in distinct])
    columns = tuple(schema.track_mentions.columns.keys())
    mentions = set(map(attrgetter(*columns), groups.get(Mention, [])))
    upserts.upsert_latest(connection, schema.track_mentions, columns, list(mentions))


def read_records(connection: sa.Connection, kind: str, ids: Sequence[int]) -> Iterator[MainRecord]:
    """Yield the stored records of *kind* with these *ids*, in that order."""
    table, build = schema.RECORD_TABLES[kind], RECORD_TYPES[kind]
    columns = [table.c[name] for name in FIELDS[kind]]
    for chunk in chunked(ids):
        found = {
            row[0]: build(*row)
            for row in connection.execute(sa.select(*columns).where(columns[0].in_(chunk)))
        }
        yield from (found[record_id] for record_id in chunk if record_id in found)


def _write_merged(
    connection: sa.Connection,
    kind: str,
    records: list[Any],
    stub_ids: set[int],
    now: str,
) -> None:
    table = schema.RECORD_TABLES[kind]
    columns = _written_columns(table)
    values, counts = attrgetter(*columns[:-4]), attrgetter(*schema.COUNTERS[kind])
    unknown = (None,) * len(schema.COUNTERS[kind])
    versions = {(record.record_id, record.fullness): record for record in records}
    rows = [
        (*values(record), now, None if counts(record) == unknown else now, now, now)
        for record in versions.values()
    ]
    left = upserts.insert_unknown(connection, table, columns, rows, stub_ids, now)
    counter_history.note_changes(connection, kind, columns, left, now)
    upserts.upsert_records(connection, table, columns, left)


def _write_comments(
    connection: sa.Connection, records: list[Comment], known: set[tuple[str, int, int]], now: str
) -> None:
    columns = _written_columns(schema.comments)
    values = attrgetter(*columns[:-3])
    new = {record.comment_id: record for record in records}
    rows = [
        (*values(record), now, now, now) for key, record in new.items() if ("comment", key, 0) not in known
    ]
    upserts.upsert_latest(connection, schema.comments, columns, rows)


def _note_places(connection: sa.Connection, links: list[PlaylistTrack], now: str) -> None:
    """Write places in a playlist whose own list is being fetched.

    They become its order when the list is whole. Until then, new tracks follow the known ones.
    """
    if not links:
        return
    (playlist_id,) = {link.playlist_id for link in links}
    last = _LAST_PLACE.execute(connection, {"playlist": playlist_id}).scalar()
    shift = 0 if last is None or min(link.position for link in links) > last else last + 1
    rows = [(playlist_id, link.track_id, link.position + shift, now, now, link.position) for link in links]
    columns = ("playlist_id", "track_id", "position", *upserts.SEEN, "next_position")
    upserts.note_places(connection, schema.playlist_tracks, columns, rows)


@functools.cache
def _written_columns(table: sa.Table) -> tuple[str, ...]:
    """Return the columns of a record that is written: the last ones are times of the write."""
    removal = {"removed_at", "removed_reason"}
    return tuple(column.name for column in table.columns if column.name not in removal)


def _collect_stubs(groups: dict[type, list[Any]], tracks_there: AbstractSet[int]) -> dict[str, set[int]]:
    """Return the IDs that are only referred to, by kind."""
    users = _collect_ids(groups, USER_REFERENCES) - {user.user_id for user in groups.get(User, [])}
    tracks = _collect_ids(groups, TRACK_REFERENCES) - {track.track_id for track in groups.get(Track, [])}
    return {User.kind: users, Track.kind: tracks - tracks_there}


def _collect_ids(groups: dict[type, list[Any]], references: dict[type, str]) -> set[int]:
    ids: set[int | None] = set()
    for kind, field in references.items():
        ids.update(map(attrgetter(field), groups.get(kind, [])))
    return cast("set[int]", ids - {None})
