"""Crawls with several API keys, each with a limit of its own; some of the keys are refused."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests import databases
from tests.crawls.crawling import Harvester
from tests.crawls.small import settings_of, start_sandbox, write_config
from tests.scrapy_process import run_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.crawls.crawling import CrawlResult
    from tests.sandbox_process import SandboxProcess

WIDE = settings_of(user_depth={"max_users_per_track": 14, "max_tracks_per_user": 12})
FAST = {
    "BACKOFF_BASE": 0.01, "BACKOFF_MAX": 0.05, "DISALLOWED_BACKOFF_BASE": 0.01,
    "RATE_LIMIT_BASE": 0.1, "RATE_LIMIT_MAX": 0.2,
    # With more pauses of a lane, the other one could end the crawl alone before the last of them.
    "DISALLOWED_RETRY_TIMES": 1,
}  # fmt: skip
BLOCKED = 4


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[SandboxProcess]:
    with start_sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def whole(shared_sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> Harvester:
    """Harvest with one key, without a fault."""
    folder = tmp_path_factory.mktemp("whole")
    config = write_config(folder / "wide.yaml", WIDE)
    harvester = Harvester(shared_sandbox, folder / "harvest.db", FAST, config=str(config))
    assert harvester.crawl().code == 0
    return harvester


@pytest.fixture
def harvester(sandbox: SandboxProcess, tmp_path: Path) -> Harvester:
    """Return a harvester with the keys of anna and ben."""
    config = write_config(tmp_path / "wide.yaml", WIDE)
    harvester = Harvester(sandbox, tmp_path / "harvest.db", FAST, config=str(config))
    use_keys(harvester, anna="id-0f-anna", ben="id-0f-ben")
    return harvester


def use_keys(harvester: Harvester, **ids: str) -> None:
    file = harvester.database.with_name("keys.yaml")
    entries = {name: {"client_id": key, "client_secret": "sandbox"} for name, key in ids.items()}
    file.write_text(json.dumps(entries))
    file.chmod(0o600)
    harvester.environment |= {
        "SOUNDCLOUD_CREDENTIALS": str(file), "SOUNDCLOUD_CLIENT_ID": "", "SOUNDCLOUD_CLIENT_SECRET": "",
        # Tokens of another test would hide that this one gets its own.
        "XDG_CACHE_HOME": str(file.with_name("cache")),
    }  # fmt: skip


def crawl(harvester: Harvester, code: int, *faults: str) -> CrawlResult:
    harvester.sandbox.set_faults(faults)
    ended = harvester.crawl()
    assert ended.code == code, ended.log
    assert "Traceback" not in ended.log
    assert "id-0f" not in ended.log
    if not databases.is_on_server():
        assert b"id-0f" not in harvester.database.read_bytes()
    return ended


def lanes(harvester: Harvester) -> dict[str, Any]:
    """Return the statistics of the lanes, without the prefix of their names."""
    stats = json.loads(harvester.value("SELECT stats FROM runs ORDER BY run_id DESC LIMIT 1"))
    return {name.removeprefix("sgr/lane/"): value for name, value in stats.items() if "sgr/lane/" in name}


def assert_whole(harvester: Harvester, whole: Harvester) -> None:
    """Check that a harvest has found what one with a single good key finds."""
    for table in ("walks", "tracks", "users", "engagements", "discoveries"):
        ours, theirs = harvester.contents()[table], whole.contents()[table]
        assert len(ours) == len(theirs), table
        if table != "walks":
            assert ours == theirs, table


def test_keys_that_are_refused_leave_the_others_working(harvester: Harvester, whole: Harvester) -> None:
    use_keys(harvester, anna="id-0f-anna", ben="id-0f-ben", carla="bad-id-0f-carla")
    limit = "limiter:interval=0.06,burst=3,by=client,refusal=retry_after"
    ended = crawl(harvester, 0, limit, "revoke_app:client=id-0f-ben,after=12,path=^/(tracks|users)")
    assert_whole(harvester, whole)
    assert "Lane carla is out of use (refused): client credentials refused by" in ended.log
    assert "check entry `carla` of SOUNDCLOUD_CREDENTIALS" in ended.log
    assert "Lane ben is out of use (revoked): client credentials refused by" in ended.log
    assert "lanes left: anna\n" in ended.log
    found = lanes(harvester)
    states = {name: value for name, value in found.items() if name.endswith("/state")}
    assert states == {"anna/state": "ok", "ben/state": "revoked", "carla/state": "refused"}
    sent = Counter(
        entry["client"] for entry in harvester.sandbox.log() if not entry["path"].startswith("/oauth")
    )
    assert "bad-id-0f-carla" not in sent
    # The token of a revoked app is unknown to the sandbox, and so is its client.
    assert sent["id-0f-ben"] + sent[""] == found["ben/requests"] > 10
    assert sent["id-0f-anna"] == found["anna/requests"] > found["ben/requests"]
    assert re.search(r"\nlanes +requests +refused for rate +paused\n *anna +ok +[0-9]+ ", ended.log)
    assert re.search(r"\nben +revoked +[0-9]+ ", ended.log)
    assert re.search(r"\ncarla +refused +0 +0 ", ended.log)
    status = run_command("status", HARVEST_DATABASE_URL=databases.url_of(harvester.database))
    assert re.search(r"\nanna +ok .*\nben +revoked .*\ncarla +refused ", status.out), status
    assert "\n  carla: client credentials refused by" in status.out
    listed = run_command("status", "--json", HARVEST_DATABASE_URL=databases.url_of(harvester.database)).out
    found_lanes = json.loads(listed)["lanes"]
    assert [lane["state"] for lane in found_lanes] == ["ok", "revoked", "refused"]
    assert "id-0f" not in status.out + listed


def test_the_run_ends_when_no_key_is_left(harvester: Harvester) -> None:
    use_keys(harvester, anna="id-0f-anna", carla="bad-id-0f-carla")
    ended = crawl(harvester, BLOCKED, "revoke_app:client=id-0f-anna,after=6,path=^/(tracks|users)")
    (line,) = [line for line in ended.log.splitlines() if "Stopping" in line]
    assert "no API key is left: anna (revoked): " in line
    assert "; carla (refused): " in line
    assert harvester.query("SELECT outcome FROM runs") == [("blocked",)]
    assert harvester.value("SELECT count(*) FROM walks WHERE status = 'failed'") == 0


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("json_403", "a record known to be good is refused as well"),
        ("json_404", "a record known to be good is refused as well"),
        ("gateway_403:text=Key is inactive, please renew", "the API's gateway refuses this client"),
        ("json_401", "the API refuses a new token too"),
    ],
)
def test_what_one_key_is_refused_is_fetched_with_another(
    harvester: Harvester, whole: Harvester, fault: str, reason: str
) -> None:
    name, _, rest = fault.partition(":")
    options = f"client=id-0f-ben,after=4,path=^/(tracks|users){',' if rest else ''}{rest}"
    ended = crawl(harvester, 0, f"{name}:{options}")
    (line,) = [line for line in ended.log.splitlines() if "out of use" in line]
    assert "Lane ben is out of use (re" in line
    assert reason in line
    lost = "SELECT status, target FROM walks WHERE status IN ('gone', 'failed') ORDER BY target"
    assert harvester.query(lost) == whole.query(lost)
    assert_whole(harvester, whole)
    assert lanes(harvester)["ben/requests"] < 40


def test_a_bad_file_ends_the_crawl_before_it_begins(harvester: Harvester) -> None:
    use_keys(harvester, anna="id-0f anna")
    ended = crawl(harvester, 2)
    assert "line 1, entry `anna`: `client_id` contains whitespace or invalid characters" in ended.log
    assert harvester.sandbox.log() == []
