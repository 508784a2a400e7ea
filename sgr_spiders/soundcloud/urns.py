"""The API's identifiers: ``soundcloud:tracks:123`` is the key; the database stores its integer part.

The API still uses several forms: a URN (with ``:`` or ``%3A``), a bare integer, and the ``uri`` of a
record, which contains either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, cast
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["track", "user", "playlist", "comment"]

PLURALS: Final[Mapping[str, str]] = {
    "track": "tracks",
    "user": "users",
    "playlist": "playlists",
    "comment": "comments",
}
_SINGULARS: Final = {plural: kind for kind, plural in PLURALS.items()}
_PREFIXES: Final = {kind: f"soundcloud:{plural}:" for kind, plural in PLURALS.items()}

MAX_ID: Final = 2**63 - 1
_MAX_DIGITS: Final = 20
"""Some cursors pad IDs with zeros to this width."""


def urn(kind: str, record_id: int) -> str:
    """Return the URN of a record: ``urn("track", 1)`` is ``soundcloud:tracks:1``."""
    return f"{_PREFIXES[kind]}{record_id}"


def is_urn_of(urn: str, kind: str) -> bool:
    """Return whether *urn* has the prefix of this kind."""
    return urn.startswith(_PREFIXES[kind])


def parse_id(value: object, kind: str) -> int | None:
    """Return the ID in a URN of this kind, an integer, a numeric string or a record's URL, else ``None``."""
    record_id = parse_key(value, kind)
    if record_id is None and type(value) is str and "/" in value:
        located = locate(value)
        if located is not None and located[0] == kind:
            return located[1]
    return record_id


def parse_key(value: object, kind: str) -> int | None:
    """Parse like :func:`parse_id` but without URLs: the forms allowed in a path segment."""
    if type(value) is str:
        digits = value.removeprefix(_PREFIXES[kind])
        # isdecimal() alone accepts the digits of every script; int() alone accepts "+1" and "1_0".
        if digits.isdecimal() and digits.isascii() and len(digits) <= _MAX_DIGITS:
            value = int(digits)
    if type(value) is int and 0 < value <= MAX_ID:
        return value
    return None


def parse_urn(value: object) -> tuple[Kind, int] | None:
    """Return kind and ID of a URN of any kind, else ``None``."""
    if type(value) is not str or not value.startswith("soundcloud:"):
        return None
    plural, _, digits = value.removeprefix("soundcloud:").partition(":")
    kind = _SINGULARS.get(plural)
    record_id = None if kind is None else parse_key(digits, kind)
    return None if record_id is None else (cast("Kind", kind), record_id)


def locate(url: str) -> tuple[Kind, int] | None:
    """Return kind and ID of the record at an API URL, with any host and query, else ``None``."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return None
    segments = path.split("/")
    if len(segments) != 3 or segments[0] or segments[1] not in _SINGULARS:
        return None
    kind = cast("Kind", _SINGULARS[segments[1]])
    # Old responses of resolve end in ".json".
    record_id = parse_key(unquote(segments[2]).removesuffix(".json"), kind)
    return None if record_id is None else (kind, record_id)


def names_record(location: str) -> bool:
    """Return whether a location has the form of a record that this program does not know.

    Examples are ``soundcloud:system-playlists:…`` and the URL of a comment below a track.
    """
    if location.startswith("soundcloud:"):
        return not any(location.startswith(prefix) for prefix in _PREFIXES.values())
    try:
        url = urlsplit(location)
    except ValueError:
        return False
    segments = url.path.split("/")[1:]
    is_record = bool(url.netloc) and len(segments) >= 2 and all(segments)
    return is_record and (len(segments) > 2 or segments[0] not in _SINGULARS)
