"""semantic_depth: tracks with similar titles."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sgr_spiders.layers.base import EVERYTHING, SEED_STEP, FixedCap, Layer, Seed, Wanted, cut
from sgr_spiders.model.items import Selection, Track, WalkRequest
from sgr_spiders.titles.similarity import similarity
from sgr_spiders.titles.terms import key_terms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sgr_spiders.config.harvest import SemanticDepth as Section
    from sgr_spiders.model.items import MainRecord


class SemanticDepth(Layer):
    """Tracks found by the key terms of the seed's title whose own titles are similar."""

    name: ClassVar[str] = "semantic_depth"
    expanding_steps: ClassVar[frozenset[str]] = frozenset({SEED_STEP, "hits"})
    caps: ClassVar[Mapping[str, str | FixedCap]] = {"hits": "fuzzy_search_limit"}

    def __init__(self, config: Section) -> None:
        self.config = config

    def found(self, step: str, seed: Seed, record: MainRecord) -> Iterator[Wanted]:
        if step == SEED_STEP:
            artist = seed.artist.username if seed.artist is not None else None
            terms = key_terms(seed.track.title or "", artist, EVERYTHING)
            yield from cut("max_key_terms", self.config.max_key_terms, len(terms))
            for term in terms[: self.config.max_key_terms]:
                yield WalkRequest(
                    "search_tracks", term, "hits", self.config.fuzzy_search_limit, selective=True
                )
        elif isinstance(record, Track) and record.track_id != seed.track.track_id:
            score = similarity(seed.track.title or "", record.title or "")
            if score >= self.config.name_similarity_threshold:
                yield Selection("track", record.track_id, score)
