"""Write and read vectors: little-endian float32, one BLOB per row."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import sqlalchemy as sa

from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.lookup import look_up
from sgr_spiders.storage.schema import VECTOR_TABLES, runs, tracks, vector_runs
from sgr_spiders.storage.server import on_server
from sgr_spiders.text.formatting import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from numpy.typing import NDArray

    Ids = NDArray[np.int64]
    Array = NDArray[np.float32]

FLOATS = np.dtype("<f4")
ROWS_AT_A_TIME = 10_000


@dataclass(frozen=True, slots=True)
class Placed:
    """Ascending *ids* with a row of *vectors* for each; *columns* are the other columns of the table."""

    ids: Ids
    vectors: Array
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Placed({pluralize(len(self.ids), 'vector')})"


@dataclass(frozen=True, slots=True)
class VectorRun:
    """The method, parameters and inputs of a set of vectors."""

    method: str
    parameters: Mapping[str, Any]
    dimensions: int
    inputs: Mapping[str, int]
    seconds: float


def replace(connection: sa.Connection, made: VectorRun, placed: Mapping[str, Placed]) -> int:
    """Replace the vectors of the same method; return the new ``vector_run_id``.

    *placed* maps ``track``, ``user`` and ``artist`` to their vectors. The caller's transaction makes the
    change atomic: readers see either all old or all new vectors.
    """
    latest_crawl = sa.select(sa.func.max(runs.c.run_id)).scalar_subquery()
    values = {
        "method": made.method,
        "parameters": json.dumps(made.parameters, sort_keys=True),
        "dimensions": made.dimensions,
        "inputs": json.dumps(made.inputs, sort_keys=True),
        "seconds": round(made.seconds, 3),
    }
    entered = connection.execute(
        sa.insert(vector_runs).values(run_id=latest_crawl, finished_at=timestamp(), **values)
    )
    assert entered.inserted_primary_key is not None
    run: int = entered.inserted_primary_key[0]
    for kind, table in VECTOR_TABLES.items():
        connection.execute(sa.delete(table).where(table.c.method == made.method))
        for rows in _rows(kind, placed[kind], {"method": made.method, "vector_run_id": run}):
            connection.execute(sa.insert(table), rows)
    return run


def _rows(kind: str, placed: Placed, common: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
    vectors = np.ascontiguousarray(placed.vectors, FLOATS)
    columns = {name: column.tolist() for name, column in placed.columns.items()}
    ids = placed.ids.tolist()
    for start in range(0, len(ids), ROWS_AT_A_TIME):
        yield [
            {f"{kind}_id": ids[row], "vector": vectors[row].tobytes(), **common}
            | {name: column[row] for name, column in columns.items()}
            for row in range(start, min(start + ROWS_AT_A_TIME, len(ids)))
        ]


def latest(connection: sa.Connection, method: str) -> VectorRun | None:
    """Return the newest run of *method*; ``None`` if it has no vectors."""
    row = connection.execute(
        sa.select(vector_runs)
        .where(vector_runs.c.method == method)
        .order_by(vector_runs.c.vector_run_id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    return VectorRun(
        row.method, json.loads(row.parameters), row.dimensions, json.loads(row.inputs), row.seconds
    )


def latest_run(connection: sa.Connection, method: str) -> int | None:
    """Return the newest ``vector_run_id`` of *method*; ``None`` if it has no vectors."""
    newest = sa.select(sa.func.max(vector_runs.c.vector_run_id)).where(vector_runs.c.method == method)
    found: int | None = connection.scalar(newest)
    return found


def file_of(connection: sa.Connection) -> str | None:
    """Return the path of an SQLite database; ``None`` for other databases."""
    if on_server(connection):
        return None
    files = {row[1]: row[2] for row in connection.exec_driver_sql("PRAGMA database_list")}
    return files["main"] or None


def read_vector(connection: sa.Connection, kind: str, method: str, node: int) -> Array | None:
    """Return the vector of one track, user or artist; ``None`` if it has none."""
    table = VECTOR_TABLES[kind]
    blob = connection.scalar(
        sa.select(table.c.vector).where(table.c.method == method, table.c[f"{kind}_id"] == node)
    )
    return None if blob is None else np.frombuffer(blob, FLOATS).astype(np.float32)


def read_vectors(connection: sa.Connection, kind: str, method: str) -> Placed:
    """Return all vectors of tracks, users or artists."""
    table = VECTOR_TABLES[kind]
    extra = [column for column in table.columns if column.name in {"fans", "tracks"}]
    key = table.c[f"{kind}_id"]
    query = sa.select(key, table.c.vector, *extra).where(table.c.method == method).order_by(key)
    ids: list[int] = []
    blobs: list[bytes] = []
    further: list[tuple[Any, ...]] = []
    for part in connection.execution_options(yield_per=ROWS_AT_A_TIME).execute(query).partitions():
        ids.extend(row[0] for row in part)
        blobs.append(b"".join(row[1] for row in part))
        further.extend(tuple(row[2:]) for row in part)
    vectors = np.frombuffer(b"".join(blobs), FLOATS).astype(np.float32).reshape(len(ids), -1 if ids else 0)
    columns = {
        column.name: np.array([row[place] for row in further], float) for place, column in enumerate(extra)
    }
    return Placed(np.array(ids, np.int64), vectors, columns)


def read_artists(connection: sa.Connection, wanted: Ids) -> Ids:
    """Return the artist of each of these tracks; -1 if unknown."""
    query = sa.select(tracks.c.track_id, tracks.c.artist_id).where(tracks.c.artist_id.is_not(None))
    rows: Sequence[Any] = connection.execute(query.order_by(tracks.c.track_id)).all()
    known, artists = np.array(rows, np.int64).reshape(-1, 2).T
    return look_up(known, artists, wanted)


def read_genres(connection: sa.Connection, wanted: Sequence[int]) -> dict[int, str | None]:
    """Return the genre of each of these tracks as the uploader spells it; ``None`` if missing."""
    query = sa.select(tracks.c.track_id, tracks.c.genre).where(tracks.c.track_id.in_(wanted))
    return {row[0]: row[1] or None for row in connection.execute(query)}
