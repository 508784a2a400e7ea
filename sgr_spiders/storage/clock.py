"""The one spelling of time in the database."""

from __future__ import annotations

from datetime import UTC, datetime


def timestamp(moment: datetime | None = None) -> str:
    """Spell *moment* (default: now) as text of fixed width, which compares as the times do.

    Microseconds, because a run may start within the second in which another one ended.
    """
    moment = moment or datetime.now(UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
