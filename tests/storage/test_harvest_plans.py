"""Plans of harvests in the database, and the walks that a run need not fetch."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.reports.status import _plan_rows
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


def add_run(
    connection: Connection, hour: int, outcome: str | None, scope: str = "s", seed: int | None = None
) -> None:
    row: dict[str, object] = {
        "spider": "x", "layers": "x", "scope": scope, "refresh": False, "fresh_after": "",
        "requests": 10 if outcome else None,
        "started_at": at(hour), "finished_at": at(hour + 1) if outcome else None, "outcome": outcome,
    }  # fmt: skip
    run_id = connection.scalar(sa.insert(schema.runs).values(row).returning(schema.runs.c.run_id))
    if seed is not None:
        in_scope = {"run_id": run_id, "seed_id": seed, "layer": "x", "settings": ""}
        connection.execute(sa.insert(schema.run_scope).values(in_scope))
        walk = walk_id("search_tracks", str(seed))
        looked_up = {"run_id": run_id, "given": str(seed), "walk_id": walk_id("track", str(seed))}
        connection.execute(sa.insert(schema.run_seeds).values(looked_up))
        wanted = {
            "walk_id": walk, "seed_id": seed, "layer": "x", "step": "x", "cap": 9, "widest": 9,
            "selective": False, "expanded": 0, "settings": "", "requested_at": at(hour),
        }  # fmt: skip
        connection.execute(sa.insert(schema.walk_requests).values(wanted))


def add_walk(connection: Connection, endpoint: str, target: str, received: int, **values: object) -> None:
    row = {
        "walk_id": walk_id(endpoint, target), "endpoint": endpoint, "target": target, "status": "done",
        "cursor": "", "generation": 0, "pages": 1, "empty_pages": 0, "received": received, "kept": 1,
        "created_at": at(1), **values,
    }  # fmt: skip
    connection.execute(sa.insert(schema.walks).values(row))


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


def test_the_records_of_other_harvests_do_not_count(tmp_path: Path) -> None:
    with closing(Store.open(url_of(tmp_path / "x.db"))) as store, store.write() as connection:
        for seed in (1, 2):
            # The second harvest runs between the two runs of the first.
            add_walk(connection, "search_tracks", str(seed), 100 * seed, finished_at=at(3 + seed))
            add_walk(connection, "track", str(seed), seed, finished_at=at(3 + seed))
            plans.save(connection, Plan(at(2), str(seed), False, 5, 2, 9, 7, 1.5, 100))  # noqa: FBT003
        add_run(connection, 3, "unfinished", "1", 1)
        add_run(connection, 5, "complete", "2", 2)
        add_run(connection, 7, "complete", "1")
        needed = {plan.scope: needed for plan, needed in plans.latest(connection, 10)}
        assert (needed["1"].runs, needed["1"].records) == (2, 101)
        assert (needed["2"].runs, needed["2"].records) == (1, 202)


def test_the_needs_of_a_killed_run_are_unknown(tmp_path: Path) -> None:
    with closing(Store.open(url_of(tmp_path / "x.db"))) as store, store.write() as connection:
        plans.save(connection, Plan(at(2), "s", False, 5, 2, 9, 7, 1.5, 100))  # noqa: FBT003
        add_run(connection, 3, None)
        add_run(connection, 5, "complete")
        ((plan, needed),) = plans.latest(connection, 10)
        assert (needed.runs, needed.requests, needed.seconds, needed.is_finished) == (2, None, None, True)
        assert _plan_rows([(plan, needed)])[-1] == ["", "needed", "-", "", "0", "-"]


def test_walks_that_have_ended_and_are_fresh_need_no_request(tmp_path: Path) -> None:
    ended = {
        "done": ("done", None),
        "capped": ("capped", 50),
        "failed": ("failed", None),
        "old": ("done", None),
    }
    with closing(Store.open(url_of(tmp_path / "x.db"))) as store, store.write() as connection:
        for target, (status, cap) in ended.items():
            finished_at = "2000-01-01" if target == "old" else "9999-01-01"
            ended_as = {"status": status, "capped_at": cap, "finished_at": finished_at}
            add_walk(connection, "search_tracks", target, 1, **ended_as)
        stored = StoredWalks(connection, 7)
        covered = {target for target in ended if stored.cover(("search_tracks", target), 50)}
        assert covered == {"done", "capped"}
        assert not stored.cover(("search_tracks", "capped"), 51)
        assert not stored.cover(("search_tracks", "unknown"), 1)
        assert plans.bytes_per_record(connection, None) is None
