"""Read whole tables in batches of rows, and describe their columns."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from sgr_spiders.storage.credited_artists import credited_artists
from sgr_spiders.storage.extent import (
    PRESENT,
    condition_of,
    discoveries_history,
    is_known,
    select_discoveries_as_of,
)
from sgr_spiders.storage.libraries import libraries
from sgr_spiders.storage.schema import Id, metadata
from sgr_spiders.storage.server import on_server
from sgr_spiders.storage.views import DISCOVERIES_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sgr_spiders.storage.extent import Extent
    from sgr_spiders.storage.pairs.tables import PairTable

ROWS_AT_A_TIME = 16_384

_CURSORS = itertools.count()
"""Numbers of the cursors on a server, whose names must differ."""

UNBUFFERED = {"stream_results": False, "yield_per": None}

Columns = list[Sequence[Any]]
"""The values of each column, for a batch of rows."""

Kind = Literal["integer", "number", "boolean", "text", "bytes"]

KINDS: tuple[tuple[type[sa.types.TypeEngine[Any]], Kind], ...] = (
    (sa.Boolean, "boolean"),
    (sa.Integer, "integer"),
    (sa.Float, "number"),
    (sa.LargeBinary, "bytes"),
    (sa.Text, "text"),
)

discoveries = sa.Table(
    "discoveries",
    sa.MetaData(),  # separate, because a view is not created like a table
    *(
        sa.Column(name, Id if name.endswith("_id") else sa.Text, primary_key=True, comment=comment)
        for name, comment in DISCOVERIES_COLUMNS.items()
    ),
    comment="The records that each seed and layer found, and still finds",
)


@dataclass(frozen=True, slots=True)
class WholeColumn:
    """A column. ``refers_to`` names the table and column of its foreign key."""

    name: str
    kind: Kind
    required: bool
    meaning: str
    refers_to: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class WholeTable:
    """A table or view, for callers that use no SQL. Only rows that meet the ``condition`` are read."""

    name: str
    meaning: str
    columns: tuple[WholeColumn, ...]
    key: tuple[str, ...]
    source: sa.FromClause = field(repr=False)
    condition: sa.ColumnElement[bool] | None = field(default=None, repr=False)


def describe_tables(
    connection: sa.Connection, pair_tables: Iterable[PairTable], extent: Extent = PRESENT
) -> tuple[list[WholeTable], list[str]]:
    """Describe the tables and views that exports contain, and the *pair_tables* that exist.

    Return also the names of the tables that do not tell which of their rows belong to *extent*.
    """
    there = set(sa.inspect(connection).get_table_names())
    pairs = [table.as_table() for table in pair_tables if table.name in there]
    views = [
        discoveries,
        libraries,
        credited_artists,
        *([discoveries_history] if extent.include_removed else []),
    ]
    own = [table for table in metadata.tables.values() if not table.info.get("unexported")]
    tables = [*own, *views, *pairs]
    known = [describe_extent(table, extent) for table in tables if is_known(table, extent)]
    return known, [table.name for table in tables if not is_known(table, extent)]


def describe_table(table: sa.Table) -> WholeTable:
    """Describe one table of the schema, with all its rows."""
    columns = tuple(_describe(column) for column in table.columns)
    return WholeTable(
        table.name, table.comment or "", columns, tuple(table.primary_key.columns.keys()), table
    )


def describe_extent(table: sa.Table, extent: Extent) -> WholeTable:
    """Describe the rows of one table that belong to *extent*."""
    described = describe_table(table)
    if extent.as_of is None:
        return replace(described, condition=condition_of(table, extent))
    # What a row refers to now may not have been there.
    columns = tuple(
        column if column.name in described.key else replace(column, refers_to=None)
        for column in described.columns
    )
    if table is discoveries:
        return replace(described, columns=columns, source=select_discoveries_as_of(extent.as_of))
    return replace(described, columns=columns, condition=condition_of(table, extent))


def kind_of(column: sa.Column[Any]) -> Kind:
    """Return the kind of the values in *column*."""
    return next(kind for known, kind in KINDS if isinstance(column.type, known))


def is_time(name: str) -> bool:
    """Return whether a column of text with this name contains times, in ISO 8601 and UTC."""
    return name.endswith("_at") or name in {"not_before", "not_after", "last_modified"}


def _describe(column: sa.Column[Any]) -> WholeColumn:
    targets = [(key.column.table.name, key.column.name) for key in column.foreign_keys]
    return WholeColumn(
        column.name,
        kind_of(column),
        not column.nullable,
        column.comment or "",
        targets[0] if targets else None,
    )


def read_columns(connection: sa.Connection, table: WholeTable, names: Sequence[str]) -> Iterator[Columns]:
    """Yield these columns of all rows, in the order of the table's key, in batches of rows."""
    chosen = [table.source.c[name] for name in names]
    flags = [place for place, column in enumerate(chosen) if isinstance(column.type, sa.Boolean)]
    query = sa.select(*chosen).order_by(
        *(table.source.c[name] for name in table.key or table.source.c.keys())
    )
    if table.condition is not None:
        query = query.where(table.condition)
    for columns in stream(connection, query):
        for place in flags:  # SQLite stores booleans as 0 and 1
            columns[place] = [None if value is None else bool(value) for value in columns[place]]
        yield columns


def stream(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[Columns]:
    """Yield the result of *query* as columns of the driver's values, in batches of rows."""
    for rows in _read(connection, query):
        # `zip` would create an iterator for each row.
        yield [list(map(itemgetter(place), rows)) for place in range(len(query.selected_columns))]


def _read(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[Sequence[Sequence[Any]]]:
    # The driver's own rows: converting them to SQLAlchemy's takes as long as reading them, or longer.
    if on_server(connection):
        yield from _read_from_server(connection, query)
        return
    # An earlier query may have set the connection to buffer rows; the buffer would hold back the first ones.
    result = connection.execute(query, execution_options=UNBUFFERED)
    try:
        while rows := result.cursor.fetchmany(ROWS_AT_A_TIME):
            yield rows
    except sqlite3.Error as error:
        raise sa.exc.DBAPIError(str(query), None, error) from error


def _read_from_server(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[Sequence[Sequence[Any]]]:
    compiled = query.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor(name=f"rows_{next(_CURSORS)}", binary=True) as cursor:
            cursor.execute(str(compiled), compiled.params)
            while rows := cursor.fetchmany(ROWS_AT_A_TIME):
                yield rows
    except connection.dialect.loaded_dbapi.Error as error:
        raise sa.exc.DBAPIError(str(query), None, error) from error


def count_rows(connection: sa.Connection, table: WholeTable) -> int:
    """Count the rows of *table*."""
    query = sa.select(sa.func.count()).select_from(table.source)
    return connection.scalar(query if table.condition is None else query.where(table.condition)) or 0
