"""Times later than now come from a clock that was wrong: they are stale, and this is said once."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from sgr_spiders.config.arguments import read_seed
from sgr_spiders.config.schedule import SeedLine
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.ledger import runs, seeds
from sgr_spiders.storage.ledger.wrong_times import correct_times
from tests.crawls.test_status import run_status
from tests.databases import connect

if TYPE_CHECKING:
    from sgr_spiders.storage.store import Store
    from tests.crawls.crawling import Harvester

NEXT_YEAR = timestamp(datetime.now(UTC) + timedelta(days=365))
SAID = "A clock was wrong: "
DAY = 86_400
SEED = read_seed("1")


def set_clock_ahead(harvester: Harvester) -> None:
    """Move all times of the ledger into the next year."""
    columns = {
        "walks": ("created_at", "started_at", "finished_at"),
        "walk_pages": ("fetched_at",),
        "runs": ("started_at", "finished_at", "fresh_after"),
    }
    with closing(connect(harvester.database)) as connection:
        for table, names in columns.items():
            for name in names:
                connection.execute(f"UPDATE {table} SET {name} = ? WHERE {name} NOTNULL", [NEXT_YEAR])  # noqa: S608
        connection.commit()


@pytest.mark.parametrize("refresh", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_walks_from_the_future_are_refetched(harvester: Harvester, refresh: int) -> None:
    first = harvester.crawl(max_requests=40, refresh=1) if refresh else harvester.crawl()
    assert first.code == (3 if refresh else 0)
    begun = harvester.value("SELECT count(*) FROM walks WHERE pages > 0")
    finished = harvester.value("SELECT count(*) FROM walks WHERE finished_at NOTNULL")
    set_clock_ahead(harvester)
    status = json.loads(run_status(harvester.database, "--json").out)
    assert status["freshness"]["in_future"] == status["freshness"]["stale"] == finished
    assert f"{finished} walks of these finished in the future" in run_status(harvester.database).out
    harvester.sandbox.clear_log()
    ended = harvester.crawl(refresh=refresh)
    assert ended.code == 0, ended.log
    assert ended.log.count(SAID) == 1
    assert len(harvester.sandbox.log()) >= begun
    assert harvester.value("SELECT count(*) FROM walks WHERE generation = 1") == begun
    assert harvester.value("SELECT max(finished_at) FROM walks") < timestamp()
    assert json.loads(run_status(harvester.database, "--json").out)["freshness"]["in_future"] == 0
    assert SAID not in harvester.rerun().log


def test_a_seed_whose_last_harvest_lies_in_the_future_is_due(store: Store) -> None:
    with store.write() as connection:
        seeds.add(connection, SeedLine(SEED, DAY), timestamp())
        assert correct_times(connection).seeds == 0
        connection.exec_driver_sql(f"UPDATE seeds SET next_harvest_at = '{NEXT_YEAR}'")  # noqa: S608 - ours
        assert correct_times(connection).seeds == 1
        run = runs.begin_run(connection, spider="t", layers=[], scope="t", fresh_after="", refresh=False)
        assert seeds.next_in_turn(connection, run) is not None
        tomorrow = timestamp(datetime.now(UTC) + timedelta(days=0.9))
        connection.exec_driver_sql(f"UPDATE seeds SET next_harvest_at = '{tomorrow}'")  # noqa: S608 - ours
        assert correct_times(connection).seeds == 0
        connection.exec_driver_sql(f"UPDATE seeds SET last_harvest_at = '{tomorrow}'")  # noqa: S608 - ours
        assert correct_times(connection).seeds == 1
