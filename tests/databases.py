"""The databases of tests: SQLite files, or with ``--database=postgresql`` databases on a server.

A path names a database either way. On a server, the name of its database is derived from the path; nothing
is created at the path itself.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shutil
import sqlite3
import weakref
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

import psycopg
import sqlalchemy as sa

from sgr_spiders.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

VARIABLE = "HARVEST_TEST_POSTGRES_URL"
"""The environment variable with the URL of a server on which the tests may create databases."""

_server = ""
_created: dict[Path, str] = {}
"""The databases on the server, by the paths that name them."""
_connections: weakref.WeakSet[psycopg.Connection[Any]] = weakref.WeakSet()
"""The connections of this process to the server."""


def use_server() -> None:
    """Put all databases of this process on the server; raise ``KeyError`` if none is named."""
    global _server  # noqa: PLW0603 - chosen once, before the first test
    _server = os.environ[VARIABLE]
    sa.event.listen(sa.Pool, "connect", _note)


def _note(connection: object, _record: object) -> None:
    if isinstance(connection, psycopg.Connection):
        _connections.add(connection)


def is_on_server() -> bool:
    return bool(_server)


def url_of(path: Path | str) -> str:
    """Return the URL of a database; on a server, create it with an empty schema if necessary."""
    if not _server:
        return f"sqlite:///{path}"
    if Path(path) not in _created:
        _create(Path(path), template())
    return _url(_created[Path(path)])


def create_blank(path: Path) -> None:
    """Create a database without tables on a server; an SQLite file is created by its first use."""
    if _server:
        _create(path, "template0")


def create_empty(path: Path) -> None:
    """Create a database without a harvest, unless it exists."""
    if exists(path):
        return
    if _server:
        _create(path, template())
    else:
        path.touch(0o600)
        path.write_bytes(_empty_file())


def exists(path: Path) -> bool:
    return path in _created if _server else path.exists()


def copy_database(source: Path, target: Path) -> Path:
    """Copy a database that nobody uses; return *target*."""
    if _server:
        _create(target, _created[source])
    else:
        shutil.copy(source, target)
    return target


def end_connections(url: str) -> None:
    """End all connections to a database on a server, as a restart would."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def drop_databases(below: Path | None = None) -> None:
    """Drop the databases on the server that paths below *below* name; all of them by default.

    Fails if this process still has a connection to one of them: Python would warn of it in whatever test
    happened to run later.
    """
    left = []
    for path in list(_created):
        if below is None or path.is_relative_to(below):
            name = _created.pop(path)
            left += [path for connection in _connections if _is_open(connection, name)]
            _execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    if below is None and template.cache_info().currsize:
        _execute(f'DROP DATABASE IF EXISTS "{template()}" WITH (FORCE)')
    assert not left, f"connections were left open to {', '.join(map(str, left))}"


def _is_open(connection: psycopg.Connection[Any], name: str) -> bool:
    return not connection.closed and connection.info.dbname == name


def connect(path: Path | str) -> sqlite3.Connection:
    """Connect to a database directly, with the methods of ``sqlite3`` that tests use."""
    if not _server:
        return sqlite3.connect(path)
    connection: Any = ServerConnection(url_of(path))
    assert isinstance(connection, ServerConnection)
    return connection  # type: ignore[return-value]  # the same methods, as far as tests use them


def days_before(moment: str, days: float) -> str:
    """Return the SQL for the time *days* before that of a column, or before ``'now'``."""
    if not _server:
        return f"strftime('%Y-%m-%dT%H:%M:%f000Z', {moment}, '{-days} days')"
    shifted = f"{moment}::timestamptz AT TIME ZONE 'UTC' - interval '{days} days'"
    return f'to_char({shifted}, \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\')'


def read_tables(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of all tables."""
    found = {}
    with closing(connect(path)) as connection:
        for name in table_names(path, views=False):
            rows = connection.execute(f"SELECT * FROM {name}")  # noqa: S608 - a name of the schema
            columns = [column[0] for column in rows.description]
            found[name] = [dict(zip(columns, map(_as_stored, row), strict=True)) for row in rows]
    return found


def _as_stored(value: object) -> object:
    """Return a boolean as SQLite stores it."""
    return int(value) if isinstance(value, bool) else value


def stored_bytes(path: Path) -> bytes:
    """Return the files of an SQLite database, or what is stored in the tables on a server."""
    if not _server:
        parts = (path, path.with_name(f"{path.name}-wal"))
        return b"".join(part.read_bytes() for part in parts if part.exists())
    values = (value for rows in read_tables(path).values() for row in rows for value in row.values())
    return b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)


def has_index(path: Path, name: str) -> bool:
    listed = "pg_indexes WHERE indexname" if _server else "sqlite_master WHERE type = 'index' AND name"
    with closing(connect(path)) as connection:
        query = f"SELECT 1 FROM {listed} = '{name}'"  # noqa: S608 - a name of the schema
        return connection.execute(query).fetchone() is not None


def check_integrity(path: Path) -> None:
    """Check the structure of an SQLite file, and its references; a server sees to both."""
    if not _server:
        with closing(connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def begin_snapshot(connection: sqlite3.Connection) -> None:
    """Let all later queries of *connection* see one state of the database, even during a crawl."""
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ" if _server else "BEGIN")


class ServerConnection:
    """A connection to a server that behaves like one of ``sqlite3``."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url)
        _connections.add(self._connection)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> psycopg.Cursor[Any]:
        query = _with_percent_signs(sql) if parameters else sql
        return self._connection.execute(query.encode(), tuple(parameters) or None)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        with self._connection.cursor() as cursor:
            cursor.executemany(_with_percent_signs(sql).encode(), list(rows))

    def executescript(self, sql: str) -> None:
        self._connection.execute(sql.encode())

    def commit(self) -> None:
        self._connection.commit()

    def rollback(self) -> None:
        self._connection.rollback()

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        # Unlike psycopg's, a block of sqlite3 does not close the connection.
        if kind is None:
            self.commit()
        else:
            self.rollback()


@functools.cache
def template() -> str:
    """Create a database with an empty schema on the server, once per process; return its name."""
    name = f"template_{os.getpid()}"
    _execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    # Not the order of the bytes, which is SQLite's and which queries must not depend on.
    locale = "LOCALE_PROVIDER icu ICU_LOCALE 'en-US'"
    _execute(f'CREATE DATABASE "{name}" TEMPLATE template0 {locale}')
    Store.open(_url(name)).close()
    return name


def _create(path: Path, source: str) -> None:
    name = f"test_{hashlib.sha1(str(path).encode(), usedforsecurity=False).hexdigest()[:20]}"
    _execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    _execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
    _created[path] = name


def _url(name: str) -> str:
    return sa.make_url(_server).set(database=name).render_as_string(hide_password=False)


def _execute(statement: str) -> None:
    # Databases are created and dropped outside of transactions.
    with psycopg.connect(_server, autocommit=True) as connection:
        connection.execute(statement.encode())


def _with_percent_signs(sql: str) -> str:
    return re.sub(r"\?(\d*)", "%s", sql.replace("%", "%%"))


@functools.cache
def _empty_file() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        Store.open(f"sqlite:///{path}").close()
        return path.read_bytes()


def column_names(connection: sqlite3.Connection, table: str) -> list[str]:
    """Return the names of the columns of a table or view."""
    cursor = connection.execute(f"SELECT * FROM {table} LIMIT 0")  # noqa: S608 - a name of the schema
    return [column[0] for column in cursor.description]


def table_names(path: Path, *, views: bool = True) -> list[str]:
    """Return the names of all tables, and of views unless excluded."""
    listed = (
        "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'public'"
        if _server
        else "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') "
        "AND name NOT LIKE 'sqlite_%'"
    )
    with closing(connect(path)) as connection:
        return [name for name, kind in connection.execute(listed) if views or kind.upper() != "VIEW"]
