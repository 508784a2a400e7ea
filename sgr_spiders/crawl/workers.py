"""This process as one of the workers of a run."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.storage.ledger import workers
from sgr_spiders.text.formatting import pluralize

if TYPE_CHECKING:
    from sgr_spiders.storage.ledger.runs import Run
    from sgr_spiders.storage.store import Connection, Store

logger = logging.getLogger(__name__)

BEATS = 6
"""Heartbeats within the time after which a silent worker loses its leases: several may fail."""


class Heartbeat:
    """Sign of life of the worker at intervals, which also takes the leases of silent workers back.

    It has a thread and a connection of its own: the writer's thread may be busy for long. A database in a
    file has one worker and needs none of this.
    """

    def __init__(self, store: Store, lease_seconds: float) -> None:
        self._store = store
        self._lease_seconds = lease_seconds
        self._ended = threading.Event()
        self._is_away = False
        self._thread: threading.Thread | None = None
        self._run: Run

    def start(self, run: Run) -> None:
        """Begin with the worker of *run*."""
        self._run = run
        if self._store.on_server:
            self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
            self._thread.start()

    def pause(self) -> None:
        """Stop until ``resume``: the worker has left its run, and waits for the end of the others."""
        self._is_away = True

    def resume(self) -> None:
        """Go on: the worker is back, because the others have ended without finishing the run."""
        self._is_away = False

    def stop(self) -> None:
        """End, after the current transaction."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _beat(self) -> None:
        while not self._ended.wait(self._lease_seconds / BEATS):
            if self._is_away:
                continue
            try:
                with self._store.write() as connection:
                    was_ended = workers.beat(connection, self._run.worker_id)
                with self._store.write() as connection:
                    taken = self._take_over(connection)
            except StorageError as error:
                # The next page gets the same error, or the database is back by then.
                logger.debug("No heartbeat: %s", error)
                continue
            if was_ended:
                logger.warning(
                    "This worker was silent for more than %g s, so others have taken its walks over; it goes "
                    "on with other walks",
                    self._lease_seconds,
                )
            if taken:
                logger.warning("Taking over %s of workers that ended or are silent", pluralize(taken, "walk"))

    def _take_over(self, connection: Connection) -> int:
        workers.lock_planning(connection)
        return workers.bury_dead(connection, self._lease_seconds, self._run.worker_id)
