"""Smaller pages, where the API cannot return the usual ones."""

from __future__ import annotations

import pytest

from sgr_spiders.model.items import PageSize, Walk
from sgr_spiders.soundcloud.answers import classify
from sgr_spiders.soundcloud.endpoints import ENDPOINTS, first_cursor
from sgr_spiders.soundcloud.page_size import SMALL, after_success, resize, smaller
from sgr_spiders.soundcloud.pages import page_from_answer

API = "https://api.soundcloud.com"


def sizes(endpoint: str) -> list[tuple[int | None, bool]]:
    """Return all sizes from the usual one on, each smaller than the one before."""
    size: PageSize | None = PageSize()
    found = []
    while size is not None:
        found.append((size.limit, size.without_tracks))
        size = smaller(Walk(1, endpoint, "7", size=size))
    return found


def test_pages_are_halved_down_to_one_item_and_then_without_tracks() -> None:
    halves = [(None, False), *((limit, False) for limit in (100, 50, 25, 12, 6, 3, 1))]
    assert sizes("user_likes") == sizes("track_reposters") == halves
    assert sizes("user_playlists") == [
        *((limit, False) for limit in (None, 10, 5, 2, 1)),
        *((limit, True) for limit in (None, 10, 5, 2, 1)),
    ]
    assert sizes("playlist_tracks")[:2] == [(None, False), (25, False)]
    assert sizes("playlist") == [(None, False), (None, True)]
    assert sizes("track") == [(None, False)]


@pytest.mark.parametrize(
    ("cursor", "size", "expected"),
    [
        ("/users/1/likes/tracks?limit=200&a=b", PageSize(100), "/users/1/likes/tracks?limit=100&a=b"),
        ("/users/1/tracks?cursor=x&page_size=200", PageSize(3), "/users/1/tracks?cursor=x&page_size=3"),
        ("/u?limit=20&page_size=20", PageSize(10), "/u?limit=10&page_size=10"),
        ("/u?lim%69t=20", PageSize(10), "/u?limit=10"),
        ("/u?q=limit", PageSize(10), "/u?q=limit&limit=10"),
        ("/u", PageSize(10), "/u?limit=10"),
        ("/u?show_tracks=true&x=1", PageSize(None, without_tracks=True), "/u?show_tracks=false&x=1"),
        ("/u?x=1", PageSize(1, without_tracks=True), "/u?x=1&limit=1&show_tracks=false"),
        ("/u?limit=&x=1", PageSize(), "/u?limit=&x=1"),
    ],
)
def test_a_cursor_is_resized(cursor: str, size: PageSize, expected: str) -> None:
    assert resize(cursor, size) == expected


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_usual_size_changes_nothing(endpoint: str) -> None:
    cursor = first_cursor(endpoint, "7")
    assert resize(cursor, PageSize()) == cursor


@pytest.mark.parametrize(
    ("size", "page_bytes", "expected"),
    [
        (PageSize(), 1, PageSize()),
        (PageSize(5), SMALL, PageSize(10)),
        (PageSize(10), SMALL, PageSize()),
        (PageSize(10), SMALL + 1, PageSize(10)),
        (PageSize(1, without_tracks=True), 1, PageSize(2, without_tracks=True)),
        (PageSize(15, without_tracks=True), 1, PageSize(None, without_tracks=True)),
    ],
)
def test_pages_grow_again_while_they_are_small(size: PageSize, page_bytes: int, expected: PageSize) -> None:
    assert after_success(Walk(1, "user_playlists", "7", size=size), page_bytes) == expected


@pytest.mark.parametrize(
    ("status", "body"), [(413, b""), (414, b"{}"), (500, b""), (504, b"<html>"), (200, b'{"collection": [1')]
)
def test_a_page_that_was_too_large_is_asked_for_again(status: int, body: bytes) -> None:
    walk = Walk(1, "user_likes", "7", "/next", 3, 600)
    page = page_from_answer(walk, classify(status, {}, body, now=0), API)
    assert (page.status, page.is_too_large, page.size, page.received) == (None, True, PageSize(100), 0)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, b'{"code":400,"message":"no","errors":[]}', ("gone", "refused: HTTP 400: no")),
        (405, b"", ("gone", "refused: HTTP 405")),
        (414, b"{}", ("gone", "refused: HTTP 414")),
        (451, b"Unavailable", ("gone", "refused: HTTP 451: Unavailable")),
        (405, b"<html>blocked</html>", ("failed", "HTTP 405: an HTML page")),
        (500, b"", ("failed", "HTTP 500, even for the smallest page")),
        (404, b"404 page not found", ("failed", "HTTP 404: not a response of the API: 404 page not found")),
        (302, b"", ("failed", "HTTP 302 without a location")),
        (304, b"", ("failed", "HTTP 304 without a location")),
    ],
)
def test_the_smallest_page_fails_or_is_refused(status: int, body: bytes, expected: tuple[str, str]) -> None:
    walk = Walk(1, "user_likes", "7", size=PageSize(1))
    page = page_from_answer(walk, classify(status, {}, body, now=0), API)
    assert (page.status, page.reason) == expected


def test_a_count_of_tracks_that_are_not_listed_is_unknown() -> None:
    body = (
        b'[{"urn": "soundcloud:playlists:1", "title": "a", "track_count": 0},'
        b' {"urn": "soundcloud:playlists:2", "title": "b", "track_count": 2}]'
    )
    for without_tracks, counts in ((False, [0, 2]), (True, [None, 2])):
        walk = Walk(1, "user_playlists", "7", size=PageSize(without_tracks=without_tracks))
        page = page_from_answer(walk, classify(200, {}, body, now=0), API)
        assert [getattr(entry.record, "track_count", ...) for entry in page.entries] == counts
