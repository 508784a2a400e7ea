"""Ageing of a world: deletions, un-likes and visibility changes between two harvests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.sandbox.population import DELETED, PRIVATE, PUBLIC
from sgr_spiders.sandbox.seeding import stream

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
    for user_id, track_id in pairs:
        person, track = world.user_index(user_id), world.track_index(track_id)
        if person is None or track is None:
            raise KeyError(f"no like of user {user_id} for track {track_id}")
        undone |= (owners == person) & (world.likes.items == track)
    world.likes = world.likes.keep(~undone)
