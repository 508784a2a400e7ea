"""The output of single layers, which are pure and need no crawl."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.config.harvest import ContextualLayer as ContextualSection
from sgr_spiders.config.harvest import PlaylistDepth as PlaylistSection
from sgr_spiders.layers.base import SEED_STEP, EndedWalk, Seed
from sgr_spiders.layers.contextual_layer import ContextualLayer
from sgr_spiders.layers.playlist_depth import PlaylistDepth
from sgr_spiders.model.items import Fullness, Mention, Playlist, Selection, Track, User, WalkRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ARTIST = User(1, username="Mara Quill", fullness=Fullness.OWN)


def seed(title: str, metadata_artist: str | None = None) -> Seed:
    track = Track(7, title=title, artist_id=1, metadata_artist=metadata_artist, fullness=Fullness.OWN)
    return Seed(track, ARTIST, {})


class Seen:
    """A ``Look`` at the given data."""

    def __init__(self, walks: Mapping[str, list[EndedWalk]], playlists: Mapping[int, list[int]]) -> None:
        self._walks = walks
        self._playlists = playlists

    def walks(self, step: str) -> Sequence[EndedWalk]:
        return self._walks.get(step, [])

    def playlist_tracks(self, playlist_id: int, cap: int) -> Sequence[int]:
        return self._playlists.get(playlist_id, [])[:cap]


def test_guests_in_the_artist_credit_are_collaborators() -> None:
    around = seed(title="Paper Tides", metadata_artist="Mara Quill & Ilse Brand")
    wanted = list(ContextualLayer(ContextualSection()).found(SEED_STEP, around, around.track))
    assert Mention(7, "featuring", "Ilse Brand") in wanted
    targets = [want.target for want in wanted if isinstance(want, WalkRequest)]
    assert targets == ["Ilse Brand"]


def test_max_playlists_keeps_those_with_the_seed_first_and_in_order() -> None:
    def owned(owner: int, *ids: int) -> list[Playlist]:
        return [
            Playlist(playlist_id, owner_id=owner, track_count=1, fullness=Fullness.OWN) for playlist_id in ids
        ]

    likers = [User(5, followers_count=10, playlist_count=1), User(6, followers_count=90, playlist_count=2)]
    look = Seen(
        {
            "likers": [EndedWalk("7", likers)],
            "artist": [EndedWalk("1", owned(1, 30, 20, 10))],
            "liker": [EndedWalk("5", owned(5, 50)), EndedWalk("6", owned(6, 61, 60))],
            "search": [EndedWalk("paper tides", owned(9, 90))],
        },
        {10: [8], 20: [7, 8], 30: [8], 50: [7], 60: [7], 61: [8], 90: [7]},
    )

    def kept(cap: int) -> list[int]:
        layer = PlaylistDepth(PlaylistSection(max_playlists=cap))
        wanted = layer.settled(seed(title="Paper Tides"), look)
        return [item.record_id for item in wanted if isinstance(item, Selection) and item.kind == "playlist"]

    assert kept(200) == [20, 60, 50, 90, 10, 30]
    assert kept(5) == [20, 60, 50, 90, 10]
    assert kept(2) == [20, 60]
    assert kept(0) == []


def test_likers_whose_counter_is_0_are_skipped() -> None:
    likers = [User(5, playlist_count=0), User(6, playlist_count=None), User(7, playlist_count=3)]
    look = Seen({"likers": [EndedWalk("7", likers)]}, {})
    wanted = PlaylistDepth(PlaylistSection()).settled(seed(title="Paper Tides"), look)
    assert {want.target for want in wanted if isinstance(want, WalkRequest)} == {"6", "7"}
