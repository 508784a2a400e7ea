"""The runs and the records of a database, now or before a time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.storage.past import present_at
from sgr_spiders.storage.schema import (
    comments,
    engagements,
    playlist_tracks,
    playlists,
    run_seeds,
    runs,
    tracks,
    users,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

COLLECTED = {
    "tracks": (tracks, sa.not_(tracks.c.is_stub)),
    "users": (users, sa.not_(users.c.is_stub)),
    "playlists": (playlists, sa.not_(playlists.c.is_stub)),
    "likes": (engagements, engagements.c.kind == "like"),
    "reposts": (engagements, engagements.c.kind == "repost"),
    "comments": (comments, sa.true()),
    "playlist_tracks": (playlist_tracks, sa.true()),
}
"""The rows that are counted, by kind: records without stubs, and links."""


@dataclass(frozen=True, slots=True)
class AskedRun:
    """The request of a run. ``config`` is the configuration's name or path if an argument gave it."""

    run_id: int
    started_at: str
    finished_at: str | None
    outcome: str | None
    layers: tuple[str, ...]
    seeds: tuple[int, ...]
    config: str | None
    config_hash: str | None
    requests: int | None


def read_runs(connection: sa.Connection, moment: str | None) -> list[AskedRun]:
    """Return the runs that started before *moment*, oldest first; ``None``: all of them.

    End, outcome and requests of a run that ended later are unknown.
    """
    started = sa.true() if moment is None else runs.c.started_at < moment
    asked = sa.select(run_seeds.c.run_id, run_seeds.c.track_id).where(run_seeds.c.track_id.is_not(None))
    seeds: dict[int, set[int]] = {}
    for run_id, track_id in connection.execute(asked):
        seeds.setdefault(run_id, set()).add(track_id)
    rows = connection.execute(sa.select(runs).where(started).order_by(runs.c.run_id))
    return [_read_run(row, seeds.get(row.run_id, set()), moment) for row in rows]


def count_requests(found: Iterable[AskedRun]) -> int | None:
    """Return the requests of all runs; ``None`` if one was killed or runs, so that its own are unknown."""
    sent = [run.requests for run in found]
    known = [requests for requests in sent if requests is not None]
    return sum(known) if len(known) == len(sent) else None


def _read_run(row: sa.Row[Any], seeds: set[int], moment: str | None) -> AskedRun:
    arguments = json.loads(row.arguments) if row.arguments else {}
    # Nobody noted how far a run had come before it ended.
    had_ended = moment is None or row.finished_at is None or row.finished_at <= moment
    return AskedRun(
        row.run_id,
        row.started_at,
        row.finished_at if had_ended else None,
        row.outcome if had_ended else None,
        tuple(row.layers.split(",")),
        tuple(sorted(seeds)),
        arguments.get("config"),
        row.config_hash,
        row.requests if had_ended else None,
    )


def count_records(connection: sa.Connection, moment: str | None) -> Mapping[str, int]:
    """Count what is present, or was before *moment*, by kind as in ``COLLECTED``."""
    return {
        name: connection.scalar(
            sa.select(sa.func.count()).select_from(table).where(which, *present_at(table, moment))
        )
        or 0
        for name, (table, which) in COLLECTED.items()
    }
