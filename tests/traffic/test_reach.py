"""An API that cannot be reached stops the run with the cause; a single request that fails does not."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.traffic.crawls import CREDENTIALS, STATIC, Crawl, CrawlProcess, Outcome
from tests.traffic.fault_server import OK, FaultServer, Reply, Script, Seen

if TYPE_CHECKING:
    from collections.abc import Iterator

PATHS = [f"/tracks/{number}" for number in range(20)]
QUICK = {"BACKOFF_BASE": 0.02, "BACKOFF_MAX": 0.1, "CONCURRENT_REQUESTS": 4}
SHORT = {"DOWNLOAD_TIMEOUT": 0.5}
DELAY = 0.3
HTML = {"Content-Type": "text/html"}
TOKEN = b'{"access_token": "granted-acc3ss", "expires_in": 3599}'

ANSWERS = {
    "page": (Reply(200, b"<html>Welcome to the hotel</html>", HTML), "HTTP 200"),
    "not_found": (Reply(404, b"404 page not found"), "HTTP 404"),
    "no_method": (Reply(405, b"<html>Method Not Allowed</html>", HTML), "HTTP 405: an HTML page"),
    "moved": (Reply(301, b"", {"Location": "https://elsewhere.example/"}), "HTTP 301|unexpected redirect"),
    "plain_on_tls": (Reply(400, b"<html>sent to HTTPS port</html>", HTML), "HTTP 400: an HTML page"),
    "down": (Reply(503, b"upstream connect error"), "HTTP 503"),
    "reset": (Reply(fault="reset"), "the connection to 127.0.0.1:[0-9]+ was closed before a response"),
    "silent": (Reply(fault="stall"), "no response from 127.0.0.1:[0-9]+ in time"),
}
"""The response of a server to every request, and the words of the run about it."""

ADDRESSES = {
    "refused": ("http://127.0.0.1:{closed}", "connection refused by 127.0.0.1:[0-9]+"),
    "no_address": ("http://no-such-host.invalid", r"no address for no-such-host.invalid \(.+\)"),
    "not_tls": ("https://127.0.0.1:{banner}", "does not speak TLS"),
    "not_http": ("http://127.0.0.1:{banner}", "127.0.0.1:[0-9]+ does not speak HTTP"),
}
WORDS = {name: words for name, (_, words) in {**ANSWERS, **ADDRESSES}.items()}
LASTING = {"no_method", "moved", "plain_on_tls", "not_tls", "not_http"}
"""Causes that waiting does not mend."""


@contextmanager
def banner_server() -> Iterator[int]:
    """Yield the port of a server that speaks another protocol."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(1000)
                    connection.sendall(b"SSH-2.0-OpenSSH_9\r\n")

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


class Outage:
    """Script of an API that breaks off after *before* good responses, for *broken* requests."""

    def __init__(self, before: int, broken: int) -> None:
        self._before, self._broken, self._good, self._bad = before, broken, 0, 0

    def __call__(self, seen: Seen, _before: int) -> Reply:
        if seen.target == "/oauth/token":
            return Reply(200, TOKEN)
        if self._good >= self._before and self._bad < self._broken:
            self._bad += 1
            return Reply(fault="reset")
        self._good += 1
        return Reply(200, OK)


def one_bad_page(seen: Seen, _before: int) -> Reply:
    return Reply(fault="reset") if seen.target == PATHS[7] else Reply(delay=0.02)


def last_is_bad(seen: Seen, _before: int) -> Reply:
    """Leave a bad page alone with its retries."""
    return Reply(fault="reset") if seen.target == PATHS[1] else Reply()


@dataclass
class Run:
    servers: dict[str, FaultServer]
    outcomes: dict[str, Outcome]
    log: str

    def error(self, name: str) -> str:
        error = self.outcomes[name].error
        assert error is not None, name
        assert error[0::2] == ["UnreachableError", 3]
        assert "\n" not in error[1]
        return str(error[1])


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with ExitStack() as stack:
        ports = {"banner": stack.enter_context(banner_server())}
        with socket.create_server(("127.0.0.1", 0)) as free:
            ports["closed"] = free.getsockname()[1]
        good = stack.enter_context(FaultServer(lambda *_: Reply()))
        scripts: dict[str, Script] = {}
        for name, (reply, _) in ANSWERS.items():
            scripts[f"api_{name}"] = scripts[f"token_{name}"] = lambda *_, reply=reply: reply
        scripts |= {
            "returns": Outage(6, 9),
            "leaves": Outage(6, 10**6),
            "paced": Outage(2, 8),
            "flaky": one_bad_page,
            "alone": last_is_bad,
        }
        servers = {name: stack.enter_context(FaultServer(script)) for name, script in scripts.items()}
        urls = {name: server.url for name, server in servers.items()}
        for name, (url, _) in ADDRESSES.items():
            urls[f"api_{name}"] = urls[f"token_{name}"] = url.format(**ports)
        crawls = []
        for name, url in urls.items():
            quick = {**QUICK, **SHORT} if name.endswith("silent") else QUICK
            if name.startswith("token_"):
                endpoint = {"SOUNDCLOUD_TOKEN_URL": f"{url}/oauth/token"}
                crawls.append(Crawl(name, good.url, PATHS, {**quick, **CREDENTIALS, **endpoint}))
            else:
                paths = PATHS[: {"alone": 2, "paced": 5}.get(name)]
                own = {"DOWNLOAD_DELAY": DELAY} if name == "paced" else {}
                crawls.append(Crawl(name, url, paths, {**quick, **STATIC, "RETRY_TIMES": 3, **own}))
        process = CrawlProcess(crawls, tmp_path_factory.mktemp("cache"))
        yield Run(servers, process.wait(), process.log)


@pytest.mark.parametrize("name", WORDS)
def test_an_api_that_cannot_be_reached_stops_the_run_with_the_cause(ran: Run, name: str) -> None:
    error = ran.error(f"api_{name}")
    assert error.startswith("cannot reach the API at http")
    assert re.search(WORDS[name], error), error
    assert name == "down" or "SOUNDCLOUD_API_URL" in error
    assert set(ran.outcomes[f"api_{name}"].kinds()) == {"Abandoned"}


@pytest.mark.parametrize("name", WORDS)
def test_a_token_endpoint_that_cannot_be_reached_stops_the_run(ran: Run, name: str) -> None:
    error = ran.error(f"token_{name}")
    assert error.startswith("no token from http")
    assert re.search(WORDS[name], error), error
    assert "SOUNDCLOUD_TOKEN_URL" in error
    assert set(ran.outcomes[f"token_{name}"].kinds()) == {"Abandoned"}


@pytest.mark.parametrize("name", ANSWERS)
def test_few_requests_are_sent_to_what_cannot_be_reached(ran: Run, name: str) -> None:
    # Of the API, the first requests are in flight together; the probes follow.
    most = 4 if name in LASTING else 4 + 4
    assert len(ran.servers[f"api_{name}"].seen) <= most
    assert len(ran.servers[f"token_{name}"].seen) == (1 if name in LASTING else 5)


def test_no_credentials_are_in_the_messages(ran: Run) -> None:
    texts = [outcome.error[1] for outcome in ran.outcomes.values() if outcome.error] + [ran.log]
    secrets = [*CREDENTIALS.values(), *STATIC.values(), "granted-acc3ss"]
    assert not [secret for secret in secrets for text in texts if secret in text]


def test_a_run_continues_after_an_outage(ran: Run) -> None:
    outcome = ran.outcomes["returns"]
    assert outcome.error is None
    assert outcome.kinds() == ["ok"] * len(PATHS)
    assert outcome.stats["sgr/outages"] == 1
    assert outcome.stats["sgr/outage_seconds"] > 0
    # A request that failed in the outage has its retries left.
    assert outcome.stats.get("sgr/retry/count", 0) <= 3


def test_probes_keep_the_delay_between_requests(ran: Run) -> None:
    assert ran.outcomes["paced"].stats["sgr/probes"] >= 2
    times = [seen.at for seen in ran.servers["paced"].seen]
    assert times[-1] - times[0] >= 0.9 * DELAY * (len(times) - 1)


def test_an_outage_that_lasts_ends_the_run(ran: Run) -> None:
    error = ran.error("leaves")
    assert re.search(r"was closed before a response \(10 more tries in [0-9.]+ s\); check", error)
    outcome = ran.outcomes["leaves"]
    assert set(outcome.kinds()) == {"ok", "Abandoned"}
    answered = outcome.kinds().count("ok")
    # The failures that made it suspicious, and the probes.
    assert len(ran.servers["leaves"].seen) <= answered + 3 + 4 + 1 + 10


def test_an_outage_is_announced_once(ran: Run) -> None:
    url = ran.servers["leaves"].url
    assert ran.log.count(f"WARNING: Cannot reach the API at {url}: ") == 1
    assert ran.log.count(f"Stopping: cannot reach the API at {url}") == 1


@pytest.mark.parametrize(("name", "path"), [("flaky", PATHS[7]), ("alone", PATHS[1])])
def test_a_single_request_that_fails_is_its_own_failure(ran: Run, name: str, path: str) -> None:
    outcome = ran.outcomes[name]
    assert outcome.error is None
    kinds = outcome.kinds()
    assert kinds.count("ok") == len(kinds) - 1
    assert outcome.kind(path) == "DownloadFailedError"
    assert ran.servers[name].targets().count(path) == 4
    assert "sgr/outages" not in outcome.stats
