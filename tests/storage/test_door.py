"""Access to a database: concurrent readers and writers, refused files, and the state left behind."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from sgr_spiders.config.harvest import HarvestConfig
from sgr_spiders.model.exceptions import DatabaseInUseError, StorageError
from sgr_spiders.relationships.processor import relate
from sgr_spiders.storage import store as module
from sgr_spiders.storage.pairs import reading
from sgr_spiders.storage.store import Store
from tests.databases import connect, url_of
from tests.relationships.worlds import World
from tests.scrapy_process import run_command, scrapy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EVERY_COMMAND = [
    ("relate",),
    ("embed",),
    ("seeds", "add", "1"),
    ("seeds", "list"),
    ("seeds", "remove", "1"),
    ("status",),
    ("harvests",),
    ("related", "track", "1"),
    ("similar", "track", "1"),
    ("recommend", "user", "1"),
    ("recommend", "playlist", "1"),
    ("evaluate",),
    ("export",),
]
NOBODY = 65_534


def rows(path: Path, table: str) -> int:
    with closing(connect(path)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - ours


def note(store: Store, name: str) -> None:
    with store.write() as connection:
        connection.execute(sa.text("INSERT INTO notices VALUES (:name, '')"), {"name": name})


def create_foreign(path: Path) -> None:
    with closing(connect(path)) as connection:
        connection.execute("CREATE TABLE customers (name TEXT)")
        connection.execute("INSERT INTO customers VALUES ('Ada')")
        connection.commit()


def create_foreign_wal(path: Path) -> None:
    with closing(connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    create_foreign(path)


def create_foreign_alembic(path: Path) -> None:
    create_foreign(path)
    with closing(connect(path)) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('0001')")
        connection.commit()


def create_text_file(path: Path) -> None:
    path.write_text("Dear diary, " * 500)


# Reading


def test_readers_see_a_snapshot_and_never_wait(store: Store) -> None:
    with store.write() as writing, store.read() as before:
        writing.exec_driver_sql("INSERT INTO notices VALUES ('a', '')")
        assert before.exec_driver_sql("SELECT count(*) FROM notices").scalar() == 0
        writing.commit()
        assert before.exec_driver_sql("SELECT count(*) FROM notices").scalar() == 0
        with store.read() as after:
            assert after.exec_driver_sql("SELECT count(*) FROM notices").scalar() == 1


def test_a_reader_cannot_write(store: Store) -> None:
    with (
        pytest.raises(StorageError, match=r"readonly database|read-only transaction"),
        store.read() as connection,
    ):
        connection.exec_driver_sql("DELETE FROM notices")


@pytest.fixture
def public() -> Iterator[Path]:
    """Yield a directory that everybody may read; only their user may read those of pytest."""
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def as_nobody() -> Iterator[Callable[[], None]]:
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root can switch to a user without write permission")
    yield lambda: os.seteuid(NOBODY)
    os.seteuid(0)


@pytest.mark.sqlite("rights of files")
def test_a_database_where_nothing_can_be_written(public: Path, as_nobody: Callable[[], None]) -> None:
    path = public / "harvest.db"
    path.touch(0o644)
    with closing(Store.open(url_of(path))) as store:
        note(store, "a")
    names = sorted(file.name for file in public.iterdir())
    as_nobody()
    with Store(url_of(path)).read() as connection:
        assert connection.exec_driver_sql("SELECT name FROM notices").scalar() == "a"
    result = run_command("status", HARVEST_DATABASE_URL=url_of(path))
    assert (result.code, result.err) == (0, "")
    assert sorted(file.name for file in public.iterdir()) == names


@pytest.mark.sqlite("rights of files")
def test_beside_a_writer_a_reader_without_rights_sees_what_is_committed(
    public: Path, as_nobody: Callable[[], None]
) -> None:
    path = public / "harvest.db"
    path.touch(0o644)
    with closing(Store.open(url_of(path))) as store:
        note(store, "a")
        as_nobody()
        with Store(url_of(path)).read() as connection:
            assert connection.exec_driver_sql("SELECT name FROM notices").scalar() == "a"
        os.seteuid(0)


def test_every_command_checks_the_version(store: Store, url: str) -> None:
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0002'")
    store.close()
    for name, *arguments in (("related", "track", "1"), ("embed",), ("relate",), ("status",)):
        result = run_command(name, *arguments, HARVEST_DATABASE_URL=url)
        assert result.code == 1
        assert "its schema is of revision 0002, older than this version's" in result.err


# Foreign files


@pytest.mark.sqlite("foreign and empty files")
@pytest.mark.parametrize(
    "make",
    [create_foreign, create_foreign_wal, create_foreign_alembic, create_text_file],
    ids=lambda make: make.__name__,
)
def test_every_command_refuses_a_foreign_file_and_leaves_it_unchanged(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    directory = tmp_path / "foreign"
    directory.mkdir()
    path = directory / "other.db"
    make(path)
    before = path.read_bytes()
    for name, *arguments in EVERY_COMMAND:
        result = run_command(name, *arguments, HARVEST_DATABASE_URL=url_of(path))
        assert (result.code, result.out) == (1, ""), name
        assert result.err == f"database {path}: not a SoundGraph database\n", name
        assert [file.name for file in directory.iterdir()] == ["other.db"], name
        assert path.read_bytes() == before, name


@pytest.mark.sqlite("foreign and empty files")
def test_a_crawl_refuses_it_as_well(tmp_path: Path) -> None:
    directory = tmp_path / "foreign"
    directory.mkdir()
    path = directory / "other.db"
    create_foreign_wal(path)
    before = path.read_bytes()
    result = scrapy(
        "crawl",
        "deep_harvest",
        "-a",
        "track_id=1",
        HARVEST_DATABASE_URL=url_of(path),
        SOUNDCLOUD_ACCESS_TOKEN="secret",
    )
    assert result.code == 1
    assert result.err.splitlines()[-1] == f"database {path}: not a SoundGraph database"
    assert path.read_bytes() == before
    assert [file.name for file in directory.iterdir()] == ["other.db"]


@pytest.mark.sqlite("foreign and empty files")
def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    result = run_command("seeds", "add", "1", HARVEST_DATABASE_URL=url_of(path))
    assert result.code == 0
    assert rows(path, "seeds") == 1


# The owner of the lock


OWNER = """
import sys
options = ["-a", "track_id=5", "-s", "SOUNDCLOUD_ACCESS_TOKEN=s3cret"]
sys.orig_argv = [sys.executable, "-W", "error", "/usr/bin/scrapy", "crawl", "deep_harvest", *options]
from sgr_spiders.storage.store import Store
store = Store.open(sys.stdin.readline().strip())
print("open", flush=True)
if sys.stdin.readline().strip() == "write":
    with store.write():
        print("writing", flush=True)
        sys.stdin.readline()
sys.stdin.readline()
store.close()
"""
HOLDER = r"`scrapy crawl deep_harvest` \(process {}, since \d{{4}}-\d\d-\d\d \d\d:\d\d UTC\)"


@pytest.fixture
def owner(url: str) -> Iterator[subprocess.Popen[str]]:
    """Run another process that has opened the database for a crawl."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        send(process, url, "open")
        yield process
        process.kill()


def send(process: subprocess.Popen[str], line: str, answer: str) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    assert process.stdout.readline() == f"{answer}\n"


@pytest.mark.sqlite("the lock of the file")
def test_the_error_names_the_owner(owner: subprocess.Popen[str], url: str, tmp_path: Path) -> None:
    held_by = HOLDER.format(owner.pid)
    with pytest.raises(
        DatabaseInUseError, match=rf"^database .* is locked by {held_by}; nothing was fetched$"
    ):
        Store.open(url)
    for command in ("relate", "embed"):
        result = run_command(command, HARVEST_DATABASE_URL=url)
        assert result.code == 5
        assert "(process " in result.err
        assert result.err.endswith("; nothing was built\n")
    assert "s3cret" not in (tmp_path / "harvest.db.lock").read_text()
    # A refused crawl leaves the note unchanged, and a short write is allowed.
    assert run_command("seeds", "add", "1", HARVEST_DATABASE_URL=url).code == 0
    with pytest.raises(DatabaseInUseError, match=held_by):
        Store.open(url)


@pytest.mark.sqlite("the lock of the file")
def test_a_short_write_that_times_out_names_the_owner_too(
    owner: subprocess.Popen[str], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.2)
    send(owner, "write", "writing")
    result = run_command("seeds", "add", "1", HARVEST_DATABASE_URL=url)
    assert result.code == 1
    assert f"is locked by `scrapy crawl deep_harvest` (process {owner.pid}, since " in result.err
    assert result.err.endswith("; nothing was written\n")


@pytest.mark.sqlite("the lock of the file")
def test_a_killed_owner_is_not_named(owner: subprocess.Popen[str], url: str, tmp_path: Path) -> None:
    owner.kill()
    owner.wait()
    assert str(owner.pid) in (tmp_path / "harvest.db.lock").read_text()
    with closing(sqlite3.connect(tmp_path / "harvest.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        store = Store(url)
        store.cancel_waiting()
        with pytest.raises(StorageError, match="is locked by another process; nothing was written"):
            note(store, "a")
        store.close()
    Store.open(url).close()
    assert (tmp_path / "harvest.db.lock").read_text() == ""


# Long readers


def test_seeds_are_added_while_a_relate_reads(
    store: Store, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    World({(1, 2, "like"), (3, 2, "like")}, {}, {2: 7}).spill(store)
    reading_likes, resume = threading.Event(), threading.Event()
    read_likes = reading.read_likes

    def slowly(*arguments: object) -> object:
        reading_likes.set()
        assert resume.wait(30)
        return read_likes(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(reading, "read_likes", slowly)
    done: list[object] = []
    thread = threading.Thread(target=lambda: done.append(relate(store, HarvestConfig())))
    thread.start()
    assert reading_likes.wait(30)
    began = time.monotonic()
    result = run_command("seeds", "add", "1", HARVEST_DATABASE_URL=url)
    waited = time.monotonic() - began
    resume.set()
    thread.join(60)
    assert (result.code, len(done)) == (0, 1)
    assert waited < 5


# The state left behind


@pytest.mark.sqlite("the write-ahead log")
def test_the_file_alone_contains_everything_despite_an_idle_reader(store: Store, tmp_path: Path) -> None:
    path, copy = tmp_path / "harvest.db", tmp_path / "copy.db"
    with closing(connect(path)) as idle:
        assert idle.execute("SELECT count(*) FROM notices").fetchone() == (0,)
        note(store, "a")
        assert (tmp_path / "harvest.db-wal").stat().st_size > 0
        store.close()
        assert (tmp_path / "harvest.db-wal").stat().st_size == 0
        shutil.copy(path, copy)
    assert rows(copy, "notices") == 1


@pytest.mark.sqlite("the write-ahead log")
def test_a_reader_that_blocks_the_checkpoint_causes_a_warning(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(tmp_path / "harvest.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM notices").fetchone()
        note(store, "a")
        store.close()
    (message,) = caplog.messages
    assert message.startswith(f"Could not empty the write-ahead log of {tmp_path}/harvest.db: ")
    assert "copy " in message


@pytest.mark.sqlite("the write-ahead log")
def test_closing_a_store_logs_nothing(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    note(store, "a")
    store.close()
    assert caplog.messages == []


@pytest.mark.sqlite("the write-ahead log")
def test_a_wal_that_was_large_before_causes_no_warning(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "LOOK_AT_WAL_EVERY", 0.01)
    monkeypatch.setattr(module, "GROWN", 1 << 20)
    sizes = iter([9, 9, 10])
    monkeypatch.setattr(Store, "_wal_bytes", lambda _store: next(sizes, 11) << 20)
    with store.watching_wal():
        deadline = time.monotonic() + 30
        while not caplog.messages and time.monotonic() < deadline:
            threading.Event().wait(0.01)
    (message,) = caplog.messages
    assert ": 11 MiB so far" in message


@pytest.mark.sqlite("the write-ahead log")
def test_a_growing_wal_causes_one_warning(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "LOOK_AT_WAL_EVERY", 0.01)
    monkeypatch.setattr(module, "GROWN", 1000)
    with store.read(), store.watching_wal():
        note(store, "a")
        deadline = time.monotonic() + 30
        while not caplog.messages and time.monotonic() < deadline:
            threading.Event().wait(0.01)
        note(store, "b")
    (message,) = caplog.messages
    assert message.startswith(f"The write-ahead log of {store.path} grows while this command reads: ")
    assert module.LOOK_AT_WAL_EVERY < 1
