"""Steps of a retention rule: rows to delete, or values to clear, in one table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.storage.server import on_server

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sgr_spiders.storage.store import Connection, Store

BATCH = 5_000
"""Rows per transaction. An interruption undoes at most these, and a rerun resumes with them."""


@dataclass(frozen=True, slots=True)
class Step:
    """The rows *where* something is removed from a table: the values of ``clears``, or else whole rows.

    ``sets`` are the further values of a row whose values are cleared. ``unlisted`` steps keep the ledger
    consistent; they remove nothing, and are not counted.
    """

    rule: str
    table: sa.Table
    where: sa.ColumnElement[bool]
    clears: tuple[str, ...] = ()
    sets: Mapping[str, Any] = field(default_factory=dict)
    unlisted: bool = False

    @property
    def deletes(self) -> bool:
        return not self.clears and not self.sets

    @property
    def empties(self) -> bool:
        """True if nothing that a later step could clear is left of the rows."""
        return self.deletes or "is_stub" in self.sets


@dataclass(frozen=True, slots=True)
class Removed:
    """Rows that a step changes, and the bytes of the values that it removes."""

    rows: int
    bytes: int


def measure(connection: Connection, step: Step, before: Sequence[Step]) -> Removed:
    """Return what *step* removes after the steps *before* it, without changing anything."""
    here = [earlier for earlier in before if earlier.table is step.table]
    emptied = [earlier for earlier in here if earlier.empties or _repeats(step, earlier)]
    left = sa.and_(step.where, sa.not_(_any_of(emptied)))
    columns = step.table.c if step.deletes else [step.table.c[name] for name in step.clears]
    sizes = (
        sa.case(
            (_any_of([earlier for earlier in here if column.name in earlier.clears]), 0),
            else_=_bytes_of(connection, column),
        )
        for column in columns
    )
    size = sum(sizes, start=sa.literal(0))
    query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(size), 0)).select_from(step.table)
    row = connection.execute(query.where(left)).one()
    return Removed(int(row[0]), int(row[1]))


def _repeats(step: Step, earlier: Step) -> bool:
    """Return whether *earlier* has cleared everything that *step* would clear."""
    return bool(step.clears) and set(step.clears) <= set(earlier.clears)


def _any_of(steps: Sequence[Step]) -> sa.ColumnElement[bool]:
    """Return the condition that one of *steps* changes a row; it is never null."""
    return sa.or_(sa.false(), *(sa.func.coalesce(step.where, sa.false()) for step in steps))


def _bytes_of(connection: Connection, column: sa.Column[Any]) -> sa.ColumnElement[int]:
    """Return the size of a value: of numbers as they are printed, on both databases."""
    if isinstance(column.type, sa.LargeBinary):
        size = sa.func.length(column)
    elif not on_server(connection):
        size = sa.func.length(sa.cast(column, sa.LargeBinary))
    else:
        number = sa.cast(column, sa.Integer) if isinstance(column.type, sa.Boolean) else column
        size = sa.func.octet_length(sa.cast(number, sa.Text))
    return sa.func.coalesce(size, 0)


def execute(store: Store, step: Step) -> None:
    """Carry out *step*, in bounded transactions."""
    keys = list(step.table.primary_key.columns)
    last: tuple[Any, ...] | None = None
    while True:
        with store.write() as connection:
            last = _next_key(connection, step, keys, last)
            if last is None:
                return
            _change(connection, step, sa.tuple_(*keys) <= sa.tuple_(*last))


def _next_key(
    connection: Connection, step: Step, keys: Sequence[sa.Column[Any]], last: tuple[Any, ...] | None
) -> tuple[Any, ...] | None:
    """Return the key of the last row of the next batch; ``None`` if there is no row left."""
    beyond = sa.true() if last is None else sa.tuple_(*keys) > sa.tuple_(*last)
    batch = sa.select(*keys).where(step.where, beyond).order_by(*keys).limit(BATCH).subquery()
    query = sa.select(*batch.c).order_by(*(column.desc() for column in batch.c)).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else tuple(row)


def _change(connection: Connection, step: Step, batch: sa.ColumnElement[bool]) -> None:
    if step.deletes:
        connection.execute(sa.delete(step.table).where(batch, step.where))
        return
    values: dict[str, Any] = {**dict.fromkeys(step.clears), **step.sets}
    connection.execute(sa.update(step.table).where(batch, step.where).values(values))
