"""The sides of a comparison: which records and runs they contain."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest
import sqlalchemy as sa

from sgr_spiders.config.harvest import HarvestConfig, Relationships
from sgr_spiders.relationships.processor import choose_types
from sgr_spiders.reports.comparison.comparison import kind_of
from sgr_spiders.reports.comparison.neighbours import reached, related
from sgr_spiders.reports.comparison.planted import Planted, recover
from sgr_spiders.reports.comparison.sides import Side
from sgr_spiders.storage import schema
from sgr_spiders.storage.figures.contents import read_runs
from sgr_spiders.storage.store import Store
from tests.databases import url_of
from tests.relationships.worlds import World
from tests.reports.page.worlds import add_run

if TYPE_CHECKING:
    from pathlib import Path

    from sgr_spiders.reports.comparison.neighbours import Neighbours

TRACKS, USERS = range(101, 107), range(1, 7)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a database in which all users like all tracks; track 106 and user 6 have been removed."""
    world = World({(user, track, "like") for user in USERS for track in TRACKS})
    world.playlists = {1000 + number: set(TRACKS) for number in range(3)}
    path = tmp_path / "side.db"
    with closing(Store.open(url_of(path))) as store:
        world.spill(store)
        with store.write() as connection:
            gone = {"removed_at": "2026-03-02T00:00:00Z", "removed_reason": "gone"}
            connection.execute(sa.update(schema.tracks).where(schema.tracks.c.track_id == 106).values(gone))
            connection.execute(sa.update(schema.users).where(schema.users.c.user_id == 6).values(gone))
    return Store(url_of(path))


def nodes_of(near: Neighbours) -> set[int]:
    return {*near.ids.tolist(), *near.others.tolist()}


@pytest.mark.parametrize(
    ("name", "present"), [("user_similarity", USERS[:-1]), ("track_cooccurrence", TRACKS[:-1])]
)
def test_removed_records_are_no_neighbours(store: Store, tmp_path: Path, name: str, present: range) -> None:
    with store.read() as connection:
        side = Side("A", "a.db", connection, Relationships())
        near = related(side, next(choose_types(HarvestConfig(), [name])), tmp_path)
        assert side.ids(kind_of(name)).tolist() == [*present]
    assert nodes_of(near) == {*present}
    assert near.pairs == 5 * 4 // 2


def test_walks_end_at_no_removed_track_and_it_is_in_no_community(store: Store) -> None:
    planted = Planted(np.array(TRACKS), np.array([0, 0, 0, 0, 0, 1]))
    with store.read() as connection:
        side = Side("A", "a.db", connection, Relationships())
        near, ids = reached(side), side.ids("track")
    assert nodes_of(near) == {*TRACKS[:-1]}
    assert recover(near, planted, ids, ids).chance == 1


def test_what_a_run_sent_after_the_moment_is_unknown(store: Store) -> None:
    with closing(Store.open(store.url)) as opened, opened.write() as connection:
        add_run(connection, 1, 101)
    with store.read() as connection:
        during, after = (read_runs(connection, f"2026-03-01T12:{minute}:00.000Z") for minute in ("03", "05"))
        assert [(run.requests, run.outcome, run.finished_at) for run in during] == [(None, None, None)]
        assert [(run.requests, run.outcome) for run in after] == [(17, "complete")]
        assert read_runs(connection, None) == after
