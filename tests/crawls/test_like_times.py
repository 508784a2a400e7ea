"""Every like and repost was given in its interval: harvests are compared with the times of the sandbox."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.crawls.small import build_world, settings_of, start_sandbox, write_config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sgr_spiders.sandbox.world import World
    from tests.crawls.crawling import Harvester
    from tests.sandbox_process import SandboxProcess

Pairs = list[list[int]]
CAPS = {"max_users_per_track": 9, "max_tracks_per_user": 22}


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[SandboxProcess]:
    with start_sandbox() as sandbox:
        yield sandbox


def harvest(harvester: Harvester, **arguments: Any) -> None:
    config = write_config(harvester.database.with_suffix(".yaml"), settings_of(user_depth=CAPS))
    assert harvester.crawl(config=config, **arguments).code == 0, harvester.log()


def check(harvester: Harvester, which: str = "TRUE") -> tuple[int, int]:
    """Check the present likes and reposts; return how many there are, and how many have a start.

    Those that a cap hid when they were taken back are still present.
    """
    times = {kind: harvester.sandbox.times(kind) for kind in ("like", "repost")}
    rows = harvester.query(
        "SELECT kind, user_id, track_id, not_before, not_after FROM engagements "  # noqa: S608 - constants
        f"WHERE kind IN ('like', 'repost') AND removed_at IS NULL AND {which}"
    )
    for kind, user, track, not_before, not_after in rows:
        if (milliseconds := times[kind].get((user, track))) is not None:
            given = datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            assert (not_before or "") <= given <= not_after, (kind, user, track)
    return len(rows), sum(row[3] is not None for row in rows)


def choose(world: World, database: Harvester, count: int) -> tuple[Pairs, Pairs, Pairs]:
    """Return likes to add, to take back, and to take back and give again; those are not first in a list."""
    draw = random.Random(1)  # noqa: S311 - the same in every run
    rows = database.query(
        "SELECT user_id, track_id FROM engagements WHERE kind = 'like' AND removed_at IS NULL"
    )
    known = [[user, track] for user, track in sorted(rows)]
    users, tracks = sorted({user for user, _ in known}), sorted({track for _, track in known})
    new = [[user, track] for user in users for track in tracks if track not in (world.library(user) or ())]
    below = [pair for pair in known if pair[1] != (world.library(pair[0]) or [0])[0]]
    below = [pair for pair in below if pair[0] != (world.likers(pair[1]) or [0])[0]]
    some = draw.sample(below, 2 * count)
    return draw.sample(new, count), some[:count], some[count:]


@pytest.mark.slow
def test_likes_are_given_in_their_intervals(harvester: Harvester, sandbox: SandboxProcess) -> None:
    world = build_world()
    harvest(harvester)
    dated, started = check(harvester)
    assert dated > 100
    assert started == dated  # the upload of each track is known
    ((bounded,),) = harvester.query(
        "SELECT count(*) FROM engagements JOIN tracks USING (track_id) "
        "WHERE not_before > tracks.created_at AND not_after < engagements.first_seen_at"
    )
    assert bounded > dated / 3
    new, gone, again = choose(world, harvester, 10)
    sandbox.mutate(rounds=1)
    sandbox.mutate(unlike=gone + again, like=again + new)
    harvest(harvester, refresh=1)
    check(harvester)
    sandbox.mutate(like=gone)
    harvest(harvester, refresh=1)
    check(harvester)


IN_LONG_LISTS = (
    "user_id || kind IN (SELECT target || CASE endpoint WHEN 'user_likes' THEN 'like' ELSE 'repost' END "
    "FROM walks WHERE endpoint IN ('user_likes', 'user_reposts') AND pages > 2) "
    "AND track_id <> 1654500011"
)
"""Users' lists in which several pages contradict each other; not the seed, whose own list tells its likes."""


def test_invented_times_in_cursors(harvester: Harvester, sandbox: SandboxProcess) -> None:
    harvester.unchecked = "a cap does not count repeated items"
    sandbox.set_faults(["odd_cursors:as=rising", "duplicate_items"])
    harvest(harvester)
    dated, _ = check(harvester, IN_LONG_LISTS)
    assert dated > 50


def test_no_times_are_stored_if_they_are_switched_off(harvester: Harvester) -> None:
    few = {"max_users_per_track": 1, "max_tracks_per_user": 8, "include_reposters": False}
    sections = {**settings_of(user_depth=few), "like_times": False}
    config = write_config(harvester.database.with_suffix(".yaml"), sections)
    assert harvester.crawl(config=config).code == 0, harvester.log()
    assert harvester.query("SELECT DISTINCT not_before, not_after FROM engagements") == [(None, None)]
    assert harvester.query("SELECT DISTINCT boundary_at FROM walk_pages") == [(None,)]
