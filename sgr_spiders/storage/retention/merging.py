"""Move rows to another key; where a row is already there, the moved one replaces it.

A user who was harvested again has rows under the real ID and under the pseudonym. The real ones are newer.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.storage.schema import engagements, metadata, walk_pages, walk_records, walk_requests, walks

if TYPE_CHECKING:
    from sgr_spiders.storage.store import Connection

OUT_OF_SCOPE = ""
"""The settings of requests for walks that no run wants: no layer has this fingerprint."""

LIBRARIES = {"user_likes": "like", "user_reposts": "repost"}
"""The lists that contain all engagements of a kind of their user."""


def move_rows(
    connection: Connection,
    column: sa.Column[Any],
    old: object,
    new: object,
    which: sa.ColumnElement[bool] | None = None,
) -> None:
    """Set *column* from *old* to *new* in all rows, or in those of *which*."""
    table = column.table
    of_old, of_new = sa.and_(column == old, _given(which)), sa.and_(column == new, _given(which))
    if old == new or connection.scalar(sa.select(sa.literal(1)).where(of_old).limit(1)) is None:
        return
    if column.primary_key:
        _make_room(connection, column, of_old, of_new)
    connection.execute(sa.update(table).where(of_old).values({column.name: new}))


def _given(which: sa.ColumnElement[bool] | None) -> sa.ColumnElement[bool]:
    return sa.true() if which is None else which


def _make_room(
    connection: Connection,
    column: sa.Column[Any],
    of_old: sa.ColumnElement[bool],
    of_new: sa.ColumnElement[bool],
) -> None:
    """Delete the rows of *of_new* that those of *of_old* replace, which take over ``first_seen_at``."""
    table = column.table
    others = [key for key in table.primary_key.columns if key is not column]
    values = [table.c.first_seen_at] if "first_seen_at" in table.c else []
    for row in connection.execute(sa.select(*others, *values).where(of_new)).all():
        same = [key == row[index] for index, key in enumerate(others)]
        if connection.scalar(sa.select(sa.literal(1)).where(of_old, *same).limit(1)) is None:
            continue
        if values and row[-1] is not None:
            connection.execute(sa.update(table).where(of_old, *same).values(first_seen_at=row[-1]))
        connection.execute(sa.delete(table).where(of_new, *same))


def move_walk(connection: Connection, old: int, new: int, target: str) -> None:
    """Set another target of a walk, and so another ID; no run wants it any more.

    A walk with that ID is an earlier look at the same list: it becomes the generation before.
    """
    walk = connection.execute(sa.select(walks).where(walks.c.walk_id == old)).mappings().one_or_none()
    if walk is None:
        return
    if old != new:
        row = {**walk, "walk_id": new, "target": target}
        earlier = connection.execute(sa.select(walks).where(walks.c.walk_id == new)).mappings().one_or_none()
        if earlier is None:
            connection.execute(sa.insert(walks).values(row))
        else:
            later = int(earlier["generation"]) + 1
            for table in (walk_records, walk_pages):
                shifted = {"generation": table.c.generation + later}
                connection.execute(sa.update(table).where(table.c.walk_id == old).values(shifted))
            row["generation"] = int(walk["generation"]) + later
            _note_removals(connection, row)
            connection.execute(sa.update(walks).where(walks.c.walk_id == new).values(row))
        for column in references_to_walks():
            move_rows(connection, column, old, new)
        if earlier is not None and row["status"] == "done":
            left = sa.and_(walk_records.c.walk_id == new, walk_records.c.generation < row["generation"])
            present = walk_records.c.removed_at.is_(None)
            gone = {"removed_at": row["finished_at"]}
            connection.execute(sa.update(walk_records).where(left, present).values(gone))
        connection.execute(sa.delete(walks).where(walks.c.walk_id == old))
    requests = walk_requests.c.walk_id == new
    connection.execute(sa.update(walk_requests).where(requests).values(settings=OUT_OF_SCOPE))


def _note_removals(connection: Connection, walk: dict[str, Any]) -> None:
    """Mark the engagements of a user that a whole new look at the library has not seen."""
    kind = LIBRARIES.get(walk["endpoint"])
    if kind is None or walk["status"] != "done":
        return
    unseen = sa.and_(
        engagements.c.user_id == int(walk["target"]),
        engagements.c.kind == kind,
        engagements.c.removed_at.is_(None),
        engagements.c.last_seen_at < walk["started_at"],
    )
    values = {"removed_at": walk["finished_at"], "removed_reason": "left_list"}
    connection.execute(sa.update(engagements).where(unseen).values(values))


@functools.cache
def references_to_walks() -> list[sa.Column[Any]]:
    """Return the columns that refer to walks."""
    return [
        column
        for table in metadata.sorted_tables
        for column in table.columns
        for key in column.foreign_keys
        if key.column is walks.c.walk_id
    ]
