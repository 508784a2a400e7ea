"""A response becomes a page of its walk."""

from __future__ import annotations

import pytest

from sgr_spiders.model.items import Page, PlaylistTrack, Walk
from sgr_spiders.soundcloud.answers import Answer, Kind
from sgr_spiders.soundcloud.pages import page_from_answer
from tests.soundcloud.documents import track

API = "https://api.example"


def page_of(walk: Walk, document: object) -> Page:
    return page_from_answer(walk, Answer(Kind.OK, document), API)


@pytest.mark.parametrize(
    ("cursor", "first"),
    [
        ("/playlists/3/tracks?limit=2&offset=20", 20),
        # Without an offset, the position follows from what the walk has received so far.
        ("/playlists/3/tracks?cursor=x", 6),
        ("", 6),
    ],
)
def test_positions_in_a_playlist_go_on_from_page_to_page(cursor: str, first: int) -> None:
    walk = Walk(1, "playlist_tracks", "3", cursor, pages=3, received=6)
    page = page_of(walk, {"collection": [track(8), track(7)], "next_href": None})
    assert [entry.link for entry in page.entries] == [
        PlaylistTrack(3, 8, first),
        PlaylistTrack(3, 7, first + 1),
    ]


def test_another_record_than_requested_is_not_kept() -> None:
    page = page_of(Walk(1, "track", "1"), track(2))
    assert (page.status, page.entries) == ("failed", [])
    assert page.reason == "the response contains another record than requested"


def test_a_private_record_is_gone() -> None:
    page = page_of(Walk(1, "track", "1"), track(1, sharing="private"))
    assert (page.status, page.reason, page.entries) == ("gone", "private", [])


def test_a_refused_list_is_gone_and_a_refused_cursor_fails() -> None:
    answer = Answer(Kind.REFUSED, reason="HTTP 400", is_final=True)
    first, later = (Walk(1, "user_likes", "1", cursor) for cursor in ("", "/users/1/likes/tracks?cursor=2"))
    ends = [page_from_answer(walk, answer, API) for walk in (first, later)]
    assert [(page.status, page.reason) for page in ends] == [
        ("gone", "refused: HTTP 400"),
        ("failed", "HTTP 400"),
    ]
