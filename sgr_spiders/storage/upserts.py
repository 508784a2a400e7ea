"""Bulk writes that keep the best known values.

SQLAlchemy Core builds the statements, which are compiled once; rows go to the driver as tuples, on
PostgreSQL as arrays. Passing a dictionary per row to Core took 1.8 times the CPU time for a page of 200
tracks. Rows are sorted by key, so that all writers lock them in the same order.
"""

from __future__ import annotations

import functools
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from sgr_spiders.storage.arrays import arrays_of, insert_arrays, one_row_per_key
from sgr_spiders.storage.server import on_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from sqlalchemy.sql.base import ReadOnlyColumnCollection

    Row = tuple[Any, ...]
    from sqlalchemy.dialects import postgresql

    Insert = sqlite.Insert | postgresql.Insert
    Build = Callable[[str, sa.Table], Insert]
    """A function that builds a statement, from the name of a dialect and a table."""
    Writer = Callable[[sa.Connection, sa.Table, Sequence[str], Sequence[Row]], None]
    """A function that writes rows with these columns to a table."""

COUNTS_AN_OUTAGE_ZEROED = {"followers_count"}
"""Columns in which a 0 never replaces a positive count: during an outage the API returned 0 for everyone."""

RELEASE = ("release_year", "release_month", "release_day", "release_date")
"""Columns of a day, which are those of one version: parts of two would be a day that nobody stated."""

SEEN = ("first_seen_at", "last_seen_at")
"""The columns of what was seen, and when; a writer sets both to the current time."""

PRESENCE = (*SEEN, "removed_at", "removed_reason")
"""The columns of what the database knows about presence."""

_STUB = ("is_stub", "fullness", "fetched_at", *SEEN)
"""The columns of a stub besides its key."""


def _writer(build: Build) -> Writer:
    """Return a function that writes rows with the statement of *build*, which is compiled once per table."""

    @functools.cache
    def compiled(dialect: sa.Dialect, table: sa.Table, columns: tuple[str, ...]) -> str:
        insert = build(dialect.name, table)
        if not isinstance(insert, sqlite.Insert):
            return insert_arrays(insert, table, columns, dialect)
        statement = insert.compile(dialect=dialect, column_keys=list(columns))
        if statement.positiontup is None or tuple(statement.positiontup) != columns:
            raise ValueError(f"columns of {table.name} must be in the table's order: {columns!r}")
        return str(statement)

    @functools.wraps(build)
    def write(
        connection: sa.Connection, table: sa.Table, columns: Sequence[str], rows: Sequence[Row]
    ) -> None:
        if not rows:
            return
        statement = compiled(connection.dialect, table, tuple(columns))
        key = _key_of(table, tuple(columns))
        ordered = sorted(rows, key=key)
        if on_server(connection):
            for distinct in one_row_per_key(ordered, key):
                connection.exec_driver_sql(statement, arrays_of(columns, distinct))
        else:
            connection.exec_driver_sql(statement, ordered)

    return write


@functools.cache
def _key_of(table: sa.Table, columns: tuple[str, ...]) -> Callable[[Row], Any]:
    return itemgetter(*(columns.index(column.name) for column in table.primary_key.columns))


def _begin(dialect: str, table: sa.Table) -> Insert:
    if dialect != "postgresql":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - slow to import, and rarely needed

    return postgresql.insert(table)


def _or_change(insert: Insert, table: sa.Table, changes: Mapping[str, Any]) -> Insert:
    """Return the *insert* that makes these *changes* to stored rows."""
    return insert.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=dict(changes))


def _values(table: sa.Table) -> list[str]:
    return [column.name for column in table.columns if not column.primary_key and column.name not in PRESENCE]


def _seen(insert: Insert, table: sa.Table) -> dict[str, Any]:
    """Return the changes of a row that is seen again; none if its table does not tell what is present."""
    changes = {
        "last_seen_at": insert.excluded.get("last_seen_at"),
        "removed_at": sa.null(),
        "removed_reason": sa.null(),
    }
    return {name: change for name, change in changes.items() if name in table.c}


@_writer
def upsert_records(dialect: str, table: sa.Table) -> Insert:
    """Write whole records (tracks, users, playlists).

    A version that is at least as full as the stored one replaces its values; a less full one only fills
    nulls. A null never replaces a value, except beside another year of release. ``access`` is always that of
    the newest version, however full it is. The records are present again, unless only their IDs are known.
    """
    insert = _begin(dialect, table)
    new, old = insert.excluded, table.c
    not_thinner = new.fullness >= old.fullness
    merged: dict[str, sa.ColumnElement[Any]] = {}
    for name in _values(table):
        wanted = (
            sa.func.nullif(new[name], sa.literal_column("0"))
            if name in COUNTS_AN_OUTAGE_ZEROED
            else new[name]
        )
        merged[name] = sa.case(
            (not_thinner, sa.func.coalesce(wanted, old[name], new[name])),
            else_=sa.func.coalesce(old[name], new[name]),
        )
    if "release_date" in merged:
        merged |= _merge_release(new, old, not_thinner)
    merged["fullness"] = sa.case((not_thinner, new.fullness), else_=old.fullness)
    merged["is_stub"] = sa.and_(new.is_stub, old.is_stub)
    if "access" in merged:
        merged["access"] = sa.func.coalesce(new.access, old.access)
    # ``counter_history.note_changes`` moves it.
    merged["counted_at"] = sa.func.coalesce(old.counted_at, new.counted_at)
    merged |= _seen(insert, table)
    # A reference to a removed record does not bring it back.
    for name in ("removed_at", "removed_reason"):
        merged[name] = sa.case((new.is_stub, old[name]), else_=None)
    return _or_change(insert, table, merged)


def _merge_release(
    new: ReadOnlyColumnCollection[str, Any],
    old: ReadOnlyColumnCollection[str, Any],
    not_thinner: sa.ColumnElement[bool],
) -> dict[str, sa.ColumnElement[Any]]:
    """Return the changes of the day of release: the new one if it is stated, or if none is known."""
    is_stated = sa.or_(new.release_year.is_not(None), new.release_date.is_not(None))
    is_unknown = sa.and_(*(old[name].is_(None) for name in RELEASE))
    takes_new = sa.or_(sa.and_(not_thinner, is_stated), is_unknown)
    return {name: sa.case((takes_new, new[name]), else_=old[name]) for name in RELEASE}


@_writer
def upsert_engagements(dialect: str, table: sa.Table) -> Insert:
    """Write engagements; stored ones have been seen again, and their intervals become narrower.

    The result is the common part of both intervals. If there is none, and the new one allows it, the
    engagement was taken back and given again: only the new one counts. Otherwise one of them is wrong, and
    the result contains both. An engagement that returns after it was removed is another one.
    """
    insert = _begin(dialect, table)
    return _or_change(insert, table, _seen(insert, table) | _narrow(insert.excluded, table.c))


def _narrow(
    new: ReadOnlyColumnCollection[str, Any], old: ReadOnlyColumnCollection[str, Any]
) -> dict[str, Any]:
    """Return the changes of an interval; a comparison with an unknown end is never true."""
    is_later, is_earlier = new.not_before > old.not_after, old.not_before > new.not_after
    is_another = sa.or_(old.removed_at.is_not(None), sa.and_(is_later, new.not_after >= old.last_seen_at))
    return {
        "not_before": sa.case(
            (is_another, new.not_before),
            (is_later, old.not_before),
            (is_earlier, new.not_before),
            (old.not_before > new.not_before, old.not_before),
            else_=sa.func.coalesce(new.not_before, old.not_before),
        ),
        "not_after": sa.case(
            (is_another, new.not_after),
            (is_later, new.not_after),
            (is_earlier, old.not_after),
            (old.not_after < new.not_after, old.not_after),
            else_=sa.func.coalesce(new.not_after, old.not_after),
        ),
    }


@_writer
def place_tracks(dialect: str, table: sa.Table) -> Insert:
    """Write the places of tracks in whole lists of playlists."""
    insert = _begin(dialect, table)
    place = {"position": insert.excluded.position, "next_position": sa.null()}
    return _or_change(insert, table, place | _seen(insert, table))


@_writer
def note_places(dialect: str, table: sa.Table) -> Insert:
    """Write the places of tracks in a list of a playlist that is not whole yet.

    Stored tracks keep their ``position`` until the list is whole.
    """
    insert = _begin(dialect, table)
    place = {"next_position": insert.excluded.next_position}
    return _or_change(insert, table, place | _seen(insert, table))


@_writer
def upsert_latest(dialect: str, table: sa.Table) -> Insert:
    """Write rows whose newest version replaces older ones, except that a null never replaces a value.

    If their table tells what is present, they are present again.
    """
    insert = _begin(dialect, table)
    newest = {name: sa.func.coalesce(insert.excluded[name], table.c[name]) for name in _values(table)}
    return _or_change(insert, table, newest | _seen(insert, table))


@_writer
def insert_new(dialect: str, table: sa.Table) -> Insert:
    """Write the rows whose keys are not stored yet."""
    return _begin(dialect, table).on_conflict_do_nothing()


@_writer
def place_records(dialect: str, table: sa.Table) -> Insert:
    """Write positions in a walk: the first position of a generation wins, a newer generation replaces it.

    The records are present in the walk again.
    """
    insert = _begin(dialect, table)
    new, old = insert.excluded, table.c
    sooner = sa.or_(new.generation > old.generation, new.position < old.position)
    place = {
        "position": sa.case((sooner, new.position), else_=old.position),
        "generation": new.generation,
        "removed_at": sa.null(),
    }
    return _or_change(insert, table, place)


@_writer
def add_walks(dialect: str, table: sa.Table) -> Insert:
    """Write new walks; of stored ones, update only the number of records to expect."""
    insert = _begin(dialect, table)
    expected = sa.func.coalesce(insert.excluded.expected, table.c.expected)
    return _or_change(insert, table, {"expected": expected})


@_writer
def upsert_walk_requests(dialect: str, table: sa.Table) -> Insert:
    """Write requests for walks. If its settings changed, the layer is shown the walk from the start."""
    insert = _begin(dialect, table)
    new, old = insert.excluded, table.c
    changes = {
        "cap": new.cap,
        "widest": sa.case((new.cap > old.widest, new.cap), else_=old.widest),
        "expanded": sa.case((new.settings == old.settings, old.expanded), else_=new.expanded),
        "inline_cap": new.inline_cap,
        "settings": new.settings,
        "removed_at": sa.null(),
    }
    return _or_change(insert, table, changes)


def insert_unknown(
    connection: sa.Connection,
    table: sa.Table,
    columns: Sequence[str],
    rows: Sequence[Row],
    stub_ids: AbstractSet[int],
    now: str,
) -> Sequence[Row]:
    """Write a stub for each of *stub_ids* that has no row; return the *rows* left for ``upsert_records``.

    On a server, records without a row are written here, too.
    """
    if on_server(connection):
        return _insert_unknown(connection, table, columns, rows, stub_ids, now)
    insert_stubs(connection, table, stub_ids, now)
    return rows


def _insert_unknown(
    connection: sa.Connection,
    table: sa.Table,
    columns: Sequence[str],
    rows: Sequence[Row],
    stub_ids: AbstractSet[int],
    now: str,
) -> list[Row]:
    """Insert the records and stubs that have no row, in one statement; return the other records.

    If a writer locked stored rows before it inserts others, or inserted stubs and records separately, two
    writers could wait for each other.
    """
    (key_column,) = table.primary_key.columns
    key = _key_of(table, tuple(columns))
    stubs = [
        tuple(map(dict(zip((key_column.name, *_STUB), row, strict=True)).get, columns))
        for row in _stub_rows(stub_ids, now)
    ]
    if not (ordered := sorted([*rows, *stubs], key=key)):
        return []
    firsts, *others = one_row_per_key(ordered, key)
    statement = _insert_returning_key(connection.dialect, table, tuple(columns))
    result = connection.exec_driver_sql(statement, arrays_of(columns, firsts))
    done = {*stub_ids, *result.scalars()}
    return [row for row in firsts if key(row) not in done] + [row for rest in others for row in rest]


@functools.cache
def _insert_returning_key(dialect: sa.Dialect, table: sa.Table, columns: tuple[str, ...]) -> str:
    insert = _begin(dialect.name, table).on_conflict_do_nothing()
    return insert_arrays(insert.returning(*table.primary_key.columns), table, columns, dialect)


def insert_stubs(connection: sa.Connection, table: sa.Table, ids: Iterable[int], now: str) -> None:
    """Write a stub for each of *ids* that has no row, so that other rows can refer to it."""
    (key,) = table.primary_key.columns
    insert_new(connection, table, (key.name, *_STUB), _stub_rows(ids, now))


def _stub_rows(ids: Iterable[int], now: str) -> list[Row]:
    return [(record_id, True, 0, now, now, now) for record_id in ids]
