"""``scrapy copy``: all rows arrive, or nothing. On PostgreSQL, the other database is an SQLite file."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sgr_spiders.model.exceptions import ConfigError, DatabaseInUseError, StorageError
from sgr_spiders.storage import indexes, migrate
from sgr_spiders.storage.copying import files, servers
from sgr_spiders.storage.copying.copy import Copied, copy
from sgr_spiders.storage.copying.rows import Checksum
from sgr_spiders.storage.ledger import frontier
from sgr_spiders.storage.pairs.tables import Measure, PairTable, find_stored
from sgr_spiders.storage.rows import kind_of
from sgr_spiders.storage.schema import metadata, runs, tracks, workers
from sgr_spiders.storage.store import Store
from tests import databases
from tests.scrapy_process import run_command, scrapy

if TYPE_CHECKING:
    from collections.abc import Iterable

ROWS = 4
VALUES: dict[str, list[Any]] = {
    "number": [0.1, -0.0, 1e300, 5e-324],
    "boolean": [True, False, False, True],
    "text": ["", "Ünï 🎧", "tab\tline\n\\N \\. \x7f \"'", "\ufffd%s %(a)s"],
    "bytes": [b"", b"\0\xff\n\\x", b"\x28\xb5\x2f\xfd", bytes(range(256))],
}
MIXES = PairTable(
    "mix_relationships",
    "playlist",
    "mix_id",
    (Measure("shared", "Common tracks"), Measure("weight", "Weight", real=True)),
    "weight",
    "A relationship that no migration creates",
)
TRACK = "INSERT INTO tracks (track_id, title, is_stub, fullness, fetched_at) VALUES (?, ?, 0, 3, 't')"


def quiet(*_: object) -> None:
    """Report no progress."""


def fill(url: str) -> None:
    """Create a database with some odd rows in every table."""
    Store.open(url).close()
    store = Store(url)
    with closing(store), store.write() as connection:
        for table in metadata.sorted_tables:
            connection.execute(sa.insert(table), [make_row(table, number) for number in range(ROWS)])
        # A copy does so, too.
        frontier.give_back(connection, sa.true())
        connection.execute(sa.update(workers).where(workers.c.ended_at.is_(None)).values(ended_at="t"))
        pairs = MIXES.as_table()
        pairs.create(connection)
        nulls = (None, None, None, None)
        rows = [
            (1, 2, 2**53 + 1, 0.1, *nulls, None),
            (1, 3, 2**62, 1e-9, 0.1, 1e18, 5e-324, 1e-300, True),
            (2, 4, 1, 1.0, 1.0, 1.0, 1.0, 1.0, False),
        ]
        connection.execute(sa.insert(pairs).values(rows))


def make_row(table: sa.Table, number: int) -> dict[str, Any]:
    return {column.name: make_value(table, column, number) for column in table.columns}


def make_value(table: sa.Table, column: sa.Column[Any], number: int) -> Any:  # noqa: ANN401 - any type of column
    kind = kind_of(column)
    if column.foreign_keys or (column.primary_key and kind == "integer"):
        return number + 1
    allowed = [text for text in map(str, checks_of(table)) if text.startswith(f"{column.name} IN")]
    if allowed:
        words = re.findall("'([^']*)'", allowed[0])
        return words[number % len(words)]
    if kind == "integer":
        largest = (2**15 if isinstance(column.type, sa.SmallInteger) else 2**31) - 1
        if isinstance(column.type, sa.BigInteger):
            largest = 2**63 - 1
        return [0, -1, largest, -largest - 1][number]
    return None if column.nullable and number == 3 else VALUES[kind][number]


def checks_of(table: sa.Table) -> Iterable[sa.ColumnElement[Any]]:
    return [check.sqltext for check in table.constraints if isinstance(check, sa.CheckConstraint)]


def contents(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of all tables, as SQLAlchemy reads them."""
    with Store(url).read() as connection:
        tables = [*metadata.sorted_tables, MIXES.as_table()]
        return {
            table.name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr) for table in tables
        }


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the URL of an SQLite file with some odd rows in every table."""
    url = f"sqlite:///{tmp_path_factory.mktemp('filled') / 'filled.db'}"
    fill(url)
    return url


@pytest.fixture
def blank(tmp_path: Path) -> str:
    """Return the URL of a database without tables: a file that does not exist, or one on the server."""
    databases.create_blank(tmp_path / "blank.db")
    return databases.url_of(tmp_path / "blank.db")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return the path of a harvest in an SQLite file, for direct changes."""
    path = tmp_path / "source.db"
    with closing(Store.open(f"sqlite:///{path}")) as store, store.write() as connection:
        connection.execute(sa.insert(tracks), [make_row_of_track(number) for number in (1, 2, 3)])
    return path


def make_row_of_track(number: int) -> dict[str, Any]:
    return {"track_id": number, "title": "x", "is_stub": False, "fullness": 3, "fetched_at": "t"}


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def schema_of(path: Path) -> set[tuple[str, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        listed = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master")
        return {row for row in listed if not row[1].startswith("sqlite_")}


def holds_nothing(url: str) -> bool:
    """Return whether nothing remains of a copy: no table on the server, no file beside the source."""
    if databases.is_on_server():
        with closing(Store(url)) as store, store.engine.connect() as connection:
            return sa.inspect(connection).get_table_names() == []
    path = Path(str(sa.make_url(url).database))
    return [file.name for file in path.parent.glob(f"{path.name}*")] == []


def test_all_rows_arrive_in_every_kind_of_database(filled: str, blank: str, tmp_path: Path) -> None:
    """A file, the tested kind, the tested kind again, and a file."""
    databases.create_blank(tmp_path / "second.db")
    back = tmp_path / "new directory" / "back.db"
    urls = [filled, blank, databases.url_of(tmp_path / "second.db"), f"sqlite:///{back}"]
    expected = contents(filled)
    assert all(len(rows) >= 3 for rows in expected.values())
    done = [copy(*pair, quiet) for pair in pairwise(urls)]
    assert [contents(url) for url in urls[1:]] == [expected] * 3
    assert done[0].tables == done[1].tables == done[2].tables
    rows = {name: checksum.rows for name, checksum in done[0].tables.items() if checksum.rows}
    assert rows == {name: len(rows) for name, rows in expected.items()}
    assert (done[0].replaced, done[0].left_out) == ({}, [])
    assert schema_of(back) == schema_of(Path(str(sa.make_url(filled).database)))
    assert [file.stat().st_mode & 0o077 for file in back.parent.iterdir()] == [0] * len(
        list(back.parent.iterdir())
    )
    with closing(sqlite3.connect(back)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_the_copy_goes_on_like_its_source(source: Path, blank: str) -> None:
    """IDs continue, foreign keys hold, the planner knows the tables, and leases have ended."""
    change(
        source,
        "INSERT INTO runs (run_id, spider, layers, scope, refresh, fresh_after, started_at) "
        "VALUES (41, 's', 'l', 's', 0, 't', 't')",
        "INSERT INTO workers (worker_id, run_id, host, process, started_at, heartbeat_at) "
        "VALUES (7, 41, 'h', 1, 't', '9999')",
        "INSERT INTO walks (walk_id, endpoint, target, status, cursor, generation, pages, empty_pages, "
        "received, kept, created_at, run_id, worker_id) VALUES "
        "(1, 'track', '1', 'running', '', 0, 0, 0, 0, 0, 't', 41, 7), "
        "(2, 'track', '2', 'done', '', 0, 0, 0, 0, 0, 't', NULL, NULL)",
    )
    assert copy(f"sqlite:///{source}", blank, quiet).released == 1
    with closing(Store.open(blank)) as store:
        with store.write() as connection:
            walks = connection.exec_driver_sql("SELECT walk_id, status, run_id, worker_id FROM walks")
            assert sorted(walks) == [(1, "planned", None, None), (2, "done", None, None)]
            assert connection.scalar(sa.select(workers.c.ended_at)) is not None
            texts = dict.fromkeys(("spider", "layers", "scope", "fresh_after", "started_at"), "")
            row = {**texts, "refresh": False}
            assert connection.scalar(sa.insert(runs).values(row).returning(runs.c.run_id)) == 42
            assert indexes.missing(connection) == []
        with pytest.raises(StorageError, match=r"(?i)foreign key"), store.write() as connection:
            connection.execute(sa.update(tracks).values(artist_id=99))


def test_indexes_that_a_harvest_builds_at_its_end_are_not_built_before(source: Path, blank: str) -> None:
    change(source, "DROP INDEX ix_engagements_track_id_kind", "DROP INDEX ix_tracks_artist_id")
    copy(f"sqlite:///{source}", blank, quiet)
    with Store(blank).read() as connection:
        assert [index.name for index in indexes.missing(connection)] == ["ix_engagements_track_id_kind"]
        assert "ix_tracks_artist_id" in {
            index["name"] for index in sa.inspect(connection).get_indexes("tracks")
        }


def test_a_relationship_table_is_declared_as_its_type_declares_it(filled: str, blank: str) -> None:
    copy(filled, blank, quiet)
    with Store(blank).read() as connection:
        (stored,) = (table for table in find_stored(connection) if table.name == MIXES.name)
    declared = MIXES.as_table()
    assert [(c.name, c.nullable, c.primary_key) for c in stored.columns] == [
        (c.name, c.nullable, c.primary_key) for c in declared.columns
    ]
    assert {index.name for index in stored.indexes} == {index.name for index in declared.indexes}
    assert {key.target_fullname for key in stored.foreign_keys} == {"playlists.playlist_id"}


def test_characters_that_the_target_cannot_store_are_replaced_and_counted(source: Path, blank: str) -> None:
    change(
        source,
        "UPDATE tracks SET title = 'a' || char(0) || 'b' WHERE track_id = 1",
        "UPDATE tracks SET title = CAST(x'61eda0bdeda0bd62' AS TEXT) WHERE track_id = 2",
        "UPDATE tracks SET description = CAST(x'ff' AS TEXT)",
    )
    done = copy(f"sqlite:///{source}", blank, quiet)
    nul = "\ufffd" if databases.is_on_server() else "\0"
    with Store(blank).read() as connection:
        titles = connection.scalars(sa.select(tracks.c.title).order_by(tracks.c.track_id)).all()
        assert titles == [f"a{nul}b", "a\ufffdb", "x"]
        assert set(connection.scalars(sa.select(tracks.c.description))) == {"\ufffd"}
    replaced = 2 if databases.is_on_server() else 1
    assert done.replaced == {"tracks.title": replaced, "tracks.description": 3}


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "UPDATE tracks SET duration_ms = 'long'",
            "tracks.duration_ms is not an integer where track_id 1: 'long'",
        ),
        (
            "UPDATE tracks SET playback_count = 1e30",
            "tracks.playback_count is not an integer where track_id 1: 1e.30",
        ),
        (
            "UPDATE tracks SET title = x'00' WHERE track_id = 2",
            "title is not text where track_id 2: b'\\\\x00'",
        ),
        ("UPDATE tracks SET is_stub = 2", "tracks.is_stub is not 0 or 1 where track_id 1: 2"),
        ("UPDATE tracks SET raw = 'text'", "tracks.raw is not bytes where track_id 1: 'text'"),
        ("UPDATE tracks SET bpm = 'fast'", "tracks.bpm is not a number where track_id 1: 'fast'"),
        (
            "UPDATE tracks SET artist_id = 9",
            "(?i)foreign key|a row of `tracks` refers to a missing row of `users`",
        ),
    ],
)
def test_a_row_that_is_not_of_this_schema_is_named(
    source: Path, blank: str, statement: str, message: str
) -> None:
    change(source, "PRAGMA foreign_keys = OFF", statement)
    with pytest.raises(StorageError, match=message):
        copy(f"sqlite:///{source}", blank, quiet)
    assert holds_nothing(blank)


@pytest.mark.postgresql("its integers have 16, 32 or 64 bits")
def test_an_integer_of_more_bits_than_its_column_is_named(source: Path, blank: str) -> None:
    change(source, "UPDATE tracks SET fullness = 40000 WHERE track_id = 3")
    with pytest.raises(StorageError, match="fullness is not an integer of 16 bits where track_id 3: 40000"):
        copy(f"sqlite:///{source}", blank, quiet)
    assert holds_nothing(blank)


def test_a_difference_is_noticed(source: Path, blank: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = servers if databases.is_on_server() else files
    write = kind.write

    def spoil(connection: sa.Connection, table: sa.Table, batches: Iterable[Any]) -> None:
        write(connection, table, batches)
        if table is tracks:
            connection.exec_driver_sql("UPDATE tracks SET title = 'X' WHERE track_id = 2")

    monkeypatch.setattr(kind, "write", spoil)
    with pytest.raises(
        StorageError,
        match=r"`tracks` differs from its source: 3 rows with checksum [0-9a-f]{16} instead of 3 rows with",
    ):
        copy(f"sqlite:///{source}", blank, quiet)
    assert holds_nothing(blank)


def test_the_checksum_is_of_all_rows_in_any_order() -> None:
    def checksum(*batches: list[tuple[object, ...]]) -> str:
        summed = Checksum()
        for rows in batches:
            summed.add(rows)
        return str(summed)

    rows: list[tuple[object, ...]] = [(1, "a"), (2, None), (3, b"x"), (1, "a")]
    assert checksum(rows) == checksum(rows[::-1]) == checksum(rows[2:], rows[:2])
    others = [rows[:3], [*rows[:3], (1, b"a")], [*rows[:3], (True, "a")], [(1, None), *rows[1:]]]
    assert len({checksum(rows), *(checksum(other) for other in others)}) == 5


def test_an_interrupted_copy_leaves_nothing(source: Path, blank: str) -> None:
    def interrupt(_action: str, name: str, _rows: int) -> None:
        if name == "ix_tracks_artist_id":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy(f"sqlite:///{source}", blank, interrupt)
    assert holds_nothing(blank)


KILL = """
import os, signal, sys
from sgr_spiders.storage.copying import files
from sgr_spiders.storage.copying.copy import copy
files.PRAGMAS = ("PRAGMA cache_size = 10",)  # so that SQLite writes before the end
def kill(action, name, rows):
    if (action, name) == ("Comparing", "tracks"):
        os.kill(os.getpid(), signal.SIGKILL)
copy(sys.argv[1], sys.argv[2], kill)
"""


def test_a_killed_copy_is_not_a_harvest_and_does_not_hinder_the_next(source: Path, blank: str) -> None:
    url = f"sqlite:///{source}"
    killed = subprocess.run([sys.executable, "-c", KILL, url, blank], capture_output=True, check=False)
    assert killed.returncode == -9, killed.stderr
    unusable = pytest.raises(StorageError, match="not a SoundGraph database")
    with unusable, Store(blank).read():
        pass
    left = Path(f"{sa.make_url(blank).database}.copying")
    if databases.is_on_server():
        wait_for_other_sessions(blank)
    else:
        assert left.stat().st_size > 100_000
        with closing(sqlite3.connect(left)) as connection:
            assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    assert copy(url, blank, quiet).tables["tracks"].rows == 3
    assert not left.exists()


def wait_for_other_sessions(url: str) -> None:
    """Wait until the server has noticed that the other client is gone."""
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with closing(Store(url)) as store:
        while True:
            with store.engine.connect() as connection:
                if connection.exec_driver_sql(others).scalar() == 0:
                    return


def test_the_source_may_be_in_use(source: Path, blank: str) -> None:
    """The copy is of one snapshot, and waits for nobody."""
    url = f"sqlite:///{source}"

    def write(_action: str, name: str, _rows: int) -> None:
        if name == "tracks":
            with store.write() as connection:
                connection.execute(sa.update(tracks).values(title="later"))
                connection.exec_driver_sql("DELETE FROM walks")

    with closing(Store.open(url)) as store:
        copy(url, blank, write)
    with Store(blank).read() as connection:
        assert set(connection.scalars(sa.select(tracks.c.title))) == {"x"}


def test_a_target_that_is_not_empty_is_left_alone(source: Path, blank: str) -> None:
    url = f"sqlite:///{source}"
    copy(url, blank, quiet)
    before = contents_of_tracks(blank)
    with pytest.raises(ConfigError, match=r"name a file that does not exist|holds a harvest already"):
        copy(url, blank, quiet)
    with pytest.raises(ConfigError, match="is the source and the target"):
        copy(blank, blank, quiet)
    assert contents_of_tracks(blank) == before


def contents_of_tracks(url: str) -> list[tuple[Any, ...]]:
    with Store(url).read() as connection:
        return list(map(tuple, connection.execute(sa.select(tracks).order_by(tracks.c.track_id))))


@pytest.mark.sqlite("a server has no files")
def test_a_file_of_something_else_is_left_alone(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "target.db"
    link = tmp_path / "link.db"
    link.symlink_to(source)
    for content in (b"some notes", b""):
        target.write_bytes(content)
        Path(f"{target}-wal").write_bytes(b"another database's")
        with pytest.raises(ConfigError, match="is not empty; name a file that does not exist"):
            copy(f"sqlite:///{source}", f"sqlite:///{target}", quiet)
        assert target.read_bytes() == content
    with pytest.raises(ConfigError, match="is the source and the target"):
        copy(f"sqlite:///{source}", f"sqlite:///{link}", quiet)
    Path(f"{target}-wal").unlink()
    target.chmod(0o640)
    copy(f"sqlite:///{source}", f"sqlite:///{target}", quiet)
    assert target.stat().st_mode & 0o777 == 0o640


@pytest.mark.sqlite("a server has no files")
def test_a_file_in_use_or_without_room_is_refused(
    source: Path, blank: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{source}"
    with closing(Store.open(blank)), pytest.raises(ConfigError, match="is not empty"):
        copy(url, blank, quiet)
    path = Path(str(sa.make_url(blank).database))
    for file in path.parent.glob("blank*"):
        file.unlink()
    with monkeypatch.context() as full:
        full.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000}))
        with pytest.raises(StorageError, match=r"needs about .+ in .+, where 1\.0 kB are free"):
            copy(url, blank, quiet)
    assert holds_nothing(blank)

    def copy_again(_action: str, name: str, _rows: int) -> None:
        if name == "tracks":
            with pytest.raises(DatabaseInUseError, match="is locked by another process; nothing was copied"):
                copy(url, blank, quiet)

    copy(url, blank, copy_again)


@pytest.mark.postgresql("another program's tables may be in a schema")
def test_the_tables_of_another_program_stay(source: Path, blank: str) -> None:
    url = f"sqlite:///{source}"
    with closing(Store(blank)) as store:
        with store.engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE accounts (name text)")
            connection.exec_driver_sql("CREATE TABLE users (name text)")
        with pytest.raises(ConfigError, match=r"already has a table `users`; name .+ schema"):
            copy(url, blank, quiet)
        with store.engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE users")
            connection.exec_driver_sql("INSERT INTO accounts VALUES ('a')")

        def copy_again(_action: str, name: str, _rows: int) -> None:
            if name == "tracks":
                with pytest.raises(DatabaseInUseError, match="another process is creating tables in it"):
                    copy(url, blank, quiet)

        copy(url, blank, copy_again)
        with store.engine.begin() as connection:
            assert connection.exec_driver_sql("SELECT * FROM accounts").all() == [("a",)]


def test_an_older_schema_is_refused(tmp_path: Path, blank: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(migrate, "HEAD", "0005")
        Store.open(f"sqlite:///{tmp_path / 'older.db'}").close()
    ended = run_command("copy", f"sqlite:///{tmp_path / 'older.db'}", blank)
    assert ended.code == 1
    assert re.search(
        r"of revision 0005, older .+ `\S*scrapy upgrade -s HARVEST_DATABASE_URL=.+older\.db`", ended.err
    )
    assert holds_nothing(blank)


def test_the_command_says_what_it_copied_and_what_is_next(source: Path, blank: str, tmp_path: Path) -> None:
    change(
        source,
        "CREATE TABLE notes (text)",
        "UPDATE tracks SET title = CAST(x'ff' AS TEXT) WHERE track_id = 1",
    )
    ended = run_command("copy", f"sqlite:///{source}", blank)
    assert ended.code == 0, ended.err  # on a slow machine, this also contains the progress
    assert "\ntotal   3\n" in f"\n{ended.out}"
    for line in (
        f"Copied sqlite:///{source} to {blank}",
        "are equal",
        "U+FFFD replaces characters that the target cannot store: 1 value of tracks.title",
        "Not copied, because not of a harvest: notes",
        f"Next: export HARVEST_DATABASE_URL={blank}",
    ):
        assert line in ended.out
    told = json.loads(run_command("copy", blank, f"sqlite:///{tmp_path / 'other.db'}", "--json").out)
    assert told["tables"]["tracks"]["rows"] == 3
    assert (told["released"], told["replaced"], told["left_out"]) == (0, {}, [])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name two databases, e.g. "),
        (("sqlite:///a.db",), "name two databases, e.g. "),
        (("a.db", "oracle://x"), "argument `TARGET`: must begin with sqlite:/// or postgresql://"),
        (
            ("postgresql://me:hushhush@h:99999/d", "sqlite:///a.db"),
            "argument `SOURCE`: .+ port .+me:\\*\\*\\*@",
        ),
        (("sqlite:///missing.db", "sqlite:///a.db"), "database missing.db: no such file"),
        (("missing.db", "a.db"), "database missing.db: no such file"),
        (
            ("missing.db", "a.db", "--database", "b.db"),
            "option `--database`: name both databases as arguments",
        ),
    ],
)
def test_bad_arguments_are_one_line(arguments: tuple[str, ...], message: str) -> None:
    ended = run_command("copy", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert re.match(message, ended.err)
    assert ended.err.count("\n") == 1
    assert "hushhush" not in ended.err


def test_a_password_is_never_printed(source: Path) -> None:
    ended = scrapy("copy", f"sqlite:///{source}", "postgresql://me:hushhush@127.0.0.1:1/d")
    assert ended.code == 1
    assert re.match(r"database postgresql://me:\*\*\*@127.0.0.1:1/d: .+; nothing was copied\n$", ended.err)
    assert "hushhush" not in ended.err + ended.out


def test_the_next_command_hides_the_password() -> None:
    from sgr_spiders.commands.copy import _render  # noqa: PLC0415 - as run_command does

    lines = _render(Copied(), "sqlite:///a.db", "postgresql://me:hushhush@h/d")
    assert lines[-1] == (
        "Next: export HARVEST_DATABASE_URL='postgresql://me:***@h/d'  # with the password for ***"
    )
    assert "hushhush" not in "".join(lines)
