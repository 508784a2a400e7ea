"""Whatever the API does, a harvest ends, reports it, and keeps its data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

from tests.crawls.crawling import Harvester
from tests.databases import stored_bytes
from tests.sandbox_process import SandboxProcess

if TYPE_CHECKING:
    from pathlib import Path

FAST = {"BACKOFF_BASE": 0.01, "BACKOFF_MAX": 0.05, "RATE_LIMIT_BASE": 0.2, "RATE_LIMIT_MAX": 0.4}
RECORDS = ("tracks", "users", "engagements", "discoveries")


@pytest.fixture(scope="module")
def undisturbed(
    shared_sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[tuple[Any, ...]]]:
    shared_sandbox.clear_faults()
    harvester = Harvester(shared_sandbox, tmp_path_factory.mktemp("undisturbed") / "harvest.db")
    assert harvester.crawl().code == 0
    return harvester.contents()


def test_transient_errors_change_nothing(
    harvester: Harvester, undisturbed: dict[str, list[tuple[Any, ...]]]
) -> None:
    """All of them occur in one harvest, each on some of the requests."""
    transient = [
        "text_404", "empty_500", "text_503", "html_502", "empty_504", "invalid_json", "truncated_body",
        "bad_gzip", "reset", "empty_200", "duplicate_items",
        "rate_limit_retry_after", "rate_limit_documented:seconds=1", "rate_limit_gateway", "rate_limit_text",
    ]  # fmt: skip
    faults = [
        f"{name}{',' if ':' in name else ':'}path=/(tracks|users)/,every=29,after={number},times=2"
        for number, name in enumerate(transient)
    ]
    harvester.sandbox.set_faults(faults)
    ended = harvester.crawl(settings=FAST)
    assert ended.code == 0, ended.log
    assert "Traceback" not in ended.log
    contents = harvester.contents()
    for table in RECORDS:
        assert contents[table] == undisturbed[table], table
    met = json.loads(harvester.value("SELECT stats FROM runs"))
    assert met["sgr/holds"] >= 4
    # Several in a row resemble an outage, after which a request is sent again without counting as a retry.
    assert met.get("sgr/retry/count", 0) + met.get("sgr/probes", 0) >= 8


def test_a_walk_that_keeps_failing_is_recorded_and_the_harvest_continues(harvester: Harvester) -> None:
    harvester.sandbox.set_faults([{"name": "text_503", "path": "/reposters"}])
    ended = harvester.crawl(settings={**FAST, "RETRY_TIMES": 2})
    assert ended.code == 3
    ((status, reason),) = harvester.query(
        "SELECT status, reason FROM walks WHERE endpoint = 'track_reposters'"
    )
    assert status == "failed"
    assert "HTTP 503" in reason
    assert (
        harvester.value("SELECT count(*) FROM walks WHERE endpoint = 'user_likes' AND status = 'done'") > 40
    )


@pytest.mark.parametrize("fault", ["waf_challenge", "html_403"])
def test_a_block_stops_the_run_and_keeps_the_ledger(harvester: Harvester, fault: str) -> None:
    harvester.sandbox.set_faults([{"name": fault, "path": "/likes", "after": 5}])
    ended = harvester.crawl()
    assert ended.code == 4, ended.log
    assert harvester.value("SELECT outcome FROM runs") == "blocked"
    assert harvester.value("SELECT count(*) FROM relationship_runs") == 0
    assert harvester.value("SELECT count(*) FROM walks WHERE status = 'failed'") == 0
    assert harvester.value("SELECT count(*) FROM walks WHERE status = 'planned'") > 30
    assert len([e for e in harvester.sandbox.log() if "/likes" in e["path"]]) < 12
    harvester.sandbox.clear_faults()
    assert harvester.crawl().code == 0


@pytest.mark.parametrize("fault", ["foreign_next_href", "evil_next_href", "drop_access"])
def test_a_bad_next_href_is_corrected(
    harvester: Harvester, undisturbed: dict[str, list[tuple[Any, ...]]], fault: str
) -> None:
    harvester.sandbox.set_faults([{"name": fault, "path": "/"}])
    assert harvester.crawl().code == 0
    for table in RECORDS:
        assert harvester.contents()[table] == undisturbed[table]
    later_pages = [
        e for e in harvester.sandbox.log() if "cursor" in str(e["query"]) and "/likes" in e["path"]
    ]
    assert later_pages
    assert all("access" in str(entry["query"]) for entry in later_pages)


def test_a_redirect_to_another_host_is_not_followed(harvester: Harvester) -> None:
    harvester.sandbox.set_faults([{"name": "redirect_foreign", "path": "/reposters"}])
    ended = harvester.crawl()
    assert ended.code == 3, ended.log
    reasons = harvester.query("SELECT endpoint, reason FROM walks WHERE status = 'failed'")
    assert reasons == [("track_reposters", "unexpected redirect")]


def test_a_repeated_next_href_ends_the_walk(harvester: Harvester) -> None:
    harvester.sandbox.set_faults([{"name": "repeat_next_href", "path": "/likes"}])
    ended = harvester.crawl()
    assert ended.code == 3, ended.log
    reasons = harvester.query("SELECT DISTINCT reason FROM walks WHERE status = 'failed'")
    assert reasons == [("next_href repeats an earlier page",)]
    assert harvester.value("SELECT max(pages) FROM walks") <= 4


def test_a_revoked_token_is_refreshed_once(harvester: Harvester) -> None:
    harvester.sandbox.set_faults([{"name": "revoke_tokens", "after": 20, "times": 1}])
    assert harvester.crawl().code == 0
    tokens = [entry for entry in harvester.sandbox.log() if entry["path"] == "/oauth/token"]
    assert len(tokens) <= 2
    assert any(entry["status"] == 401 for entry in harvester.sandbox.log())


def test_a_token_renewed_by_another_process_is_read_from_the_cache(
    harvester: Harvester, tmp_path: Path
) -> None:
    """A refresh token works once, so the crawl uses the cached one instead of its first."""
    sandbox = harvester.sandbox
    process = harvester.start(settings={"DOWNLOAD_DELAY": 0.05})
    harvester.wait_until(lambda: _answered(sandbox) >= 3, process)
    (cache,) = (path for path in tmp_path.glob("cache/soundgraph/*") if not path.name.endswith(".lock"))
    # The lock is free between two renewals.
    with FileLock(cache.with_suffix(".lock"), timeout=0):
        kept = json.loads(cache.read_text())
        renewed = sandbox.refresh_token(kept["refresh_token"])
        pair = {name: renewed[name] for name in ("access_token", "refresh_token")}
        cache.write_text(json.dumps({**kept, **pair, "expires_at": kept["obtained_at"]}))
    sandbox.set_faults([{"name": "revoke_tokens", "times": 1}])
    ended = harvester.wait(process)
    assert ended.code == 0, ended.log
    stats = json.loads(harvester.value("SELECT stats FROM runs"))
    assert (stats["sgr/token/exchanges"], stats["sgr/token/refreshes"]) == (1, 1)
    assert "The refresh token is refused" not in ended.log


def _answered(sandbox: SandboxProcess) -> int:
    return sum(entry["status"] == 200 and entry["path"] != "/oauth/token" for entry in sandbox.log())


def test_no_secret_is_in_the_log_or_the_database(harvester: Harvester, tmp_path: Path) -> None:
    harvester.sandbox.set_faults(
        [{"name": "text_503", "every": 10}, {"name": "revoke_tokens", "after": 20, "times": 1}]
    )
    ended = harvester.crawl(settings={**FAST, "LOG_LEVEL": "DEBUG"})
    assert ended.code in {0, 3}
    (cache,) = (path for path in tmp_path.glob("cache/soundgraph/*") if not path.name.endswith(".lock"))
    assert cache.stat().st_mode & 0o777 == 0o600
    kept = json.loads(cache.read_text())
    tokens = [kept["access_token"], kept["refresh_token"]]
    database = stored_bytes(harvester.database)
    for token in tokens:
        assert token not in ended.log
        assert token.encode() not in database


def test_hostile_text_and_unusual_shapes(tmp_path: Path) -> None:
    options = ("--hostile-text", "--numeric-ids", "mixed", "--uri", "mixed", "--gzip")
    with SandboxProcess(*options) as sandbox:
        harvester = Harvester(sandbox, tmp_path / "harvest.db")
        ended = harvester.crawl()
        assert ended.code == 0, ended.log
        titles = [title for (title,) in harvester.query("SELECT title FROM tracks WHERE title IS NOT NULL")]
        assert len(titles) > 500
        unwanted = {"\0", "\x1b", "\x07", "\u202e"}
        assert not any(unwanted & set(title) for title in titles)
        assert harvester.value("SELECT stats FROM runs").count("sgr/validate/text_cleaned") == 1
