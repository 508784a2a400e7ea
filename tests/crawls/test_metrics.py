"""The metrics of real crawls, in a file and on a port, as Prometheus reads them."""

from __future__ import annotations

import json
import re
import socket
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from sgr_spiders.config.arguments import GivenSeed
from sgr_spiders.config.schedule import SeedLine
from sgr_spiders.model.items import RECORD_TYPES
from sgr_spiders.reports.metrics.metrics import METRICS
from sgr_spiders.soundcloud.credentials_file import ONLY
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.figures.overview import STATUSES
from sgr_spiders.storage.ledger import seeds
from sgr_spiders.storage.store import Store
from tests import databases
from tests.crawls.crawling import Harvester

if TYPE_CHECKING:
    from pathlib import Path

Values = dict[str, dict[str, float]]
"""The value of each sample by the name of its metric and by its own labels, empty without one."""

LAG, NEAR = 86_400, 300
"""Seconds since the seed was due, and seconds that a test takes at most."""
WAIT = "rate_limit_retry_after:seconds=2,after=20,times=1"
OFTEN = {"HARVEST_METRICS_INTERVAL": 0.1, "DOWNLOAD_DELAY": 0.02}
CLIENT_ID, CONTACT = "client-id-of-this-test", "ann@example.org"
LABELS = ("database", "worker")
IN_FLIGHT = 4


def values(text: str) -> Values:
    """Return the values of all samples; check that each has the same common ``LABELS``."""
    found: Values = {}
    common: set[tuple[str, ...]] = set()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            common.add(tuple(sample.labels[name] for name in LABELS))
            own = [value for name, value in sorted(sample.labels.items()) if name not in LABELS]
            found.setdefault(sample.name, {})[" ".join(own)] = sample.value
    ((database, worker),) = common
    assert re.fullmatch(r"harvest|test_\w+", database)
    assert worker == "worker-1"
    return found


def add_overdue_seed(database: Path, track_id: int) -> None:
    store = Store.open(databases.url_of(database))
    with store.write() as connection:
        seed = SeedLine(GivenSeed(str(track_id), track_id, None), None, None)
        seeds.add(connection, seed, timestamp(datetime.now(UTC) - timedelta(seconds=LAG)))
    store.close()


class PortReader:
    """Reads the port of a crawl, as Prometheus does."""

    def __init__(self, log: str) -> None:
        address = re.search(r"Serving metrics at (http://127\.0\.0\.1:\d+/metrics)", log)
        assert address is not None
        self._address = address[1]
        self.text = ""

    def is_held(self) -> bool:
        with urlopen(self._address) as response:  # noqa: S310 - our own http address
            assert response.headers["Content-Type"].startswith("text/plain; version=")
            self.text = response.read().decode()
        until = values(self.text)["soundgraph_held_until_timestamp_seconds"]
        return until[ONLY] > time.time()


def test_a_crawl_serves_and_writes_its_metrics(harvester: Harvester, tmp_path: Path) -> None:
    add_overdue_seed(harvester.database, harvester.sandbox.seed_track_id)
    harvester.environment.update(SOUNDCLOUD_CLIENT_ID=CLIENT_ID, CONTACT=CONTACT)
    harvester.sandbox.set_faults([WAIT])
    config = tmp_path / "few.yaml"
    config.write_text("deep_harvest: {user_depth: {max_users_per_track: 20}}")
    harvester.config = str(config)
    file = tmp_path / "worker-1.prom"
    settings = {**OFTEN, "HARVEST_METRICS_FILE": file, "HARVEST_METRICS_PORT": 0}

    process = harvester.start(due=1, settings=settings)
    harvester.wait_until(lambda: "Rate limit: pausing" in harvester.log(), process)
    port = PortReader(harvester.log())
    harvester.wait_until(port.is_held, process)
    ended = harvester.wait(process)
    assert ended.code == 0, ended.log
    check_pause(values(port.text))
    check_end(values(file.read_text()), harvester)
    check_labels(port.text + file.read_text(), harvester)
    assert {*tmp_path.glob("worker-1.*")} == {file}


def check_pause(during: Values) -> None:
    """Check the metrics of a pause because of the only refusal."""
    assert during["soundgraph_run_active"] == {"": 1}
    assert abs(during["soundgraph_heartbeat_timestamp_seconds"][""] - time.time()) < NEAR
    assert during["soundgraph_refusals_total"] == during["soundgraph_holds_total"] == {"": 1}
    assert during["soundgraph_request_interval_seconds"][ONLY] > OFTEN["DOWNLOAD_DELAY"]
    assert during["soundgraph_lane_state"][f"{ONLY} throttled"] == 1
    # Others were in flight when the refusal came.
    assert 0 < during["soundgraph_pages_total"][""] <= 20 + IN_FLIGHT
    assert during["soundgraph_due_seeds"] == during["soundgraph_scheduled_seeds"] == {"": 1}
    assert LAG < during["soundgraph_due_seed_lag_seconds"][""] < LAG + NEAR
    assert LAG < time.time() - during["soundgraph_next_due_timestamp_seconds"][""] < LAG + NEAR
    assert 0 < during["soundgraph_oldest_unfinished_walk_age_seconds"][""] < NEAR
    assert "soundgraph_last_run_exit_code" not in during


def check_end(after: Values, harvester: Harvester) -> None:
    """Check the metrics of a complete run against its database and its requests."""
    assert {*after} == {metric.full_name for metric in METRICS}
    assert after["soundgraph_run_active"] == after["soundgraph_last_run_exit_code"] == {"": 0}
    assert {name for name, value in after["soundgraph_last_run_outcome"].items() if value} == {"complete"}
    started, finished = (
        after[f"soundgraph_{name}_timestamp_seconds"][""] for name in ("run_started", "last_run_finished")
    )
    assert started < finished <= after["soundgraph_heartbeat_timestamp_seconds"][""]

    walks = dict(harvester.query("SELECT status, count(*) FROM walks GROUP BY status"))
    assert after["soundgraph_walks"] == {status: walks.get(status, 0) for status in STATUSES}
    assert after["soundgraph_oldest_unfinished_walk_age_seconds"] == {"": 0}
    assert after["soundgraph_pages_total"] == {"": harvester.value("SELECT count(*) FROM walk_pages")}
    received = after["soundgraph_received_records_total"]
    assert received.keys() == RECORD_TYPES.keys()
    assert sum(received.values()) == harvester.value("SELECT sum(received) FROM walks")
    users = harvester.value("SELECT count(*) FROM users WHERE NOT is_stub")
    assert after["soundgraph_records"]["users"] == users

    requests = harvester.sandbox.log()
    assert after["soundgraph_requests_total"] == {"": len(requests)}
    assert after["soundgraph_refusals_total"] == {"": sum(entry["status"] == 429 for entry in requests)}
    assert sum(after["soundgraph_responses_total"].values()) == len(requests) - 1  # the token's
    assert after["soundgraph_hold_seconds_total"][""] >= 1.5
    assert after["soundgraph_held_until_timestamp_seconds"] == {ONLY: 0}
    assert after["soundgraph_lane_state"][f"{ONLY} ok"] == sum(after["soundgraph_lane_state"].values()) == 1
    assert after["soundgraph_due_seeds"] == after["soundgraph_due_seed_lag_seconds"] == {"": 0}
    assert after["soundgraph_next_due_timestamp_seconds"][""] > time.time()


def check_labels(text: str, harvester: Harvester) -> None:
    """Check that no label contains a secret or a name."""
    names = [str(name) for (name,) in harvester.query("SELECT username FROM users WHERE NOT is_stub")]
    assert not [name for name in names if f'"{name}"' in text]
    seed, url, directory = harvester.sandbox.seed_track_id, harvester.sandbox.url, harvester.database.parent
    (token,) = directory.glob("cache/soundgraph/*.json")
    secrets = [value for value in json.loads(token.read_text()).values() if isinstance(value, str)]
    assert secrets
    for secret in (*secrets, CLIENT_ID, CONTACT, str(seed), url, str(directory)):
        assert secret not in text


def test_a_crawl_continues_without_its_metrics(harvester: Harvester, tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        settings = {**OFTEN, "HARVEST_METRICS_FILE": folder / "a.prom", "HARVEST_METRICS_PORT": port}
        process = harvester.start(settings=settings, max_requests=20)
        harvester.wait_until((folder / "a.prom").exists, process)
        # As if its disk was unmounted.
        (folder / "a.prom").unlink()
        folder.rename(tmp_path / "elsewhere")
        ended = harvester.wait(process)
    assert ended.code == 3, ended.log
    assert "Traceback" not in ended.log
    lines = Counter(re.findall("WARNING: (Could not .*)", ended.log))
    assert lines == {
        f"Could not serve metrics on 127.0.0.1:{port}: Address already in use; the crawl continues": 1,
        f"Could not write metrics to {folder / 'a.prom'}: No such file or directory; the crawl continues": 1,
    }
