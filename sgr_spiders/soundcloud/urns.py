"""Identifiers of the API: ``soundcloud:tracks:123`` is the key, its integer part is what we store.

The API still spells the same thing in several ways: a URN (with ``:`` or ``%3A``), a bare number,
and the ``uri`` of a record, which holds either.
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
"""Some cursors pad ids with zeros to this width."""


def urn(kind: str, record_id: int) -> str:
    """The URN of a record: ``urn("track", 1)`` is ``soundcloud:tracks:1``."""
    return f"{_PREFIXES[kind]}{record_id}"


def parse_id(value: object, kind: str) -> int | None:
    """The id in a URN of that kind, a number, a numeric text, or the URL of such a record, else ``None``."""
    record_id = parse_key(value, kind)
    if record_id is None and type(value) is str and "/" in value:
        located = locate(value)
        if located is not None and located[0] == kind:
            return located[1]
    return record_id


def parse_key(value: object, kind: str) -> int | None:
    """Like :func:`parse_id`, without URLs: what may stand in one segment of a path."""
    if type(value) is str:
        digits = value.removeprefix(_PREFIXES[kind])
        # isdecimal() alone accepts the digits of every script; int() alone accepts "+1" and "1_0".
        if digits.isdecimal() and digits.isascii() and len(digits) <= _MAX_DIGITS:
            value = int(digits)
    if type(value) is int and 0 < value <= MAX_ID:
        return value
    return None


def parse_urn(value: object) -> tuple[Kind, int] | None:
    """Kind and id of a URN of any kind, else ``None``."""
    if type(value) is not str or not value.startswith("soundcloud:"):
        return None
    plural, _, digits = value.removeprefix("soundcloud:").partition(":")
    kind = _SINGULARS.get(plural)
    record_id = None if kind is None else parse_key(digits, kind)
    return None if record_id is None else (cast("Kind", kind), record_id)


def locate(url: str) -> tuple[Kind, int] | None:
    """Kind and id of the record an API URL points at, whatever its host and query, else ``None``."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return None
    segments = path.split("/")
    if len(segments) != 3 or segments[0] or segments[1] not in _SINGULARS:
        return None
    kind = cast("Kind", _SINGULARS[segments[1]])
    # Old answers of resolve end in ".json".
    record_id = parse_key(unquote(segments[2]).removesuffix(".json"), kind)
    return None if record_id is None else (kind, record_id)
