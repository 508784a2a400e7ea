"""The spider for comparison: it fetches a list of URLs and discards the responses."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import scrapy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scrapy.http import Response

TOKEN: Final = "BENCHMARK_TOKEN"
"""The environment variable that contains the access token."""


class BareSpider(scrapy.Spider):
    name = "bare"

    def __init__(self, urls: str) -> None:
        super().__init__()
        self._urls = Path(urls).read_text().split()

    async def start(self) -> AsyncIterator[Any]:
        headers = {"Authorization": f"OAuth {os.environ[TOKEN]}"}
        for url in self._urls:
            yield scrapy.Request(url, headers=headers)

    def parse(self, response: Response) -> None:
        """Do nothing."""
