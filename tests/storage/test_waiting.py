"""Waiting for another process's write lock: bounded, and cancellable from another thread."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.storage import store as module

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sgr_spiders.storage.store import Store

pytestmark = pytest.mark.sqlite("the write lock of the file")


@pytest.fixture
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection that holds the write lock, like another process."""
    request.getfixturevalue("store")
    with closing(sqlite3.connect(tmp_path / "harvest.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


def write(store: Store) -> None:
    with store.write() as connection:
        connection.exec_driver_sql("INSERT INTO notices VALUES ('a', 'b')")


@pytest.mark.usefixtures("other")
def test_a_waiting_thread_gives_up_soon_after_it_is_cancelled(store: Store) -> None:
    errors: list[StorageError] = []
    ended: list[float] = []
    begun = threading.Event()

    def wait() -> None:
        begun.set()
        try:
            write(store)
        except StorageError as error:
            errors.append(error)
        ended.append(time.monotonic())

    thread = threading.Thread(target=wait)
    thread.start()
    begun.wait(10)
    thread.join(0.5)
    assert thread.is_alive()
    cancelled = time.monotonic()
    store.cancel_waiting()
    thread.join(10)
    assert ended[0] - cancelled < 0.4
    assert "locked" in str(errors[0])


def test_a_cancelled_store_still_writes_to_a_free_database(store: Store, other: sqlite3.Connection) -> None:
    store.cancel_waiting()
    with pytest.raises(StorageError, match="locked"):
        write(store)
    other.execute("ROLLBACK")
    write(store)


def test_a_writer_waits_for_a_lock_released_in_time(store: Store, other: sqlite3.Connection) -> None:
    thread = threading.Thread(target=write, args=(store,))
    thread.start()
    thread.join(0.5)
    assert thread.is_alive()
    other.execute("ROLLBACK")
    thread.join(10)
    with store.write() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM notices").scalar() == 1


@pytest.mark.usefixtures("other")
def test_the_wait_is_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert module.WAIT_SECONDS == 30
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.3)
    began = time.monotonic()
    with pytest.raises(StorageError, match="locked"):
        write(store)
    assert 0.3 <= time.monotonic() - began < 5
