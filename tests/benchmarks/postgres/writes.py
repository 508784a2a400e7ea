"""Ways to upsert a page of likes, by one or several processes at the same time."""

from __future__ import annotations

import functools
import multiprocessing
import random
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from sgr_spiders.storage import schema, upserts
from sgr_spiders.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Barrier

    Row = tuple[Any, ...]

TRACKS = 200_000
ROWS = 600
NOW = "2026-11-28T00:00:00.000000+00:00"
COLUMNS = ("user_id", "track_id", "kind", *upserts.SEEN, "not_before", "not_after")
TABLE = schema.engagements


@dataclass(frozen=True, slots=True)
class Measured:
    """Rows per second of all writers, and CPU time of a writer per page."""

    rows_per_second: float
    cpu_ms: float


def prepare(url: str) -> None:
    """Write the tracks that the likes refer to."""
    stubs = f"SELECT number, TRUE, 0, '' FROM generate_series(1, {TRACKS}) AS number"  # noqa: S608 - a constant
    with closing(Store(url)) as store, store.write() as connection:
        connection.exec_driver_sql(f"INSERT INTO tracks (track_id, is_stub, fullness, fetched_at) {stubs}")


def measure(url: str, way: str, writers: int, pages: int) -> Measured:
    """Let each of *writers* write *pages*."""
    context = multiprocessing.get_context("spawn")
    first_user = time.time_ns() // 1000
    with context.Manager() as manager, ProcessPoolExecutor(writers, mp_context=context) as pool:
        barrier = manager.Barrier(writers)
        users = [first_user + number * pages for number in range(writers)]
        done = [pool.submit(_write, url, way, user, pages, barrier) for user in users]
        ended = [one.result() for one in done]
    seconds = max(end for _, end, _ in ended) - min(began for began, _, _ in ended)
    cpu = sum(cpu for _, _, cpu in ended)
    return Measured(writers * pages * ROWS / seconds, cpu / writers / pages * 1000)


def _write(url: str, way: str, first_user: int, pages: int, barrier: Barrier) -> tuple[float, float, float]:
    draw = random.Random(first_user)  # noqa: S311 - not secret
    made = [
        (
            user,
            sorted(
                (user, track, "like", NOW, NOW, NOW, None) for track in draw.sample(range(1, TRACKS), ROWS)
            ),
        )
        for user in range(first_user, first_user + pages)
    ]
    with closing(Store(url)) as store:
        with store.write() as connection:
            upserts.insert_stubs(connection, schema.users, [user for user, _ in made], NOW)
        barrier.wait()
        began, cpu = time.time(), time.process_time()
        for _, rows in made:
            with store.write() as connection:
                WAYS[way](connection, rows)
        return began, time.time(), time.process_time() - cpu


def _executemany(connection: sa.Connection, rows: Sequence[Row]) -> None:
    named = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    connection.exec_driver_sql(_with_values(connection.dialect), named)


def _unnest(connection: sa.Connection, rows: Sequence[Row]) -> None:
    upserts.upsert_engagements(connection, TABLE, COLUMNS, rows)


def _copy(connection: sa.Connection, rows: Sequence[Row]) -> None:
    names = ", ".join(COLUMNS)
    if not connection.info.get("has_pages"):
        like = f"AS SELECT {names} FROM engagements LIMIT 0"  # noqa: S608 - our own names
        connection.exec_driver_sql(f"CREATE TEMPORARY TABLE new_rows ON COMMIT DELETE ROWS {like}")
        connection.info["has_pages"] = True
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY new_rows ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    connection.exec_driver_sql(_from_new_rows(connection.dialect))


@functools.cache
def _with_values(dialect: sa.Dialect) -> str:
    return str(_insert().compile(dialect=dialect, column_keys=list(COLUMNS)))


@functools.cache
def _from_new_rows(dialect: sa.Dialect) -> str:
    new = sa.table("new_rows", *map(sa.column, COLUMNS))
    statement = _insert().from_select(list(COLUMNS), sa.select(new), include_defaults=False)
    return str(statement.compile(dialect=dialect))


def _insert() -> postgresql.Insert:
    build: Any = upserts.upsert_engagements
    insert: postgresql.Insert = build.__wrapped__("postgresql", TABLE)
    return insert


WAYS: dict[str, Callable[[sa.Connection, Sequence[Row]], None]] = {
    "executemany": _executemany,
    "unnest": _unnest,
    "COPY": _copy,
}
