"""The times of likes and reposts that the cursors of their lists contain.

The API returns no time of a like or repost. Its lists are newest first, and most cursors contain the time at
which a page ends, in one of these forms (API observations, 2018 to 2026):

    2024-01-09T21:10:04.000Z,user-track-likes,000-<user>-<track>    likes/tracks, tracks, playlists
    1567684271000                                                   reposters, in milliseconds
    1567684271000123                                                favoriters, in microseconds

Cursors are opaque by contract, so anything else is ignored.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

from sgr_spiders.model.items import Boundaries

if TYPE_CHECKING:
    from sgr_spiders.model.items import Walk

SECOND: Final = timedelta(seconds=1)
"""The precision of an HTTP date."""
EARLIEST: Final = datetime(2007, 1, 1, tzinfo=UTC)
"""No like is older than SoundCloud."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PARAMETERS: Final = ("cursor", "offset")
"""The parameters that contain the start of a page."""
_ISO: Final = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d{1,9})?) ?(Z|[+-]?\d\d:?\d\d)?", re.ASCII
)
_UNITS: Final = {13: 1_000, 16: 1}
"""Microseconds of the last digit of a time since the epoch, by its number of digits. Shorter numbers could be
IDs or positions."""


def read_boundaries(walk: Walk, next_cursor: str | None, answered: float | None, now: datetime) -> Boundaries:
    """Return the times at the ends of the page of *walk* that is followed by *next_cursor*.

    Args:
        walk: The walk before this page.
        next_cursor: The start of the next page, path and query; ``None`` if there is none.
        answered: The time of the response by the API's clock, seconds since the epoch; ``None`` if unknown.
        now: The time by the local clock.
    """
    clock = _from_epoch(answered)
    latest = now if clock is None else clock + SECOND
    return Boundaries(
        before=read_boundary(walk.cursor, latest), at=read_boundary(next_cursor or "", latest), answered=clock
    )


def read_boundary(cursor: str, latest: datetime) -> datetime | None:
    """Return the time in a cursor (path and query), ``None`` if it contains none until *latest*."""
    try:
        query = parse_qsl(urlsplit(cursor).query)
    except ValueError:
        return None
    for name, value in query:
        if name in _PARAMETERS and (moment := _read(value.partition(",")[0])) is not None:
            return moment if EARLIEST <= moment <= latest else None
    return None


def _read(text: str) -> datetime | None:
    try:
        if text.isdecimal() and text.isascii():
            unit = _UNITS.get(len(text))
            return None if unit is None else _EPOCH + timedelta(microseconds=int(text) * unit)
        if (match := _ISO.fullmatch(text)) is None:
            return None
        year, month, day, time, offset = match.groups("Z")
        # A plus sign that is not encoded is decoded as a space.
        sign = "+" if offset[0].isdecimal() else ""
        return datetime.fromisoformat(f"{year}-{month}-{day}T{time}{sign}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _from_epoch(seconds: float | None) -> datetime | None:
    try:
        return None if seconds is None else _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return None
