"""Complete crawls with ``html_fallback``, with the sandbox and a stand-in for Splash and the site."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.splash.conftest import NO_COMMENTS
from tests.splash.stand_in import HTML, comment_text, rendered_page
from tests.traffic.fault_server import Reply

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sgr_spiders.sandbox.world import CommentTruth, World
    from tests.crawls.crawling import Harvester
    from tests.splash.stand_in import Renderer

PAGE_WALK = "SELECT status, reason, received, kept, expected FROM walks WHERE endpoint = 'track_page'"
IMPORTS = {"PYTHONPROFILEIMPORTTIME": "1"}
"""Makes Python log its imports."""


def author_of(world: World, comment: CommentTruth) -> int | None:
    """Return the account of the author, ``None`` if it is gone: a page still shows their comments."""
    return comment.user_id if world.user_is_visible(comment.user_id) else None


def fans_of(world: World) -> set[int]:
    authors = {author_of(world, comment) for comment in world.comments_on(world.seed_track_id) or []}
    assert None in authors, "the world has no deleted author"
    return {author for author in authors if author is not None}


def comment_engagements(harvester: Harvester) -> set[tuple[Any, ...]]:
    return set(harvester.query("SELECT user_id, track_id FROM engagements WHERE kind = 'comment'"))


@pytest.mark.parametrize("ids", [False, True])
def test_comments_of_the_page_and_the_records_that_follow_are_stored(
    harvester: Harvester, renderer: Renderer, world: World, *, ids: bool
) -> None:
    seed = world.seed_track_id
    truth = world.comments_on(seed) or []
    renderer.page = lambda: rendered_page(world, seed, truth, ids=ids)
    ended = harvester.crawl("commentary_layer")
    assert ended.code == 0, ended.log
    found = harvester.query("SELECT body, track_id, user_id, timestamp_ms FROM comments")
    assert sorted(found) == sorted(
        (comment_text(comment), seed, author_of(world, comment), None) for comment in truth
    )
    numbers = {number for (number,) in harvester.query("SELECT comment_id FROM comments")}
    if ids:
        assert numbers == {comment.comment_id for comment in truth}
    else:
        assert max(numbers) < 0
    fans = fans_of(world)
    assert comment_engagements(harvester) == {(fan, seed) for fan in fans}
    likes = harvester.query("SELECT user_id, track_id FROM engagements WHERE kind = 'like'")
    assert set(likes) == {(fan, track) for fan in fans for track in world.library(fan) or ()}
    names = "SELECT user_id, username, permalink FROM users JOIN comments USING (user_id) WHERE NOT is_stub"
    assert set(harvester.query(names)) == {(f, world.username_of(f), world.permalink_of(f)) for f in fans}
    seen = "SELECT record_id FROM discoveries WHERE kind = ? AND seed_id = ? AND layer = 'commentary_layer'"
    assert {number for (number,) in harvester.query(seen, "comment", seed)} == numbers
    assert fans <= {user for (user,) in harvester.query(seen, "user", seed)}
    assert harvester.query(PAGE_WALK) == [("done", None, len(truth), len(truth), len(truth))]


def test_splash_is_called_once_without_the_token(harvester: Harvester, renderer: Renderer) -> None:
    assert harvester.crawl("commentary_layer").code == 0
    (arguments,) = renderer.rendering_arguments()
    path = arguments["url"].removeprefix(renderer.site.url)
    assert harvester.query("SELECT target FROM walks WHERE endpoint = 'track_page'") == [
        (f"https://soundcloud.com{path}",)
    ]
    assert (arguments["images"], arguments["html5_media"], arguments["timeout"]) == (0, 0, 30)
    assert "audio/*" in arguments["forbidden_content_types"]
    assert arguments["allowed_domains"] == "127.0.0.1,sndcdn.com"
    assert arguments["headers"]["User-Agent"].startswith("SoundGraphDeepHarvest/")
    assert set(arguments["headers"]) == {"User-Agent", "Accept"}
    # The robots.txt of the site is read first; that of Splash is not.
    assert renderer.site.targets() == ["/robots.txt"]
    assert renderer.splash.targets() == ["/render.html"]
    assert renderer.site.seen[0].at < renderer.splash.seen[0].at
    for seen in (*renderer.site.seen, *renderer.splash.seen):
        assert "authorization" not in seen.headers
        assert b"oauth" not in seen.body.lower()
    assert json.loads(harvester.value("SELECT stats FROM runs"))["splash/render.html/request_count"] == 1


def test_nothing_is_fetched_twice(harvester: Harvester, renderer: Renderer) -> None:
    assert harvester.crawl("commentary_layer").code == 0
    whole = harvester.contents()
    harvester.sandbox.clear_log()
    assert harvester.crawl("commentary_layer").code == 0
    assert len(renderer.rendering_arguments()) == 1
    assert harvester.sandbox.log() == []
    assert harvester.contents() == whole


@pytest.mark.parametrize("fault", [{"name": "json_403"}, {"name": "method_405"}])
def test_the_page_is_used_if_the_api_refuses_the_comments(
    harvester: Harvester, world: World, fault: dict[str, str]
) -> None:
    harvester.sandbox.set_faults([{**fault, "path": "/comments"}])
    ended = harvester.crawl("commentary_layer")
    # A list of the seed that the API refuses makes the harvest partial, also if the page replaces it.
    assert ended.code == 3, ended.log
    assert comment_engagements(harvester) == {(fan, world.seed_track_id) for fan in fans_of(world)}


def test_the_page_is_not_used_if_the_api_lists_comments(harvester: Harvester, renderer: Renderer) -> None:
    harvester.sandbox.clear_faults()
    harvester.environment |= IMPORTS
    ended = harvester.crawl("commentary_layer")
    assert ended.code == 0
    assert "scrapy_splash" in ended.log
    assert harvester.value("SELECT count(*) FROM comments") > 0
    assert (renderer.splash.seen, renderer.site.seen) == ([], [])


def test_nothing_of_it_is_loaded_if_disabled(harvester: Harvester, renderer: Renderer) -> None:
    harvester.environment |= IMPORTS
    ended = harvester.crawl("commentary_layer", config="sandbox")
    assert ended.code == 0
    assert "sgr_spiders.traffic.authorisation" in ended.log
    assert "scrapy_splash" not in ended.log
    assert (renderer.splash.seen, renderer.site.seen) == ([], [])
    assert harvester.query(PAGE_WALK) == []


def test_a_page_forbidden_by_robots_txt_is_not_requested(harvester: Harvester, renderer: Renderer) -> None:
    renderer.robots = "User-agent: SoundGraphDeepHarvest\nDisallow: /\n"
    ended = harvester.crawl("commentary_layer")
    assert ended.code == 0, ended.log
    assert renderer.splash.seen == []
    ((status, reason, *_),) = harvester.query(PAGE_WALK)
    assert (status, reason) == ("gone", "forbidden by the site's robots.txt")


CHALLENGE = b"<html><head><script src='https://geo.captcha-delivery.com/c.js'></script></head></html>"
FAILURES = {
    "Splash: HTTP 504: the page was not rendered in time": lambda: Reply(504, b"{}"),
    "Splash: HTTP 400: Incorrect HTTP API arguments": lambda: Reply(
        400, b'{"description": "Incorrect HTTP API arguments"}'
    ),
    "Splash: HTTP 503": lambda: Reply(503, b"", HTML),
    "blocked: the site answers with a bot challenge": lambda: Reply(200, CHALLENGE, HTML),
    "the page shows no track": lambda: Reply(200, b"\xff\x00<html>", HTML),
    "the response of 127.0.0.1 is too large": lambda: Reply(200, b"x" * (5 << 20), HTML),
}


@pytest.mark.parametrize("reason", FAILURES)
def test_failures_are_recorded(harvester: Harvester, renderer: Renderer, reason: str) -> None:
    renderer.answer = FAILURES[reason]
    ended = harvester.crawl("commentary_layer")
    assert ended.code == 3, ended.log
    ((status, found, *_),) = harvester.query(PAGE_WALK)
    assert (status, re.sub(r":\d{4,}", "", found)[: len(reason)]) == ("failed", reason)
    # One request per run: rendering costs the site more than a call costs the API.
    assert len(renderer.rendering_arguments()) == 1


def test_the_next_run_retries_a_failed_page(harvester: Harvester, renderer: Renderer, world: World) -> None:
    renderer.answer = lambda: Reply(504, b"{}")
    assert harvester.crawl("commentary_layer").code == 3
    renderer.answer = lambda: None
    assert harvester.crawl("commentary_layer").code == 0
    assert comment_engagements(harvester) == {(fan, world.seed_track_id) for fan in fans_of(world)}


def test_an_unreachable_splash_fails_the_walk(harvester: Harvester) -> None:
    nowhere = {"SPLASH_URL": "http://127.0.0.1:9", "RETRY_TIMES": 1, "BACKOFF_BASE": 0.01}
    ended = harvester.crawl("commentary_layer", settings=nowhere)
    assert ended.code == 3, ended.log
    ((status, reason, *_),) = harvester.query(PAGE_WALK)
    assert (status, reason) == ("failed", "connection refused by 127.0.0.1:9")


def kill_while_rendering(harvester: Harvester, renderer: Renderer) -> None:
    renderer.answer = lambda: Reply(200, b"", HTML, delay=60)
    before = len(renderer.splash.seen)
    process = harvester.start("commentary_layer")
    harvester.wait_until(lambda: len(renderer.splash.seen) > before, process)
    process.kill()
    harvester.wait(process, killed=True)
    renderer.answer = lambda: None


def kill_among_the_authors(harvester: Harvester, renderer: Renderer) -> None:
    harvester.sandbox.set_faults([NO_COMMENTS, {"name": "hang", "path": "^/resolve", "after": 5}])
    before = len(renderer.splash.seen)
    process = harvester.start("commentary_layer")
    resolved = "SELECT count(*) FROM walks WHERE endpoint = 'resolve' AND status = 'done'"
    harvester.wait_until(
        lambda: len(renderer.splash.seen) > before and harvester.value(resolved) >= 3, process
    )
    process.kill()
    harvester.wait(process, killed=True)
    harvester.sandbox.set_faults([NO_COMMENTS])


def contents_without_pages(harvester: Harvester) -> dict[str, list[tuple[Any, ...]]]:
    columns = "walk_id, endpoint, target, status, reason, generation, received, kept, expected"
    contents = harvester.contents()
    del contents["walk_pages"]
    return contents | {"walks": harvester.query(f"SELECT {columns} FROM walks ORDER BY walk_id")}  # noqa: S608


PAGES = "SELECT count(*) FROM walk_pages"


# While the page is rendered, the empty list of comments is doubted, so it is asked for again.
@pytest.mark.parametrize(("kill", "asked_again"), [(kill_while_rendering, 1), (kill_among_the_authors, 0)])
def test_a_killed_harvest_resumes(
    harvester: Harvester,
    renderer: Renderer,
    tmp_path: Path,
    kill: Callable[[Harvester, Renderer], None],
    asked_again: int,
) -> None:
    untroubled = dataclasses.replace(harvester, database=tmp_path / "untroubled.db")
    assert untroubled.crawl("commentary_layer").code == 0
    kill(harvester, renderer)
    ended = harvester.crawl("commentary_layer")
    assert ended.code == 0, ended.log
    assert contents_without_pages(harvester) == contents_without_pages(untroubled)
    assert harvester.value(PAGES) == untroubled.value(PAGES) + asked_again


def test_a_raised_cap_resolves_more_authors_of_the_same_page(
    harvester: Harvester, renderer: Renderer, world: World, tmp_path: Path
) -> None:
    resolved = "SELECT count(*) FROM walks WHERE endpoint = 'resolve'"
    for cap in (3, 5):
        config = tmp_path / f"{cap}.yaml"
        section = f"commentary_layer: {{html_fallback: true, max_commenters: {cap}}}"
        config.write_text(f"deep_harvest: {{request_delay: 0, {section}}}")
        assert harvester.crawl("commentary_layer", config=config).code == 0
        assert harvester.value(resolved) == cap
    assert len(renderer.rendering_arguments()) == 1
    assert harvester.value("SELECT count(*) FROM comments") == len(
        world.comments_on(world.seed_track_id) or []
    )
