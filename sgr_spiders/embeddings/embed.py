"""Learn vectors from spilled data, and store them in the database."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.embeddings.base import Corpus, unit
from sgr_spiders.embeddings.index import build_index
from sgr_spiders.embeddings.pair_positions import read_positions
from sgr_spiders.embeddings.preparation import Choice, prepare
from sgr_spiders.embeddings.recommenders import METHODS
from sgr_spiders.storage import vectors as stored
from sgr_spiders.storage.libraries import LEFT_OUT
from sgr_spiders.storage.vectors import Placed, VectorRun
from sgr_spiders.text.formatting import describe_left_out, pluralize

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from sgr_spiders.config.harvest import Embeddings
    from sgr_spiders.embeddings.base import Array, Numbers, Vectors
    from sgr_spiders.embeddings.interactions import Interactions
    from sgr_spiders.embeddings.pair_positions import Positions
    from sgr_spiders.embeddings.preparation import Sequences, TrainingData
    from sgr_spiders.storage.store import Store


@dataclass(frozen=True, slots=True)
class Embedded:
    """The result of a run: *placed* contains the vectors of ``track``, ``user`` and ``artist``."""

    run: VectorRun
    placed: Mapping[str, Placed]
    chosen: Mapping[str, float] = field(default_factory=dict)
    """The parameters that the method chose itself."""

    def __repr__(self) -> str:
        return f"Embedded({self.describe()})"

    @property
    def counts(self) -> dict[str, int]:
        """The number of vectors of each kind."""
        return {kind: len(placed.ids) for kind, placed in self.placed.items()}

    @property
    def left_out(self) -> int:
        """The number of libraries left out because they were not looked at."""
        return self.run.inputs[LEFT_OUT]

    def describe(self) -> str:
        """Return the number of vectors, their dimensions and their method."""
        counts = ", ".join(pluralize(count, kind) for kind, count in self.counts.items())
        end = f"; {describe_left_out(self.left_out)}" if self.left_out else ""
        return f"{counts}: {self.run.dimensions} dimensions, method {self.run.method}{end}"


def embed(store: Store, config: Embeddings) -> Embedded:
    """Learn vectors, and replace those of the same method.

    Raises:
        EmbeddingError: there are no interactions, or a package is missing.
    """
    began = time.monotonic()
    method = METHODS[config.method](config.dimensions, config.random_seed)
    sources = dict.fromkeys((*config.sources, *method.extra_sources), 1.0)
    choice = Choice(
        sources=sources,
        test=0,
        validation=0,
        include_unseen=config.include_unseen,
        include_removed=config.include_removed,
    )
    with store.read() as connection:
        data = prepare(connection, choice)
        artists = stored.read_artists(connection, data.interactions.tracks)
        positions = (
            read_positions(connection, data.interactions, config.sources) if method.uses_order else None
        )
    corpus = build_corpus(data, positions)
    vectors = method.fit(corpus)
    placed = _collect_vectors(data, vectors, artists)
    run = VectorRun(
        method=config.method,
        parameters=method.parameters()
        | {
            "sources": list(sources),
            "include_unseen": config.include_unseen,
            "include_removed": config.include_removed,
        },
        dimensions=vectors.dimensions,
        inputs={
            "users": corpus.matrix.shape[0],
            "tracks": corpus.matrix.shape[1],
            "pairs": corpus.matrix.nnz,
            "playlists": len(corpus.playlists),
            LEFT_OUT: data.interactions.left_out,
        },
        seconds=time.monotonic() - began,
    )
    with store.write() as connection:
        stored.replace(connection, run, placed)
    with store.write() as connection:
        for kind, part in placed.items():
            build_index(connection, kind, run.method, part)
    return Embedded(run, placed, method.chosen)


def build_corpus(data: TrainingData, positions: Positions | None = None) -> Corpus:
    """Return the training pairs and their order, and the playlists and seeds as columns of the matrix."""
    matrix, interactions = data.split.train, data.interactions
    seeds = interactions.track_indices(data.seed_tracks)
    playlists = playlist_columns(interactions, data.playlists)
    recency = None if positions is None else positions.of(matrix)
    return Corpus(matrix, playlists, seeds[seeds >= 0], recency)


def playlist_columns(interactions: Interactions, playlists: Sequences) -> list[Numbers]:
    """Return the playlists as columns of the matrix, without tracks that it does not contain."""
    columns = [interactions.track_indices(tracks) for tracks in playlists]
    known = [part[part >= 0] for part in columns]
    return [part for part in known if len(part) > 1]


def _collect_vectors(data: TrainingData, vectors: Vectors, artists: Numbers) -> dict[str, Placed]:
    interactions = data.interactions
    fans = np.asarray(interactions.matrix.sum(axis=0), np.float64)
    tracks = vectors.tracks.any(axis=1)
    users = vectors.users.any(axis=1)
    return {
        "track": Placed(interactions.tracks[tracks], vectors.tracks[tracks], {"fans": fans[tracks]}),
        "user": Placed(interactions.users[users], vectors.users[users]),
        "artist": _average_by_artist(vectors.tracks[tracks], fans[tracks], artists[tracks]),
    }


def _average_by_artist(vectors: Array, fans: NDArray[np.float64], artists: Numbers) -> Placed:
    """Return the mean direction of each artist's tracks, weighted by the square root of their fans.

    So a hit counts more than an unknown track, but does not dominate.
    """
    known = artists >= 0
    ids, row = np.unique(artists[known], return_inverse=True)
    sums = np.zeros((len(ids), vectors.shape[1]), np.float32)
    np.add.at(sums, row, unit(vectors[known]) * np.sqrt(fans[known]).astype(np.float32)[:, None])
    counts = np.bincount(row, minlength=len(ids))
    return Placed(ids, unit(sums), {"tracks": counts})
