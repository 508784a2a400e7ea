"""Odd values in responses cost their records, not the pages, the crawl or what reads the database later."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from sgr_spiders.sandbox.odd_items import FIRST_ID, ODD
from tests.crawls.crawling import Harvester
from tests.crawls.small import start_sandbox, write_config
from tests.scrapy_process import scrapy_in_one

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sandbox_process import SandboxProcess

FAST = {"BACKOFF_BASE": 0.01, "BACKOFF_MAX": 0.05}
KEYS = {"tracks": 0, "users": 0, "playlists": 0, "comments": 0, "engagements": 1, "playlist_tracks": 1}
"""The column of an ID in the rows of each table, by which invented ones are recognised."""


@pytest.fixture(scope="module")
def world() -> Iterator[SandboxProcess]:
    with start_sandbox(page_size=40) as sandbox:
        yield sandbox


@pytest.fixture
def harvester(world: SandboxProcess, tmp_path: Path) -> Iterator[Harvester]:
    world.clear_log()
    config = write_config(tmp_path / "whole.yaml", {})
    yield Harvester(world, tmp_path / "harvest.db", settings=FAST, config=str(config))
    world.clear_faults()


def rows(harvester: Harvester) -> dict[str, list[tuple[Any, ...]]]:
    """Return the harvested rows without those of invented items."""
    contents = harvester.contents()
    return {
        table: [row for row in contents[table] if max(row[0], row[place]) < FIRST_ID]
        for table, place in KEYS.items()
    }


@pytest.fixture(scope="module")
def undisturbed(
    world: SandboxProcess, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[tuple[Any, ...]]]:
    folder = tmp_path_factory.mktemp("undisturbed")
    config = write_config(folder / "whole.yaml", {})
    harvester = Harvester(world, folder / "harvest.db", config=str(config))
    ended = harvester.crawl("deep_harvest", layers="user_depth,playlist_depth,commentary_layer")
    assert ended.code == 0, ended.log
    return rows(harvester)


@pytest.fixture
def odd(harvester: Harvester) -> Harvester:
    """Harvest a world in which each list contains one of all odd items, and some are not in UTF-8."""
    harvester.sandbox.set_faults(["odd_item", "encoding:encoding=utf-16,path=/likes,every=2"])
    ended = harvester.crawl(
        "deep_harvest",
        {"LOG_JSON": True, "LOG_LEVEL": "DEBUG"},
        layers="user_depth,playlist_depth,commentary_layer",
    )
    assert ended.code == 0, ended.log
    for line in ended.log.splitlines():
        json.loads(line)
    return harvester


def test_odd_items_cost_only_themselves(odd: Harvester, undisturbed: dict[str, Any], tmp_path: Path) -> None:
    for table, expected in undisturbed.items():
        assert rows(odd)[table] == expected, table
    kept = {number for number, name in enumerate(ODD) if name in {"surrogate", "names"}}
    for table in ("tracks", "users", "playlists", "comments"):
        invented = odd.query(f"SELECT {table[:-1]}_id FROM {table} WHERE {table[:-1]}_id >= {FIRST_ID}")  # noqa: S608
        assert {number - FIRST_ID for (number,) in invented} == kept, table
    reasons = {reason for (reason,) in odd.query("SELECT DISTINCT reason FROM rejects")}
    assert {
        *("a number too large", "NaN is not a value of JSON", "nested too deeply", "has no usable id"),
        *("is a string, not an object", "is null, not an object"),
    } <= reasons
    output = str(tmp_path / "out")
    commands = [
        ["status"],
        ["status", "--json"],
        ["relate"],
        ["export", "--raw", "--format", "csv,parquet", "--output", output + "/tables"],
        ["export", "--for", "ml", "--output", output + "/ml"],
        ["export", "--for", "graphs", "--output", output + "/graphs"],
        ["upgrade", "--backfill"],
    ]
    for command, result in zip(commands, scrapy_in_one(odd.database, *commands), strict=True):
        assert result.code == 0, (command, result.err)
    exported = (tmp_path / "out/tables/tracks.csv").read_text(encoding="utf-8")
    assert "\ufffd" in exported


def test_a_broken_item_is_retried_and_then_rejected(
    harvester: Harvester, undisturbed: dict[str, Any]
) -> None:
    harvester.sandbox.set_faults(["odd_item:what=broken,path=/favoriters"])
    ended = harvester.crawl(settings={"RETRY_TIMES": 2})
    assert ended.code == 0, ended.log
    asked = [entry for entry in harvester.sandbox.log() if entry["path"].endswith("/favoriters")]
    assert len(asked) == 3
    liked = {
        row for row in undisturbed["engagements"] if row[1:] == (harvester.sandbox.seed_track_id, "like")
    }
    assert liked <= set(rows(harvester)["engagements"])
    assert harvester.query("SELECT kind, reason FROM rejects") == [("user", "is not JSON, not an object")]


@pytest.mark.parametrize("kind", ["comment", "station"])
def test_a_url_of_something_else_is_not_a_track(harvester: Harvester, kind: str) -> None:
    harvester.sandbox.set_faults([f"resolve_to:kind={kind}"])
    url = "https://soundcloud.com/someone/something"
    ended = harvester.crawl(track_url=url)
    assert ended.code == 3, ended.log
    assert f"seed {url}" in ended.log
    assert "not a track, playlist or user" in ended.log, ended.log
    assert "Traceback" not in ended.log
    harvester.rerun(code=3)
