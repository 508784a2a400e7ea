"""Write many rows to PostgreSQL with one statement, whose parameters are one array per column.

A page is one round trip per table, and one execution of a prepared statement: a quarter of the time of
``executemany``. COPY into a temporary table followed by the same statement takes longer for the rows of a
page: two more round trips, and a table to empty at each commit (``python -m tests.benchmarks.postgres``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    Row = tuple[Any, ...]


def insert_arrays(insert: sa.Insert, table: sa.Table, columns: Sequence[str], dialect: sa.Dialect) -> str:
    """Return the text of the *insert* for the rows in arrays that are named like the *columns*."""
    arrays = (sa.cast(sa.bindparam(name, type_=sa.Text), sa.ARRAY(table.c[name].type)) for name in columns)
    rows = sa.func.unnest(*arrays).table_valued(*columns, name="new_rows").render_derived()
    statement = insert.from_select(list(columns), sa.select(*rows.c), include_defaults=False)
    return str(statement.compile(dialect=dialect))


def arrays_of(columns: Sequence[str], rows: Sequence[Row]) -> dict[str, str]:
    """Return the values of each column as the text of an array."""
    return dict(zip(columns, map(as_array, zip(*rows, strict=True)), strict=True))


def one_row_per_key(rows: Sequence[Row], key: Callable[[Row], Any]) -> Iterator[list[Row]]:
    """Yield *rows*, which are sorted by *key*, in lists of distinct keys; rows of a key keep their order.

    A statement cannot change the same row twice.
    """
    while rows:
        firsts: list[Row] = []
        others: list[Row] = []
        last: Any = object()
        for row in rows:
            this = key(row)
            (others if this == last else firsts).append(row)
            last = this
        yield firsts
        rows = others


def as_array(values: Iterable[Any]) -> str:
    """Return *values* as the text of an array, which the driver passes on much faster than a list."""
    return "{" + ",".join([_ELEMENTS[type(value)](value) for value in values]) + "}"


def _quote(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


_ELEMENTS: dict[type, Callable[[Any], str]] = {
    bool: lambda value: "t" if value else "f",
    bytes: lambda value: f'"\\\\x{value.hex()}"',
    float: repr,
    int: str,
    str: _quote,
    type(None): lambda _: "NULL",
}
"""The text of an element of an array, by the type of its value."""
