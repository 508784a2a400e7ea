"""All recommenders by name, as compared by `scrapy evaluate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sgr_spiders.embeddings.als import Als
from sgr_spiders.embeddings.item2vec import Item2Vec
from sgr_spiders.embeddings.lightgcn import LightGcn
from sgr_spiders.embeddings.popularity import PopularityRecommender
from sgr_spiders.embeddings.svd import Svd
from sgr_spiders.embeddings.walk import WalkRecommender

if TYPE_CHECKING:
    from sgr_spiders.embeddings.base import Array, Corpus, Method, Numbers, Vectors

METHODS: dict[str, type[Method]] = {method.name: method for method in (Svd, Als, Item2Vec, LightGcn)}
"""All methods that learn vectors; each has its own module."""
POPULARITY, WALK = "popularity", "walk"
NAMES = (POPULARITY, WALK, *METHODS)


class Recommender(Protocol):
    """A trained recommender."""

    def scores(self, users: Numbers) -> Array:
        """Return scores, users x tracks: higher is better, -inf excludes a track."""


class VectorRecommender:
    """A recommender by the inner products of users and tracks."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    def scores(self, users: Numbers) -> Array:
        scores: Array = self._vectors.users[users] @ self._vectors.tracks.T
        return scores


def train(name: str, corpus: Corpus, dimensions: int | None, random_seed: int) -> Recommender:
    """Train the recommender of this name on *corpus*."""
    if name == POPULARITY:
        return PopularityRecommender(corpus)
    if name == WALK:
        return WalkRecommender(corpus)
    return VectorRecommender(METHODS[name](dimensions, random_seed).fit(corpus))
