"""Databases that ``scrapy vacuum`` has rewritten: later crawls work the same."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from sgr_spiders.soundcloud.raw import dictionary_of, load_dictionary, unpack
from tests.crawls.crawling import Harvester
from tests.sandbox_process import SandboxProcess
from tests.scrapy_process import scrapy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RECORDS = ("tracks", "users", "playlists", "comments")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess("--users", "120", "--tracks", "900", "--likes-per-user", "30") as process:
        yield process


@pytest.fixture(scope="module")
def harvest(sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a harvest of all layers; tests copy it."""
    harvester = Harvester(sandbox, tmp_path_factory.mktemp("prune") / "harvest.db")
    ended = harvester.crawl("deep_harvest")
    assert ended.code == 0, ended.log
    return harvester.database


@pytest.fixture
def harvester(sandbox: SandboxProcess, harvest: Path, tmp_path: Path) -> Harvester:
    copy = Harvester(sandbox, tmp_path / "copy.db")
    copy.database.write_bytes(harvest.read_bytes())
    return copy


def run(harvester: Harvester, *command: str) -> str:
    ended = scrapy(*command, HARVEST_DATABASE_URL=f"sqlite:///{harvester.database}")
    assert ended.code == 0, ended.err
    return ended.out


def fields(path: Path) -> tuple[dict[str, dict[int, Any]], set[int]]:
    """Return the unpacked ``raw`` of all records, and the dictionaries that it needs."""
    with closing(sqlite3.connect(path)) as connection:
        for (content,) in connection.execute("SELECT content FROM raw_dictionaries"):
            load_dictionary(content)
        packed = {
            table: dict(connection.execute(f"SELECT {table[:-1]}_id, raw FROM {table} WHERE raw NOT NULL"))  # noqa: S608 - ours
            for table in RECORDS
        }
    used = {dictionary_of(raw) for rows in packed.values() for raw in rows.values()}
    return {table: {key: unpack(raw) for key, raw in rows.items()} for table, rows in packed.items()}, used


def test_a_crawl_after_a_vacuum_packs_with_the_dictionary(harvester: Harvester) -> None:
    before, alone = fields(harvester.database)
    assert alone == {0}
    run(harvester, "vacuum")
    vacuumed, used = fields(harvester.database)
    assert vacuumed == before
    (dictionary_id,) = used - {0}
    with closing(sqlite3.connect(harvester.database)) as connection, connection:
        for table in RECORDS:
            connection.execute(f"UPDATE {table} SET raw = NULL")  # noqa: S608 - ours
    ended = harvester.crawl("deep_harvest", refresh=1)
    assert ended.code == 0, ended.log
    after, used = fields(harvester.database)
    assert after == before
    assert used - {0} == {dictionary_id}
    assert harvester.value("SELECT count(*) FROM raw_dictionaries") == 1
