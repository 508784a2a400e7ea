"""The project's settings, and a database that cannot be written at the start of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.crawl.planner import Planner
from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.settings import *  # noqa: F403

if TYPE_CHECKING:
    from sgr_spiders.storage.store import Connection


def _start(_planner: Planner, _connection: Connection) -> None:
    raise StorageError("database x.db: database or disk is full")


Planner.start = _start  # type: ignore[method-assign, assignment]
