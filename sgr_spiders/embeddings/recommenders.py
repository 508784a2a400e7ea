"""All recommenders by name, as compared by `scrapy evaluate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sgr_spiders.embeddings.als import Als
from sgr_spiders.embeddings.blend import Blend
from sgr_spiders.embeddings.ease import EaseRecommender
from sgr_spiders.embeddings.item2vec import Item2Vec
from sgr_spiders.embeddings.itemknn import ItemKnnRecommender
from sgr_spiders.embeddings.lightgcn import LightGcn
from sgr_spiders.embeddings.popularity import PopularityRecommender
from sgr_spiders.embeddings.svd import Svd
from sgr_spiders.embeddings.walk import WalkRecommender

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sgr_spiders.embeddings.base import Corpus, Method, Recommender

METHODS: dict[str, type[Method]] = {method.name: method for method in (Blend, Svd, Als, Item2Vec, LightGcn)}
"""All methods that learn vectors; each has its own module."""
DIRECT: dict[str, Callable[..., Recommender]] = {
    "popularity": PopularityRecommender,
    "walk": WalkRecommender,
    "itemknn": ItemKnnRecommender,
    "ease": EaseRecommender,
}
"""All methods that rank tracks without vectors, and have no random start."""
NAMES = (*DIRECT, *METHODS)


def train(
    name: str, corpus: Corpus, random_seed: int, parameters: Mapping[str, Any] | None = None
) -> Recommender:
    """Train the recommender of this name on *corpus*, with its default for each parameter not given."""
    given = parameters or {}
    if name in DIRECT:
        return DIRECT[name](corpus, **given)
    return METHODS[name](random_seed=random_seed, **given).recommender(corpus)
