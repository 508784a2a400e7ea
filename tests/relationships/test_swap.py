"""Readers see the old or the new relationship table, never a part of it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np
import sqlalchemy as sa

from sgr_spiders.config.harvest import HarvestConfig
from sgr_spiders.relationships import TYPES
from sgr_spiders.relationships.processor import relate
from sgr_spiders.storage.pairs import builds
from sgr_spiders.storage.pairs.copy_file import HEADER, TRAILER, write_copy_file
from sgr_spiders.storage.pairs.tables import SIGNIFICANCE
from tests.relationships.test_processor import make_world

if TYPE_CHECKING:
    from pathlib import Path

    from sgr_spiders.storage.store import Store

NAME = "user_similarities"
REBUILDS = 4
Seen = tuple[int, int]


def build(store: Store, share: float) -> None:
    similar = {"min_similarity": share}
    config = HarvestConfig.model_validate({"relationships": {"user_similarity": similar}})
    relate(store, config, only=["user_similarity"])


def look(connection: sa.Connection) -> Seen:
    """Return the rows in the table, and the rows that its build recorded."""
    latest = builds.latest(connection, "user_similarity")
    assert latest is not None
    count = connection.scalar(sa.select(sa.func.count()).select_from(sa.table(NAME)))
    return count or 0, latest.rows


def test_a_table_is_replaced_at_the_commit_for_those_who_begin_after_it(store: Store) -> None:
    make_world().spill(store)
    build(store, 0.1)
    enter, during = builds.enter, []

    def enter_after_a_look(connection: sa.Connection, built: builds.BuiltRelationship) -> None:
        with store.read() as reader:
            during.append(look(reader))
        enter(connection, built)

    with store.read() as early:
        with store.read() as reader:
            before = look(reader)
        with mock.patch.object(builds, "enter", enter_after_a_look):
            build(store, 0.99)
        with store.read() as reader:
            after = look(reader)
        assert during == [before]
        assert look(early) == before  # its first look at the table
    assert 0 < after[0] < before[0]
    assert after[0] == after[1]


def test_a_reader_that_polls_sees_whole_tables_during_rebuilds(store: Store) -> None:
    make_world(60).spill(store)
    build(store, 0.1)
    has_ended = threading.Event()

    def poll() -> set[Seen]:
        seen: set[Seen] = set()
        while not has_ended.is_set():
            with store.read() as reader:
                seen.add(look(reader))
        return seen

    with ThreadPoolExecutor() as pool:
        polling = pool.submit(poll)
        try:
            for number in range(REBUILDS):
                build(store, (0.99, 0.1)[number % 2])
        finally:
            has_ended.set()
    seen = polling.result()
    assert len(seen) == 2
    assert all(rows == recorded for rows, recorded in seen)


def test_a_copy_file_has_the_binary_format_of_copy(tmp_path: Path) -> None:
    table = TYPES["artist_relation"].table.as_table()
    columns = [np.array([number, number + 1]) for number in (1, 2**40, 3)]
    nulls = [column.name for column in SIGNIFICANCE]
    block = (*columns, np.array([0.5, 1.0]), *[None] * len(nulls), np.array([True, False]))
    write_copy_file(tmp_path / "rows", table, [block], nulls)
    written = (tmp_path / "rows").read_bytes()
    assert written.startswith(HEADER)
    assert written.endswith(TRAILER)
    rows = written[len(HEADER) : -len(TRAILER)]
    fields = [
        _field(1),
        _field(2**40),
        _field(3),
        _field(0x3FE << 52),
        *[b"\xff\xff\xff\xff"] * 4,
        (1).to_bytes(4),
        b"\x01",
    ]
    assert rows[: len(rows) // 2] == (9).to_bytes(2) + b"".join(fields)


def _field(value: int) -> bytes:
    return (8).to_bytes(4) + value.to_bytes(8)
