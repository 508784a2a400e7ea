"""The thread that writes to the database."""

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
    """A thread that runs transactions on a store in the order of the calls.

    The reactor's thread awaits them without blocking, so a slow disk or a lock of another process delays
    neither responses nor requests nor Ctrl-C.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._failure: StorageError | None = None
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        # A daemon, so that a second Ctrl-C ends the process even while SQLite waits for a lock.
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
        self._thread.start()

    async def run(self, function: Callable[[Connection], Result]) -> Result:
        """Call *function* in its own transaction and return its result.

        On a server, *function* is called again if the transaction fails for a reason that passes.

        Once a transaction has failed with a ``StorageError``, later ones fail at once with the same error,
        because each would wait for the lock again (see ``retry_writes``).
        """
        return await self._submit(lambda: self._write(function))

    async def read(self, function: Callable[[Connection], Result]) -> Result:
        """Call *function* with a snapshot and return its result; other processes may write meanwhile."""
        return await self._submit(lambda: self._store.retry(lambda: self._read(function)))

    def call(self, function: Callable[[], Result]) -> Result:
        """Call *function*, which opens its own transactions, and wait for its result in another thread.

        Its errors do not affect later transactions.
        """
        future: Future[Result] = Future()
        self._jobs.put(lambda: settle(future, function))
        return future.result()

    def retry_writes(self) -> None:
        """Allow writing again after a failed transaction."""
        self._failure = None

    async def close(self) -> None:
        """Close the store after all transactions, and end the thread."""
        await self._submit(self._store.close)
        self._jobs.put(None)

    async def _submit(self, function: Callable[[], Result]) -> Result:
        future: Future[Result] = Future()
        self._jobs.put(lambda: settle(future, function))
        return await asyncio.wrap_future(future)

    def _read(self, function: Callable[[Connection], Result]) -> Result:
        with self._store.read() as connection:
            return function(connection)

    def _write(self, function: Callable[[Connection], Result]) -> Result:
        if self._failure is not None:
            raise self._failure
        try:
            return self._store.retry(lambda: self._write_once(function))
        except StorageError as error:
            self._failure = error
            raise

    def _write_once(self, function: Callable[[Connection], Result]) -> Result:
        with self._store.write() as connection:
            return function(connection)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


def settle(future: Future[Any], function: Callable[[], Any]) -> None:
    """Call *function*, and set its result or exception, unless nobody awaits the *future* any more."""
    # A second Ctrl-C has stopped the loop, so nobody awaits the result.
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function()
    except BaseException as error:  # noqa: BLE001 - raised where it is awaited
        future.set_exception(error)
    else:
        future.set_result(result)
