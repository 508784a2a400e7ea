"""What layers keep out of the walks they only looked at, and what they can look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.storage import records, upserts
from sgr_spiders.storage.ledger.frontier import WANTED_NOW, record_ids
from sgr_spiders.storage.schema import playlist_tracks, run_scope, selections, tracks, walk_requests, walks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sgr_spiders.model.items import MainRecord, Selection
    from sgr_spiders.storage.ledger.runs import Run

COLUMNS = ("seed_id", "layer", "kind", "record_id", "score")


def select(connection: sa.Connection, seed_id: int, layer: str, chosen: Sequence[Selection]) -> None:
    """Keep the records *chosen* by *layer*, and the uploaders of the tracks among them."""
    rows = [(seed_id, layer, one.kind, one.record_id, one.score) for one in chosen]
    ids = [one.record_id for one in chosen if one.kind == "track"]
    rows += [(seed_id, layer, "user", artist, None) for artist in _artists(connection, ids)]
    upserts.upsert_latest(connection, selections, COLUMNS, rows)


def _artists(connection: sa.Connection, ids: Sequence[int]) -> set[int]:
    found: set[int] = set()
    for start in range(0, len(ids), records.CHUNK):
        chunk = ids[start : start + records.CHUNK]
        query = sa.select(tracks.c.artist_id).where(
            tracks.c.track_id.in_(chunk), tracks.c.artist_id.is_not(None)
        )
        found.update(connection.scalars(query))
    return found


def has_unfinished(connection: sa.Connection, run: Run, seed_id: int, layer: str) -> bool:
    """Tell whether any walk that *layer* wants around the seed has not ended."""
    query = (
        sa.select(sa.literal(1))
        .select_from(walk_requests.join(run_scope, WANTED_NOW).join(walks))
        .where(
            run_scope.c.run_id == run.run_id,
            walk_requests.c.seed_id == seed_id,
            walk_requests.c.layer == layer,
            walks.c.status.in_(("planned", "running")),
        )
        .limit(1)
    )
    return connection.scalar(query) is not None


def requesters(connection: sa.Connection, run: Run, walk: int) -> list[tuple[int, str]]:
    """Tell the seeds and layers of *run* that want *walk*."""
    query = (
        sa.select(walk_requests.c.seed_id, walk_requests.c.layer)
        .distinct()
        .join(run_scope, sa.and_(WANTED_NOW, run_scope.c.run_id == run.run_id))
        .where(walk_requests.c.walk_id == walk)
        .order_by(walk_requests.c.seed_id, walk_requests.c.layer)
    )
    return [(row[0], row[1]) for row in connection.execute(query)]


def requested(connection: sa.Connection, run: Run, seed_id: int, layer: str) -> set[tuple[int, str]]:
    """Give the walks that *layer* wants around the seed, with the step it wants each for."""
    query = (
        sa.select(walk_requests.c.walk_id, walk_requests.c.step)
        .join(run_scope, sa.and_(WANTED_NOW, run_scope.c.run_id == run.run_id))
        .where(walk_requests.c.seed_id == seed_id, walk_requests.c.layer == layer)
    )
    return {(row[0], row[1]) for row in connection.execute(query)}


def walks_of_step(
    connection: sa.Connection, run: Run, seed_id: int, layer: str, step: str
) -> list[tuple[int, str, str, int]]:
    """Give id, endpoint, target and cap of the walks that *layer* wants for *step*, by target."""
    query = (
        sa.select(walks.c.walk_id, walks.c.endpoint, walks.c.target, walk_requests.c.cap)
        .join(walk_requests, walk_requests.c.walk_id == walks.c.walk_id)
        .join(run_scope, sa.and_(WANTED_NOW, run_scope.c.run_id == run.run_id))
        .where(
            walk_requests.c.seed_id == seed_id, walk_requests.c.layer == layer, walk_requests.c.step == step
        )
        .order_by(walks.c.target)
    )
    return [(row[0], row[1], row[2], row[3]) for row in connection.execute(query)]


def records_of_walk(connection: sa.Connection, kind: str, walk: int, cap: int) -> Iterator[MainRecord]:
    """Give the first *cap* records of *walk*, in order."""
    return records.read_records(connection, kind, record_ids(connection, kind, walk, 0, cap))


def tracks_of_playlist(connection: sa.Connection, playlist_id: int, cap: int) -> list[int]:
    """Give the first *cap* tracks of a playlist, in order."""
    query = (
        sa.select(playlist_tracks.c.track_id)
        .where(playlist_tracks.c.playlist_id == playlist_id)
        .order_by(playlist_tracks.c.position)
        .limit(cap)
    )
    return list(connection.scalars(query))
