"""Held-out ends of playlists, found by ``scrapy recommend playlist`` and by simpler methods.

``python -m tests.benchmarks.continuation [--database FILE.db | --lists FILE] [--playlists 300]`` hides the
last fifth of some playlists and lets each method recommend 20 tracks: ``sequence``, ``playlists`` (the walk
without order) and ``walk`` (over fans) are what the command gives; ``sequence, shuffled`` is the same after
the order of all playlists was lost. On the playlists alone: ``popularity``, ``itemknn``, ``sr`` (sequential
rules from the last track, with weights of 1 / steps) and ``v-sknn`` (the 100 nearest playlists, in which late
tracks count more), both of Ludewig and Jannach (2018). "± se" is the standard error of the recall, "ms" the
CPU time of a playlist.

Without a file, three worlds are made: one whose playlists follow paths through the tracks, the same shuffled,
and the sandbox's, whose playlists have no order but that of albums. *FILE.db* is the SQLite file of a
harvest, which is copied; ``--lists`` reads lines of ``playlist,track``, in order.
"""

# Its output on the terminal is its purpose.
# ruff: noqa: T201

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp
import sqlalchemy as sa

from sgr_spiders.embeddings.base import Corpus
from sgr_spiders.embeddings.evaluation import metrics
from sgr_spiders.embeddings.evaluation.ranking import recommend_best
from sgr_spiders.embeddings.itemknn import ItemKnnRecommender
from sgr_spiders.embeddings.popularity import PopularityRecommender
from sgr_spiders.embeddings.recommend import continue_playlist
from sgr_spiders.sandbox.model import Model
from sgr_spiders.sandbox.options import WorldOptions
from sgr_spiders.storage import interactions_read, schema
from sgr_spiders.storage.store import Store
from tests.relationships.worlds import NOW, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from sgr_spiders.embeddings.base import Array, Numbers

    Lists = dict[int, list[int]]
    Likes = set[tuple[int, int, str]]

K = 20
SHARE = 0.2
SHORTEST = 5
"""Tracks of the shortest playlist to test."""
NEAREST = 100
"""Playlists of v-sknn."""


def follow_paths(random: np.random.Generator, *, shuffled: bool) -> tuple[Lists, Likes]:
    """Return playlists of 600 people that follow 40 paths, and their likes.

    Each playlist walks along a path of 50 tracks, leaves out half of them, and takes every fourth track from
    anywhere. People like tracks of their playlist's path.
    """
    paths = random.permutation(2_000).reshape(40, 50) + 1
    lists: Lists = {}
    likes: Likes = set()
    for person in range(1, 601):
        path = paths[random.integers(40)]
        start = random.integers(20)
        tracks = path[start : start + 30][random.random(30) < 0.5]
        strays = random.integers(1, 2_001, len(tracks))
        tracks = np.where(random.random(len(tracks)) < 0.25, strays, tracks)
        distinct = list(dict.fromkeys(tracks.tolist()))
        lists[person] = random.permutation(distinct).tolist() if shuffled else distinct
        likes |= {(person, track, "like") for track in random.choice(path, 15, replace=False).tolist()}
    return lists, likes


def read_sandbox() -> tuple[Lists, Likes]:
    model = Model(WorldOptions(users=600, tracks=3_000, playlists=500))
    sets = model.playlists
    lists = {number + 1: (sets.tracks_of(number) + 1).tolist() for number in range(len(sets))}
    owners = np.repeat(np.arange(len(model.likes.owner_starts) - 1), np.diff(model.likes.owner_starts))
    pairs = zip((owners + 1).tolist(), (model.likes.items + 1).tolist(), strict=True)
    return {key: list(dict.fromkeys(tracks)) for key, tracks in lists.items()}, {
        (user, track, "like") for user, track in pairs
    }


def read_lists(path: Path) -> Lists:
    lists: Lists = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        playlist, _, track = line.partition(",")
        if playlist.isdecimal() and track.isdecimal():
            lists.setdefault(int(playlist) + 1, []).append(int(track) + 1)
    return {playlist: list(dict.fromkeys(tracks)) for playlist, tracks in lists.items()}


def fill(store: Store, lists: Lists, likes: Likes) -> None:
    World(likes, {playlist: set(tracks) for playlist, tracks in lists.items()}).spill(store)
    _place(store, lists)


def _place(store: Store, lists: Lists) -> None:
    """Write the places that the tracks have in *lists*."""
    places = schema.playlist_tracks
    here = (places.c.playlist_id == sa.bindparam("list")) & (places.c.track_id == sa.bindparam("track"))
    rows = [
        {"list": playlist, "track": track, "place": place}
        for playlist, tracks in lists.items()
        for place, track in enumerate(tracks)
    ]
    with store.write() as connection:
        connection.execute(sa.update(places).where(here).values(position=sa.bindparam("place")), rows)


def _read(store: Store) -> Lists:
    with store.read() as connection:
        groups, _ = interactions_read.read_memberships(connection)
    parts = np.split(groups.members, np.cumsum(groups.sizes)[:-1])
    return {key: part.tolist() for key, part in zip(groups.owners.tolist(), parts, strict=True)}


def hide_ends(store: Store, count: int, random: np.random.Generator) -> Lists:
    """Remove the last tracks of *count* playlists; return them."""
    lists = {playlist: tracks for playlist, tracks in _read(store).items() if len(tracks) >= SHORTEST}
    chosen = random.permutation(sorted(lists))[:count].tolist()
    held = {playlist: lists[playlist][-max(1, int(SHARE * len(lists[playlist]))) :] for playlist in chosen}
    places = schema.playlist_tracks
    here = (places.c.playlist_id == sa.bindparam("list")) & (places.c.track_id == sa.bindparam("track"))
    rows = [{"list": playlist, "track": track} for playlist, tracks in held.items() for track in tracks]
    with store.write() as connection:
        connection.execute(
            sa.update(places).where(here).values(removed_at=NOW, removed_reason="left_list"), rows
        )
    return held


class Baselines:
    """Methods that know the playlists only."""

    def __init__(self, lists: Lists) -> None:
        self.row = {playlist: row for row, playlist in enumerate(lists)}
        self._ids, columns = np.unique(np.concatenate(list(lists.values())), return_inverse=True)
        self._sizes = np.array([len(tracks) for tracks in lists.values()])
        starts = np.concatenate([[0], np.cumsum(self._sizes)])
        self._lists = np.split(columns, starts[1:-1])
        shape = (len(lists), len(self._ids))
        self._matrix = sp.csr_array((np.ones(len(columns), np.float32), columns, starts), shape)
        self._with = sp.csr_array(self._matrix.T)
        corpus = Corpus(self._matrix)
        self._popularity, self._itemknn = PopularityRecommender(corpus), ItemKnnRecommender(corpus)

    def popularity(self, playlist: int) -> list[int]:
        return self._best(playlist, self._popularity.scores(np.array([self.row[playlist]]))[0])

    def itemknn(self, playlist: int) -> list[int]:
        return self._best(playlist, self._itemknn.scores(np.array([self.row[playlist]]))[0])

    def sr(self, playlist: int) -> list[int]:
        own = self.row[playlist]
        last = self._lists[own][-1]
        scores = np.zeros(len(self._ids), np.float32)
        for row in self._containing(last):
            after = self._lists[row][int(np.flatnonzero(self._lists[row] == last)[0]) + 1 :]
            scores[after] += np.float32(1) / np.arange(1, len(after) + 1, dtype=np.float32) * (row != own)
        return self._best(playlist, scores)

    def v_sknn(self, playlist: int) -> list[int]:
        own = self.row[playlist]
        tracks = self._lists[own]
        weights = np.arange(1, len(tracks) + 1) / len(tracks)
        likeness, latest = np.zeros(len(self._lists)), np.zeros(len(self._lists))
        for track, weight in zip(tracks, weights, strict=True):
            likeness[self._containing(track)] += weight
            latest[self._containing(track)] = weight
        likeness[own] = 0
        likeness /= np.sqrt(self._sizes)
        scores = np.zeros(len(self._ids), np.float32)
        for row in np.argsort(-likeness, kind="stable")[:NEAREST]:
            scores[self._lists[row]] += np.float32(likeness[row] * latest[row])
        return self._best(playlist, scores)

    def _containing(self, track: int) -> Numbers:
        found: Numbers = self._with.indices[self._with.indptr[track] : self._with.indptr[track + 1]]
        return found

    def _best(self, playlist: int, scores: Array) -> list[int]:
        class Given:
            def scores(self, users: Numbers) -> Array:
                return np.where(scores > 0, scores, -np.inf).astype(np.float32)[None]

        row = self._matrix[[self.row[playlist]]]
        best = recommend_best(Given(), sp.csr_array(row), np.array([0]), K)[0]
        return [int(self._ids[column]) for column in best if column >= 0]


def by_command(store: Store, by: str) -> Callable[[int], list[int]]:
    def find(playlist: int) -> list[int]:
        with store.read() as connection:
            found = continue_playlist(connection, playlist, by=by, method="svd", limit=K).found
        return [track.id for track in found]

    return find


def score(found: Sequence[list[int]], held: Iterable[list[int]]) -> tuple[NDArray[np.float64], float]:
    """Return the recall of each list, and the mean nDCG."""
    wanted = list(held)
    hits = np.zeros((len(wanted), K), bool)
    for row, (tracks, hidden) in enumerate(zip(found, wanted, strict=True)):
        hits[row, : len(tracks)] = np.isin(tracks, hidden)
    sizes = np.array([len(hidden) for hidden in wanted])
    return metrics.recall(hits, sizes), float(metrics.ndcg(hits, sizes).mean())


def compare(name: str, store: Store, count: int) -> None:
    random = np.random.default_rng(1)
    held = hide_ends(store, count, random)
    lists = _read(store)
    print(f"\n{name}: {len(lists):,} playlists, of which the ends of {len(held):,} are hidden")
    if not held:
        print("nothing measured: no playlist is long enough")
        return
    simple = Baselines(lists)
    _report("popularity", simple.popularity, held)
    _report("itemknn", simple.itemknn, held)
    _report("sr", simple.sr, held)
    _report("v-sknn", simple.v_sknn, held)
    for by in ("walk", "playlists", "sequence"):
        _report(by, by_command(store, by), held)
    _place(store, {playlist: random.permutation(tracks).tolist() for playlist, tracks in lists.items()})
    _report("sequence, shuffled", by_command(store, "sequence"), held)


def _report(name: str, find: Callable[[int], list[int]], held: Lists) -> None:
    began = time.process_time()
    recalls, ndcg = score([find(playlist) for playlist in held], held.values())
    each = (time.process_time() - began) * 1000 / len(held)
    error = recalls.std() / np.sqrt(len(recalls))
    print(f"{name:<20}  {recalls.mean():>9.4f}  {error:>5.4f}  {ndcg:>7.4f}  {each:>5.0f}", flush=True)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("continuation", description=__doc__.partition("\n\n")[0])
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--database", type=Path)
    source.add_argument("--lists", type=Path)
    parser.add_argument("--playlists", type=int, default=300)
    opts = parser.parse_args(arguments)
    print(f"{'method':<20}  {'recall@20':>9}  {'± se':>5}  {'ndcg@20':>7}  {'ms':>5}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hidden.db"
        if opts.database is not None:
            with closing(sqlite3.connect(opts.database)) as given, closing(sqlite3.connect(path)) as copy:
                given.backup(copy)
        with closing(Store.open(f"sqlite:///{path}")) as store:
            if opts.database is not None:
                compare(opts.database.name, store, opts.playlists)
            elif opts.lists is not None:
                fill(store, read_lists(opts.lists), set())
                compare(opts.lists.name, store, opts.playlists)
            else:
                for name, shuffled in (("paths", False), ("paths, shuffled", True)):
                    fill(store, *follow_paths(np.random.default_rng(1), shuffled=shuffled))
                    compare(name, store, opts.playlists)
                fill(store, *read_sandbox())
                compare("sandbox", store, opts.playlists)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
