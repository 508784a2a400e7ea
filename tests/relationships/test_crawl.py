"""What a real crawl spilled: related as by brute force, when it ends, by hand, from an egg; and exported."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sgr_spiders.config import HarvestConfig, load
from sgr_spiders.relationships.user_similarity import UserSimilarity
from sgr_spiders.storage.store import Store
from tests.crawls.crawling import ROOT, Harvester
from tests.relationships.test_exact import both_ways, incidence
from tests.relationships.worlds import World, expected, stored
from tests.sandbox_process import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLES = ("user_similarities", "track_relationships", "artist_relationships")
ENDLESS = {"SCRAPY_SETTINGS_MODULE": "tests.relationships.endless_settings"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def harvested(sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the layers that bring likes and playlists; it ended with relating."""
    database = tmp_path_factory.mktemp("harvested") / "harvest.db"
    harvester = Harvester(sandbox, database)
    ended = harvester.crawl("deep_harvest", layers="user_depth,playlist_depth,artist_depth")
    assert ended.code == 0, ended.log
    return database


@pytest.fixture
def database(harvested: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copy(harvested, tmp_path / "harvest.db"))


def world_in(harvester: Harvester) -> World:
    world = World(
        set(harvester.query("SELECT user_id, track_id, kind FROM engagements")),
        artists=dict(harvester.query("SELECT track_id, artist_id FROM tracks WHERE artist_id IS NOT NULL")),
    )
    for playlist, track in harvester.query("SELECT playlist_id, track_id FROM playlist_tracks"):
        world.playlists.setdefault(playlist, set()).add(track)
    return world


def rows_in(database: Path) -> dict[str, object]:
    with closing(Store.open(f"sqlite:///{database}")) as store:
        return {table: rows for table, rows in stored(store).items() if table in TABLES}


def scrapy(database: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scrapy", *arguments],
        cwd=ROOT,
        env={**os.environ, "HARVEST_DATABASE_URL": f"sqlite:///{database}", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_crawl_ends_with_relating(sandbox: SandboxProcess, database: Path) -> None:
    harvester = Harvester(sandbox, database)
    wanted = expected(world_in(harvester), load().relationships)
    assert rows_in(database) == {table: wanted[table] for table in TABLES}
    assert all(wanted[table] for table in TABLES)
    stats = json.loads(harvester.value("SELECT stats FROM runs"))
    for table in TABLES:
        assert stats[f"sgr/relate/{table}/rows"] == len(wanted[table])
        assert {f"sgr/relate/{table}/{part}_seconds" for part in ("read", "compute", "write")} <= set(stats)
    assert harvester.query("PRAGMA integrity_check") == [("ok",)]
    assert harvester.query("PRAGMA foreign_key_check") == []


@pytest.mark.parametrize(
    ("config", "arguments", "code", "related"),
    [
        ("relationships: {on_close: false}", {}, 0, False),
        ("relationships: {scope: seeds}", {"max_requests": 40}, 3, True),
    ],
)
def test_when_a_crawl_relates(
    sandbox: SandboxProcess,
    tmp_path: Path,
    config: str,
    arguments: dict[str, Any],
    code: int,
    related: bool,  # noqa: FBT001
) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(f"deep_harvest: {{request_delay: 0}}\n{config}")
    harvester = Harvester(sandbox, tmp_path / "harvest.db", config=str(path))
    ended = harvester.crawl(**arguments)
    assert ended.code == code, ended.log
    assert bool(harvester.value("SELECT count(*) FROM relationship_runs")) is related


def test_a_failure_at_the_end_is_an_error_that_loses_nothing(sandbox: SandboxProcess, tmp_path: Path) -> None:
    harvester = Harvester(sandbox, tmp_path / "harvest.db")
    (tmp_path / "harvest.db.relating").touch()  # where a folder should be made
    ended = harvester.crawl(max_requests=10)
    assert ended.code == 1
    assert "Traceback" not in ended.log
    ((outcome, reason),) = harvester.query("SELECT outcome, reason FROM runs")
    assert outcome == "failed"
    assert reason.startswith("relating failed: folder ")
    assert harvester.value("SELECT count(*) FROM engagements") > 0


def test_stopped_while_it_relates_a_crawl_still_tells_its_outcome(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    harvester = Harvester(sandbox, tmp_path / "harvest.db", environment=ENDLESS)
    writes = tmp_path / "harvest.db.relating" / "user_similarities.db"
    ended = harvester.interrupt_when(writes.exists, max_requests=10)
    assert ended.code == 130, ended.log
    ((outcome, reason),) = harvester.query("SELECT outcome, reason FROM runs")
    assert (outcome, reason) == ("interrupted", "stopped while relating, `scrapy relate` does it by hand")
    assert not writes.parent.exists()


def test_by_hand(database: Path) -> None:
    before = rows_in(database)
    again = scrapy(database, "relate")
    assert again.returncode == 0
    assert "up to date" in again.stderr
    assert [line.split()[0] for line in again.stdout.splitlines()] == list(TABLES)
    config = database.with_name("my.yaml")
    config.write_text("relationships: {user_similarity: {top_k: 1}}")
    narrowed = scrapy(database, "relate", "--only", "users", "--config", str(config))
    assert narrowed.returncode == 0, narrowed.stderr
    after = rows_in(database)
    assert after.pop("user_similarities") != before.pop("user_similarities")
    assert after == before


def test_by_hand_around_a_seed(sandbox: SandboxProcess, database: Path) -> None:
    done = scrapy(database, "relate", "--seed", f"soundcloud:tracks:{sandbox.seed_track_id}")
    assert done.returncode == 0, done.stderr
    harvester = Harvester(sandbox, database)
    query = "SELECT json_extract(parameters, '$.seeds') FROM relationship_runs ORDER BY 1 DESC LIMIT 1"
    assert harvester.value(query) == f"[{sandbox.seed_track_id}]"


MISTAKES = [
    (["relate", "now"], "unexpected argument: 'now'"),
    (["relate", "--only", "user"], "must be users, tracks or artists, not 'user' (did you mean `users`?)"),
    (["relate", "--seed", "x"], "option `--seed`: not a track number or URN: 'x'"),
    (["relate", "--seed", "5"], "seed 5: nothing was harvested around it in this database"),
    (["relate", "--config", "nowhere"], "configuration nowhere: no such file"),
    (["related", "song", "1"], "name one of track, user, artist and its ID"),
    (["related", "track"], "name one of track, user, artist and its ID"),
    (["related", "track", "soundcloud:users:1"], "not the number or URN of a track: 'soundcloud:users:1'"),
    (["related", "user", "5"], "user 5 is not in this database"),
    (["related", "user", "5", "--limit", "0"], "option `--limit`: must be a whole number from 1"),
    (["export", "now"], "unexpected argument: 'now'"),
    (["export", "--for", "graph"], "must be tables, ml or graphs, not 'graph' (did you mean `graphs`?)"),
    (
        ["export", "--for", "ml", "--format", "gexf"],
        "option `--format`: must be for ml npz, edge_index, recbole",
    ),
    (["export", "--format", "npy"], "not 'npy' (did you mean `npz`?)"),
    (["export", "--format", "npz,gexf"], "option `--format`: npz, gexf do not go into one export"),
    (["export", "--test", "0.1"], "option `--test`: only with `--for ml`"),
    (["export", "--for", "ml", "--raw"], "option `--raw`: only with `--for tables`"),
    (["export", "--for", "ml", "--test", "much"], "option `--test`: not a number: 'much'"),
    (["export", "--for", "ml", "--min-per-user", "2.5"], "`--min-per-user`: not a whole number: '2.5'"),
    (
        ["export", "--for", "ml", "--min-per-user", "10000"],
        "nothing to learn from: no user with 10000 tracks",
    ),
    (["export", "--for", "ml", "--seed", "5"], "seed 5: nothing was harvested around it in this database"),
    (["export", "--for", "ml", "--seed", "x"], "option `--seed`: not a track number or URN: 'x'"),
    (["export", "--for", "ml", "--sources", "like=much"], "option `--sources`: not a weight: 'much'"),
    (["export", "-s", "HARVEST_DATABASE_URL=sqlite:///none.db"], "none.db: there is no such file"),
    (["relate", "-s", "HARVEST_DATABASE_URL=sqlite:///none.db"], "none.db: there is no such file"),
    (["related", "user", "5", "-s", "HARVEST_DATABASE_URL=sqlite:///none.db"], "there is no such file"),
]


def test_mistakes_are_told_in_one_line(harvested: Path) -> None:
    """All in one process, because to start one takes a second."""
    code = (
        "import contextlib, io, json, sys\n"
        "from scrapy.cmdline import execute\n"
        "for arguments in json.loads(sys.argv[1]):\n"
        "    said = io.StringIO()\n"
        "    with contextlib.redirect_stderr(said):\n"
        "        try:\n"
        "            execute(['scrapy', *arguments])\n"
        "        except SystemExit as ended:\n"
        "            print(json.dumps([ended.code, said.getvalue()]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps([arguments for arguments, _ in MISTAKES])],
        cwd=ROOT,
        env={**os.environ, "HARVEST_DATABASE_URL": f"sqlite:///{harvested}"},
        capture_output=True,
        text=True,
        check=True,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(MISTAKES)
    for (arguments, wanted), (exit_code, said) in zip(MISTAKES, answers, strict=True):
        assert exit_code == 2, arguments
        assert wanted in said, arguments
        assert len(said.splitlines()) == 1, said
    assert not (ROOT / "none.db").exists()


def test_the_nearest(sandbox: SandboxProcess, harvested: Path) -> None:
    similar = expected(world_in(Harvester(sandbox, harvested)), HarvestConfig().relationships)
    pairs = similar["user_similarities"]
    user = next(iter(pairs))[1]
    ranked = sorted((-row[0], sum(pair) - user, row) for pair, row in pairs.items() if user in pair)
    done = scrapy(harvested, "related", "user", str(user), "--limit", "3", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    found = [(one["id"], one["jaccard"], one["common_tracks"]) for one in answer["nearest"]]
    assert found == [(other, row[0], row[1]) for _, other, row in ranked[:3]]
    own = next(row[2] if pair[0] == user else row[3] for pair, row in pairs.items() if user in pair)
    assert {one["tracks_own"] for one in answer["nearest"]} == {own}
    readable = scrapy(harvested, "related", "user", f"soundcloud:users:{user}").stdout.splitlines()
    assert readable[0] == f"Nearest to {answer['name']}:"
    assert readable[1].split() == ["id", "jaccard", "common_tracks", "tracks_other", "tracks_own", "name"]
    assert readable[2].split()[0] == str(ranked[0][1])


def test_the_nearest_artists(sandbox: SandboxProcess, harvested: Path) -> None:
    node = Harvester(sandbox, harvested).value("SELECT artist_id_b FROM artist_relationships LIMIT 1")
    done = scrapy(harvested, "related", "artist", str(node), "--json")
    first = json.loads(done.stdout)["nearest"][0]
    assert list(first) == ["id", "name", "shared_fans", "strength"]


def test_a_crawl_has_the_database(database: Path) -> None:
    with closing(Store.open(f"sqlite:///{database}")):
        done = scrapy(database, "relate")
        assert done.returncode == 5
        assert "is in use by another crawl" in done.stderr
        assert scrapy(database, "related", "user", "5").returncode == 2  # it only reads


def test_it_is_exported_while_a_crawl_has_the_database(
    sandbox: SandboxProcess, database: Path, tmp_path: Path
) -> None:
    harvester = Harvester(sandbox, database)
    likes = set(harvester.query("SELECT user_id, track_id FROM engagements WHERE kind = 'like'"))
    with closing(Store.open(f"sqlite:///{database}")):
        first = scrapy(database, "export", "--for", "ml", "--output", str(tmp_path / "ml"))
        again = scrapy(database, "export", "--format", "npz")
    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    (line,) = first.stderr.splitlines()
    assert "docs/terms.md" in line
    assert again.stderr == ""  # it was said of this database
    assert f"The export lies in {tmp_path / 'harvest-export' / 'ml'}" in again.stdout
    manifest = json.loads((tmp_path / "ml" / "manifest.json").read_text())
    assert (manifest["run"]["run_id"], manifest["run"]["outcome"]) == (1, "complete")
    assert manifest["counts"]["interactions"] == len(likes)
    users, tracks = (np.load(tmp_path / "ml" / f"{name}.npy") for name in ("users", "tracks"))
    edges, part = (np.load(tmp_path / "ml" / f"edge_{name}.npy") for name in ("index", "part"))
    user, track = users[edges[0]], tracks[edges[1] - len(users)]
    assert set(zip(user.tolist(), track.tolist(), strict=True)) == likes
    assert 0.15 < (part == 2).mean() < 0.25
    assert set(part[track == sandbox.seed_track_id].tolist()) == {0}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_interrupted_it_leaves_the_old_tables(database: Path, number: int, code: int) -> None:
    before = rows_in(database)
    config = database.with_name("my.yaml")
    config.write_text("relationships: {track_cooccurrence: {min_cooccurrences: 1}}")
    process = subprocess.Popen(
        [sys.executable, "-m", "scrapy", "relate", "--config", str(config)],
        cwd=ROOT,
        env={**os.environ, **ENDLESS, "HARVEST_DATABASE_URL": f"sqlite:///{database}"},
        stderr=subprocess.PIPE,
        text=True,
    )
    aside = database.with_name("harvest.db.relating")
    while not (aside / "track_relationships.db").exists():
        assert process.poll() is None
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code, said
    assert rows_in(database) == before
    assert aside.exists() is (number == signal.SIGKILL)
    assert scrapy(database, "relate", "--config", str(config)).returncode == 0
    assert not aside.exists()
    assert rows_in(database) != before


def test_from_an_egg(egg: Path, database: Path, tmp_path: Path) -> None:
    """With kernels compiled elsewhere: they are kept by what they are, not by where they lie."""
    before = rows_in(database)
    relationship = UserSimilarity(HarvestConfig().relationships.user_similarity)
    for _ in both_ways(relationship, incidence([np.arange(5), np.arange(5), *[np.arange(300)] * 2], 300)):
        pass  # compiled now, if they were not
    code = (
        "from sgr_spiders.config import HarvestConfig; "
        "from sgr_spiders.relationships import engine, processor; "
        "engine.WORTH_COMPILED = 0; "
        "config = HarvestConfig.model_validate({'relationships': {'sample_seed': 2}}); "
        f"relating = processor.RelationshipProcessor('sqlite:///{database}', config); "
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
