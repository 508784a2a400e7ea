"""Every table, cell by cell, as read by pandas, polars and Python's csv module."""

from __future__ import annotations

import base64
import csv
import json
import re
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import frictionless
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sgr_spiders.exports import columnar
from sgr_spiders.exports.columnar import build_schema, build_table, write_parts
from sgr_spiders.exports.resource import Field
from sgr_spiders.relationships import TYPES
from sgr_spiders.soundcloud.raw import WITHHELD
from sgr_spiders.storage.schema import metadata
from tests.databases import column_names, connect
from tests.exports.conftest import AWKWARD, SECRET_ADDRESS, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

UNEXPORTED = {"tombstones", "tombstone_salt", "exports"}
PAIRS = [relationship.table.as_table() for relationship in TYPES.values()]
TABLES = {
    *(metadata.tables.keys() - UNEXPORTED),
    "discoveries",
    "libraries",
    "credited_artists",
    *(table.name for table in PAIRS),
}


def columns_of(harvest: Path, table: str) -> list[str]:
    with closing(connect(harvest)) as connection:
        names = [name for name in column_names(connection, table) if name != "raw"]
    # Migrations add columns at the end; files have the order of the schema.
    known = {known.name: known for known in [*metadata.tables.values(), *PAIRS]}.get(table)
    order = [] if known is None else known.columns.keys()
    return sorted(names, key=order.index) if order else names


def wanted_rows(harvest: Path, table: str) -> list[tuple[Any, ...]]:
    rows = rows_of(harvest, f"SELECT {', '.join(columns_of(harvest, table))} FROM {table}")  # noqa: S608 - our own names
    hidden = f"listen: {SECRET_ADDRESS}"
    return sorted((tuple(WITHHELD if cell == hidden else cell for cell in row) for row in rows), key=repr)


def test_parquet_contains_every_cell(harvest: Path, exporting: Callable[..., Any], tmp_path: Path) -> None:
    exported = exporting(None)
    assert {file.resource.path for file in exported.files} == {f"{table}.parquet" for table in TABLES}
    for table in sorted(TABLES):
        found = pl.read_parquet(tmp_path / "out" / f"{table}.parquet")
        assert found.columns == columns_of(harvest, table)
        assert sorted(found.rows(), key=repr) == sorted(
            as_python(wanted_rows(harvest, table), found), key=repr
        )
        assert exported.counts[table] == found.height
    assert exported.counts["discoveries"] == 53
    frame = pd.read_parquet(tmp_path / "out" / "tracks.parquet").set_index("track_id")
    assert frame.loc[110, "title"] == AWKWARD
    assert frame.loc[110, "playback_count"] == 2**40


def as_python(rows: list[tuple[Any, ...]], frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    """Convert the integers of boolean columns and the texts of times, because SQLite has neither type."""
    return [tuple(_as_kind(cell, kind) for cell, kind in zip(row, frame.dtypes, strict=True)) for row in rows]


def _as_kind(cell: Any, kind: pl.DataType) -> Any:  # noqa: ANN401 - a cell of any type
    if cell is None:
        return None
    if isinstance(kind, pl.Datetime):
        return datetime.fromisoformat(cell) if cell else None
    return bool(cell) if kind == pl.Boolean else cell


def test_times_are_timestamps_in_parquet(exporting: Callable[..., Any], tmp_path: Path) -> None:
    exporting("tables", ["parquet"])
    schema = pl.read_parquet_schema(tmp_path / "out" / "tracks.parquet")
    times = {name for name, kind in schema.items() if kind == pl.Datetime("us", "UTC")}
    seen = {"fetched_at", "counted_at", "first_seen_at", "last_seen_at", "removed_at"}
    assert times == {"created_at", "last_modified"} | seen
    assert pl.read_parquet_schema(tmp_path / "out" / "walks.parquet")["capped_at"] == pl.Int64


def test_a_text_that_is_not_a_time_is_null(tmp_path: Path) -> None:
    schema = build_schema([Field("seen_at", "text", "")])
    texts = ["yesterday", "", None, "2026-01-02T03:04:05.000006Z"]
    write_parts(tmp_path / "x.parquet", schema, [build_table([texts], schema)])
    seen = pl.read_parquet(tmp_path / "x.parquet")["seen_at"].to_list()
    assert seen == [None, None, None, datetime(2026, 1, 2, 3, 4, 5, 6, UTC)]


def test_csv_contains_every_cell_and_is_valid_for_frictionless(
    harvest: Path, exporting: Callable[..., Any], tmp_path: Path
) -> None:
    exporting("tables", ["csv"])
    for table in sorted(TABLES):
        with (tmp_path / "out" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            head, *rows = list(csv.reader(file))
        assert head == columns_of(harvest, table)
        flags = [name in FLAGS for name in head]
        wanted = [
            tuple(as_text(cell, flag=flag) for cell, flag in zip(row, flags, strict=True))
            for row in wanted_rows(harvest, table)
        ]
        assert sorted(map(tuple, rows)) == sorted(wanted)
    report = frictionless.validate(str(tmp_path / "out" / "datapackage.json"))
    assert report.valid, report.flatten(["name", "message"])[:5]
    assert report.stats["tasks"] == len(TABLES)


FLAGS = {
    column.name
    for table in [*metadata.tables.values(), *PAIRS]
    for column in table.columns
    if str(column.type) == "BOOLEAN"
}


def as_text(cell: Any, *, flag: bool) -> str:  # noqa: ANN401 - a cell of any type
    if cell is None:
        return ""
    if flag:
        return "true" if cell else "false"
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def test_frictionless_finds_a_changed_file(exporting: Callable[..., Any], tmp_path: Path) -> None:
    """Prove that the validation in the test above can fail."""
    exporting("tables", ["csv"])
    path = tmp_path / "out" / "engagements.csv"
    path.write_text(path.read_text().replace("like", "love", 1))
    report = frictionless.validate(str(tmp_path / "out" / "datapackage.json"))
    assert not report.valid


def test_raw_fields_are_exported_on_request(exporting: Callable[..., Any], tmp_path: Path) -> None:
    for suffix in ("parquet", "csv"):
        exporting("tables", [suffix])
        read = pl.read_parquet if suffix == "parquet" else pl.read_csv
        path = tmp_path / "out" / f"tracks.{suffix}"
        assert "raw" not in read(path).columns
        exporting("tables", [suffix], with_raw=True)
        (text,) = read(path)["raw"].drop_nulls().to_list()
        assert json.loads(text) == {"mood": AWKWARD, "nested": {"list": [1, None]}}


def test_private_urls_are_redacted(exporting: Callable[..., Any], tmp_path: Path) -> None:
    exporting("tables", ["parquet", "csv"], with_raw=True)
    tracks = pl.read_parquet(tmp_path / "out" / "tracks.parquet")
    assert tracks.filter(pl.col("track_id") == 111)["description"].to_list() == [WITHHELD]
    assert "opensesame" not in (tmp_path / "out" / "tracks.csv").read_text(encoding="utf-8")


def test_types_without_csv_equivalent(tmp_path: Path) -> None:
    fields = [Field("vector", "bytes", ""), Field("tags", "list", ""), Field("n", "integer", "")]
    schema = build_schema(fields)
    part = build_table([[b"\x00\xff", None], [["a,b", 'c"'], None], [1, None]], schema)
    write_parts(tmp_path / "x.csv", schema, [part])
    with (tmp_path / "x.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["vector", "tags", "n"],
            ["AP8=", '["a,b", "c\\""]', "1"],
            ["", "", ""],
        ]
    write_parts(tmp_path / "x.parquet", schema, [part])
    assert pl.read_parquet(tmp_path / "x.parquet").rows() == part_rows(part)


FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@x",
    "\t=1",
    "\r=1",
    "\n=1",
    "\uff1d1",
    "\uff0b1",
    "\uff0d1",
    "\uff20x",
    "'=1",
    "''+1",
]
PLAIN = ["", "a=b", "'tis", "it's -1", " =1", "''", "(1)", "日本 - =1"]


def test_a_formula_is_text_in_a_spreadsheet_and_can_be_restored(tmp_path: Path) -> None:
    fields = [Field("title", "text", ""), Field("code", "bytes", ""), Field("n", "integer", "")]
    schema = build_schema(fields)
    texts = [*FORMULAS, *PLAIN]
    codes = [base64.b64decode("+AAA"), *([b""] * (len(texts) - 1))]
    write_parts(tmp_path / "x.csv", schema, [build_table([texts, codes, [-1] * len(texts)], schema)])
    with (tmp_path / "x.csv").open(encoding="utf-8", newline="") as file:
        _, *rows = list(csv.reader(file))
    found = [row[0] for row in rows]
    assert found == [*(f"'{text}" for text in FORMULAS), *PLAIN]
    assert [re.sub(r"^'('*[-=+@\t\r\n\uff0b\uff0d\uff1d\uff20])", r"\1", text) for text in found] == texts
    assert rows[0][1:] == ["'+AAA", "-1"]


def test_the_package_describes_what_becomes_of_formulas(
    exporting: Callable[..., Any], tmp_path: Path
) -> None:
    exporting("tables", ["csv"])
    described = json.loads((tmp_path / "out" / "datapackage.json").read_text(encoding="utf-8"))
    (tracks,) = [resource for resource in described["resources"] if resource["path"] == "tracks.csv"]
    assert tracks["description"].endswith(columnar.CSV_NOTE)


def part_rows(part: pa.Table) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in part.to_pylist()]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_only_one_group_is_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    monkeypatch.setattr(columnar, "ROWS_PER_GROUP", 10)
    schema = build_schema([Field("n", "integer", "")])
    before = pa.total_allocated_bytes()
    held = []

    def parts() -> Iterator[pa.Table]:
        for start in range(0, 200_000, 4_000):
            yield build_table([list(range(start, start + 4_000))], schema)
            held.append(pa.total_allocated_bytes() - before)

    path = tmp_path / f"x.{suffix}"
    assert write_parts(path, schema, parts()) == 200_000
    read = pl.read_parquet if suffix == "parquet" else pl.read_csv
    assert read(path)["n"].to_list() == list(range(200_000))
    assert max(held) < 200_000 * 8 / 2
    if suffix == "parquet":
        assert pa.parquet.ParquetFile(path).metadata.num_row_groups == 50


def test_an_empty_table(tmp_path: Path) -> None:
    schema = build_schema([Field("n", "integer", "")])
    for suffix in ("csv", "parquet"):
        assert write_parts(tmp_path / f"x.{suffix}", schema, []) == 0
    assert (tmp_path / "x.csv").read_text() == '"n"\n'
    assert pl.read_parquet(tmp_path / "x.parquet").shape == (0, 1)
