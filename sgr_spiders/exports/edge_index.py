"""The interactions as edges of one graph for PyTorch Geometric: two rows of node numbers.

User ``i`` is node ``i``, and track ``j`` is node ``len(users) + j``. Each edge occurs once, from the user to
the track (``torch_geometric.utils.to_undirected`` adds the other direction).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.exports.columnar import write_parts
from sgr_spiders.exports.node_attributes import NODE_FIELDS
from sgr_spiders.exports.resource import Resource

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sgr_spiders.embeddings.preparation import TrainingData
    from sgr_spiders.exports.package import Package

NODES = "nodes.csv"
PARTS = ("train", "validation", "test")
"""The parts by their number in ``edge_part``."""


def write(data: TrainingData, package: Package) -> None:
    """Write the edges, their weights and their parts of the split."""
    user, track, weight, part = collect_edges(data)
    offset = len(data.interactions.users)
    arrays = {
        "edge_index": (
            np.stack([user, track + offset]),
            f"Edges: users in the first row, tracks (numbered from {offset}) in the second; int64",
        ),
        "edge_weight": (weight, "Weight of each edge; float32"),
        "edge_part": (part, "Part of each edge: 0 train, 1 validation, 2 test; int8"),
    }
    for name, (array, meaning) in arrays.items():
        np.save(package.path(f"{name}.npy"), array)
        package.add(Resource(f"{name}.npy", meaning, shape=array.shape))
    if data.nodes is not None:
        rows = write_parts(package.path(NODES), data.nodes.schema, [data.nodes])
        meaning = "The nodes, in the order of their numbers"
        package.add(Resource(NODES, meaning, rows=rows, fields=NODE_FIELDS, key=("node",)))


def collect_edges(
    data: TrainingData,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], NDArray[np.int8]]:
    """Return row, column, weight and part (index in ``PARTS``) of each interaction, by row and column."""
    matrices = [getattr(data.split, name).tocoo() for name in PARTS]
    user = np.concatenate([matrix.row for matrix in matrices]).astype(np.int64)
    track = np.concatenate([matrix.col for matrix in matrices]).astype(np.int64)
    weight = np.concatenate([matrix.data for matrix in matrices]).astype(np.float32)
    part = np.repeat(np.arange(len(PARTS), dtype=np.int8), [matrix.nnz for matrix in matrices])
    order = np.lexsort((track, user))
    return user[order], track[order], weight[order], part[order]
