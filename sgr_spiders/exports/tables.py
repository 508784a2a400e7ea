"""Every table of the database as a file: what was harvested, how, and what was built from it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from sgr_spiders.exports.columnar import schema_of, table_of, write_parts
from sgr_spiders.exports.resource import Field, Resource, fields_of
from sgr_spiders.relationships import TYPES
from sgr_spiders.soundcloud.raw import purge, unpack
from sgr_spiders.storage.rows import describe_tables, read_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sgr_spiders.exports.package import Package
    from sgr_spiders.storage.rows import WholeTable
    from sgr_spiders.storage.store import Connection

FORMATS = {
    "parquet": "every table, compressed with zstd",
    "csv": "every table, UTF-8 with a head line; null is an empty cell",
}
RAW = "raw"
SECRET = "secret_token"  # noqa: S105 - what the address of something private holds
WITHHELD = "(withheld)"
"""In place of a text that holds such an address. None is harvested; a description may still name one."""


def export_tables(
    connection: Connection, package: Package, formats: Sequence[str], *, with_raw: bool
) -> dict[str, int]:
    """Write all tables in all *formats*; give the number of rows of each.

    *with_raw*: with the fields that have no column, as JSON.
    """
    tables = describe_tables(connection, (relationship.table for relationship in TYPES.values()))
    counts = {}
    for suffix in formats:
        files = {table.name: f"{table.name}.{suffix}" for table in tables}
        for table in tables:
            fields = _fields(table, files, with_raw=with_raw)
            path, schema = package.path(files[table.name]), schema_of(fields)
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


def _fields(table: WholeTable, files: dict[str, str], *, with_raw: bool) -> tuple[Field, ...]:
    names = [column.name for column in table.columns if with_raw or column.name != RAW]
    return tuple(
        Field(RAW, "text", "Fields of the API that have no column, JSON") if field.name == RAW else field
        for field in fields_of(table, names, files)
    )


def _parts(connection: Connection, table: WholeTable, schema: pa.Schema) -> Iterator[pa.Table]:
    for columns in read_columns(connection, table, schema.names):
        if RAW in schema.names:
            place = schema.names.index(RAW)
            columns[place] = [_json(packed) for packed in columns[place]]
        yield _without_secrets(table_of(columns, schema))


def _json(packed: bytes | None) -> str | None:
    return None if packed is None else json.dumps(purge(unpack(packed)), ensure_ascii=False)


def _without_secrets(part: pa.Table) -> pa.Table:
    for place, field in enumerate(part.schema):
        if pa.types.is_string(field.type):
            secret = pc.match_substring(part.column(place), SECRET)
            if pc.any(secret).as_py():
                part = part.set_column(place, field, pc.if_else(secret, WITHHELD, part.column(place)))
    return part
