"""The contents of a database: its tables, runs and seeds, the age of its walks, and its rejects."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.ledger.frontier import ENDED
from sgr_spiders.storage.ledger.runs import LISTS, NO_TRACKS
from sgr_spiders.storage.ledger.workers import all_at_work
from sgr_spiders.storage.ledger.wrong_times import UNKNOWN
from sgr_spiders.storage.schema import (
    PRESENCE_TABLES,
    metadata,
    rejects,
    run_scope,
    run_seeds,
    runs,
    tracks,
    users,
    walk_requests,
    walks,
    workers,
)
from sgr_spiders.storage.server import on_server

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

MEASURED_UP_TO = 1 << 30
"""The largest file, in bytes, whose tables are measured: measuring reads the whole file, 1 s per GB."""


_found = run_seeds.alias()
LEADS_TO_SEEDS = (
    sa.select(sa.literal(1))
    .where(_found.c.run_id == run_seeds.c.run_id, _found.c.found_by == run_seeds.c.walk_id)
    .correlate(run_seeds)
    .exists()
)
"""The condition that a row of ``run_seeds`` is a playlist or user, whose tracks have rows of their own."""


@dataclass(frozen=True, slots=True)
class File:
    """The size and age of a database file with its WAL; ``None`` for databases without a file."""

    bytes: int | None
    last_written: datetime | None


@dataclass(frozen=True, slots=True)
class TableSize:
    """The size of a table: ``rows`` include ``stubs``, and ``bytes`` include ``removed`` rows and indexes.

    ``rows`` are those that are present, in the tables that tell; in others, ``removed`` is ``None``.
    """

    name: str
    rows: int
    removed: int | None
    stubs: int | None
    bytes: int | None


@dataclass(frozen=True, slots=True)
class PastRun:
    """A row of ``runs``. Runs with the same ``scope`` continue the same harvest."""

    run_id: int
    spider: str
    layers: tuple[str, ...]
    scope: str
    seeds: int
    refresh: bool
    started_at: str
    finished_at: str | None
    outcome: str | None
    reason: str | None
    exit_code: int | None
    arguments: Mapping[str, str]
    config_hash: str | None
    version: str | None
    requests: int | None
    api_origin: str | None
    is_sandbox: bool | None
    stats: Mapping[str, Any]
    is_at_work: bool | None = None
    """True unless all workers have left or died; ``None`` for a database in a file, which cannot tell."""
    last_heartbeat_at: str | None = None
    """The last heartbeat of its workers, on a server."""


@dataclass(frozen=True, slots=True)
class KnownSeed:
    """A seed of any run. ``walks`` counts all walks requested around it, by status."""

    given: str
    track_id: int | None
    title: str | None
    artist: str | None
    status: str
    reason: str | None
    walks: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Freshness:
    """The end of the oldest and newest finished walk, and the number of ``stale`` ones to refetch.

    ``in_future`` counts those among them that ended later than now, because a clock was wrong.
    """

    oldest: str | None
    newest: str | None
    stale: int
    in_future: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """The number of records, or values of a ``field``, that were rejected for one reason."""

    kind: str
    field: str | None
    reason: str
    count: int


def describe_file(path: str | None) -> File:
    """Return size and age of an SQLite file without opening it; *path* is ``None`` for other databases."""
    parts = [Path(f"{path}{suffix}") for suffix in ("", "-wal")] if path else []
    # A reader creates an empty WAL if there is none, which does not count as a write.
    found = [stat for part in parts if part.exists() and (stat := part.stat()).st_size]
    if not found:
        return File(None, None)
    written = max(stat.st_mtime for stat in found)
    return File(sum(stat.st_size for stat in found), datetime.fromtimestamp(written, UTC))


def describe_database(connection: sa.Connection, path: str | None) -> File:
    """Return size and age of an SQLite file; the size of any other database, whose age is not known."""
    if not on_server(connection):
        return describe_file(path)
    return File(connection.scalar(sa.text("SELECT pg_database_size(current_database())")), None)


def schema_version(connection: sa.Connection) -> str:
    """Return the revision of the schema."""
    return str(connection.scalar(sa.text("SELECT version_num FROM alembic_version")))


def table_sizes(connection: sa.Connection, file: File) -> list[TableSize]:
    """Count the rows of all tables, and measure their bytes unless an SQLite file is too large."""
    measured = _measure(connection, file)
    sizes = []
    for name, table in metadata.tables.items():
        rows = connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
        removed = count_removed(connection, table) if table in PRESENCE_TABLES else None
        stubs = None
        if "is_stub" in table.c:
            which = sa.and_(table.c.is_stub, table.c.removed_at.is_(None))
            stubs = connection.scalar(sa.select(sa.func.count()).select_from(table).where(which)) or 0
        sizes.append(TableSize(name, rows - (removed or 0), removed, stubs, measured.get(name)))
    return sizes


def count_removed(connection: sa.Connection, table: sa.Table) -> int:
    """Count the rows of *table* that are not present any more."""
    removed = table.c.removed_at.is_not(None)
    return connection.scalar(sa.select(sa.func.count()).select_from(table).where(removed)) or 0


def _measure(connection: sa.Connection, file: File) -> dict[str, int]:
    """Return the bytes of tables with their indexes."""
    if on_server(connection):
        sizes = "SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r'"
        own = "relnamespace = current_schema()::regnamespace"
        return {row[0]: row[1] for row in connection.exec_driver_sql(f"{sizes} AND {own}")}
    if file.bytes is None or file.bytes > MEASURED_UP_TO:
        return {}
    query = (
        "SELECT tbl_name, sum(pgsize) FROM dbstat JOIN sqlite_master USING (name) "
        "WHERE aggregate = TRUE GROUP BY tbl_name"
    )
    try:
        return {row[0]: row[1] for row in connection.exec_driver_sql(query)}
    except sa.exc.OperationalError:
        # This SQLite was built without dbstat.
        return {}


def latest_runs(
    connection: sa.Connection, limit: int, track_ids: Collection[int] | None = None
) -> tuple[list[PastRun], int]:
    """Return the *limit* latest runs, newest first, and the number of all runs.

    With *track_ids*, only the runs of these seeds.
    """
    which: sa.ColumnElement[bool] = sa.true()
    if track_ids is not None:
        which = runs.c.run_id.in_(sa.select(run_scope.c.run_id).where(run_scope.c.seed_id.in_(track_ids)))
    count = connection.scalar(sa.select(sa.func.count()).select_from(runs).where(which)) or 0
    query = sa.select(runs).where(which).order_by(runs.c.run_id.desc()).limit(limit)
    return _runs(connection, query), count


def latest_with_seeds(connection: sa.Connection, limit: int) -> tuple[list[PastRun], int]:
    """Return the *limit* latest runs that had something to do, and the number of those that had no seed due.

    The latter are those since the oldest of the former.
    """
    has_seeds = sa.exists().where(run_seeds.c.run_id == runs.c.run_id)
    is_due = sa.func.coalesce(runs.c.arguments, "").contains('"due": "1"')
    is_idle = sa.and_(sa.func.coalesce(runs.c.outcome, "") == "complete", is_due, sa.not_(has_seeds))
    busy = sa.not_(is_idle)
    found = _runs(connection, sa.select(runs).where(busy).order_by(runs.c.run_id.desc()).limit(limit))
    since = found[-1].run_id if len(found) == limit else 0
    idle = sa.select(sa.func.count()).select_from(runs).where(is_idle, runs.c.run_id > since)
    return found, connection.scalar(idle) or 0


def latest_of_each_harvest(connection: sa.Connection) -> list[PastRun]:
    """Return the last run of each harvest (runs with the same seeds and layers), newest first."""
    last = sa.select(sa.func.max(runs.c.run_id)).group_by(runs.c.scope)
    chosen = sa.select(runs).where(runs.c.run_id.in_(last)).order_by(runs.c.run_id.desc())
    return _runs(connection, chosen)


def _runs(connection: sa.Connection, query: sa.Select[Any]) -> list[PastRun]:
    rows = connection.execute(query).all()
    seeds = (
        sa.select(run_seeds.c.run_id, sa.func.count())
        .where(run_seeds.c.run_id.in_([row.run_id for row in rows]), sa.not_(LEADS_TO_SEEDS))
        .group_by(run_seeds.c.run_id)
    )
    counts = {row[0]: row[1] for row in connection.execute(seeds)}
    signs = _signs_of_life(connection) if on_server(connection) else {}
    return [
        PastRun(
            row.run_id,
            row.spider,
            tuple(row.layers.split(",")),
            row.scope,
            counts.get(row.run_id, 0),
            row.refresh,
            row.started_at,
            row.finished_at,
            row.outcome,
            row.reason,
            row.exit_code,
            json.loads(row.arguments) if row.arguments else {},
            row.config_hash,
            row.version,
            row.requests,
            row.api_origin,
            row.is_sandbox,
            json.loads(row.stats) if row.stats else {},
            *signs.get(row.run_id, (None, None)),
        )
        for row in rows
    ]


def _signs_of_life(connection: sa.Connection) -> dict[int, tuple[bool, str]]:
    """Return for each run with workers whether one may be at work, and the last heartbeat."""
    at_work = {worker.run_id for worker in all_at_work(connection) if not worker.is_dead}
    query = sa.select(workers.c.run_id, sa.func.max(workers.c.heartbeat_at)).group_by(workers.c.run_id)
    return {row[0]: (row[0] in at_work, row[1]) for row in connection.execute(query)}


def seeds_of(connection: sa.Connection, run_id: int, limit: int) -> list[str]:
    """Return up to *limit* seeds of a run, as they were given."""
    query = (
        sa.select(run_seeds.c.given)
        .where(run_seeds.c.run_id == run_id, run_seeds.c.found_by.is_(None))
        .order_by(run_seeds.c.given)
        .limit(limit)
    )
    return list(connection.scalars(query))


def known_seeds(
    connection: sa.Connection, limit: int, track_ids: Collection[int] | None = None
) -> tuple[list[KnownSeed], int]:
    """Return the *limit* latest seeds, and the number of all seeds; with *track_ids*, only of these."""
    latest = (
        sa.select(
            sa.func.min(run_seeds.c.given).label("given"),
            sa.func.max(run_seeds.c.track_id).label("track_id"),
            run_seeds.c.walk_id,
            sa.func.max(run_seeds.c.run_id).label("run_id"),
        )
        .where(
            sa.not_(LEADS_TO_SEEDS),
            sa.true() if track_ids is None else run_seeds.c.track_id.in_(track_ids),
        )
        .group_by(run_seeds.c.walk_id)
        .subquery()
    )
    count = connection.scalar(sa.select(sa.func.count()).select_from(latest)) or 0
    found = (
        sa.select(
            latest.c.given,
            latest.c.track_id,
            tracks.c.title,
            users.c.username,
            walks.c.status,
            sa.case(
                (sa.and_(walks.c.endpoint.in_(LISTS), walks.c.status == "done"), NO_TRACKS),
                else_=walks.c.reason,
            ),
        )
        .join(walks, walks.c.walk_id == latest.c.walk_id)
        .outerjoin(tracks, tracks.c.track_id == latest.c.track_id)
        .outerjoin(users, users.c.user_id == tracks.c.artist_id)
        .order_by(latest.c.run_id.desc(), latest.c.given)
        .limit(limit)
    )
    rows = connection.execute(found).all()
    around = _walks_around(connection, [row.track_id for row in rows if row.track_id is not None])
    return [KnownSeed(*row, around.get(row.track_id, {})) for row in rows], count


def _walks_around(connection: sa.Connection, seeds: Sequence[int]) -> dict[int, dict[str, int]]:
    number = sa.func.count(walks.c.walk_id.distinct())
    query = (
        sa.select(walk_requests.c.seed_id, walks.c.status, number)
        .join(walks, walks.c.walk_id == walk_requests.c.walk_id)
        .where(walk_requests.c.seed_id.in_(seeds))
        .group_by(walk_requests.c.seed_id, walks.c.status)
    )
    found: dict[int, dict[str, int]] = {}
    for seed, status, count in connection.execute(query):
        found.setdefault(seed, {})[status] = count
    return found


def freshness(connection: sa.Connection, days: float) -> Freshness:
    """Return the age of the finished walks, and the number of those finished more than *days* ago."""
    now = datetime.now(UTC)
    before, today = timestamp(now - timedelta(days=days)), timestamp(now)
    finished = walks.c.finished_at
    in_future, known = finished > today, sa.and_(finished > UNKNOWN, finished <= today)
    stale = sa.func.sum(sa.case((sa.or_(finished < before, in_future), 1), else_=0))
    query = sa.select(
        sa.func.min(sa.case((known, finished))),
        sa.func.max(sa.case((known, finished))),
        stale,
        sa.func.sum(sa.case((in_future, 1), else_=0)),
    ).where(walks.c.status.in_(ENDED))
    oldest, newest, count, ahead = connection.execute(query).one()
    return Freshness(oldest, newest, count or 0, ahead or 0)


def rejected(connection: sa.Connection) -> list[Rejected]:
    """Return the rejects in groups, most frequent first."""
    what = (rejects.c.kind, rejects.c.field, rejects.c.reason)
    number = sa.func.count().label("number")
    order = (number.desc(), rejects.c.kind, rejects.c.field.nulls_first(), rejects.c.reason)
    query = sa.select(*what, number).group_by(*what).order_by(*order)
    return [Rejected(*row) for row in connection.execute(query)]
