"""Parsing the page of a track: recorded pages (of an invented track) and arbitrary input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgr_spiders.model.items import Comment, Page, Walk
from sgr_spiders.soundcloud.raw import unpack
from sgr_spiders.soundcloud.track_page import (
    TRACK_PAGE,
    Author,
    author_of,
    page_from_rendering,
    page_url,
    profile_url,
)

PAGES = Path(__file__).parent / "pages"
TRACK = 1734500099
WALK = Walk(1, TRACK_PAGE, "https://soundcloud.com/mara-quill/paper-tides")
HEAD = f'<meta property="al:ios:url" content="soundcloud://sounds:{TRACK}">'
TRACES = ["captcha", "commentsList__item", "section", "noscript", "__sc_hydration = [", "<", ">", '"', "&lt;"]


def read(name: str) -> Page:
    return page_from_rendering(WALK, 200, (PAGES / f"{name}.html").read_bytes())


def comments_of(page: Page) -> list[Comment]:
    comments = [entry.record for entry in page.entries]
    assert all(isinstance(comment, Comment) for comment in comments)
    return comments  # type: ignore[return-value]


def item(link: str, body: str = "hello", more: str = "") -> str:
    author = f'<a class="commentItem__usernameLink" href="{link}">x</a>'
    content = f'<div class="commentItem__body"><p>{body}</p></div>'
    return f'<li class="commentsList__item">{author}{content}{more}</li>'


def page_with(*items: str) -> Page:
    return page_from_rendering(WALK, 200, f"{HEAD}<ul>{''.join(items)}</ul>".encode())


def test_the_list_inserted_by_scripts() -> None:
    page = read("hydrated")
    first, second = comments_of(page)
    assert (first.comment_id, first.track_id, first.user_id) == (2123497909, TRACK, None)
    assert first.body == "that bass & those @mara-quill keys\ntwice!"
    assert (first.timestamp_ms, first.created_at) == (59_000, "2026-03-24T17:08:56Z")
    assert author_of(first) == Author("oda-lind", "Oda Lind")
    assert second.comment_id < 0
    assert (second.timestamp_ms, second.created_at) == (3_723_000, "2026-03-24T16:00:00Z")
    assert author_of(second) == Author("tove_k", "토베")
    assert profile_url(Author("tove_k", None)) == "https://soundcloud.com/tove_k"
    assert (page.received, page.rejects, page.status, page.next_cursor) == (2, [], None, None)


@pytest.mark.parametrize("name", ["server_rendered", "server_rendered_as_text"])
def test_the_fallback_for_browsers_without_scripts(name: str) -> None:
    page = read(name)
    comments = comments_of(page)
    assert [comment.body for comment in comments] == ["that bass & those keys", "1 < 2", "again"]
    assert [comment.created_at for comment in comments] == [
        "2026-03-24T17:08:56Z",
        "2026-03-24T16:00:00Z",
        None,
    ]
    authors = [author_of(comment) for comment in comments]
    assert authors == [
        Author("oda-lind", "Oda Lind"),
        Author("tove_k", "Tove"),
        Author("oda-lind", "Oda Lind"),
    ]
    assert {comment.track_id for comment in comments} == {TRACK}
    assert page.received == 3


def test_generated_ids_are_negative_and_stable() -> None:
    rendered, as_text = (comments_of(read(name)) for name in ("server_rendered", "server_rendered_as_text"))
    ids = [comment.comment_id for comment in rendered]
    assert ids == [comment.comment_id for comment in as_text]
    assert len(set(ids)) == 3
    assert all(-(2**63) < number <= -(2**62) for number in ids)
    # Changing these IDs would duplicate every such comment in existing databases.
    assert ids[0] == -7769410134537584335


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("challenge", "blocked: the site answers with a bot challenge"),
        ("not_found", "the page shows no track"),
    ],
)
def test_a_page_without_a_track_fails(name: str, reason: str) -> None:
    page = read(name)
    assert (page.status, page.reason, page.entries) == ("failed", reason, [])


def test_a_page_without_comments_succeeds() -> None:
    page = read("without_comments")
    assert (page.status, page.received, page.entries) == (None, 0, [])


def test_invalid_comments_are_rejected() -> None:
    page = read("odd")
    assert page.received == 6
    assert [reject.reason for reject in page.rejects] == ["names no author"] * 4 + ["has no text"]
    excerpt = unpack(page.rejects[0].raw or b"")["item"]
    assert excerpt == {"href": "javascript:alert(1)", "name": "a", "body": "script"}
    (comment,) = comments_of(page)
    assert (comment.body, comment.timestamp_ms, comment.created_at) == ("bare text", None, "yesterday")
    # An ID beyond 64 bits is ignored; a name is one line without direction marks.
    assert comment.comment_id < 0
    assert author_of(comment) == Author("ee", "e e")


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (504, b"", "Splash: HTTP 504: the page was not rendered in time"),
        (503, b"<html>", "Splash: HTTP 503"),
        (500, b"[1]", "Splash: HTTP 500"),
        (
            502,
            b'{"error": 502, "description": "Error rendering page", "info": {"text": "Host x not found"}}',
            "Splash: HTTP 502: Error rendering page: Host x not found",
        ),
        (
            400,
            b'{"description": "Incorrect arguments", "info": {"description": "Required", "text": 3}}',
            "Splash: HTTP 400: Incorrect arguments: Required",
        ),
        (200, b" " * 4_194_305, "the page is larger than 4194304 bytes"),
        (200, b"", "the page shows no track"),
    ],
)
def test_other_responses_fail_with_a_reason(status: int, body: bytes, reason: str) -> None:
    page = page_from_rendering(WALK, status, body)
    assert (page.status, page.reason, page.entries) == ("failed", reason, [])


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://soundcloud.com/mara-quill/paper_tides", "https://soundcloud.com/mara-quill/paper_tides"),
        ("http://www.soundcloud.com/a/b/?utm_medium=api", "https://soundcloud.com/a/b"),
        ("https://soundcloud.com/a/b/s-AbCdEf", None),
        ("https://soundcloud.com/a/sets/b", None),
        ("https://soundcloud.com/a", None),
        ("https://soundcloud.com.evil.example/a/b", None),
        ("https://soundcloud.com@evil.example/a/b", None),
        ("https://soundcloud.com/a/..", None),
        ("https://soundcloud.com/a/b%2Fc", None),
        ("file:///a/b", None),
        ("http://[/a/b", None),
        ("", None),
        (None, None),
    ],
)
def test_only_public_pages_of_tracks_have_a_url(url: str | None, address: str | None) -> None:
    assert page_url(url) == address


@pytest.mark.parametrize(
    ("position", "milliseconds"),
    [
        ("0:00", 0),
        ("59:59", 3_599_000),
        ("100:00", 6_000_000),
        ("1:00:00", 3_600_000),
        ("-0:01", None),
        ("", None),
    ],
)
def test_positions_in_the_track(position: str, milliseconds: int | None) -> None:
    (comment,) = comments_of(
        page_with(item("/a", more=f'<a class="commentItem__timestampLink">{position}</a>'))
    )
    assert comment.timestamp_ms == milliseconds


def test_an_author_cannot_forge_the_id_of_a_comment() -> None:
    content = 'see <a href="https://soundcloud.com/a/b/comments/123">soundcloud.com/a/b/comments/123</a>'
    (comment,) = comments_of(page_with(item("/a", content)))
    assert comment.comment_id < 0
    reply = '<a class="commentItem__replyButton" href="/a/b/comments/456">Reply</a>'
    (comment,) = comments_of(page_with(item("/a", content, reply)))
    assert comment.comment_id == 456


def test_the_comments_of_one_page_are_limited() -> None:
    assert page_with(*[item("/a")] * 1001).received == 1000


def test_a_comment_of_the_api_has_no_page_author() -> None:
    assert author_of(Comment(1, 2, 3, "x")) is None


def test_deep_nesting_is_harmless() -> None:
    for part in ("<div>", "<section class=comments>", "<noscript>", "<li class=commentsList__item>"):
        assert page_from_rendering(WALK, 200, f"{HEAD}{part * 100_000}<p>x".encode()).status is None
    nested = json.dumps([{"hydratable": "sound", "data": {"id": TRACK}}])[:-1] + "," + "[" * 100_000
    page = page_from_rendering(WALK, 200, f"<script>window.__sc_hydration = {nested}]</script>".encode())
    assert page.reason == "the page shows no track"


@given(st.lists(st.sampled_from(TRACES) | st.text(max_size=20)).map("".join))
def test_any_text_is_harmless(text: str) -> None:
    for head in ("", HEAD):
        page = page_from_rendering(
            WALK, 200, (head + text + item("/a", text)).encode("utf-8", "surrogatepass")
        )
        assert (page.status is None) is bool(page.received or page.reason is None)


@given(st.binary(), st.integers(100, 599))
def test_any_bytes_are_harmless(body: bytes, status: int) -> None:
    page_from_rendering(WALK, status, body)
