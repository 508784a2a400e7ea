"""Changes of a world between two harvests: rounds of ageing, and single changes that a test requests."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.sandbox.edges import Edges
from sgr_spiders.sandbox.engagement import Comments
from sgr_spiders.sandbox.population import DELETED, PRIVATE, PUBLIC
from sgr_spiders.sandbox.seeding import starts_of, stream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sgr_spiders.sandbox.model import Model

_DELETED_TRACKS = 0.015
_FLIPPED_TRACKS = 0.01
_DELETED_USERS = 0.01
_HIDDEN_USERS = 0.005
_DELETED_PLAYLISTS = 0.02
_UNDONE_LIKES = 0.03
_UNDONE_REPOSTS = 0.03
_DELETED_COMMENTS = 0.02


def age(world: Model) -> None:
    """Apply one seeded round of change. The seed track and its artist survive every round."""
    world.generation += 1
    rng = stream(world.options.seed, "generation", world.generation)
    catalogue, people = world.catalogue, world.people
    throw = rng.random(len(catalogue))
    alive = catalogue.state != DELETED
    alive[catalogue.seed] = False
    flipped = alive & (throw > 1 - _FLIPPED_TRACKS)
    catalogue.state[flipped] = np.where(catalogue.state[flipped] == PUBLIC, PRIVATE, PUBLIC)
    catalogue.state[alive & (throw < _DELETED_TRACKS)] = DELETED
    throw = rng.random(len(people))
    throw[people.seed_artist] = 0.5
    people.deleted |= throw < _DELETED_USERS
    people.hidden_library ^= throw > 1 - _HIDDEN_USERS
    lost = rng.random(len(world.playlists)) < _DELETED_PLAYLISTS
    world.playlists.state[lost & (world.playlists.owner != people.seed_artist)] = DELETED
    world.likes = world.likes.keep(rng.random(len(world.likes)) >= _UNDONE_LIKES)
    world.reposts = world.reposts.keep(rng.random(len(world.reposts)) >= _UNDONE_REPOSTS)
    kept = rng.random(len(world.comments.ids)) >= _DELETED_COMMENTS
    world.comments = world.comments.keep(kept)
    world.refresh_visibility()


def delete_tracks(world: Model, track_ids: Iterable[int]) -> None:
    """Delete these tracks, the seed too if it is named."""
    _set_state(world, track_ids, DELETED)


def hide_tracks(world: Model, track_ids: Iterable[int]) -> None:
    """Make these tracks private."""
    _set_state(world, track_ids, PRIVATE)


def show_tracks(world: Model, track_ids: Iterable[int]) -> None:
    """Make these tracks public."""
    _set_state(world, track_ids, PUBLIC)


def _set_state(world: Model, track_ids: Iterable[int], state: int) -> None:
    for track_id in track_ids:
        index = world.track_index(track_id)
        if index is None:
            raise KeyError(f"no track {track_id}")
        world.catalogue.state[index] = state
    world.refresh_visibility()


def delete_users(world: Model, user_ids: Iterable[int]) -> None:
    """Delete these accounts; their tracks and playlists go with them."""
    for user_id in user_ids:
        index = world.user_index(user_id)
        if index is None:
            raise KeyError(f"no user {user_id}")
        world.people.deleted[index] = True
    world.refresh_visibility()


def unlike(world: Model, pairs: Iterable[tuple[int, int]]) -> None:
    """Take back likes, given as (user id, track id)."""
    owners = world.likes.owner_of_each()
    undone = np.zeros(len(world.likes), dtype=np.bool_)
    for person, track in _indices(world, pairs):
        undone |= (owners == person) & (world.likes.items == track)
    world.likes = world.likes.keep(~undone)


def like(world: Model, pairs: Iterable[tuple[int, int]]) -> None:
    """Add likes, given as (user id, track id): each is of now, and newer than all before it."""
    likes = world.likes
    now = max(likes.owner_times.max() + 1, round(time.time() * 1000))
    added = np.array(_indices(world, pairs), dtype=np.int32).reshape(-1, 2)
    owners = np.concatenate((likes.owner_of_each(), added[:, 0]))
    items = np.concatenate((likes.items, added[:, 1]))
    times = np.concatenate((likes.owner_times, now + np.arange(len(added))))
    world.likes = Edges.build(owners, items, times, (len(world.people), len(world.catalogue)))


def comment(world: Model, pairs: Iterable[tuple[int, int]]) -> None:
    """Add comments, given as (user id, track id): each is newer than all before it."""
    for person, track in _indices(world, pairs):
        old = world.comments
        place = int(old.track_starts[track])
        tracks = np.insert(old.track, place, track)
        world.comments = Comments(
            track_starts=starts_of(tracks, len(world.catalogue)),
            ids=np.insert(old.ids, place, old.ids.max() + 1),
            track=tracks,
            user=np.insert(old.user, place, person),
            created_s=np.insert(old.created_s, place, old.created_s.max() + 1),
            position_ms=np.insert(old.position_ms, place, -1),
            answers=np.insert(old.answers, place, -1),
        )


def delete_comments(world: Model, comment_ids: Iterable[int]) -> None:
    """Delete these comments."""
    world.comments = world.comments.keep(~np.isin(world.comments.ids, list(comment_ids)))


def reverse_playlists(world: Model, playlist_ids: Iterable[int]) -> None:
    """Turn the order of these playlists round."""
    for playlist_id in playlist_ids:
        index = world.playlist_index(playlist_id)
        if index is None:
            raise KeyError(f"no playlist {playlist_id}")
        part = slice(world.playlists.starts[index], world.playlists.starts[index + 1])
        world.playlists.entries[part] = world.playlists.entries[part][::-1].copy()


def _indices(world: Model, pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the indices of pairs of a user id and a track id."""
    found = []
    for user_id, track_id in pairs:
        person, track = world.user_index(user_id), world.track_index(track_id)
        if person is None or track is None:
            raise KeyError(f"no user {user_id} or no track {track_id}")
        found.append((person, track))
    return found
