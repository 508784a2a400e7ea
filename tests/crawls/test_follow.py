"""``scrapy follow`` prints what crawls store, each thing once, whatever happens to the crawls."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sgr_spiders.reports.news import as_text
from sgr_spiders.storage import schema
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.figures.news import News, NewsReader, Position
from sgr_spiders.storage.store import Store
from tests.crawls.crawling import ROOT, Harvester
from tests.databases import create_empty, url_of
from tests.scrapy_process import run_command

if TYPE_CHECKING:
    from pathlib import Path

FOLLOW = [sys.executable, "-m", "scrapy", "follow"]
NOW = "2026-01-01T00:00:00.000000Z"
STORED = {
    "track": "SELECT track_id FROM tracks WHERE NOT is_stub",
    "user": "SELECT user_id FROM users WHERE NOT is_stub",
    "playlist": "SELECT playlist_id FROM playlists WHERE NOT is_stub",
    "comment": "SELECT comment_id FROM comments",
    "like": "SELECT user_id, track_id FROM engagements WHERE kind = 'like'",
    "repost": "SELECT user_id, track_id FROM engagements WHERE kind = 'repost'",
    "playlist_track": "SELECT playlist_id, track_id FROM playlist_tracks",
}
REMOVED = {
    "track": "SELECT removed_reason, track_id FROM tracks WHERE removed_at NOTNULL AND NOT is_stub",
    "user": "SELECT removed_reason, user_id FROM users WHERE removed_at NOTNULL AND NOT is_stub",
    "playlist": "SELECT removed_reason, playlist_id FROM playlists WHERE removed_at NOTNULL",
    "comment": "SELECT removed_reason, comment_id FROM comments WHERE removed_at NOTNULL",
    "like": "SELECT removed_reason, user_id, track_id FROM engagements "
    "WHERE removed_at NOTNULL AND kind = 'like'",
    "playlist_track": "SELECT removed_reason, playlist_id, track_id FROM playlist_tracks "
    "WHERE removed_at NOTNULL",
}


def start(database: Path, *options: str, **streams: Any) -> subprocess.Popen[str]:
    environment = {**os.environ, "HARVEST_DATABASE_URL": url_of(database)}
    return subprocess.Popen(
        [*FOLLOW, "--every", "0.1", *options], cwd=ROOT, env=environment, text=True, **streams
    )


def ids_of(line: dict[str, Any]) -> tuple[int, ...]:
    return tuple(line[name] for name in ("id", "user_id", "playlist_id", "track_id") if name in line)


REFINED = {("left_list", "blocked"), ("owner_removed", "gone")}
"""Reasons as they are when a record leaves, and after it was looked up."""


@pytest.mark.slow
def test_it_prints_everything_of_three_crawls_once(harvester: Harvester, tmp_path: Path) -> None:
    output = tmp_path / "followed.jsonl"
    create_empty(harvester.database)
    # The first crawl may store its first records before `follow` has started.
    since = ("--since", "2020-01-01")
    with (
        output.open("w") as file,
        start(harvester.database, "--json", *since, stdout=file, stderr=subprocess.PIPE) as follow,
    ):
        arguments: dict[str, Any] = {
            "spider": "deep_harvest",
            "layers": "user_depth,playlist_depth,commentary_layer",
        }

        def has_pages() -> bool:
            return "writing to" in harvester.log() and harvester.value("SELECT count(*) > 5 FROM walk_pages")

        assert harvester.interrupt_when(has_pages, signal.SIGKILL, **arguments).code == -9
        assert harvester.crawl(**arguments).code == 0
        harvester.sandbox.mutate(rounds=1)
        harvester.crawl(**arguments, refresh=1)

        def lines() -> list[dict[str, Any]]:
            return [
                json.loads(line) for line in output.read_text().splitlines(keepends=True) if line[-1] == "\n"
            ]

        ends = {"kind": "run", "change": "ended", "run": 3}
        harvester.wait_until(lambda: any(ends.items() <= line.items() for line in lines()), follow)  # type: ignore[arg-type]
        follow.send_signal(signal.SIGINT)
        _, errors = follow.communicate(timeout=60)
    assert follow.returncode == 0
    assert "Traceback" not in errors
    found = lines()
    for kind, query in STORED.items():
        appeared = Counter(
            ids_of(line) for line in found if (line["kind"], line["change"]) == (kind, "appeared")
        )
        assert set(appeared.values()) == {1}, kind
        assert set(appeared) == set(harvester.query(query)), kind
    changes = {"appeared", "started", "ended", "updated"}
    for kind, query in REMOVED.items():
        removed = [line for line in found if line["kind"] == kind and line["change"] not in changes]
        stored = {row[1:]: row[0] for row in harvester.query(query)}
        assert sorted(map(ids_of, removed)) == sorted(stored), kind
        # The lookup at the end of the run may tell more exactly why a record has left.
        for line in removed:
            reason = stored[ids_of(line)]
            assert line["change"] == reason or (line["change"], reason) in REFINED, line
    assert any(line["change"] == "left_list" for line in found)
    runs = [(line["run"], line["change"]) for line in found if line["kind"] == "run"]
    assert runs == [(1, "started"), (2, "started"), (2, "ended"), (3, "started"), (3, "ended")]
    assert {line["run"] for line in found if line["change"] == "appeared"} == {1, 2}
    assert {line["run"] for line in found if line["change"] == "left_list"} == {3}
    builds = [line for line in found if line["kind"] == "relationships"]
    assert (2, "user_similarity") in {(line["run"], line["type"]) for line in builds}
    again = run_since_the_start(harvester)
    assert {(line["kind"], *ids_of(line)) for line in again if line["change"] == "appeared"} == {
        (line["kind"], *ids_of(line)) for line in found if line["change"] == "appeared"
    }


def run_since_the_start(harvester: Harvester) -> list[dict[str, Any]]:
    with start(harvester.database, "--json", "--since", "1", stdout=subprocess.PIPE) as follow:
        assert follow.stdout is not None
        lines: list[dict[str, Any]] = []
        while not lines or (lines[-1]["kind"], lines[-1]["run"], lines[-1]["change"]) != ("run", 3, "ended"):
            lines.append(json.loads(follow.stdout.readline()))
        follow.send_signal(signal.SIGINT)
        assert follow.wait(60) == 0
    return lines


def spill(store: Store, stamp: str, *likes: tuple[int, int]) -> None:
    """Write a page of the likes of user 1 with that time, as ``spill_page`` would."""
    seen = {"first_seen_at": stamp, "last_seen_at": stamp}
    record = {"is_stub": False, "fullness": 3, "fetched_at": stamp, **seen}
    with store.write() as connection:
        if connection.scalar(sa.select(sa.func.count()).select_from(schema.walks)) == 0:
            walk = {"walk_id": 1, "endpoint": "user_likes", "target": "1", "status": "running", "cursor": ""}
            numbers = dict.fromkeys(("generation", "pages", "empty_pages", "received", "kept"), 0)
            connection.execute(sa.insert(schema.walks).values(**walk, **numbers, created_at=stamp))
            connection.execute(sa.insert(schema.users).values(user_id=1, username="\x1b[31mred", **record))
        page = {"walk_id": 1, "generation": 0, "cursor_hash": 0, "received": len(likes), "fetched_at": stamp}
        number = connection.scalar(sa.select(sa.func.count()).select_from(schema.walk_pages))
        connection.execute(sa.insert(schema.walk_pages).values(page=number, **page))
        for user_id, track_id in likes:
            title = f"track\x1b[2J\n{track_id}"
            connection.execute(sa.insert(schema.tracks).values(track_id=track_id, title=title, **record))
            like = {"user_id": user_id, "track_id": track_id, "kind": "like"}
            connection.execute(sa.insert(schema.engagements).values(**like, **seen))
            place = {
                "walk_id": 1,
                "kind": "track",
                "record_id": track_id,
                "position": track_id,
                "generation": 0,
            }
            connection.execute(sa.insert(schema.walk_records).values(place))


@pytest.mark.slow
@pytest.mark.sqlite("a file that does not exist yet")
def test_it_waits_for_the_database_and_ends_with_its_reader(tmp_path: Path) -> None:
    path = tmp_path / "later.db"
    with start(path, "--limit", "2", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as follow:
        assert follow.stdout is not None
        assert follow.stderr is not None
        assert follow.stderr.readline().startswith(f"Waiting: database {path}: no such file; create it with ")
        with closing(Store.open(url_of(path))) as store:
            spill(store, timestamp(), *((1, track) for track in range(1, 6)))
        first = [follow.stdout.readline() for _ in range(6)]
        path.unlink()
        assert "no such file" in follow.stderr.readline()
        with closing(Store.open(url_of(path))) as store:
            spill(store, timestamp(), (1, 7))
        second = [follow.stdout.readline() for _ in range(2)]
        follow.stdout.close()
        assert follow.wait(60) == 0
        assert "Traceback" not in follow.stderr.read()
    assert [line.split("  ", 1)[1].split()[:3] for line in first[:4]] == [
        ["track", "appeared", "1"], ["track", "appeared", "2"],
        ["like", "appeared", "1"], ["like", "appeared", "1"],
    ]  # fmt: skip
    assert [line.split() for line in first[4:]] == [
        ["track", "appeared:", "3", "more"], ["like", "appeared:", "3", "more"],
    ]  # fmt: skip
    assert "\x1b" not in "".join(first + second)
    assert all(line.endswith(r"track\x1b[2J\n7" + "\n") for line in second)


def test_a_record_known_by_its_id_is_new_once_there_is_more(store: Store) -> None:
    reader = NewsReader(Position.at("2026"))
    times = [f"2026-01-01T00:00:0{second}.000000Z" for second in range(4)]
    spill(store, times[0], (1, 5))
    with store.write() as connection:
        connection.execute(sa.update(schema.tracks).values(is_stub=True))
    assert read_all(store, reader) == [("like", "appeared", (1, 5))]
    spill(store, times[1], (1, 6))
    with store.write() as connection:
        known = schema.tracks.c.track_id == 5
        connection.execute(sa.update(schema.tracks).where(known).values(is_stub=False, fetched_at=times[1]))
    assert sorted(read_all(store, reader)) == [
        ("like", "appeared", (1, 6)), ("track", "appeared", (5,)), ("track", "appeared", (6,)),
    ]  # fmt: skip
    with store.write() as connection:
        connection.execute(sa.update(schema.tracks).values(fetched_at=times[2]))
    spill(store, times[2])
    assert read_all(store, reader) == []
    with store.write() as connection:
        gone = {"removed_at": times[3], "removed_reason": "gone"}
        connection.execute(sa.update(schema.tracks).where(schema.tracks.c.track_id == 6).values(gone))
        connection.execute(sa.update(schema.engagements).where(known_like(6)).values(gone))
    assert read_all(store, reader) == [("track", "gone", (6,)), ("like", "gone", (1, 6))]
    assert read_all(store, reader) == []


def known_like(track_id: int) -> sa.ColumnElement[bool]:
    return schema.engagements.c.track_id == track_id


def read_all(store: Store, reader: NewsReader) -> list[tuple[str, str, tuple[int, ...]]]:
    with store.read() as connection:
        found, has_more = reader.read(connection)
    assert not has_more
    return [(news.kind, news.change, tuple(news.ids.values())) for news in found]


@pytest.mark.sqlite("query plans of SQLite")
def test_no_table_is_scanned(store: Store) -> None:
    spill(store, NOW, (1, 5), (1, 6))
    small = {"runs", "relationship_runs"}
    reader = NewsReader(Position.at("2026"))
    statements: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, text: str, values: object, _x: object, _many: object) -> None:
        statements.append((text, values))

    with store.read() as connection:
        sa.event.listen(connection, "before_cursor_execute", note)
        reader.read(connection)
        sa.event.remove(connection, "before_cursor_execute", note)
        plans = [
            (row[3], text)
            for text, values in statements
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)
        ]
    assert len(plans) > 20
    scans = [(step, text) for step, text in plans if step.startswith("SCAN") and step.split()[1] not in small]
    assert not scans


def test_unknown_values_are_refused(tmp_path: Path) -> None:
    url = url_of(tmp_path / "x.db")
    with closing(Store.open(url)):
        pass
    for option, problem in (
        (["--since", "7"], "option `--since`: there is no run 7"),
        (["--since", "x"], "option `--since`: must be a date or time"),
        (["--every", "0"], "option `--every`: must be a number of seconds"),
        (["--limit", "0"], "option `--limit`: must be an integer"),
    ):
        done = run_command("follow", *option, HARVEST_DATABASE_URL=url)
        assert (done.code, done.err.startswith(problem)) == (2, True), done.err


def test_text_names_runs_and_relationships() -> None:
    facts = {"type": "user_similarity", "pairs": 1_200, "pairs_before": None}
    lines = list(
        as_text(
            [
                News(NOW, "run", "started", {}, facts={"spider": "deep_harvest"}, run=3),
                News(NOW, "relationships", "updated", {}, facts=facts, run=3),
                News(NOW, "relationships", "updated", {}, facts=facts | {"pairs_before": 1}, run=3),
                News(NOW, "run", "ended", {}, facts={"outcome": "complete"}, run=3),
            ],
            1,
        )
    )
    assert [line[21:] for line in lines] == [
        "run 3 started: deep_harvest",
        "user_similarity: 1,200 pairs",
        "user_similarity: 1,200 pairs, 1 before",
        "run 3 ended: complete",
    ]
