"""The exports made from a database, which may still contain what is forgotten later."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.model.exceptions import HarvestError
from sgr_spiders.storage import upserts
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.schema import exports
from sgr_spiders.storage.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from sgr_spiders.storage.store import Connection


logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ExportMade:
    """An export: its directory, its purpose, and when it was last written."""

    directory: str
    purpose: str
    created_at: str


def note(store: Store, directory: Path, purpose: str) -> None:
    """Save that files were written to *directory*.

    An export of a database that cannot be written, e.g. on a read-only medium, is not saved.
    """
    writer = Store(store.url)
    try:
        with writer.write() as connection:
            row = (str(directory.resolve()), purpose, timestamp())
            upserts.upsert_latest(connection, exports, tuple(exports.columns.keys()), [row])
    except HarvestError as error:
        logger.info("Could not save that %s is an export: %s", directory, error)
    finally:
        writer.close()


def read(connection: Connection) -> list[ExportMade]:
    """Return the exports, the newest first."""
    query = sa.select(exports).order_by(exports.c.created_at.desc(), exports.c.directory)
    return [ExportMade(*row) for row in connection.execute(query)]
