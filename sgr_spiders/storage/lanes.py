"""The lanes of the API keys: what runs have learned about them, and what workers on a server share."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.schema import lanes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sgr_spiders.storage.store import Connection, Store

PROBE_SECONDS = 60.0
"""Seconds after which another worker may send the one request that is sent alone after a pause."""


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


@dataclass(frozen=True, slots=True)
class KnownLane:
    """A lane as the database knows it. Times are ISO 8601."""

    name: str
    api_origin: str
    state: str
    reason: str | None
    used_at: str
    interval_seconds: float | None
    held_until: str | None


@dataclass(frozen=True, slots=True)
class SharedState:
    """The part of a lane that the workers on a server share. Times are in seconds by the server's clock."""

    now: float
    next_slot: float
    held_until: float
    pauses_in_a_row: int
    interval: float | None
    changes: int
    taken: int
    steps: int
    curve: Mapping[str, Any]
    age: float
    probe_until: float
    """The end of the turn of the worker that sends the first request after a pause; different for each."""


def begin(connection: Connection, key: Key, name: str, at: str | None = None) -> StoredRate | None:
    """Record that a run uses the lane *key* under *name* (*at*: now); return its learned rate, if any."""
    values = {"api_origin": key.api_origin, "key_fingerprint": key.fingerprint, "name": name}
    connection.execute(_BEGIN, {**values, "now": at or timestamp()})
    return read_rate(connection, key)


def read_rate(connection: Connection, key: Key) -> StoredRate | None:
    """Return the learned rate of the lane *key*, if there is one."""
    columns = lanes.c.interval_seconds, lanes.c.learned_at
    row = connection.execute(sa.select(*columns).where(_is_of(key))).one_or_none()
    if row is None or row.interval_seconds is None or row.learned_at is None or not row.interval_seconds > 0:
        return None
    return StoredRate(row.interval_seconds, _age(row.learned_at))


def save_rate(connection: Connection, key: Key, interval: float | None) -> None:
    """Replace the rate learned for *key*; ``None`` if nothing limits it."""
    learned_at = None if interval is None else timestamp()
    change = sa.update(lanes).where(_is_of(key))
    connection.execute(change.values(interval_seconds=interval, learned_at=learned_at))


def save_state(connection: Connection, key: Key, state: str, reason: str | None) -> None:
    """Replace the state of *key*, and the reason for which it is out of use."""
    connection.execute(sa.update(lanes).where(_is_of(key)).values(state=state, reason=reason))


def known(connection: Connection) -> list[KnownLane]:
    """Return all lanes, those used last first."""
    order = lanes.c.used_at.desc(), lanes.c.name, lanes.c.key_fingerprint
    now = datetime.now(UTC).timestamp()
    return [
        KnownLane(
            row.name,
            row.api_origin,
            "throttled" if row.state == "ok" and row.held_until > now else row.state,
            row.reason,
            row.used_at,
            row.interval_seconds,
            timestamp(datetime.fromtimestamp(row.held_until, UTC)) if row.held_until else None,
        )
        for row in connection.execute(sa.select(lanes).order_by(*order))
    ]


class SharedLanes:
    """The lanes on a server, for one thread of a *worker*: each method is one short statement."""

    def __init__(self, store: Store, worker: str) -> None:
        self._store = store
        self._worker = worker

    def take(
        self, key: Key, count: int, minimum: float, curve: tuple[int, float | None], probe_until: float = 0
    ) -> tuple[SharedState, float | None]:
        """Take *count* slots at least *minimum* seconds apart; return the state, and the time of the first.

        There is none during a pause, or while another worker's first request after it has no response.

        Args:
            key: The lane.
            count: The number of slots.
            minimum: The least number of seconds between two of them.
            curve: The number of changes after which the caller has read the curve, and the interval that
                follows from it now.
            probe_until: The end of the caller's own turn to send the first request after a pause, if any: it
                may send another one, because the first got no response that ends the turn.
        """
        changes, interval = curve
        values = {
            "count": count, "minimum": minimum, "changes": changes, "interval": interval,
            "probe": PROBE_SECONDS, "mine": probe_until,
        }  # fmt: skip
        row = self._one(_TAKE, key, values)
        if row is None:
            return self.look(key), None
        state = _state(row)
        return state, state.next_slot - count * max(state.interval or 0.0, minimum)

    def look(self, key: Key) -> SharedState:
        """Return the state of the lane."""
        row = self._one(_LOOK, key, {})
        if row is None:
            raise StorageError(f"database {self._store.describe()}: its table of lanes was changed by others")
        return _state(row)

    def change(self, key: Key, state: SharedState, learned_at: str | None, *, began_hold: bool) -> bool:
        """Replace the state, unless another worker has changed it since; return whether it was replaced."""
        values: dict[str, Any] = {
            "held_until": state.held_until, "pauses_in_a_row": state.pauses_in_a_row, "steps": state.steps,
            "interval": state.interval, "changes": state.changes, "taken": state.taken,
            "curve": json.dumps(dict(state.curve)), "learned_at": learned_at,
            "held_by": self._worker if began_hold else None,
        }  # fmt: skip
        return self._one(_CHANGE, key, values) is not None

    def _one(self, statement: sa.TextClause, key: Key, values: dict[str, Any]) -> sa.Row[Any] | None:
        parameters = {"origin": key.api_origin, "fingerprint": key.fingerprint, **values}
        with self._store.autocommit() as connection:
            return connection.execute(statement, parameters).one_or_none()


def _state(row: sa.Row[Any]) -> SharedState:
    return SharedState(
        row.now,
        row.next_slot,
        row.held_until,
        row.pauses_in_a_row,
        row.interval_seconds,
        row.changes,
        row.taken,
        row.steps,
        json.loads(row.curve or "{}"),
        0.0 if row.learned_at is None else _age(row.learned_at),
        row.probe_until,
    )


def _age(learned_at: str) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(learned_at)).total_seconds()


def _is_of(key: Key) -> sa.ColumnElement[bool]:
    return (lanes.c.api_origin == key.api_origin) & (lanes.c.key_fingerprint == key.fingerprint)


_BEGIN = sa.text(
    "INSERT INTO lanes (api_origin, key_fingerprint, name, state, used_at, "
    "next_slot, held_until, pauses_in_a_row, probe_until, changes, taken, steps) "
    "VALUES (:api_origin, :key_fingerprint, :name, 'ok', :now, 0, 0, 0, 0, 0, 0, 0) "
    "ON CONFLICT (api_origin, key_fingerprint) DO UPDATE SET name = excluded.name, used_at = excluded.used_at"
)
_OF_KEY = "WHERE api_origin = :origin AND key_fingerprint = :fingerprint"
_NOW = "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"
_STATE = (
    f"{_NOW} AS now, next_slot, held_until, pauses_in_a_row, interval_seconds, changes, taken, steps, curve, "
    "learned_at, probe_until"
)
_INTERVAL = "CASE WHEN changes = :changes THEN CAST(:interval AS double precision) ELSE interval_seconds END"
_TAKE = sa.text(
    f"UPDATE lanes SET interval_seconds = {_INTERVAL}, "  # noqa: S608 - constants only
    f"learned_at = CASE WHEN {_INTERVAL} IS NULL THEN NULL ELSE learned_at END, "
    f"next_slot = greatest(next_slot, {_NOW}) + :count * greatest(coalesce({_INTERVAL}, 0), :minimum), "
    # A request that comes late does not show that the rate passes.
    f"steps = steps + CASE WHEN next_slot >= {_NOW} - interval_seconds / 2 THEN :count ELSE 0 END, "
    "taken = taken + :count, "
    f"probe_until = CASE WHEN pauses_in_a_row > 0 THEN {_NOW} + :probe ELSE 0 END "
    f"{_OF_KEY} AND held_until <= {_NOW} "
    f"AND (pauses_in_a_row = 0 OR probe_until <= {_NOW} OR probe_until = :mine) "
    f"RETURNING {_STATE}"
)
_LOOK = sa.text(f"SELECT {_STATE} FROM lanes {_OF_KEY}")  # noqa: S608 - the same
_CHANGE = sa.text(
    "UPDATE lanes SET held_until = :held_until, pauses_in_a_row = :pauses_in_a_row, steps = :steps, "  # noqa: S608
    "interval_seconds = :interval, changes = changes + 1, taken = :taken, curve = :curve, probe_until = 0, "
    "learned_at = CAST(:learned_at AS text), held_by = coalesce(:held_by, held_by) "
    f"{_OF_KEY} AND changes = :changes RETURNING changes"
)
