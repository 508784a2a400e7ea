"""Make vectors out of what is spilled, and keep them in the database."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.embeddings.base import Corpus, unit
from sgr_spiders.embeddings.index import build_index
from sgr_spiders.embeddings.preparation import Choice, prepare
from sgr_spiders.embeddings.recommenders import METHODS
from sgr_spiders.storage import vectors as stored
from sgr_spiders.storage.vectors import Placed, VectorRun
from sgr_spiders.text.formatting import pluralize

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from sgr_spiders.config.harvest import Embeddings
    from sgr_spiders.embeddings.base import Array, Numbers, Vectors
    from sgr_spiders.embeddings.preparation import Prepared
    from sgr_spiders.storage.store import Store


@dataclass(frozen=True, slots=True)
class Embedded:
    """What was made: *placed* has the vectors, by ``track``, ``user`` and ``artist``."""

    made: VectorRun
    placed: Mapping[str, Placed]

    @property
    def counts(self) -> dict[str, int]:
        """How many vectors there are of each."""
        return {kind: len(placed.ids) for kind, placed in self.placed.items()}

    def describe(self) -> str:
        """Say of what there are vectors, and of which kind."""
        counts = ", ".join(pluralize(count, kind) for kind, count in self.counts.items())
        return f"{counts}: {self.made.dimensions} dimensions, method {self.made.method}"


def embed(store: Store, config: Embeddings) -> Embedded:
    """Learn vectors as *config* says, and put them in place of those of the same method.

    Raises ``EmbeddingError`` if there is nothing to learn from, or a package is missing.
    """
    began = time.monotonic()
    method = METHODS[config.method](config.dimensions, config.random_seed)
    sources = dict.fromkeys((*config.sources, *method.more_sources), 1.0)
    choice = Choice(sources=sources, test=0, validation=0)
    with store.read() as connection:
        prepared = prepare(connection, choice)
        artists = stored.read_artists(connection, prepared.interactions.tracks)
    corpus = corpus_of(prepared)
    vectors = method.fit(corpus)
    placed = _placed(prepared, vectors, artists)
    made = VectorRun(
        method=config.method,
        parameters=method.parameters() | {"sources": list(sources)},
        dimensions=vectors.dimensions,
        inputs={
            "users": corpus.matrix.shape[0],
            "tracks": corpus.matrix.shape[1],
            "pairs": corpus.matrix.nnz,
            "playlists": len(corpus.playlists),
        },
        seconds=time.monotonic() - began,
    )
    with store.write() as connection:
        stored.replace(connection, made, placed)
    with store.write() as connection:
        for kind, part in placed.items():
            build_index(connection, kind, made.method, part)
    return Embedded(made, placed)


def corpus_of(prepared: Prepared) -> Corpus:
    """Give what a method learns from: the pairs for training, and the playlists by columns of the matrix."""
    interactions = prepared.interactions
    columns = [interactions.track_indices(tracks) for tracks in prepared.playlists]
    known = [part[part >= 0] for part in columns]
    return Corpus(prepared.split.train, [part for part in known if len(part) > 1])


def _placed(prepared: Prepared, vectors: Vectors, artists: Numbers) -> dict[str, Placed]:
    interactions = prepared.interactions
    fans = np.asarray(interactions.matrix.sum(axis=0), np.float64)
    tracks = vectors.tracks.any(axis=1)
    users = vectors.users.any(axis=1)
    return {
        "track": Placed(interactions.tracks[tracks], vectors.tracks[tracks], {"fans": fans[tracks]}),
        "user": Placed(interactions.users[users], vectors.users[users]),
        "artist": _of_artists(vectors.tracks[tracks], fans[tracks], artists[tracks]),
    }


def _of_artists(vectors: Array, fans: NDArray[np.float64], artists: Numbers) -> Placed:
    """Give each artist the mean direction of their tracks.

    A track counts by the root of its fans: a hit says more of an artist than a track that hardly anybody
    knows, but does not drown the others.
    """
    known = artists >= 0
    ids, row = np.unique(artists[known], return_inverse=True)
    sums = np.zeros((len(ids), vectors.shape[1]), np.float32)
    np.add.at(sums, row, unit(vectors[known]) * np.sqrt(fans[known]).astype(np.float32)[:, None])
    counts = np.bincount(row, minlength=len(ids))
    return Placed(ids, unit(sums), {"tracks": counts})
