"""The figures of lists of neighbours are those of their definitions, and the batch agrees with one search."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given

from sgr_spiders.embeddings.interactions import read_interactions
from sgr_spiders.embeddings.list_quality import (
    measure_lists,
    overlap,
    search_by_npmi,
    search_by_walk,
)
from sgr_spiders.embeddings.similar import find_similar
from sgr_spiders.sandbox.options import WorldOptions
from sgr_spiders.sandbox.world import World as SandboxWorld
from tests.embeddings.test_walk import REUSED, WORLDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sgr_spiders.embeddings.base import Numbers
    from sgr_spiders.storage.store import Store
    from tests.relationships.worlds import World


@REUSED
@given(world=WORLDS)
def test_all_lists_are_those_of_single_searches(store: Store, world: World) -> None:
    world.spill(store)
    with store.write() as connection:
        interactions = read_interactions(connection)
        columns = np.arange(len(interactions.tracks))
        for by, search in (("npmi", search_by_npmi), ("walk", search_by_walk)):
            lists = search(interactions.matrix, columns, interactions.tracks)
            for track, row in zip(interactions.tracks.tolist(), lists, strict=True):
                found = find_similar(connection, "track", track, by=by).found
                assert interactions.tracks[row[row >= 0]].tolist() == [one.id for one in found]


def fixed(lists: list[list[int]]) -> NDArray[np.int64]:
    return np.array([row + [-1] * (10 - len(row)) for row in lists])


def test_figures_of_fixed_lists() -> None:
    matrix = sp.csr_array(np.ones((4, 30), np.float32))
    lists = fixed([[1], *[[0, 1 + place % 28] for place in range(1, 29)], []])

    quality = measure_lists(matrix, np.array([0]), lambda _, starts: lists[starts])
    assert quality.lists == 29
    # 57 places: 28 of track 0, and each of the others has one or two.
    assert quality.hub_share == pytest.approx((28 + 2 + 18) / 57)
    assert quality.stability == 1
    assert quality.seed_first == 1
    halved = measure_lists(
        matrix,
        np.array([], int),
        lambda some, starts: lists[starts] + 40 * (lists[starts] >= 0) * (some.shape[0] < 4),
    )
    assert halved.stability == 0
    assert math.isnan(halved.seed_first)


def test_of_many_tracks_a_sample_is_compared_with_halves_of_the_users() -> None:
    searched = []

    def search(some: sp.csr_array, starts: Numbers) -> Numbers:
        searched.append((some.shape[0], len(starts)))
        return np.zeros((len(starts), 10), np.int64)

    measure_lists(sp.csr_array((8, 1_001), dtype=np.float32), np.array([0]), search)
    assert searched == [(8, 1_000), *[(4, 1_000)] * 5]


def test_overlaps_ignore_what_fills_short_lists() -> None:
    found = overlap(fixed([[1, 2, 3], [1], []]), fixed([[3, 4], [1], [5]]))
    assert found.tolist() == [0.25, 1, 0]


def test_no_lists() -> None:
    quality = measure_lists(sp.csr_array((3, 2), dtype=np.float32), np.array([0]), search_by_npmi)
    assert quality.lists == 0
    assert math.isnan(quality.hub_share)
    assert math.isnan(quality.stability)


@pytest.fixture(scope="module")
def harvested() -> tuple[sp.csr_array, NDArray[np.int64], int]:
    """Return the libraries around the seed of a sandbox world, the community of each track, and the seed."""
    world = SandboxWorld.build(WorldOptions(seed=5, users=800, tracks=2_500, communities=8, seed_likers=160))
    users = [user for user in world.likers(world.seed_track_id) or [] if world.library(user)]
    libraries = [world.library(user) or [] for user in users]
    tracks = np.unique(np.concatenate(libraries))
    rows = np.repeat(np.arange(len(users)), list(map(len, libraries)))
    columns = np.searchsorted(tracks, np.concatenate(libraries))
    matrix = sp.csr_array((np.ones(len(rows), np.float32), (rows, columns)), shape=(len(users), len(tracks)))
    styles = dict(zip(world.catalogue.ids.tolist(), world.catalogue.community.tolist(), strict=True))
    return (
        matrix,
        np.array([styles[track] for track in tracks.tolist()]),
        int(np.searchsorted(tracks, world.seed_track_id)),
    )


def test_npmi_finds_planted_communities_without_hubs(
    harvested: tuple[sp.csr_array, NDArray[np.int64], int],
) -> None:
    matrix, communities, seed = harvested
    liked = np.flatnonzero(np.bincount(matrix.indices) >= 5)
    purity, quality = {}, {}
    for name, search in (("npmi", search_by_npmi), ("walk", search_by_walk)):
        lists = search(matrix, liked)
        same = (communities[lists] == communities[liked][:, None]) & (lists >= 0)
        purity[name] = same.sum() / (lists >= 0).sum()
        quality[name] = measure_lists(matrix, np.array([seed]), search)
    assert purity["npmi"] > 0.85
    assert purity["npmi"] > purity["walk"] + 0.05
    assert quality["npmi"].hub_share < 0.15 < quality["walk"].hub_share
    assert quality["npmi"].seed_first == 0 < quality["walk"].seed_first
    assert 0.05 < quality["npmi"].stability < 0.9
