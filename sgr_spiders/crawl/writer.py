"""The one thread that writes to the database."""

from __future__ import annotations

import asyncio
import queue
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from sgr_spiders.model.exceptions import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sgr_spiders.storage.store import Connection, Store

Result = TypeVar("Result")


class Writer:
    """A thread that runs transactions on a store, in the order in which they were asked for.

    The reactor's thread awaits them. So it never waits for the disk, nor for another process that holds the
    database: answers are read, pace is kept and Ctrl-C is answered meanwhile.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._failure: StorageError | None = None
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        # A daemon, because a second Ctrl-C must end the process also while SQLite waits for a lock.
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
        self._thread.start()

    async def run(self, function: Callable[[Connection], Result]) -> Result:
        """Return what *function* returns, called in a transaction of its own.

        Once a transaction has failed with a ``StorageError``, those behind it fail at once with the same
        error, rather than that each waits for a lock; see ``try_again``.
        """
        return await self._submit(lambda: self._write(function))

    async def read(self, function: Callable[[Connection], Result]) -> Result:
        """Return what *function* returns, called with a snapshot; other processes may write meanwhile."""
        return await self._submit(lambda: self._read(function))

    def try_again(self) -> None:
        """Forget that a transaction has failed: its cause may have passed."""
        self._failure = None

    async def close(self) -> None:
        """Close the store after all that was asked for, and end the thread."""
        await self._submit(self._store.close)
        self._jobs.put(None)

    async def _submit(self, function: Callable[[], Result]) -> Result:
        future: Future[Result] = Future()
        self._jobs.put(lambda: _settle(future, function))
        return await asyncio.wrap_future(future)

    def _read(self, function: Callable[[Connection], Result]) -> Result:
        with self._store.read() as connection:
            return function(connection)

    def _write(self, function: Callable[[Connection], Result]) -> Result:
        if self._failure is not None:
            raise self._failure
        try:
            with self._store.write() as connection:
                return function(connection)
        except StorageError as error:
            self._failure = error
            raise

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


def _settle(future: Future[Any], function: Callable[[], Any]) -> None:
    # Nobody waits any more where the loop was stopped in the meantime, by a second Ctrl-C.
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function()
    except BaseException as error:  # noqa: BLE001 - whoever awaits it gets it
        future.set_exception(error)
    else:
        future.set_result(result)
