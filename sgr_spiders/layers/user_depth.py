"""user_depth: the users who like or repost the seed, and everything they like."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sgr_spiders.layers.base import SEED_STEP, FixedCap, Layer, Seed
from sgr_spiders.model.items import Track, User, WalkRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sgr_spiders.config.harvest import UserDepth as Section
    from sgr_spiders.model.items import MainRecord


class UserDepth(Layer):
    """The seed's likers and reposters, and the library of each."""

    name: ClassVar[str] = "user_depth"
    expanding_steps: ClassVar[frozenset[str]] = frozenset({SEED_STEP, "likers", "reposters"})
    caps: ClassVar[Mapping[str, str | FixedCap]] = {
        "likers": "max_users_per_track",
        "reposters": "max_users_per_track",
        "library": "max_tracks_per_user",
    }

    def __init__(self, config: Section) -> None:
        self.config = config

    def found(self, step: str, seed: Seed, record: MainRecord) -> Iterator[WalkRequest]:
        if isinstance(record, Track) and step == SEED_STEP:
            yield from self._listeners(record)
        elif isinstance(record, User):
            yield self._library(record)

    def _listeners(self, seed: Track) -> Iterator[WalkRequest]:
        target, cap = str(seed.track_id), self.config.max_users_per_track
        yield WalkRequest("track_favoriters", target, "likers", cap, seed.favoritings_count)
        if self.config.include_reposters:
            yield WalkRequest("track_reposters", target, "reposters", cap, seed.reposts_count)

    def _library(self, listener: User) -> WalkRequest:
        # The API counts liked tracks and liked playlists together, so the walk finds fewer than expected.
        expected = listener.public_favorites_count
        return WalkRequest(
            "user_likes", str(listener.user_id), "library", self.config.max_tracks_per_user, expected
        )
