"""Several runs on one database: refreshes, budgets, seeds that share walks, and the journal of each run."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from sgr_spiders.sandbox.objects import ObjectWriter
from sgr_spiders.sandbox.options import ShapeOptions
from sgr_spiders.titles.terms import key_terms
from tests.crawls.crawling import CrawlResult, Harvester
from tests.crawls.small import build_world, settings_of, start_sandbox, write_config
from tests.databases import connect, days_before

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sgr_spiders.sandbox.world import World
    from tests.sandbox_process import SandboxProcess

FEW = settings_of(user_depth={"max_users_per_track": 3, "max_tracks_per_user": 7})
NO_RETRIES = {"RETRY_TIMES": 0, "DISALLOWED_RETRY_TIMES": 0, "BACKOFF_BASE": 0.05}


@pytest.fixture(scope="module")
def world() -> World:
    return build_world()


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[SandboxProcess]:
    with start_sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def address(world: World) -> str:
    """Return the URL of the seed on the site."""
    track = world.track_index(world.seed_track_id)
    assert track is not None
    link = ObjectWriter(world, ShapeOptions()).track_permalink(track)
    return f"https://soundcloud.com/{world.permalink_of(world.seed_artist_id or 0)}/{link}"


@pytest.fixture
def harvester(sandbox: SandboxProcess, tmp_path: Path) -> Harvester:
    return Harvester(sandbox, tmp_path / "harvest.db", config=str(write_config(tmp_path / "few.yaml", FEW)))


def crawl(harvester: Harvester, code: int = 0, **arguments: Any) -> CrawlResult:
    harvester.sandbox.clear_log()
    ended = harvester.crawl(**arguments)
    assert ended.code == code, ended.log
    return ended


def requests_of(harvester: Harvester) -> list[str]:
    log = harvester.sandbox.log()
    return [f"{entry['path']}?{entry['query']}" for entry in log if entry["path"] != "/oauth/token"]


def age(harvester: Harvester, days: float, which: str = "true") -> None:
    """Make walks *days* older."""
    with closing(connect(harvester.database)) as connection, connection:
        older = ", ".join(
            f"{column} = {days_before(column, days)}"
            for column in ("created_at", "started_at", "finished_at")
        )
        connection.execute(f"UPDATE walks SET {older} WHERE {which}")  # noqa: S608 - constants


def generations(harvester: Harvester, which: str = "true") -> set[int]:
    return {row[0] for row in harvester.query(f"SELECT generation FROM walks WHERE {which}")}  # noqa: S608


def other_track(world: World) -> int:
    """Return a track that shares some, but not all, of its first three likers with the seed."""
    first = set((world.likers(world.seed_track_id) or [])[:3])
    return next(
        track
        for track in world.track_ids()
        if track != world.seed_track_id and 0 < len(first & set((world.likers(track) or [])[:3])) < 3
    )


def test_a_walk_cut_by_a_budget_keeps_its_start_time(harvester: Harvester) -> None:
    crawl(harvester, 3, max_requests=5)
    cut = "SELECT walk_id, started_at FROM walks WHERE status = 'planned' AND pages > 0"
    # Which walks are fetched first depends on the order of the responses.
    before = harvester.query(cut)
    for _ in range(8):
        if not before:
            crawl(harvester, 3, max_requests=1)
            before = harvester.query(cut)
    assert before
    crawl(harvester)
    started = dict(harvester.query("SELECT walk_id, started_at FROM walks"))
    assert [(walk, started[walk]) for walk, _ in before] == before
    harvester.rerun()


def test_a_stale_walk_of_another_seed_is_refetched_if_needed(harvester: Harvester, world: World) -> None:
    other = other_track(world)
    crawl(harvester, track_id=other)
    theirs = {row[0] for row in harvester.query("SELECT walk_id FROM walks")}
    age(harvester, 7.1)
    crawl(harvester)
    wanted = "walk_id IN (SELECT walk_id FROM walk_requests WHERE seed_id = {})"
    ours = wanted.format(world.seed_track_id)
    shared = harvester.query(f"SELECT walk_id FROM walks WHERE {ours}")  # noqa: S608 - a number
    assert theirs & {row[0] for row in shared}
    assert generations(harvester, f"{ours} AND {wanted.format(other)}") == {1}
    assert generations(harvester, f"NOT {ours}") == {0}, "walks of the other seed were refetched"
    assert generations(harvester, f"NOT {wanted.format(other)}") == {0}
    harvester.rerun()


def test_an_up_to_date_walk_of_another_seed_is_not_refetched(harvester: Harvester, world: World) -> None:
    crawl(harvester, track_id=other_track(world))
    before = set(requests_of(harvester))
    age(harvester, 6.9)
    crawl(harvester)
    assert not before & set(requests_of(harvester))
    assert generations(harvester) == {0}


def test_a_refresh_after_a_partial_one_refetches_everything(harvester: Harvester) -> None:
    crawl(harvester)
    harvester.sandbox.set_faults([{"name": "text_503", "path": "/reposters"}])
    crawl(harvester, 3, refresh=1, settings=NO_RETRIES)
    assert harvester.value("SELECT outcome FROM runs WHERE run_id = 2") == "partial"
    harvester.sandbox.clear_faults()
    crawl(harvester, refresh=1)
    # The failed walk was still pending in its first generation.
    assert generations(harvester, "endpoint <> 'track_reposters'") == {2}
    harvester.rerun()


def test_an_unfinished_refresh_of_another_seed_does_not_count(harvester: Harvester, world: World) -> None:
    other = other_track(world)
    crawl(harvester, 3, track_id=other, refresh=1, max_requests=2)
    crawl(harvester)
    before = sorted(requests_of(harvester))
    crawl(harvester, refresh=1)
    assert sorted(requests_of(harvester)) == before
    assert generations(
        harvester,
        f"walk_id IN (SELECT walk_id FROM walk_requests WHERE seed_id <> {other})",  # noqa: S608 - a number
    ) == {1}


def test_an_unfinished_ordinary_run_is_not_a_refresh(harvester: Harvester) -> None:
    crawl(harvester, 3, max_requests=4)
    ended = harvester.value("SELECT count(*) FROM walks WHERE finished_at NOTNULL")
    assert ended
    crawl(harvester, refresh=1)
    assert harvester.value("SELECT count(*) FROM walks WHERE generation = 1") == ended


def test_a_refresh_counts_empty_pages_from_0(
    harvester: Harvester, sandbox: SandboxProcess, world: World, tmp_path: Path
) -> None:
    """Ten pages of private tracks in a row end a walk; a single one in the refresh does not."""
    likers = world.likers(world.seed_track_id) or []
    position, user = next((position, user) for position, user in enumerate(likers) if world.library(user))
    library = world.library(user) or []
    private = [
        track for track in world.track_ids() if world.track_is_visible(track) and track not in library
    ][:56]
    sandbox.mutate(like=[[user, track] for track in private], private_tracks=private)
    caps = {"max_users_per_track": position + 1, "max_tracks_per_user": 1000, "include_reposters": False}
    config = write_config(tmp_path / "whole.yaml", {"user_depth": caps})
    crawl(harvester, config=config)
    walk = "SELECT status, reason FROM walks WHERE endpoint = 'user_likes' AND target = ?"
    assert harvester.query(walk, str(user)) == [("capped", "10 empty pages in a row")]
    harvester.rerun()
    sandbox.mutate(public_tracks=private[8:])
    crawl(harvester, config=config, refresh=1)
    assert harvester.query(walk, str(user)) == [("done", None)]
    harvester.rerun()


def test_seeds_that_share_a_search_both_get_its_hits(
    sandbox: SandboxProcess, world: World, tmp_path: Path
) -> None:
    """The harvest of the first seed ends after one page of the search; that of the second reads all pages."""
    by_term: dict[str, list[int]] = {}
    for track in world.track_ids():
        if (artist := world.artist_of(track)) is not None and world.track_is_visible(track):
            for term in key_terms(world.title_of(track), world.username_of(artist), 1):
                by_term.setdefault(term, []).append(track)
    first, second = next(
        tracks[:2]
        for term, tracks in by_term.items()
        if len(tracks) > 1 and len(world.search_tracks(term)) > 11
    )
    caps = {"max_key_terms": 1, "fuzzy_search_limit": 12, "name_similarity_threshold": 0}
    config = str(write_config(tmp_path / "semantic.yaml", {"semantic_depth": caps}))
    together = Harvester(sandbox, tmp_path / "together.db", config=config)
    crawl(together, 3, spider="semantic_depth", track_id=first, max_requests=2)
    assert together.value("SELECT pages FROM walks WHERE endpoint = 'search_tracks'") == 1
    crawl(together, spider="semantic_depth", track_id=second)
    crawl(together, spider="semantic_depth", track_id=first)
    assert requests_of(together) == []
    around = "SELECT kind, record_id, score FROM selections WHERE seed_id = ? ORDER BY 1, 2"
    for seed in (first, second):
        alone = Harvester(sandbox, tmp_path / f"{seed}.db", config=config)
        crawl(alone, spider="semantic_depth", track_id=seed)
        assert together.query(around, seed) == alone.query(around, seed)
        assert len(alone.query(around, seed)) > 10


def test_a_later_run_keeps_the_journal_of_an_earlier_run(
    harvester: Harvester, world: World, address: str
) -> None:
    harvester.sandbox.set_faults([{"name": "text_503", "path": "/resolve"}])
    crawl(harvester, 3, track_url=address, settings=NO_RETRIES)
    harvester.sandbox.clear_faults()
    crawl(harvester, track_url=address)
    journal = harvester.query("SELECT run_id, given, track_id FROM run_seeds ORDER BY run_id")
    assert journal == [(1, address, None), (2, address, world.seed_track_id)]
    harvester.rerun()


def test_a_seed_url_of_a_deleted_track_is_gone_with_the_reason_of_the_track(
    harvester: Harvester, sandbox: SandboxProcess, world: World, address: str
) -> None:
    crawl(harvester, track_url=address)
    sandbox.mutate(delete_tracks=[world.seed_track_id])
    age(harvester, 7.1, "endpoint = 'track'")
    ended = crawl(harvester, 3, track_url=address)
    seed, known_to_be_good = requests_of(harvester)
    assert seed == f"/tracks/soundcloud:tracks:{world.seed_track_id}?"
    assert known_to_be_good != seed
    assert harvester.query("SELECT status FROM walks WHERE endpoint = 'resolve'") == [("done",)]
    assert f"seed {address} is gone (HTTP 404" in harvester.value("SELECT reason FROM runs WHERE run_id = 2")
    assert f"seed {address} is gone (HTTP 404" in ended.log


def test_every_page_has_its_own_rejects(sandbox: SandboxProcess, tmp_path: Path) -> None:
    environment = {"SCRAPY_SETTINGS_MODULE": "tests.crawls.spoiled_settings"}
    config = str(write_config(tmp_path / "deep.yaml", settings_of()))
    harvester = Harvester(sandbox, tmp_path / "harvest.db", environment=environment, config=config)
    # These settings redirect the request for reposters. The invariants check that no reject is missing.
    crawl(harvester, 3, layers="user_depth,artist_depth", spider="deep_harvest")
    pages = "SELECT count(DISTINCT page) FROM rejects GROUP BY walk_id ORDER BY 1 DESC LIMIT 1"
    assert harvester.value(pages) > 1
    crawl(harvester, 3, layers="user_depth,artist_depth", spider="deep_harvest", refresh=1)


def test_pages_without_a_valid_record_are_not_empty(
    sandbox: SandboxProcess, world: World, tmp_path: Path
) -> None:
    environment = {"SCRAPY_SETTINGS_MODULE": "tests.crawls.spoiled_settings", "SPOIL": "all"}
    caps = {"max_users_per_track": 14, "max_tracks_per_user": 70, "include_reposters": False}
    config = str(write_config(tmp_path / "whole.yaml", {"user_depth": caps}))
    harvester = Harvester(sandbox, tmp_path / "harvest.db", environment=environment, config=config)
    crawl(harvester)
    likers = {str(user): len(world.library(user) or ()) for user in world.likers(world.seed_track_id) or ()}
    assert max(likers.values()) > 60
    walks = harvester.query(
        "SELECT target, status, kept, received, pages FROM walks WHERE endpoint = 'user_likes'"
    )
    assert max(pages for *_, pages in walks) > 11
    assert {(status, kept) for _, status, kept, *_ in walks} <= {("done", 0), ("gone", 0)}
    assert all(received == likers[user] for user, status, _, received, _ in walks if status == "done")
