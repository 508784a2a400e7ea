"""Notices that are shown once per database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.model.exceptions import HarvestError
from sgr_spiders.storage import upserts
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.schema import notices
from sgr_spiders.storage.store import Store

if TYPE_CHECKING:
    from sgr_spiders.storage.store import Connection


def mark_shown(store: Store, name: str) -> bool:
    """Mark the notice as shown; return whether it was new.

    This never waits for a lock: if the database is locked or read-only, the notice stays new.
    """
    with store.read() as connection:
        if _is_shown(connection, name):
            return False
    writer = Store(store.url)
    writer.cancel_waiting()
    try:
        with writer.write() as connection:
            if _is_shown(connection, name):
                return False
            upserts.insert_new(connection, notices, ("name", "said_at"), [(name, timestamp())])
    except HarvestError:
        pass
    finally:
        writer.close()
    return True


def _is_shown(connection: Connection, name: str) -> bool:
    return connection.scalar(sa.select(notices.c.name).where(notices.c.name == name)) is not None
