"""Shrunk NPMI of the definition, however it is searched; ties, weak evidence and samples are said."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given

from sgr_spiders.commands.similar import _explain_nothing
from sgr_spiders.embeddings import npmi
from sgr_spiders.embeddings.ranking import rank
from sgr_spiders.embeddings.recommend import recommend
from sgr_spiders.embeddings.similar import Evidence, find_similar
from sgr_spiders.reports.neighbours import SimilarRecords, describe_evidence, render_ranked
from sgr_spiders.storage import neighbours
from sgr_spiders.storage.libraries import Inclusion
from tests.embeddings.test_walk import REUSED, WORLDS
from tests.relationships.worlds import World
from tests.scrapy_process import run_command

if TYPE_CHECKING:
    from sgr_spiders.storage.store import Store


def by_hand(fans: dict[int, set[int]], track: int, users: int) -> dict[int, float]:
    """Return the scores above 0 of the other tracks, by the definition."""
    found = {}
    for other, theirs in fans.items():
        shared = len(fans[track] & theirs)
        if other == track or not shared or shared == users:
            continue
        joint, own, others = shared / users, len(fans[track]) / users, len(theirs) / users
        found[other] = log(joint / (own * others)) / -log(joint) * shared / (shared + 5)
    return {other: score for other, score in found.items() if score > 1e-12}


def fans_of(world: World) -> dict[int, set[int]]:
    fans: dict[int, set[int]] = {}
    for user, library in world.libraries().items():
        for track in library:
            fans.setdefault(track, set()).add(user)
    return fans


def test_the_score_is_that_of_its_definition() -> None:
    assert npmi.score(np.array([6]), 8, np.array([9]), 100)[0] == pytest.approx(
        log(6 * 100 / 72) / log(100 / 6) * 6 / 11
    )
    # One person alone proves nothing, and neither does what everyone likes.
    assert npmi.score(np.array([1]), 1, np.array([1]), 100)[0] == pytest.approx(1 / 6)
    assert npmi.score(np.array([7]), 7, np.array([7]), 7)[0] == 0


@REUSED
@given(world=WORLDS)
def test_the_search_finds_the_best_of_all(store: Store, world: World) -> None:
    """The search counts the fans of few candidates; all scores by hand have the same best ones."""
    world.spill(store)
    fans = fans_of(world)
    users = len(set().union(*fans.values()))
    with store.write() as connection, pytest.MonkeyPatch.context() as patch:
        patch.setattr(npmi, "CANDIDATES_AT_FIRST", 1)
        for track in fans:
            wanted = by_hand(fans, track, users)
            near = find_similar(connection, "track", track, by="npmi", limit=3)
            assert near.by_everyone == (len(fans[track]) == users)
            best = sorted(wanted.values(), reverse=True)
            assert [one.score for one in near.found] == pytest.approx(best[:3])
            for one in near.found:
                assert one.score == pytest.approx(wanted[one.id])
                assert one.tied == sum(score == pytest.approx(one.score) for score in best)
                assert one.rank == 1 + sum(score > one.score + 1e-9 for score in best)
                assert one.weak_evidence == (min(len(fans[track]), one.shared[0]) < 5)


def one_fan(tracks: int) -> World:
    """Return a world of one user with an odd taste, and others who share theirs."""
    odd = {(1, 101 + track, "like") for track in range(tracks)}
    return World(odd | {(user, track, "like") for user in range(2, 12) for track in range(201, 206)})


@pytest.mark.parametrize("by", ["npmi", "walk"])
def test_ties_are_said_and_not_broken_by_the_lowest_ids(store: Store, by: str) -> None:
    one_fan(40).spill(store)
    with store.write() as connection:
        near = find_similar(connection, "track", 101, by=by, limit=10)
        again = find_similar(connection, "track", 101, by=by, limit=10)
    assert near == again
    assert {(one.rank, one.tied, one.weak_evidence) for one in near.found} == {(1, 39, True)}
    assert sorted(one.id for one in near.found) != list(range(102, 112))
    assert "rank 1: 10 of 39 with the same score" in describe_evidence(near.evidence, near.found)
    sample = Evidence("fans", 9, 3, 0)
    assert "rank 1: 10 of at least 39 with the same score" in describe_evidence(sample, near.found)
    head, *rows = (line for (line,) in render_ranked("track", near.found, {}, {}))
    assert head.split()[:4] == ["id", "rank", "score", "weak_evidence"]
    assert all(row.split()[1] == "1=" and row.split()[2].startswith("~0.") for row in rows)


def test_what_many_share_is_not_weak(store: Store) -> None:
    one_fan(3).spill(store)
    with store.write() as connection:
        near = find_similar(connection, "track", 201)
        recommended = recommend(connection, 1, by="walk", method="svd", limit=5)
    assert [one.weak_evidence for one in near.found] == [False] * 4
    assert near.by == "npmi"
    assert recommended.found == []


@pytest.mark.parametrize(("by", "is_weak"), [("walk", False), ("playlists", True)])
def test_a_recommendation_is_as_weak_as_what_its_walk_goes_over(
    store: Store, by: str, *, is_weak: bool
) -> None:
    """Track 9 shares eight fans and one playlist with the tracks of user 1."""
    own = {(1, track, "like") for track in range(1, 7)}
    others = {(user, track, "like") for user in range(2, 10) for track in (1, 9)}
    World(own | others, {50: {1, 9}}).spill(store)
    with store.write() as connection:
        (found,) = recommend(connection, 1, by=by, method="svd", limit=5).found
    assert (found.id, found.because[0].shared_fans, found.because[0].shared_playlists) == (9, 8, 1)
    assert found.weak_evidence is is_weak


def explain(by: str, kind: str, total: int, *, by_everyone: bool = True) -> str:
    word = "tracks" if kind == "user" else "fans"
    return _explain_nothing(SimilarRecords(kind, 1, by, Evidence(word, total, total, 0), [], by_everyone, {}))


def test_the_walk_is_advised_only_after_npmi() -> None:
    said = "all that were looked at, so sharing them says nothing; try `--by walk`"
    assert explain("npmi", "track", 1) == f"it has 1 fan, {said}"
    assert explain("npmi", "user", 1_200) == f"it has 1,200 tracks, {said}"
    assert explain("walk", "track", 1) == "it has no neighbours"


def test_what_everyone_likes_has_neighbours_by_the_walk(store: Store) -> None:
    World({(user, track, "like") for user in range(1, 9) for track in (1, 100 + user % 3)}).spill(store)
    with store.write() as connection:
        near, asked = (find_similar(connection, "track", 1, by=by) for by in (None, "npmi"))
    assert (near.by, near.by_everyone, len(near.found)) == ("walk", True, 3)
    assert (asked.by, asked.by_everyone, asked.found) == ("npmi", True, [])
    said = run_command("similar", "track", "1", HARVEST_DATABASE_URL=store.url).out
    assert "\nby walk: it has 8 fans, all that were looked at, so sharing them says nothing\n" in said


def test_tracks_of_users_who_were_not_looked_at_do_not_count(store: Store) -> None:
    """The likes of user 3 are known from the lists of tracks alone."""
    libraries = {1: {1, 2, 3}, 2: {1, 2, 4, 5}, 4: {6}}
    seen = {(user, track, "like") for user, library in libraries.items() for track in library}
    unseen = {(3, track, "like") for track in range(100, 160)}
    World(seen | unseen, looks=dict.fromkeys(libraries, "whole") | {3: "unseen"}).spill(store)
    with store.write() as connection:
        near = find_similar(connection, "user", 1, by="npmi")
        everyone = find_similar(connection, "user", 1, by="npmi", include=Inclusion(unseen=True))
    # By chance they would share 3 * 4 / 6 of the six tracks, and they share two.
    assert near.found == []
    assert [one.id for one in everyone.found] == [2]


@pytest.mark.parametrize("by", ["npmi", "walk"])
def test_a_sample_of_the_fans_is_said(store: Store, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    random = np.random.default_rng(1)
    likes = {(user, 1, "like") for user in range(1, 61)}
    likes |= {
        (user, 100 + user % 3 * 10 + int(track), "like")
        for user in range(1, 91)
        for track in random.integers(0, 10, 6)
    }
    World(likes).spill(store)
    with store.write() as connection:
        whole = find_similar(connection, "track", 1, by=by, limit=99)
        monkeypatch.setattr(neighbours.NeighbourReader.read, "__defaults__", (100,))
        near = find_similar(connection, "track", 1, by=by, limit=99)
        assert near == find_similar(connection, "track", 1, by=by, limit=99)
    assert whole.evidence.used == whole.evidence.total == near.evidence.total == 60
    assert 100 / 8 < near.evidence.used < 30
    line = f"from a sample of {near.evidence.used} of 60 fans"
    assert line in describe_evidence(near.evidence, near.found)
    assert line not in describe_evidence(whole.evidence, whole.found)
    scores = {one.id: one.score for one in whole.found}
    if by == "npmi":
        # The sample finds candidates, but all fans give the scores.
        assert {one.id: one.score for one in near.found}.items() <= scores.items()
    assert {one.id: one.shared for one in near.found}.items() <= {
        one.id: one.shared for one in whole.found
    }.items()


def test_ranks_ignore_the_order_of_additions() -> None:
    scores = np.array([0.1 + 0.2, 0.3, 0.5, 0.0999999])
    ranked = rank(7, np.arange(4), scores, 3)
    assert ranked.ranks.tolist() == [1, 2, 2]
    assert ranked.tied.tolist() == [1, 2, 2]


@pytest.mark.parametrize("start", range(0, 60, 7))
def test_the_search_ends_early_and_misses_nothing(monkeypatch: pytest.MonkeyPatch, start: int) -> None:
    monkeypatch.setattr(npmi, "CANDIDATES_AT_FIRST", 1)
    random = np.random.default_rng(2)
    liked = random.random((300, 400)) < 1 / np.arange(2, 402) ** 0.6
    fans, shared = liked.sum(axis=0), (liked[:, start][:, None] & liked).sum(axis=0)
    nodes = np.flatnonzero((shared > 0) & (np.arange(400) != start))
    counted: list[int] = []

    def count(some: np.ndarray) -> np.ndarray:
        counted.extend(some.tolist())
        return np.asarray(fans[some])

    found, scores = npmi.find_nearest(nodes, shared[nodes], int(fans[start]), 300, 5, count)
    wanted = npmi.score(shared[nodes], int(fans[start]), fans[nodes], 300)
    assert np.sort(scores)[-5:] == pytest.approx(np.sort(wanted)[-5:])
    assert len(found) == len(scores)
    assert len(counted) < len(nodes) or fans[start] < 40


def test_all_nodes_with_the_score_of_the_last_are_found() -> None:
    nodes = np.arange(300)
    two = np.full(300, 2)
    ids, scores = npmi.find_nearest(nodes, two, 2, 10, 10, lambda some: two[some])
    assert (len(ids), len(set(scores.tolist()))) == (300, 1)


def test_a_like_counts_once_whatever_its_weight_and_no_track_is_near_itself() -> None:
    likes = sp.csr_array(np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1], [1, 0, 1]], np.float32))
    found = npmi.Npmi(3 * likes).reach(np.arange(3)).toarray()
    assert found.tolist() == npmi.Npmi(likes).reach(np.arange(3)).toarray().tolist()
    assert found[0, 1] > 0
    assert not found.diagonal().any()
