"""Retries: which responses are retried, which are not, and what the spider gets."""

from __future__ import annotations

import gzip
import json
import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.traffic.crawls import STATIC, Crawl, CrawlProcess, Outcome
from tests.traffic.fault_server import OK, FaultServer, Reply, Script, Seen

if TYPE_CHECKING:
    from collections.abc import Iterator

HTML = {"Content-Type": "text/html"}
GZIP = {"Content-Encoding": "gzip"}
ERROR = b'{"code":404,"message":"","status":"404 - Not Found","errors":[],"error":null}'
DISALLOWED = b'{"error":"Access to this API has been disallowed"}'
LIMIT = 50_000
NO_OUTAGE = {"OUTAGE_AFTER": 0}
"""Here most responses are failures, which would be an outage of the whole API."""

PASSING = {
    "/500-empty": Reply(500, b""),
    "/500-text": Reply(500, b"oops", {"Content-Type": "text/plain"}),
    "/502-html": Reply(502, b"<html>bad gateway</html>", HTML),
    "/503-text": Reply(503, b"upstream connect error or disconnect/reset before headers"),
    "/504-empty": Reply(504, b""),
    "/408": Reply(408, b""),
    "/empty": Reply(200, b""),
    "/truncated": Reply(200, OK[:-5]),
    "/html": Reply(200, b"<html></html>", HTML),
    "/404-text": Reply(404, b"404 page not found\n", {"Content-Type": "text/plain"}),
    "/202-plain": Reply(202, b""),
    "/reset": Reply(fault="reset"),
    "/cut": Reply(fault="cut"),
    "/stall": Reply(fault="stall"),
    "/gzip-bad": Reply(200, b"no gzip at all", GZIP),
    "/gzip-cut": Reply(200, gzip.compress(OK * 50)[:-9], GZIP),
    "/gzip-damaged": Reply(200, gzip.compress(OK)[:-8] + b"\0" * 8, GZIP),
    "/404-gzip-bad": Reply(404, b"no gzip", GZIP),
    "/brotli": Reply(200, b"whatever", {"Content-Encoding": "br"}),
    "/disallowed": Reply(403, DISALLOWED),
}
FINAL = {
    "/gone": (Reply(404, ERROR), "gone"),
    "/gone-short": (Reply(404, b'{"errors":[{"error_message":"404 - Not Found"}]}'), "gone"),
    "/410": (Reply(410, ERROR.replace(b"404", b"410")), "gone"),
    "/hidden": (Reply(403, b'{"code":403,"message":"","errors":[]}'), "hidden"),
    "/400": (Reply(400, b'{"code":400,"message":"bad cursor"}'), "refused"),
    "/405": (Reply(405, b""), "refused"),
    "/422": (Reply(422, b"{}"), "refused"),
    "/nested": (Reply(200, b"[" * 2000 + b"]" * 2000), "ok"),
    "/nan": (Reply(200, b'{"collection": [NaN]}'), "ok"),
    "/huge": (Reply(200, b"[" + b" " * LIMIT + b"]"), "refused"),
    "/bomb": (Reply(200, gzip.compress(b"[" + b" " * 5_000_000 + b"]"), GZIP), "refused"),
    "/gzip": (Reply(200, gzip.compress(OK), GZIP), "ok"),
    "/deflate": (Reply(200, zlib.compress(OK), {"Content-Encoding": "deflate"}), "ok"),
    "/surrogate": (Reply(200, b'["\\ud800"]'), "ok"),
    "/latin-1-header": (Reply(200, OK, {"X-Odd": "caf\xe9"}), "ok"),
}
ALWAYS = {
    "/always-500": (Reply(500, b""), "retry"),
    "/always-reset": (Reply(fault="reset"), "DownloadFailedError"),
}


@dataclass
class Run:
    server: FaultServer
    foreign: FaultServer
    hollow: FaultServer
    tired: FaultServer
    overloaded: FaultServer
    outcomes: dict[str, Outcome]
    log: str

    def count(self, path: str) -> int:
        return self.server.targets().count(path)


def foreign_location(foreign: FaultServer) -> dict[str, str]:
    return {"Location": f"{foreign.url}/elsewhere"}


def script_for(foreign: FaultServer) -> Script:
    def script(seen: Seen, before: int) -> Reply:
        path = seen.target.partition("?")[0]
        if path in {"/resolve", "/redirected"}:
            return Reply(302, b'{"status":"302 - Found"}', foreign_location(foreign))
        if path in ALWAYS:
            return ALWAYS[path][0]
        if path in FINAL:
            return FINAL[path][0]
        return PASSING[path] if path in PASSING and not before else Reply()

    return script


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    settings = {
        **STATIC,
        "RETRY_TIMES": 2,
        "DOWNLOAD_TIMEOUT": 1.5,
        "DOWNLOAD_MAXSIZE": LIMIT,
        "DISALLOWED_BACKOFF_BASE": 0.05,
        **NO_OUTAGE,
    }
    paths = [*PASSING, *FINAL, *ALWAYS, "/resolve?url=x", "/redirected"]
    slow = {
        **STATIC,
        "RETRY_TIMES": 0,
        "DOWNLOAD_DELAY": 0.01,
        "DOWNLOAD_DELAY_JITTER": 0,
        "AUTOTHROTTLE_ENABLED": True,
        "AUTOTHROTTLE_START_DELAY": 0.3,
        **NO_OUTAGE,
    }
    adapting = {
        **slow,
        "AUTOTHROTTLE_START_DELAY": 0.01,
        "AUTOTHROTTLE_TARGET_CONCURRENCY": 0.5,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
    }
    with ExitStack() as stack:
        foreign = stack.enter_context(FaultServer(lambda *_: Reply()))
        server = stack.enter_context(FaultServer(script_for(foreign)))
        hollow = stack.enter_context(FaultServer(lambda *_: Reply(200, b"")))
        tired = stack.enter_context(FaultServer(lambda *_: Reply(delay=0.5)))
        overloaded = stack.enter_context(FaultServer(lambda *_: Reply(503, b"", delay=0.5)))
        crawls = [
            Crawl("faults", server.url, paths, settings),
            Crawl("throttled", hollow.url, [f"/{number}" for number in range(5)], slow),
            Crawl("tired", tired.url, [f"/{number}" for number in range(4)], adapting),
            Crawl("overloaded", overloaded.url, [f"/{number}" for number in range(4)], adapting),
        ]
        process = CrawlProcess(crawls, tmp_path_factory.mktemp("cache"))
        yield Run(server, foreign, hollow, tired, overloaded, process.wait(), process.log)


@pytest.mark.parametrize("path", PASSING)
def test_a_transient_error_is_retried(ran: Run, path: str) -> None:
    assert ran.outcomes["faults"].kind(path) == "ok", ran.outcomes["faults"].entry(path)
    assert ran.count(path) == 2


@pytest.mark.parametrize("path", FINAL)
def test_a_final_response_is_not_retried(ran: Run, path: str) -> None:
    assert ran.outcomes["faults"].kind(path) == FINAL[path][1], ran.outcomes["faults"].entry(path)
    assert ran.count(path) == 1


@pytest.mark.parametrize("path", ALWAYS)
def test_the_spider_gets_the_last_failure(ran: Run, path: str) -> None:
    assert ran.outcomes["faults"].kind(path) == ALWAYS[path][1]
    # Twisted would resend a request whose persistent connection breaks.
    assert ran.count(path) == 3
    assert ran.outcomes["faults"].stats["sgr/retry/given_up"] == len(ALWAYS)


@pytest.mark.parametrize("path", ["/huge", "/bomb"])
def test_a_body_above_the_limit_is_refused_with_the_limit_named(ran: Run, path: str) -> None:
    assert ran.outcomes["faults"].reason(path) == f"larger than {LIMIT} bytes"


def test_only_resolve_may_redirect_and_no_redirect_is_followed(ran: Run) -> None:
    assert ran.outcomes["faults"].kind("/resolve?url=x") == "found"
    assert ran.outcomes["faults"].kind("/redirected") == "refused"
    assert not ran.foreign.seen


def test_the_run_continues_to_its_end(ran: Run) -> None:
    assert ran.outcomes["faults"].error is None
    assert ran.outcomes["faults"].stats["finish_reason"] == "finished"


def test_a_token_appears_only_on_the_wire(ran: Run) -> None:
    texts = ran.log + json.dumps(ran.outcomes["faults"].got) + json.dumps(ran.outcomes["faults"].stats)
    assert STATIC["SOUNDCLOUD_ACCESS_TOKEN"] not in texts
    assert all(
        seen.headers["authorization"] == f"OAuth {STATIC['SOUNDCLOUD_ACCESS_TOKEN']}"
        for seen in ran.server.seen
    )


def test_fast_error_responses_do_not_make_autothrottle_faster(ran: Run) -> None:
    arrivals = [seen.at for seen in ran.hollow.seen]
    assert len(arrivals) == 5
    # Each would have halved the delay. One gap may be short if the previous request was late.
    assert sorted(later - earlier for earlier, later in pairwise(arrivals))[1] >= 0.25


@pytest.mark.parametrize("name", ["tired", "overloaded"])
def test_slow_responses_and_slow_server_errors_make_autothrottle_slower(ran: Run, name: str) -> None:
    server: FaultServer = getattr(ran, name)
    arrivals = [seen.at for seen in server.seen]
    assert len(arrivals) == 4
    # Each response takes 0.5 s, so half a request at a time is one per second.
    assert arrivals[3] - arrivals[2] >= 0.9
