"""What users of a database are told once."""

from __future__ import annotations

import sqlalchemy as sa

from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.storage import upserts
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.schema import notices
from sgr_spiders.storage.store import Store, parse_url


def mark_shown(connection: sa.Connection, name: str) -> bool:
    """Mark the notice as shown; return whether it was new."""
    if connection.scalar(sa.select(notices.c.name).where(notices.c.name == name)) is not None:
        return False
    upserts.insert_new(connection, notices, ("name", "said_at"), [(name, timestamp())])
    return True


def mark_shown_at(url: str, name: str) -> bool:
    """Do the same for those who only read the database at *url*, also while a crawl writes to it.

    Where nothing can be written the notice stays news.
    """
    store = Store(sa.create_engine(parse_url(url)), None)
    store.cancel_waiting()
    try:
        with store.write() as connection:
            return mark_shown(connection, name)
    except StorageError:
        return True
    finally:
        store.close()
