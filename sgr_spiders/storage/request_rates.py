"""The request rates that runs have learned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.schema import request_rates

if TYPE_CHECKING:
    from sgr_spiders.storage.store import Connection


@dataclass(frozen=True, slots=True)
class Key:
    """An API key at an API: the origin, and a keyed hash of the client ID."""

    api_origin: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class StoredRate:
    """The seconds between two requests, and the seconds since they were learned."""

    interval: float
    age: float


def load(connection: Connection, key: Key) -> StoredRate | None:
    """Return the rate learned for *key*, if any."""
    columns = request_rates.c.interval_seconds, request_rates.c.learned_at
    row = connection.execute(sa.select(*columns).where(_is_of(key))).one_or_none()
    if row is None or not row.interval_seconds > 0:
        return None
    age = datetime.now(UTC) - datetime.fromisoformat(row.learned_at)
    return StoredRate(row.interval_seconds, age.total_seconds())


def save(connection: Connection, key: Key, interval: float | None) -> None:
    """Replace the rate learned for *key*; ``None`` removes it."""
    connection.execute(sa.delete(request_rates).where(_is_of(key)))
    if interval is not None:
        connection.execute(
            sa.insert(request_rates).values(
                api_origin=key.api_origin,
                key_fingerprint=key.fingerprint,
                interval_seconds=interval,
                learned_at=timestamp(),
            )
        )


def _is_of(key: Key) -> sa.ColumnElement[bool]:
    return (request_rates.c.api_origin == key.api_origin) & (
        request_rates.c.key_fingerprint == key.fingerprint
    )
