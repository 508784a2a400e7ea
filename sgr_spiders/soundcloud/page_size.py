"""The size of a walk's pages: where the API cannot answer a large question, a smaller one is asked.

A page may be too large to transfer, or for the API to put together: 20 playlists with 500 tracks each take
18 to 28 MB. Half as many items are then asked for, down to one, and then playlists without their tracks,
which follow by walks of their own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus

from sgr_spiders.model.items import PageSize
from sgr_spiders.soundcloud.endpoints import ENDPOINTS, SHOW_TRACKS, encode_param

if TYPE_CHECKING:
    from sgr_spiders.model.items import Walk

SMALL: Final = 4 * 1024 * 1024
"""A page of fewer bytes is small enough to ask for twice as many items."""

_LIMITS: Final = ("limit", "page_size")
"""The names of the number of items: the first page's, and that of the API's own links."""


def resize(cursor: str, size: PageSize) -> str:
    """Return *cursor* with its parameters for the number of items and inline tracks set to *size*."""
    path, _, query = cursor.partition("?")
    parts = query.split("&") if query else []
    if size.limit is not None:
        names = [name for name in _LIMITS if any(_is(part, name) for part in parts)] or [_LIMITS[0]]
        for name in names:
            parts = _set(parts, name, str(size.limit))
    if size.without_tracks:
        parts = _set(parts, SHOW_TRACKS[0], "false")
    return f"{path}?{'&'.join(parts)}" if parts else path


def smaller(walk: Walk) -> PageSize | None:
    """Return the next smaller size of the page of *walk*, or ``None`` if there is none."""
    endpoint = ENDPOINTS[walk.endpoint]
    limit = walk.size.limit or endpoint.usual_limit
    if limit > 1:
        return replace(walk.size, limit=limit // 2)
    if SHOW_TRACKS in endpoint.params and not walk.size.without_tracks:
        return PageSize(without_tracks=True)
    return None


def after_success(walk: Walk, page_bytes: int) -> PageSize:
    """Return the size of the next page of *walk*, whose current one took so many bytes.

    What made one page fail may not be on the next ones.
    """
    limit = walk.size.limit
    if limit is None or page_bytes > SMALL:
        return walk.size
    doubled = 2 * limit
    return replace(walk.size, limit=doubled if doubled < ENDPOINTS[walk.endpoint].usual_limit else None)


def _set(parts: list[str], name: str, value: str) -> list[str]:
    wanted = encode_param(name, value)
    if not any(_is(part, name) for part in parts):
        return [*parts, wanted]
    return [wanted if _is(part, name) else part for part in parts]


def _is(part: str, name: str) -> bool:
    return unquote_plus(part.partition("=")[0]) == name
