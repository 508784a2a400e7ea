"""The timestamp format of the database."""

from __future__ import annotations

from datetime import UTC, datetime


def timestamp(moment: datetime | None = None) -> str:
    """Format *moment* (default: now) as text of fixed width that sorts chronologically.

    Microseconds, because a run may start in the same second in which another one ended.
    """
    moment = moment or datetime.now(UTC)
    # Not `strftime`, which writes years before 1000 with fewer digits.
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
