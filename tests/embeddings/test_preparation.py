"""Training data is consistent: features and playlists match the matrix, and nothing held out leaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.sparse as sp
import sqlalchemy as sa

from sgr_spiders.embeddings.features import split_tags
from sgr_spiders.embeddings.preparation import Playlists
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.relationships.processor import RelationshipProcessor
from sgr_spiders.storage import schema
from tests.embeddings.test_split import build_interactions, parts_of
from tests.relationships.worlds import World

if TYPE_CHECKING:
    from sgr_spiders.storage.store import Store

SEED = 101


@pytest.fixture
def world(store: Store) -> World:
    """Every user likes the seed and twenty other tracks; playlists contain liked tracks of their owners."""
    world = World({(user, SEED, "like") for user in range(1, 30)})
    for user in range(1, 30):
        world.engagements |= {(user, 102 + (user * step) % 61, "like") for step in range(1, 21)}
    libraries = world.libraries()
    world.playlists = {1000 + user: libraries[user] for user in range(1, 6)} | {2000: {SEED, 102, 103}}
    world.playlists[1001] |= {160}  # out of the scope of the seed
    world.playlists[3000] = {102}  # too short
    world.owners = {1000 + user: user for user in range(1, 6)}
    world.spill(store)
    with store.write() as connection:
        known = {"genre": "Drum & Bass", "tag_list": 'jungle "liquid funk"', "bpm": 174.5}
        connection.execute(sa.update(schema.tracks).where(schema.tracks.c.track_id == 140).values(known))
        turned = 500 - schema.playlist_tracks.c.position
        connection.execute(sa.update(schema.playlist_tracks).values(position=turned))
        harvest_around_the_seed(connection)
    store.close()
    return world


def harvest_around_the_seed(connection: sa.Connection) -> None:
    found = [("user", user) for user in range(1, 4)] + [("track", track) for track in range(101, 150)]
    rows = [
        {"seed_id": SEED, "layer": "x", "kind": kind, "record_id": number}
        for kind, number in [*found, ("playlist", 1001)]
    ]
    connection.execute(sa.insert(schema.selections), rows)
    counts = dict.fromkeys(("generation", "pages", "empty_pages", "received", "kept"), 0)
    texts = {"endpoint": "x", "target": "", "status": "done", "cursor": "", "created_at": ""}
    connection.execute(sa.insert(schema.walks).values(walk_id=1, **counts, **texts))
    asked = {"layer": "x", "step": "", "cap": 1, "widest": 1, "selective": True, "expanded": 0}
    connection.execute(sa.insert(schema.walk_requests).values(walk_id=1, seed_id=SEED, settings="", **asked))


def test_features_match_the_matrix(world: World, url: str) -> None:
    prepared = RelationshipProcessor(url).prepare_for_embeddings()
    interactions = prepared.interactions
    assert interactions.matrix.nnz == len(world.engagements)
    assert prepared.tracks["track_id"].to_pylist() == interactions.tracks.tolist()
    assert prepared.users["user_id"].to_pylist() == interactions.users.tolist()
    assert prepared.tracks["index"].to_pylist() == list(range(len(interactions.tracks)))
    (row,) = [row for row in prepared.tracks.to_pylist() if row["track_id"] == 140]
    assert (row["genre"], row["tags"], row["bpm"]) == ("Drum & Bass", ["jungle", "liquid funk"], 174.5)
    assert row["playback_count"] is None
    assert row["title"] == "track 140"
    assert {row["tags"] is None for row in prepared.tracks.to_pylist() if row["track_id"] != 140} == {True}
    assert not {"username", "full_name", "city", "description", "avatar_url"} & set(
        prepared.users.column_names
    )


@pytest.mark.usefixtures("world")
def test_likes_of_the_seed_are_not_held_out(url: str) -> None:
    prepared = RelationshipProcessor(url).prepare_for_embeddings(test=0.4, validation=0.2)
    train, validation, test = parts_of(prepared.interactions, prepared.split)
    assert prepared.seed_tracks.tolist() == [SEED]
    assert len(test) == 29 * 8
    assert len(validation) == 29 * 4
    assert {user for user, track in train if track == SEED} == set(range(1, 30))


def test_playlists_exclude_tracks_held_out_from_their_owners(world: World, url: str) -> None:
    prepared = RelationshipProcessor(url).prepare_for_embeddings()
    _, validation, test = parts_of(prepared.interactions, prepared.split)
    sequences = dict(zip(prepared.playlists.ids.tolist(), prepared.playlists, strict=True))
    assert len(prepared.playlists) == len(sequences) == 6
    for playlist, tracks in sequences.items():
        owner = world.owners.get(playlist)
        held = {track for user, track in validation | test if user == owner}
        wanted = sorted(world.playlists[playlist] - held, reverse=True)  # positions are reversed
        assert tracks.tolist() == wanted
        assert bool(held) == (owner is not None)


def test_a_track_outside_the_matrix_is_not_held_out() -> None:
    """Its column -1 is not the last one of the user before, whose pair is held out."""
    whole = build_interactions({(user, track) for user in (1, 2) for track in (101, 102)})
    held = sp.csr_array(np.array([[0, 1], [0, 0]], np.float32))
    lists = Playlists(np.array([5]), np.zeros(3, np.int64), np.full(3, 2), np.array([9, 101, 102]))
    assert lists.without_held_out(whole, held).tracks.tolist() == [9, 101, 102]


@pytest.mark.usefixtures("world")
def test_the_scope_of_a_seed(url: str) -> None:
    processor = RelationshipProcessor(url)
    prepared = processor.prepare_for_embeddings(SEED, min_per_track=2, sources={"like": 2, "playlist": 1})
    assert prepared.interactions.users.tolist() == [1, 2, 3]
    assert prepared.interactions.tracks.max() < 150
    assert prepared.playlists.ids.tolist() == [1001]
    assert prepared.playlists.tracks.max() < 150
    assert np.unique(prepared.interactions.matrix.data).tolist() == [2.0, 3.0]
    with pytest.raises(ArgumentError, match="seed 77: nothing was harvested around it"):
        processor.prepare_for_embeddings(77)


def test_a_database_without_interactions(store: Store, url: str) -> None:
    store.close()
    prepared = RelationshipProcessor(url).prepare_for_embeddings()
    assert prepared.interactions.matrix.shape == (0, 0)
    assert (prepared.users.num_rows, prepared.tracks.num_rows, len(prepared.playlists)) == (0, 0, 0)
    assert "tags" in prepared.tracks.column_names


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("", []),
        ("house", ["house"]),
        ('"deep house" 2024 "" techno', ["deep house", "2024", "techno"]),
        ('"never closed', ['"never', "closed"]),
    ],
)
def test_tags(text: str, tags: list[str]) -> None:
    assert split_tags(text) == tags
