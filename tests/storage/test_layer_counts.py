"""Counts of distinct records match the view ``discoveries``; counts of engagements match their table."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from sgr_spiders.model.items import Engagement, Entry, Fullness, Page, Selection, Track, User, WalkRequest
from sgr_spiders.storage.figures import layer_counts
from sgr_spiders.storage.ledger import runs
from sgr_spiders.storage.ledger.ledger import Ledger
from sgr_spiders.storage.ledger.spill import spill_page

if TYPE_CHECKING:
    from sgr_spiders.storage.store import Store

SEEDS = (901, 902)
LAYERS = {"listeners": "settings", "others": "settings"}

DISTINCT = """
SELECT layer, kind, count(DISTINCT record_id) FROM discoveries
WHERE record_id NOT IN (SELECT track_id FROM tracks WHERE is_stub AND kind = 'track')
GROUP BY layer, kind
"""


def library(user: int, tracks: list[int]) -> list[Entry]:
    return [
        Entry(
            Track(track, title=None if track % 7 == 0 else f"title {track}", fullness=_fullness(track)),
            [Engagement(user, track, "like")],
        )
        for track in tracks
    ]


def _fullness(track: int) -> int:
    return Fullness.STUB if track % 7 == 0 else Fullness.OWN


def likers(track: int, users: list[int]) -> list[Entry]:
    return [
        Entry(User(user, username=f"user {user}", fullness=Fullness.OWN), [Engagement(user, track, "like")])
        for user in users
    ]


def collections() -> dict[tuple[str, str], list[Entry]]:
    """Return the likers of the seeds and their libraries, some of which contain the seeds."""
    numbers = random.Random(5)  # noqa: S311 - not a secret
    people = range(1, 30)
    listed = {("track_favoriters", str(seed)): likers(seed, list(people)) for seed in SEEDS}
    for user in people:
        tracks = numbers.sample(range(100, 300), 40) + list(SEEDS[: user % 3])
        listed["user_likes", str(user)] = library(user, tracks)
    return listed


def ask(connection: sa.Connection, run: runs.Run, seed: int, collection: tuple[str, str], size: int) -> None:
    """Request all of it for one layer; less for the other, and only selections of large collections."""
    whole = WalkRequest(*collection, "step", 1000)
    part = WalkRequest(*collection, "step", 25, selective=size > 41)
    Ledger(connection, run).request(seed, "listeners", "settings", [whole])
    Ledger(connection, run).request(seed, "others", "settings", [part])


@pytest.fixture
def run(store: Store) -> runs.Run:
    """Spill overlapping libraries and likers, with caps for one layer and selections."""
    listed = collections()
    with store.write() as connection:
        run = runs.begin_run(connection, spider="t", layers=LAYERS, scope="t", fresh_after="", refresh=False)
        for seed in SEEDS:
            Ledger(connection, run).widen_scope(seed, LAYERS)
            for collection, entries in listed.items():
                ask(connection, run, seed, collection, len(entries))
        for walk in Ledger(connection, run).lease(100):
            entries = listed[walk.endpoint, walk.target]
            spill_page(connection, Page(walk, entries, received=len(entries)), run)
        chosen = [Selection("track", 100 + n) for n in range(50)]
        Ledger(connection, run).select(SEEDS[0], "others", "settings", chosen)
    return run


def test_record_counts_match_the_view(store: Store, run: runs.Run) -> None:
    with store.write() as connection:
        by_layer, total = layer_counts.count_found(connection, run)
        rows = connection.execute(sa.text(DISTINCT)).all()
        counts = {(layer, kind): count for layer, kind, count in rows}
        whole = connection.scalar(sa.text("SELECT count(*) FROM tracks WHERE NOT is_stub"))
    for layer, found in by_layer.items():
        assert found.tracks == counts[layer, "track"]
        assert found.users == counts[layer, "user"]
    assert by_layer["others"].tracks < by_layer["listeners"].tracks
    assert total.tracks == whole


def test_an_engagement_seen_from_both_sides_counts_once(store: Store, run: runs.Run) -> None:
    with store.write() as connection:
        by_layer, total = layer_counts.count_found(connection, run)
        engagements = connection.scalar(sa.text("SELECT count(*) FROM engagements"))
    assert by_layer["listeners"].engagements == total.engagements == engagements
    assert 0 < by_layer["others"].engagements < by_layer["listeners"].engagements


def test_it_does_not_matter_when_ids_are_merged(
    store: Store, run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.write() as connection:
        before = layer_counts.count_found(connection, run)
        monkeypatch.setattr(layer_counts, "MERGE_AT", 50)
        assert layer_counts.count_found(connection, run) == before


@pytest.mark.usefixtures("run")
def test_what_other_runs_found_does_not_count(store: Store) -> None:
    library = collections()["user_likes", "5"]
    with store.write() as connection:
        later = runs.begin_run(
            connection, spider="t", layers=LAYERS, scope="u", fresh_after="", refresh=False
        )
        Ledger(connection, later).widen_scope(903, LAYERS)
        ask(connection, later, 903, ("user_likes", "5"), len(library))
        Ledger(connection, later).select(903, "others", "settings", [Selection("track", 100)])
        by_layer, total = layer_counts.count_found(connection, later)
    named = {entry.record.record_id for entry in library if entry.record.record_id % 7}
    assert by_layer["listeners"] == layer_counts.LayerCounts(len(named), 0, 0, len(library), 0)
    assert by_layer["others"] == layer_counts.LayerCounts(1, 0, 0, 0, 0)
    assert total.tracks == len(named | {100})


def test_a_run_that_found_nothing(store: Store) -> None:
    with store.write() as connection:
        run = runs.begin_run(connection, spider="t", layers=[], scope="t", fresh_after="", refresh=False)
        assert layer_counts.count_found(connection, run) == ({}, layer_counts.LayerCounts(0, 0, 0, 0, 0))
