"""Databases on a PostgreSQL server."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from sgr_spiders.model.exceptions import ConfigError, StorageError
from sgr_spiders.storage import migrate
from sgr_spiders.storage.figures import inventory
from sgr_spiders.storage.prepared import LookupStatement
from sgr_spiders.storage.schema import PRESENCE_TABLES, notices, walk_records
from sgr_spiders.storage.server_schema import LOCALISED
from sgr_spiders.storage.store import Store
from tests.databases import connect, create_blank, url_of

pytestmark = pytest.mark.postgresql("a server")


def test_views_of_whole_tables_show_columns_of_later_migrations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "older.db"
    create_blank(database)
    with monkeypatch.context() as earlier:
        earlier.setattr(migrate, "HEAD", "0021")
        Store.open(url_of(database)).close()
    with closing(connect(database)) as connection, connection:
        connection.execute("ALTER TABLE tracks ADD COLUMN added_by_a_migration text")
        connection.execute("CREATE VIEW mine AS SELECT title, present FROM tracks_history")
    with closing(Store.open(url_of(database))) as store, store.read() as reading:
        for table in PRESENCE_TABLES:
            own, history = (
                {column["name"] for column in sa.inspect(reading).get_columns(name)}
                for name in (table.name, f"{table.name}_history")
            )
            assert history == {"present", *own}
        assert "mine" in sa.inspect(reading).get_view_names()


def test_text_is_ordered_by_its_bytes_whatever_the_locale(store: Store) -> None:
    names = ["a", "B", "Ä", "b", "_", "é", "Z"]
    with store.write() as connection:
        connection.execute(sa.insert(notices), [{"name": name, "said_at": ""} for name in names])
        found = list(connection.scalars(sa.select(notices.c.name).order_by(notices.c.name)))
        by_locale = sa.select(notices.c.name).order_by(notices.c.name.collate("default"))
        assert list(connection.scalars(by_locale)) != found
        localised = connection.exec_driver_sql(LOCALISED).all()
    assert found == sorted(names, key=str.encode)
    assert {table for table, _, _ in localised} <= {"alembic_version"}


def test_ids_are_looked_up_in_the_index_even_while_the_table_is_empty(store: Store) -> None:
    listed = sa.select(walk_records.c.position).where(
        walk_records.c.walk_id == 7, walk_records.c.kind == "track"
    )
    lookup = LookupStatement(listed, walk_records.c.record_id)

    def explain(*arguments: Any) -> tuple[str, Any]:
        return f"EXPLAIN {arguments[2]}", arguments[3]

    with store.write() as connection:
        sa.event.listen(connection, "before_cursor_execute", explain, retval=True)
        plan = [row[0] for row in lookup.find(connection, range(200), {})]
    assert any("Index Cond" in line and "record_id = " in line for line in plan), plan


def test_a_sum_of_large_numbers_is_an_integer(store: Store) -> None:
    numbers = sa.select(sa.literal(2**62, sa.BigInteger).label("n")).union_all(
        sa.select(sa.literal(2**62, sa.BigInteger))
    )
    query = sa.select(sa.func.sum(numbers.subquery().c.n))
    with store.read() as reading, store.write() as writing:
        for connection in (reading, writing):
            assert connection.scalar(query) == 2**63
            assert type(connection.scalar(query)) is int


def test_the_size_of_the_database_and_of_its_tables(store: Store) -> None:
    with store.read() as connection:
        described = inventory.describe_database(connection, store.path)
        sizes = inventory.table_sizes(connection, described)
    assert described.last_written is None
    assert sum(size.bytes or 0 for size in sizes) < (described.bytes or 0)
    assert all(size.bytes for size in sizes)


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    create_blank(tmp_path / "other.db")
    url = url_of(tmp_path / "other.db")
    with closing(connect(tmp_path / "other.db")) as connection, connection:
        connection.execute("CREATE TABLE walks (x int)")
    for use in (Store.open, lambda url: Store(url).revision()):
        with pytest.raises(StorageError, match=r"^database .+: not a SoundGraph database$"):
            use(url)


@pytest.mark.parametrize(
    ("change", "cause"),
    [({"port": 1}, "Connection refused"), ({"database": "none"}, 'database "none" does not exist')],
    ids=["no server", "no database"],
)
def test_a_server_that_cannot_be_used_is_one_line(url: str, change: dict[str, object], cause: str) -> None:
    elsewhere = sa.make_url(url).set(password="hushhush", **change)  # type: ignore[arg-type]
    with pytest.raises(StorageError) as caught:
        Store.open(elsewhere.render_as_string(hide_password=False))
    assert cause in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "hushhush" not in str(caught.value)


def test_a_driver_that_cannot_be_loaded_is_one_line(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigError, match=r"^PostgreSQL needs the package `psycopg`: .+; install it with "):
        Store.open(url)
