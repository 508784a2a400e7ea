"""The question whether the API still answers well about a record that is known to be good."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from scrapy import Request, signals
from scrapy.http.request import NO_CALLBACK

from sgr_spiders.model import statistics
from sgr_spiders.soundcloud.answers import Kind
from sgr_spiders.traffic.extension import Extension
from sgr_spiders.traffic.lanes import ONLY_LANE
from sgr_spiders.traffic.response import ApiResponse
from sgr_spiders.traffic.run_control import Abandoned

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from scrapy.crawler import Crawler

    from sgr_spiders.soundcloud.answers import Answer
    from sgr_spiders.traffic.lanes import Lane

Candidate = tuple[str, "Callable[[Answer], bool]"]
"""The URL of a record known to be good, and the judge of its answer."""

WITNESS: Final = "sgr_witness"
"""Meta key of a request for a record known to be good. Its answer is judged by whoever asked for it."""


_ABOUT_RECORD: Final = frozenset({Kind.OK, Kind.GONE, Kind.HIDDEN})
"""Kinds of answers after which another record may still be answered well."""


class Witness(Extension):
    """Extension that asks for a record known to be good, to find out whom a refusal is about.

    If that record is refused too on the same lane, the refusal is about its key or this client; if not, it
    is about the request that was refused. ``Witness.of(crawler)`` returns the extension.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._find: Callable[[], Awaitable[Sequence[Candidate]]] | None = None
        self._asking: dict[Lane, asyncio.Task[bool | None]] = {}
        self.last_reason = ""
        """The reason of the latest refusal of a record known to be good."""
        crawler.signals.connect(self.spider_closed, signal=signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Witness:
        return cls(crawler)

    def find_with(self, find: Callable[[], Awaitable[Sequence[Candidate]]]) -> None:
        """Use *find*, which returns records known to be good, the best first."""
        self._find = find

    async def best_url(self) -> str | None:
        """Return the URL of the best record known to be good, ``None`` if no such record is known."""
        candidates = await self._find() if self._find is not None else ()
        return next((url for url, _ in candidates), None)

    async def vouches(self, lane: Lane) -> bool | None:
        """Return whether a record known to be good is answered well on *lane*; ``None`` if none is known.

        Callers at the same time share one request. Raises ``Abandoned`` if the run closes.
        """
        asking = self._asking.get(lane)
        if asking is None:
            asking = self._asking[lane] = asyncio.get_running_loop().create_task(self._ask(lane))
            asking.add_done_callback(lambda task: self._note_done(lane, task))
        return await asyncio.shield(asking)

    def spider_closed(self) -> None:
        for asking in self._asking.values():
            asking.cancel()

    def _note_done(self, lane: Lane, task: asyncio.Task[bool | None]) -> None:
        del self._asking[lane]
        if not task.cancelled():
            # Mark the exception as retrieved, in case nobody waits for it any more.
            task.exception()

    async def _ask(self, lane: Lane) -> bool | None:
        candidates = await self._find() if self._find is not None else ()
        for url, is_good in candidates:
            answer = await self._fetch(url, lane)
            if answer is not None and answer.kind is Kind.OK and is_good(answer):
                return True
            if answer is None or answer.kind not in _ABOUT_RECORD:
                return False
        return False if candidates else None

    async def _fetch(self, url: str, lane: Lane) -> Answer | None:
        self._crawler.stats.inc_value(statistics.WITNESSES)
        meta = {WITNESS: True, ONLY_LANE: lane.name}
        request = Request(url, meta=meta, callback=NO_CALLBACK, dont_filter=True)
        try:
            response = await self._crawler.engine.download_async(request)
        except Abandoned:
            raise
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the record was not answered
            self.last_reason = type(error).__name__
            return None
        assert isinstance(response, ApiResponse)
        self.last_reason = response.answer.reason or "without data"
        return response.answer
