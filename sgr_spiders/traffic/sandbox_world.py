"""The recognition of a sandbox, by the world that each of its responses names."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Final

from sgr_spiders.model.exceptions import SourceError
from sgr_spiders.model.signals import sandbox_found
from sgr_spiders.traffic.extension import Extension
from sgr_spiders.traffic.run_control import Abandoned, RunControl

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response

WORLD: Final = "X-Sandbox-World"
"""The header with the world in each response of the sandbox."""

PATH: Final = "/_sandbox/world"
"""The sandbox's control endpoint that names its world, without a token."""

TIMEOUT_S: Final = 5.0
MAX_SIZE: Final = 1 << 16


class WorldGuard(Extension):
    """Extension that stops the run when a sandbox answers whose world is not that of the database.

    ``expect`` tells it the world. ``WorldGuard.of(crawler)`` returns it.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._world: str | None = None
        self._may_adopt = True
        self._source = "another API"

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> WorldGuard:
        return cls(crawler)

    def expect(self, world: str | None, source: str, *, may_adopt: bool) -> None:
        """Expect responses of *source*, a sandbox with this *world*, or of any one that it *may_adopt*."""
        self._world, self._source, self._may_adopt = world, source, may_adopt

    def check(self, response: Response) -> None:
        """Raise ``Abandoned`` and stop the run if *response* comes from another world."""
        header = response.headers.get(WORLD)
        if header is None:
            return
        world = header.decode("latin-1")
        if world == self._world:
            return
        if self._world is not None or not self._may_adopt:
            error = SourceError(
                f"the database holds data of {self._source}, not of this sandbox ({world}), of which nothing "
                "was stored"
            )
            RunControl.of(self._crawler).stop(error)
            raise Abandoned(str(error))
        self._world = world
        self._crawler.signals.send_catch_log(sandbox_found, world=world)


async def ask_for_world(api_url: str) -> str | None:
    """Return the world of the sandbox at *api_url*; ``None`` if there is no sandbox.

    Call this only where a sandbox is expected. It asks no https URL, because the live API must not get this
    request.
    """
    if not api_url.startswith("http://"):
        return None
    return await asyncio.to_thread(_ask, api_url)


def _ask(api_url: str) -> str | None:
    # Lazy import: most crawls do not ask.
    from http.client import HTTPException  # noqa: PLC0415
    from urllib.request import ProxyHandler, build_opener  # noqa: PLC0415

    try:
        # A sandbox is on this machine or beside it, so no proxy leads to it.
        with build_opener(ProxyHandler({})).open(api_url + PATH, timeout=TIMEOUT_S) as response:
            document = json.loads(response.read(MAX_SIZE))
    except (OSError, ValueError, HTTPException):
        return None
    world = document.get("world") if isinstance(document, dict) else None
    return world if isinstance(world, str) else None
