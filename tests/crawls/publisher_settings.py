"""The project's settings, and a pipeline that adds a publisher to the seed, which the sandbox never does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders import settings as project
from sgr_spiders.model.items import Page, Track
from sgr_spiders.settings import *  # noqa: F403
from sgr_spiders.soundcloud.raw import pack

if TYPE_CHECKING:
    from collections.abc import Iterator

ITEM_PIPELINES = {**project.ITEM_PIPELINES, "tests.crawls.publisher_settings.PublisherPipeline": 50}
PUBLISHER = {"publisher_metadata": {"record_label": "Night Ferry Records"}}


class PublisherPipeline:
    def process_item(self, item: Page) -> Page:
        if item.walk.endpoint == "track":
            for track in _tracks(item):
                track.label_name = track.description = None
                track.raw = pack(PUBLISHER)
        return item


def _tracks(page: Page) -> Iterator[Track]:
    for entry in page.entries:
        if isinstance(entry.record, Track):
            yield entry.record
