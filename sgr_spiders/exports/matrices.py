"""Sparse matrices as ``scipy.sparse.save_npz`` writes them: users in rows, tracks in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import scipy.sparse as sp

from sgr_spiders.exports.resource import Resource

if TYPE_CHECKING:
    from sgr_spiders.embeddings.preparation import Prepared
    from sgr_spiders.exports.package import Package


def write(prepared: Prepared, package: Package) -> None:
    """Write the whole matrix and its three parts."""
    parts = prepared.split
    matrices = {
        "interactions": (prepared.interactions.matrix, "All interactions"),
        "train": (parts.train, "The interactions to learn from"),
        "validation": (parts.validation, "The interactions to choose parameters by"),
        "test": (parts.test, "The interactions to test on"),
    }
    for name, (matrix, meaning) in matrices.items():
        # As a matrix, not an array: implicit wants csr_matrix.
        sp.save_npz(package.path(f"{name}.npz"), sp.csr_matrix(matrix))
        package.add(Resource(f"{name}.npz", f"{meaning}, CSR, float32", shape=matrix.shape))
