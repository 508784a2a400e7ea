"""Invented tastes: users and tracks of several communities, and the tracks each user likes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tests.relationships.worlds import World


@dataclass(frozen=True)
class Tastes:
    """Likes by community. *train* and *test*: users x tracks; user ``i`` is in community ``users[i]``."""

    train: sp.csr_array
    test: sp.csr_array
    users: NDArray[np.int64]
    tracks: NDArray[np.int64]

    def world(self) -> World:
        """Return the training likes, with one artist and one playlist per community."""
        user, track = self.train.nonzero()
        world = World({(u + 1, t + 1001, "like") for u, t in zip(user.tolist(), track.tolist(), strict=True)})
        for community in range(int(self.tracks.max()) + 1):
            own = (np.flatnonzero(self.tracks == community) + 1001).tolist()
            world.artists |= dict.fromkeys(own, 5001 + community)
            world.playlists[9001 + community] = set(own[:20])
            world.owners[9001 + community] = int(np.flatnonzero(self.users == community)[0]) + 1
        return world


def tastes(
    users: int, tracks: int, likes: int, communities: int, *, loyalty: float = 0.9, seed: int = 1
) -> Tastes:
    """Sample *likes* pairs, mostly popular tracks; *loyalty* is the share from the user's own community.

    A fifth of the pairs are held out.
    """
    random = np.random.default_rng(seed)
    of_users, of_tracks = random.integers(0, communities, users), random.integers(0, communities, tracks)
    weight = random.permutation(1 / np.arange(1, tracks + 1) ** 0.7)
    order = np.argsort(of_tracks, kind="stable")
    ends = np.concatenate([[0], np.cumsum(weight[order])])
    edges = ends[np.searchsorted(of_tracks[order], np.arange(communities + 1))]
    user = random.integers(0, users, int(likes * 1.5))
    own = random.random(len(user)) < loyalty
    low = np.where(own, edges[of_users[user]], 0)
    high = np.where(own, edges[of_users[user] + 1], ends[-1])
    spot = low + random.random(len(user)) * (high - low)
    track = order[np.minimum(np.searchsorted(ends, spot, side="right") - 1, tracks - 1)]
    pairs = np.unique(user * tracks + track)
    pairs = random.permutation(pairs)[:likes]
    held = len(pairs) // 5
    return Tastes(
        _matrix(pairs[held:], users, tracks), _matrix(pairs[:held], users, tracks), of_users, of_tracks
    )


def _matrix(pairs: NDArray[np.int64], users: int, tracks: int) -> sp.csr_array:
    ones = np.ones(len(pairs), np.float32)
    matrix = sp.csr_array((ones, (pairs // tracks, pairs % tracks)), shape=(users, tracks))
    matrix.sort_indices()
    return matrix
