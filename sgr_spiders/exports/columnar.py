"""Write tables as Parquet or CSV, in groups of rows. Times are timestamps in Parquet, and text in CSV."""

from __future__ import annotations

import base64
import contextlib
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from sgr_spiders.storage.rows import is_time

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
TIME = pa.timestamp("us", "UTC")
"""The type of times in Parquet."""
FORMULA = r"\A('*[-=+@\t\r\n\x{FF0B}\x{FF0D}\x{FF1D}\x{FF20}])"
"""The beginning of a text that spreadsheets run as a formula, also with full-width characters. An apostrophe
before it makes it text. Apostrophes that are there already get one more, so that removing one restores any
text."""
CSV_NOTE = (
    "A text that a spreadsheet would run as a formula (it begins with =, +, -, @, these in full width, "
    "a tab or a line end) has an apostrophe before it; remove one apostrophe to restore it."
)
"""The description of this for readers of a CSV file."""
ROWS_PER_GROUP = 65_536
"""Rows per Parquet row group, and rows in memory at a time."""


class Sink(Protocol):
    """A writer that receives a table in parts."""

    def write_table(self, table: pa.Table) -> None: ...


def build_schema(fields: Iterable[Field]) -> pa.Schema:
    """Return the Arrow schema of *fields*."""
    return pa.schema([(field.name, TYPES[field.kind]) for field in fields])


def build_table(columns: Iterable[Sequence[Any]], schema: pa.Schema) -> pa.Table:
    """Build an Arrow table of *columns*."""
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def write_parts(path: Path, schema: pa.Schema, parts: Iterable[pa.Table]) -> int:
    """Write all *parts* into one file in the format of its suffix; return the number of rows."""
    rows = 0
    with _open(path, schema) as sink:
        for part in _group(parts, schema):
            sink.write_table(part)
            rows += part.num_rows
    return rows


def _group(parts: Iterable[pa.Table], schema: pa.Schema) -> Iterator[pa.Table]:
    pending: list[pa.Table] = []
    for part in parts:
        pending.append(part)
        if sum(table.num_rows for table in pending) >= ROWS_PER_GROUP:
            yield pa.concat_tables(pending)
            pending = []
    if pending:
        yield pa.concat_tables(pending).cast(schema)


@contextlib.contextmanager
def _open(path: Path, schema: pa.Schema) -> Iterator[Sink]:
    if path.suffix == ".parquet":
        with pa.parquet.ParquetWriter(
            path, parse_times(schema.empty_table()).schema, compression="zstd"
        ) as writer:
            yield _ParquetSink(writer)
    else:
        with pa.csv.CSVWriter(path, _encode(schema.empty_table()).schema) as writer:
            yield _CsvSink(writer)


def parse_times(table: pa.Table) -> pa.Table:
    """Return the table with its times as timestamps, null for a text that is not a time."""
    for index, field in enumerate(table.schema):
        if is_time(field.name) and pa.types.is_string(field.type):
            try:
                times = table.column(index).cast(TIME)
            except pa.ArrowInvalid:
                times = pa.array(list(map(_parse_time, _values(table, index))), TIME)
            table = table.set_column(index, field.name, times)
    return table


def _parse_time(text: str | None) -> datetime | None:
    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError:
        return None


class _ParquetSink:
    """A Parquet writer."""

    def __init__(self, writer: pa.parquet.ParquetWriter) -> None:
        self._writer = writer

    def write_table(self, table: pa.Table) -> None:
        self._writer.write_table(parse_times(table))


class _CsvSink:
    """A CSV writer; bytes become base64 and lists become JSON, because CSV has no types for them.

    Text that a spreadsheet would run as a formula gets an apostrophe.
    """

    def __init__(self, writer: pa.csv.CSVWriter) -> None:
        self._writer = writer

    def write_table(self, table: pa.Table) -> None:
        self._writer.write_table(_encode(table))


def _encode(table: pa.Table) -> pa.Table:
    for index, field in enumerate(table.schema):
        column: pa.ChunkedArray | pa.Array = table.column(index)
        if pa.types.is_binary(field.type):
            texts = [
                None if value is None else base64.b64encode(value).decode() for value in _values(table, index)
            ]
            column = pa.array(texts, pa.string())
        elif pa.types.is_list(field.type):
            texts = [
                None if value is None else json.dumps(value, ensure_ascii=False)
                for value in _values(table, index)
            ]
            column = pa.array(texts, pa.string())
        if pa.types.is_string(column.type):
            safe = pc.replace_substring_regex(column, FORMULA, r"'\1")
            table = table.set_column(index, field.name, safe)
    return table


def _values(table: pa.Table, index: int) -> list[Any]:
    values: list[Any] = table.column(index).to_pylist()
    return values
