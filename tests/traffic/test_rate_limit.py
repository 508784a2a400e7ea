"""Rate-limit pauses: the server gets no requests during one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import pytest

from tests.traffic.crawls import STATIC, Crawl, Outcome, run
from tests.traffic.fault_server import FaultServer, Reply, Seen

if TYPE_CHECKING:
    from collections.abc import Iterator

PATHS = [f"/tracks/{number}" for number in range(40)]
SLACK = 0.8
"""Tolerance in seconds: a request may be in flight, or the process busy, when the server sends the 429."""


def seconds() -> Reply:
    return Reply(429, b"Please slow down.", {"Retry-After": "2", "Content-Type": "text/plain"})


def date() -> Reply:
    return Reply(429, b"", {"Retry-After": format_datetime(soon(), usegmt=True)})


def reset_time() -> Reply:
    meta = {"rate_limit": {"group": "x"}, "reset_time": soon().strftime("%Y/%m/%d %H:%M:%S +0000")}
    return Reply(429, json.dumps({"errors": [{"meta": meta}]}).encode())


def gateway() -> Reply:
    return Reply(429, b'{"error":"Rate Limit Exceeded"}')


def past() -> Reply:
    return Reply(429, b"", {"Retry-After": "0"})


def soon() -> datetime:
    return datetime.fromtimestamp(time.time() + 4, UTC)


def broken() -> Reply:
    return Reply(429, b"no gzip", {"Retry-After": "2", "Content-Encoding": "gzip"})


FORMS = {
    "seconds": seconds,
    "date": date,
    "reset_time": reset_time,
    "gateway": gateway,
    "past": past,
    "broken": broken,
}
FEW = {"wave": 4, "later_end": 3, "growing": 1, "among_faults": 1, "again": 3}
NAMED = {"date", "reset_time"}
"""The forms that name the end of the pause; the others cause a pause of at least 2 s."""


class Limiting:
    """Script with slow responses, so that eight requests are in flight when the tenth gets a 429."""

    def __init__(self, limited: Callable[[], Reply]) -> None:
        self._limited = limited
        self._count = 0
        self.named_at = 0.0

    def __call__(self, _seen: Seen, _before: int) -> Reply:
        self._count += 1
        if self._count < 10:
            return Reply(delay=0.1)
        if self._count > 10:
            # Not before the 429, even if the seventeenth arrives late.
            return Reply(delay=0.6, until=17)
        self.named_at = time.time()
        reply = self._limited()
        return Reply(reply.status, reply.body, reply.headers, until=17)


@dataclass
class Run:
    servers: dict[str, FaultServer]
    outcomes: dict[str, Outcome]


def scripts() -> dict[str, Callable[[Seen, int], Reply]]:
    return {
        **{name: Limiting(form) for name, form in FORMS.items()},
        "paced": Limiting(seconds),
        "endless": lambda _seen, _before: Reply(429, b"", {"Retry-After": "-1"}, delay=0.05),
        "wave": wave,
        "later_end": LaterEnd(),
        "growing": growing,
        "among_faults": among_faults,
        "again": Again(),
    }


class LaterEnd:
    """Script that limits three requests in flight for 1 s, the second of them for 2 s."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, _seen: Seen, before: int) -> Reply:
        if before:
            return Reply()
        self._count += 1
        seconds = "2" if self._count == 2 else "1"
        delay = {1: 0.0, 2: 0.2}.get(self._count, 0.4)
        return Reply(429, b"", {"Retry-After": seconds}, delay=delay, until=3)


class Again:
    """Script that limits the first request and the second request after the pause."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, _seen: Seen, _before: int) -> Reply:
        self._count += 1
        pauses = {1: "1", 3: "3"}
        if self._count in pauses:
            return Reply(429, b"", {"Retry-After": pauses[self._count]})
        return Reply()


def growing(_seen: Seen, before: int) -> Reply:
    return Reply(429, b"") if before < 3 else Reply()


def among_faults(_seen: Seen, before: int) -> Reply:
    return Reply(503, b"") if before % 2 else Reply(429, b"")


def wave(_seen: Seen, before: int) -> Reply:
    return Reply(429, b"", {"Retry-After": "1"}, until=4) if not before else Reply()


def settings_of(name: str) -> dict[str, object]:
    # A random half to all of the base is used: with a base of 4 s a pause lasts at least 2 s.
    own: dict[str, dict[str, object]] = {
        "paced": {"DOWNLOAD_DELAY": 0.1, "DOWNLOAD_DELAY_JITTER": 0, "AUTOTHROTTLE_ENABLED": True,
                  "AUTOTHROTTLE_START_DELAY": 0.1, "AUTOTHROTTLE_TARGET_CONCURRENCY": 8},
        "growing": {"RATE_LIMIT_BASE": 0.4},
        "among_faults": {"RETRY_TIMES": 9, "RATE_LIMIT_BASE": 0.1, "RATE_LIMIT_MAX_HOLDS": 3},
        "again": {"DOWNLOAD_DELAY": 1, "DOWNLOAD_DELAY_JITTER": 0},
        "endless": {"RATE_LIMIT_BASE": 0.1, "RATE_LIMIT_MAX": 0.2, "RATE_LIMIT_MAX_HOLDS": 3},
    }  # fmt: skip
    return {**STATIC, "RATE_LIMIT_BASE": 4, **own.get(name, {})}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with ExitStack() as stack:
        servers = {name: stack.enter_context(FaultServer(script)) for name, script in scripts().items()}
        crawls = [
            Crawl(name, server.url, PATHS[: FEW.get(name)], settings_of(name))
            for name, server in servers.items()
        ]
        yield Run(servers, run(crawls, tmp_path_factory.mktemp("cache")))


def hold_of(server: FaultServer, form: str) -> tuple[float, float]:
    """Return when the server sent the 429, and until when it may get no request."""
    limited = next(at for at, status in server.answered if status == 429)
    script = server.script
    assert isinstance(script, Limiting)
    # Dates are truncated to seconds.
    return limited, script.named_at + 2.95 if form in NAMED else limited + 1.95


def most_in_flight(server: FaultServer) -> int:
    """Return the largest number of requests that the server had not answered at a time."""
    changes = [(seen.at, 1) for seen in server.seen] + [(at, -1) for at, _ in server.answered]
    return max(accumulate(change for _, change in sorted(changes)))


@pytest.mark.parametrize("form", FORMS)
def test_no_more_requests_are_in_flight_than_allowed(ran: Run, form: str) -> None:
    assert most_in_flight(ran.servers[form]) == 8


@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_sent_during_a_pause(ran: Run, form: str) -> None:
    server = ran.servers[form]
    limited, end = hold_of(server, form)
    assert [seen.at - limited for seen in server.seen if limited + SLACK < seen.at < end] == []
    answered = sum(at <= limited for at, _ in server.answered)
    assert sum(seen.at < limited for seen in server.seen) - answered == 7, "and seven more were in flight"


@pytest.mark.parametrize("form", FORMS)
def test_everything_is_fetched_afterwards_including_the_limited_request(ran: Run, form: str) -> None:
    outcome = ran.outcomes[form]
    assert outcome.kinds() == ["ok"] * len(PATHS)
    assert len(ran.servers[form].seen) == len(PATHS) + 1
    assert outcome.stats["sgr/holds"] == 1
    assert 1.5 <= outcome.stats["sgr/hold_seconds"] <= 6
    assert outcome.stats["finish_reason"] == "finished"


def test_after_a_pause_one_request_goes_first(ran: Run) -> None:
    server = ran.servers["gateway"]
    _, end = hold_of(server, "gateway")
    after = [seen.at for seen in server.seen if seen.at > end]
    assert after[1] - after[0] >= 0.55, "the second waits for the answer to the first"


def test_requests_after_a_pause_keep_the_delay(ran: Run) -> None:
    arrivals = [seen.at for seen in ran.servers["paced"].seen]
    gaps = sorted(later - earlier for earlier, later in pairwise(arrivals))
    # Eight sent at once would have seven gaps of 0 s; a busy machine makes a few gaps short.
    assert gaps[6] >= 0.05
    assert ran.outcomes["paced"].kinds() == ["ok"] * len(PATHS)


def test_several_429_at_once_cause_one_pause(ran: Run) -> None:
    outcome = ran.outcomes["wave"]
    assert outcome.kinds() == ["ok"] * 4
    # The request that goes first after the pause may be one that was not limited before.
    assert outcome.stats["sgr/holds"] == 1
    assert len(ran.servers["wave"].seen) == 8


def test_repeated_pauses_stop_the_run_and_leave_it_resumable(ran: Run) -> None:
    outcome = ran.outcomes["endless"]
    assert outcome.error is not None
    assert outcome.error[0::2] == ["BlockedError", 4]
    assert "3 rate-limit pauses in a row" in outcome.error[1]
    assert outcome.stats["sgr/holds"] == 3
    assert set(outcome.kinds()) <= {"Abandoned", "Refused"}
    assert outcome.stats["finish_reason"] == "blocked"
    assert 3 < len(ran.servers["endless"].seen) <= 8 + 3


def test_a_later_end_extends_the_pause_and_an_earlier_one_does_not_shorten_it(ran: Run) -> None:
    server, outcome = ran.servers["later_end"], ran.outcomes["later_end"]
    limited = [at for at, status in server.answered if status == 429]
    assert [seen.at for seen in server.seen[3:] if seen.at < limited[1] + 1.9] == []
    assert outcome.stats["sgr/holds"] == 1
    assert 1.95 <= outcome.stats["sgr/hold_seconds"] <= 6
    assert outcome.kinds() == ["ok"] * 3


def test_pauses_in_a_row_become_longer(ran: Run) -> None:
    # A random half to all of 0.4, 0.8 and 1.6 s.
    assert ran.outcomes["growing"].stats["sgr/holds"] == 3
    assert 1.4 <= ran.outcomes["growing"].stats["sgr/hold_seconds"] <= 5
    arrivals = [seen.at for seen in ran.servers["growing"].seen]
    assert arrivals[3] - arrivals[2] >= 0.75


def test_an_error_is_not_a_good_response(ran: Run) -> None:
    outcome = ran.outcomes["among_faults"]
    assert outcome.error is not None
    assert "3 rate-limit pauses in a row" in outcome.error[1]
    assert ran.outcomes["among_faults"].stats["sgr/holds"] == 3


def test_a_pause_also_stops_the_request_that_waits_for_the_delay(ran: Run) -> None:
    server = ran.servers["again"]
    limited = [at for at, status in server.answered if status == 429][1]
    assert [seen.at - limited for seen in server.seen if limited + SLACK < seen.at < limited + 2.9] == []
    assert ran.outcomes["again"].kinds() == ["ok"] * 3
