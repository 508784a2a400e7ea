"""Tokens: how many are requested, where they are sent, and where they never appear."""

from __future__ import annotations

import json
import re
import stat
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.traffic.crawls import CREDENTIALS, STATIC, Crawl, CrawlProcess, Outcome
from tests.traffic.fault_server import FaultServer, Reply, Seen
from tests.traffic.token_script import INVALID_CLIENT, REFUSED, TokenScript

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATHS = [f"/tracks/{number}" for number in range(24)]
EXCHANGE, REFRESH = "client_credentials", "refresh_token"
HTML = Reply(403, b"<html>Request blocked</html>", {"Content-Type": "text/html"})
LIMITED = Reply(429, b'{"error":"rate_limit_exceeded"}', {"www-authenticate": "Basic"})
SHORT = Reply(429, b'{"error":"rate_limit_exceeded"}', {"Retry-After": "1"})


@dataclass
class Run:
    scripts: dict[str, TokenScript]
    servers: dict[str, FaultServer]
    outcomes: dict[str, Outcome]
    log: str
    cache: Path

    def texts(self) -> str:
        texts = [
            json.dumps([outcome.got, outcome.stats, outcome.error]) for outcome in self.outcomes.values()
        ]
        return self.log + "".join(texts)


def limited_and_refused() -> Callable[[Seen], Reply]:
    """Build a script that limits the first page and refuses the token of the second during the pause."""
    seen: Counter[str] = Counter()

    def page(request: Seen) -> Reply:
        seen[request.target] += 1
        if seen[request.target] > 1 or request.target not in PATHS[:2]:
            return Reply()
        if request.target == PATHS[0]:
            return Reply(429, b"", {"Retry-After": "2"}, until=3)
        return Reply(REFUSED.status, REFUSED.body, delay=0.5, until=3)

    return page


def refused_twice() -> Callable[[Seen], Reply]:
    """Build a script in which one page is refused, fails and is refused again."""
    answers = [REFUSED, Reply(503, b"", delay=1), REFUSED]

    def page(request: Seen) -> Reply:
        return answers.pop(0) if answers and request.target == PATHS[0] else Reply(delay=0.05)

    return page


def refused_or_faulty() -> Callable[[Seen], Reply]:
    """Build a script that refuses each page and fails in turns."""
    seen: Counter[str] = Counter()

    def page(request: Seen) -> Reply:
        seen[request.target] += 1
        return REFUSED if seen[request.target] % 2 else Reply(503, b"")

    return page


def scripts() -> dict[str, TokenScript]:
    return {
        "plain": TokenScript(),
        "revoked": TokenScript(revoke_at=12),
        "refused_refresh": TokenScript(revoke_at=12, refuse_refresh=True),
        "expiring": TokenScript(life=2),
        "never_good": TokenScript(page=lambda _seen: REFUSED),
        "static": TokenScript(),
        "faulty": TokenScript(first=[Reply(503, b""), Reply(fault="reset"), Reply(200, b"{}"), SHORT]),
        "wrong_keys": TokenScript(first=[INVALID_CLIENT] * 9),
        "blocked": TokenScript(first=[HTML] * 9),
        "quota": TokenScript(first=[LIMITED] * 9),
        "oversized": TokenScript(first=[Reply(200, b" " * (2 << 20))]),
        "during_pause": TokenScript(page=limited_and_refused()),
        "accepted_between": TokenScript(page=refused_twice()),
        "never_accepted": TokenScript(page=refused_or_faulty()),
        "missing": TokenScript(),
        "half": TokenScript(),
    }


def settings_of(name: str) -> dict[str, object]:
    own: dict[str, dict[str, object]] = {
        "expiring": {"DOWNLOAD_DELAY": 0.2, "DOWNLOAD_DELAY_JITTER": 0, "CONCURRENT_REQUESTS": 2},
        "static": {**STATIC, "SOUNDCLOUD_CLIENT_ID": ""},
        # Longer pauses can only come from the response.
        "faulty": {"RATE_LIMIT_MAX": 0.3},
        "quota": {"TOKEN_TRIES": 3},
        "missing": {"SOUNDCLOUD_CLIENT_ID": "", "SOUNDCLOUD_CLIENT_SECRET": None},
        "half": {"SOUNDCLOUD_CLIENT_SECRET": ""},
    }
    return {**CREDENTIALS, "RATE_LIMIT_BASE": 0.2, **own.get(name, {})}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    cache = tmp_path_factory.mktemp("cache")
    all_scripts = scripts()
    with ExitStack() as stack:
        servers = {name: stack.enter_context(FaultServer(script)) for name, script in all_scripts.items()}
        crawls = [
            # Only one page, because others could be refused before its error.
            Crawl(name, server.url, PATHS[:1] if name == "never_accepted" else PATHS, settings_of(name))
            for name, server in servers.items()
        ]
        process = CrawlProcess(crawls, cache)
        yield Run(all_scripts, servers, process.wait(), process.log, cache)


def test_a_run_exchanges_once(ran: Run) -> None:
    assert ran.scripts["plain"].grants == [EXCHANGE]
    assert ran.outcomes["plain"].kinds() == ["ok"] * len(PATHS)
    assert ran.outcomes["plain"].stats["sgr/token/exchanges"] == 1


def test_a_revoked_token_is_refreshed_once_for_all_requests(ran: Run) -> None:
    assert ran.scripts["revoked"].grants == [EXCHANGE, REFRESH]
    assert ran.outcomes["revoked"].kinds() == ["ok"] * len(PATHS)
    assert ran.outcomes["revoked"].stats["sgr/token/refreshes"] == 1


def test_a_refused_refresh_falls_back_to_an_exchange(ran: Run) -> None:
    assert ran.scripts["refused_refresh"].grants == [EXCHANGE, REFRESH, EXCHANGE]
    assert ran.outcomes["refused_refresh"].kinds() == ["ok"] * len(PATHS)


def test_a_token_is_renewed_before_it_ends_with_the_latest_refresh_token(ran: Run) -> None:
    script = ran.scripts["expiring"]
    assert script.grants[:2] == [EXCHANGE, REFRESH]
    assert set(script.grants[1:]) == {REFRESH}
    assert script.faults == []
    # Each token is valid for 2 s and is renewed when a tenth of that is left.
    outcome = ran.outcomes["expiring"]
    assert len(script.grants) <= 2 + outcome.stats["elapsed_time_seconds"] / 1.7
    assert outcome.kinds() == ["ok"] * len(PATHS)
    # At most the request that was in flight when the server changed tokens.
    assert outcome.stats.get("sgr/answers/unauthorised", 0) < len(script.grants)


def test_a_second_refusal_stops_the_run(ran: Run) -> None:
    outcome = ran.outcomes["never_good"]
    assert outcome.error is not None
    assert outcome.error[0::2] == ["UnauthorisedError", 4]
    assert outcome.stats["finish_reason"] == "unauthorised"
    assert ran.scripts["never_good"].grants == [EXCHANGE, REFRESH]
    assert set(outcome.kinds()) <= {"Abandoned", "Refused"}


def test_a_given_access_token_is_never_renewed(ran: Run) -> None:
    outcome = ran.outcomes["static"]
    assert outcome.error is not None
    assert outcome.error[0::2] == ["UnauthorisedError", 4]
    assert "SOUNDCLOUD_ACCESS_TOKEN" in outcome.error[1]
    assert ran.scripts["static"].grants == []


def test_transient_errors_of_the_token_endpoint_are_retried(ran: Run) -> None:
    assert ran.outcomes["faulty"].kinds() == ["ok"] * len(PATHS)
    assert ran.scripts["faulty"].grants == [EXCHANGE]
    times = [seen.at for seen in ran.servers["faulty"].seen if seen.target == "/oauth/token"]
    assert times[-1] - times[-2] >= 0.99, "the token client waits as long as the 429 says"
    assert len(times) == 5
    assert "sgr/retry/count" not in ran.outcomes["faulty"].stats, "only the token client retries"
    # One of `faulty`, two of `quota`, which gives up after its third try.
    assert ran.log.count("Token endpoint: HTTP 429: rate_limit_exceeded; retrying in") == 3


def test_an_oversized_token_response_is_cut_off_and_retried(ran: Run) -> None:
    assert ran.outcomes["oversized"].kinds() == ["ok"] * len(PATHS)
    assert ran.scripts["oversized"].grants == [EXCHANGE]
    assert re.search("Token endpoint: the response of 127.0.0.1:[0-9]+ is too large; retrying in", ran.log)


def test_no_token_is_requested_during_a_pause_of_the_api(ran: Run) -> None:
    server = ran.servers["during_pause"]
    assert ran.scripts["during_pause"].grants == [EXCHANGE, REFRESH]
    limited = next(at for at, status in server.answered if status == 429)
    renewed = [seen.at for seen in server.seen if seen.target == "/oauth/token"][1]
    assert renewed - limited >= 1.95
    assert ran.outcomes["during_pause"].kinds() == ["ok"] * len(PATHS)


def test_a_page_may_be_refused_again_after_another_error(ran: Run) -> None:
    assert ran.outcomes["accepted_between"].kinds() == ["ok"] * len(PATHS)
    assert ran.scripts["accepted_between"].grants == [EXCHANGE, REFRESH, REFRESH]


def test_a_fault_does_not_mean_that_the_token_is_accepted(ran: Run) -> None:
    outcome = ran.outcomes["never_accepted"]
    assert outcome.error is not None
    assert outcome.error[0] == "UnauthorisedError"
    assert ran.scripts["never_accepted"].grants == [EXCHANGE, REFRESH]


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("wrong_keys", "UnauthorisedError", "refused by"),
        ("blocked", "BlockedError", "blocked at the edge"),
        ("quota", "UnauthorisedError", "50 exchanges in 12 hours"),
    ],
)
def test_a_token_endpoint_that_refuses_stops_the_run(ran: Run, name: str, error: str, words: str) -> None:
    outcome = ran.outcomes[name]
    assert outcome.error is not None
    assert outcome.error[0::2] == [error, 4]
    assert words in outcome.error[1]
    assert set(outcome.kinds()) == {"Abandoned"}
    assert ran.servers[name].targets("/tracks") == []
    assert len(ran.servers[name].seen) == {"quota": 3, "wrong_keys": 2, "blocked": 1}[name]


@pytest.mark.parametrize(
    ("name", "missing"), [("missing", "credentials"), ("half", "SOUNDCLOUD_CLIENT_SECRET")]
)
def test_missing_credentials_end_before_the_first_request(ran: Run, name: str, missing: str) -> None:
    error = ran.outcomes[name].error
    assert error is not None
    assert error[0::2] == ["CredentialsError", 2]
    assert f"missing {missing}" in error[1]
    assert "SOUNDCLOUD_ACCESS_TOKEN" in error[1]
    assert "scrapy sandbox" in error[1]
    assert "\n" not in error[1]
    assert ran.servers[name].seen == []


def test_no_token_or_secret_appears_anywhere(ran: Run) -> None:
    texts = ran.texts()
    assert "DEBUG" in texts
    secrets = [CREDENTIALS["SOUNDCLOUD_CLIENT_SECRET"], STATIC["SOUNDCLOUD_ACCESS_TOKEN"], "Basic "]
    secrets += [part for script in ran.scripts.values() for pair in script.tokens for part in pair]
    assert len(secrets) > 15
    assert [secret for secret in secrets if secret in texts] == []


def test_only_the_owner_can_read_the_cache_and_it_contains_no_secret(ran: Run) -> None:
    directory = ran.cache / "soundgraph"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    files = list(directory.iterdir())
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert not any(CREDENTIALS["SOUNDCLOUD_CLIENT_SECRET"].encode() in file.read_bytes() for file in files)
    assert not [file for file in files if file.name.startswith(".")], "nothing temporary is left"


def test_only_the_tokens_own_headers_go_to_the_token_endpoint(ran: Run) -> None:
    for server in ran.servers.values():
        for seen in server.seen:
            scheme = seen.headers.get("authorization", "").partition(" ")[0]
            assert scheme in ({"Basic", ""} if seen.target == "/oauth/token" else {"OAuth"})
            assert "leaked" not in seen.headers.get("authorization", "")


def test_processes_share_one_exchange_and_the_next_run_reuses_it(tmp_path: Path) -> None:
    script = TokenScript()
    with FaultServer(script) as server:
        crawl = Crawl("shared", server.url, PATHS, dict(CREDENTIALS))
        together = [CrawlProcess([crawl], tmp_path) for _ in range(2)]
        outcomes = [process.wait()["shared"] for process in together]
        assert script.grants == [EXCHANGE]
        # The API has revoked the token; the next run renews it with the cached refresh token.
        script.revoked = True
        outcomes.append(CrawlProcess([crawl], tmp_path).wait()["shared"])
    assert script.grants == [EXCHANGE, REFRESH]
    assert [outcome.kinds() for outcome in outcomes] == [["ok"] * len(PATHS)] * 3
