"""Let days pass in a sandbox, refresh after each, and compare what is presented with the world."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from sgr_spiders.sandbox.days import pass_day
from sgr_spiders.sandbox.world import World
from tests.benchmarks.requests.measure import api_requests
from tests.crawls.crawling import Harvester

AGED: Final = {"walks": "whole_at", "engagements": "last_seen_at"}
"""The times that tell how old something is, by table."""

PRESENT: Final = {
    "tracks": "SELECT track_id FROM tracks WHERE removed_at IS NULL AND NOT is_stub",
    "users": "SELECT user_id FROM users WHERE removed_at IS NULL AND NOT is_stub",
    "playlists": "SELECT playlist_id FROM playlists WHERE removed_at IS NULL AND NOT is_stub",
    "comments": "SELECT comment_id FROM comments WHERE removed_at IS NULL",
    "engagements": "SELECT user_id, track_id, kind FROM engagements WHERE removed_at IS NULL",
    "playlist_tracks": "SELECT playlist_id, track_id, position FROM playlist_tracks WHERE removed_at IS NULL",
    "walk_records": "SELECT walk_id, kind, record_id, position FROM walk_records JOIN walks "
    "USING (walk_id, generation) WHERE removed_at IS NULL",
}
"""Queries of the present rows, by table."""


@dataclass(frozen=True)
class Day:
    """A refresh after a day. ``false``: the share of the presented likes that the world has no more.

    The age of a list is the number of days since it was last looked at whole.
    """

    number: int
    requests: int
    looks: Counter[str]
    likes: int
    false: float
    median_age: float
    oldest: float


@dataclass(frozen=True)
class Difference:
    """The rows that a new harvest presents, those of them that are missing, and those that are more."""

    table: str
    rows: int
    missing: int
    more: int


def write_config(folder: Path, full_refresh_days: float) -> Path:
    path = folder / "config.yaml"
    harvest = {"request_delay": 0, "full_refresh_days": full_refresh_days, "max_gone_share": 1}
    path.write_text(json.dumps({"deep_harvest": harvest, "relationships": {"on_close": False}}))
    return path


def harvest(harvester: Harvester, **arguments: Any) -> int:
    """Crawl; return the number of requests."""
    harvester.sandbox.clear_log()
    ended = harvester.crawl("deep_harvest", **arguments)
    if ended.code != 0:
        raise SystemExit(f"nothing measured: exit code {ended.code}\n{ended.log}")
    return len(api_requests(harvester.sandbox))


def age(database: Path, days: int) -> None:
    """Make everything in a database *days* older."""
    with closing(sqlite3.connect(database)) as connection:
        for table, column in AGED.items():
            older = f"strftime('%Y-%m-%dT%H:%M:%fZ', {column}, '-{days} days')"
            connection.execute(f"UPDATE {table} SET {column} = {older} WHERE {column} IS NOT NULL")  # noqa: S608
        connection.commit()


def let_pass(harvester: Harvester, mirror: World) -> None:
    """Let a day pass in the sandbox's world and in its *mirror*."""
    harvester.sandbox.mutate(days=1)
    pass_day(mirror)


def refresh(harvester: Harvester, day: int, since: int, mirror: World) -> Day:
    """Refresh by delta on a *day*, the last time having been on the day *since*."""
    age(harvester.database, day - since)
    harvester.environment["SCRAPY_SETTINGS_MODULE"] = "tests.benchmarks.delta.later_settings"
    harvester.environment["DAYS_LATER"] = str(day)
    before = harvester.value("SELECT max(run_id) FROM runs")
    requests = harvest(harvester, refresh="delta")
    began = harvester.value("SELECT min(started_at) FROM runs WHERE run_id > ?", before)
    looks = Counter(dict(harvester.query(
        "SELECT looked, count(*) FROM walks WHERE finished_at >= ? GROUP BY looked", began
    )))  # fmt: skip
    likes = harvester.query(
        "SELECT user_id, track_id FROM engagements WHERE kind = 'like' AND removed_at IS NULL"
    )
    ages = [row[0] for row in harvester.query(
        "SELECT julianday('now') - julianday(whole_at) FROM walks WHERE status IN ('done', 'capped') "
        "AND endpoint NOT LIKE '%by_id'"
    )]  # fmt: skip
    false = len(set(likes) - true_likes(mirror))
    return Day(day, requests, looks, len(likes), false / max(1, len(likes)), median(ages), max(ages))


def true_likes(world: World) -> set[tuple[int, int]]:
    """Return the likes of visible users, whose libraries may be hidden, of visible tracks."""
    owners, tracks = world.likes.owner_of_each(), world.likes.items
    seen = world.user_visible[owners] & world.track_visible[tracks]
    users, ids = world.people.ids[owners[seen]].tolist(), world.catalogue.ids[tracks[seen]].tolist()
    return set(zip(users, ids, strict=True))


def compare(refreshed: Harvester, fresh: Harvester) -> list[Difference]:
    """Compare what two databases present. Walks that only the refreshed one wants are left out."""
    found = []
    for table, query in PRESENT.items():
        ours, theirs = set(refreshed.query(query)), set(fresh.query(query))
        if table == "walk_records":
            wanted = set(fresh.query("SELECT walk_id FROM walks"))
            ours = {row for row in ours if (row[0],) in wanted}
        found.append(Difference(table, len(theirs), len(theirs - ours), len(ours - theirs)))
    return found
