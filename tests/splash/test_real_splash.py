"""The same crawl with a real Splash, which runs the scripts of a page: ``make splash-test``."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from tests.splash.stand_in import HTML, rendered_page
from tests.traffic.fault_server import FaultServer, Reply, Seen

if TYPE_CHECKING:
    from sgr_spiders.sandbox.world import World
    from tests.crawls.crawling import Harvester

pytestmark = pytest.mark.splash

PAGE = """<!DOCTYPE html><html><head>
<meta property="al:ios:url" content="soundcloud://sounds:{track}">
<script src="/app.js"></script>
<script src="http://localhost:{port}/counts-visitors.js"></script>
</head><body><div id="app">
<noscript><section class="comments"><h2>Comment by <a href="/{author}">x</a></h2><p>for 1 &lt; 2 scripts</p>
<time pubdate>2026-03-24T17:08:56Z</time></section></noscript>
<img src="/cover.png"><audio src="/sound.mp3" autoplay></audio>
</div></body></html>"""
APP = """addEventListener("load", function () {
  setTimeout(function () { document.getElementById("app").innerHTML = %s; }, 500);
});"""


class Site:
    """A site whose script fills in the pages, unless the script is empty."""

    def __init__(self, page: str, app: str) -> None:
        self.page, self.app = page, app

    def __call__(self, seen: Seen, before: int) -> Reply:
        known = {
            "/robots.txt": ("text/plain", "User-agent: *\nAllow: /\n"),
            "/app.js": ("text/javascript", self.app),
        }
        kind, text = known.get(seen.target, (HTML["Content-Type"], self.page))
        return Reply(200, text.encode(), {"Content-Type": kind})


@pytest.mark.parametrize("scripted", [True, False])
def test_a_page_rendered_by_splash(harvester: Harvester, world: World, *, scripted: bool) -> None:
    seed = world.seed_track_id
    (first, *others) = [c for c in world.comments_on(seed) or [] if world.user_is_visible(c.user_id)]
    shown = rendered_page(world, seed, [first, *others])
    app = APP % json.dumps(shown[shown.index("<ul") : shown.index("</ul>") + 5]) if scripted else ""
    with FaultServer(Site("", app)) as server:
        page = PAGE.format(track=seed, port=server.port, author=world.permalink_of(first.user_id))
        server.script = Site(page, app)
        settings = {"SPLASH_URL": os.environ["REAL_SPLASH_URL"], "SOUNDCLOUD_SITE_URL": server.url}
        ended = harvester.crawl("commentary_layer", settings=settings)
        assert ended.code == 0, ended.log
        robots, *asked = server.seen
    assert robots.target == "/robots.txt"
    # The page and its script, but no image, no audio, and nothing from another host.
    assert {seen.target for seen in asked[1:]} <= {"/app.js"}
    assert asked[0].headers["user-agent"].startswith("SoundGraphDeepHarvest/")
    assert not [seen for seen in server.seen if "authorization" in seen.headers]
    fans = {comment.user_id for comment in ([first, *others] if scripted else [first])}
    engaged = harvester.query("SELECT user_id FROM engagements WHERE kind = 'comment'")
    assert {user for (user,) in engaged} == fans
    bodies = [body for (body,) in harvester.query("SELECT body FROM comments")]
    assert len(bodies) == len(others) + 1 if scripted else bodies == ["for 1 < 2 scripts"]
