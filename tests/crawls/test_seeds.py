"""Seeds in every spelling, several at once, and seeds that cannot be harvested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sgr_spiders.sandbox.world import World
from tests.crawls.crawling import Harvester

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = ("tracks", "users", "engagements", "discoveries")


@pytest.fixture(scope="module")
def world() -> World:
    return World.build()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    config = tmp_path / "small.yaml"
    config.write_text(
        "deep_harvest: {request_delay: 0, user_depth: {max_users_per_track: 6, max_tracks_per_user: 30}}"
    )
    return config


def _other_seed(world: World) -> int:
    """Return the track that shares most listeners with the seed."""
    listeners = set(world.likers(world.seed_track_id) or ())
    shared = {track: set(world.likers(track) or ()) & listeners for track in world.track_ids()}
    return max(
        (track for track in shared if track != world.seed_track_id), key=lambda track: len(shared[track])
    )


def _around(harvester: Harvester, seed: int) -> list[tuple[str, int]]:
    return harvester.query("SELECT kind, record_id FROM discoveries WHERE seed_id = ? ORDER BY 1, 2", seed)


def test_a_seed_url_finds_the_same_as_its_id(harvester: Harvester, small: Path) -> None:
    seed = harvester.sandbox.seed_track_id
    assert harvester.crawl(config=small).code == 0
    (address,) = (
        url for (url,) in harvester.query("SELECT permalink_url FROM tracks WHERE track_id = ?", seed)
    )
    by_address = Harvester(harvester.sandbox, harvester.database.with_name("address.db"))
    ended = by_address.crawl(config=small, track_url=f"{address}?utm_source=somewhere")
    assert ended.code == 0, ended.log
    assert by_address.query("SELECT track_id FROM run_seeds") == [(seed,)]
    for table in RECORDS:
        assert by_address.contents()[table] == harvester.contents()[table]
    by_address.sandbox.clear_log()
    assert by_address.crawl(config=small, track_url=address).code == 0
    assert by_address.sandbox.log() == []


def test_lost_seeds_are_reported_and_do_not_stop_the_others(
    harvester: Harvester, world: World, small: Path, tmp_path: Path
) -> None:
    private = next(track for track in world.track_ids() if not world.track_is_visible(track))
    seeds = tmp_path / "seeds.txt"
    seeds.write_text(
        f"# what to harvest\n{harvester.sandbox.seed_track_id}\n{private}\n"
        "soundcloud:tracks:123\nhttps://soundcloud.com/nobody/nothing\n"
    )
    ended = harvester.crawl(config=small, seeds=seeds)
    assert ended.code == 3, ended.log
    assert "Traceback" not in ended.log
    for lost in (str(private), "soundcloud:tracks:123", "https://soundcloud.com/nobody/nothing"):
        message = f"seed {lost}: not found, check the address (HTTP 404"
        assert message in harvester.value("SELECT reason FROM runs")
        assert message in ended.log
    assert (
        harvester.value("SELECT count(*) FROM walks WHERE endpoint = 'user_likes' AND status != 'failed'") > 5
    )
    assert harvester.value("SELECT outcome FROM runs") == "partial"


def test_a_url_that_is_not_a_track_is_gone(harvester: Harvester, world: World, small: Path) -> None:
    # It looks like the URL of a track, but the API resolves it to a playlist of its owner.
    harvester.sandbox.set_faults([{"name": "html_502", "path": "/resolve", "times": 2}])
    user = world.permalink_of(world.seed_artist_id or 0)
    ended = harvester.crawl(
        config=small, settings={"BACKOFF_BASE": 0.01}, track_url=f"https://soundcloud.com/{user}/x"
    )
    assert ended.code == 3, ended.log
    assert harvester.query("SELECT status FROM walks WHERE endpoint = 'resolve'") == [("gone",)]


@pytest.mark.slow
def test_two_seeds_in_one_file_find_what_separate_files_find(
    harvester: Harvester, world: World, small: Path, tmp_path: Path
) -> None:
    first, second = harvester.sandbox.seed_track_id, _other_seed(world)
    separate = []
    requests = 0
    for seed in (first, second):
        alone = Harvester(harvester.sandbox, tmp_path / f"{seed}.db")
        harvester.sandbox.clear_log()
        assert alone.crawl(config=small, track_id=seed).code == 0
        requests += len(harvester.sandbox.log())
        separate.append(_around(alone, seed))
    harvester.sandbox.clear_log()
    for seed in (first, second):
        assert harvester.crawl(config=small, track_id=seed).code == 0
    assert [_around(harvester, first), _around(harvester, second)] == separate
    assert len(harvester.sandbox.log()) < requests
    together = Harvester(harvester.sandbox, tmp_path / "together.db")
    assert together.crawl(config=small, track_id=f"{first},soundcloud:tracks:{second}").code == 0
    assert [_around(together, first), _around(together, second)] == separate


def test_a_crawl_fetches_only_walks_of_its_own_seeds(harvester: Harvester, world: World, small: Path) -> None:
    first, second = harvester.sandbox.seed_track_id, _other_seed(world)
    ended = harvester.interrupt_when(
        lambda: len(harvester.sandbox.log()) >= 6, config=small, settings={"DOWNLOAD_DELAY": 0.2}
    )
    assert ended.code == 130
    wanted = "SELECT walk_id FROM walks JOIN walk_requests USING (walk_id)"
    pending = f"{wanted} WHERE status = 'planned' AND seed_id = ?"
    before = set(harvester.query(pending, first))
    assert before
    assert harvester.crawl(config=small, track_id=second).code == 0
    assert harvester.query(pending, second) == []
    still = "SELECT walk_id FROM walk_requests WHERE seed_id = ?"
    assert set(harvester.query(pending, first)) == before - set(harvester.query(still, second))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"track_id": "abc"}, "spider argument `track_id`: not an ID, URN, URL or permalink: 'abc'"),
        ({"trackid": "1"}, "(did you mean `track_id`?)"),
        ({"layers": "user_dept"}, "(did you mean `user_depth`?)"),
        ({"config": "nowhere.yaml"}, "configuration nowhere.yaml"),
    ],
)
def test_bad_arguments_stop_before_the_first_request(
    harvester: Harvester, arguments: dict[str, Any], message: str
) -> None:
    harvester.makes_database = True
    ended = harvester.crawl(**arguments)
    assert ended.code == 2
    assert message in ended.log
    assert "Traceback" not in ended.log
    assert harvester.sandbox.log() == []
    assert not harvester.database.exists()


def test_missing_credentials_are_one_line_with_the_alternatives(harvester: Harvester) -> None:
    harvester.makes_database = True
    harvester.environment.update(SOUNDCLOUD_CLIENT_ID="", SOUNDCLOUD_CLIENT_SECRET="")
    ended = harvester.crawl()
    assert ended.code == 2
    assert "Traceback" not in ended.log
    (line,) = (line for line in ended.log.splitlines() if "SOUNDCLOUD_CLIENT_ID" in line)
    assert "scrapy sandbox" in line
    assert harvester.sandbox.log() == []
    assert not harvester.database.exists()
