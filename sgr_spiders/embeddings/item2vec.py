"""item2vec: tracks that stand near the same tracks in playlists get similar vectors (gensim).

Barkan and Koenigstein, Item2Vec: Neural Item Embedding for Collaborative Filtering (2016),
https://arxiv.org/abs/1603.04259: word2vec's skip-gram with negative sampling, a playlist for a sentence and
its tracks for words. Which parameters matter: Caselles-Dupré et al., Word2Vec Applied to Recommendation
(RecSys 2018), https://arxiv.org/abs/1804.04212.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sgr_spiders.embeddings.base import Method, Vectors, unit
from sgr_spiders.model.exceptions import NothingToLearnError

if TYPE_CHECKING:
    import scipy.sparse as sp

    from sgr_spiders.embeddings.base import Array, Corpus, Library

LONGEST = 10_000
"""Words that gensim reads of a sentence."""


class Item2Vec(Method):
    """Learns from playlists; where there are none, from the users' libraries in random order."""

    name: ClassVar[str] = "item2vec"
    more_sources: ClassVar[tuple[str, ...]] = ("playlist",)  # so that what nobody likes has a place as well
    window: ClassVar[int] = 25
    negative: ClassVar[int] = 10
    epochs: ClassVar[int] = 40
    rate: ClassVar[float] = 0.1
    """Of learning, at first: four times word2vec's, which reads far more words than a harvest has tracks."""

    def parameters(self) -> dict[str, Any]:
        names = ("window", "negative", "epochs", "rate")
        return super().parameters() | {name: getattr(self, name) for name in names}

    def fit(self, corpus: Corpus) -> Vectors:
        models = self.needed("gensim.models")
        sentences = _sentences(corpus, self.random_seed)
        if not sentences:
            raise NothingToLearnError("nothing to learn from: no playlist and no library holds two tracks")
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
            workers=1,  # several would make each run another
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
    parts = [group[start : start + LONGEST] for group in groups for start in range(0, len(group), LONGEST)]
    return [[str(track) for track in part] for part in parts if len(part) > 1]


def _means(matrix: sp.csr_array, tracks: Array) -> Array:
    sums = np.asarray(matrix.sum(axis=1), np.float32)[:, None]
    totals = (matrix @ tracks).astype(np.float32)
    means: Array = np.divide(totals, sums, out=np.zeros_like(totals), where=sums > 0)
    return means
