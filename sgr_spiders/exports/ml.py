"""What models are trained and tested with, in the formats they read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.embeddings.preparation import prepare
from sgr_spiders.exports import edge_index, interaction_table, matrices, recbole, sequences
from sgr_spiders.exports.resource import Resource
from sgr_spiders.model.exceptions import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sgr_spiders.embeddings.preparation import Choice, Prepared
    from sgr_spiders.exports.package import Package
    from sgr_spiders.storage.store import Connection

FORMATS = {
    "npz": "sparse matrices, whole and split, for scipy and implicit",
    "edge_index": "edges as arrays, for PyTorch Geometric",
    "recbole": "atomic files and a configuration, for RecBole",
    "sequences": "playlists as lines of track ids, for gensim",
    "parquet": "interactions, and features of users and tracks, as tables",
    "csv": "the same as CSV",
}
WRITERS = {
    "npz": matrices.write,
    "edge_index": edge_index.write,
    "recbole": recbole.write,
    "sequences": sequences.write,
    "parquet": interaction_table.write_parquet,
    "csv": interaction_table.write_csv,
}


def prepare_all(connection: Connection, choice: Choice) -> Prepared:
    """Read the interactions that *choice* names. Raises ``ArgumentError`` if there are none."""
    prepared = prepare(connection, choice)
    if not prepared.interactions.matrix.nnz:
        raise ArgumentError(
            f"nothing to learn from: no user with {choice.min_per_user} tracks or more has an interaction by "
            f"{', '.join(choice.sources)} with a track of {choice.min_per_track} users or more"
        )
    return prepared


def export_ml(prepared: Prepared, package: Package, formats: Sequence[str]) -> dict[str, int]:
    """Write what was read in all *formats*, and which index stands for which id; return how much it is."""
    for name in ("users", "tracks"):
        ids = getattr(prepared.interactions, name)
        np.save(package.path(f"{name}.npy"), ids)
        meaning = f"The ids of the {name}: what has index i everywhere is the i-th of them"
        package.add(Resource(f"{name}.npy", meaning, shape=ids.shape))
    for name in formats:
        WRITERS[name](prepared, package)
    return _counts(prepared)


def _counts(prepared: Prepared) -> dict[str, int]:
    interactions, parts = prepared.interactions, prepared.split
    return {
        "users": len(interactions.users),
        "tracks": len(interactions.tracks),
        "interactions": interactions.matrix.nnz,
        "train": parts.train.nnz,
        "validation": parts.validation.nnz,
        "test": parts.test.nnz,
        "cold_tracks": len(parts.cold_tracks),
        "cold_pairs": parts.cold_pairs,
        "untested_users": len(parts.untested_users),
        "playlists": len(prepared.playlists),
        "seed_tracks": len(prepared.seed_tracks),
    }
