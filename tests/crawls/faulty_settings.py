"""The project's settings, and a pipeline that raises an exception on every fifth page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders import settings as project
from sgr_spiders.settings import *  # noqa: F403

if TYPE_CHECKING:
    from sgr_spiders.model.items import Page

ITEM_PIPELINES = {**project.ITEM_PIPELINES, "tests.crawls.faulty_settings.FaultyPipeline": 250}


class FaultyPipeline:
    def __init__(self) -> None:
        self._pages = 0

    def process_item(self, item: Page) -> Page:
        self._pages += 1
        if self._pages % 5 == 0:
            raise ValueError("a bug in a pipeline")
        return item
