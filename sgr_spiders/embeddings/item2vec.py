"""item2vec: tracks with similar neighbours in playlists get similar vectors (gensim).

Barkan and Koenigstein, Item2Vec: Neural Item Embedding for Collaborative Filtering (2016),
https://arxiv.org/abs/1603.04259: the skip-gram model of word2vec with negative sampling, where playlists are
sentences and tracks are words. On the choice of parameters: Caselles-Dupré et al., Word2Vec Applied to
Recommendation (RecSys 2018), https://arxiv.org/abs/1804.04212.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sgr_spiders.embeddings.base import Method, Vectors, unit
from sgr_spiders.model.exceptions import NothingToLearnError

if TYPE_CHECKING:
    import scipy.sparse as sp

    from sgr_spiders.embeddings.base import Array, Corpus, Library

MAX_SENTENCE = 10_000
"""Maximum number of words that gensim reads from a sentence."""


class Item2Vec(Method):
    """item2vec on playlists; without playlists, on the users' libraries in random order."""

    name: ClassVar[str] = "item2vec"
    extra_sources: ClassVar[tuple[str, ...]] = ("playlist",)  # includes tracks that no user likes
    window: ClassVar[int] = 25
    negative: ClassVar[int] = 10
    epochs: ClassVar[int] = 40
    rate: ClassVar[float] = 0.1
    """The initial learning rate: four times that of word2vec, which reads far more words."""

    def parameters(self) -> dict[str, Any]:
        names = ("window", "negative", "epochs", "rate")
        return super().parameters() | {name: getattr(self, name) for name in names}

    def fit(self, corpus: Corpus) -> Vectors:
        models = self.require("gensim.models")
        sentences = _sentences(corpus, self.random_seed)
        if not sentences:
            raise NothingToLearnError(
                "no interactions to train on: no playlist or library contains two tracks"
            )
        model = models.Word2Vec(
            sentences,
            vector_size=self.dimensions,
            window=self.window,
            min_count=1,
            sample=0,
            sg=1,
            negative=self.negative,
            epochs=self.epochs,
            alpha=self.rate,
            seed=self.random_seed,
            workers=1,  # more threads would make runs differ
            shrink_windows=False,
        )
        tracks = np.zeros((corpus.matrix.shape[1], self.dimensions), np.float32)
        tracks[[int(word) for word in model.wv.index_to_key]] = model.wv.vectors
        tracks = unit(tracks)
        return Vectors(_means(corpus.matrix, tracks), tracks)

    def fold_in(self, library: Library) -> Array:
        mean: Array = library.weights @ library.vectors[library.tracks] / library.weights.sum()
        return mean


def _sentences(corpus: Corpus, seed: int) -> list[list[str]]:
    groups = list(corpus.playlists)
    if not groups:
        random = np.random.default_rng(seed)
        rows = np.split(corpus.matrix.indices, corpus.matrix.indptr[1:-1])
        groups = [random.permutation(row) for row in rows]
    parts = [
        group[start : start + MAX_SENTENCE]
        for group in groups
        for start in range(0, len(group), MAX_SENTENCE)
    ]
    return [[str(track) for track in part] for part in parts if len(part) > 1]


def _means(matrix: sp.csr_array, tracks: Array) -> Array:
    sums = np.asarray(matrix.sum(axis=1), np.float32)[:, None]
    totals = (matrix @ tracks).astype(np.float32)
    means: Array = np.divide(totals, sums, out=np.zeros_like(totals), where=sums > 0)
    return means
