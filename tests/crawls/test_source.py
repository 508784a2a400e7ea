"""A database has one source: the data of two APIs, or of two worlds of the sandbox, never mix."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from sgr_spiders.config.databases import LIVE, SANDBOX, default_database
from tests.crawls.crawling import ROOT, Harvester
from tests.databases import connect, url_of
from tests.sandbox_process import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZE = ("--users", "60", "--tracks", "200", "--playlists", "20")
WORLD = "seed=1, users=60, tracks=200, playlists=20"
REFUSED = 5


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess(*SIZE) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def other_world() -> Iterator[SandboxProcess]:
    with SandboxProcess(*SIZE, "--world-seed", "2") as sandbox:
        yield sandbox


@pytest.fixture
def harvester(sandbox: SandboxProcess, tmp_path: Path) -> Harvester:
    """Return a harvester that has harvested the sandbox once."""
    harvester = Harvester(sandbox, tmp_path / "harvest.db")
    ended = harvester.crawl()
    assert ended.code == 0, ended.log
    assert f"The API is a sandbox ({WORLD})" in ended.log
    sandbox.clear_log()
    return harvester


def edit(harvester: Harvester, *statements: str) -> None:
    with closing(connect(harvester.database)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def source_of(harvester: Harvester) -> tuple[object, ...]:
    return harvester.query("SELECT api_origin, is_sandbox, world FROM source")[0]


def scrapy(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scrapy", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_source_is_named_everywhere(harvester: Harvester, tmp_path: Path) -> None:
    url = harvester.sandbox.url
    assert source_of(harvester) == (url, 1, WORLD)
    assert harvester.query("SELECT api_origin, is_sandbox FROM runs") == [(url, 1)]
    database = {"HARVEST_DATABASE_URL": url_of(harvester.database)}
    text = scrapy("status", **database).stdout
    assert f"Source: the sandbox ({WORLD}): all data is invented\n" in text
    known = json.loads(scrapy("status", "--json", **database).stdout)["source"]
    assert (known["api_origin"], known["is_sandbox"], known["world"]) == (url, True, WORLD)
    (run,) = json.loads(scrapy("harvests", "--json", **database).stdout)
    assert (run["api_origin"], run["is_sandbox"]) == (url, True)
    exported = scrapy("export", "--output", str(tmp_path / "out"), **database)
    assert exported.returncode == 0, exported.stderr
    assert json.loads((tmp_path / "out/manifest.json").read_text())["source"] == known
    (source,) = json.loads((tmp_path / "out/datapackage.json").read_text())["sources"]
    assert "invented" in source["title"]


def test_the_same_world_on_another_port_is_the_same_source(harvester: Harvester) -> None:
    with SandboxProcess(*SIZE) as moved:
        harvester.sandbox = moved
        ended = harvester.crawl()
        assert ended.code == 0, ended.log
        assert f"from the sandbox ({WORLD}), writing to " in ended.log
        assert "Up to date: " in ended.log
        assert moved.log() == []
        assert source_of(harvester) == (moved.url, 1, WORLD)


def test_another_world_is_refused_before_the_first_request(
    harvester: Harvester, other_world: SandboxProcess
) -> None:
    before = harvester.contents()
    harvester.sandbox = other_world
    other_world.clear_log()
    ended = harvester.crawl(refresh=1)
    assert ended.code == REFUSED
    (line,) = [line for line in ended.log.splitlines() if "ERROR" in line]
    assert f"holds data of the sandbox ({WORLD}), not of the sandbox at {other_world.url} (seed=2, " in line
    assert "nothing was fetched" in line
    assert other_world.log() == []
    assert harvester.contents() == before
    assert harvester.value("SELECT count(*) FROM runs") == 1
    accepted = harvester.crawl(accept_source=1)
    assert accepted.code == 0, accepted.log
    assert source_of(harvester) == (other_world.url, 1, WORLD.replace("seed=1", "seed=2"))
    assert "accept_source" not in harvester.value("SELECT stats FROM runs ORDER BY run_id DESC LIMIT 1")


def test_live_data_and_the_sandbox_do_not_mix(harvester: Harvester) -> None:
    edit(
        harvester,
        "UPDATE source SET api_origin = 'https://api.soundcloud.com', is_sandbox = false, world = NULL",
    )
    ended = harvester.crawl(refresh=1)
    assert ended.code == REFUSED
    assert "holds data of https://api.soundcloud.com, not of http://127.0.0.1:" in ended.log
    assert harvester.sandbox.log() == []
    # And the other way round: the live API gets no request either, not even for its world.
    edit(harvester, "UPDATE source SET api_origin = 'http://127.0.0.1:1', is_sandbox = true, world = 'w'")
    ended = harvester.crawl(settings={"SOUNDCLOUD_API_URL": "https://127.0.0.1:1"})
    assert ended.code == REFUSED
    assert "holds data of the sandbox (w), not of https://127.0.0.1:1;" in ended.log


def test_a_sandbox_that_takes_the_place_of_an_api_is_noticed_at_its_first_response(
    harvester: Harvester,
) -> None:
    edit(
        harvester,
        "UPDATE source SET is_sandbox = false, world = NULL",
        "UPDATE runs SET is_sandbox = false",
    )
    records = harvester.query("SELECT * FROM tracks")
    ended = harvester.crawl(refresh=1)
    assert ended.code == REFUSED
    assert f"holds data of {harvester.sandbox.url}, not of this sandbox ({WORLD})" in ended.log
    assert harvester.query("SELECT * FROM tracks") == records
    assert harvester.value("SELECT outcome FROM runs WHERE run_id = 2") == "failed"


def test_a_database_of_an_earlier_version_adopts_its_next_source(harvester: Harvester) -> None:
    edit(harvester, "DELETE FROM source", "UPDATE runs SET api_origin = NULL, is_sandbox = NULL")
    ended = harvester.crawl()
    assert ended.code == 0, ended.log
    # Nothing was fetched, so the sandbox is not known as one yet.
    assert source_of(harvester) == (harvester.sandbox.url, 0, None)
    ended = harvester.crawl(refresh=1)
    assert ended.code == 0, ended.log
    assert source_of(harvester) == (harvester.sandbox.url, 1, WORLD)


@pytest.mark.parametrize(
    ("url", "database"),
    [
        ("https://api.soundcloud.com", LIVE),
        ("http://10.0.0.5:8899", LIVE),
        ("http://127.0.0.1.example.com", LIVE),
        ("http://[bad", LIVE),
        (None, LIVE),
        ("http://127.0.0.1:8899", SANDBOX),
        ("http://127.1.2.3", SANDBOX),
        ("http://localhost:8899/", SANDBOX),
        ("http://[::1]:8899", SANDBOX),
    ],
)
def test_an_api_on_this_machine_has_its_own_default_database(url: str | None, database: str) -> None:
    assert default_database(url) == database


@pytest.mark.parametrize("how", ["environment", "option"])
def test_the_default_database_follows_the_api(how: str, tmp_path: Path) -> None:
    url = "http://127.0.0.1:8899"
    options = ["-s", f"SOUNDCLOUD_API_URL={url}"] if how == "option" else []
    environment = {"SOUNDCLOUD_API_URL": url} if how == "environment" else {}
    project = {"PYTHONPATH": str(ROOT), "SCRAPY_SETTINGS_MODULE": "sgr_spiders.settings"}
    command = [sys.executable, "-m", "scrapy", "status", *options]
    ended = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | environment | project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "database data/sandbox.db: no such file" in ended.stderr
    explicit = {**environment, **project, "HARVEST_DATABASE_URL": "sqlite:///mine.db"}
    ended = subprocess.run(
        command, cwd=tmp_path, env=os.environ | explicit, capture_output=True, text=True, check=False
    )
    assert "database mine.db: no such file" in ended.stderr
