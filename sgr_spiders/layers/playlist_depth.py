"""playlist_depth: all playlists that contain the seed."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, ClassVar

from sgr_spiders.layers.base import EVERYTHING, SEED_STEP, FixedCap, Layer, LayerView, Seed, Wanted
from sgr_spiders.model.items import Playlist, Selection, User, WalkRequest
from sgr_spiders.titles.terms import key_terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sgr_spiders.config.harvest import PlaylistDepth as Section
    from sgr_spiders.model.items import MainRecord


class PlaylistDepth(Layer):
    """Playlists with the seed among those of its artist, of its top likers, and found by its title.

    All playlists with the seed are kept completely, then the artist's others, up to ``max_playlists``.
    """

    name: ClassVar[str] = "playlist_depth"
    expanding_steps: ClassVar[frozenset[str]] = frozenset({SEED_STEP})
    needs_second_pass: ClassVar[bool] = True
    caps: ClassVar[Mapping[str, str | FixedCap]] = {
        "liker": "max_playlists_per_liker",
        "search": "max_search_playlists",
        "contents": "max_tracks_per_playlist",
    }

    def __init__(self, config: Section) -> None:
        self.config = config

    def found(self, step: str, seed: Seed, record: MainRecord) -> Iterator[Wanted]:
        config, track = self.config, seed.track
        if config.include_artist_playlists and track.artist_id is not None:
            yield WalkRequest("user_playlists", str(track.artist_id), "artist", EVERYTHING, selective=True)
        if config.include_liker_playlists and config.max_likers:
            target, expected = str(track.track_id), track.favoritings_count
            # All likers are needed to determine the top likers.
            yield WalkRequest("track_favoriters", target, "likers", EVERYTHING, expected, selective=True)
        for term in key_terms(track.title or "", None, 1):
            yield WalkRequest("search_playlists", term, "search", config.max_search_playlists, selective=True)

    def after_all_ended(self, seed: Seed, view: LayerView) -> Iterator[Wanted]:
        likers = self._top_likers(view)
        for liker in likers:
            if liker.playlist_count == 0:
                continue
            cap = self.config.max_playlists_per_liker
            yield WalkRequest(
                "user_playlists", str(liker.user_id), "liker", cap, liker.playlist_count, selective=True
            )
        candidates = list(self._candidates(view, likers))
        yield from self._missing_contents(view, candidates)
        for playlist in islice(self._in_order(seed, view, candidates), self.config.max_playlists):
            yield from self._keep(view, playlist)

    def _top_likers(self, view: LayerView) -> list[User]:
        likers = [liker for walk in view.walks("likers") for liker in walk.records if isinstance(liker, User)]
        likers.sort(key=lambda liker: (-(liker.followers_count or 0), liker.user_id))
        return likers[: self.config.max_likers]

    def _candidates(self, view: LayerView, likers: Iterable[User]) -> Iterator[Playlist]:
        """Yield the artist's playlists, then the likers' by rank, then the search hits; each by ID."""
        by_liker = {walk.target: walk.records for walk in view.walks("liker")}
        sources = [record for walk in view.walks("artist") for record in walk.records]
        yield from _by_id(sources)
        for liker in likers:
            yield from _by_id(by_liker.get(str(liker.user_id), ()))
        yield from _by_id(record for walk in view.walks("search") for record in walk.records)

    def _missing_contents(self, view: LayerView, playlists: Iterable[Playlist]) -> Iterator[WalkRequest]:
        cap = self.config.max_tracks_per_playlist
        for playlist in playlists:
            if playlist.track_count != 0 and not view.playlist_tracks(playlist.playlist_id, 1):
                target, expected = str(playlist.playlist_id), playlist.track_count
                yield WalkRequest("playlist_tracks", target, "contents", cap, expected, selective=True)

    def _in_order(self, seed: Seed, view: LayerView, candidates: list[Playlist]) -> Iterator[Playlist]:
        """Yield the playlists to keep: first all with the seed, then the artist's others."""
        track, artist = seed.track.track_id, seed.track.artist_id
        distinct = {playlist.playlist_id: playlist for playlist in candidates}
        with_seed = [
            playlist
            for playlist in distinct.values()
            if track in view.playlist_tracks(playlist.playlist_id, EVERYTHING)
        ]
        yield from with_seed
        kept = {playlist.playlist_id for playlist in with_seed}
        if self.config.include_artist_playlists and artist is not None:
            for playlist in distinct.values():
                if playlist.owner_id == artist and playlist.playlist_id not in kept:
                    yield playlist

    def _keep(self, view: LayerView, playlist: Playlist) -> Iterator[Selection]:
        yield Selection("playlist", playlist.playlist_id)
        if playlist.owner_id is not None:
            yield Selection("user", playlist.owner_id)
        for track in view.playlist_tracks(playlist.playlist_id, self.config.max_tracks_per_playlist):
            yield Selection("track", track)


def _by_id(records: Iterable[MainRecord]) -> list[Playlist]:
    playlists = [record for record in records if isinstance(record, Playlist)]
    return sorted(playlists, key=lambda playlist: playlist.playlist_id)
