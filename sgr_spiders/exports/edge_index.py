"""The interactions as edges of one graph, as PyTorch Geometric holds them: two rows of node numbers.

Users are the nodes from 0; tracks follow, so track ``j`` is node ``len(users) + j``. Each edge stands once,
from the user to the track (``torch_geometric.utils.to_undirected`` adds the other direction).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.exports.resource import Resource

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sgr_spiders.embeddings.preparation import Prepared
    from sgr_spiders.exports.package import Package

PARTS = ("train", "validation", "test")
"""What the numbers in ``edge_part`` stand for."""


def write(prepared: Prepared, package: Package) -> None:
    """Write the edges, their weights, and in which part of the split each is."""
    user, track, weight, part = edges_of(prepared)
    offset = len(prepared.interactions.users)
    arrays = {
        "edge_index": (
            np.stack([user, track + offset]),
            f"Edges: users in the first row, tracks in the second, whose numbers begin at {offset}; int64",
        ),
        "edge_weight": (weight, "Weight of each edge; float32"),
        "edge_part": (part, "Part of each edge: 0 train, 1 validation, 2 test; int8"),
    }
    for name, (array, meaning) in arrays.items():
        np.save(package.path(f"{name}.npy"), array)
        package.add(Resource(f"{name}.npy", meaning, shape=array.shape))


def edges_of(
    prepared: Prepared,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], NDArray[np.int8]]:
    """Give row, column, weight and part (its place in ``PARTS``) of each interaction, by row and column."""
    matrices = [getattr(prepared.split, name).tocoo() for name in PARTS]
    user = np.concatenate([one.row for one in matrices]).astype(np.int64)
    track = np.concatenate([one.col for one in matrices]).astype(np.int64)
    weight = np.concatenate([one.data for one in matrices]).astype(np.float32)
    part = np.repeat(np.arange(len(PARTS), dtype=np.int8), [one.nnz for one in matrices])
    order = np.lexsort((track, user))
    return user[order], track[order], weight[order], part[order]
