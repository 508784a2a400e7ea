"""The making of a database: seeds, runs, configurations, and how far walks and libraries got."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.model.items import FORGOTTEN, PRIVATE, REFUSED
from sgr_spiders.storage.ledger.runs import LISTS, seed_outcomes_of_all, without_marks
from sgr_spiders.storage.libraries import libraries
from sgr_spiders.storage.schema import (
    RECORD_TABLES,
    configurations,
    rejects,
    run_seeds,
    runs,
    walk_requests,
    walks,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_STATES = ("whole", "newest", "unseen", "hidden")


@dataclass(frozen=True, slots=True)
class UsedSeed:
    """A seed of any run: with the status of the walk that fetched its track, or ``gone`` if it has none."""

    given: str
    track_id: int | None
    status: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class SeedList:
    """A playlist or user that was given as a seed: of its ``tracks``, ``max_tracks`` at most became seeds."""

    given: str
    tracks: int
    max_tracks: int

    @property
    def is_cut(self) -> bool:
        return self.tracks > self.max_tracks


@dataclass(frozen=True, slots=True)
class UsedRun:
    """A run, as it was asked for and as it ended."""

    run_id: int
    spider: str
    layers: Sequence[str]
    arguments: Mapping[str, str]
    config_hash: str | None
    version: str | None
    packages: Mapping[str, str | None] | None
    api_origin: str | None
    is_sandbox: bool | None
    refresh: bool
    started_at: str
    finished_at: str | None
    outcome: str | None
    reason: str | None
    requests: int | None
    stats: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class WalkCount:
    """The walks of one endpoint with the same status.

    ``expected``: the sum over those whose number of items the API states, and ``kept_of_expected`` the
    records kept of them.
    """

    endpoint: str
    status: str
    walks: int
    kept: int
    expected: int | None
    kept_of_expected: int | None
    refused: int
    doubted: int
    outdated: int


def read_seeds(connection: sa.Connection) -> list[UsedSeed]:
    """Return the tracks that were seeds of any run, each once, and the seeds without one, ordered as text.

    Playlists and users whose tracks became seeds are not among them.
    """
    found: dict[int | str, UsedSeed] = {}
    for seed in seed_outcomes_of_all(connection):
        if seed.track_id is not None or seed.status != "done":
            used = UsedSeed(without_marks(seed.given), seed.track_id, seed.status, seed.reason)
            found.setdefault(used.given if used.track_id is None else used.track_id, used)
    return sorted(found.values(), key=lambda seed: seed.given)


def read_seed_lists(connection: sa.Connection) -> list[SeedList]:
    """Return the playlists and users whose tracks became seeds, ordered as text."""
    query = (
        sa.select(
            sa.func.min(run_seeds.c.given), sa.func.max(walks.c.kept), sa.func.max(run_seeds.c.max_tracks)
        )
        .join(walks, walks.c.walk_id == run_seeds.c.walk_id)
        .where(run_seeds.c.max_tracks.is_not(None), walks.c.endpoint.in_(LISTS))
        .group_by(run_seeds.c.walk_id)
    )
    found = (SeedList(without_marks(given), *rest) for given, *rest in connection.execute(query))
    return sorted(found, key=lambda seed_list: seed_list.given)


def read_runs(connection: sa.Connection) -> list[UsedRun]:
    """Return all runs, oldest first."""
    return [_read_run(row) for row in connection.execute(sa.select(runs).order_by(runs.c.run_id))]


def _read_run(row: sa.Row[Any]) -> UsedRun:
    return UsedRun(
        row.run_id,
        row.spider,
        row.layers.split(","),
        json.loads(row.arguments) if row.arguments else {},
        row.config_hash,
        row.version,
        json.loads(row.packages) if row.packages else None,
        row.api_origin,
        row.is_sandbox,
        row.refresh,
        row.started_at,
        row.finished_at,
        row.outcome,
        row.reason,
        row.requests,
        json.loads(row.stats) if row.stats else {},
    )


def read_configurations(connection: sa.Connection) -> dict[str, Any]:
    """Return the configurations that runs used, by hash; ``None`` for those of earlier versions."""
    used = sa.select(runs.c.config_hash).where(runs.c.config_hash.is_not(None), runs.c.config_hash != "")
    known = {
        config_hash: json.loads(content)
        for config_hash, content in connection.execute(
            sa.select(configurations.c.config_hash, configurations.c.content)
        )
    }
    return {
        config_hash: known.get(config_hash) for config_hash in sorted(connection.scalars(used.distinct()))
    }


def count_walks(connection: sa.Connection) -> list[WalkCount]:
    """Count the walks by endpoint and status, without those that no layer wants any more."""
    is_known = walks.c.expected.is_not(None)
    refused = sa.and_(walks.c.status == "gone", walks.c.reason.startswith(REFUSED))
    query = (
        sa.select(
            walks.c.endpoint,
            walks.c.status,
            sa.func.count(),
            sa.func.sum(walks.c.kept),
            sa.func.sum(walks.c.expected),
            sa.func.sum(sa.case((is_known, walks.c.kept))),
            *(_count_if(flag) for flag in (refused, walks.c.doubted, walks.c.outdated)),
        )
        .where(_IS_WANTED)
        .group_by(walks.c.endpoint, walks.c.status)
    )
    rows = (_read_count(*row) for row in connection.execute(query))
    return sorted(rows, key=lambda row: (row.endpoint, row.status))


def count_capped(connection: sa.Connection) -> int:
    """Count the walks that a cap has ended, and those of which a layer wanted less than there is."""
    is_capped = sa.or_(walks.c.status == "capped", _wanted(walk_requests.c.cap < walks.c.kept))
    query = sa.select(sa.func.count()).select_from(walks).where(_IS_WANTED, is_capped)
    return connection.scalar(query) or 0


def _wanted(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Return the condition that a layer wants a walk, in a request for which these *conditions* hold."""
    request = walk_requests.c
    return sa.exists().where(request.walk_id == walks.c.walk_id, request.removed_at.is_(None), *conditions)


_IS_WANTED = sa.or_(sa.not_(sa.exists().where(walk_requests.c.walk_id == walks.c.walk_id)), _wanted())


def _read_count(endpoint: str, status: str, *figures: Any) -> WalkCount:
    # PostgreSQL's sums are decimals.
    counts: list[Any] = [None if figure is None else int(figure) for figure in figures]
    return WalkCount(endpoint, status, *counts)


def count_libraries(connection: sa.Connection) -> dict[str, dict[str, int]]:
    """Count the libraries of users, fans of tracks and tracks of playlists by what was looked at of them.

    Those of removed records are left out.
    """
    query = (
        sa.select(libraries.c.kind, libraries.c.library, sa.func.count())
        .where(sa.not_(_is_removed()))
        .group_by(libraries.c.kind, libraries.c.library)
    )
    counts = {(kind, state): count for kind, state, count in connection.execute(query)}
    kinds = sorted({kind for kind, _ in counts})
    return {kind: {state: counts.get((kind, state), 0) for state in _STATES} for kind in kinds}


def _is_removed() -> sa.ColumnElement[bool]:
    """Return the condition that a library is that of a removed record."""
    parts = []
    for kind in ("user", "track", "playlist"):
        table = RECORD_TABLES[kind]
        removed = sa.select(table.c[f"{kind}_id"]).where(table.c.removed_at.is_not(None))
        parts.append(sa.and_(libraries.c.kind == kind, libraries.c.record_id.in_(removed)))
    return sa.or_(*parts)


def count_rejected(connection: sa.Connection) -> int:
    """Count the invalid records that the newest looks at lists rejected.

    Private and forgotten records, and addresses that lead to none, are rejected by design.
    """
    query = (
        sa.select(sa.func.count())
        .select_from(rejects)
        .join(walks, walks.c.walk_id == rejects.c.walk_id)
        .where(
            rejects.c.field.is_(None),
            rejects.c.kind != "resolve",
            rejects.c.reason.not_in((PRIVATE, FORGOTTEN)),
            rejects.c.generation == walks.c.generation,
        )
    )
    return connection.scalar(query) or 0


def _count_if(flag: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.sum(sa.case((flag, 1), else_=0))
