"""When nothing answers, a crawl waits, then ends as unreachable; its walks are not failed."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

from tests.traffic.certificates import Authority
from tests.traffic.fault_server import FaultServer, Reply

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crawls.crawling import Harvester

FAST = {"BACKOFF_BASE": 0.02, "BACKOFF_MAX": 0.1}


def test_a_crawl_survives_an_outage(harvester: Harvester) -> None:
    """Requests of all kinds fail for a while, among them a token request."""
    harvester.sandbox.set_faults(
        [
            {"name": "revoke_tokens", "after": 25},
            {"name": "reset", "path": ".", "after": 25, "times": 9},
        ]
    )
    ended = harvester.crawl(settings=FAST)
    assert ended.code == 0, ended.log
    assert harvester.value("SELECT count(*) FROM walks WHERE status = 'failed'") == 0
    stats = json.loads(harvester.value("SELECT stats FROM runs"))
    assert stats["sgr/outages"] >= 1
    assert stats["sgr/requests"] == len(harvester.sandbox.log()), "probes and requests sent again count"
    assert "The API answers again after" in ended.log


@pytest.mark.parametrize("fault", ["reset", "text_503", pytest.param("hang", marks=pytest.mark.slow)])
def test_an_outage_that_lasts_leaves_all_walks_pending(harvester: Harvester, fault: str) -> None:
    harvester.sandbox.set_faults([{"name": fault, "path": ".", "after": 20}])
    ended = harvester.crawl(settings={**FAST, "DOWNLOAD_TIMEOUT": 1, "OUTAGE_PROBES": 4})
    assert ended.code == 3, ended.log
    outcome, reason = harvester.query("SELECT outcome, reason FROM runs")[0]
    assert outcome == "unreachable"
    assert reason.startswith(f"cannot reach the API at {harvester.sandbox.url}: ")
    assert "4 more tries" in reason
    assert harvester.value("SELECT count(*) FROM walks WHERE status = 'failed'") == 0
    assert harvester.value("SELECT count(*) FROM walks WHERE status = 'planned'") > 30
    assert harvester.value("SELECT count(*) FROM relationship_runs") == 0
    assert len(harvester.sandbox.log()) < 20 + 19
    assert ended.log.count("Cannot reach the API") == 1
    assert "Harvest unreachable after" in ended.log
    harvester.sandbox.clear_faults()
    assert harvester.crawl().code == 0


def test_an_api_that_never_answers_leaves_the_seed_pending(harvester: Harvester) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = free.getsockname()[1]
    harvester.environment = {"SOUNDCLOUD_API_URL": f"http://127.0.0.1:{closed}"}
    ended = harvester.crawl(settings=FAST)
    assert ended.code == 3, ended.log
    (log,) = [line for line in ended.log.splitlines() if "Stopping" in line]
    assert f"connection refused by 127.0.0.1:{closed} (4 more tries in" in log
    assert "check SOUNDCLOUD_API_URL" in log
    assert harvester.query("SELECT outcome FROM runs") == [("unreachable",)]
    assert harvester.query("SELECT status, pages FROM walks") == [("planned", 0)]
    # The URL that nothing answered is not the source of the database.
    harvester.environment = {}
    assert harvester.crawl().code == 0


def test_a_walk_that_fails_alone_is_not_an_outage(harvester: Harvester) -> None:
    """The last failed walk of a harvest, which a rerun requests alone, stays its own failure."""
    harvester.sandbox.set_faults([{"name": "reset", "path": "/reposters"}])
    assert harvester.crawl(settings=FAST).code == 3
    harvester.sandbox.clear_log()
    ended = harvester.crawl(settings=FAST)
    assert ended.code == 3, ended.log
    assert harvester.query("SELECT outcome FROM runs") == [("partial",), ("partial",)]
    assert harvester.query("SELECT endpoint, reason FROM walks WHERE status = 'failed'") == [
        (
            "track_reposters",
            f"the connection to {harvester.sandbox.url.removeprefix('http://')} was closed before a response",
        )
    ]
    assert len(harvester.sandbox.log()) <= 6 + 3


def test_certificates_are_verified(harvester: Harvester, tmp_path: Path) -> None:
    """The server of an unknown authority gets no request; with SSL_CERT_FILE it does, here by IPv6."""
    authority = Authority(tmp_path)
    given = {"SOUNDCLOUD_ACCESS_TOKEN": "given-t0ken"}
    with FaultServer(lambda *_: Reply(405, b"{}"), "::1", authority.certify("::1")) as server:
        harvester.environment = {**given, "SOUNDCLOUD_API_URL": server.url}
        ended = harvester.crawl(settings=FAST)
        assert ended.code == 3, ended.log
        assert "certificate verify failed: unable to get local issuer certificate" in ended.log
        assert harvester.query("SELECT outcome FROM runs") == [("unreachable",)]
        assert server.seen == []
        harvester.environment["SSL_CERT_FILE"] = str(authority.path)
        harvester.crawl(settings=FAST)
        assert server.seen[0].headers["authorization"] == "OAuth given-t0ken"


@pytest.mark.parametrize(
    "proxy", ["socks5://me:s3cret@127.0.0.1:1080", "127.0.0.1:3128", "http://127.0.0.1:0"]
)
def test_an_unusable_proxy_is_refused_before_anything_is_sent(harvester: Harvester, proxy: str) -> None:
    harvester.makes_database = True
    harvester.environment = {"https_proxy": proxy, "SOUNDCLOUD_API_URL": "https://127.0.0.1:9"}
    ended = harvester.crawl()
    assert ended.code == 2, ended.log
    assert "environment variable https_proxy: must" in ended.log
    assert "s3cret" not in ended.log
    assert not harvester.database.exists()
