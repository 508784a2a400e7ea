"""Progress of real crawls as log lines."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import pytest

from sgr_spiders.layers import LAYERS
from tests.crawls.crawling import Harvester
from tests.crawls.progress_lines import KEYS, counts, lines

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

LINES = {"PROGRESS_INTERVAL": 0.3, "DOWNLOAD_DELAY": 0.05}


def walks_of_layers(harvester: Harvester) -> dict[str, str]:
    rows = harvester.query(
        "SELECT layer, count(*) FILTER (WHERE status NOT IN ('planned', 'running')), count(*) FROM "
        "(SELECT DISTINCT layer, walk_id, status FROM walk_requests JOIN walks USING (walk_id)) AS wanted "
        "GROUP BY layer"
    )
    return {layer: f"{ended}/{known}" for layer, ended, known in rows}


@pytest.mark.slow
def test_the_last_line_agrees_with_the_database(harvester: Harvester) -> None:
    ended = harvester.crawl("deep_harvest", LINES)
    assert ended.code == 0, ended.log
    found = lines(ended.log)
    assert len(found) > 4
    last = found[-1]
    walks: dict[str, Any] = dict(harvester.query("SELECT status, count(*) FROM walks GROUP BY status"))
    total = sum(walks.values())
    assert last["walks"] == f"{total}/{total}"
    assert {status: counts(last)[status] for status in walks} == walks
    assert {layer: last[layer] for layer in LAYERS} == walks_of_layers(harvester)
    assert counts(last)["pages"] == harvester.value("SELECT count(*) FROM walk_pages")
    assert counts(last)["records"] == harvester.value(
        # Resolving a URL yields an ID, not a record.
        "SELECT sum(received) FROM walks WHERE endpoint <> 'resolve'"
    )
    assert counts(last)["records"] == sum(
        counts(last)[f"{kind}s"] for kind in ("track", "user", "playlist", "comment")
    )
    assert counts(last)["requests"] == len(harvester.sandbox.log())
    assert (last["in_flight"], last["eta"], last["eta_is"]) == ("0", "0", "about")
    assert any(line["eta_is"] == "known_walks" for line in found)
    assert {line["delay"] for line in found} >= {"0.05"}


def test_a_resumed_harvest_counts_earlier_walks(harvester: Harvester) -> None:
    def some_walks_are_finished() -> bool:
        return len([entry for entry in harvester.sandbox.log() if entry["status"] == 200]) >= 12

    assert harvester.interrupt_when(some_walks_are_finished, signal.SIGINT, settings=LINES).code == 130
    before = harvester.value("SELECT count(*) FROM walks WHERE status IN ('done', 'capped', 'gone')")
    pages_before = harvester.value("SELECT count(*) FROM walk_pages")
    assert before > 5
    ended = harvester.crawl(settings=LINES)
    assert ended.code == 0, ended.log
    first, *_, last = lines(ended.log)
    assert int(first["walks"].split("/")[0]) >= before
    assert int(first["walks"].split("/")[1]) == harvester.value("SELECT count(*) FROM walks")
    assert int(last["pages"]) == harvester.value("SELECT count(*) FROM walk_pages") - pages_before
    assert last["user_depth"] == walks_of_layers(harvester)["user_depth"]


@pytest.mark.slow
def test_a_hold_is_logged_with_its_end(harvester: Harvester) -> None:
    harvester.sandbox.set_faults(["rate_limit_retry_after:seconds=2,after=40,times=1"])
    ended = harvester.crawl(settings=LINES)
    assert ended.code == 0, ended.log
    held = [line for line in lines(ended.log) if line["hold"] != "-"]
    assert held
    # The last page before the hold may be stored during it.
    assert len({line["pages"] for line in held}) <= 2
    assert len({line["hold"] for line in held}) == 1


def test_a_short_harvest_logs_one_line(harvester: Harvester) -> None:
    ended = harvester.crawl()
    assert len(lines(ended.log)) == 1
    assert "scrapy.extensions.logstats" not in ended.log


def test_off_logs_nothing(harvester: Harvester) -> None:
    ended = harvester.crawl(settings={**LINES, "PROGRESS": "off"})
    assert ended.code == 0, ended.log
    assert not lines(ended.log)


def test_an_up_to_date_harvest_logs_no_progress(harvester: Harvester) -> None:
    assert harvester.crawl().code == 0
    ended = harvester.crawl(settings=LINES)
    assert ended.code == 0, ended.log
    assert not lines(ended.log)


def test_every_key_is_documented(root: Path) -> None:
    text = (root / "docs" / "progress.md").read_text()
    assert not [key for key in KEYS if key not in LAYERS and f"`{key}`" not in text]
    first, *others = (line for line in text.splitlines() if "INFO: progress" in line)
    keys = re.findall(r"(\w+)=", " ".join([first, *(line.partition(" elapsed=250 ")[2] for line in others)]))
    assert keys == [key for key in KEYS if key in keys]


def test_an_invalid_value_is_an_error_before_the_first_request(harvester: Harvester) -> None:
    harvester.makes_database = True
    ended = harvester.crawl(settings={"PROGRESS": "Bars"})
    assert (ended.code, ended.log) == (2, "setting `PROGRESS`: must be auto, bar or off, not 'Bars'\n")
    assert not harvester.sandbox.log()
    assert not harvester.database.exists()
