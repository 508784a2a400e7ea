"""Write relationships as graphs for visualisation and analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.exports import gephi, gexf
from sgr_spiders.exports.graph import Graph
from sgr_spiders.exports.node_attributes import NodeAttributes
from sgr_spiders.exports.resource import Format, write_format
from sgr_spiders.relationships import TYPES
from sgr_spiders.relationships.processor import ALWAYS_COUNTED
from sgr_spiders.storage import graph_read
from sgr_spiders.storage.pairs.builds import latest
from sgr_spiders.storage.rows import count_rows, describe_extent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sgr_spiders.exports.package import Package
    from sgr_spiders.storage.extent import Extent
    from sgr_spiders.storage.store import Connection

FORMATS = {
    "gexf": Format("one file per graph, for Gephi and networkx", gexf.write),
    "gephi": Format("node and edge tables as CSV, for import into Gephi", gephi.write),
}


def export_graphs(
    connection: Connection, package: Package, formats: Sequence[str], extent: Extent
) -> dict[str, int]:
    """Write the graphs of *extent* in all *formats*; return the number of edges of each.

    Graphs of the three standard types are always written, those of other types only if they have pairs.
    """
    counts = {}
    attributes = NodeAttributes(connection)
    for relationship in TYPES.values():
        pairs = relationship.table
        if not graph_read.is_there(connection, pairs):
            continue
        built = latest(connection, relationship.name)
        algorithm = None if built is None else built.algorithm
        table = describe_extent(pairs.as_table(), extent)
        graph = Graph(connection, pairs, table, extent, attributes, algorithm)
        edges = count_rows(connection, graph.table)
        if edges or pairs.name in ALWAYS_COUNTED:
            counts[pairs.name] = edges
            for name in formats:
                write_format(FORMATS[name], graph, package)
    return counts
