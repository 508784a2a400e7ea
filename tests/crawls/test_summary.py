"""The summary and statistics of a real harvest match its database."""

from __future__ import annotations

import json
import re
import shlex
import signal
from typing import TYPE_CHECKING, Any

import pytest

from sgr_spiders.config.harvest import LAYER_NAMES, DeepHarvest
from sgr_spiders.layers import cap_of
from sgr_spiders.model.statistics import STATISTICS, find
from sgr_spiders.soundcloud.endpoints import ENDPOINTS
from sgr_spiders.storage.store import Store
from tests.crawls.crawling import CrawlResult, Harvester
from tests.crawls.held_settings import HELD

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox_process import SandboxProcess

KINDS = ("tracks", "users", "playlists", "engagements", "comments")
FAST = {"BACKOFF_BASE": 0.01, "BACKOFF_MAX": 0.05, "RATE_LIMIT_BASE": 0.2, "RATE_LIMIT_MAX": 0.4}
SUMMARY = "] (?:INFO|WARNING): (Harvest [a-z]+ after (?s:.+))"

# A different cap for each setting, small enough to cut.
CAPS = """
deep_harvest:
  request_delay: 0
  user_depth: {max_users_per_track: 11, max_tracks_per_user: 7}
  playlist_depth: {max_playlists_per_liker: 1, max_search_playlists: 2, max_tracks_per_playlist: 3}
  artist_depth: {max_artist_tracks: 5}
  semantic_depth: {fuzzy_search_limit: 13}
  commentary_layer: {max_commenters: 4}
  label_layer: {max_catalog_size: 17}
  contextual_layer: {max_tracks_per_entity: 6}
"""


class LoggedSummary:
    """The summary in the log of a crawl."""

    def __init__(self, ended: CrawlResult) -> None:
        found = re.search(SUMMARY, ended.log)
        assert found is not None, ended.log
        self.lines = found[1].rstrip().splitlines()

    def table(self, head: str) -> dict[str, list[str]]:
        """Return the rows of the table under the line *head*, by their first cell."""
        start = next(number for number, line in enumerate(self.lines) if re.match(rf"{head} +\w", line))
        end = self.lines.index("", start)
        split = [re.split(r"  +", line) for line in self.lines[start + 1 : end]]
        return {cells[0]: cells[1:] for cells in split}

    def text(self) -> str:
        return "\n".join(self.lines)


def stats_of(harvester: Harvester) -> dict[str, Any]:
    stats: dict[str, Any] = json.loads(harvester.value("SELECT stats FROM runs ORDER BY run_id DESC LIMIT 1"))
    return stats


def tokens_of(stats: dict[str, Any]) -> int:
    """Return the number of tokens that a crawl requested; it may also have used a cached one."""
    tokens: int = stats.get("sgr/token/exchanges", 0) + stats.get("sgr/token/refreshes", 0)
    return tokens


@pytest.fixture(scope="module")
def deep(
    shared_sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Harvester, CrawlResult]:
    """Run a complete deep harvest."""
    shared_sandbox.clear_faults()
    folder = tmp_path_factory.mktemp("deep")
    harvester = Harvester(shared_sandbox, folder / "harvest.db")
    # Without a token of an earlier sandbox on this port, whose refusal would be logged.
    harvester.environment["XDG_CACHE_HOME"] = str(folder / "cache")
    ended = harvester.crawl("deep_harvest")
    assert ended.code == 0, ended.log
    return harvester, ended


@pytest.fixture(scope="module")
def disturbed(
    shared_sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Harvester, CrawlResult]:
    """Run a harvest in which everything happens that is counted."""
    faults = [
        "rate_limit_retry_after:seconds=1,after=3,times=1",
        "revoke_tokens:after=20,times=1",
        "text_503:path=/comments",
        "empty_500:path=/likes,every=9,times=2",
        "reset:path=.,after=60,times=9",
        "text_503:path=.,after=75,times=5",
    ]
    shared_sandbox.set_faults(faults)
    harvester = Harvester(shared_sandbox, tmp_path_factory.mktemp("disturbed") / "harvest.db")
    harvester.environment["SCRAPY_SETTINGS_MODULE"] = "tests.crawls.spoiled_settings"
    ended = harvester.crawl("deep_harvest", settings={**FAST, "RETRY_TIMES": 2, "MAX_GONE_ROW": 1})
    shared_sandbox.clear_faults()
    assert ended.code == 3, ended.log
    return harvester, ended


def records_found(harvester: Harvester, layer: str) -> dict[str, int]:
    """Count the records of a layer independently of the project's own counts."""
    found = {}
    for kind in ("track", "user", "playlist", "comment"):
        condition = "is_stub" if kind != "comment" else "false"
        stubs = f"SELECT {kind}_id FROM {kind}s WHERE {condition}"  # noqa: S608 - constants
        found[f"{kind}s"] = harvester.value(
            f"""SELECT count(DISTINCT record_id) FROM discoveries
                WHERE layer = ? AND kind = ? AND record_id NOT IN ({stubs})""",  # noqa: S608 - the same
            layer,
            kind,
        )
    return found


def engagements_found(harvester: Harvester, layer: str) -> int:
    rows = harvester.query(
        """SELECT endpoint, target, kind, record_id FROM walk_requests JOIN walks USING (walk_id)
           JOIN walk_records ON walk_records.walk_id = walks.walk_id AND position < widest
           WHERE layer = ? AND NOT selective""",
        layer,
    )
    engagements = set()
    for endpoint, target, kind, record in rows:
        what = {
            ("track_favoriters", "user"): (record, target, "like"),
            ("track_reposters", "user"): (record, target, "repost"),
            ("track_comments", "user"): (record, target, "comment"),
            ("user_likes", "track"): (target, record, "like"),
        }.get((endpoint, kind))
        if what is not None:
            engagements.add(tuple(map(str, what)))
    return len(engagements)


@pytest.mark.parametrize("layer", LAYER_NAMES)
def test_what_a_layer_found_is_in_summary_and_statistics(
    deep: tuple[Harvester, CrawlResult], layer: str
) -> None:
    harvester, ended = deep
    expected = records_found(harvester, layer) | {"engagements": engagements_found(harvester, layer)}
    stats = stats_of(harvester)
    assert {kind: stats[f"sgr/layer/{layer}/{kind}"] for kind in KINDS} == expected
    pages = harvester.value(
        """SELECT count(*) FROM walk_pages
           WHERE walk_id IN (SELECT walk_id FROM walk_requests WHERE layer = ?)""",
        layer,
    )
    assert stats[f"sgr/layer/{layer}/requests"] == pages
    row = LoggedSummary(ended).table("found")[layer]
    assert row[:6] == [f"{expected[kind]:,}" for kind in KINDS] + [f"{pages:,}"]


def test_totals_count_each_record_once(deep: tuple[Harvester, CrawlResult]) -> None:
    harvester, ended = deep
    stats, table = stats_of(harvester), LoggedSummary(ended).table("found")
    rows = []
    for name in KINDS:
        where = "WHERE NOT is_stub" if name in {"tracks", "users", "playlists"} else ""
        rows.append(harvester.value(f"SELECT count(*) FROM {name} {where}"))  # noqa: S608 - constants
        assert stats[f"{name}_collected"] == stats[f"sgr/first_seen/{name}"] == rows[-1]
    assert table["in the database"] == [f"{count:,}" for count in rows]
    together = [
        harvester.value("SELECT count(DISTINCT record_id) FROM discoveries WHERE kind = ?", kind)
        for kind in ("track", "user", "playlist")
    ]
    assert table["total (distinct)"][:3] == [f"{count:,}" for count in together]
    pages = harvester.value("SELECT count(*) FROM walk_pages")
    assert table["total (distinct)"][5] == f"{pages:,}"


def test_walks_are_counted_by_layer(deep: tuple[Harvester, CrawlResult]) -> None:
    harvester, ended = deep
    table = LoggedSummary(ended).table("walks")
    for layer in LAYER_NAMES:
        counts = dict(
            harvester.query(
                """SELECT status, count(*) FROM walks
                   WHERE walk_id IN (SELECT walk_id FROM walk_requests WHERE layer = ?) GROUP BY status""",
                layer,
            )
        )
        row = table[layer][1:5]
        assert row == [f"{counts.get(status, 0):,}" for status in ("done", "capped", "gone", "failed")]
        cut = harvester.value("SELECT count(*) FROM cuts WHERE layer = ?", layer)
        assert table[layer][0] == ("capped" if counts.get("capped") or cut else "complete")


def test_the_summary_fits_a_terminal_and_names_the_database_and_the_next_command(
    deep: tuple[Harvester, CrawlResult],
) -> None:
    harvester, ended = deep
    summary = LoggedSummary(ended)
    where = f"Data written to {Store(harvester.url).describe()}"
    to_copy = (where, "Report: ", "Next: ")
    assert max(len(line) for line in summary.lines if not line.startswith(to_copy)) <= 100
    assert any(line.startswith(where) for line in summary.lines)
    assert any(line.startswith("Report: ") for line in summary.lines)
    assert summary.lines[-1].startswith("Next: ")
    assert " status -s HARVEST_DATABASE_URL=" in summary.lines[-1]
    sent = len(harvester.sandbox.log())
    stats = stats_of(harvester)
    line = next(line for line in summary.lines if " requests sent" in line)
    assert line.startswith(f"{sent:,} requests sent")
    assert (f"{tokens_of(stats)} token request" in line) == (tokens_of(stats) > 0)
    assert stats["sgr/requests"] == sent


def test_the_start_logs_only_useful_lines(deep: tuple[Harvester, CrawlResult]) -> None:
    _, ended = deep
    before = ended.log.partition("Harvest complete")[0]
    assert "Run 1: 7 layers, 1 seed, from http://127.0.0.1:" in before
    assert "Enabled" not in before
    assert "Versions" not in before
    sources = re.findall(r"^[-\d]+ [:\d]+ \[sgr_spiders\.([\w.]+)\] INFO: ", before, re.MULTILINE)
    assert len(sources) == len(before.splitlines()), before
    # A slow machine logs its progress more often; each table of relationships has a line.
    once = [name for name in sources if name != "crawl.progress" and not name.startswith("relationships.")]
    assert once == ["crawl.opening", "crawl.harvest", "crawl.finishing", "crawl.harvest"]


@pytest.mark.parametrize("crawl", ["deep", "disturbed"])
def test_every_statistic_that_appears_is_documented(request: pytest.FixtureRequest, crawl: str) -> None:
    harvester, _ = request.getfixturevalue(crawl)
    ours = [name for name in stats_of(harvester) if name.startswith("sgr/") or name.endswith("_collected")]
    assert len(ours) > 30
    assert [name for name in ours if find(name) is None] == []


@pytest.mark.sqlite("the speed of the database decides which requests are in flight at the resets")
def test_every_documented_statistic_appears(
    deep: tuple[Harvester, CrawlResult], disturbed: tuple[Harvester, CrawlResult]
) -> None:
    seen = {find(name) for harvester, _ in (deep, disturbed) for name in stats_of(harvester)}
    missing = [statistic.name for statistic in STATISTICS if statistic not in seen]
    assert [name for name in missing if "<lane>" not in name] == [], "lanes are counted if there are several"


@pytest.mark.sqlite("the speed of the database decides which requests are in flight at the resets")
def test_failed_walks_are_shown_with_the_reason(disturbed: tuple[Harvester, CrawlResult]) -> None:
    harvester, ended = disturbed
    summary = LoggedSummary(ended)
    failed = harvester.value("SELECT count(*) FROM walks WHERE status = 'failed'")
    assert failed == 2
    assert summary.lines[0].startswith("Harvest partial after")
    start = summary.lines.index("2 walks failed; rerun to retry")
    lines = sorted(summary.lines[start + 1 : start + 3])
    assert re.fullmatch(
        rf"  1  track_comments   e.g. {harvester.sandbox.seed_track_id}  HTTP 503: .+", lines[0]
    )
    assert re.fullmatch(r"  1  track_reposters  e.g. \d+  OutOfScopeError: out of scope: .+", lines[1])
    table = summary.table("walks")
    assert table["user_depth"][0] == table["commentary_layer"][0] == table["total (distinct)"][0] == "partial"
    assert table["artist_depth"][0] == "complete"
    stats = stats_of(harvester)
    again, held = stats["sgr/retry/count"], stats["sgr/hold_seconds"]
    line = next(line for line in summary.lines if " requests sent" in line)
    assert f"({again} retr" in line
    assert f", {tokens_of(stats)} token request" in line
    assert f", paused {held:.1f} s by rate limits or refusals" in line


def test_the_summary_ends_with_the_command_that_resumes(disturbed: tuple[Harvester, CrawlResult]) -> None:
    harvester, ended = disturbed
    command = LoggedSummary(ended).lines[-1].strip()
    assert command.endswith(stats_of(harvester)["sgr/command"])
    words = shlex.split(command)
    assert words[words.index("crawl") + 1] == "deep_harvest"
    given = [f"track_id={harvester.sandbox.seed_track_id}", "config=sandbox", "RETRY_TIMES=2"]
    assert set(given) < set(words)


def test_every_cap_is_named_by_its_setting(sandbox: SandboxProcess, tmp_path: Path) -> None:
    """For each capped walk of a layer, the named setting has the value of the cap."""
    (tmp_path / "caps.yaml").write_text(CAPS)
    harvester = Harvester(sandbox, tmp_path / "harvest.db", config=str(tmp_path / "caps.yaml"))
    ended = harvester.crawl("deep_harvest")
    assert ended.code == 0, ended.log
    settings = DeepHarvest.model_validate(
        {
            layer: dict(re.findall(r"(\w+): (\d+)", line))
            for layer, line in re.findall(r"^  (\w+): \{(.+)\}", CAPS, re.MULTILINE)
        },
        strict=False,
    )
    unnamed, named = [], set()
    for layer, step, endpoint, cap in harvester.query(
        """SELECT DISTINCT layer, step, endpoint, cap FROM walk_requests JOIN walks USING (walk_id)"""
    ):
        setting = cap_of(layer, step)
        if isinstance(setting, str):
            key = setting.partition(".")[2]
            assert getattr(settings.layer(layer), key) == cap, setting
            named.add(setting)
        elif setting is None and cap < 1_000_000_000 and ENDPOINTS[endpoint].paged:
            unnamed.append((layer, step))
    assert unnamed == []
    assert len(named) >= 9
    text = LoggedSummary(ended).text()
    assert re.search(
        r" 1  user_depth\.max_users_per_track = 11 +11 of \d+ +track_favoriters +e\.g\. \d+$",
        text,
        re.MULTILINE,
    )
    # Other layers want all likers, so the walk is done although it is cut for this layer.
    likers = "SELECT status FROM walks WHERE endpoint = 'track_favoriters'"
    assert harvester.query(likers) == [("done",)]


def test_a_block_is_shown_with_the_next_step(harvester: Harvester) -> None:
    harvester.sandbox.set_faults([{"name": "waf_challenge", "path": "/likes", "after": 5}])
    summary = LoggedSummary(harvester.crawl())
    assert summary.lines[0].startswith("Harvest blocked after")
    assert "rerun to resume when the cause is fixed:" in summary.lines[-2]
    assert "scrapy crawl user_depth" in summary.lines[-1]
    pending = harvester.value("SELECT count(*) FROM walks WHERE status = 'planned'")
    assert summary.table("walks")["user_depth"][:1] + summary.table("walks")["user_depth"][5:6] == [
        "partial",
        str(pending),
    ]


def test_ctrl_c_logs_how_to_resume(harvester: Harvester) -> None:
    ended = harvester.interrupt_when(lambda: _spilled(harvester) >= 8, settings={"DOWNLOAD_DELAY": 0.1})
    assert ended.code == 130, ended.log
    (line,) = [line for line in ended.log.splitlines() if "Interrupted" in line]
    command = stats_of(harvester)["sgr/command"]
    assert "Interrupted: finishing the requests in flight; rerun to resume: " in line
    assert line.endswith(command)
    summary = LoggedSummary(ended)
    assert summary.lines[0].endswith("stopped by a signal")
    assert summary.lines[-1].endswith(command)
    sent = [entry for entry in harvester.sandbox.log() if entry["path"] != "/robots.txt"]
    assert re.search(rf"^{len(sent)} requests sent", summary.text(), re.MULTILINE)


def test_a_second_ctrl_c_ends_the_crawl_at_once(harvester: Harvester) -> None:
    harvester.sandbox.set_faults([{"name": "hang", "path": "/likes", "after": 2}])
    process = harvester.start()
    harvester.wait_until(lambda: _spilled(harvester) >= 6, process)
    process.send_signal(signal.SIGINT)
    harvester.wait_until(lambda: "Interrupted" in harvester._log.read_text(), process)
    process.send_signal(signal.SIGINT)
    ended = harvester.wait(process, no_outcome="a second Ctrl-C leaves no time to save it")
    assert ended.code == 130, ended.log
    assert re.search(
        r"Ended at once, without a summary\. .+: \S*scrapy crawl user_depth -a track_id=", ended.log
    )
    assert "Traceback" not in ended.log
    harvester.sandbox.clear_faults()
    assert harvester.crawl().code == 0


def test_a_second_ctrl_c_may_come_when_the_crawl_has_ended(sandbox: SandboxProcess, tmp_path: Path) -> None:
    held = tmp_path / "held"
    environment = {"SCRAPY_SETTINGS_MODULE": "tests.crawls.held_settings", HELD: str(held)}
    harvester = Harvester(sandbox, tmp_path / "harvest.db", environment=environment)
    process = harvester.start(settings={"DOWNLOAD_DELAY": 0.05})
    harvester.wait_until(lambda: _spilled(harvester) >= 6, process)
    process.send_signal(signal.SIGINT)
    harvester.wait_until(held.exists, process)
    process.send_signal(signal.SIGINT)
    ended = harvester.wait(process, no_outcome="a second Ctrl-C leaves no time to save it")
    assert ended.code == 130, ended.log
    assert "Ended at once, without a summary" in ended.log
    assert harvester.query("SELECT outcome FROM runs") == [(None,)]


def _spilled(harvester: Harvester) -> int:
    return sum(entry["status"] == 200 for entry in harvester.sandbox.log())
