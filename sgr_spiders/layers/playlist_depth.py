"""playlist_depth: all playlists that contain the seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sgr_spiders.layers.base import EVERYTHING, SEED_STEP, FixedCap, Layer, LayerView, Seed, Wanted, cut
from sgr_spiders.model.items import Cut, Playlist, Selection, User, WalkRequest
from sgr_spiders.titles.terms import key_terms

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from sgr_spiders.config.harvest import PlaylistDepth as Section
    from sgr_spiders.layers.base import PlaylistContents
    from sgr_spiders.model.items import MainRecord, Track


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
            yield self._playlists("user_playlists", str(track.artist_id), "artist", EVERYTHING)
        if config.include_liker_playlists:
            yield from self._likers_of(track)
        for term in key_terms(track.title or "", None, 1):
            yield self._playlists("search_playlists", term, "search", config.max_search_playlists)

    def after_all_ended(self, seed: Seed, view: LayerView) -> Iterator[Wanted]:
        config = self.config
        ranked = _by_followers(view)
        likers = ranked[: config.max_likers]
        for liker in likers:
            if liker.playlist_count != 0:
                cap, expected = config.max_playlists_per_liker, liker.playlist_count
                yield self._playlists("user_playlists", str(liker.user_id), "liker", cap, expected)
        candidates = {playlist.playlist_id: playlist for playlist in _candidates(view, likers)}
        contents = view.contents(candidates)
        for playlist in candidates.values():
            known = contents[playlist.playlist_id]
            if playlist.track_count != 0 and (known.is_walk or not known):
                yield self._contents_of(playlist)
        ordered = list(self._in_order(seed, candidates.values(), contents))
        for playlist in ordered[: config.max_playlists]:
            yield from self._keep(playlist, contents[playlist.playlist_id])
        yield from cut("max_likers", config.max_likers, len(ranked))
        yield from cut("max_playlists", config.max_playlists, len(ordered))

    def _playlists(
        self, endpoint: str, target: str, step: str, cap: int, expected: int | None = None
    ) -> WalkRequest:
        inline_cap = self.config.max_tracks_per_playlist
        return WalkRequest(endpoint, target, step, cap, expected, selective=True, inline_cap=inline_cap)

    def _likers_of(self, track: Track) -> Iterator[Wanted]:
        if self.config.max_likers:
            target, expected = str(track.track_id), track.favoritings_count
            # All likers are needed to determine the top likers.
            yield WalkRequest("track_favoriters", target, "likers", EVERYTHING, expected, selective=True)
        elif track.favoritings_count != 0:
            yield Cut("max_likers", 0, track.favoritings_count)

    def _contents_of(self, playlist: Playlist) -> WalkRequest:
        target, cap = str(playlist.playlist_id), self.config.max_tracks_per_playlist
        return WalkRequest("playlist_tracks", target, "contents", cap, playlist.track_count, selective=True)

    def _in_order(
        self, seed: Seed, playlists: Collection[Playlist], contents: Mapping[int, PlaylistContents]
    ) -> Iterator[Playlist]:
        """Yield the playlists to keep: first all with the seed, then the artist's others."""
        track, artist = seed.track.track_id, seed.track.artist_id
        with_seed = [playlist for playlist in playlists if track in contents[playlist.playlist_id]]
        yield from with_seed
        kept = {playlist.playlist_id for playlist in with_seed}
        if self.config.include_artist_playlists and artist is not None:
            for playlist in playlists:
                if playlist.owner_id == artist and playlist.playlist_id not in kept:
                    yield playlist

    def _keep(self, playlist: Playlist, contents: PlaylistContents) -> Iterator[Wanted]:
        yield Selection("playlist", playlist.playlist_id)
        if playlist.owner_id is not None:
            yield Selection("user", playlist.owner_id)
        cap = self.config.max_tracks_per_playlist
        for track in contents.tracks[:cap]:
            yield Selection("track", track)
        # The ledger knows which walks are capped.
        if not contents.is_walk:
            yield from cut("max_tracks_per_playlist", cap, len(contents), str(playlist.playlist_id))
            if contents.lacks(cap):
                # The cap was smaller when the playlist was listed with its tracks.
                yield self._contents_of(playlist)


def _by_followers(view: LayerView) -> list[User]:
    """Return the likers, those with most followers first."""
    likers = [liker for walk in view.walks("likers") for liker in walk.records if isinstance(liker, User)]
    return sorted(likers, key=lambda liker: (-(liker.followers_count or 0), liker.user_id))


def _candidates(view: LayerView, likers: Iterable[User]) -> Iterator[Playlist]:
    """Yield the artist's playlists, then the likers' by rank, then the search hits; each by ID."""
    by_liker = {walk.target: walk.records for walk in view.walks("liker")}
    yield from _by_id(record for walk in view.walks("artist") for record in walk.records)
    for liker in likers:
        yield from _by_id(by_liker.get(str(liker.user_id), ()))
    yield from _by_id(record for walk in view.walks("search") for record in walk.records)


def _by_id(records: Iterable[MainRecord]) -> list[Playlist]:
    playlists = [record for record in records if isinstance(record, Playlist)]
    return sorted(playlists, key=lambda playlist: playlist.playlist_id)
