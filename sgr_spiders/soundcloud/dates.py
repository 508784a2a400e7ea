"""The API's dates as ISO 8601 strings in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_parse = datetime.fromisoformat

_API_LENGTH: Final = len("2024/01/09 21:10:04 +0000")
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


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


def _convert(value: str) -> str:
    try:
        moment = _parse(value.strip().replace("/", "-"))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
    except (ValueError, OverflowError):
        return value
