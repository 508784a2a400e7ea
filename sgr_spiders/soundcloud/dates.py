"""The API's dates, as ISO 8601 text in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_parse = datetime.fromisoformat

_API_LENGTH: Final = len("2024/01/09 21:10:04 +0000")
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


def to_iso(value: object) -> object:
    """``2024/01/09 21:10:04 +0000`` or any ISO 8601 form as ``2024-01-09T21:10:04Z``.

    What is no date comes back as it is, so that validation can name it when it sets it aside.
    Fractions of a second are cut off; a time without an offset is taken as UTC.
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
    """Whether this is a real point in time, spelled exactly like ``2024-01-09T21:10:04Z``."""
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
