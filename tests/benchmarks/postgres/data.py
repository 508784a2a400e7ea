"""The same harvest in an SQLite file and in a database on a server."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import psycopg
import sqlalchemy as sa

from sgr_spiders.storage import schema
from sgr_spiders.storage.store import Store
from tests.benchmarks.relationships.data import libraries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sgr_spiders.relationships.inputs import Incidence

    Row = tuple[Any, ...]
    Filled = tuple[sa.Table, Sequence[str], Iterable[Row]]

NOW = "2026-11-28T00:00:00.000000+00:00"
SEEN = ("first_seen_at", "last_seen_at")
ARTISTS = 5_000
ROWS_AT_A_TIME = 50_000


def create(server: psycopg.Connection, url: str, name: str) -> str:
    """Create an empty database on the server; return its URL."""
    server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
    server.execute(f'CREATE DATABASE "{name}"'.encode())
    created = sa.make_url(url).set(database=name).render_as_string(hide_password=False)
    Store.open(created).close()
    return created


def fill(url: str, users: int, mean: int) -> int:
    """Fill an empty database; return its number of engagements."""
    likes = libraries(users, mean, max(1_000, users))
    playlists = libraries(users // 4, 20, max(1_000, users), seed=2)
    store = Store.open(url)
    try:
        with store.write() as connection:
            for table, columns, rows in _tables(likes, playlists):
                _insert(connection, table, columns, rows)
        if store.file is None:
            with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM (ANALYZE)")
    finally:
        store.close()
    return len(likes.contexts)


def _tables(likes: Incidence, playlists: Incidence) -> Iterator[Filled]:
    stub = ("is_stub", "fullness", "fetched_at", *SEEN)
    seen = (NOW, NOW)
    full = (False, 3, NOW, *seen)
    users = np.union1d(likes.ids, np.arange(1, ARTISTS + 1)).tolist()
    tracks = range(likes.context_count)
    yield schema.users, ("user_id", "username", *stub), ((user, f"user {user}", *full) for user in users)
    yield (
        schema.tracks,
        ("track_id", "title", "artist_id", "genre", "playback_count", *stub),
        ((track, f"track {track}", track % ARTISTS + 1, "Ambient", 7 * track, *full) for track in tracks),
    )
    yield (
        schema.playlists,
        ("playlist_id", "title", "owner_id", "track_count", *stub),
        ((playlist, f"playlist {playlist}", playlist, 20, *full) for playlist in playlists.ids.tolist()),
    )
    yield (
        schema.engagements,
        ("user_id", "track_id", "kind", *SEEN, "not_before", "not_after"),
        ((user, track, "like", *seen, NOW, NOW) for user, track in _pairs(likes)),
    )
    yield (
        schema.playlist_tracks,
        ("playlist_id", "track_id", "position", *SEEN),
        (
            (playlist, track, place, *seen)
            for place, (playlist, track) in zip(itertools.cycle(range(20)), _pairs(playlists), strict=False)
        ),
    )
    walk = ("walk_id", "endpoint", "target", "status", "cursor", "generation", "pages", "empty_pages")
    yield (
        schema.walks,
        (*walk, "received", "kept", "created_at"),
        ((user, "user_likes", str(user), "done", "", 0, 1, 0, 9, 9, NOW) for user in likes.ids.tolist()),
    )
    yield (
        schema.walk_requests,
        ("walk_id", "seed_id", "layer", "step", "cap", "widest", "selective", "expanded", "settings"),
        ((user, 1, "user_depth", "likes", 10**6, 10**6, False, 9, "") for user in likes.ids.tolist()),
    )
    yield (
        schema.walk_records,
        ("walk_id", "kind", "record_id", "position", "generation"),
        ((user, "track", track, 0, 0) for user, track in _pairs(likes)),
    )


def _pairs(incidence: Incidence) -> Iterator[tuple[int, int]]:
    owners = np.repeat(incidence.ids, incidence.sizes).tolist()
    return zip(owners, incidence.contexts.tolist(), strict=True)


def _insert(connection: sa.Connection, table: sa.Table, columns: Sequence[str], rows: Iterable[Row]) -> None:
    names = ", ".join(columns)
    driver = connection.connection.driver_connection
    if isinstance(driver, psycopg.Connection):
        with driver.cursor().copy(f"COPY {table.name} ({names}) FROM STDIN".encode()) as copy:
            for row in rows:
                copy.write_row(row)
        return
    marks = ", ".join("?" * len(columns))
    statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608 - our own names
    pending = iter(rows)
    while some := list(itertools.islice(pending, ROWS_AT_A_TIME)):
        connection.exec_driver_sql(statement, some)
