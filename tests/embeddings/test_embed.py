"""Vectors in the database, as files and as a picture, and recommendations from them."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import sqlalchemy as sa

from sgr_spiders.config.harvest import Embeddings
from sgr_spiders.embeddings import index, picture
from sgr_spiders.embeddings.base import unit
from sgr_spiders.embeddings.communities import find_communities
from sgr_spiders.embeddings.embed import Embedded, embed
from sgr_spiders.embeddings.files import write_vectors
from sgr_spiders.embeddings.layout import lay_out
from sgr_spiders.embeddings.recommend import recommend
from sgr_spiders.embeddings.similar import find_similar
from sgr_spiders.model.exceptions import ArgumentError, NothingToLearnError, StorageError
from sgr_spiders.storage import schema, vectors
from sgr_spiders.storage.libraries import USUAL, Inclusion
from sgr_spiders.storage.store import Store
from tests.databases import url_of
from tests.embeddings.communities import Tastes, tastes
from tests.relationships.worlds import World

if TYPE_CHECKING:
    from collections.abc import Iterator

SVD = Embeddings(dimensions=8)


@pytest.fixture(scope="module")
def drawn() -> Tastes:
    return tastes(users=60, tracks=90, likes=1_500, communities=3)


@pytest.fixture(scope="module")
def harvest(drawn: Tastes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Embedded]]:
    """Yield a database of these tastes with vectors; tests must not write to it."""
    path = tmp_path_factory.mktemp("embedded") / "harvest.db"
    with closing(Store.open(url_of(path))) as store:
        drawn.world().spill(store)
        yield store, embed(store, SVD)


def test_vectors_are_stored_unchanged(harvest: tuple[Store, Embedded], drawn: Tastes) -> None:
    store, embedded = harvest
    with store.write() as connection:
        for kind, placed in embedded.placed.items():
            read = vectors.read_vectors(connection, kind, "svd")
            assert np.array_equal(read.ids, placed.ids)
            assert np.array_equal(read.vectors, placed.vectors)
        made = vectors.latest(connection, "svd")
        fans = vectors.read_vectors(connection, "track", "svd").columns["fans"]
        blob = connection.scalar(sa.select(schema.track_vectors.c.vector))
    assert made is not None
    assert made.parameters == {
        "dimensions": 8,
        "random_seed": 1,
        "sources": ["like"],
        "include_unseen": False,
        "include_removed": False,
    }
    assert made.inputs["pairs"] == drawn.train.nnz
    known = np.bincount(drawn.train.indices)
    assert fans.tolist() == known[known > 0].tolist()
    assert blob is not None
    assert np.array_equal(np.frombuffer(blob, "<f4"), embedded.placed["track"].vectors[0])


def test_an_artist_is_near_their_tracks(harvest: tuple[Store, Embedded], drawn: Tastes) -> None:
    placed = harvest[1].placed
    tracks, artists = placed["track"], placed["artist"]
    assert artists.ids.tolist() == [5001, 5002, 5003]
    for row in range(3):
        own = drawn.tracks[tracks.ids - 1001] == row
        sums = (unit(tracks.vectors[own]).T * np.sqrt(tracks.columns["fans"][own])).sum(axis=1)
        assert artists.vectors[row] == pytest.approx(sums / np.linalg.norm(sums), abs=1e-5)
        assert artists.columns["tracks"][row] == own.sum()


def test_a_rebuild_replaces_only_its_method(store: Store, drawn: Tastes) -> None:
    drawn.world().spill(store)
    embed(store, SVD)
    with store.write() as connection:
        table = schema.track_vectors
        other = {"method": "other", "track_id": 1001, "vector_run_id": 1, "fans": 1.0, "vector": b""}
        connection.execute(sa.insert(table), [other])
        connection.execute(sa.delete(schema.engagements).where(schema.engagements.c.track_id == 1002))
    embed(store, SVD)
    with store.write() as connection:
        rows = connection.execute(
            sa.select(table.c.method, table.c.vector_run_id, sa.func.count()).group_by(
                table.c.method, table.c.vector_run_id
            )
        )
        counted = {(row[0], row[1]): row[2] for row in rows}
        assert set(counted) == {("other", 1), ("svd", 2)}
        svd = vectors.read_vectors(connection, "track", "svd")
    assert 1002 not in svd.ids
    assert counted["svd", 2] == len(svd.ids)


def test_item2vec_includes_tracks_that_are_only_in_playlists(store: Store) -> None:
    pytest.importorskip("gensim")
    world = World({(1, 101, "like"), (2, 102, "like")}, {1001: {101, 102, 103}, 1002: {102, 103, 104}})
    world.owners = {1001: 1, 1002: 2}
    world.spill(store)
    embedded = embed(store, Embeddings(method="item2vec", dimensions=4))
    assert embedded.placed["track"].ids.tolist() == [101, 102, 103, 104]
    assert embedded.run.parameters["sources"] == ["like", "playlist"]
    assert embedded.run.inputs["playlists"] == 2


def test_lightgcn_stores_and_shows_the_epoch_of_its_vectors(store: Store, drawn: Tastes) -> None:
    pytest.importorskip("torch").set_num_threads(1)
    drawn.world().spill(store)
    embedded = embed(store, Embeddings(method="lightgcn", dimensions=4))
    with store.read() as connection:
        run = vectors.latest(connection, "lightgcn")
    assert run is not None
    best, trained = run.parameters["best_epoch"], run.parameters["epochs_trained"]
    assert 0 < best < trained == best + run.parameters["patience"]
    assert embedded.chosen == {"best_epoch": best, "epochs_trained": trained}


def test_a_failure_keeps_the_old_vectors(
    store: Store, drawn: Tastes, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn.world().spill(store)
    before = embed(store, SVD)

    def broken(*_: object) -> None:
        raise RuntimeError("half way")

    real = vectors._rows
    monkeypatch.setattr(
        vectors, "_rows", lambda kind, *rest: broken() if kind == "user" else real(kind, *rest)
    )
    with pytest.raises(RuntimeError, match="half way"):
        embed(store, Embeddings(dimensions=4))
    with store.write() as connection:
        for kind, placed in before.placed.items():
            assert np.array_equal(vectors.read_vectors(connection, kind, "svd").vectors, placed.vectors)


def test_an_empty_harvest_has_no_vectors(store: Store) -> None:
    with pytest.raises(NothingToLearnError):
        embed(store, SVD)
    with store.write() as connection:
        assert vectors.latest(connection, "svd") is None


def test_files_contain_the_same_vectors(harvest: tuple[Store, Embedded], tmp_path: Path) -> None:
    embedded = harvest[1]
    written = write_vectors(embedded, tmp_path / "out", {"seeds": [1]})
    assert {path.name for path in (tmp_path / "out").iterdir()} == {path.name for path in written}
    for kind, placed in embedded.placed.items():
        assert np.array_equal(np.load(tmp_path / "out" / f"svd_{kind}_ids.npy"), placed.ids)
        assert np.array_equal(np.load(tmp_path / "out" / f"svd_{kind}_vectors.npy"), placed.vectors)
    about = json.loads((tmp_path / "out" / "svd.json").read_text())
    assert (about["dimensions"], about["origin"]) == (8, {"seeds": [1]})
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"^directory .*file: "):
        write_vectors(embedded, tmp_path / "file", {})


# ---- neighbours and recommendations


def test_similar_by_vectors_is_the_cosine(harvest: tuple[Store, Embedded]) -> None:
    store, embedded = harvest
    with store.write() as connection:
        for kind, placed in embedded.placed.items():
            directions = unit(placed.vectors)
            found = find_similar(connection, kind, int(placed.ids[1]), by="vectors", limit=2).found
            cosines = directions @ directions[1]
            cosines[1] = -2
            best = np.argsort(-cosines)[:2]
            assert [track.id for track in found] == placed.ids[best].tolist()
            assert [track.score for track in found] == pytest.approx(cosines[best].tolist())


@pytest.mark.parametrize("by", ["walk", "vectors"])
def test_recommendations_match_the_taste_and_are_new(
    harvest: tuple[Store, Embedded], drawn: Tastes, by: str
) -> None:
    store, _ = harvest
    libraries = drawn.world().libraries()
    fitting = []
    with store.write() as connection:
        for user in range(1, 11):
            found = recommend(connection, user, by=by, method="svd", limit=5).found
            assert len(found) == 5
            assert not {track.id for track in found} & libraries[user]
            assert [track.score for track in found] == sorted((track.score for track in found), reverse=True)
            fitting += [drawn.tracks[track.id - 1001] == drawn.users[user - 1] for track in found]
            for reason in (reason for track in found for reason in track.because):
                assert reason.id in libraries[user]
            shared = found[0].because[0]
            both = [own for own in libraries.values() if {found[0].id, shared.id} <= own]
            assert shared.shared_fans == len(both)
    assert np.mean(fitting) > 0.8


def test_what_was_removed_after_learning_is_not_shown(store: Store, drawn: Tastes) -> None:
    drawn.world().spill(store)
    embed(store, SVD)

    def look(include: Inclusion = USUAL) -> tuple[list[int], list[int]]:
        with store.read() as connection:
            near = find_similar(
                connection, "track", 1001, by="vectors", method="svd", limit=4, include=include
            )
            recommended = recommend(connection, 1, by="vectors", method="svd", limit=4, include=include)
        return [one.id for one in near.found], [one.id for one in recommended.found]

    near, recommended = look()
    gone = {near[0], recommended[0]}
    with store.write() as connection:
        values = {"removed_at": "2026-01-02", "removed_reason": "gone"}
        connection.execute(sa.update(schema.tracks).where(schema.tracks.c.track_id.in_(gone)).values(values))
    for now, before in zip(look(), (near, recommended), strict=True):
        left = [track for track in before if track not in gone]
        assert now[: len(left)] == left
        assert len(now) == 4
        assert not gone & {*now}
    assert look(Inclusion(removed=True)) == (near, recommended)


def test_a_later_user_is_folded_in(store: Store, drawn: Tastes) -> None:
    drawn.world().spill(store)
    embed(store, SVD)
    with store.write() as connection:
        likes = schema.engagements
        of_one = sa.select(sa.literal(999), likes.c.track_id, likes.c.kind).where(likes.c.user_id == 1)
        connection.execute(
            sa.insert(schema.users).values(user_id=999, is_stub=False, fullness=3, fetched_at="")
        )
        connection.execute(sa.insert(likes).from_select(["user_id", "track_id", "kind"], of_one))
        known, new = (
            recommend(connection, user, by="vectors", method="svd", limit=5).found for user in (1, 999)
        )
    # The same likes give the same recommendations without new training.
    assert [track.id for track in new] == [track.id for track in known]
    assert [track.score for track in new] == pytest.approx([track.score for track in known], rel=1e-4)


def test_recommendations_by_playlists(harvest: tuple[Store, Embedded], drawn: Tastes) -> None:
    store, _ = harvest
    world = drawn.world()
    with store.write() as connection:
        found = recommend(connection, 1, by="playlists", method="svd", limit=99).found
    listed = {track for own in world.playlists.values() if own & world.libraries()[1] for track in own}
    assert {track.id for track in found} == listed - world.libraries()[1]
    assert all(track.because[0].shared_playlists == 1 for track in found)


@pytest.mark.parametrize(
    ("user", "by", "method", "message"),
    [
        (77777, "walk", "svd", "user 77777 is not in this database"),
        (5001, "walk", "svd", "user 5001: no liked tracks in this database"),
        (
            1,
            "vectors",
            "als",
            "no als vectors in this database; run `scrapy embed --method als`",
        ),
    ],
)
def test_errors_without_recommendations(
    harvest: tuple[Store, Embedded], user: int, by: str, method: str, message: str
) -> None:
    with harvest[0].write() as connection, pytest.raises(ArgumentError) as raised:
        recommend(connection, user, by=by, method=method, limit=5)
    assert str(raised.value).startswith(message)


def test_a_missing_vector(harvest: tuple[Store, Embedded]) -> None:
    with (
        harvest[0].write() as connection,
        pytest.raises(ArgumentError, match=r"^user 5001 has no svd vector: "),
    ):
        find_similar(connection, "user", 5001, by="vectors", method="svd", limit=5)


@pytest.mark.sqlite("an index beside the file")
def test_an_index_finds_the_same_neighbours(
    store: Store, drawn: Tastes, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("usearch")
    monkeypatch.setattr(index, "MIN_INDEXED", 50)
    drawn.world().spill(store)
    embed(store, SVD)
    embed(store, SVD)
    file = Path(str(store.path))
    # The index covers only the latest vectors; 3 artists are too few for one, 60 users are just enough.
    assert {path.name for path in file.parent.glob("*.usearch")} == {
        f"{file.name}.track.svd.2.usearch",
        f"{file.name}.user.svd.2.usearch",
    }
    with store.write() as connection:
        found = find_similar(connection, "track", 1001, by="vectors", limit=5).found
        monkeypatch.setattr(index, "_usearch", lambda: None)
        compared = find_similar(connection, "track", 1001, by="vectors", limit=5).found
    assert [track.id for track in found] == [track.id for track in compared]
    assert [track.score for track in found] == pytest.approx([track.score for track in compared], abs=2e-3)
    assert found != compared  # 16-bit floats show that the index was used


@pytest.mark.sqlite("an index beside the file")
def test_ties_beyond_what_an_index_returns_are_counted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("usearch")
    monkeypatch.setattr(index, "MIN_INDEXED", 10)
    groups = ((range(1, 11), range(101, 131)), (range(11, 21), range(201, 231)))
    World({(user, track, "like") for users, tracks in groups for user in users for track in tracks}).spill(
        store
    )
    embed(store, Embeddings(dimensions=2))
    assert list(Path(str(store.path)).parent.glob("*.track.svd.*.usearch"))
    with store.write() as connection:
        found = find_similar(connection, "track", 101, by="vectors", limit=5).found
    assert [(one.rank, one.tied) for one in found] == [(1, 29)] * 5


@pytest.mark.parametrize("likes", [4, 5])
def test_a_cosine_is_weak_only_if_its_start_has_little(store: Store, likes: int) -> None:
    """Track 9 shares one fan with track 1."""
    fans = {(user, 1, "like") for user in range(1, likes + 1)}
    World(fans | {(1, track, "like") for track in range(1, likes + 1)} | {(2, 9, "like")}).spill(store)
    embed(store, Embeddings(dimensions=8))
    with store.write() as connection:
        near = find_similar(connection, "track", 1, by="vectors").found
        recommended = recommend(connection, 1, by="vectors", method="svd", limit=5).found
    assert max(one.shared[0] for one in near) == 1
    assert {one.weak_evidence for one in near} == {likes < 5}
    assert {one.weak_evidence for one in recommended} == {likes < 5}


# ---- the picture


def test_communities_are_found(harvest: tuple[Store, Embedded], drawn: Tastes) -> None:
    tracks = harvest[1].placed["track"]
    found = find_communities(unit(tracks.vectors))
    truth = drawn.tracks[tracks.ids - 1001]
    assert found.max() == 2
    assert (np.diff(np.bincount(found)) <= 0).all()  # largest first
    pure = sum(np.bincount(truth[found == community]).max() for community in range(3))
    assert pure / len(truth) > 0.85
    assert np.array_equal(found, find_communities(unit(tracks.vectors)))


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_layout_and_communities_of_few_vectors(count: int) -> None:
    directions = unit(np.random.default_rng(1).standard_normal((count, 4)).astype(np.float32))
    points = lay_out(np.maximum(2 - 2 * directions @ directions.T, 0))
    assert points.shape == (count, 2)
    assert np.isfinite(points).all()
    assert len(find_communities(directions)) == count


def test_the_layout_preserves_neighbourhoods() -> None:
    random = np.random.default_rng(2)
    of = np.repeat(np.arange(3), 20)
    rows = (np.eye(3)[of].repeat(4, axis=1) + 0.2 * random.standard_normal((60, 12))).astype(np.float32)
    squares = ((rows[:, None] - rows) ** 2).sum(axis=2)
    points = lay_out(squares)
    apart = ((points[:, None] - points) ** 2).sum(axis=2)
    np.fill_diagonal(apart, np.inf)
    assert (of[apart.argmin(axis=1)] == of).all()
    assert np.array_equal(points, lay_out(squares))


def test_the_picture_shows_the_tracks(store: Store, drawn: Tastes, tmp_path: Path) -> None:
    drawn.world().spill(store)
    with store.write() as connection:
        hostile: Any = {"title": '<script>"&\x07\x1b', "genre": "R&B <b>"}
        connection.execute(sa.update(schema.tracks).values(**hostile))
    embed(store, SVD)
    path = tmp_path / "new" / "picture.svg"
    with store.write() as connection:
        picture.draw(connection, "svd", path)
        several = sum(vectors.read_vectors(connection, "track", "svd").columns["fans"] > 1)
    tree = ET.parse(path)  # noqa: S314 - our own file
    space = "{http://www.w3.org/2000/svg}"
    dots = tree.findall(f".//{space}g/{space}circle")
    assert len(dots) == several
    assert len({group.get("fill") for group in tree.findall(f".//{space}g")}) == 3
    title = dots[0].find(f"{space}title")
    assert title is not None
    assert title.text == '<script>"&\\x07\\x1b (R&B <b>)'
    assert [file.name for file in path.parent.iterdir()] == ["picture.svg"]
