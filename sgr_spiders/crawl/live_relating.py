"""Relationships that are brought up to date at intervals while a crawl runs."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

from sgr_spiders.crawl.writer import settle
from sgr_spiders.model.exceptions import HarvestError
from sgr_spiders.storage.pairs import reading

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sgr_spiders.config.harvest import HarvestConfig
    from sgr_spiders.crawl.writer import Writer
    from sgr_spiders.relationships.live import LiveRelationships
    from sgr_spiders.storage.store import Connection, Store

logger = logging.getLogger(__name__)


class LiveRelating:
    """Updates the relationship tables every ``relate.every_minutes``, in a thread of its own.

    It reads a snapshot, and writes in the writer's thread between two pages, so neither waits for a lock.
    """

    def __init__(
        self,
        store: Store,
        writer: Writer,
        config: HarvestConfig,
        seeds: Callable[[Connection], Sequence[int]],
        note_bug: Callable[[], None],
    ) -> None:
        """Prepare.

        Args:
            store: The database.
            writer: The writer of the crawl.
            config: The configuration of the crawl.
            seeds: Returns the seeds that ``relationships.scope: seeds`` stands for.
            note_bug: Called after an unexpected exception, which ends the updates.
        """
        self._store = store
        self._writer = writer
        self._config = config
        self._seeds = seeds
        self._note_bug = note_bug
        self._stopped = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._live: LiveRelationships | None = None

    def start(self) -> None:
        """Update at intervals from now on, if the configuration asks for it."""
        if self._config.relate.every_minutes:
            self._task = asyncio.get_running_loop().create_task(self._run())

    def cancel(self) -> None:
        """Begin no further update, and cut the current one short."""
        self._stopped.set()

    async def stop(self) -> None:
        """Cancel, and wait for the end of the current update."""
        self.cancel()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        try:
            while not await self._is_stopped_within(60 * self._config.relate.every_minutes):
                await self._in_thread(self._update)
        except Exception:
            # A bug here must not stop the crawl.
            logger.exception("Updating the relationships failed")
            self._note_bug()

    async def _is_stopped_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._stopped.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _in_thread(self, function: Callable[[], None]) -> None:
        future: Future[None] = Future()
        # A daemon, so that a second Ctrl-C ends the process at once.
        threading.Thread(target=settle, args=(future, function), name="relating", daemon=True).start()
        await asyncio.wrap_future(future)

    def _update(self) -> None:
        # Lazy import: loading it takes as long as a few pages.
        from sgr_spiders.relationships.engine import CancelledError  # noqa: PLC0415
        from sgr_spiders.relationships.live import LiveRelationships  # noqa: PLC0415

        if self._live is None:
            self._live = LiveRelationships(self._store, self._config, self._writer.call)
        try:
            around = self._around()
            if around is None or around:
                self._live.update(around, self._stopped.is_set)
        except CancelledError:
            return
        except HarvestError as error:
            logger.warning("Could not update the relationships: %s; the next update retries", error)

    def _around(self) -> Sequence[int] | None:
        """Return the seeds that limit the input, without those of which nothing is known yet."""
        if self._config.relationships.scope == "all":
            return None
        with self._store.read() as connection:
            return [
                seed
                for seed in self._seeds(connection)
                if len(reading.read_discovered(connection, "track", [seed]))
            ]
