"""A block ends the run: no request is sent, and no walk counts as failed."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.traffic.crawls import STATIC, Crawl, Outcome, run
from tests.traffic.fault_server import FaultServer, Reply, Script, Seen

if TYPE_CHECKING:
    from collections.abc import Iterator

PATHS = [f"/tracks/{number}" for number in range(60)]
HTML = b"<!DOCTYPE html><html><body>Request blocked.</body></html>"
BLOCKS = {
    "challenge": Reply(202, b"", {"x-amzn-waf-action": "challenge"}),
    "page": Reply(403, HTML, {"Content-Type": "text/html"}),
    "slow": Reply(403, HTML, {"Content-Type": "text/html"}),
}
Ran = dict[str, tuple[FaultServer, Outcome]]


def blocking(block: Reply) -> Script:
    count = 0

    def script(_seen: Seen, _before: int) -> Reply:
        nonlocal count
        count += 1
        reply = block if count >= 10 else Reply()
        return Reply(reply.status, reply.body, reply.headers, delay=0.05)

    return script


def disallowing(_seen: Seen, _before: int) -> Reply:
    return Reply(403, b'{"error":"Access to this API has been disallowed"}')


class TwoErrors:
    """Script that blocks eight requests in flight, the first in another way than the others."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, _seen: Seen, _before: int) -> Reply:
        self._count += 1
        if self._count == 1:
            return Reply(202, b"", {"x-amzn-waf-action": "challenge"}, until=8)
        return Reply(403, HTML, {"Content-Type": "text/html"}, until=8, delay=0.5)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    quick = {**STATIC, "DISALLOWED_BACKOFF_BASE": 0.05, "DISALLOWED_RETRY_TIMES": 2}
    # Queued requests must not delay the end by one delay each.
    own = {
        "slow": {"DOWNLOAD_DELAY": 0.3, "DOWNLOAD_DELAY_JITTER": 0},
        # Longer than the pauses after other errors.
        "disallowed": {"DISALLOWED_BACKOFF_BASE": 0.6, "BACKOFF_MAX": 0.1},
    }
    scripts = {name: blocking(block) for name, block in BLOCKS.items()}
    scripts |= {"disallowed": disallowing, "two_errors": TwoErrors()}
    with ExitStack() as stack:
        servers = {name: stack.enter_context(FaultServer(script)) for name, script in scripts.items()}
        crawls = [
            Crawl(name, server.url, PATHS, {**quick, **own.get(name, {})}) for name, server in servers.items()
        ]
        outcomes = run(crawls, tmp_path_factory.mktemp("cache"))
        yield {name: (server, outcomes[name]) for name, server in servers.items()}


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_stops_the_run_at_once(ran: Ran, name: str) -> None:
    server, outcome = ran[name]
    assert outcome.error is not None
    assert outcome.error[0::2] == ["BlockedError", 4]
    assert outcome.stats["finish_reason"] == "blocked"
    # The tenth is blocked; up to seven more were in flight at that time.
    assert len(server.seen) <= 17


@pytest.mark.parametrize("name", BLOCKS)
def test_requests_without_a_response_are_abandoned(ran: Ran, name: str) -> None:
    kinds = set(ran[name][1].kinds())
    # On a slow machine, nothing may be in flight when the block is read.
    assert kinds | {"Abandoned"} == {"ok", "Abandoned", "Refused"}
    assert "Abandoned" in kinds or name != "slow"


def test_queued_requests_do_not_delay_the_end(ran: Ran) -> None:
    # Fifty requests wait 0.3 s apart.
    assert ran["slow"][1].stats["elapsed_time_seconds"] < 12


def test_a_disallowed_api_is_retried_slowly_and_then_given_up(ran: Ran) -> None:
    server, outcome = ran["disallowed"]
    assert outcome.error is not None
    assert outcome.error[0] == "BlockedError"
    assert outcome.stats["finish_reason"] == "blocked"
    assert outcome.stats["sgr/holds"] == 2
    # Eight were in flight at first; after each pause one is sent, or two before its answer is read.
    assert len(server.seen) <= 8 + 2 * 2
    assert server.seen[-1].at - server.seen[0].at >= 0.29 + 0.59
    assert set(outcome.kinds()) == {"Abandoned", "Refused"}


def test_the_first_error_is_the_outcome(ran: Ran) -> None:
    server, outcome = ran["two_errors"]
    assert [status for _, status in server.answered][:2] == [202, 403], "there was a second error"
    assert outcome.error is not None
    assert "bot challenge" in outcome.error[1]
