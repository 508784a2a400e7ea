"""A relationship table as a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.exports.node_attributes import normalise
from sgr_spiders.storage import graph_read
from sgr_spiders.storage.rows import read_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sgr_spiders.exports.node_attributes import Attribute, NodeAttributes
    from sgr_spiders.storage.extent import Extent
    from sgr_spiders.storage.pairs.tables import PairTable
    from sgr_spiders.storage.rows import Columns, WholeColumn, WholeTable
    from sgr_spiders.storage.store import Connection


@dataclass(frozen=True, slots=True)
class Graph:
    """A relationship table as an undirected graph: records are nodes, pairs are edges.

    The score that ranks neighbours is the weight of an edge; ``measures`` are the other measures.
    """

    connection: Connection
    pairs: PairTable
    table: WholeTable
    extent: Extent
    attributes: NodeAttributes
    algorithm: str | None = None
    """The name of what made the table; ``None`` if an earlier version did."""

    @property
    def name(self) -> str:
        return self.pairs.name

    @property
    def node_attributes(self) -> tuple[WholeColumn, ...]:
        """The attributes of a node besides its ID and name."""
        further = tuple(attribute.column for attribute in self._further)
        return (*graph_read.node_attributes(self.pairs), *further)

    @property
    def _further(self) -> tuple[Attribute, ...]:
        kind = "artist" if self.pairs.node == "artist_id" else self.pairs.kind
        return self.attributes.of(kind)

    @property
    def measures(self) -> tuple[WholeColumn, ...]:
        """The measures of an edge besides its weight."""
        skipped = {*self.pairs.keys, self.pairs.score}
        return tuple(column for column in self.table.columns if column.name not in skipped)

    def nodes(self) -> Iterator[Columns]:
        """Yield IDs, names and attributes of the nodes in batches, ordered by ID."""
        own = [column.name for column in graph_read.node_attributes(self.pairs)]
        further = self._further
        for columns in graph_read.read_nodes(self.connection, self.pairs, self.extent):
            ids = np.array(columns[0], np.int64)
            named = zip(own, columns[2:], strict=True)
            yield [
                *columns[:2],
                *(normalise(name, values) for name, values in named),
                *(attribute.values_of(ids) for attribute in further),
            ]

    def edges(self) -> Iterator[Columns]:
        """Yield both IDs, weights and measures of the edges in batches, ordered by the IDs."""
        names = [*self.pairs.keys, self.pairs.score, *(column.name for column in self.measures)]
        return read_columns(self.connection, self.table, names)
