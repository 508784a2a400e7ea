"""Several runs on one database: refreshes, budgets, seeds that share walks, and the journal of each run."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from sgr_spiders.sandbox.objects import ObjectWriter
from sgr_spiders.sandbox.options import ShapeOptions
from sgr_spiders.titles.terms import key_terms
from tests.crawls.crawling import Ended, Harvester
from tests.crawls.small import build_world, settings_of, start_sandbox, write_config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sgr_spiders.sandbox.world import World
    from tests.sandbox_process import SandboxProcess

FEW = settings_of(user_depth={"max_users_per_track": 3, "max_tracks_per_user": 7})
NO_RETRIES = {"RETRY_TIMES": 0, "DISALLOWED_RETRY_TIMES": 0}


@pytest.fixture(scope="module")
def world() -> World:
    return build_world()


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[SandboxProcess]:
    with start_sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def address(world: World) -> str:
    """Return where the seed is on the site."""
    track = world.track_index(world.seed_track_id)
    assert track is not None
    link = ObjectWriter(world, ShapeOptions()).track_permalink(track)
    return f"https://soundcloud.com/{world.permalink_of(world.seed_artist_id or 0)}/{link}"


@pytest.fixture
def harvester(sandbox: SandboxProcess, tmp_path: Path) -> Harvester:
    return Harvester(sandbox, tmp_path / "harvest.db", config=str(write_config(tmp_path / "few.yaml", FEW)))


def ask(harvester: Harvester, code: int = 0, **arguments: Any) -> Ended:
    harvester.sandbox.clear_log()
    ended = harvester.crawl(**arguments)
    assert ended.code == code, ended.log
    return ended


def asked(harvester: Harvester) -> list[str]:
    log = harvester.sandbox.log()
    return [f"{entry['path']}?{entry['query']}" for entry in log if entry["path"] != "/oauth/token"]


def age(harvester: Harvester, days: float, which: str = "1") -> None:
    """Make walks so much older."""
    with closing(sqlite3.connect(harvester.database)) as connection, connection:
        older = ", ".join(
            f"{one} = strftime('%Y-%m-%dT%H:%M:%f000Z', {one}, '-{days} days')"
            for one in ("created_at", "started_at", "finished_at")
        )
        connection.execute(f"UPDATE walks SET {older} WHERE {which}")  # noqa: S608 - our own


def generations(harvester: Harvester, which: str = "1") -> set[int]:
    return {row[0] for row in harvester.query(f"SELECT generation FROM walks WHERE {which}")}  # noqa: S608


def other_track(world: World) -> int:
    """Return a track that shares a liker with the seed, as far as caps of 3 reach, and not all of them."""
    first = set((world.likers(world.seed_track_id) or [])[:3])
    return next(
        track
        for track in world.track_ids()
        if track != world.seed_track_id and 0 < len(first & set((world.likers(track) or [])[:3])) < 3
    )


def test_a_walk_that_a_budget_cut_keeps_its_start(harvester: Harvester) -> None:
    ask(harvester, 3, max_requests=5)
    cut = "SELECT walk_id, started_at FROM walks WHERE status = 'planned' AND pages > 0"
    before = harvester.query(cut)
    assert before
    ask(harvester)
    started = dict(harvester.query("SELECT walk_id, started_at FROM walks"))
    assert [(walk, started[walk]) for walk, _ in before] == before
    harvester.again()


def test_a_stale_walk_of_another_seed_is_fetched_anew_when_it_is_wanted(
    harvester: Harvester, world: World
) -> None:
    other = other_track(world)
    ask(harvester, track_id=other)
    theirs = {row[0] for row in harvester.query("SELECT walk_id FROM walks")}
    age(harvester, 7.1)
    ask(harvester)
    wanted = "walk_id IN (SELECT walk_id FROM walk_requests WHERE seed_id = {})"
    ours = wanted.format(world.seed_track_id)
    shared = harvester.query(f"SELECT walk_id FROM walks WHERE {ours}")  # noqa: S608 - a number
    assert theirs & {row[0] for row in shared}
    assert generations(harvester, f"{ours} AND {wanted.format(other)}") == {1}
    assert generations(harvester, f"NOT {ours}") == {0}, "the other seed's walks are none of this run's"
    assert generations(harvester, f"NOT {wanted.format(other)}") == {0}
    harvester.again()


def test_what_is_fresh_of_another_seed_is_not(harvester: Harvester, world: World) -> None:
    ask(harvester, track_id=other_track(world))
    before = set(asked(harvester))
    age(harvester, 6.9)
    ask(harvester)
    assert not before & set(asked(harvester))
    assert generations(harvester) == {0}


def test_a_refresh_after_a_partial_one_fetches_all_anew(harvester: Harvester) -> None:
    ask(harvester)
    harvester.sandbox.set_faults([{"name": "text_503", "path": "/reposters"}])
    ask(harvester, 3, refresh=1, settings=NO_RETRIES)
    assert harvester.value("SELECT outcome FROM runs WHERE run_id = 2") == "partial"
    harvester.sandbox.clear_faults()
    ask(harvester, refresh=1)
    # The one that failed in its first generation was still to be fetched in it.
    assert generations(harvester, "endpoint <> 'track_reposters'") == {2}
    harvester.again()


def test_an_unfinished_refresh_around_another_seed_lends_nothing(harvester: Harvester, world: World) -> None:
    other = other_track(world)
    ask(harvester, 3, track_id=other, refresh=1, max_requests=2)
    ask(harvester)
    before = sorted(asked(harvester))
    ask(harvester, refresh=1)
    assert sorted(asked(harvester)) == before
    assert generations(
        harvester,
        f"walk_id IN (SELECT walk_id FROM walk_requests WHERE seed_id <> {other})",  # noqa: S608 - a number
    ) == {1}


def test_an_unfinished_ordinary_run_is_no_refresh(harvester: Harvester) -> None:
    ask(harvester, 3, max_requests=4)
    ended = harvester.value("SELECT count(*) FROM walks WHERE finished_at NOTNULL")
    assert ended
    ask(harvester, refresh=1)
    assert harvester.value("SELECT count(*) FROM walks WHERE generation = 1") == ended


def test_empty_pages_are_counted_from_0_by_a_refresh(
    harvester: Harvester, sandbox: SandboxProcess, world: World, tmp_path: Path
) -> None:
    """Ten pages in a row of tracks that are private end a walk; one such page in the next look does not."""
    likers = world.likers(world.seed_track_id) or []
    place, user = next((place, user) for place, user in enumerate(likers) if world.library(user))
    library = world.library(user) or []
    private = [
        track for track in world.track_ids() if world.track_is_visible(track) and track not in library
    ][:56]
    sandbox.mutate(like=[[user, track] for track in private], private_tracks=private)
    caps = {"max_users_per_track": place + 1, "max_tracks_per_user": 1000, "include_reposters": False}
    config = write_config(tmp_path / "whole.yaml", {"user_depth": caps})
    ask(harvester, config=config)
    walk = "SELECT status, reason FROM walks WHERE endpoint = 'user_likes' AND target = ?"
    assert harvester.query(walk, str(user)) == [("capped", "10 empty pages in a row")]
    harvester.again()
    sandbox.mutate(public_tracks=private[8:])
    ask(harvester, config=config, refresh=1)
    assert harvester.query(walk, str(user)) == [("done", None)]
    harvester.again()


def test_seeds_that_share_a_search_do_not_hide_its_hits_from_each_other(
    sandbox: SandboxProcess, world: World, tmp_path: Path
) -> None:
    """The first seed's harvest is cut after one page of the search, the second's goes to its end."""
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
    ask(together, 3, spider="semantic_depth", track_id=first, max_requests=2)
    assert together.value("SELECT pages FROM walks WHERE endpoint = 'search_tracks'") == 1
    ask(together, spider="semantic_depth", track_id=second)
    ask(together, spider="semantic_depth", track_id=first)
    assert asked(together) == []
    around = "SELECT kind, record_id, score FROM selections WHERE seed_id = ? ORDER BY 1, 2"
    for seed in (first, second):
        alone = Harvester(sandbox, tmp_path / f"{seed}.db", config=config)
        ask(alone, spider="semantic_depth", track_id=seed)
        assert together.query(around, seed) == alone.query(around, seed)
        assert len(alone.query(around, seed)) > 10


def test_a_later_run_leaves_the_journal_of_an_earlier_one_alone(
    harvester: Harvester, world: World, address: str
) -> None:
    harvester.sandbox.set_faults([{"name": "text_503", "path": "/resolve"}])
    ask(harvester, 3, track_url=address, settings=NO_RETRIES)
    harvester.sandbox.clear_faults()
    ask(harvester, track_url=address)
    journal = harvester.query("SELECT run_id, given, track_id FROM run_seeds ORDER BY run_id")
    assert journal == [(1, address, None), (2, address, world.seed_track_id)]
    harvester.again()


def test_a_seed_by_address_whose_track_is_gone_is_lost_with_the_tracks_reason(
    harvester: Harvester, sandbox: SandboxProcess, world: World, address: str
) -> None:
    ask(harvester, track_url=address)
    sandbox.mutate(delete_tracks=[world.seed_track_id])
    age(harvester, 7.1, "endpoint = 'track'")
    ended = ask(harvester, 3, track_url=address)
    assert asked(harvester) == [f"/tracks/soundcloud:tracks:{world.seed_track_id}?"]
    assert harvester.query("SELECT status FROM walks WHERE endpoint = 'resolve'") == [("done",)]
    assert f"seed {address} is gone (HTTP 404" in harvester.value("SELECT reason FROM runs WHERE run_id = 2")
    assert f"seed {address} is gone (HTTP 404" in ended.log


def test_every_page_has_its_own_rejects(sandbox: SandboxProcess, tmp_path: Path) -> None:
    environment = {"SCRAPY_SETTINGS_MODULE": "tests.crawls.spoiled_settings"}
    config = str(write_config(tmp_path / "deep.yaml", settings_of()))
    harvester = Harvester(sandbox, tmp_path / "harvest.db", environment=environment, config=config)
    # The reposters' request goes astray there. That all rejects are kept is looked at after every crawl.
    ask(harvester, 3, layers="user_depth,artist_depth", spider="deep_harvest")
    pages = "SELECT count(DISTINCT page) FROM rejects GROUP BY walk_id ORDER BY 1 DESC LIMIT 1"
    assert harvester.value(pages) > 1
    ask(harvester, 3, layers="user_depth,artist_depth", spider="deep_harvest", refresh=1)


def test_pages_of_which_nothing_can_be_kept_are_not_empty(
    sandbox: SandboxProcess, world: World, tmp_path: Path
) -> None:
    environment = {"SCRAPY_SETTINGS_MODULE": "tests.crawls.spoiled_settings", "SPOIL": "all"}
    caps = {"max_users_per_track": 14, "max_tracks_per_user": 70, "include_reposters": False}
    config = str(write_config(tmp_path / "whole.yaml", {"user_depth": caps}))
    harvester = Harvester(sandbox, tmp_path / "harvest.db", environment=environment, config=config)
    ask(harvester)
    likers = {str(user): len(world.library(user) or ()) for user in world.likers(world.seed_track_id) or ()}
    assert max(likers.values()) > 60
    walks = harvester.query(
        "SELECT target, status, kept, received, pages FROM walks WHERE endpoint = 'user_likes'"
    )
    assert max(pages for *_, pages in walks) > 11
    assert {(status, kept) for _, status, kept, *_ in walks} <= {("done", 0), ("gone", 0)}
    assert all(received == likers[user] for user, status, _, received, _ in walks if status == "done")
