"""``scrapy plan`` against what the crawl then sends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests import databases
from tests.crawls import small
from tests.crawls.crawling import Harvester
from tests.sandbox_process import SandboxProcess
from tests.scrapy_process import CommandResult, scrapy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NEAR = 0.2
"""The largest error of the number of requests."""
BUDGET = 40


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[SandboxProcess]:
    with small.start_sandbox() as sandbox:
        yield sandbox


def plan(harvester: Harvester, *options: str, **arguments: object) -> CommandResult:
    """Plan a harvest of the sandbox's seed, or of that of the *arguments*, into the harvester's database."""
    if not {"track_id", "track_url", "seeds", "due"} & arguments.keys():
        arguments["track_id"] = harvester.sandbox.seed_track_id
    if harvester.config is not None:
        arguments.setdefault("config", harvester.config)
    given = [word for name, value in arguments.items() for word in ("-a", f"{name}={value}")]
    environment: dict[str, Any] = {**harvester.sandbox.env(), "HARVEST_DATABASE_URL": harvester.url}
    return scrapy("plan", *given, *options, **environment)


def estimate(harvester: Harvester, *options: str, code: int = 0, **arguments: Any) -> dict[str, Any]:
    done = plan(harvester, "--json", *options, **arguments)
    assert done.code == code, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def compare(harvester: Harvester, *options: str, near: float = NEAR, **arguments: Any) -> dict[str, Any]:
    """Plan a harvest, run it, and check that the plan was *near* (a share of the requests); return it."""
    planned = estimate(harvester, *options, **arguments)
    assert len(harvester.sandbox.log()) <= planned["budget"] + 1  # the token
    assert planned["sent"] <= planned["budget"]
    crawled = harvester.crawl("deep_harvest", **arguments)
    assert crawled.code in {0, 3}, crawled.log
    sent = harvester.value("SELECT requests FROM runs ORDER BY run_id DESC LIMIT 1")
    needed = planned["together"]
    assert abs(needed["requests"] - sent) <= near * sent, (needed, sent)
    assert needed["least"] <= needed["requests"] <= needed["most"]
    return planned


@pytest.mark.slow
def test_lists_of_many_pages(harvester: Harvester) -> None:
    planned = compare(harvester)
    layers = [amount["requests"] for amount in planned["layers"].values()]
    assert planned["together"]["requests"] < sum(layers), "shared walks are fetched once"
    assert harvester.query("SELECT count(*) FROM plans") == [(1,)]
    rerun = estimate(harvester)
    assert rerun["together"]["requests"] == 0, "everything is stored and fresh"
    refetched = estimate(harvester, refresh=1)
    assert refetched["together"]["requests"] == planned["together"]["requests"]

    environment: dict[str, Any] = {"HARVEST_DATABASE_URL": harvester.url}
    status = json.loads(scrapy("status", "--json", **environment).out)
    first = next(row for row in status["plans"] if not row["refresh"])
    assert first["needed"]["is_finished"] is False, "the latest plan is for a run to come"
    shown = scrapy("status", **environment).out
    assert "planned" in shown


def test_status_says_how_right_it_was(harvester: Harvester) -> None:
    planned = compare(harvester, layers="user_depth")
    environment: dict[str, Any] = {"HARVEST_DATABASE_URL": harvester.url}
    (row,) = json.loads(scrapy("status", "--json", **environment).out)["plans"]
    assert row["requests"] == planned["together"]["requests"]
    assert row["needed"]["is_finished"]
    assert row["needed"]["requests"] == harvester.value("SELECT requests FROM runs")
    assert row["needed"]["records"] == harvester.value("SELECT sum(received) FROM walks")


def test_caps_that_are_reached(harvester: Harvester, tmp_path: Path) -> None:
    config = small.write_config(tmp_path / "caps.yaml", small.settings_of())
    # One search has 15 pages here, of a hundred in all, and how far a cap lets it go is hard to foresee.
    planned = compare(harvester, near=0.25, config=config)
    cuts = {cut["setting"]: cut for cut in planned["cuts"]}
    likers = cuts["user_depth.max_users_per_track"]
    assert (likers["cap"], likers["kept"]) == (7, 7)
    # The counter also counts those that the list leaves out.
    assert likers["available"] in {small.WORLD.seed_likers, small.WORLD.seed_likers - 1}
    assert {"user_depth.max_tracks_per_user", "playlist_depth.max_likers"} <= cuts.keys()


def test_a_plan_writes_only_the_estimate(harvester: Harvester) -> None:
    if databases.is_on_server():
        databases.create_empty(harvester.database)
    harvester.crawl("artist_depth")
    before = databases.read_tables(harvester.database)
    text = plan(harvester).out
    after = databases.read_tables(harvester.database)
    assert len(after.pop("plans")) == 1
    before.pop("plans")
    assert after == before
    assert max(map(len, text.splitlines())) <= 80
    assert f"(at most {BUDGET})" in text
    assert "max_requests" not in text
    assert "The run stops after 5 requests" in plan(harvester, max_requests=5).out


def test_a_seed_that_is_gone_and_wrong_arguments(harvester: Harvester) -> None:
    gone = estimate(harvester, code=3, track_id=f"{harvester.sandbox.seed_track_id},999")
    assert list(gone["lost"]) == ["999"]
    assert gone["known"] == 1
    for arguments, problem in (({"layers": "x"}, "layers"), ({"track_id": "x"}, "track_id")):
        harvester.sandbox.clear_log()
        wrong = plan(harvester, **arguments)
        assert wrong.code == 2
        assert problem in wrong.err
        assert len(wrong.err.splitlines()) == 1
        assert harvester.sandbox.log() == []
    refused = scrapy("plan", "1", "--sample", "0")
    assert refused.code == 2


def test_a_client_that_is_blocked(harvester: Harvester) -> None:
    harvester.sandbox.set_faults(["waf_challenge"])
    blocked = plan(harvester)
    assert blocked.code == 4
    assert not blocked.out
    assert len(blocked.err.splitlines()) == 1


SEVERAL = (
    "--users 800 --tracks 2500 --playlists 300 --seed-likers 250 --seed-reposters 80 --seed-comments 200"
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("world", "sections"),
    [
        ("--world-seed 2", {}),
        ("--world-seed 3 --likes-per-user 250", {}),
        (SEVERAL, {}),
        (f"{SEVERAL} --page-size 20", {}),
        (SEVERAL, {"user_depth": {"max_users_per_track": 60, "max_tracks_per_user": 40}}),
        (SEVERAL, {"user_depth": {"max_users_per_track": 10_000}, "playlist_depth": {"max_likers": 500}}),
    ],
)
def test_other_worlds(world: str, sections: dict[str, Any], tmp_path: Path) -> None:
    config = small.write_config(tmp_path / "c.yaml", sections)
    with SandboxProcess(*world.split()) as sandbox:
        compare(Harvester(sandbox, tmp_path / "x.db"), config=config)


@pytest.mark.slow
def test_the_tracks_of_a_user_as_seeds(harvester: Harvester, tmp_path: Path) -> None:
    harvester.crawl("artist_depth")
    artist = harvester.value(
        "SELECT artist_id FROM tracks WHERE track_id = ?", harvester.sandbox.seed_track_id
    )
    seeds = tmp_path / "seeds.txt"
    seeds.write_text(f"soundcloud:users:{artist}\n")
    harvester.sandbox.clear_log()
    other = Harvester(harvester.sandbox, tmp_path / "other.db")
    planned = compare(other, seeds=seeds, max_seeds=3, layers="user_depth")
    assert planned["seeds"] == 3
