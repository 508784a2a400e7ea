"""The next command that ``scrapy status`` shows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sgr_spiders.config.arguments import read_seed
from sgr_spiders.config.harvest import HarvestConfig
from sgr_spiders.config.schedule import SeedLine
from sgr_spiders.reports.state import STALE, UP_TO_DATE, NextStep, Relationship, collect_status
from sgr_spiders.reports.status import as_text
from sgr_spiders.storage import schema
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.ledger.seeds import add

if TYPE_CHECKING:
    from sgr_spiders.storage.store import Store

TOMORROW = datetime.now(UTC) + timedelta(days=1)
COMMAND = "scrapy crawl deep_harvest -a track_id=7 -s LOG_LEVEL=INFO"
KNOWN = {"sgr/command": COMMAND}


def add_run(
    store: Store,
    run_id: int,
    outcome: str | None,
    stats: dict[str, Any],
    *,
    scope: str = "a",
    seeds: int = 0,
) -> None:
    """Add a run of the harvest *scope* around that many seeds."""
    run = {
        "run_id": run_id, "spider": "deep_harvest", "layers": "user_depth", "scope": scope, "refresh": False,
        "fresh_after": "", "started_at": "2026-03-01T12:00:00.000Z", "outcome": outcome,
        "stats": json.dumps(stats),
    }  # fmt: skip
    walk = {
        "walk_id": run_id, "endpoint": "track", "target": str(run_id), "status": "done", "cursor": "",
        "generation": 0, "pages": 1, "empty_pages": 0, "received": 1, "kept": 1, "created_at": "2026",
        "finished_at": "2026-03-01T12:00:01.000Z",
    }  # fmt: skip
    with store.write() as connection:
        connection.execute(sa.insert(schema.runs).values(run))
        connection.execute(sa.insert(schema.walks).values(walk))
        for number in range(1, seeds + 1):
            seed = {"run_id": run_id, "given": str(number), "track_id": number, "walk_id": run_id}
            connection.execute(sa.insert(schema.run_seeds).values(seed))


def next_step(store: Store, *, days: float = 10_000, **relationships: Any) -> NextStep:
    settings = {"deep_harvest": {"freshness_days": days}, "relationships": relationships}
    with store.read() as connection:
        return collect_status(connection, "x", None, HarvestConfig.model_validate(settings)).next


def test_a_database_without_runs_needs_a_first_one(store: Store) -> None:
    assert next_step(store) == NextStep("no run yet", ["scrapy crawl deep_harvest -a track_id=ID"])


@pytest.mark.parametrize(
    ("outcome", "stats"),
    [
        (None, {}),
        ("interrupted", {}),
        ("partial", {"sgr/walks/failed": 1}),
        # Killed while it built relationships: what counts is the outcome of fetching.
        (None, {"sgr/fetched": "unfinished"}),
    ],
)
def test_an_unfinished_harvest_is_resumed(store: Store, outcome: str | None, stats: dict[str, Any]) -> None:
    add_run(store, 1, outcome, stats, seeds=1)
    command = "scrapy crawl deep_harvest -a track_id=1"
    assert next_step(store) == NextStep("unfinished", [command])
    add_run(store, 2, "complete", KNOWN)
    assert next_step(store, on_close=False) == NextStep(None, []), "a later run has finished it"


def test_the_newest_harvest_comes_first_and_each_command_once(store: Store) -> None:
    add_run(store, 1, "interrupted", KNOWN)
    add_run(store, 2, "interrupted", {}, scope="b", seeds=2)
    add_run(store, 3, "interrupted", KNOWN, scope="c")
    assert next_step(store).commands == [COMMAND, "scrapy crawl deep_harvest -a track_id=1,2"]


@pytest.mark.parametrize(("seeds", "arguments"), [(5, "-a track_id=1,2,3,4,5"), (6, "-a seeds=FILE")])
def test_a_command_names_up_to_five_seeds(store: Store, seeds: int, arguments: str) -> None:
    # What cannot be printed is not shown as a command to copy.
    add_run(store, 1, "blocked", {"sgr/command": "scrapy\x1b[2J"}, seeds=seeds)
    assert next_step(store).commands == [f"scrapy crawl deep_harvest {arguments}"]


def test_an_unfinished_harvest_is_not_forgotten_after_ten_others(store: Store) -> None:
    add_run(store, 1, "interrupted", KNOWN, scope="first")
    for run_id in range(2, 12):
        add_run(store, run_id, "complete", {}, scope=str(run_id))
    assert next_step(store) == NextStep("unfinished", [COMMAND])
    for run_id in range(12, 24):
        add_run(store, run_id, "interrupted", {"sgr/command": f"scrapy {run_id}"}, scope=str(run_id))
    assert next_step(store).commands == [f"scrapy {run_id}" for run_id in range(23, 13, -1)]


def test_scheduled_seeds_that_are_due_are_harvested_next(store: Store) -> None:
    command = "scrapy crawl deep_harvest -a due=1"
    with store.write() as connection:
        add(connection, SeedLine(read_seed("7"), 86_400, 0), "2026-03-01T12:00:00.000Z")
    assert next_step(store) == NextStep("seeds due", [command]), "not yet harvested at all"
    add_run(store, 1, "complete", KNOWN)
    assert next_step(store, on_close=False) == NextStep("seeds due", [command])
    with store.write() as connection:
        connection.execute(sa.update(schema.seeds).values(next_harvest_at=timestamp(TOMORROW)))
    assert next_step(store, on_close=False) == NextStep(None, [])


@pytest.mark.parametrize(
    ("status", "last"), [("gone", "Up to date, except for 1 seed not found."), ("done", "Up to date.")]
)
def test_a_seed_that_was_not_found_is_not_up_to_date(store: Store, status: str, last: str) -> None:
    add_run(store, 1, "complete", KNOWN, seeds=1)
    with store.write() as connection:
        connection.execute(sa.update(schema.walks).values(status=status))
        if status == "gone":
            connection.execute(sa.update(schema.run_seeds).values(track_id=None))
    settings = {"deep_harvest": {"freshness_days": 10_000}, "relationships": {"on_close": False}}
    with store.read() as connection:
        text = as_text(
            collect_status(connection, "x", None, HarvestConfig.model_validate(settings)), datetime.now(UTC)
        )
    assert text[-1] == last


def test_only_a_resumed_run_repeats_what_was_decided_for_it(store: Store) -> None:
    once = "scrapy crawl deep_harvest -a track_id=7 -a accept_gone=1 -a refresh=1 -s LOG_LEVEL=INFO"
    add_run(store, 1, "interrupted", {"sgr/command": once})
    assert next_step(store) == NextStep("unfinished", [once])
    add_run(store, 2, "complete", {"sgr/command": once})
    assert next_step(store, scope="seeds") == NextStep("not related", [COMMAND])
    assert next_step(store, on_close=False, days=1) == NextStep("not fresh", [COMMAND])


def test_missing_relationships_come_before_stale_walks(store: Store) -> None:
    add_run(store, 1, "complete", KNOWN)
    assert next_step(store, scope="all") == NextStep("not related", ["scrapy relate"])
    assert next_step(store, scope="seeds") == NextStep("not related", [COMMAND])
    assert next_step(store, on_close=False, days=1) == NextStep("not fresh", [COMMAND])


def test_a_relationship_that_is_off_needs_no_build() -> None:
    assert Relationship("t", 1, "2026", STALE, is_enabled=True).needs_build
    assert not Relationship("t", 1, "2026", UP_TO_DATE, is_enabled=True).needs_build
    assert not Relationship("t", 1, "2026", STALE, is_enabled=False).needs_build
