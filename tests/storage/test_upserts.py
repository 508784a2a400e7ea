"""Bulk writes: every value arrives as it is, rows of one key count in order, and writers never deadlock."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sgr_spiders.model.items import Engagement, Fullness, Track, User
from sgr_spiders.storage import schema, upserts
from sgr_spiders.storage.records import read_records, write_records
from sgr_spiders.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sgr_spiders.model.items import Record

WRITERS = 4
PAGES = 40
HOT = 60
"""The records of which each writer writes two thirds at the same time."""

ODD_TEXTS = ("", "NULL", '"', "\\", '\\"', "{a,b}", "a,b", "'", " ", "\t\n\r", "ü\U0001f3b5", "\\x00", "%s")


def test_every_value_arrives_unchanged(store: Store) -> None:
    tracks = [
        Track(
            number,
            title=text,
            bpm=0.1,
            streamable=bool(number % 2),
            playback_count=2**62 - number,
            fullness=Fullness.OWN,
            raw=text.encode() + b"\x00\xff\\",
        )
        for number, text in enumerate(ODD_TEXTS)
    ]
    with store.write() as connection:
        write_records(connection, tracks, set(), "1")
        assert list(read_records(connection, "track", range(len(tracks)))) == tracks


def test_the_rows_of_a_key_count_in_order_also_in_one_write(store: Store) -> None:
    intervals = (("2", "5"), ("3", None), (None, "4"), ("7", "8"))
    for user, given in enumerate(permutations(intervals), start=1):
        together, single = (
            [_engagement(user, 1, kind, ends) for ends in given] for kind in ("like", "repost")
        )  # fmt: skip
        with store.write() as connection:
            upserts.insert_stubs(connection, schema.users, [user], "1")
            upserts.insert_stubs(connection, schema.tracks, [1], "1")
            _write_engagements(connection, together)
            for row in single:
                _write_engagements(connection, [row])
            query = sa.select(schema.engagements.c.not_before, schema.engagements.c.not_after)
            found = connection.execute(query.where(schema.engagements.c.user_id == user)).all()
        assert found[0] == found[1], given


COLUMNS = ("user_id", "track_id", "kind", *upserts.SEEN, "not_before", "not_after")


def _engagement(
    user: int, track: int, kind: str = "like", ends: tuple[str | None, str | None] = (None, None)
) -> tuple[Any, ...]:
    return (user, track, kind, "1", "1", *ends)


def _write_engagements(connection: sa.Connection, rows: list[tuple[Any, ...]]) -> None:
    upserts.upsert_engagements(connection, schema.engagements, COLUMNS, rows)


def test_versions_of_a_record_in_one_write_are_merged_and_stubs_change_nothing(store: Store) -> None:
    versions = [
        User(1, username="embedded", city="Kyiv", fullness=Fullness.EMBEDDED),
        User(1, username="own", fullness=Fullness.OWN),
    ]
    for number, order in enumerate(permutations(versions), start=1):
        users: list[Record] = [
            *order,
            User(2, username="other", fullness=Fullness.OWN),
            Engagement(3, 4, "like"),
        ]
        with store.write() as connection:
            write_records(connection, users, set(), str(number))
            user, stub = (_row(connection, user_id) for user_id in (1, 3))
        assert (user.username, user.city, user.last_seen_at) == ("own", "Kyiv", str(number))
        assert (stub.is_stub, stub.first_seen_at, stub.last_seen_at) == (True, "1", "1")


def _row(connection: sa.Connection, user_id: int) -> sa.Row[Any]:
    return connection.execute(sa.select(schema.users).where(schema.users.c.user_id == user_id)).one()


@pytest.mark.postgresql("a file is written row by row")
def test_a_page_takes_one_statement_per_table(store: Store) -> None:
    page: list[Record] = [Engagement(user, 1, "like") for user in range(200)]
    with store.write() as connection:
        executed: list[str] = []
        sa.event.listen(connection, "before_cursor_execute", lambda *given: executed.append(given[2]))
        write_records(connection, page, set(), "1")
    assert len(executed) == len({"users", "tracks", "engagements"}), executed


@pytest.mark.postgresql("a file has one writer at a time")
def test_writers_of_the_same_records_never_deadlock(url: str) -> None:
    together = threading.Barrier(WRITERS, timeout=30)
    rows = [_engagement(1, track) for track in range(HOT)]
    with closing(Store(url)) as store, store.write() as connection:
        write_records(connection, [Engagement(1, track, "like") for track in range(HOT)], set(), "1")

    def write(writer: int) -> None:
        store, draw = Store(url), random.Random(writer)  # noqa: S311 - reproducible, not secret
        try:
            for page in _draw_pages(writer, draw):
                together.wait()
                with store.write() as connection:
                    _write_engagements(connection, draw.sample(rows, HOT))
                    write_records(connection, page, set(), "1")
        except BaseException:
            together.abort()
            raise
        finally:
            store.close()

    with ThreadPoolExecutor(WRITERS) as pool:
        for ended in [pool.submit(write, writer) for writer in range(WRITERS)]:
            ended.result()


def _draw_pages(writer: int, draw: random.Random) -> Iterator[list[Record]]:
    """Yield pages with a writer's own choice of records that are new at first, and stored the second time."""
    for page in range(PAGES):
        first = page // 2 * HOT
        ids = draw.sample(range(first, first + HOT), 40)
        users = [User(user, username=f"{writer}", fullness=Fullness.OWN) for user in ids[:20]]
        tracks = [Track(track, artist_id=track, fullness=Fullness.OWN) for track in ids[10:30]]
        likes = [Engagement(first, track, "like") for track in ids]
        yield [*users, *tracks, *likes]
