"""The baseline: recommend the most liked tracks to everyone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sgr_spiders.embeddings.base import Array, Corpus, Numbers


class PopularityRecommender:
    """A recommender without personalisation, the minimum for other methods to beat."""

    def __init__(self, corpus: Corpus) -> None:
        fans = np.asarray(corpus.matrix.sum(axis=0), np.float32)
        # A track that nobody likes is not recommended, as by a walk, which does not reach it.
        self._fans = np.where(fans > 0, fans, np.float32(-np.inf))

    def scores(self, users: Numbers) -> Array:
        return np.tile(self._fans, (len(users), 1))
