"""``scrapy seeds`` manages scheduled seeds."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from sgr_spiders.storage import migrate
from sgr_spiders.storage.store import Store
from tests.databases import connect, create_blank, days_before, is_on_server, url_of
from tests.scrapy_process import CommandResult, run_command, scrapy

if TYPE_CHECKING:
    from pathlib import Path

ADDRESS = "https://soundcloud.com/artist/track"


def seeds(database: Path, *commands: list[str]) -> list[CommandResult]:
    return [run_command("seeds", *command, HARVEST_DATABASE_URL=url_of(database)) for command in commands]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "data" / "harvest.db"


def test_every_spelling_is_added_listed_and_removed(database: Path, tmp_path: Path) -> None:
    file = tmp_path / "seeds.txt"
    file.write_text(f"5\n6 12h 3 # often\n{ADDRESS}?utm_source=x\n")
    add, again, change, load, listed, due, gone, last = seeds(
        database,
        ["add", "1", "soundcloud:tracks:2", f"{ADDRESS}?utm_source=y", "--every", "1d", "--priority", "-2"],
        ["add", "soundcloud:tracks:1", "https://www.soundcloud.com/artist/track"],
        ["add", "2", "--every", "2w"],
        ["import", str(file), "--every", "7d"],
        ["list", "--json"],
        ["due"],
        ["remove", "soundcloud:tracks:1", "5"],
        ["list"],
    )
    assert [result.code for result in (add, again, change, load, listed, due, gone, last)] == [0] * 8
    assert add.out.splitlines() == [f"added: {seed}, every 1d, priority -2" for seed in ("1", "2", ADDRESS)]
    assert again.out.splitlines() == [f"unchanged: {seed}, every 1d, priority -2" for seed in ("1", ADDRESS)]
    assert change.out == "changed: 2, every 14d, priority -2\n"
    assert load.out == "3 seeds: 2 added, 1 changed\n"
    rows = {row["given"]: row for row in json.loads(listed.out)}
    assert [(given, row["interval_seconds"], row["priority"]) for given, row in sorted(rows.items())] == [
        ("1", 86_400, -2),
        ("2", 14 * 86_400, -2),
        ("5", 7 * 86_400, 0),
        ("6", 43_200, 3),
        (ADDRESS, 7 * 86_400, -2),
    ]
    assert {row["track_id"] for row in rows.values()} == {1, 2, 5, 6, None}
    # The most overdue first; 5 and 6 were added at the same time, so their priority decides.
    assert [line.split()[0] for line in due.out.splitlines()] == ["seed", "1", "2", ADDRESS, "6", "5"]
    assert gone.out.startswith("removed: 1; its harvest stays in the database\n")
    assert [line.split()[0] for line in last.out.splitlines()] == ["seed", "2", ADDRESS, "6"]


def test_seeds_is_a_command_of_scrapy(database: Path) -> None:
    result = scrapy("seeds", "add", "1", "--every", "x", HARVEST_DATABASE_URL=url_of(database))
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("option `--every`: not an interval such as 30m, 12h, 7d or 2w")


def test_known_titles_are_shown(database: Path) -> None:
    assert [result.code for result in seeds(database, ["add", "1"], ["add", ADDRESS])] == [0, 0]
    with closing(connect(database)) as connection, connection:
        connection.execute(
            "INSERT INTO users (user_id, username, is_stub, fullness, fetched_at) "
            "VALUES (9, 'Ann', false, 3, '')"
        )
        connection.execute(
            "INSERT INTO tracks (track_id, title, artist_id, is_stub, fullness, fetched_at) "
            "VALUES (1, ?, 9, false, 3, '')",
            ("A\x1b[2Jlong " + "title " * 30,),
        )
        connection.execute(
            "UPDATE seeds SET track_id = 1, last_harvest_at = added_at, last_outcome = 'complete', "
            "next_harvest_at = '2126-01-02T03:04:05.000000Z'"
        )
    listed, due = seeds(database, ["list"], ["due"])
    assert listed.out.isascii()
    assert all(line.isprintable() and len(line) <= 100 for line in listed.out.splitlines())
    assert "2126-01-02 03:04  A\\x1b[2Jlong title" in listed.out
    assert due.out.startswith("No seed is due; the first will be 1 (A\\x1b[2Jlong title")
    assert due.out.endswith(") at 2126-01-02 03:04 (UTC)\n")


def test_seeds_can_be_changed_during_a_crawl(database: Path) -> None:
    with closing(Store.open(url_of(database))):
        add, remove = seeds(database, ["add", "1"], ["remove", "1"])
    assert (add.code, remove.code) == (0, 0), add.err + remove.err


def test_an_older_database_is_upgraded(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as older:
        older.setattr(migrate, "HEAD", "0002")
        create_blank(database)
        Store.open(url_of(database)).close()
    with closing(connect(database)):
        (add, listed) = seeds(database, ["add", "1"], ["list"])
    assert (add.code, listed.code) == (0, 0), add.err


USAGE_ERRORS = [
    ([], "name one of add, list, due, remove, import, not ''"),
    (["lst"], "(did you mean `list`?)"),
    (["add"], "name at least one seed"),
    (["add", "1", "abc"], "seed: not an ID, URN, URL or permalink: 'abc'"),
    (["add", "https://soundcloud.com/a/b/s-secret"], "a secret link"),
    (["add", "1", "--every", "often"], "option `--every`: not an interval such as 30m"),
    (["add", "1", "--priority", "high"], "option `--priority`: not an integer"),
    (["import"], "name one file"),
    (["import", "nowhere.txt"], "file of seeds: 'nowhere.txt' cannot be read: No such file or directory"),
    (["list", "all"], "scrapy seeds list: unexpected argument: 'all'"),
    *(() if is_on_server() else ((["list"], "no such file"), (["remove", "1"], "no such file"))),
    (["add", "1", "--database", "oracle://x"], "must begin with sqlite:/// or postgresql://"),
]


def test_usage_errors_are_one_line_and_change_nothing(database: Path) -> None:
    for (arguments, message), result in zip(
        USAGE_ERRORS, seeds(database, *(arguments for arguments, _ in USAGE_ERRORS)), strict=True
    ):
        assert result.code == 2, arguments
        assert message in result.err, arguments
        assert len(result.err.splitlines()) == 1, result.err
        assert "s-secret" not in result.err
    assert not database.exists()


def test_an_unknown_seed_removes_nothing(database: Path) -> None:
    _, removed, listed = seeds(database, ["add", "1"], ["remove", "1", "2"], ["list", "--json"])
    assert removed.code == 2
    assert removed.err == "seed '2': not in the list; nothing was removed\n"
    assert [row["given"] for row in json.loads(listed.out)] == ["1"]


def test_a_seed_that_was_harvested_in_the_future_is_due(database: Path) -> None:
    seeds(database, ["add", "1", "2", "--every", "1d"])
    with closing(connect(database)) as connection, connection:
        later = days_before("'now'", -20 / 24)
        connection.execute(f"UPDATE seeds SET next_harvest_at = {later}")  # noqa: S608 - ours
        connection.execute(f"UPDATE seeds SET last_harvest_at = {later} WHERE given = '1'")  # noqa: S608 - ours
    (due,) = seeds(database, ["due", "--json"])
    assert [seed["given"] for seed in json.loads(due.out)] == ["1"]
