"""Users whose libraries were not looked at do not count as people who like one track."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import sqlalchemy as sa

from sgr_spiders.config.harvest import HarvestConfig
from sgr_spiders.embeddings.evaluation.trials import TrialOptions, prepare_trials
from sgr_spiders.embeddings.interactions import read_interactions
from sgr_spiders.embeddings.preparation import Choice, prepare
from sgr_spiders.embeddings.recommend import recommend
from sgr_spiders.embeddings.similar import find_similar
from sgr_spiders.relationships.processor import relate
from sgr_spiders.storage import schema
from sgr_spiders.storage.libraries import USUAL, Inclusion
from tests.relationships.worlds import World, expected, stored
from tests.scrapy_process import scrapy_in_one

if TYPE_CHECKING:
    from sgr_spiders.storage.store import Store

SEED, SEED_ARTIST, LIKERS = 1, 1001, 120
TRACKS, ARTISTS = range(1, 61), range(1001, 1013)
UNSEEN = Inclusion(unseen=True)


def likers(*, harvested: bool = True) -> World:
    """Return a world of one seed whose likers have libraries; half of them only if all are *harvested*.

    The others are known as likers of the seed alone.
    """
    dice = random.Random(7)  # noqa: S311 - not for secrets
    libraries = {user: {SEED, *dice.sample(TRACKS, 12)} for user in range(2001, 2001 + LIKERS)}
    looks = {user: "newest" if user % 8 == 1 else "whole" for user in libraries}
    if not harvested:
        for user in list(libraries)[LIKERS // 2 :]:
            libraries[user] = {SEED}
            looks[user] = "hidden" if user % 2 else "unseen"
    return World(
        {(user, track, "like") for user, library in libraries.items() for track in library},
        artists={track: ARTISTS[track % len(ARTISTS) - 1] for track in TRACKS},
        looks=looks,
    )


def without_the_unseen(world: World) -> World:
    assert world.looks is not None
    seen = {user for user, library in world.looks.items() if library in {"whole", "newest"}}
    return World(
        {row for row in world.engagements if row[0] in seen},
        artists=world.artists,
        looks={user: world.looks[user] for user in seen},
    )


def settings(**changes: Any) -> HarvestConfig:
    return HarvestConfig.model_validate({"relationships": {"user_cosine": {"enabled": True}} | changes})


def strengths(store: Store) -> list[float]:
    rows = stored(store)["artist_relationships"]
    return sorted((row[1] for pair, row in rows.items() if SEED_ARTIST in pair), reverse=True)


def test_likers_without_a_library_do_not_weaken_the_seeds_artist(store: Store) -> None:
    likers().spill(store)
    relate(store, settings())
    whole = strengths(store)

    world = likers(harvested=False)
    world.spill(store)
    results = relate(store, settings())
    assert [result.left_out for result in results] == [60, 0, 60, 60]
    found, seen = stored(store), strengths(store)
    assert found == expected(world, settings().relationships)
    assert found == expected(without_the_unseen(world), settings().relationships)
    assert np.allclose(seen, whole, atol=0.12)

    relate(store, settings(include_unseen=True))
    assert stored(store) == expected(world, settings(include_unseen=True).relationships)
    assert max(strengths(store)) < min(seen)


def test_builds_record_what_was_left_out(store: Store) -> None:
    likers(harvested=False).spill(store)
    relate(store, settings())
    inputs = {name: json.loads(text) for name, text in _runs(store, "inputs")}
    assert {name: found["left_out"] for name, found in inputs.items()} == {
        "user_similarity": 60,
        "track_cooccurrence": 0,
        "artist_relation": 60,
        "user_cosine": 60,
    }
    again = relate(store, settings())
    assert [(result.seconds, result.left_out) for result in again] == [({}, 60), ({}, 0), ({}, 60), ({}, 60)]


def _runs(store: Store, column: str) -> list[tuple[str, str]]:
    with store.read() as connection:
        table = schema.relationship_runs
        return [tuple(row) for row in connection.execute(sa.select(table.c.type, table.c[column]))]


@pytest.mark.parametrize(
    ("status", "rebuilt"),
    [("capped", True), ("gone", True), ("done", False)],
)
def test_a_build_notices_a_changed_library(store: Store, status: str, *, rebuilt: bool) -> None:
    world = likers()
    world.spill(store)
    relate(store, settings())
    with store.write() as connection:
        connection.execute(
            sa.update(schema.walks).where(schema.walks.c.target == "2002").values(status=status)
        )
    assert world.looks is not None
    world.looks[2002] = {"capped": "newest", "gone": "hidden", "done": "whole"}[status]
    results = relate(store, settings())
    assert [bool(result.seconds) for result in results] == [rebuilt, False, rebuilt, rebuilt]
    assert stored(store) == expected(world, settings().relationships)


def test_a_build_notices_a_like_that_was_removed(store: Store) -> None:
    world = likers()
    world.spill(store)
    relate(store, settings())
    like = schema.engagements.c
    with store.write() as connection:
        left = {"removed_at": "2026-01-02T00:00:00.000000Z", "removed_reason": "left_list"}
        one = sa.and_(like.user_id == 2002, like.track_id == SEED)
        connection.execute(sa.update(schema.engagements).where(one).values(left))
    world.removed = {(2002, SEED, "like")}
    relate(store, settings())
    assert stored(store) == expected(world, settings().relationships)


def test_vectors_and_evaluation_use_the_same_users(store: Store) -> None:
    world = likers(harvested=False)
    world.spill(store)
    seen = set(without_the_unseen(world).libraries())
    with store.read() as connection:
        usual, everyone = (read_interactions(connection, include=include) for include in (USUAL, UNSEEN))
        found = prepare_trials(connection, TrialOptions(k=5))
    assert set(usual.users.tolist()) == seen
    assert (usual.left_out, found.left_out) == (LIKERS // 2, LIKERS // 2)
    assert found.trials[0].train.shape[0] == LIKERS // 2
    assert (len(everyone.users), everyone.left_out) == (LIKERS, 0)


def test_hidden_playlists_count_neither_as_pairs_nor_as_sequences(store: Store) -> None:
    owner, hidden, listed = 2001, 3001, 3002
    World(playlists={hidden: {1, 2}, listed: {3, 4}}, owners=dict.fromkeys((hidden, listed), owner)).spill(
        store
    )
    walk = {
        "walk_id": 1,
        "endpoint": "playlist_tracks",
        "target": str(hidden),
        "status": "gone",
        "cursor": "",
    }
    numbers = dict.fromkeys(("generation", "pages", "empty_pages", "received", "kept"), 0)
    with store.write() as connection:
        connection.execute(sa.insert(schema.walks).values(**walk, **numbers, created_at="2026"))
    with store.read() as connection:
        for include, known in ((USUAL, {listed: [3, 4]}), (UNSEEN, {hidden: [1, 2], listed: [3, 4]})):
            choice = Choice(sources={"playlist": 1}, test=0, validation=0, include_unseen=include.unseen)
            data = prepare(connection, choice)
            assert data.interactions.tracks.tolist() == [
                track for tracks in known.values() for track in tracks
            ]
            assert data.interactions.left_out == 2 - len(known)
            assert [tracks.tolist() for tracks in data.playlists] == list(known.values())


def test_comments_alone_need_no_library(store: Store) -> None:
    world = likers(harvested=False)
    world.engagements = {(user, track, "comment") for user, track, _ in world.engagements}
    world.spill(store)
    with store.read() as connection:
        assert len(read_interactions(connection, sources={"comment": 1}).users) == LIKERS
        assert len(read_interactions(connection, sources={"comment": 1, "like": 1}).users) == LIKERS // 2


@pytest.mark.parametrize("by", ["npmi", "walk"])
@pytest.mark.parametrize("kind", ["track", "artist", "user"])
def test_neighbours_are_those_of_a_database_without_the_unseen(store: Store, kind: str, by: str) -> None:
    node = {"track": SEED, "artist": SEED_ARTIST, "user": 2002}[kind]
    world = likers(harvested=False)
    answers = []
    for drawn in (without_the_unseen(world), world):
        drawn.spill(store)
        with store.read() as connection:
            near = find_similar(connection, kind, node, by=by)
            answers.append((near, recommend(connection, 2002, by="walk", method="svd", limit=5)))
    (near_first, first), (near_second, second) = answers
    assert (near_first.found, first.found) == (near_second.found, second.found)
    assert near_first.found or near_first.by_everyone
    assert near_second.evidence.left_out == second.evidence.left_out == LIKERS // 2
    with store.read() as connection:
        near = find_similar(connection, kind, node, by=by, include=UNSEEN)
        assert near.found != near_first.found or kind == "user" or near.by_everyone


@pytest.mark.parametrize("by", ["npmi", "walk"])
@pytest.mark.parametrize("kind", ["track", "artist", "user"])
def test_neighbours_are_those_of_a_database_without_the_removed(store: Store, kind: str, by: str) -> None:
    node = {"track": SEED, "artist": SEED_ARTIST, "user": 2002}[kind]
    world = likers()
    # Some of the likes of the seed, too, but not that of the user.
    world.removed = {link for link in sorted(world.engagements)[::3] if link[0] != 2002}
    everything = Inclusion(removed=True)
    answers = []
    for drawn, include in ((world.present(), USUAL), (world, USUAL), (world, everything)):
        drawn.spill(store)
        with store.read() as connection:
            near = find_similar(connection, kind, node, by=by, include=include)
            recommended = recommend(connection, 2002, by="walk", method="svd", limit=5, include=include)
        answers.append((near.found, recommended.found))
    assert answers[0] == answers[1] != answers[2]
    assert answers[0][0]


def test_commands_say_what_they_left_out(store: Store, tmp_path: Path) -> None:
    likers(harvested=False).spill(store)
    store.close()
    relate_, near, as_json, everyone, figures = scrapy_in_one(
        tmp_path / "harvest.db",
        ["relate"],
        ["similar", "track", str(SEED)],
        ["recommend", "user", "2002", "--json"],
        ["similar", "track", str(SEED), "--include-unseen", "--json"],
        ["evaluate", "--method", "walk", "--json"],
    )
    assert {answer.code for answer in (relate_, near, as_json, everyone, figures)} == {0}
    assert "user_similarities: left out 60 libraries not looked at" in relate_.err
    assert near.out.splitlines()[-1] == "left out 60 libraries not looked at"
    assert [json.loads(answer.out)["left_out"] for answer in (as_json, everyone)] == [60, 0]
    assert json.loads(figures.out)["left_out"] == 60
