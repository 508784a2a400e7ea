"""Pagination of lists, with the cursor style of each endpoint."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sgr_spiders.sandbox.answers import RefusedError
from sgr_spiders.sandbox.seeding import Indices, Ints, mix

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_PER_PAGE = 200
_DEFAULT_PER_PAGE = 50


@dataclass(frozen=True)
class Listing:
    """A list of the API before pagination and filtering.

    Cursors refer to ``times_ms`` (unique, in the order of the list); lists without
    times are paged by offset. Some cursors also contain ``owner_id`` and one of ``ids``.
    """

    kind: str
    indices: Indices
    times_ms: Ints | None = None
    ids: Ints | None = None
    owner_id: int = 0
    ascending: bool = False

    def position_after(self, time_ms: int) -> int:
        """Return the number of items up to and including this time."""
        if self.times_ms is None:
            return 0
        sign = 1 if self.ascending else -1
        return int(np.searchsorted(sign * self.times_ms, sign * time_ms, side="right"))

    def id_at(self, position: int) -> int:
        return 0 if self.ids is None else int(self.ids[self.indices[position]])


class Cursor(NamedTuple):
    """A cursor style: the format of a time in a URL, with its writer and reader."""

    pattern: str
    write: Callable[[Listing, int, int], str]
    read: Callable[[re.Match[str]], int]


def _iso(time_ms: int) -> str:
    moment = datetime.fromtimestamp(time_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ms % 1000:03d}Z"


def _from_iso(match: re.Match[str]) -> int:
    try:
        moment = datetime.strptime(match[1], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise RefusedError(400, "invalid cursor") from None
    return int(moment.timestamp()) * 1000 + int(match[2])


_MOMENT = r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{3})Z"


def _by_id(word: str) -> Cursor:
    def write(listing: Listing, time_ms: int, position: int) -> str:
        return f"{_iso(time_ms)},{word},{listing.id_at(position):011d}"

    return Cursor(rf"{_MOMENT},{word},\d{{11,}}", write, _from_iso)


def _by_like(word: str) -> Cursor:
    def write(listing: Listing, time_ms: int, position: int) -> str:
        return f"{_iso(time_ms)},{word},000-{listing.owner_id:020d}-{listing.id_at(position):020d}"

    return Cursor(rf"{_MOMENT},{word},000-\d{{20}}-\d{{20}}", write, _from_iso)


def _millis(_listing: Listing, time_ms: int, _position: int) -> str:
    return str(time_ms)


def _micros(_listing: Listing, time_ms: int, _position: int) -> str:
    return f"{time_ms * 1000 + mix(43, time_ms) % 1000:016d}"


CURSORS: dict[str, Cursor] = {
    "uploads": _by_id("tracks"),
    "sets": _by_id("playlists"),
    "track likes": _by_like("user-track-likes"),
    "playlist likes": _by_like("user-playlist-likes"),
    "millis": Cursor(r"(\d{13})", _millis, lambda match: int(match[1])),
    "micros": Cursor(r"(\d{16})", _micros, lambda match: int(match[1]) // 1000),
}


@dataclass(frozen=True)
class Cut:
    """The position of a page in a list (raw items ``start`` to ``stop``) and the next page's query."""

    start: int
    stop: int
    limit: int
    next_query: dict[str, str] | None


def parse_integer(query: Mapping[str, str], name: str, default: int, minimum: int) -> int:
    """Return a query parameter as an integer, or refuse the request."""
    text = query.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"\d{1,9}", text) or int(text) < minimum:
        raise RefusedError(400, f"invalid {name}: {text}")
    return int(text)


def cut(
    listing: Listing, style: str, query: Mapping[str, str], page_size: int = MAX_PER_PAGE, shift: int = 0
) -> Cut:
    """Return the requested page of up to *page_size* items; *shift* moves later pages towards the start."""
    size_name = "page_size" if "page_size" in query else "limit"
    limit = min(parse_integer(query, size_name, _DEFAULT_PER_PAGE, 1), page_size)
    position = _requested_position(listing, style, query)
    count = len(listing.indices)
    start = max(0, position - shift) if position else 0
    stop = min(count, start + limit)
    if stop >= count:
        return Cut(min(start, count), stop, limit, None)
    kept = {key: value for key, value in query.items() if key not in _PAGING}
    return Cut(start, stop, limit, kept | _next_paging(listing, style, limit, position))


_PAGING = frozenset(("limit", "page_size", "cursor", "offset"))


def _requested_position(listing: Listing, style: str, query: Mapping[str, str]) -> int:
    if style == "offset":
        return parse_integer(query, "offset", 0, 0)
    text = query.get("cursor")
    if text is None:
        return 0
    match = re.fullmatch(CURSORS[style].pattern, text)
    if match is None:
        raise RefusedError(400, "invalid cursor")
    return listing.position_after(CURSORS[style].read(match))


def _next_paging(listing: Listing, style: str, limit: int, position: int) -> dict[str, str]:
    """Return the paging parameters of the next page's query."""
    if style == "offset":
        return {"offset": str(position + limit), "limit": str(limit)}
    last = min(position + limit, len(listing.indices)) - 1
    times = listing.times_ms
    if times is None:
        raise TypeError(f"{style} cursors need times")
    cursor = CURSORS[style].write(listing, int(times[last]), last)
    return {"cursor": cursor, "page_size": str(limit)}
