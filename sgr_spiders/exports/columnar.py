"""Write tables as Parquet or CSV, some thousand rows at a time."""

from __future__ import annotations

import base64
import contextlib
import json
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from sgr_spiders.exports.resource import Field

TYPES = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "text": pa.string(),
    "bytes": pa.binary(),
    "list": pa.list_(pa.string()),
}
FORMATS = ("parquet", "csv")
ROWS_OF_A_GROUP = 65_536
"""Rows that Parquet compresses together, and that are in memory at a time."""


class Sink(Protocol):
    """What takes a table part by part."""

    def write_table(self, table: pa.Table) -> None: ...


def schema_of(fields: Iterable[Field]) -> pa.Schema:
    """Give the columns as Arrow types them."""
    return pa.schema([(field.name, TYPES[field.kind]) for field in fields])


def table_of(columns: Iterable[Sequence[Any]], schema: pa.Schema) -> pa.Table:
    """Make a table of values."""
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def write_parts(path: Path, schema: pa.Schema, parts: Iterable[pa.Table]) -> int:
    """Write all *parts* into one file, whose format its name tells; give the number of rows."""
    rows = 0
    with _open(path, schema) as sink:
        for part in _in_groups(parts, schema):
            sink.write_table(part)
            rows += part.num_rows
    return rows


def _in_groups(parts: Iterable[pa.Table], schema: pa.Schema) -> Iterator[pa.Table]:
    waiting: list[pa.Table] = []
    for part in parts:
        waiting.append(part)
        if sum(one.num_rows for one in waiting) >= ROWS_OF_A_GROUP:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting).cast(schema)


@contextlib.contextmanager
def _open(path: Path, schema: pa.Schema) -> Iterator[Sink]:
    if path.suffix == ".parquet":
        with pa.parquet.ParquetWriter(path, schema, compression="zstd") as writer:
            yield writer
    else:
        with pa.csv.CSVWriter(path, _plain(schema.empty_table()).schema) as writer:
            yield _Plain(writer)


class _Plain:
    """CSV knows neither bytes nor lists: bytes become base64, lists JSON."""

    def __init__(self, writer: pa.csv.CSVWriter) -> None:
        self._writer = writer

    def write_table(self, table: pa.Table) -> None:
        self._writer.write_table(_plain(table))


def _plain(table: pa.Table) -> pa.Table:
    for place, field in enumerate(table.schema):
        if pa.types.is_binary(field.type):
            texts = [
                None if value is None else base64.b64encode(value).decode() for value in _values(table, place)
            ]
        elif pa.types.is_list(field.type):
            texts = [
                None if value is None else json.dumps(value, ensure_ascii=False)
                for value in _values(table, place)
            ]
        else:
            continue
        table = table.set_column(place, field.name, pa.array(texts, pa.string()))
    return table


def _values(table: pa.Table, place: int) -> list[Any]:
    values: list[Any] = table.column(place).to_pylist()
    return values
