"""``scrapy harvests`` lists runs for people and for monitoring."""

from __future__ import annotations

import json
import re
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from sgr_spiders.storage.ledger import runs
from sgr_spiders.storage.store import Store
from tests.databases import url_of
from tests.scrapy_process import CommandResult, run_command

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Store four runs: killed, partial, one with no seed due, and one that is running or was killed."""
    path = tmp_path_factory.mktemp("harvests") / "harvest.db"
    stats = {
        "sgr/pages": 7,
        "sgr/walks/failed": 2,
        "tracks_collected": 1234,
        "sgr/first_seen/tracks": 1200,
        "sgr/first_seen/users": 34,
        "sgr/layer/user_depth/capped_by/max_tracks_per_user": 34,
        "sgr/layer/playlist_depth/capped_by/max_likers": 1,
    }
    with closing(Store.open(url_of(path))) as store, store.write() as connection:
        begun = [
            runs.begin_run(
                connection,
                spider=name,
                layers=["a", "b"],
                scope="s",
                config_hash="c0ffee",
                fresh_after="",
                refresh=False,
            )
            for name in ("user_depth", "deep_harvest", "deep_harvest", "user_depth")
        ]
        runs.note_asked(connection, begun[1], '{"due": "1", "_job": "1a2b"}', "0.1.0")
        runs.note_requests(connection, begun[1], 12)
        runs.end_run(connection, begun[1], "partial", "2 walks failed", 3, json.dumps(stats))
        runs.note_asked(connection, begun[2], '{"due": "1"}', "0.1.0")
        runs.end_run(connection, begun[2], "complete", None, 0, "{}")
    return path


def harvests(database: Path, *options: str) -> CommandResult:
    return run_command("harvests", *options, HARVEST_DATABASE_URL=url_of(database))


@pytest.mark.sqlite("on a server, workers say whether they are at work")
def test_the_table_for_people(database: Path) -> None:
    result = harvests(database)
    assert (result.code, result.err) == (0, "")
    head, *rows, idle = result.out.splitlines()
    assert head.split()[:4] == ["run", "spider", "outcome", "started"]
    assert all(len(row) <= 100 for row in rows)
    assert re.match(r"4 +user_depth +running or killed +2.* +0 +- +- +- +-$", rows[0])
    assert re.match(r"2 +deep_harvest +partial +2.* s +0 +12 +1,200 +34 +2$", rows[1])
    assert re.match(r"1 +user_depth +killed +2.* - +0 +- +- +- +-$", rows[2])
    assert re.match(r"1 run with no seed due: .*scrapy harvests --all ", idle)
    listed = [row.split()[0] for row in harvests(database, "--all").out.splitlines()]
    assert listed == ["run", "4", "3", "2", "1"]
    # Those that are left out do not count.
    assert [row.split()[0] for row in harvests(database, "--limit", "2").out.splitlines()] == [
        "run",
        "4",
        "2",
        "1",
    ]
    assert len(harvests(database, "--limit", "1").out.splitlines()) == 2


def test_the_json_for_monitoring(database: Path) -> None:
    newest, idle, partial, killed = json.loads(harvests(database, "--json").out)
    assert (idle["outcome"], idle["seeds"]) == ("complete", 0)
    assert partial["first_seen"] == {
        "tracks": 1200, "users": 34, "playlists": None, "engagements": None, "comments": None,
    }  # fmt: skip
    assert (newest["outcome"], newest["finished_at"], newest["pages"]) == (None, None, None)
    assert killed["exit_code"] is None
    assert partial["seconds"] >= 0
    assert {key: partial[key] for key in ("arguments", "config_hash", "version", "requests", "pages")} == {
        "arguments": {"due": "1", "_job": "1a2b"},
        "config_hash": "c0ffee",
        "version": "0.1.0",
        "requests": 12,
        "pages": 7,
    }
    assert (partial["outcome"], partial["reason"], partial["exit_code"]) == ("partial", "2 walks failed", 3)
    assert partial["walks"] == {"done": 0, "capped": 0, "gone": 0, "failed": 2}
    assert partial["collected"]["tracks"] == 1234
    assert partial["capped"] == {"user_depth.max_tracks_per_user": 34, "playlist_depth.max_likers": 1}
    assert (newest["capped"], killed["capped"]) == (None, None)
    assert [run["run_id"] for run in json.loads(harvests(database, "--json", "--limit", "1").out)] == [4]


def test_every_key_is_documented(database: Path, root: Path) -> None:
    document = (root / "docs" / "operations.md").read_text()
    section = document.split("## Run history")[1].split("## ")[0]
    run: dict[str, Any] = json.loads(harvests(database, "--json").out)[0]
    assert not [key for key in [*run, *run["walks"], *run["collected"]] if f"`{key}`" not in section]


def test_a_database_without_runs(tmp_path: Path) -> None:
    path = tmp_path / "harvest.db"
    Store.open(url_of(path)).close()
    assert re.fullmatch("No harvest yet: .*scrapy crawl deep_harvest -a track_id=ID .*\n", harvests(path).out)
    assert harvests(path, "--json").out == "[]\n"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["all"], "unexpected argument: 'all'\n"),
        (["--limit", "0"], "option `--limit`: must be an integer from 1 to 1000000, not '0'\n"),
        (["--database", "sqlite:///none.db"], "no such file"),
    ],
)
def test_invalid_options(database: Path, options: list[str], problem: str) -> None:
    result = harvests(database, *options)
    assert (result.code, result.out) == (2, "")
    assert problem in result.err
