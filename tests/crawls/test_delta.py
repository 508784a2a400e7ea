"""Scheduled runs refresh by delta, and after a whole round they present what a new harvest finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.crawls.crawling import Harvester
from tests.crawls.small import start_sandbox, write_config
from tests.crawls.test_presence import LAYERS, PRESENT, UNCAPPED
from tests.databases import copy_database
from tests.deploy.test_due import add, age_database

if TYPE_CHECKING:
    from pathlib import Path

DAYS = 2


def crawl(harvester: Harvester, full_refresh_days: float, **arguments: Any) -> int:
    """Crawl; return the number of requests."""
    sections = {**UNCAPPED, "full_refresh_days": full_refresh_days, "max_gone_share": 1}
    config = write_config(harvester.database.with_suffix(".yaml"), sections)
    harvester.sandbox.clear_log()
    ended = harvester.crawl("deep_harvest", config=config, layers=LAYERS, **arguments)
    assert ended.code == 0, ended.log
    return sum(entry["path"] != "/oauth/token" for entry in harvester.sandbox.log())


def looks(harvester: Harvester) -> dict[str, int]:
    return dict(harvester.query("SELECT looked, count(*) FROM walks GROUP BY looked"))


class Round:
    """A harvest, refreshes by delta of the world as it drifts, a whole round, and a new harvest."""

    def __init__(self, folder: Path) -> None:
        with start_sandbox() as sandbox:
            self.whole, self.fresh = (
                Harvester(sandbox, folder / f"{name}.db") for name in ("whole", "fresh")
            )
            self.drifted = Harvester(sandbox, folder / "drifted.db")
            add(self.whole, sandbox.seed_track_id)
            self.first = crawl(self.whole, 28, due=1)
            self.requests = []
            for _ in range(DAYS):
                sandbox.mutate(days=1)
                age_database(self.whole, 1)
                self.requests.append(crawl(self.whole, 28, due=1))
            self.log = self.whole.log()
            copy_database(self.whole.database, self.drifted.database)
            age_database(self.whole, 1)
            crawl(self.whole, 0, due=1)
            crawl(self.fresh, 28)
            self.true = {(*pair, kind) for kind in ("like", "repost") for pair in sandbox.times(kind)}


@pytest.fixture(scope="module")
def round_(tmp_path_factory: pytest.TempPathFactory) -> Round:
    return Round(tmp_path_factory.mktemp("delta"))


def test_a_scheduled_run_fetches_what_changed(round_: Round) -> None:
    assert max(round_.requests) < 0.6 * round_.first
    assert "at their head" in round_.log
    found = looks(round_.drifted)
    assert found["counter"] > 10
    assert found["head"] > 0
    new = "SELECT count(*) FROM engagements WHERE kind = 'like' AND first_seen_at > ?"
    began = round_.drifted.value("SELECT min(started_at) FROM runs WHERE run_id > 1")
    assert round_.drifted.value(new, began) > 10


@pytest.mark.parametrize("table", ["engagements", "playlist_tracks", "comments", "walk_records"])
def test_a_whole_round_presents_what_a_new_harvest_finds(round_: Round, table: str) -> None:
    assert set(looks(round_.whole)) == {"whole"}
    ours, theirs = (set(harvester.query(PRESENT[table])) for harvester in (round_.whole, round_.fresh))
    assert theirs <= ours
    if table == "engagements":
        assert {row for row in ours if row[2] != "comment"} <= round_.true
    if table == "walk_records":
        # The walks that only the first harvest wanted are refreshed as well.
        wanted = set(round_.fresh.query("SELECT walk_id FROM walks WHERE status <> 'gone'"))
        ours = {row for row in ours if (row[0],) in wanted}
        assert ours == theirs
