"""The state of a harvest for monitoring, on databases made by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from sgr_spiders.config.arguments import GivenSeed
from sgr_spiders.config.schedule import SeedLine
from sgr_spiders.model.items import WalkRequest
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.figures.harvest_state import HarvestState, LastRun, read_state
from sgr_spiders.storage.ledger import runs, seeds
from sgr_spiders.storage.ledger.ledger import Ledger
from sgr_spiders.storage.schema import walks
from sgr_spiders.storage.store import Store

if TYPE_CHECKING:
    from pathlib import Path

DAY = timedelta(days=1)
NOW = datetime.now(UTC)


def begin(store: Store, *targets: str, seed: int = 1) -> runs.Run:
    """Begin a run around *seed* that wants the likes of these users."""
    with store.write() as connection:
        run = runs.begin_run(
            connection, spider="test", layers=["a"], scope="test", fresh_after="", refresh=False
        )
        ledger = Ledger(connection, run)
        ledger.widen_scope(seed, {"a": "settings"})
        ledger.request(
            seed, "a", "settings", [WalkRequest("user_likes", target, "last", 10) for target in targets]
        )
    return run


def change(store: Store, target: str, **values: object) -> None:
    with store.write() as connection:
        connection.execute(sa.update(walks).where(walks.c.target == target).values(values))


def state(store: Store, run: runs.Run) -> HarvestState:
    with store.read() as connection:
        return read_state(connection, run)


def test_walks_are_those_of_the_run(store: Store) -> None:
    begin(store, "1", "2", seed=1)
    run = begin(store, "2", "3", "4", seed=2)
    change(store, "3", status="done")
    change(store, "4", status="failed")
    found = state(store, run).walks
    assert {status: count for status, count in found.items() if count} == {
        "planned": 1,
        "done": 1,
        "failed": 1,
    }
    assert {*found} == {"planned", "running", "done", "capped", "gone", "failed"}


def test_the_age_counts_from_the_beginning_of_unfinished_walks(store: Store) -> None:
    run = begin(store, "1", "2", "3")
    change(store, "1", status="done", created_at=timestamp(NOW - 9 * DAY))
    change(store, "2", created_at=timestamp(NOW - 3 * DAY))
    assert state(store, run).unfinished_since == pytest.approx((NOW - 3 * DAY).timestamp())
    # It has waited for its turn, and is running now.
    change(store, "2", status="running", started_at=timestamp(NOW - DAY))
    change(store, "3", status="done")
    assert state(store, run).unfinished_since == pytest.approx((NOW - DAY).timestamp())
    # First requested long ago, and now to be refetched.
    change(store, "2", status="planned", started_at=None, generation=1)
    assert state(store, run).unfinished_since is None


def test_seeds_and_their_lag(store: Store) -> None:
    run = begin(store)
    assert (state(store, run).scheduled, state(store, run).next_due_at) == (0, None)
    with store.write() as connection:
        for number, due in enumerate((NOW - 2 * DAY, NOW - DAY, NOW + DAY)):
            seeds.add(connection, SeedLine(GivenSeed(str(number), number)), timestamp(due))
    found = state(store, run)
    assert (found.scheduled, found.due) == (3, 2)
    assert found.next_due_at == pytest.approx((NOW - 2 * DAY).timestamp())


def test_the_last_run_is_the_one_that_ended_last(store: Store) -> None:
    first, second, running = begin(store), begin(store), begin(store)
    assert state(store, running).last_run is None
    with store.write() as connection:
        runs.end_run(connection, second, "blocked", "HTTP 403", 4, "{}")
    with store.write() as connection:
        runs.end_run(connection, first, "partial", None, 3, "{}")
    found = state(store, running).last_run
    assert found is not None
    assert found == LastRun("partial", 3, found.finished_at)
    assert found.finished_at == pytest.approx(datetime.now(UTC).timestamp(), abs=60)


def test_the_name_of_a_database_contains_neither_its_place_nor_a_password(tmp_path: Path) -> None:
    assert Store(f"sqlite:///{tmp_path / 'ann.b.db'}").name == "ann.b"
    assert Store("postgresql://ann:secret@db.example.org:5432/harvest?sslmode=require").name == "harvest"
    assert Store("postgresql://ann:secret@db.example.org").name == ""
