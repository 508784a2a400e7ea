"""Two tables a graph with the heads that Gephi's import expects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.exports.columnar import schema_of, table_of, write_parts
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
        Field("Label", "text", "Its name"),
        *_fields(graph.node_attributes),
    )
    edge_fields = (
        Field("Source", "integer", "The one with the smaller id", required=True, refers_to=(nodes, "Id")),
        Field("Target", "integer", "The other one", required=True, refers_to=(nodes, "Id")),
        Field("Weight", "number", f"`{graph.pairs.score}` of the pair", required=True),
        *_fields(graph.measures),
        Field("Type", "text", "How Gephi is to take the edge"),
    )
    _write(package, nodes, f"Nodes of {graph.name}", node_fields, graph.nodes())
    typed = ([*columns, [UNDIRECTED] * len(columns[0])] for columns in graph.edges())
    _write(package, edges, f"Edges of {graph.name}", edge_fields, typed)


def _fields(columns: Iterable[WholeColumn]) -> tuple[Field, ...]:
    return tuple(Field(column.name, column.kind, column.meaning) for column in columns)


def _write(
    package: Package,
    name: str,
    meaning: str,
    fields: tuple[Field, ...],
    read: Iterable[Columns],
) -> None:
    schema = schema_of(fields)
    key = ("Id",) if fields[0].name == "Id" else ("Source", "Target")

    def parts() -> Iterator[pa.Table]:
        for columns in read:
            yield table_of(columns, schema)

    count = write_parts(package.path(name), schema, parts())
    package.add(Resource(name, meaning, rows=count, fields=fields, key=key))
