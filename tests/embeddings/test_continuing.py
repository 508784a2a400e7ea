"""Continuing a playlist: the order counts, the reasons hold, and nothing owned or removed is recommended."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest
import sqlalchemy as sa

from sgr_spiders.embeddings.recommend import Recommended, continue_playlist
from sgr_spiders.embeddings.sequence import FOLLOWS, PRECEDES, SequenceWalk, recency
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.reports.neighbours import SearchOptions, read_recommended
from sgr_spiders.storage import schema
from sgr_spiders.storage.libraries import Inclusion
from sgr_spiders.storage.store import Store
from tests.databases import url_of
from tests.relationships.worlds import NOW, World
from tests.scrapy_process import run_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OWN = 9000
"""The playlist to continue."""
REMOVED = {"removed_at": NOW, "removed_reason": "gone"}


class Lists:
    """A database of ordered playlists and of fans."""

    def __init__(self, folder: Path) -> None:
        self.url = url_of(folder / "lists.db")
        self.store = Store.open(self.url)

    def write(self, playlists: dict[int, list[int]], fans: dict[int, list[int]] | None = None) -> None:
        likes = {(user, track, "like") for user, liked in (fans or {}).items() for track in liked}
        World(likes, {playlist: set(tracks) for playlist, tracks in playlists.items()}).spill(self.store)
        places = schema.playlist_tracks
        for playlist, tracks in playlists.items():
            for position, track in enumerate(tracks):
                here = (places.c.playlist_id == playlist) & (places.c.track_id == track)
                self.change(sa.update(places).where(here).values(position=position))

    def change(self, statement: sa.Executable) -> None:
        with self.store.write() as connection:
            connection.execute(statement)

    def recommend(self, by: str = "sequence", *, removed: bool = False) -> Recommended:
        with self.store.read() as connection:
            include = Inclusion(removed=removed)
            return continue_playlist(connection, OWN, by=by, method="svd", limit=20, include=include)

    def print(self) -> str:
        return run_command("recommend", "playlist", str(OWN), HARVEST_DATABASE_URL=self.url).out

    def found(self, by: str = "sequence", *, removed: bool = False) -> list[int]:
        return [track.id for track in self.recommend(by, removed=removed).found]


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lists]:
    lists = Lists(tmp_path_factory.mktemp("continuing"))
    with closing(lists.store):
        yield lists


def by_hand(playlists: list[list[int]], start: int, width: int) -> list[float]:
    """Return the probabilities from *start*, step by step."""
    with_start = [tracks for tracks in playlists if start in tracks]
    reached = [0.0] * width
    for tracks in with_start:
        weights = {}
        for place, track in enumerate(tracks):
            steps = place - tracks.index(start)
            weights[track] = 1 + (FOLLOWS if steps > 0 else PRECEDES) / max(1, abs(steps))
        total = sum(weights.values())
        for track in tracks:
            if track != start:
                reached[track] += weights[track] / total / len(with_start)
    return reached


def test_the_walk_equals_its_description() -> None:
    random = np.random.default_rng(1)
    playlists = [random.permutation(9)[: random.integers(1, 9)].tolist() for _ in range(12)]
    sizes = np.array([len(tracks) for tracks in playlists])
    walk = SequenceWalk(sizes, np.concatenate(playlists), width=10)  # nothing contains the last
    reached = walk.reach(np.arange(10)).toarray()
    expected = [by_hand(playlists, start, 10) for start in range(10)]
    assert reached == pytest.approx(np.array(expected), abs=1e-6)
    assert walk.reach(np.empty(0, np.int64)).shape == (0, 10)


def test_a_walk_keeps_the_likeliest_tracks() -> None:
    reached = SequenceWalk(np.array([4]), np.arange(4), width=4, neighbours=2).reach(np.array([0]))
    assert reached.indices.tolist() == [1, 2]


def test_the_last_tracks_count_most() -> None:
    assert recency(np.array([10, 0, 20])).tolist() == [0.5, 0.25, 1]


def test_what_follows_comes_before_what_precedes_and_what_is_far(lists: Lists) -> None:
    filler = [[1000 + 100 * number + place for place in range(20)] for number in range(3)]
    lists.write({OWN: [1, 2], **{9001 + n: [8, 2, 9, *filler[n], 7] for n in range(3)}})
    assert lists.found()[0] == 9
    scores = {track.id: track.score for track in lists.recommend().found}
    assert scores[9] > scores[8] > scores[7]
    unordered = {track.id: track.score for track in lists.recommend("playlists").found}
    assert unordered[9] == pytest.approx(unordered[8]) == pytest.approx(unordered[7])


def test_what_goes_with_the_last_tracks_comes_first(lists: Lists) -> None:
    own = list(range(1, 31))
    lists.write({OWN: own, 9001: [1, 101], 9002: [30, 102]})
    assert lists.found() == [102, 101]
    lists.write({OWN: own[::-1], 9001: [1, 101], 9002: [30, 102]})
    assert lists.found() == [101, 102]


def test_fans_count_where_playlists_say_nothing(lists: Lists) -> None:
    fans = {user: [1, 2, 50] for user in range(1, 7)}
    lists.write({OWN: [1, 2]}, fans)
    assert lists.found() == [50]
    assert lists.found("playlists") == []
    lists.write({OWN: [1, 2], 9001: [1, 2, 60], 9002: [2, 60]}, fans)
    assert lists.found() == [60, 50]  # two playlists are worth more than six fans


def test_nothing_owned_or_removed_is_recommended(lists: Lists) -> None:
    fans = {user: [1, 2, 50, 51] for user in range(1, 7)}
    lists.write({OWN: [1, 2], 9001: [1, 2, 60, 61], 9002: [1, 62], 9003: [2, 63]}, fans)
    assert set(lists.found()) == {50, 51, 60, 61, 62, 63}
    tracks, places, playlists = schema.tracks, schema.playlist_tracks, schema.playlists
    lists.change(sa.update(tracks).where(tracks.c.track_id.in_([51, 61])).values(REMOVED))
    left = (places.c.playlist_id == 9002) & (places.c.track_id == 62)
    lists.change(sa.update(places).where(left).values(REMOVED))
    private = {"removed_at": NOW, "removed_reason": "private"}
    lists.change(sa.update(playlists).where(playlists.c.playlist_id == 9003).values(private))
    assert set(lists.found()) == {50, 60}
    for by in ("walk", "playlists"):
        assert set(lists.found(by)) < {50, 60}
    assert set(lists.found(removed=True)) == {50, 51, 60, 61, 62, 63}


def test_a_track_that_left_the_playlist_can_come_back(lists: Lists) -> None:
    lists.write({OWN: [1, 2, 3], 9001: [1, 2, 3]})
    assert lists.found() == []
    places = schema.playlist_tracks
    left = (places.c.playlist_id == OWN) & (places.c.track_id == 3)
    lists.change(sa.update(places).where(left).values(REMOVED))
    assert lists.found() == [3]


def test_the_reasons_are_the_tracks_that_lead_to_it(lists: Lists) -> None:
    fans = {1: [3, 60], 2: [3, 60], 3: [3], 4: [1, 70], 5: [1]}
    lists.write({OWN: [1, 2, 3], 9001: [2, 60], 9002: [2, 60], 9003: [60, 5], 9004: [1, 80]}, fans)
    found = {track.id: track for track in lists.recommend().found}
    assert set(found) == {60, 70, 80}
    reasons = {reason.id: (reason.shared_fans, reason.shared_playlists) for reason in found[60].because}
    assert reasons == {2: (0, 2), 3: (2, 0)}
    assert [reason.id for reason in found[60].because] == [2, 3]
    assert [(reason.id, reason.shared_fans) for reason in found[70].because] == [(1, 1)]
    assert [(reason.id, reason.shared_playlists) for reason in found[80].because] == [(1, 1)]
    evidence = lists.recommend().evidence
    assert (evidence.name, evidence.total, evidence.used) == ("playlists and fans", 8, 8)
    assert all(track.weak_evidence for track in found.values())


def test_enough_playlists_are_no_weak_evidence(lists: Lists) -> None:
    lists.write({OWN: [1, 2, 3, 4, 5], **{9001 + n: [5, 60, *([61] if n else [])] for n in range(5)}})
    assert [(track.id, track.weak_evidence) for track in lists.recommend().found] == [(60, False), (61, True)]


def test_a_playlist_that_cannot_be_continued(lists: Lists) -> None:
    lists.write({OWN: [], 9001: [1]})
    with pytest.raises(ArgumentError, match="playlist 9000: no tracks in this database, so it cannot be"):
        lists.recommend()
    lists.write({9001: [1]})
    with pytest.raises(ArgumentError, match="playlist 9000 is not in this database"):
        lists.recommend()
    lists.write({OWN: [1], 9001: [1, 2]})
    with pytest.raises(ArgumentError, match="no svd vectors in this database"):
        lists.recommend("vectors")


def test_tracks_of_the_playlist_that_are_not_known_are_counted(lists: Lists) -> None:
    lists.write({OWN: [1, 2], 9001: [1, 2, 60]})
    options = SearchOptions()
    with lists.store.read() as connection:
        assert read_recommended(connection, "playlist", str(OWN), options).missing == 0
    line = "the playlist was not looked at to its end: "
    assert line not in lists.print()
    lists.change(sa.insert(schema.tracks).values(track_id=7, is_stub=True, fullness=0, fetched_at=NOW))
    rest = {"playlist_id": OWN, "track_id": 7, "position": 2}
    lists.change(sa.insert(schema.playlist_leftovers).values(rest))
    lists.change(
        sa.update(schema.playlists).where(schema.playlists.c.playlist_id == OWN).values(track_count=9)
    )
    with lists.store.read() as connection:
        assert read_recommended(connection, "playlist", str(OWN), options).missing == 7
    assert f"{line}7 tracks not known\n" in lists.print()
    lists.change(sa.delete(schema.playlist_leftovers))
