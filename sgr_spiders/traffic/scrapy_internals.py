"""Scrapy's and Twisted's insides that we need: what their next version may change, in one place."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scrapy.crawler import Crawler


def wake_engine(crawler: Crawler) -> None:
    """Have the engine ask the scheduler again.

    It does so by itself when a request ends, and else every 5 s. A scheduler that has something new at
    another moment has no public way to say so.
    """
    slot = crawler.engine._slot  # noqa: SLF001 - see above
    if slot is not None and slot.closing is None:
        slot.nextcall.schedule()


def pages_in_work(crawler: Crawler) -> int:
    """Return how many answers have come whose pages are not committed yet.

    Scrapy itself asks for no more when these hold 5 MB, which are thousands of small answers.
    """
    slot = crawler.engine.scraper.slot
    return 0 if slot is None else len(slot.queue) + len(slot.active)


@contextlib.contextmanager
def reactor_held(on_stop: Callable[[], None]) -> Iterator[None]:
    """Keep the reactor running until the block ends, and call *on_stop* if it is told to stop before.

    A first Ctrl-C that comes after the engine has closed stops the reactor at once: Scrapy waits for the
    handlers of ``spider_closed`` only if it has told the spider to close itself.
    """
    # Lazy import: importing it installs it. To the type checker it is a module, not what is installed.
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
