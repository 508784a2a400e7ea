"""All uses of Scrapy's and Twisted's undocumented parts.

No other module uses them, so a new version can break the project in one place only.
``tests/traffic/test_scrapy_internals.py`` checks each.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any, Final

from scrapy.core.downloader.handlers.http11 import TunnelError
from scrapy.exceptions import IgnoreRequest
from scrapy.utils import url as scrapy_url
from scrapy.utils.log import get_scrapy_root_handler
from twisted.internet.defer import Deferred
from twisted.web._newclient import ParseError
from w3lib.url import canonicalize_url

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator

    from scrapy.core.downloader.handlers import DownloadHandlerProtocol
    from scrapy.crawler import Crawler

FORBIDDEN: Final = "Forbidden by robots.txt"


def is_closing(crawler: Crawler) -> bool:
    """Return whether Scrapy has started to close the spider.

    No signal reports this: ``spider_closed`` follows the last response, and a request that waits for the
    end of a rate-limit pause would delay that for up to a day.
    """
    slot = crawler.engine._slot  # noqa: SLF001 - not public
    return slot is not None and slot.closing is not None


def release_queues(crawler: Crawler) -> None:
    """Pass all queued requests to the download handler at once, without their delay.

    Scrapy closes a spider after its last queued request, which can take ``AUTOTHROTTLE_MAX_DELAY`` for each
    request. It has no way to drop them.
    """
    downloader = crawler.engine.downloader
    for slot in downloader.slots.values():
        slot.delay = 0.0
        # Cancels the timer of the next request, which otherwise blocks the queue.
        slot.close()
        downloader._process_queue(slot)  # noqa: SLF001 - not public


def transfer_count(crawler: Crawler, *, without: str) -> int:
    """Return the number of requests that wait for their response, except those of the slot *without*.

    The statistics count a request only when the downloader is done with it.
    """
    slots = crawler.engine.downloader.slots.items()
    return sum(len(slot.transferring) for key, slot in slots if key != without)


def disable_resends(handler: DownloadHandlerProtocol) -> None:
    """Keep *handler* from repeating a request when a persistent connection breaks.

    Twisted's connection pool does so for GET requests, bypassing rate-limit pauses and the request rate.
    Scrapy has no setting for it. Handlers without such a pool are left as they are.
    """
    pool: Any = getattr(handler, "_pool", None)
    if hasattr(pool, "retryAutomatically"):
        pool.retryAutomatically = False


def root_log_handler() -> logging.Handler | None:
    """Return the handler that Scrapy writes the log with, ``None`` if it has installed none.

    The progress bar writes around it. Scrapy does not document the function that returns it.
    """
    return get_scrapy_root_handler()


def is_forbidden_by_robots(error: BaseException | None) -> bool:
    """Return whether *error* means that robots.txt forbids the request.

    Scrapy raises a plain ``IgnoreRequest``; only its text differs from other reasons.
    """
    return type(error) is IgnoreRequest and str(error) == FORBIDDEN


def is_tunnel_failure(error: BaseException) -> bool:
    """Return whether a proxy refused to open a tunnel. Scrapy does not document this exception."""
    return isinstance(error, TunnelError)


def failed_tunnel_status(error: BaseException) -> int | None:
    """Return the HTTP status with which a proxy refused a tunnel; ``None`` if it did not speak HTTP.

    The exception contains it only in its text.
    """
    match = re.search(r"\[\{'status': (\d{3}),", str(error))
    return int(match[1]) if match else None


def is_not_http(error: BaseException) -> bool:
    """Return whether *error* means that a server did not answer in HTTP. Twisted does not export it."""
    return isinstance(error, ParseError)


def restore_canonicalize_url() -> None:
    """Add w3lib's ``canonicalize_url`` to ``scrapy.utils.url`` again.

    Scrapy 2.16 removed that second name of the function; scrapy-splash 0.11 still imports it from there.
    """
    vars(scrapy_url).setdefault("canonicalize_url", canonicalize_url)


def wake_engine(crawler: Crawler) -> None:
    """Have the engine ask the scheduler again.

    It does so when a request ends, and otherwise every 5 s. A scheduler that gets a request at another
    time has no public way to announce it.
    """
    slot = crawler.engine._slot  # noqa: SLF001 - not public
    if slot is not None and slot.closing is None:
        slot.nextcall.schedule()


def pages_in_work(crawler: Crawler) -> int:
    """Return the number of responses whose pages are not committed yet.

    Scrapy itself pauses only when these responses exceed 5 MB, which are thousands of small ones.
    """
    slot = crawler.engine.scraper.slot
    return 0 if slot is None else len(slot.queue) + len(slot.active)


@contextlib.contextmanager
def reactor_held(on_stop: Callable[[], None]) -> Iterator[None]:
    """Keep the reactor running until the block ends; call *on_stop* if it is asked to stop before.

    A first Ctrl-C after the engine has closed stops the reactor at once: Scrapy waits for the handlers of
    ``spider_closed`` only if it has closed the spider itself.
    """
    # Lazy import, because it installs the reactor. The type checker takes it for a module.
    from twisted.internet import reactor as installed  # noqa: PLC0415

    reactor: Any = installed
    over: Deferred[None] | None = None

    def stop() -> Deferred[None]:
        nonlocal over
        over = Deferred()
        on_stop()
        return over

    trigger = reactor.addSystemEventTrigger("before", "shutdown", stop)
    try:
        yield
    finally:
        if over is not None:
            reactor.callLater(0, over.callback, None)
        else:
            reactor.removeSystemEventTrigger(trigger)
