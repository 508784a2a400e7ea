"""Conversion of a response to a page of its walk, for crawls and contract tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sgr_spiders.model.exceptions import NextHrefError
from sgr_spiders.model.items import PRIVATE, REFUSED, Page, PageSize, Playlist, Reject
from sgr_spiders.soundcloud.answers import Kind
from sgr_spiders.soundcloud.endpoints import ENDPOINTS
from sgr_spiders.soundcloud.page_size import after_success, smaller
from sgr_spiders.soundcloud.paging import first_position, next_cursor
from sgr_spiders.soundcloud.parse import (
    NOT_RESOLVABLE,
    BadDocumentError,
    PrivateTargetError,
    parse_page,
    parse_resolved,
)

if TYPE_CHECKING:
    from sgr_spiders.model.items import Walk
    from sgr_spiders.soundcloud.answers import Answer


def page_from_answer(walk: Walk, answer: Answer, api_url: str) -> Page:
    """Build the page of *walk* from *answer*; any error in it ends the walk with a reason."""
    if answer.kind in {Kind.GONE, Kind.HIDDEN}:
        return Page(walk, status="gone", reason=answer.reason, missing=True)
    if walk.endpoint == "resolve" and answer.kind in {Kind.OK, Kind.FOUND}:
        return _build_resolved(walk, answer)
    if answer.kind is Kind.OK or answer.document is not None:
        return _build_page(walk, answer, api_url)
    if answer.is_heavy and (page := ask_for_less(walk, answer.reason)) is not None:
        return page
    if answer.is_final and not walk.cursor:
        # Later in a list, the API may refuse the cursor only, and the rest of the list is missing.
        return _end_walk(walk, "gone", REFUSED + answer.reason)
    reason = f"unexpected redirect, {answer.reason}" if answer.kind is Kind.FOUND else answer.reason
    note = ", even for the smallest page" if answer.is_heavy and walk.size != PageSize() else ""
    return _end_walk(walk, "failed", reason + note)


def ask_for_less(walk: Walk, reason: str) -> Page | None:
    """Return the page with which *walk* asks for less at the same position, ``None`` if there is no less."""
    size = smaller(walk) if walk.endpoint in ENDPOINTS else None
    return None if size is None else Page(walk, size=size, is_too_large=True, reason=reason)


def _end_walk(walk: Walk, status: Literal["gone", "failed"], reason: str) -> Page:
    return Page(walk, status=status, reason=reason)


def _build_resolved(walk: Walk, answer: Answer) -> Page:
    try:
        resolved = parse_resolved(answer.location or answer.document)
    except PrivateTargetError:
        return _end_walk(walk, "gone", PRIVATE)
    except BadDocumentError as error:
        return _end_walk(walk, "failed", str(error))
    rejects = [] if resolved is not None else [Reject("resolve", None, None, NOT_RESOLVABLE)]
    return Page(walk, resolved=resolved, rejects=rejects, received=1)


def _build_page(walk: Walk, answer: Answer, api_url: str) -> Page:
    position = first_position(walk.cursor) or walk.received
    try:
        parsed = parse_page(walk.endpoint, walk.target, answer.document, position)
    except BadDocumentError as error:
        return _end_walk(walk, "failed", str(error))
    page = Page(walk, parsed.entries, parsed.rejects, parsed.received)
    page.cacheable, page.private = parsed.cacheable, parsed.private
    page.size = after_success(walk, answer.size)
    if walk.size.without_tracks:
        _forget_track_counts(page)
    if not ENDPOINTS[walk.endpoint].paged:
        _check_single(page)
        return page
    try:
        page.next_cursor = next_cursor(walk.endpoint, walk.target, parsed.next_href, api_url)
    except NextHrefError as error:
        page.status, page.reason = "failed", str(error)
    return page


def _forget_track_counts(page: Page) -> None:
    """Null the 0 that the API has sent as the number of tracks of playlists listed without them."""
    for entry in page.entries:
        if isinstance(entry.record, Playlist) and entry.record.track_count == 0:
            entry.record.track_count = None


def _check_single(page: Page) -> None:
    if not page.entries:
        reason = page.rejects[0].reason
        page.status, page.reason = "gone" if reason == PRIVATE else "failed", reason
    elif str(page.entries[0].record.record_id) != page.walk.target:
        page.entries.clear()
        page.status, page.reason = "failed", "the response contains another record than requested"
