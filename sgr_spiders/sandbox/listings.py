"""The list behind each path, and how it is paged and shaped."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sgr_spiders.sandbox.answers import RefusedError
from sgr_spiders.sandbox.paging import Listing

if TYPE_CHECKING:
    from collections.abc import Callable

    from sgr_spiders.sandbox.edges import TimedList
    from sgr_spiders.sandbox.model import Model
    from sgr_spiders.sandbox.seeding import Indices, Ints


class Route(NamedTuple):
    """One list endpoint below an object.

    ``either``: a plain array unless linked_partitioning requests a collection.
    ``null_at_end``: the last page has ``"next_href": null`` instead of omitting it.
    """

    find: Callable[[Model, int], Listing]
    cursor: str
    either: bool = False
    null_at_end: bool = False


def _timed(kind: str, found: TimedList, ids: Ints, owner_id: int = 0) -> Listing:
    return Listing(kind, found.indices, found.times_ms, ids, owner_id)


def _untimed(kind: str, indices: Indices) -> Listing:
    return Listing(kind, indices)


def _favoriters(world: Model, track: int) -> Listing:
    return _timed("users", world.likes.of_item(track), world.people.ids)


def _track_reposters(world: Model, track: int) -> Listing:
    return _timed("users", world.reposts.of_item(track), world.people.ids)


def _comments(world: Model, track: int) -> Listing:
    return _untimed("comments", np.array(world.comments_shown(track), dtype=np.int32))


def _related_tracks(world: Model, track: int) -> Listing:
    return _untimed("tracks", world.related_to_track(track))


def _related_users(world: Model, person: int) -> Listing:
    return _untimed("users", world.related_to_user(person))


def _uploads(world: Model, person: int) -> Listing:
    found = world.uploads_of(person)
    times = world.catalogue.uploaded_s[found] * 1000
    return Listing("tracks", found, times, world.catalogue.ids)


def oldest_first(listing: Listing) -> Listing:
    """Return the list in the opposite direction (``sort=asc``)."""
    times = None if listing.times_ms is None else listing.times_ms[::-1]
    return Listing(listing.kind, listing.indices[::-1], times, listing.ids, listing.owner_id, ascending=True)


def _playlists(world: Model, person: int) -> Listing:
    found = world.sets_of(person)
    times = world.playlists.created_s[found] * 1000
    return Listing("playlists", found, times, world.playlists.ids)


def _require_open(world: Model, person: int) -> None:
    if world.people.hidden_library[person]:
        raise RefusedError(404)


def _liked_tracks(world: Model, person: int) -> Listing:
    _require_open(world, person)
    owner = int(world.people.ids[person])
    return _timed("tracks", world.likes.of_owner(person), world.catalogue.ids, owner)


def _liked_playlists(world: Model, person: int) -> Listing:
    _require_open(world, person)
    owner = int(world.people.ids[person])
    return _timed("playlists", world.playlist_likes.of_owner(person), world.playlists.ids, owner)


def _reposted_tracks(world: Model, person: int) -> Listing:
    return _timed("tracks", world.reposts.of_owner(person), world.catalogue.ids)


def _reposted_playlists(world: Model, person: int) -> Listing:
    return _timed("playlists", world.playlist_reposts.of_owner(person), world.playlists.ids)


def _followers(world: Model, person: int) -> Listing:
    return _timed("users", world.follows.of_item(person), world.people.ids)


def _followings(world: Model, person: int) -> Listing:
    return _timed("users", world.follows.of_owner(person), world.people.ids)


def _playlist_tracks(world: Model, playlist: int) -> Listing:
    return _untimed("tracks", world.playlists.tracks_of(playlist))


def _playlist_reposters(world: Model, playlist: int) -> Listing:
    return _timed("users", world.playlist_reposts.of_item(playlist), world.people.ids)


ROUTES: dict[tuple[str, str], Route] = {
    ("tracks", "comments"): Route(_comments, "offset", null_at_end=True),
    ("tracks", "favoriters"): Route(_favoriters, "micros"),
    ("tracks", "reposters"): Route(_track_reposters, "millis"),
    ("tracks", "related"): Route(_related_tracks, "offset", either=True),
    ("users", "tracks"): Route(_uploads, "uploads", either=True),
    ("users", "likes/tracks"): Route(_liked_tracks, "track likes", either=True),
    ("users", "likes/playlists"): Route(_liked_playlists, "playlist likes", either=True),
    ("users", "playlists"): Route(_playlists, "sets", either=True),
    ("users", "reposts/tracks"): Route(_reposted_tracks, "millis", either=True),
    ("users", "reposts/playlists"): Route(_reposted_playlists, "millis", either=True),
    ("users", "followers"): Route(_followers, "millis"),
    ("users", "followings"): Route(_followings, "millis"),
    ("users", "related"): Route(_related_users, "offset"),
    ("playlists", "tracks"): Route(_playlist_tracks, "offset", either=True),
    ("playlists", "reposters"): Route(_playlist_reposters, "millis"),
}
