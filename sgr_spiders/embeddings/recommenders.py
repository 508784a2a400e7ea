"""Everything that can recommend tracks to users, by name: what `scrapy evaluate` compares."""

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
"""Every method that makes vectors; one method, one file."""
POPULARITY, WALK = "popularity", "walk"
NAMES = (POPULARITY, WALK, *METHODS)


class Recommender(Protocol):
    """What recommends has learned from a corpus already."""

    def scores(self, users: Numbers) -> Array:
        """Give a row for each of *users*, a column for each track: the more, the better; -inf: not at all."""


class VectorRecommender:
    """Inner products of users and tracks."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    def scores(self, users: Numbers) -> Array:
        scores: Array = self._vectors.users[users] @ self._vectors.tracks.T
        return scores


def train(name: str, corpus: Corpus, dimensions: int | None, random_seed: int) -> Recommender:
    """Let the recommender of this name learn from *corpus*."""
    if name == POPULARITY:
        return PopularityRecommender(corpus)
    if name == WALK:
        return WalkRecommender(corpus)
    return VectorRecommender(METHODS[name](dimensions, random_seed).fit(corpus))
