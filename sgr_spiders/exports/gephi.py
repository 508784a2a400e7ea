"""Node and edge tables with the column names that Gephi imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.exports.columnar import build_schema, build_table, write_parts
from sgr_spiders.exports.resource import Field, Resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from sgr_spiders.exports.graph import Graph
    from sgr_spiders.exports.package import Package
    from sgr_spiders.storage.rows import Columns, WholeColumn

UNDIRECTED = "Undirected"


def write(graph: Graph, package: Package) -> None:
    """Write the nodes and the edges."""
    nodes, edges = f"{graph.name}.nodes.csv", f"{graph.name}.edges.csv"
    node_fields = (
        Field("Id", "integer", "The record", required=True),
        Field("Label", "text", "Name of the record"),
        *_fields(graph.node_attributes),
    )
    edge_fields = (
        Field("Source", "integer", "The record with the smaller ID", required=True, refers_to=(nodes, "Id")),
        Field("Target", "integer", "The other record", required=True, refers_to=(nodes, "Id")),
        Field("Weight", "number", f"`{graph.pairs.score}` of the pair", required=True),
        *_fields(graph.measures),
        Field("Type", "text", "Gephi edge type"),
    )
    _write(package, nodes, f"Nodes of {graph.name}", node_fields, graph.nodes())
    rows = ([*columns, [UNDIRECTED] * len(columns[0])] for columns in graph.edges())
    _write(package, edges, f"Edges of {graph.name}", edge_fields, rows)


def _fields(columns: Iterable[WholeColumn]) -> tuple[Field, ...]:
    return tuple(Field(column.name, column.kind, column.meaning) for column in columns)


def _write(
    package: Package,
    name: str,
    meaning: str,
    fields: tuple[Field, ...],
    read: Iterable[Columns],
) -> None:
    schema = build_schema(fields)
    key = ("Id",) if fields[0].name == "Id" else ("Source", "Target")

    def parts() -> Iterator[pa.Table]:
        for columns in read:
            yield build_table(columns, schema)

    count = write_parts(package.path(name), schema, parts())
    package.add(Resource(name, meaning, rows=count, fields=fields, key=key))
