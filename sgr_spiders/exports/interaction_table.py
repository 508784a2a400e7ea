"""Interactions and features as tables with IDs and matrix indices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from sgr_spiders.embeddings.pair_times import DATED
from sgr_spiders.exports.columnar import ROWS_PER_GROUP, build_schema, write_parts
from sgr_spiders.exports.edge_index import PARTS, collect_edges
from sgr_spiders.exports.resource import Field, Kind, Resource
from sgr_spiders.storage.rows import describe_table
from sgr_spiders.storage.schema import RECORD_TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sgr_spiders.embeddings.preparation import TrainingData
    from sgr_spiders.exports.package import Package

DATED_SOURCES = " or ".join(DATED)


def write_parquet(data: TrainingData, package: Package) -> None:
    """Write the tables as Parquet."""
    _write(data, package, "parquet")


def write_csv(data: TrainingData, package: Package) -> None:
    """Write the tables as CSV."""
    _write(data, package, "csv")


def _write(data: TrainingData, package: Package, suffix: str) -> None:
    users, tracks = f"users.{suffix}", f"tracks.{suffix}"
    fields = (
        Field("user_index", "integer", "Row of the matrix", required=True, refers_to=(users, "index")),
        Field("track_index", "integer", "Column of the matrix", required=True, refers_to=(tracks, "index")),
        Field("user_id", "integer", "The user", required=True),
        Field("track_id", "integer", "The track", required=True),
        Field("weight", "number", "Sum of the weights of its sources", required=True),
        Field("part", "text", "`train`, `validation` or `test`", required=True),
        Field(
            "not_before",
            "text",
            f"Start of the interval of the first of its {DATED_SOURCES}; null if unknown",
        ),
        Field("not_after", "text", "End of this interval; null if unknown"),
    )
    name = f"interactions.{suffix}"
    rows = write_parts(package.path(name), build_schema(fields), _interactions(data))
    meaning = "Interactions of users and tracks"
    package.add(Resource(name, meaning, rows=rows, fields=fields, key=("user_index", "track_index")))
    for kind, name, table in (("user", users, data.users), ("track", tracks, data.tracks)):
        write_parts(package.path(name), table.schema, [table])
        fields_of_kind = _describe_features(kind, table)
        meaning = f"Features of each {kind} in the interactions"
        package.add(Resource(name, meaning, rows=table.num_rows, fields=fields_of_kind, key=("index",)))


def _interactions(data: TrainingData) -> Iterator[pa.Table]:
    user, track, weight, part = collect_edges(data)
    names = np.array(PARTS)
    times = data.times
    for start in range(0, len(user), ROWS_PER_GROUP):
        rows = slice(start, start + ROWS_PER_GROUP)
        ends = (None, None) if times is None else times.at(user[rows], track[rows])
        yield pa.table(
            {
                "user_index": user[rows],
                "track_index": track[rows],
                "user_id": data.interactions.users[user[rows]],
                "track_id": data.interactions.tracks[track[rows]],
                "weight": weight[rows].astype(float),
                "part": names[part[rows]].tolist(),
                "not_before": _to_text(ends[0], len(user[rows])),
                "not_after": _to_text(ends[1], len(user[rows])),
            }
        )


def _to_text(times: NDArray[np.datetime64] | None, count: int) -> pa.Array:
    """Return times in the format of the database; null if unknown."""
    if times is None:
        return pa.nulls(count, pa.string())
    texts = np.datetime_as_string(times, unit="us")
    return pa.array([None if text == "NaT" else f"{text}Z" for text in texts.tolist()], pa.string())


def _describe_features(kind: str, table: pa.Table) -> tuple[Field, ...]:
    columns = {column.name: column for column in describe_table(RECORD_TABLES[kind]).columns}
    own: dict[str, tuple[Kind, str]] = {
        "index": ("integer", f"{'Row' if kind == 'user' else 'column'} of the matrix, from 0"),
        "tags": ("list", "Tags"),
    }
    return tuple(
        Field(name, *own[name]) if name in own else Field(name, columns[name].kind, columns[name].meaning)
        for name in table.column_names
    )
