"""Sparse matrices for ``scipy.sparse.load_npz``: users in rows, tracks in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import scipy.sparse as sp

from sgr_spiders.exports.resource import Resource

if TYPE_CHECKING:
    from sgr_spiders.embeddings.preparation import TrainingData
    from sgr_spiders.exports.package import Package


def write(data: TrainingData, package: Package) -> None:
    """Write the complete matrix and its three parts."""
    parts = data.split
    matrices = {
        "interactions": (data.interactions.matrix, "All interactions"),
        "train": (parts.train, "The interactions for training"),
        "validation": (parts.validation, "The interactions for validation"),
        "test": (parts.test, "The interactions for testing"),
    }
    for name, (matrix, meaning) in matrices.items():
        # implicit requires a csr_matrix, not a csr_array.
        sp.save_npz(package.path(f"{name}.npz"), sp.csr_matrix(matrix))
        package.add(Resource(f"{name}.npz", f"{meaning}, CSR, float32", shape=matrix.shape))
