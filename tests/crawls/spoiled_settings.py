"""The project's settings, with faults that the sandbox cannot produce.

A pipeline damages records before validation, and a middleware redirects one request to another host.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sgr_spiders import settings as project
from sgr_spiders.model.items import Page, Track
from sgr_spiders.settings import *  # noqa: F403

if TYPE_CHECKING:
    from scrapy import Request

ITEM_PIPELINES = {**project.ITEM_PIPELINES, "tests.crawls.spoiled_settings.SpoilPipeline": 50}
DOWNLOADER_MIDDLEWARES = {"tests.crawls.spoiled_settings.AstrayMiddleware": 10}


class SpoilPipeline:
    """Damages three tracks on each page: an invalid ID, an invalid duration, and a bell in a title.

    With ``SPOIL=all`` all liked tracks have an invalid ID.
    """

    def process_item(self, item: Page) -> Page:
        tracks = [entry.record for entry in item.entries if isinstance(entry.record, Track)]
        if os.environ.get("SPOIL") == "all":
            for track in tracks if item.walk.endpoint == "user_likes" else ():
                track.track_id = -1
        elif len(tracks) >= 3:
            tracks[0].track_id = -1
            tracks[1].duration_ms = -1
            tracks[2].title = "\a"
        return item


class AstrayMiddleware:
    """Sends the request for the reposters of the seed to another host."""

    def process_request(self, request: Request) -> Request | None:
        if request.url.split("?")[0].endswith("/reposters"):
            return request.replace(url="http://127.0.0.1:9/elsewhere")
        return None
