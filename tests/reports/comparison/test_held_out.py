"""The recall of held-out likes and the walks of a comparison, against dense matrices."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
import pytest

from sgr_spiders.config.harvest import Relationships
from sgr_spiders.embeddings.evaluation.statistics import paired_p
from sgr_spiders.embeddings.similar import WALK, find_similar
from sgr_spiders.reports.comparison.held_out import RECOMMENDED, Trial, hold_out, measure
from sgr_spiders.reports.comparison.neighbours import reached
from sgr_spiders.reports.comparison.sides import Side
from sgr_spiders.storage.store import Store
from tests.databases import url_of
from tests.relationships.worlds import World

USERS, TRACKS = 40, 90
SEEDS = np.array([1])
Likes = set[tuple[int, int]]


@pytest.fixture(scope="module")
def likes() -> tuple[Likes, Likes]:
    """Return the likes of two databases: the first lacks users, and parts of libraries."""
    random = np.random.default_rng(5)
    tastes = random.integers(0, 3, USERS)
    whole = {
        (user + 1, int(track) + 1)
        for user in range(USERS)
        for track in np.unique(random.geometric(0.03, 14) * 3 + tastes[user]) % TRACKS
    }
    some = {(user, track) for user, track in whole if user <= 30 and (user + track) % 4}
    return some, whole


@pytest.fixture(scope="module")
def sides(
    likes: tuple[Likes, Likes], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Side, Side]]:
    folder: Path = tmp_path_factory.mktemp("held_out")
    with ExitStack() as stack:
        found = []
        for name, liked in zip("AB", likes, strict=True):
            path = folder / f"{name}.db"
            with closing(Store.open(url_of(path))) as store:
                World({(user, track, "like") for user, track in liked}).spill(store)
            connection = stack.enter_context(Store(url_of(path)).read())
            found.append(Side(name, str(path), connection, Relationships()))
        yield found[0], found[1]


def recall_by_definition(trial: Trial, liked: Likes) -> dict[int, float]:
    """Return the recall of each user of the database: walks from all that is left of the user's library."""
    held_out = set(zip(trial.users.tolist(), trial.tracks.tolist(), strict=True))
    left = set(zip(trial.left_users.tolist(), trial.left_tracks.tolist(), strict=True))
    tracks = sorted({track for _, track in liked})
    matrix = np.zeros((USERS + 1, len(tracks)))
    for user, track in liked - held_out:
        matrix[user, tracks.index(track)] = 1
    with np.errstate(invalid="ignore"):
        to_user = np.nan_to_num(matrix.T / matrix.T.sum(axis=1, keepdims=True))
        to_track = np.nan_to_num(matrix / matrix.sum(axis=1, keepdims=True))
    steps = to_user @ to_track
    np.fill_diagonal(steps, 0)
    found = {}
    for user in {user for user, _ in held_out} & {user for user, _ in liked}:
        scores = matrix[user] @ steps
        own = {track for other, track in (liked - held_out) | left if other == user}
        ranked = sorted(
            (track for track in tracks if track not in own and scores[tracks.index(track)] > 0),
            key=lambda track: (-round(scores[tracks.index(track)], 6), track),
        )
        wanted = {track for other, track in held_out if other == user}
        found[user] = len(wanted & {*ranked[:RECOMMENDED]}) / len(wanted)
    return found


def test_recall(sides: tuple[Side, Side], likes: tuple[Likes, Likes]) -> None:
    trial = hold_out(sides[1], SEEDS)
    held_out = set(zip(trial.users.tolist(), trial.tracks.tolist(), strict=True))
    left = set(zip(trial.left_users.tolist(), trial.left_tracks.tolist(), strict=True))
    assert held_out | left == likes[1]
    assert not held_out & left
    assert not {track for _, track in held_out} & {*SEEDS.tolist()}
    by_hand = [recall_by_definition(trial, liked) for liked in likes]
    tested, both = len(trial.tested), by_hand[0].keys() & by_hand[1].keys()
    assert (tested, len(both)) == (USERS, 30)
    measured = measure(trial, sides)
    differences = [by_hand[0].get(user, 0) - by_hand[1].get(user, 0) for user in trial.tested.tolist()]
    assert measured.p == pytest.approx(paired_p(np.array(differences), 1), abs=0.01)
    for found, recalls, liked in zip(measured.sides, by_hand, likes, strict=True):
        known = {track for _, track in liked}
        assert found.known == len(recalls)
        assert found.held_out_known == sum(track in known for _, track in held_out)
        assert found.recall == pytest.approx(sum(recalls.values()) / tested)
        assert found.recall_of_both == pytest.approx(sum(recalls[user] for user in both) / len(both))
        assert found.recall is not None
        assert found.interval is not None
        low, high = found.interval
        assert 0 < low < found.recall < high < 1


def test_held_out_likes_are_the_same_for_any_pair_of_databases(sides: tuple[Side, Side]) -> None:
    trials = [hold_out(sides[1], SEEDS) for _ in range(2)]
    assert trials[0].users.tolist() == trials[1].users.tolist()
    assert trials[0].tracks.tolist() == trials[1].tracks.tolist()


def test_walks_reach_what_similar_finds(sides: tuple[Side, Side]) -> None:
    side = sides[1]
    near = reached(side)
    for track in side.inputs.likes.ids[:20].tolist():
        similar = find_similar(side.connection, "track", track, by=WALK, limit=TRACKS).found
        ranked = sorted(similar, key=lambda one: (-one.score, one.id))
        scores = {one.id: one.score for one in similar}
        assert len(near.of(track)) == 10
        assert [scores[other] for other in near.of(track)] == pytest.approx(
            [one.score for one in ranked[:10]]
        )
