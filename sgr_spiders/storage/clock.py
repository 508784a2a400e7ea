"""The timestamp format of the database."""

from __future__ import annotations

from datetime import UTC, datetime


def timestamp(moment: datetime | None = None) -> str:
    """Format *moment* (default: now) as text of fixed width that sorts chronologically.

    Microseconds, because a run may start in the same second in which another one ended.
    """
    moment = moment or datetime.now(UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
