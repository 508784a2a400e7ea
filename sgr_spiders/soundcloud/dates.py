"""The API's dates as ISO 8601 strings in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_parse = datetime.fromisoformat

_API_LENGTH: Final = len("2024/01/09 21:10:04 +0000")
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_YEARS: Final = range(1850, 2101)
"""The years in which something can be released: uploaders also enter 1, 205 or 9999."""


def to_iso(value: object) -> object:
    """Convert ``2024/01/09 21:10:04 +0000`` or any ISO 8601 form to ``2024-01-09T21:10:04Z``.

    Return anything else unchanged, so that validation can quote it when it rejects it. Fractions of a
    second are dropped; a time without an offset counts as UTC.
    """
    if type(value) is not str:
        return value
    if len(value) == _API_LENGTH and value[19:] == " +0000":
        iso = value[:19].replace("/", "-", 2).replace(" ", "T", 1) + "Z"
        try:
            _parse(iso)
        except ValueError:
            return value
        return iso
    return _convert(value)


def is_iso(value: object) -> bool:
    """Return whether the value is an existing time in the exact form ``2024-01-09T21:10:04Z``."""
    if type(value) is not str or _ISO.fullmatch(value) is None:
        return False
    try:
        _parse(value)
    except ValueError:
        return False
    return True


def to_day(value: object) -> object:
    """Convert ``2024-01-09`` or the time of a day in any form of ``to_iso`` to ``2024-01-09``.

    The day is the one that the text names, also if its offset puts it into another day in UTC. Return
    ``None`` for an empty string, and anything else unchanged.
    """
    if value == "":
        return None
    if type(value) is str and _DAY.fullmatch(value) is None and is_iso(moment := to_iso(value)):
        named = value.strip()[:10].replace("/", "-")
        return named if _DAY.fullmatch(named) else str(moment)[:10]
    return value


def join_day(year: object, month: object, day: object) -> str | None:
    """Return a day from its parts; ``None`` unless all are integers and the day exists and is not absurd."""
    if type(year) is int and type(month) is int and type(day) is int:
        joined = f"{year:04}-{month:02}-{day:02}"
        return joined if is_day(joined) else None
    return None


def is_day(value: object) -> bool:
    """Return whether the value is an existing day in the exact form ``2024-01-09``, and not absurd."""
    if type(value) is not str or _DAY.fullmatch(value) is None or int(value[:4]) not in _YEARS:
        return False
    try:
        _parse(value)
    except ValueError:
        return False
    return True


def _convert(value: str) -> str:
    try:
        moment = _parse(value.strip().replace("/", "-"))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
    except (ValueError, OverflowError):
        return value
