"""Copy a harvest into another database: all of it or nothing, and compared."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import sqlalchemy as sa

from sgr_spiders.model.exceptions import ConfigError, StorageError
from sgr_spiders.storage import indexes, migrate
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.copying import files, servers
from sgr_spiders.storage.copying.rows import Checksum, Transfer
from sgr_spiders.storage.ledger import frontier
from sgr_spiders.storage.pairs.tables import declare, find_stored
from sgr_spiders.storage.schema import metadata, workers
from sgr_spiders.storage.server import on_server
from sgr_spiders.storage.store import Store
from sgr_spiders.text.formatting import pluralize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from sgr_spiders.storage.copying.rows import Rows

    Report = Callable[[str, str, int], None]
    """Takes what is being done, with which table, and the number of rows so far."""

VERSION = "alembic_version"
"""The table with the revision of the schema; the target's own migrations fill it."""


class Kind(Protocol):
    """The operations that each kind of database has its own way for."""

    def read(self, connection: sa.Connection, table: sa.Table) -> Iterator[Rows]: ...
    def write(self, connection: sa.Connection, table: sa.Table, batches: Iterable[Rows]) -> None: ...
    def drop_indexes(self, connection: sa.Connection, tables: Sequence[sa.Table]) -> dict[str, str]: ...
    def finish(self, connection: sa.Connection, tables: Sequence[sa.Table]) -> None: ...
    def bytes_of(self, connection: sa.Connection, tables: Sequence[sa.Table]) -> int: ...


@dataclass(slots=True)
class Copied:
    """The result of a copy; the tables are equal in both databases."""

    tables: dict[str, Checksum] = field(default_factory=dict)
    replaced: Counter[str] = field(default_factory=Counter)
    """The values in which characters that the target cannot store became U+FFFD, by column."""
    released: int = 0
    """The walks that were leased to a crawl in the source, and are planned in the target."""
    left_out: list[str] = field(default_factory=list)
    """The tables of the source that do not belong to a harvest."""

    @property
    def rows(self) -> int:
        return sum(checksum.rows for checksum in self.tables.values())


def copy(source_url: str, target_url: str, report: Report) -> Copied:
    """Copy the harvest at *source_url* into the empty database at *target_url*.

    The source is read in one snapshot, also during a crawl. The target appears at the end, once all of its
    rows have been compared; after an error nothing remains of it.

    Raises:
        ConfigError: A URL is not one, there is no source, or the target is not empty.
        DatabaseInUseError: Another process is using the target.
        StorageError: The source cannot be read, the target cannot be written, or they differ.
    """
    source, target = Store(source_url), Store(target_url)
    _refuse_same(source, target)
    if source.on_server:
        servers.require_driver(source)
    done = Copied()
    with closing(target), _errors_of(target), contextlib.ExitStack() as stack:
        with source.watching_wal(), source.read() as there:
            if source.on_server:
                servers.lift_timeouts(there)
            tables = _tables_of(there)
            done.left_out = _others(there, tables)
            without = {index.name for index in indexes.missing(there)}
            with _errors_of(target):
                new = stack.enter_context(_create(target, there, tables))
                building = _prepare(new, tables)
                for table in tables:
                    done.tables[table.name] = _fill(source, there, new, table, done.replaced, report)
        for name, statement in building.items():
            if name not in without:
                report("Building", name, 0)
                new.exec_driver_sql(statement)
        _kind_of(new).finish(new, tables)
        for table in tables:
            _compare(target, new, table, done.tables[table.name], report)
        done.released = _end_work(new)
    return done


def _end_work(new: sa.Connection) -> int:
    """End the workers, which use the source, and return their walks to ``planned``, as after a kill."""
    at_work = workers.c.ended_at.is_(None)
    new.execute(sa.update(workers).where(at_work).values(ended_at=timestamp()))
    return frontier.give_back(new, sa.true())


def _refuse_same(source: Store, target: Store) -> None:
    if source.file is None or target.file is None:
        is_same = source.url == target.url
    else:
        is_same = source.file.resolve() == target.file.resolve()
    if is_same:
        raise ConfigError(f"database {target.describe()}: is the source and the target")


def _kind_of(connection: sa.Connection) -> Kind:
    return servers if on_server(connection) else files


def _tables_of(connection: sa.Connection) -> list[sa.Table]:
    return [*metadata.sorted_tables, *map(declare, find_stored(connection))]


def _others(connection: sa.Connection, tables: Iterable[sa.Table]) -> list[str]:
    there = set(sa.inspect(connection).get_table_names())
    return sorted(there - {VERSION, *(table.name for table in tables)})


def _create(
    target: Store, there: sa.Connection, tables: Sequence[sa.Table]
) -> AbstractContextManager[sa.Connection]:
    if target.file is not None:
        return files.create(target.file, _kind_of(there).bytes_of(there, tables))
    views = sa.inspect(there).get_view_names()
    return servers.create(target, {VERSION, *views, *(table.name for table in tables)})


def _prepare(new: sa.Connection, tables: Sequence[sa.Table]) -> dict[str, str]:
    """Create the tables; return the statements for the indexes and foreign keys to build at the end."""
    migrate.upgrade(new)
    for table in tables:
        table.create(new, checkfirst=True)  # relationships of types that no migration knows
    return _kind_of(new).drop_indexes(new, tables)


def _fill(
    source: Store,
    there: sa.Connection,
    new: sa.Connection,
    table: sa.Table,
    replaced: Counter[str],
    report: Report,
) -> Checksum:
    checksum = Checksum()
    transfer = Transfer(table, source.describe(), on_server(new), replaced)

    def batches() -> Iterator[Rows]:
        with _errors_of(source):
            for rows in transfer.apply(_kind_of(there).read(there, table)):
                checksum.add(rows)
                report("Copying", table.name, checksum.rows)
                yield rows

    _kind_of(new).write(new, table, batches())
    return checksum


def _compare(target: Store, new: sa.Connection, table: sa.Table, expected: Checksum, report: Report) -> None:
    """Raise ``StorageError`` unless the target contains what was read from the source."""
    found = Checksum()
    transfer = Transfer(table, target.describe(), on_server(new))
    for rows in transfer.apply(_kind_of(new).read(new, table)):
        found.add(rows)
        report("Comparing", table.name, found.rows)
    if found != expected:
        raise StorageError(
            f"database {target.describe()}: `{table.name}` differs from its source: {_describe(found)} "
            f"instead of {_describe(expected)}; nothing was copied"
        )


def _describe(checksum: Checksum) -> str:
    return f"{pluralize(checksum.rows, 'row')} with checksum {checksum}"


@contextlib.contextmanager
def _errors_of(store: Store) -> Iterator[None]:
    """Raise the errors of the database's driver as ``StorageError`` of one line."""
    drivers = (sqlite3.Error, store.engine.dialect.loaded_dbapi.Error)
    try:
        yield
    except (OSError, sa.exc.DBAPIError, *drivers) as error:
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) and error.orig is not None else error
        line = (str(cause).splitlines() or [type(cause).__name__])[0]
        raise StorageError(f"database {store.describe()}: {line}; nothing was copied") from error
