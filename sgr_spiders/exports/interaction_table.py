"""Interactions and features as tables, with ids and indices side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from sgr_spiders.exports.columnar import ROWS_OF_A_GROUP, schema_of, write_parts
from sgr_spiders.exports.edge_index import PARTS, edges_of
from sgr_spiders.exports.resource import Field, Kind, Resource
from sgr_spiders.storage.rows import describe_table
from sgr_spiders.storage.schema import RECORD_TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sgr_spiders.embeddings.preparation import Prepared
    from sgr_spiders.exports.package import Package


def write_parquet(prepared: Prepared, package: Package) -> None:
    """Write the tables as Parquet."""
    _write(prepared, package, "parquet")


def write_csv(prepared: Prepared, package: Package) -> None:
    """Write the tables as CSV."""
    _write(prepared, package, "csv")


def _write(prepared: Prepared, package: Package, suffix: str) -> None:
    users, tracks = f"users.{suffix}", f"tracks.{suffix}"
    fields = (
        Field("user_index", "integer", "Row of the matrix", required=True, refers_to=(users, "index")),
        Field("track_index", "integer", "Column of the matrix", required=True, refers_to=(tracks, "index")),
        Field("user_id", "integer", "The user", required=True),
        Field("track_id", "integer", "The track", required=True),
        Field("weight", "number", "Sum of the weights of the sources that speak for it", required=True),
        Field("part", "text", "`train`, `validation` or `test`", required=True),
    )
    name = f"interactions.{suffix}"
    rows = write_parts(package.path(name), schema_of(fields), _interactions(prepared))
    meaning = "Who did something with which track"
    package.add(Resource(name, meaning, rows=rows, fields=fields, key=("user_index", "track_index")))
    for kind, name, table in (("user", users, prepared.users), ("track", tracks, prepared.tracks)):
        write_parts(package.path(name), table.schema, [table])
        described = _features(kind, table)
        meaning = f"Features of each {kind} in the interactions"
        package.add(Resource(name, meaning, rows=table.num_rows, fields=described, key=("index",)))


def _interactions(prepared: Prepared) -> Iterator[pa.Table]:
    user, track, weight, part = edges_of(prepared)
    names = np.array(PARTS)
    for start in range(0, len(user), ROWS_OF_A_GROUP):
        some = slice(start, start + ROWS_OF_A_GROUP)
        yield pa.table(
            {
                "user_index": user[some],
                "track_index": track[some],
                "user_id": prepared.interactions.users[user[some]],
                "track_id": prepared.interactions.tracks[track[some]],
                "weight": weight[some].astype(float),
                "part": names[part[some]].tolist(),
            }
        )


def _features(kind: str, table: pa.Table) -> tuple[Field, ...]:
    columns = {column.name: column for column in describe_table(RECORD_TABLES[kind]).columns}
    own: dict[str, tuple[Kind, str]] = {
        "index": ("integer", f"Its {'row' if kind == 'user' else 'column'} of the matrix, from 0"),
        "tags": ("list", "Tags"),
    }
    return tuple(
        Field(name, *own[name]) if name in own else Field(name, columns[name].kind, columns[name].meaning)
        for name in table.column_names
    )
