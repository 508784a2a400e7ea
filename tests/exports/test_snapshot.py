"""``scrapy snapshot``: a plain file for readers, with its description for Datasette, and ``scrapy raw``."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from sgr_spiders.exports import datasette
from sgr_spiders.exports.snapshot import export_snapshot
from sgr_spiders.model.exceptions import ArgumentError, ConfigError, DatabaseInUseError, StorageError
from sgr_spiders.storage import export_log
from sgr_spiders.storage.raw_fields import read_raw
from sgr_spiders.storage.snapshots import snapshot
from sgr_spiders.storage.store import Store
from tests import databases
from tests.exports.conftest import SECRET_ADDRESS
from tests.scrapy_process import scrapy_in_one

if TYPE_CHECKING:
    from pathlib import Path

WALK_ID = 2**62 + 1
"""JavaScript rounds it."""
FILLING = f"""
INSERT INTO runs (run_id, spider, layers, scope, refresh, fresh_after, started_at)
VALUES (41, 's', 'l', 's', false, 't', 't');
INSERT INTO workers (worker_id, run_id, host, process, started_at, heartbeat_at)
VALUES (7, 41, 'my-host', 1, 't', '9999');
INSERT INTO walks (walk_id, endpoint, target, status, cursor, generation, pages, empty_pages, received, kept,
    created_at, run_id, worker_id)
VALUES ({WALK_ID}, 'track', '1', 'running', '', 0, 0, 0, 0, 0, 't', 41, 7);
INSERT INTO walk_requests (walk_id, seed_id, layer, step, cap, widest, selective, expanded, settings)
VALUES ({WALK_ID}, 1, 'user_depth', 's', 1, 1, false, 0, '');
INSERT INTO walk_records (walk_id, kind, record_id, position, generation)
VALUES ({WALK_ID}, 'track', 101, 0, 0);
INSERT INTO walk_pages (walk_id, generation, page, cursor_hash, received, fetched_at)
VALUES ({WALK_ID}, 0, 0, {WALK_ID}, 0, 't');
INSERT INTO users (user_id, username, is_stub, fullness, fetched_at)
VALUES ({WALK_ID}, 'pseudonym', false, 3, 't');
INSERT INTO engagements (user_id, track_id, kind) VALUES ({WALK_ID}, 110, 'like');
INSERT INTO comments (comment_id, track_id, user_id, body, fetched_at)
VALUES (-{WALK_ID}, 110, {WALK_ID}, 'x', 't');
"""  # noqa: S608 - only constants
Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def database(harvest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of a harvest that a crawl uses; tests must not write to it."""
    path = databases.copy_database(harvest, tmp_path_factory.mktemp("snapshot") / "harvest.db")
    with closing(databases.connect(path)) as connection:
        connection.executescript(FILLING)
        connection.commit()
    return path


@pytest.fixture(scope="module")
def written(database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of a snapshot, which tests only read."""
    file = tmp_path_factory.mktemp("new") / "below" / "out.db"
    export_snapshot(Store(databases.url_of(database)), file)
    return file


def query(file: Path, sql: str) -> Rows:
    # As Datasette opens it with `-i`.
    with closing(sqlite3.connect(f"file:{file}?immutable=1", uri=True)) as connection:
        return connection.execute(sql).fetchall()


def test_a_snapshot_is_one_plain_and_sound_file(written: Path) -> None:
    assert sorted(path.name for path in written.parent.iterdir()) == [
        "out.datasette.yml",
        "out.db",
        "out.metadata.yml",
    ]
    assert written.stat().st_mode & 0o077 == 0
    assert written.read_bytes()[18:20] == b"\1\1", "a rollback journal, by the format's version in the header"
    assert query(written, "PRAGMA integrity_check") == [("ok",)]
    assert query(written, "PRAGMA foreign_key_check") == []
    assert query(written, "PRAGMA freelist_count") == [(0,)]


def test_it_contains_the_rows_of_the_database(database: Path, written: Path) -> None:
    listed = query(written, "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
    missing = set(databases.table_names(database)) - {name for (name,) in listed}
    unneeded = {"alembic_version", "tombstones", "tombstone_salt", "exports"}
    assert missing == snapshot.LEFT_OUT | unneeded
    with closing(databases.connect(database)) as connection:
        for name in set(databases.table_names(database)) - missing:
            count = f"SELECT count(*) FROM {name}"  # noqa: S608 - a name of the schema
            assert query(written, count) == list(map(tuple, connection.execute(count))), name
        title = "SELECT title, genre, playback_count FROM tracks ORDER BY track_id"
        assert query(written, title) == list(map(tuple, connection.execute(title)))


def test_integers_that_javascript_rounds_are_text(written: Path) -> None:
    assert (str(WALK_ID), "text") in query(written, "SELECT walk_id, typeof(walk_id) FROM walks")
    for name, kind in query(written, "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view')"):
        columns = [row[1] for row in query(written, f"PRAGMA table_info({name})")]
        for column in columns:
            integers = f"SELECT {column} FROM {name} WHERE typeof({column}) = 'integer'"  # noqa: S608 - of the schema
            assert all(abs(value) < 2**53 for (value,) in query(written, integers)), (kind, name, column)
    liked = f"SELECT user_id, username, track_id FROM present_likes WHERE user_id = '{WALK_ID}'"  # noqa: S608
    assert query(written, liked) == [(str(WALK_ID), "pseudonym", 110)]
    assert query(written, "SELECT DISTINCT typeof(track_id) FROM tracks") == [("integer",)]
    found = f"SELECT record_id, walk_id FROM discoveries_history WHERE walk_id = '{WALK_ID}'"  # noqa: S608
    assert query(written, found) == [(101, str(WALK_ID))]


def test_it_contains_no_leases_and_no_secrets(written: Path) -> None:
    assert query(written, f"SELECT status FROM walks WHERE walk_id = '{WALK_ID}'") == [("planned",)]  # noqa: S608
    columns = {row[1] for row in query(written, "PRAGMA table_info(walks)")}
    assert not columns & {"run_id", "worker_id"}
    content = written.read_bytes()
    assert b"opensesame" not in content
    assert b"my-host" not in content
    assert b"(withheld)" in content
    assert SECRET_ADDRESS.encode() not in content


def test_views_show_names_in_both_directions(written: Path) -> None:
    pairs = query(written, "SELECT user_id_a, user_id_b FROM user_similarities")
    seen = query(written, "SELECT user_id, neighbour_id FROM similar_users")
    assert pairs
    assert sorted(seen) == sorted([*pairs, *((b, a) for a, b in pairs)])
    for view in ("present_tracks", "present_likes", "related_tracks", "related_artists"):
        assert query(written, f"SELECT count(*) FROM {view}")[0][0] > 0, view  # noqa: S608


def test_the_description_for_datasette_fits_the_file(written: Path) -> None:
    """Every table, column, facet, label and query that it names exists."""
    metadata, configuration = (
        yaml.safe_load(path.read_text(encoding="utf-8")) for path in datasette.files_beside(written)
    )
    described, configured = metadata["databases"]["out"], configuration["databases"]["out"]
    listed = query(written, "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
    names = {name for (name,) in listed if not name.startswith("sqlite_")}
    assert described["tables"].keys() == names
    for name, table in described["tables"].items():
        columns = {row[1] for row in query(written, f"PRAGMA table_info({name})")}
        assert table["description"]
        assert set(table.get("columns", columns)) == columns
        assert all(table.get("columns", {"": "x"}).values()), name
        assert set(table.get("facets", ())) | set(table.get("units", ())) <= columns, name
        assert table.get("label_column", next(iter(columns))) in columns
    assert described["tables"]["tracks"]["columns"]["duration_ms"] == "Length in milliseconds"
    assert described["tables"]["tracks"]["units"] == {"duration_ms": "ms"}
    labels = {name: table.get("label_column") for name, table in configured["tables"].items()}
    assert (labels["users"], labels["tracks"]) == ("username", "title")
    assert set(datasette.FACETS) <= names
    assert "#" not in described["tables"]["tracks"]["columns"]["fullness"]
    assert configured["queries"] == described["queries"]
    with closing(sqlite3.connect(written)) as connection:
        for question in described["queries"].values():
            known = dict.fromkeys(("seed_id", "track_id", "user_id", "artist_id"), 101)
            connection.execute(question["sql"], known)


def test_only_an_earlier_snapshot_is_replaced(database: Path, tmp_path: Path) -> None:
    store, file = Store(databases.url_of(database)), tmp_path / "out.db"
    file.write_bytes(b"notes")
    with pytest.raises(ConfigError, match="is not a snapshot; name a file that does not exist"):
        export_snapshot(store, file, force=True)
    assert file.read_bytes() == b"notes"
    file.unlink()
    if store.file is not None:
        with pytest.raises(ConfigError, match="is the database itself"):
            export_snapshot(store, store.file, force=True)
        shutil.copy(store.file, file)
        with pytest.raises(ConfigError, match="is not a snapshot"):
            export_snapshot(store, file, force=True)
        file.unlink()
    export_snapshot(store, file)
    with pytest.raises(ConfigError, match=r"exists; replace it with `--force`"):
        export_snapshot(store, file)
    before = file.stat().st_ino
    export_snapshot(store, file, with_raw=True, force=True)
    assert file.stat().st_ino != before
    (raw,) = query(file, "SELECT raw FROM tracks WHERE raw IS NOT NULL LIMIT 1")
    assert isinstance(json.loads(raw[0]), dict)


def test_the_directory_must_be_usable(database: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="nothing was written"):
        export_snapshot(Store(databases.url_of(database)), tmp_path / "file" / "out.db")


def test_a_snapshot_is_noted_before_the_files_beside_it(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> bytes:
        raise StorageError("No space left on device")

    path, file = databases.copy_database(database, tmp_path / "harvest.db"), tmp_path / "out.db"
    store = Store(databases.url_of(path))
    monkeypatch.setattr(datasette, "dump", fail)
    with pytest.raises(StorageError, match="No space left"):
        export_snapshot(store, file)
    assert file.exists()
    with store.read() as connection:
        assert str(file) in [made.directory for made in export_log.read(connection)]


KILL = """
import os, signal, sys
from pathlib import Path
from sgr_spiders.exports.snapshot import export_snapshot
from sgr_spiders.storage.snapshots import snapshot
from sgr_spiders.storage.store import Store
snapshot._sync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
export_snapshot(Store(sys.argv[1]), Path(sys.argv[2]))
"""


def test_a_killed_one_leaves_no_file_of_that_name(database: Path, tmp_path: Path) -> None:
    file, url = tmp_path / "out.db", databases.url_of(database)
    killed = subprocess.run([sys.executable, "-c", KILL, url, str(file)], capture_output=True, check=False)
    assert killed.returncode == -9, killed.stderr
    assert not file.exists()
    export_snapshot(Store(url), file)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "out.datasette.yml",
        "out.db",
        "out.metadata.yml",
    ]


def test_it_is_of_one_moment_during_a_crawl(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = databases.copy_database(database, tmp_path / "harvest.db")
    store = Store(databases.url_of(path))
    copy = snapshot._copy

    def change_first(connection: Any, new: sqlite3.Connection, table: Any) -> int:  # noqa: ANN401
        if table.name == "users":
            with pytest.raises(DatabaseInUseError, match="nothing was written"):
                export_snapshot(store, tmp_path / "out.db")
            with store.write() as writing:
                writing.exec_driver_sql("UPDATE tracks SET title = 'later'")
                writing.exec_driver_sql("UPDATE users SET username = 'later'")
        return copy(connection, new, table)

    monkeypatch.setattr(snapshot, "_copy", change_first)
    export_snapshot(store, tmp_path / "out.db")
    store.close()
    for sql in ("SELECT 1 FROM tracks WHERE title = 'later'", "SELECT 1 FROM users WHERE username = 'later'"):
        assert query(tmp_path / "out.db", sql) == []


def test_raw_is_the_json_of_one_record(database: Path) -> None:
    with Store(databases.url_of(database)).read() as connection:
        fields = read_raw(connection, "track", "soundcloud:tracks:110")
        assert fields["nested"] == {"list": [1, None]}
        assert read_raw(connection, "track", "111") == {}
        with pytest.raises(ArgumentError, match="no track in this database is 'nothing'"):
            read_raw(connection, "track", "nothing")
        with pytest.raises(ArgumentError, match="comment 5 is not in this database"):
            read_raw(connection, "comment", "5")
        with pytest.raises(ArgumentError, match="a comment is named by its ID, not by 'x'"):
            read_raw(connection, "comment", "x")


def test_the_commands(database: Path, tmp_path: Path) -> None:
    file = tmp_path / "o ut.db"
    shown, again, json_, raw, wrong = scrapy_in_one(
        database,
        ["snapshot", str(file)],
        ["snapshot", str(file)],
        ["snapshot", str(file), "--force", "--json"],
        ["raw", "track", "110"],
        ["raw", "song", "110"],
    )
    assert (shown.code, f"Snapshot written to {file}" in shown.out) == (0, True), shown.err
    assert (again.code, "replace it with `--force`" in again.err) == (2, True)
    assert json.loads(json_.out)["tables"]["walks"] == 2
    assert json.loads(raw.out)["nested"] == {"list": [1, None]}
    assert (wrong.code, "name one of track, user, artist" in wrong.err) == (2, True)
