"""commentary_layer: the super-fans, who comment on the seed, and everything they like."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sgr_spiders.exceptions import ConfigError
from sgr_spiders.items import Comment, WalkRequest
from sgr_spiders.layers.base import EVERYTHING, SEED_STEP, FixedCap, Layer, Seed, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sgr_spiders.config import CommentaryLayer as Section
    from sgr_spiders.items import MainRecord


class CommentaryLayer(Layer):
    """The comments on the seed, and the libraries of their first ``max_commenters`` authors."""

    name: ClassVar[str] = "commentary_layer"
    expanding_steps: ClassVar[frozenset[str]] = frozenset({SEED_STEP, "comments"})
    caps: ClassVar[Mapping[str, str | FixedCap]] = {"comments": "max_commenters"}

    def __init__(self, config: Section) -> None:
        if config.html_fallback:
            raise ConfigError("configuration: `commentary_layer.html_fallback`: not available yet")
        self.config = config

    def found(self, step: str, seed: Seed, record: MainRecord) -> Iterator[Wanted]:
        if step == SEED_STEP:
            target, expected = str(seed.track.track_id), seed.track.comment_count
            yield WalkRequest("track_comments", target, "comments", self.config.max_commenters, expected)
        elif isinstance(record, Comment) and self._is_of_a_fan(record):
            yield WalkRequest("user_likes", str(record.user_id), "library", EVERYTHING)

    def _is_of_a_fan(self, comment: Comment) -> bool:
        return (
            self.config.harvest_commenter_libraries
            and comment.user_id is not None
            and len((comment.body or "").strip()) >= self.config.min_comment_length
        )
