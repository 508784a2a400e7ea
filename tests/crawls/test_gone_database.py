"""A database file that vanishes during a run is noticed, and the run never counts as complete."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sgr_spiders.model.exceptions import DatabaseGoneError
from sgr_spiders.storage.ledger import source
from sgr_spiders.storage.store import Store
from tests.databases import url_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.crawls.crawling import Harvester

pytestmark = pytest.mark.sqlite("a file that vanishes")

GONE = "was deleted, moved or replaced while it was in use; put it back, or rerun to begin again"


def delete(database: Path) -> None:
    for path in database.parent.glob(f"{database.name}*"):
        path.unlink()


def replace(database: Path) -> None:
    shutil.copy(database, database.with_name("copy.db"))
    database.with_name("copy.db").replace(database)


def delete_wal(database: Path) -> None:
    Path(f"{database}-wal").unlink()


def delete_directory(database: Path) -> None:
    shutil.rmtree(database.parent)


@pytest.mark.parametrize("vanish", [delete, replace, delete_wal, delete_directory])
def test_a_transaction_notices_it(tmp_path: Path, vanish: Callable[[Path], None]) -> None:
    database = tmp_path / "data" / "harvest.db"
    store = Store.open(url_of(database))
    with store.write() as connection:
        source.adopt(connection, "https://api.example", None)
    vanish(database)
    with pytest.raises(DatabaseGoneError, match=GONE), store.write() as connection:
        source.adopt(connection, "https://other.example", None)
    with pytest.raises(DatabaseGoneError, match=f"{GONE}|no such file"), store.read():
        pass
    store.close()
    assert database.exists() == (vanish in {delete_wal, replace})


def test_a_database_in_use_keeps_its_identity(tmp_path: Path) -> None:
    store = Store.open(url_of(tmp_path / "harvest.db"))
    for number in range(3):
        with store.write() as connection:
            source.adopt(connection, f"https://api{number}.example", None)
        with store.read() as connection:
            assert source.read(connection) is not None
    store.close()


def errors(log: str) -> list[str]:
    return [line for line in log.splitlines() if " ERROR: " in line or "Traceback" in line]


@pytest.mark.parametrize("vanish", [delete, replace])
def test_a_crawl_ends_with_one_line(harvester: Harvester, vanish: Callable[[Path], None]) -> None:
    harvester.sandbox.set_faults(["slow:seconds=0.1"])
    process = harvester.start()
    harvester.wait_until(lambda: len(harvester.sandbox.log()) > 8, process)
    vanish(harvester.database)
    ended = harvester.wait(process, no_outcome="the database is gone")
    assert ended.code == 1
    (line,) = errors(ended.log)
    assert f"Stopping: database {harvester.database} {GONE}" in line
    assert "complete" not in ended.log
    assert "Data written to" not in ended.log
    assert "All committed data is kept" not in ended.log


def test_an_interrupted_crawl_ends_with_one_line(harvester: Harvester) -> None:
    """Nothing is committed during a rate-limit pause, so only the end of the run notices it."""
    harvester.sandbox.set_faults(["rate_limit_retry_after:seconds=600,after=8,path=/"])
    process = harvester.start()
    harvester.wait_until(lambda: "Rate limit: pausing" in harvester.log(), process)
    delete(harvester.database)
    process.send_signal(signal.SIGINT)
    ended = harvester.wait(process, no_outcome="the database is gone")
    assert ended.code == 1
    (line,) = errors(ended.log)
    assert GONE in line
