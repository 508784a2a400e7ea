"""Training and test data in the formats of common libraries."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.embeddings.preparation import prepare
from sgr_spiders.exports import edge_index, interaction_table, matrices, recbole, sequences
from sgr_spiders.exports.node_attributes import tabulate_nodes
from sgr_spiders.exports.resource import Format, Resource, write_format
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.storage.libraries import LEFT_OUT
from sgr_spiders.text.formatting import pluralize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sgr_spiders.embeddings.preparation import Choice, TrainingData
    from sgr_spiders.exports.package import Package
    from sgr_spiders.storage.store import Connection

FORMATS = {
    "npz": Format("sparse matrices, complete and split, for scipy and implicit", matrices.write),
    "edge_index": Format("edges as arrays, for PyTorch Geometric", edge_index.write),
    "recbole": Format("atomic files and a configuration, for RecBole", recbole.write),
    "sequences": Format("playlists as lines of track IDs, for gensim", sequences.write),
    "parquet": Format(
        "interactions, and features of users and tracks, as tables", interaction_table.write_parquet
    ),
    "csv": Format("the same tables as CSV", interaction_table.write_csv, is_default=False),
}


def prepare_all(connection: Connection, choice: Choice, formats: Sequence[str]) -> TrainingData:
    """Read the interactions selected by *choice*, and what *formats* need beside them.

    Raises:
        ArgumentError: there are no interactions.
    """
    data = prepare(connection, choice, with_times=True)
    if not data.interactions.matrix.nnz:
        tracks, users = pluralize(choice.min_per_user, "track"), pluralize(choice.min_per_track, "user")
        raise ArgumentError(
            f"no interactions to train on: no user with at least {tracks} has a {', '.join(choice.sources)} "
            f"on a track with at least {users}"
        )
    if "edge_index" in formats:
        return replace(data, nodes=tabulate_nodes(connection, data.users, data.tracks))
    return data


def export_ml(data: TrainingData, package: Package, formats: Sequence[str]) -> dict[str, int]:
    """Write the data in all *formats*, and the IDs of all indices; return the counts."""
    for name in ("users", "tracks"):
        ids = getattr(data.interactions, name)
        np.save(package.path(f"{name}.npy"), ids)
        meaning = f"The IDs of the {name}, ordered by index"
        package.add(Resource(f"{name}.npy", meaning, shape=ids.shape))
    for name in formats:
        write_format(FORMATS[name], data, package)
    return _counts(data)


def _counts(data: TrainingData) -> dict[str, int]:
    interactions, parts = data.interactions, data.split
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
        "playlists": len(data.playlists),
        "seed_tracks": len(data.seed_tracks),
        LEFT_OUT: interactions.left_out,
    }
