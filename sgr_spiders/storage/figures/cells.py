"""Counts for studies: how many accounts share a value, and which records are removed."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from sgr_spiders.storage.schema import RECORD_TABLES, metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sgr_spiders.storage.rows import WholeTable

Values = tuple[str | bool | None, ...]
"""The values of some columns of a row."""

HOLDERS: Final = {"users": "user_id", "tracks": "artist_id", "playlists": "owner_id"}
"""The column with the account that a row's values are about, by table."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The rows of a table with the same values in some columns, and the accounts that they are about.

    An account may be among the holders of many cells.
    """

    values: Values
    rows: int
    holders: frozenset[int]


@dataclass(frozen=True, slots=True)
class Significance:
    """The pairs of a table whose significance was ``tested``, and those that are ``significant``."""

    tested: int
    significant: int


def count_significant(connection: sa.Connection, table: WholeTable, level: float) -> Significance:
    """Count the pairs of a table whose share of false discoveries is at most *level*."""
    q = table.source.c.q
    query = sa.select(sa.func.count(q), sa.func.count(sa.case((q <= level, 1))))
    row = connection.execute(query if table.condition is None else query.where(table.condition)).one()
    return Significance(*row)


def count_cells(connection: sa.Connection, table: str, columns: Sequence[str]) -> list[Cell]:
    """Count the present rows of a table by the values of some columns; an empty text counts as unknown."""
    source = metadata.tables[table]
    values = [_value_of(source.c[name]) for name in columns]
    holder = source.c[HOLDERS[table]]
    query = (
        sa.select(*values, holder, sa.func.count())
        .where(source.c.removed_at.is_(None), sa.not_(source.c.is_stub))
        .group_by(*values, holder)
    )
    rows: Counter[Values] = Counter()
    holders: defaultdict[Values, set[int]] = defaultdict(set)
    for *found, account, count in connection.execute(query):
        rows[tuple(found)] += count
        if account is not None:
            holders[tuple(found)].add(account)
    cells = [Cell(found, count, frozenset(holders[found])) for found, count in rows.items()]
    return sorted(cells, key=lambda cell: tuple((value is not None, str(value)) for value in cell.values))


def _value_of(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    return sa.func.nullif(column, "") if isinstance(column.type, sa.Text) else column


def holders_of(cells: Iterable[Cell]) -> frozenset[int]:
    """Return the accounts that these cells are about, each once."""
    return frozenset[int]().union(*(cell.holders for cell in cells))


def read_removed(connection: sa.Connection) -> dict[str, frozenset[int]]:
    """Return the IDs of the records that are not present any more, by kind."""
    return {
        kind: frozenset(
            connection.scalars(sa.select(table.c[f"{kind}_id"]).where(table.c.removed_at.is_not(None)))
        )
        for kind, table in RECORD_TABLES.items()
    }
