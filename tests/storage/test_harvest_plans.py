"""Plans of harvests in the database, and the walks that a run need not fetch."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.storage import plans, schema
from sgr_spiders.storage.ledger.frontier import walk_id
from sgr_spiders.storage.plans import Plan, StoredWalks
from sgr_spiders.storage.store import Store
from tests.databases import url_of

if TYPE_CHECKING:
    from pathlib import Path

    from sgr_spiders.storage.store import Connection


def at(hour: int) -> str:
    return f"2026-01-01T{hour:02}:00:00.000000Z"


def add_run(connection: Connection, hour: int, outcome: str | None, scope: str = "s") -> None:
    row = {
        "spider": "x", "layers": "x", "scope": scope, "refresh": False, "fresh_after": "", "requests": 10,
        "started_at": at(hour), "finished_at": at(hour + 1) if outcome else None, "outcome": outcome,
    }  # fmt: skip
    connection.execute(sa.insert(schema.runs).values(row))


def test_a_plan_is_compared_with_the_runs_up_to_its_end(tmp_path: Path) -> None:
    with closing(Store.open(url_of(tmp_path / "x.db"))) as store, store.write() as connection:
        add_run(connection, 1, "complete")
        for hour, requests in ((2, 5), (3, 25)):
            plans.save(connection, Plan(at(hour), "s", False, requests, 20, 30, 7, 1.5, 100))  # noqa: FBT003
        ((plan, needed),) = plans.latest(connection, 10)
        assert (plan.requests, needed.runs, needed.is_finished) == (25, 0, False)
        add_run(connection, 4, "unfinished")
        add_run(connection, 6, "complete", scope="other")
        ((_, needed),) = plans.latest(connection, 10)
        assert (needed.runs, needed.requests, needed.is_finished) == (1, 10, False)
        add_run(connection, 8, "partial")
        add_run(connection, 10, "complete")
        ((_, needed),) = plans.latest(connection, 10)
        assert (needed.runs, needed.requests, needed.is_finished) == (2, 20, True)
        assert needed.seconds == 7200


def test_walks_that_have_ended_and_are_fresh_need_no_request(tmp_path: Path) -> None:
    ended = {
        "done": ("done", None),
        "capped": ("capped", 50),
        "failed": ("failed", None),
        "old": ("done", None),
    }
    with closing(Store.open(url_of(tmp_path / "x.db"))) as store, store.write() as connection:
        for target, (status, cap) in ended.items():
            row = {
                "walk_id": walk_id("search_tracks", target), "endpoint": "search_tracks", "target": target,
                "status": status, "capped_at": cap, "cursor": "", "generation": 0, "pages": 1,
                "empty_pages": 0, "received": 1, "kept": 1, "created_at": at(1),
                "finished_at": "2000-01-01" if target == "old" else "9999-01-01",
            }  # fmt: skip
            connection.execute(sa.insert(schema.walks).values(row))
        stored = StoredWalks(connection, 7)
        covered = {target for target in ended if stored.cover(("search_tracks", target), 50)}
        assert covered == {"done", "capped"}
        assert not stored.cover(("search_tracks", "capped"), 51)
        assert not stored.cover(("search_tracks", "unknown"), 1)
        assert plans.bytes_per_record(connection, None) is None
