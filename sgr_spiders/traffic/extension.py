"""The base class of extensions that other components look up."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler


class Extension:
    """An extension that a crawl needs: other components find it with ``of``."""

    @classmethod
    def of(cls, crawler: Crawler) -> Self:
        """Return the extension of *crawler*."""
        extension = crawler.get_extension(cls)
        if extension is None:
            raise RuntimeError(f"setting `EXTENSIONS`: {cls.__module__}.{cls.__qualname__} is missing")
        return extension
