"""artist_depth: the complete discography of the seed's artist."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from sgr_spiders.layers.base import (
    ALL_THE_API_GIVES,
    SEARCH_DEPTH,
    SEED_STEP,
    FixedCap,
    Layer,
    LayerView,
    Seed,
    Wanted,
    cut,
)
from sgr_spiders.model.items import Cut, Mention, Selection, Track, WalkRequest
from sgr_spiders.titles.credits import credits, credits_artist  # noqa: A004 - the standard word of the field
from sgr_spiders.titles.names import bare_key, split_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sgr_spiders.config.harvest import ArtistDepth as Section
    from sgr_spiders.model.items import MainRecord, User


class ArtistDepth(Layer):
    """The artist's uploads, and tracks by others that feature or remix the artist.

    The latter are found by a search for the artist's name and verified against title, description and
    ``metadata_artist``.
    """

    name: ClassVar[str] = "artist_depth"
    expanding_steps: ClassVar[frozenset[str]] = frozenset({SEED_STEP})
    needs_second_pass: ClassVar[bool] = True
    caps: ClassVar[Mapping[str, str | FixedCap]] = {
        "uploads": "max_artist_tracks",
        "appearances": ALL_THE_API_GIVES,
    }

    def __init__(self, config: Section) -> None:
        self.config = config

    def found(self, step: str, seed: Seed, record: MainRecord) -> Iterator[Wanted]:
        artist = seed.artist
        if artist is None:
            return
        cap = self.config.max_artist_tracks
        yield WalkRequest("user_tracks", str(artist.user_id), "uploads", cap, artist.track_count)
        wants_others = self.config.include_features or self.config.include_remixes
        if wants_others and artist.username and cap:
            yield WalkRequest("search_tracks", artist.username, "appearances", SEARCH_DEPTH, selective=True)
        elif wants_others and artist.username:
            yield Cut("max_artist_tracks", 0, None, artist.username)

    def after_all_ended(self, seed: Seed, view: LayerView) -> Iterator[Wanted]:
        if seed.artist is None:
            return
        hits = (hit for walk in view.walks("appearances") for hit in walk.records if isinstance(hit, Track))
        credited = [hit for hit in hits if self._is_part(hit, seed.artist)]
        cap = self.config.max_artist_tracks
        yield from cut("max_artist_tracks", cap, len(credited), seed.artist.username or "")
        for hit in credited[:cap]:
            yield Selection("track", hit.track_id)
            kind = _credit(hit, seed.artist)
            if kind is not None:
                yield Mention(hit.track_id, kind, seed.artist.username or "", seed.artist.user_id)

    def _is_part(self, track: Track, artist: User) -> bool:
        """Return whether someone else's upload belongs to the artist's discography."""
        if track.artist_id == artist.user_id:
            return False
        kind = _credit(track, artist)
        if kind is not None:
            return self.config.include_remixes if kind == "remixer" else self.config.include_features
        # "Artist - Title": an upload by the artist's label, or someone's remix of the artist.
        lead, dash, _ = (track.title or "").partition(" - ")
        if not dash or bare_key(artist.username or "") not in map(bare_key, split_names(lead)):
            return False
        return self.config.include_remixes or not credits(track.title or "").remixers


def _credit(track: Track, artist: User) -> Literal["featuring", "remixer", "producer"] | None:
    return credits_artist(
        title=track.title or "",
        description=track.description,
        metadata_artist=track.metadata_artist,
        uploader=None,
        artist=artist.username or "",
    )
