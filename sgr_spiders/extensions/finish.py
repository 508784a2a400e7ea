"""What is done when a crawl has ended, off the reactor's thread."""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from sgr_spiders.exceptions import HarvestError
from sgr_spiders.outcome import COMPLETE, INTERNAL_ERROR, INTERRUPTED, PARTIAL, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scrapy.crawler import Crawler

    from sgr_spiders.config import HarvestConfig
    from sgr_spiders.relationships.processor import Related
    from sgr_spiders.storage.store import Store

logger = logging.getLogger(__name__)

BY_HAND = "`scrapy relate` does it by hand"


@dataclass(frozen=True, slots=True)
class Finished:
    """The outcome of the run after its finishing steps, and the tables they built or found up to date."""

    outcome: Outcome
    related: tuple[Related, ...] = ()


async def relate_when_closed(
    crawler: Crawler, store: Store, config: HarvestConfig, seeds: Sequence[int], judged: Outcome
) -> Finished:
    """Relate what the database holds, if the run that was *judged* so tried all it could.

    Ctrl-C ends it, also the first one. A failure makes the outcome an internal error; what was spilled stays,
    and so do the tables of before.
    """
    section = config.relationships
    if not section.on_close or judged.exit_code not in {COMPLETE, PARTIAL}:
        return Finished(judged)
    if section.scope == "seeds" and not seeds:
        return Finished(judged)
    # Only now, because importing it installs it. To the type checker it is a module, not what is installed.
    from twisted.internet import reactor as installed  # noqa: PLC0415

    reactor: Any = installed
    # Also when the reactor is told to stop meanwhile, by Ctrl-C, the outcome is still to be written.
    stopped, over = threading.Event(), Deferred[None]()
    trigger = reactor.addSystemEventTrigger("before", "shutdown", _stop, stopped, over)
    try:
        return await asyncio.to_thread(
            _relate, store, config, seeds, judged, lambda: stopped.is_set() or not crawler.crawling
        )
    finally:
        if stopped.is_set():
            reactor.callLater(0, over.callback, None)
        else:
            reactor.removeSystemEventTrigger(trigger)


def _stop(stopped: threading.Event, over: Deferred[None]) -> Deferred[None]:
    stopped.set()
    return over


def _relate(
    store: Store,
    config: HarvestConfig,
    seeds: Sequence[int],
    judged: Outcome,
    is_cancelled: Callable[[], bool],
) -> Finished:
    # Only now and here: what it imports takes as long as some pages.
    from sgr_spiders.relationships.engine import CancelledError  # noqa: PLC0415
    from sgr_spiders.relationships.processor import relate  # noqa: PLC0415

    chosen = seeds if config.relationships.scope == "seeds" else None
    try:
        related = relate(store, config, seeds=chosen, is_cancelled=is_cancelled)
    except CancelledError:
        return Finished(Outcome("interrupted", INTERRUPTED, f"stopped while relating, {BY_HAND}"))
    except HarvestError as error:
        return Finished(Outcome("failed", INTERNAL_ERROR, f"relating failed: {error}, {BY_HAND}"))
    except Exception:
        # A mistake of ours must not take the outcome of the crawl with it.
        logger.exception("Relating failed")
        return Finished(Outcome("failed", INTERNAL_ERROR, f"relating failed, see the log, {BY_HAND}"))
    return Finished(judged, tuple(related))
