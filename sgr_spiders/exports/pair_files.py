"""Relationships as Parquet files, without a database."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sgr_spiders import __version__
from sgr_spiders.exports import datapackage, manifest
from sgr_spiders.exports.columnar import build_schema, write_parts
from sgr_spiders.exports.package import open_package
from sgr_spiders.exports.resource import Resource, describe_columns
from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.model.versions import package_versions
from sgr_spiders.relationships.build import PairSearch
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.rows import describe_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sgr_spiders.exports.package import Package
    from sgr_spiders.relationships.base import RelationshipType
    from sgr_spiders.relationships.build import Environment
    from sgr_spiders.relationships.pairs import FoundPairs

PURPOSE = "relationships"
OWN = ("version", "packages", "relationships")
"""Parts of the origin that are not those of the input."""
INPUT = ("purpose", "formats", "rows", "parameters", "counts", "left_out", "files", "created_at")
"""Parts of the manifest of an export that are about its own files."""


def write_pairs(
    directory: Path,
    types: Iterable[RelationshipType],
    environment: Environment,
    origin: Mapping[str, Any],
) -> tuple[dict[str, int], set[str]]:
    """Write the pairs of each type to ``<table>.parquet``, replacing an earlier result in *directory*.

    *origin* says where the input is from. Returns the number of rows by table, and the tables
    that the limit cut.

    Raises:
        ArgumentError: *directory* contains an export for another purpose.
        StorageError: *directory* cannot be written.
    """
    counts: dict[str, int] = {}
    limited: set[str] = set()
    built: dict[str, dict[str, Any]] = {}
    with open_package(directory, PURPOSE) as package:
        for relationship in types:
            # On the disk of the result, as the pairs may not fit into memory.
            with tempfile.TemporaryDirectory(prefix=".relating-", dir=directory) as work:
                search = PairSearch(relationship, environment, Path(work))
                try:
                    counts[relationship.table.name] = _write(package, search)
                except MemoryError:
                    raise StorageError(f"{relationship.table.name}: not enough memory") from None
            if search.limited is not None:
                limited.add(relationship.table.name)
            built[relationship.table.name] = {
                "type": relationship.name,
                "algorithm": search.algorithm,
                "parameters": search.parameters(),
                "inputs": search.inputs(),
                "rows": search.rows,
            }
        packed, created_at = package.list_files(), timestamp()
        package.describe(
            datapackage.describe(PURPOSE, "present", created_at, origin["source"], packed),
            {
                "created_at": created_at,
                **{name: value for name, value in origin.items() if name not in {*OWN, *INPUT}},
                "version": __version__,
                "packages": package_versions(),
                "relationships": built,
                "purpose": PURPOSE,
                "formats": ["parquet"],
                "counts": counts,
                "files": manifest.files(packed),
            },
        )
    return counts, limited


def _write(package: Package, search: PairSearch) -> int:
    table = describe_table(search.relationship.table.as_table())
    fields = describe_columns(table, [column.name for column in table.columns], {})
    pairs = search.pairs(with_mirrored=False)
    schema = build_schema(fields).with_metadata({"algorithm": search.algorithm})
    name = f"{table.name}.parquet"
    rows = write_parts(package.path(name), schema, _parts(pairs, schema))
    package.add(Resource(name, table.meaning, rows=rows, fields=fields, key=table.key))
    return rows


def _parts(pairs: FoundPairs, schema: pa.Schema) -> Iterator[pa.Table]:
    for columns in pairs.rows():
        rows = max(len(column) for column in columns if column is not None)
        arrays = [
            pa.nulls(rows, field.type) if column is None else pa.array(column, field.type)
            for column, field in zip(columns, schema, strict=True)
        ]
        yield pa.Table.from_arrays(arrays, schema=schema)
