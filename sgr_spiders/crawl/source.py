"""The check that a crawl and its database have the same source."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sgr_spiders.model.exceptions import SourceError
from sgr_spiders.storage.ledger import source

if TYPE_CHECKING:
    from sgr_spiders.storage.ledger.source import Source
    from sgr_spiders.storage.store import Connection

logger = logging.getLogger(__name__)


def claim_source(
    connection: Connection, database: str, api_origin: str, world: str | None, *, accept: bool
) -> Source:
    """Return the source of *database*, which is the API at *api_origin* from now on.

    Args:
        connection: A transaction on the database.
        database: Its name for messages.
        api_origin: The origin of the API.
        world: The world of the sandbox there, if it is known to be one.
        accept: Whether to replace another source.

    Raises:
        SourceError: The database has another source.
    """
    known = source.read(connection)
    if known is None:
        return source.adopt(connection, api_origin, world)
    if known.covers(api_origin, world):
        source.move(connection, api_origin)
        return known
    if not source.is_filled(connection):
        # For example after a run with a mistyped URL, which nothing answered.
        return source.adopt(connection, api_origin, world)
    here = api_origin if world is None else f"the sandbox at {api_origin} ({world})"
    if not accept:
        raise SourceError(
            f"database {database} holds data of {known.describe()}, not of {here}; nothing was fetched. Set "
            "HARVEST_DATABASE_URL to another file or, if the API has only moved, add -a accept_source=1"
        )
    logger.warning("The database was filled from %s; from now on its source is %s", known.describe(), here)
    return source.adopt(connection, api_origin, world)
