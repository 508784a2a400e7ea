"""What is done when a crawl has ended, off the reactor's thread."""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from sgr_spiders.model.exceptions import HarvestError, NothingToLearnError
from sgr_spiders.model.outcome import COMPLETE, INTERNAL_ERROR, INTERRUPTED, PARTIAL, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scrapy.crawler import Crawler

    from sgr_spiders.config.harvest import HarvestConfig
    from sgr_spiders.relationships.processor import Related
    from sgr_spiders.storage.store import Store

logger = logging.getLogger(__name__)

BY_HAND = "`scrapy relate` does it by hand"
EMBED_BY_HAND = "`scrapy embed` does it by hand"


@dataclass(frozen=True, slots=True)
class Finished:
    """The outcome of the run after its finishing steps, and the tables they built or found up to date."""

    outcome: Outcome
    related: tuple[Related, ...] = ()


async def relate_when_closed(
    crawler: Crawler, store: Store, config: HarvestConfig, seeds: Sequence[int], judged: Outcome
) -> Finished:
    """Relate what the database holds, then make vectors, if the run that was *judged* so tried all it could.

    Ctrl-C ends it, also the first one. A failure makes the outcome an internal error; what was spilled stays,
    and so do the tables of before.
    """
    steps = [
        step
        for step, wanted in ((_relate, _relates(config, seeds)), (_embed, config.embeddings.on_close))
        if wanted
    ]
    if not steps or judged.exit_code not in {COMPLETE, PARTIAL}:
        return Finished(judged)
    # Only now, because importing it installs it. To the type checker it is a module, not what is installed.
    from twisted.internet import reactor as installed  # noqa: PLC0415

    reactor: Any = installed
    # Also when the reactor is told to stop meanwhile, by Ctrl-C, the outcome is still to be written.
    stopped, over = threading.Event(), Deferred[None]()
    trigger = reactor.addSystemEventTrigger("before", "shutdown", _stop, stopped, over)
    try:
        work = _Work(store, config, seeds, lambda: stopped.is_set() or not crawler.crawling)
        return await asyncio.to_thread(_run, steps, work, judged)
    finally:
        if stopped.is_set():
            reactor.callLater(0, over.callback, None)
        else:
            reactor.removeSystemEventTrigger(trigger)


def _relates(config: HarvestConfig, seeds: Sequence[int]) -> bool:
    return config.relationships.on_close and (config.relationships.scope == "all" or bool(seeds))


def _stop(stopped: threading.Event, over: Deferred[None]) -> Deferred[None]:
    stopped.set()
    return over


@dataclass(frozen=True, slots=True)
class _Work:
    """What the steps work on."""

    store: Store
    config: HarvestConfig
    seeds: Sequence[int]
    is_cancelled: Callable[[], bool]


def _run(steps: Sequence[Callable[[_Work, Finished], Finished]], work: _Work, judged: Outcome) -> Finished:
    """Do one step after the other, until one changes how the run ended."""
    finished = Finished(judged)
    for step in steps:
        if finished.outcome == judged:
            finished = step(work, finished)
    return finished


def _relate(work: _Work, before: Finished) -> Finished:
    # Only now and here: what it imports takes as long as some pages.
    from sgr_spiders.relationships.engine import CancelledError  # noqa: PLC0415
    from sgr_spiders.relationships.processor import relate  # noqa: PLC0415

    chosen = work.seeds if work.config.relationships.scope == "seeds" else None
    try:
        related = relate(work.store, work.config, seeds=chosen, is_cancelled=work.is_cancelled)
    except CancelledError:
        return Finished(Outcome("interrupted", INTERRUPTED, f"stopped while relating, {BY_HAND}"))
    except HarvestError as error:
        return Finished(Outcome("failed", INTERNAL_ERROR, f"relating failed: {error}, {BY_HAND}"))
    except Exception:
        # A mistake of ours must not take the outcome of the crawl with it.
        logger.exception("Relating failed")
        return Finished(Outcome("failed", INTERNAL_ERROR, f"relating failed, see the log, {BY_HAND}"))
    return replace(before, related=tuple(related))


def _embed(work: _Work, before: Finished) -> Finished:
    # Only now and here, as for relating.
    from sgr_spiders.embeddings.embed import embed  # noqa: PLC0415
    from sgr_spiders.embeddings.terms import terms_line  # noqa: PLC0415

    if work.is_cancelled():
        stopped = Outcome("interrupted", INTERRUPTED, f"stopped before embedding, {EMBED_BY_HAND}")
        return replace(before, outcome=stopped)
    if line := terms_line(work.store):
        logger.info("%s", line)
    try:
        embedded = embed(work.store, work.config.embeddings)
    except NothingToLearnError as error:
        logger.info("No vectors: %s", error)
        return before
    except HarvestError as error:
        failed = Outcome("failed", INTERNAL_ERROR, f"embedding failed: {error}, {EMBED_BY_HAND}")
        return replace(before, outcome=failed)
    except Exception:
        logger.exception("Embedding failed")
        failed = Outcome("failed", INTERNAL_ERROR, f"embedding failed, see the log, {EMBED_BY_HAND}")
        return replace(before, outcome=failed)
    logger.info("Vectors of %s", embedded.describe())
    return before
