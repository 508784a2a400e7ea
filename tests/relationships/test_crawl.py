"""Relationships of a real crawl: built on close, by command and from an egg; compared with brute force."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import sqlalchemy as sa

from sgr_spiders.config.harvest import HarvestConfig, load
from sgr_spiders.relationships.user_similarity import UserSimilarity
from sgr_spiders.reports.state import Status, collect_status
from sgr_spiders.reports.status import as_text
from sgr_spiders.storage import schema
from sgr_spiders.storage.store import Store
from tests.crawls.crawling import ROOT, Harvester
from tests.databases import check_integrity, copy_database, exists, is_on_server, url_of
from tests.relationships.test_exact import both_searches, incidence
from tests.relationships.worlds import CUT_PLAYLISTS, LOOKS, World, expected, stored
from tests.sandbox_process import SandboxProcess
from tests.scrapy_process import scrapy_in_one

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLES = ("user_similarities", "track_relationships", "artist_relationships")
ENDLESS = {"SCRAPY_SETTINGS_MODULE": "tests.relationships.endless_settings"}
ANNOUNCEMENT = "pairs without end"
"""The line that these settings print; they change the process that imports them."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def harvested(sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Crawl a database with likes and playlists; the crawl also builds the relationships."""
    database = tmp_path_factory.mktemp("harvested") / "harvest.db"
    harvester = Harvester(sandbox, database)
    ended = harvester.crawl("deep_harvest", layers="user_depth,playlist_depth,artist_depth")
    assert ended.code == 0, ended.log
    return database


@pytest.fixture
def database(harvested: Path, tmp_path: Path) -> Path:
    """Return a copy of the harvested database."""
    return copy_database(harvested, tmp_path / "harvest.db")


def world_in(harvester: Harvester) -> World:
    world = World(
        set(harvester.query("SELECT user_id, track_id, kind FROM engagements")),
        artists=dict(harvester.query("SELECT track_id, artist_id FROM tracks WHERE artist_id IS NOT NULL")),
        looks=dict(harvester.query(LOOKS)),
        cut_playlists={row[0] for row in harvester.query(CUT_PLAYLISTS)},
    )
    for playlist, track in harvester.query("SELECT playlist_id, track_id FROM playlist_tracks"):
        world.playlists.setdefault(playlist, set()).add(track)
    return world


def rows_in(database: Path) -> dict[str, object]:
    with closing(Store.open(url_of(database))) as store:
        return {table: rows for table, rows in stored(store).items() if table in TABLES}


def status_of(database: Path) -> tuple[Status, str]:
    with closing(Store.open(url_of(database))) as store, store.write() as connection:
        status = collect_status(connection, str(database), str(database), load())
    return status, "\n".join(as_text(status, datetime.now(UTC)))


def test_a_crawl_builds_relationships_on_close(sandbox: SandboxProcess, database: Path) -> None:
    harvester = Harvester(sandbox, database)
    wanted = expected(world_in(harvester), load().relationships)
    assert rows_in(database) == {table: wanted[table] for table in TABLES}
    assert all(wanted[table] for table in TABLES)
    stats = json.loads(harvester.value("SELECT stats FROM runs"))
    for table in TABLES:
        assert stats[f"sgr/relate/{table}/rows"] == len(wanted[table])
        assert {f"sgr/relate/{table}/{part}_seconds" for part in ("read", "compute", "write")} <= set(stats)
    check_integrity(harvester.database)


@pytest.mark.parametrize(
    ("config", "tables"),
    [("{on_close: false}", 0), ("{scope: seeds, user_similarity: {enabled: false}}", 2)],
)
def test_on_close_and_scope_are_configurable(
    sandbox: SandboxProcess, tmp_path: Path, config: str, tables: int
) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(f"deep_harvest: {{request_delay: 0}}\nrelationships: {config}")
    harvester = Harvester(sandbox, tmp_path / "harvest.db", config=str(path))
    ended = harvester.crawl(max_requests=10)
    assert ended.code == 3, ended.log
    recorded = harvester.query("SELECT parameters FROM relationship_runs")
    assert [json.loads(parameters)["seeds"] for (parameters,) in recorded] == [
        [sandbox.seed_track_id]
    ] * tables


@pytest.mark.sqlite("a directory beside the file")
def test_a_failed_build_keeps_data_and_outcome(sandbox: SandboxProcess, tmp_path: Path) -> None:
    harvester = Harvester(sandbox, tmp_path / "harvest.db")
    (tmp_path / "harvest.db.relating").touch()  # blocks the working directory
    ended = harvester.crawl(max_requests=10)
    assert ended.code == 3
    assert "Traceback" not in ended.log
    assert harvester.query("SELECT outcome, reason FROM runs") == [
        ("unfinished", "the budget of 10 requests is spent")
    ]
    for table in TABLES:
        assert f"Could not build {table}: directory " in ended.log
        assert f"Relationships: {table} not built: directory " in ended.log
    assert harvester.value("SELECT count(*) FROM engagements") > 0


def test_a_crawl_interrupted_while_relating_has_an_outcome(sandbox: SandboxProcess, tmp_path: Path) -> None:
    harvester = Harvester(sandbox, tmp_path / "harvest.db", environment=dict(ENDLESS))
    ended = harvester.interrupt_when(lambda: ANNOUNCEMENT in harvester.log(), max_requests=10)
    assert ended.code == 130, ended.log
    ((outcome, reason),) = harvester.query("SELECT outcome, reason FROM runs")
    assert outcome == "interrupted"
    assert re.fullmatch(r"stopped while building relationships; run `\S*scrapy relate .+` to retry", reason)
    assert not (tmp_path / "harvest.db.relating").exists()


def test_after_a_kill_while_relating_the_next_crawl_builds(sandbox: SandboxProcess, tmp_path: Path) -> None:
    harvester = Harvester(sandbox, tmp_path / "harvest.db", environment=dict(ENDLESS))
    ended = harvester.interrupt_when(lambda: ANNOUNCEMENT in harvester.log(), signal.SIGKILL)
    assert ended.code == -signal.SIGKILL
    status, text = status_of(harvester.database)
    assert (status.runs[0].outcome, status.runs[0].stats["sgr/fetched"]) == (None, "complete")
    state = "killed while relating" if is_on_server() else "relating or killed"
    assert f" user_depth  {state} " in text
    assert {relationship.state for relationship in status.relationships} == {"never built"}
    assert (status.next.why, status.next.commands) == ("not related", ["scrapy relate"])
    harvester.environment.clear()
    ended = harvester.crawl()
    assert ended.code == 0, ended.log
    assert "Up to date: " in ended.log
    status, text = status_of(harvester.database)
    assert " user_depth  killed while relating " in text
    assert {relationship.state for relationship in status.relationships} == {"up to date"}
    assert harvester.value("SELECT count(*) FROM user_similarities") == status.relationships[0].rows > 0
    assert status.next.why is None
    with closing(Store.open(url_of(harvester.database))) as store, store.write() as connection:
        connection.execute(sa.delete(schema.engagements).where(schema.engagements.c.kind == "repost"))
    status, _ = status_of(harvester.database)
    assert {relationship.state for relationship in status.relationships} == {"older than the data"}
    assert status.next.why == "not related"


def test_a_crawl_updates_relationships_while_it_runs(sandbox: SandboxProcess, tmp_path: Path) -> None:
    config = tmp_path / "my.yaml"
    config.write_text("deep_harvest: {request_delay: 0}\nrelate: {every_minutes: 0.005}\n")
    harvester = Harvester(sandbox, tmp_path / "harvest.db", {"DOWNLOAD_DELAY": 0.1}, config=str(config))

    def has_updates() -> bool:
        if not exists(harvester.database) or "writing to" not in harvester.log():
            return False
        return bool(harvester.value("SELECT count(*) > 8 FROM relationship_runs"))

    ended = harvester.interrupt_when(has_updates)
    assert ended.code == 130, ended.log
    assert "Traceback" not in ended.log
    assert not harvester.database.with_name("harvest.db.relating").exists()
    assert harvester.value("SELECT count(*) FROM walk_pages") > 8
    harvester.settings.clear()
    ended = harvester.crawl()
    assert ended.code == 0, ended.log
    wanted = expected(world_in(harvester), load().relationships)
    assert rows_in(harvester.database) == {table: wanted[table] for table in TABLES}


def test_the_relate_command(sandbox: SandboxProcess, database: Path) -> None:
    before = rows_in(database)
    config = database.with_name("my.yaml")
    config.write_text("relationships: {user_similarity: {top_k: 1}}")
    again, narrowed, around = scrapy_in_one(
        database,
        ["relate", "--null", "3"],
        ["relate", "--only", "users", "--config", str(config)],
        ["relate", "--only", "tracks", "--seed", f"soundcloud:tracks:{sandbox.seed_track_id}"],
    )
    assert (again.code, narrowed.code, around.code) == (0, 0, 0), (again, narrowed, around)
    assert "up to date" in again.err
    lines = again.out.splitlines()
    assert [line.split()[0] for line in lines[:3]] == list(TABLES)
    counts = [line.split()[1] for line in lines[:3]]
    for table, count, line in zip(TABLES, counts, lines[3:], strict=True):
        kept = f"{table}: {count} pairs kept; chance alone keeps "
        assert line.startswith(kept), line
        assert line.endswith(" in 3 rewirings)"), line
    assert [line.split()[0] for line in narrowed.out.splitlines()] == ["user_similarities"]
    after = rows_in(database)
    assert [table for table in TABLES if after[table] != before[table]] == [
        "user_similarities", "track_relationships",
    ]  # fmt: skip
    recorded = Harvester(sandbox, database).query("SELECT parameters FROM relationship_runs")
    assert [sandbox.seed_track_id] in [json.loads(parameters)["seeds"] for (parameters,) in recorded]


ERRORS = [
    (["relate", "now"], "unexpected argument: 'now'"),
    (["relate", "--only", "user"], "must be users, tracks or artists, not 'user' (did you mean `users`?)"),
    (["relate", "--seed", "x"], "option `--seed`: no track in this database is 'x'"),
    (["relate", "--seed", "5"], "seed 5: nothing was harvested around it in this database"),
    (["relate", "--null", "1001"], "option `--null`: must be an integer from 1 to 1000, not '1001'"),
    (["relate", "--config", "nowhere"], "configuration nowhere: no such file"),
    (["related", "song", "1"], "name one of track, user, artist and its ID"),
    (["related", "track"], "name one of track, user, artist and its ID"),
    (["related", "track", "soundcloud:users:1"], "'soundcloud:users:1' is a user, not a track"),
    (["related", "user", "5"], "user 5 is not in this database"),
    (["related", "artist", "5"], "artist 5 is not in this database"),
    (["related", "user", "5", "--limit", "0"], "option `--limit`: must be an integer from 1"),
    (["export", "now"], "unexpected argument: 'now'"),
    (["export", "--for", "graph"], "must be tables, ml or graphs, not 'graph' (did you mean `graphs`?)"),
    (
        ["export", "--for", "ml", "--format", "gexf"],
        "option `--format`: must be for ml npz, edge_index, recbole",
    ),
    (["export", "--format", "npy"], "not 'npy' (did you mean `npz`?)"),
    (["export", "--format", "npz,gexf"], "option `--format`: npz, gexf cannot be combined in one export"),
    (["export", "--test", "0.1"], "option `--test`: only with `--for ml`"),
    (["export", "--for", "ml", "--raw"], "option `--raw`: only with `--for tables`"),
    (["export", "--for", "ml", "--test", "much"], "option `--test`: not a number: 'much'"),
    (["export", "--for", "ml", "--min-per-user", "2.5"], "`--min-per-user`: not an integer: '2.5'"),
    (
        ["export", "--for", "ml", "--min-per-user", "10000"],
        "no interactions to train on: no user with at least 10,000 tracks",
    ),
    (["export", "--for", "ml", "--seed", "5"], "seed 5: nothing was harvested around it in this database"),
    (["export", "--for", "ml", "--seed", "x"], "option `--seed`: no track in this database is 'x'"),
    (["export", "--for", "ml", "--sources", "like=much"], "option `--sources`: not a weight: 'much'"),
    (["export", "-s", "HARVEST_DATABASE_URL=sqlite:///none.db"], "none.db: no such file"),
    (["relate", "-s", "HARVEST_DATABASE_URL=sqlite:///none.db"], "none.db: no such file"),
    (["related", "user", "5", "-s", "HARVEST_DATABASE_URL=sqlite:///none.db"], "no such file"),
]


def test_errors_are_one_line(harvested: Path) -> None:
    answers = scrapy_in_one(harvested, *[arguments for arguments, _ in ERRORS])
    for (arguments, wanted), result in zip(ERRORS, answers, strict=True):
        assert result.code == 2, arguments
        assert wanted in result.err, arguments
        assert len(result.err.splitlines()) == 1, result
    assert not (ROOT / "none.db").exists()


def test_the_related_command(sandbox: SandboxProcess, harvested: Path) -> None:
    harvester = Harvester(sandbox, harvested)
    pairs = expected(world_in(harvester), HarvestConfig().relationships)["user_similarities"]
    user = next(iter(pairs))[1]
    artist = harvester.value("SELECT artist_id_b FROM artist_relationships LIMIT 1")
    as_json, readable, artists = scrapy_in_one(
        harvested,
        ["related", "user", str(user), "--limit", "3", "--json"],
        ["related", "user", f"soundcloud:users:{user}"],
        ["related", "artist", str(artist), "--json"],
    )
    assert as_json.code == 0, as_json.err
    answer = json.loads(as_json.out)
    ranked = sorted((-row[0], sum(pair) - user, row) for pair, row in pairs.items() if user in pair)
    found = [(user["id"], user["jaccard"], user["common_tracks"]) for user in answer["nearest"]]
    assert found == [(other, row[0], row[1]) for _, other, row in ranked[:3]]
    own = next(row[2] if pair[0] == user else row[3] for pair, row in pairs.items() if user in pair)
    assert {user["tracks_own"] for user in answer["nearest"]} == {own}
    lines = readable.out.splitlines()
    assert lines[0] == f"Nearest to {answer['name']}:"
    assert lines[1].split() == [
        "id",
        "jaccard",
        "common_tracks",
        "tracks_other",
        "tracks_own",
        "lift",
        "q",
        "cut",
        "name",
        "url",
    ]
    assert lines[2].split()[0] == str(ranked[0][1])
    significance = ["expected", "lift", "p", "q"]
    keys = ["id", "name", "shared_fans", "strength", *significance, "cut", "permalink_url"]
    assert list(json.loads(artists.out)["nearest"][0]) == keys


@pytest.mark.sqlite("the lock of the file")
def test_commands_while_a_crawl_holds_the_writer_lock(sandbox: SandboxProcess, database: Path) -> None:
    with closing(Store.open(url_of(database))) as store:
        with store.write() as connection:
            connection.execute(sa.delete(schema.relationship_runs))
        seed = str(sandbox.seed_track_id)
        relating, looking = scrapy_in_one(database, ["relate"], ["related", "track", seed])
    assert relating.code == 5
    assert relating.err.endswith("; nothing was built\n")
    # This command is read-only, and distinguishes a table that was never built from an empty one.
    assert looking.code == 2
    assert looking.err.startswith("track_relationships has not been built; run `")
    assert f"scrapy relate -s HARVEST_DATABASE_URL={url_of(database)}" in looking.err


@pytest.mark.slow
def test_an_export_during_a_crawl(sandbox: SandboxProcess, database: Path, tmp_path: Path) -> None:
    harvester = Harvester(sandbox, database)
    libraries = world_in(harvester).libraries_looked_at(HarvestConfig().relationships)
    likes = {(user, track) for user, library in libraries.items() for track in library}
    with closing(Store.open(url_of(database))):
        first, again = scrapy_in_one(
            database,
            ["export", "--for", "ml", "--output", str(tmp_path / "ml")],
            ["export", "--format", "npz"],
        )
    assert (first.code, again.code) == (0, 0), first.err + again.err
    (line,) = first.err.splitlines()
    assert "docs/terms.md" in line
    assert again.err == ""  # the notice is shown once per database
    assert f"Export written to {Store(url_of(database)).beside('export') / 'ml'}" in again.out
    manifest = json.loads((tmp_path / "ml" / "manifest.json").read_text())
    assert (manifest["run"]["run_id"], manifest["run"]["outcome"]) == (1, "complete within caps")
    assert (manifest["is_complete"], bool(manifest["caps"])) == (False, True)
    assert manifest["seeds"][0]["urn"] == f"soundcloud:tracks:{sandbox.seed_track_id}"
    (run,) = manifest["runs"]
    assert manifest["configurations"][run["config_hash"]]["deep_harvest"]["user_depth"]["enabled"]
    assert run["packages"]["scrapy"]
    assert manifest["counts"]["interactions"] == len(likes)
    users, tracks = (np.load(tmp_path / "ml" / f"{name}.npy") for name in ("users", "tracks"))
    edges, part = (np.load(tmp_path / "ml" / f"edge_{name}.npy") for name in ("index", "part"))
    user, track = users[edges[0]], tracks[edges[1] - len(users)]
    assert set(zip(user.tolist(), track.tolist(), strict=True)) == likes
    assert 0.15 < (part == 2).mean() < 0.25
    assert set(part[track == sandbox.seed_track_id].tolist()) == {0}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_an_interrupted_build_keeps_the_old_tables(database: Path, number: int, code: int) -> None:
    before = rows_in(database)
    config = database.with_name("my.yaml")
    config.write_text("relationships: {user_similarity: {top_k: 1}}")
    process = subprocess.Popen(
        [sys.executable, "-m", "scrapy", "relate", "--config", str(config)],
        cwd=ROOT,
        env={**os.environ, **ENDLESS, "HARVEST_DATABASE_URL": url_of(database)},
        stderr=subprocess.PIPE,
        text=True,
    )
    aside = database.with_name("harvest.db.relating")
    assert process.stderr is not None
    while ANNOUNCEMENT not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code, errors
    assert rows_in(database) == before
    if number == signal.SIGKILL:
        assert aside.exists() is not is_on_server()
        (again,) = scrapy_in_one(database, ["relate", "--config", str(config)])
        assert again.code == 0, again.err
        assert rows_in(database) != before
    assert not aside.exists()


def test_building_from_an_egg(egg: Path, database: Path, tmp_path: Path) -> None:
    """The kernels come from a cache that another path filled: its key is the source, not the path."""
    before = rows_in(database)
    relationship = UserSimilarity(HarvestConfig().relationships.user_similarity)
    for _ in both_searches(relationship, incidence([np.arange(5), np.arange(5), *[np.arange(300)] * 2], 300)):
        pass  # the kernels are compiled now
    code = (
        "from sgr_spiders.config.harvest import HarvestConfig; "
        "from sgr_spiders.relationships import engine, processor; "
        "engine.MIN_COMPILED_WORK = 0; "
        "config = HarvestConfig.model_validate({'relationships': {'sample_seed': 2}}); "
        f"relating = processor.RelationshipProcessor('{url_of(database)}', config); "
        "print(processor.__file__, relating.process_all()); "
        "from sgr_spiders.relationships.kernels import pairs_of_rows as kernel; "
        "print(sum(kernel.stats.cache_hits.values()), sum(kernel.stats.cache_misses.values()))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(egg)},
        check=True,
        capture_output=True,
        text=True,
    )
    where, counted = done.stdout.splitlines()
    assert where.startswith(f"{egg}/")
    assert counted.endswith(" 0")
    assert counted != "0 0"
    assert rows_in(database) == before
