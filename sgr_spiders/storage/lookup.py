"""Vectorised work on IDs: read them from the database, find the distinct ones, look them up, hash them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from sgr_spiders.storage.schema import walk_records, walk_requests, walks
from sgr_spiders.storage.views import LISTED_SQL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from sqlalchemy.sql.compiler import SQLCompiler

    Ids = NDArray[np.int64]

VALUES = 256
"""Values, a power of two, to which PostgreSQL joins the IDs of all walks."""

Number = TypeVar("Number", bound=np.integer[Any])


class JoinedIds(sa.sql.functions.FunctionElement[Any]):
    """The SQL function that joins the integers of many rows into one value, for ``parse_ids``."""

    inherit_cache = True
    type = sa.types.NullType()  # the driver's value: text on SQLite, bytes on PostgreSQL


@compiles(JoinedIds)
def _join_texts(joined: JoinedIds, compiler: SQLCompiler, **options: Any) -> str:
    texts: Iterable[sa.ColumnElement[str]] = (sa.cast(column, sa.Text) for column in joined.clauses)
    text = functools.reduce(lambda left, right: left + "," + right, texts)
    return compiler.process(sa.func.aggregate_strings(text, ","), **options)


@compiles(JoinedIds, "postgresql")
def _join_bytes(joined: JoinedIds, compiler: SQLCompiler, **options: Any) -> str:
    parts: Iterable[sa.ColumnElement[Any]] = (
        sa.func.int8send(sa.cast(column, sa.BigInteger)) for column in joined.clauses
    )
    whole = functools.reduce(lambda left, right: left.op("||")(right), parts)
    return compiler.process(sa.func.string_agg(whole, sa.literal_column("''::bytea")), **options)


def join_ids(*columns: sa.ColumnElement[Any]) -> JoinedIds:
    """Return the SQL that joins the IDs of many rows into one value, for ``parse_ids``.

    One value takes a fraction of the time of one row for each ID. Those of several *columns* alternate.
    """
    return JoinedIds(*columns)


def parse_ids(*joined: str | bytes | None) -> Ids:
    """Return the IDs in values of ``join_ids``; ``None`` is the value of no rows."""
    binary = [value for value in joined if isinstance(value, bytes)]
    if binary:
        return np.frombuffer(b"".join(binary), ">i8").astype(np.int64)
    text = ",".join(value for value in joined if isinstance(value, str))
    return np.fromstring(text, np.int64, sep=",") if text else np.empty(0, np.int64)


def ids_of_walk(wanted: sa.Subquery, kind: str, *, include_removed: bool = False) -> sa.ScalarSelect[Any]:
    """Return the SQL for the joined IDs of the records of *kind* of one walk, up to its ``widest`` position.

    *wanted* is a query of ``select_wanted``. A subquery per walk, because a GROUP BY over the records would
    sort them all.
    """
    listed = _select_listed(wanted, kind, include_removed=include_removed)
    return listed.where(walk_records.c.walk_id == wanted.c.walk_id).correlate(wanted).scalar_subquery()


def ids_of_walks(wanted: sa.Subquery, kind: str, *, include_removed: bool = False) -> sa.Select[Any]:
    """Return the same for all walks, whose IDs are joined to some values in any order.

    PostgreSQL joins and groups by hashing, which takes less than a subquery per walk. A value of all IDs
    could exceed the gigabyte that it allows.
    """
    listed = _select_listed(wanted, kind, include_removed=include_removed)
    by_walk = listed.join(wanted, wanted.c.walk_id == walk_records.c.walk_id)
    return by_walk.group_by(walk_records.c.walk_id.bitwise_and(VALUES - 1))


def _select_listed(wanted: sa.Subquery, kind: str, *, include_removed: bool) -> sa.Select[Any]:
    return (
        sa.select(join_ids(walk_records.c.record_id))
        .join_from(walk_records, walks, walks.c.walk_id == walk_records.c.walk_id)
        .where(
            walk_records.c.kind == kind,
            walk_records.c.position < wanted.c.widest,
            sa.true() if include_removed else sa.text(LISTED_SQL),
        )
    )


def select_wanted(*, include_removed: bool = False) -> sa.Select[tuple[int, int]]:
    """Build the query for each walk whose records are discoveries, with its ``widest`` cap.

    Add conditions on ``walk_requests``.
    """
    return (
        sa.select(walk_requests.c.walk_id, sa.func.max(walk_requests.c.widest).label("widest"))
        .where(
            sa.not_(walk_requests.c.selective),
            sa.true() if include_removed else walk_requests.c.removed_at.is_(None),
        )
        .group_by(walk_requests.c.walk_id)
    )


def distinct(values: NDArray[Number]) -> NDArray[Number]:
    """Return the distinct *values*, in ascending order.

    This sorts: ``numpy.unique`` hashes, which takes five times as long if most values are distinct.
    """
    ordered = np.sort(values)
    first = np.concatenate([np.ones(len(ordered[:1]), bool), ordered[1:] != ordered[:-1]])
    kept: NDArray[Number] = ordered[first]
    return kept


def look_up(keys: Ids, values: Ids, wanted: Ids) -> Ids:
    """Return the value of each *wanted* key, or -1 if there is no such key; *keys* must be ascending."""
    if not len(keys):
        return np.full(len(wanted), -1)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, values[at], -1)


def is_among(ids: Ids, known: Ids) -> NDArray[np.bool_]:
    """Return which of *ids* are *known*, which must be ascending."""
    if not len(known):
        return np.zeros(len(ids), bool)
    among: NDArray[np.bool_] = known[np.minimum(np.searchsorted(known, ids), len(known) - 1)] == ids
    return among


def mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return a hash of each of *values*: the output function of SplitMix64 (Steele, Lea, Flood 2014)."""
    mixed = values
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))
