"""Opening a database locks and migrates it, and reports errors clearly."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from sgr_spiders.model.exceptions import ConfigError, DatabaseInUseError, StorageError
from sgr_spiders.relationships import TYPES
from sgr_spiders.storage import migrate
from sgr_spiders.storage.credited_artists import credited_artists
from sgr_spiders.storage.libraries import LIBRARIES_SQL, libraries
from sgr_spiders.storage.schema import (
    PRESENCE_TABLES,
    metadata,
)
from sgr_spiders.storage.store import Store
from sgr_spiders.storage.views import (
    DISCOVERIES_COLUMNS,
    DISCOVERIES_HISTORY_COLUMNS,
    DISCOVERIES_HISTORY_SQL,
    DISCOVERIES_SQL,
)
from tests.databases import url_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.sqlite("the schema of the file")
def test_the_migrations_create_the_schema(store: Store) -> None:
    with store.write() as connection:
        whole = sa.MetaData(naming_convention=metadata.naming_convention)
        pair_tables = [relationship.table.as_table() for relationship in TYPES.values()]
        for table in [*metadata.tables.values(), *pair_tables]:
            table.to_metadata(whole)
        assert compare_metadata(MigrationContext.configure(connection), whole) == []
        assert MigrationContext.configure(connection).get_current_revision() == migrate.HEAD
        names = sa.inspect(connection).get_view_names()
        columns = {
            name: {column["name"] for column in sa.inspect(connection).get_columns(name)} for name in names
        }
        views: dict[str, str] = dict(
            connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'view'").all()
        )
        constraints = {
            (table, check["name"], "".join(check["sqltext"].split()))
            for table in sa.inspect(connection).get_table_names()
            for check in sa.inspect(connection).get_check_constraints(table)
        }
    assert constraints == {
        (table.name, check.name, "".join(str(check.sqltext).split()))
        for table in metadata.tables.values()
        for check in table.constraints
        if isinstance(check, sa.CheckConstraint)
    }
    assert len(constraints) == 12
    assert columns == {
        "discoveries": set(DISCOVERIES_COLUMNS),
        "libraries": set(libraries.columns.keys()),
        "credited_artists": set(credited_artists.columns.keys()),
        "discoveries_history": set(DISCOVERIES_HISTORY_COLUMNS),
        **{f"{table.name}_history": {"present", *table.columns.keys()} for table in PRESENCE_TABLES},
    }
    for name, sql in (
        ("discoveries", DISCOVERIES_SQL),
        ("discoveries_history", DISCOVERIES_HISTORY_SQL),
        ("libraries", LIBRARIES_SQL),
    ):
        assert str(views[name]).split("AS", 1)[1].split() == sql.split()


@pytest.mark.sqlite("the lock of the file")
def test_a_database_is_opened_once(store: Store) -> None:
    with pytest.raises(DatabaseInUseError, match="is locked by another process; nothing was fetched"):
        Store.open(store.url)
    store.close()
    Store.open(store.url).close()


def test_a_killed_owner_leaves_no_lock(tmp_path: Path) -> None:
    url = url_of(tmp_path / "harvest.db")
    code = "import os; from sgr_spiders.storage.store import Store; "
    code += f"Store.open({url!r}); os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    Store.open(url).close()


@pytest.mark.sqlite("directories")
def test_the_directory_is_created(tmp_path: Path) -> None:
    Store.open(url_of(tmp_path / "new" / "folder" / "harvest.db")).close()
    assert (tmp_path / "new" / "folder" / "harvest.db").exists()


@pytest.mark.sqlite("directories")
@pytest.mark.skipif(sys.platform != "linux", reason="directories where even root cannot create files")
@pytest.mark.parametrize("directory", ["/proc", "/sys"])
def test_an_unwritable_directory_is_not_reported_as_a_running_crawl(directory: str) -> None:
    with pytest.raises(StorageError, match=f"^database {directory}/harvest.db cannot be opened: "):
        Store.open(f"sqlite:///{directory}/harvest.db")


@pytest.mark.sqlite("settings of SQLite")
def test_it_is_in_wal_mode(store: Store) -> None:
    with store.write() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


@pytest.mark.sqlite("the file itself")
def test_a_file_that_is_not_a_database(tmp_path: Path) -> None:
    path = tmp_path / "harvest.db"
    path.write_text("this is plain text" * 100)
    with pytest.raises(StorageError, match=f"{path}: not a SoundGraph database"):
        Store.open(url_of(path))


def test_a_database_of_a_newer_version(store: Store) -> None:
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    store.close()
    kept = []
    for _ in range(2):
        with pytest.raises(StorageError, match=r"revision '9999', which this version does not know") as error:
            Store.open(store.url)
        kept.append(error)  # and with it the failed store, but not its lock


@pytest.mark.sqlite("the file itself")
def test_a_removed_database_is_an_error_and_an_unknown_one_a_mistyped_name(store: Store) -> None:
    assert store.file is not None
    store.file.unlink()
    with pytest.raises(StorageError, match="no such file"), store.read():
        pass
    with pytest.raises(ConfigError, match="no such file"), Store(store.url).read():
        pass


@pytest.mark.parametrize("url", ["nonsense", "postgresql//user:secret@host/db"])
def test_a_bad_url_is_named_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Store.open(url)
    assert "HARVEST_DATABASE_URL" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_an_error_rolls_back_everything(store: Store) -> None:
    def write_and_break() -> None:
        with store.write() as connection:
            connection.exec_driver_sql(
                "INSERT INTO users (user_id, is_stub, fullness, fetched_at) VALUES (1, true, 0, '')"
            )
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_break()
    with store.write() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM users").scalar() == 0
