"""The project's settings, a pipeline that spoils records before they are judged, and one request that goes
astray: what the sandbox cannot do."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sgr_spiders.model.items import Page, Track
from sgr_spiders.settings import *  # noqa: F403
from sgr_spiders.settings import ITEM_PIPELINES as _ITEM_PIPELINES

if TYPE_CHECKING:
    from scrapy import Request

ITEM_PIPELINES = {**_ITEM_PIPELINES, "tests.crawls.spoiled_settings.SpoilPipeline": 50}
DOWNLOADER_MIDDLEWARES = {"tests.crawls.spoiled_settings.AstrayMiddleware": 10}


class SpoilPipeline:
    """Of a page of three tracks or more: one has no good id, one no good length, one a bell in its title.

    With ``SPOIL=all`` no liked track has a good id.
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
    """Leads the request for the seed's reposters elsewhere."""

    def process_request(self, request: Request) -> Request | None:
        if request.url.split("?")[0].endswith("/reposters"):
            return request.replace(url="http://127.0.0.1:9/elsewhere")
        return None
