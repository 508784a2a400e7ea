"""Database to database: the time of each part, compared with the minimum."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sgr_spiders.config.harvest import HarvestConfig
from sgr_spiders.relationships import TYPES
from sgr_spiders.relationships.processor import RelationshipProcessor
from sgr_spiders.storage.sqlite_file import PRAGMAS
from sgr_spiders.storage.store import Store

if TYPE_CHECKING:
    from sgr_spiders.relationships.inputs import Incidence

INPUT = {
    "user_similarity": "SELECT count(*), sum(track_id) FROM engagements WHERE kind = 'like'",
    "track_cooccurrence": "SELECT count(*), sum(track_id) FROM playlist_tracks",
    "artist_relation": "SELECT count(*), sum(artist_id) FROM tracks",
}
"""A query that only reads a type's input. Likes are read only for the first type."""


MOST_BY_ROWS = 1_000_000
"""Above it, each row is slower: the index of the larger IDs no longer fits into SQLite's memory."""


def spill(path: Path, likes: Incidence, playlists: Incidence, artists: int) -> None:
    """Create a database with these libraries and playlists."""
    Store.open(f"sqlite:///{path}").close()
    tracks = range(1, max(likes.context_count, playlists.context_count) + 1)
    users = sorted({*likes.ids.tolist(), *range(1, artists + 1)})
    with closing(sqlite3.connect(path)) as connection:
        stub = "1, 0, ''"
        connection.executemany(
            f"INSERT INTO users (user_id, is_stub, fullness, fetched_at) VALUES (?, {stub})",  # noqa: S608
            ((user,) for user in users),
        )
        connection.executemany(
            f"INSERT INTO tracks (track_id, artist_id, is_stub, fullness, fetched_at) VALUES (?, ?, {stub})",  # noqa: S608
            ((track, track % artists + 1) for track in tracks),
        )
        connection.executemany(
            f"INSERT INTO playlists (playlist_id, is_stub, fullness, fetched_at) VALUES (?, {stub})",  # noqa: S608
            ((int(playlist),) for playlist in playlists.ids),
        )
        for statement, entries in (
            ("INSERT INTO engagements (user_id, track_id, kind) VALUES (?, ?, 'like')", likes),
            ("INSERT INTO playlist_tracks (playlist_id, track_id, position) VALUES (?, ?, 0)", playlists),
        ):
            owners = np.repeat(entries.ids, entries.sizes).tolist()
            members = (entries.contexts + 1).tolist()
            connection.executemany(statement, zip(owners, members, strict=True))
        connection.commit()


def relate(path: Path, significance: str = "bicm") -> dict[str, dict[str, Any]]:
    """Build the relationships; return rows and seconds of each type."""
    config = HarvestConfig.model_validate({"relationships": {"significance": significance}})
    RelationshipProcessor(f"sqlite:///{path}", config).process_all()
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT type, rows, seconds FROM relationship_runs").fetchall()
    return {name: {"rows": count, **json.loads(seconds)} for name, count, seconds in rows}


def floors(path: Path, name: str) -> tuple[float, float, float]:
    """Return the seconds for reading the input, for copying the table, and per row for plain inserts."""
    table = TYPES[name].table
    with closing(sqlite3.connect(path)) as connection:
        reading = _timed(connection, INPUT[name])
    copy = path.with_name("copy.db")
    copying = _copied(path, copy, table.name)
    by_rows = _written(copy, table.name)
    copy.unlink()
    return reading, copying, by_rows


def _copied(path: Path, copy: Path, table: str) -> float:
    copy.unlink(missing_ok=True)
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        for pragma in PRAGMAS:
            connection.execute(pragma)
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("ATTACH ? AS source", (str(path),))
        made = "SELECT sql FROM source.sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY rowid"
        for (statement,) in connection.execute(made, (table,)).fetchall():
            connection.execute(statement)
        return _timed(connection, f"INSERT INTO main.{table} SELECT * FROM source.{table}")  # noqa: S608


def _written(copy: Path, table: str) -> float:
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        rows = connection.execute(f"SELECT * FROM {table} LIMIT {MOST_BY_ROWS}").fetchall()  # noqa: S608
        connection.execute(f"DELETE FROM {table}")  # noqa: S608
        began = time.perf_counter()
        connection.execute("BEGIN")
        marks = ", ".join("?" * len(rows[0])) if rows else ""
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608
        connection.execute("COMMIT")
        return (time.perf_counter() - began) / max(1, len(rows))


def _timed(connection: sqlite3.Connection, query: str) -> float:
    began = time.perf_counter()
    connection.execute(query).fetchall()
    return time.perf_counter() - began
