"""All tables of the database as files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from sgr_spiders.exports.columnar import build_schema, build_table, parse_times, write_parts
from sgr_spiders.exports.resource import Field, Format, Resource, describe_columns
from sgr_spiders.relationships import TYPES
from sgr_spiders.soundcloud.raw import SECRET, WITHHELD, purge, unpack
from sgr_spiders.storage import dictionaries
from sgr_spiders.storage.extent import PRESENT
from sgr_spiders.storage.rows import describe_tables, read_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sgr_spiders.exports.package import Package
    from sgr_spiders.storage.extent import Extent
    from sgr_spiders.storage.pairs.tables import PairTable
    from sgr_spiders.storage.rows import WholeTable
    from sgr_spiders.storage.store import Connection

FORMATS = {
    "parquet": Format("every table, compressed with zstd"),
    "csv": Format("every table, UTF-8 with a header row; NULL is an empty cell", is_default=False),
}
RAW = "raw"


def export_tables(
    connection: Connection, package: Package, formats: Sequence[str], extent: Extent, *, with_raw: bool
) -> dict[str, int]:
    """Write the rows of all tables that belong to *extent* in all *formats*; return the numbers of rows.

    *with_raw* includes the fields without a column, as JSON.
    """
    if with_raw:
        dictionaries.load(connection)
    tables, _ = describe_tables(connection, _pair_tables(), extent)
    counts = {}
    for suffix in formats:
        files = {table.name: f"{table.name}.{suffix}" for table in tables}
        for table in tables:
            fields = _fields(table, files, with_raw=with_raw)
            path, schema = package.path(files[table.name]), build_schema(fields)
            counts[table.name] = write_parts(path, schema, _parts(connection, table, schema))
            package.add(
                Resource(
                    path=files[table.name],
                    meaning=table.meaning,
                    rows=counts[table.name],
                    fields=fields,
                    key=table.key,
                )
            )
    return counts


def list_tables(connection: Connection, extent: Extent = PRESENT) -> list[WholeTable]:
    """Return the tables that an export contains."""
    return describe_tables(connection, _pair_tables(), extent)[0]


def read_table(
    connection: Connection, table: WholeTable, columns: Sequence[str] | None = None, *, with_raw: bool = False
) -> pa.Table:
    """Return a table as a Parquet file contains it, with times as timestamps; *columns*: some of it."""
    if with_raw:
        dictionaries.load(connection)
    fields = _fields(table, {}, with_raw=with_raw)
    schema = build_schema(field for field in fields if columns is None or field.name in columns)
    parts = [schema.empty_table(), *_parts(connection, table, schema)]
    return parse_times(pa.concat_tables(parts))


def left_out(connection: Connection, extent: Extent) -> list[str]:
    """Return the tables that do not tell which of their rows belong to *extent*."""
    return describe_tables(connection, _pair_tables(), extent)[1]


def _pair_tables() -> list[PairTable]:
    return [relationship.table for relationship in TYPES.values()]


def _fields(table: WholeTable, files: dict[str, str], *, with_raw: bool) -> tuple[Field, ...]:
    names = [column.name for column in table.columns if with_raw or column.name != RAW]
    return tuple(
        Field(RAW, "text", "API fields without a column, JSON") if field.name == RAW else field
        for field in describe_columns(table, names, files)
    )


def _parts(connection: Connection, table: WholeTable, schema: pa.Schema) -> Iterator[pa.Table]:
    for columns in read_columns(connection, table, schema.names):
        if RAW in schema.names:
            index = schema.names.index(RAW)
            columns[index] = [_unpack_json(packed) for packed in columns[index]]
        yield redact_secrets(build_table(columns, schema))


def _unpack_json(packed: bytes | None) -> str | None:
    return None if packed is None else json.dumps(purge(unpack(packed)), ensure_ascii=False)


def redact_secrets(part: pa.Table) -> pa.Table:
    """Return the table without texts that contain the URL of a private record."""
    for index, field in enumerate(part.schema):
        if pa.types.is_string(field.type):
            secret = pc.match_substring(part.column(index), SECRET)
            if pc.any(secret).as_py():
                part = part.set_column(index, field, pc.if_else(secret, WITHHELD, part.column(index)))
    return part
