"""The rate limit in a response: how long to wait, and whether requests are left."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MAX_HOLD: Final = 24 * 3600.0
"""The longest pause that a response can request, in seconds.

The API documents windows of up to 24 hours (PT24H).
"""

EPOCH_FROM: Final = 1e9
"""A number of seconds from here on is a time since the epoch (2001 and later), not a duration."""

MILLISECONDS_FROM: Final = 1e12
"""A number from here on is in milliseconds."""

WINDOWS: Final = ("x-ratelimit-", "x-rate-limit-", "ratelimit-")
"""The beginnings of the header names ``…limit``, ``…remaining`` and ``…reset``, as gateways spell them."""


def seconds_to_wait(fields: Mapping[str, str], reset_times: Iterable[object], *, now: float) -> float | None:
    """Return the seconds that a refusal asks to wait, ``None`` if it names no usable time.

    The longest one counts: of ``Retry-After`` (seconds or a date, also sent twice), of *reset_times* (from
    the body) and of the headers of a used up window. Times in the past are ignored, because an immediate
    retry would be wrong after a refusal. A time beyond ``MAX_HOLD`` counts as ``MAX_HOLD``, but only if there
    is no other one.
    """
    named = [*_split(fields.get("retry-after", "")), *(text for text in reset_times if isinstance(text, str))]
    clock = _Clock(fields, now)
    seconds = [clock.seconds_until(text) for text in (*named, *_resets(fields, unknown_too=True))]
    waits = [wait for wait in seconds if wait is not None and wait > 0]
    sensible = [wait for wait in waits if wait <= MAX_HOLD]
    return max(sensible) if sensible else MAX_HOLD if waits else None


def seconds_until_renewal(fields: Mapping[str, str], *, now: float) -> float | None:
    """Return the seconds until requests are accepted again, if the headers say that none are left."""
    clock = _Clock(fields, now)
    seconds = [clock.seconds_until(text) for text in _resets(fields, unknown_too=False)]
    return max((wait for wait in seconds if wait is not None and 0 < wait <= MAX_HOLD), default=None)


def read_date(fields: Mapping[str, str]) -> float | None:
    """Return the server's clock, seconds since the epoch, as the ``Date`` of a response shows it."""
    return next((_date(text) for text in _split(fields.get("date", ""))[:1]), None)


class _Clock:
    """Converts times that a response names to durations.

    The server's clock, as its ``Date`` shows it, is the one that counts: the local clock may be wrong. The
    local clock is used if ``Date`` is missing, or so far from the named time that it must be wrong itself.
    """

    def __init__(self, fields: Mapping[str, str], now: float) -> None:
        date = read_date(fields)
        self._clocks = [now] if date is None else [date, now]

    def seconds_until(self, text: str) -> float | None:
        """Return the seconds until the time that *text* names, ``None`` if it names none."""
        moment = _date(text)
        if re.fullmatch(_NUMBER, text):
            number = float(text)
            if number < EPOCH_FROM:
                return number
            moment = number / 1000 if number >= MILLISECONDS_FROM else number
        if moment is None:
            return None
        waits = [moment - clock for clock in self._clocks]
        return next((wait for wait in waits if abs(wait) <= MAX_HOLD), waits[0])


_NUMBER = r"[0-9]{1,300}(\.[0-9]{1,300})?"


def _resets(fields: Mapping[str, str], *, unknown_too: bool) -> Iterator[str]:
    """Yield when windows without remaining requests are renewed; *unknown_too*: or without that number."""
    for limit, remaining, reset in _windows(fields):
        # Blocked clients got a limit of -1 with 0 remaining, which says nothing.
        if limit.startswith("-") or limit == "0":
            continue
        if (unknown_too and not remaining) or re.fullmatch(r"0+(\.0*)?", remaining):
            yield reset


def _windows(fields: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield limit, remaining requests and renewal of each window that the headers describe."""
    for start in WINDOWS:
        if f"{start}reset" in fields:
            limit, remaining, reset = (
                fields.get(start + name, "").strip() for name in ("limit", "remaining", "reset")
            )
            yield limit, remaining, reset
    # Drafts of the IETF: `limit=10, remaining=0, reset=5`, later `"default";r=0;t=5`.
    combined = re.findall(r"\b(limit|remaining|reset|r|t)=([0-9]+)", fields.get("ratelimit", ""))
    if combined:
        values: dict[str, str] = {"remaining": "", "reset": "", "limit": "", **dict(combined)}
        yield (
            values["limit"],
            values.get("r", values["remaining"]),
            values.get("t", values["reset"]),
        )


def _split(value: str) -> list[str]:
    """Return the values of a header that may have been sent several times; a date contains a comma itself."""
    parts = re.findall(r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,[^,]*|[^,]+", value, re.IGNORECASE)
    return [part.strip() for part in parts]


def _date(text: str) -> float | None:
    """Return the seconds since the epoch of an HTTP date or of a ``reset_time``."""
    for read in (parsedate_to_datetime, _reset_time):
        try:
            moment = read(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            continue
    return None


def _reset_time(text: str) -> datetime:
    return datetime.strptime(text.strip(), "%Y/%m/%d %H:%M:%S %z")
