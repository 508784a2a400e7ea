"""A repeated track is the cached object, and the cache does not change the contents of a page."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgr_spiders.model.items import Engagement, Track
from sgr_spiders.soundcloud.answers import UnusableDocumentError, decode
from sgr_spiders.soundcloud.parse import ParsedPage, parse_page
from sgr_spiders.soundcloud.track_cache import Listing, TrackCache
from tests.soundcloud.documents import playlist, track, user

SONG = track(7, playback_count=3)


def body_of(*items: Any, **more: Any) -> bytes:
    return json.dumps({"collection": items, **more}).encode()


def likes_of(person: int, *tracks: dict[str, Any], cache: TrackCache) -> ParsedPage:
    return parse_page("user_likes", str(person), cache.decode(body_of(*tracks)))


def commit(page: ParsedPage, cache: TrackCache) -> None:
    cache.keep(page.cacheable, {id(record) for entry in page.entries for record in entry.records()})


def cached(page: ParsedPage) -> list[int]:
    return [entry.record.record_id for entry in page.entries if entry.cached is not None]


def cache_of(*tracks: dict[str, Any]) -> TrackCache:
    cache = TrackCache()
    commit(likes_of(1, *tracks, cache=cache), cache)
    return cache


def test_a_committed_track_is_cached_with_its_uploader_and_liked_by_another() -> None:
    cache = TrackCache()
    first = likes_of(1, SONG, cache=cache)
    commit(first, cache)
    second = likes_of(2, SONG, cache=cache)
    assert second.entries == likes_of(2, SONG, cache=TrackCache()).entries
    assert second.entries[0].record is first.entries[0].record
    assert second.entries[0].link == Engagement(2, 7, "like")
    assert first.entries[0].cached is None
    assert second.entries[0].main() == first.entries[0].main() == [("user", 7), ("track", 7)]
    assert not second.cacheable


def test_an_uncommitted_track_is_not_cached() -> None:
    cache = TrackCache()
    page = likes_of(1, SONG, cache=cache)
    assert not cached(likes_of(1, SONG, cache=cache))
    cache.keep(page.cacheable, set())
    assert not cached(likes_of(1, SONG, cache=cache))


def test_a_changed_track_is_decoded_again() -> None:
    page = likes_of(1, SONG | {"playback_count": 4}, cache=cache_of(SONG))
    (entry,) = page.entries
    assert isinstance(entry.record, Track)
    assert entry.record.playback_count == 4
    assert not cached(page)


@pytest.mark.parametrize(
    "endpoint", ["playlist_tracks", "search_tracks", "track_reposters", "user_playlists"]
)
def test_the_contents_of_a_page_do_not_depend_on_the_cache(endpoint: str) -> None:
    body = body_of(SONG, track(8), SONG, user(5), playlist(9, tracks=[SONG]), None, [1], "text")
    plain = parse_page(endpoint, "3", decode(body), 20)
    found = parse_page(endpoint, "3", cache_of(SONG, track(8)).decode(body), 20)
    assert found.entries == plain.entries
    assert found.rejects == plain.rejects
    assert found.received == plain.received


def test_only_the_latest_are_remembered() -> None:
    cache = TrackCache(capacity=1)
    commit(likes_of(1, SONG, track(8), cache=cache), cache)
    page = likes_of(1, SONG, track(8), cache=cache)
    assert cached(page) == [8]


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{}",
        b'{"collection": 1}',
        b'{"collection": ["\\ud800"], "next_href": "/next"}',
        b'{"collection": [1], "next_href": "\\ud800"}',
        b'{"collection": [{"a": "\xff"}]}',
        b'{"collection": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}",
    ],
)
def test_an_unusual_list_is_decoded_as_without_a_cache(body: bytes) -> None:
    assert TrackCache().decode(body) == decode(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"1",
        b'{"collection": [',
        b'{"collection": []} x',
        b'{"collection": [1, {a: 2}]}',
    ],
)
def test_an_undecodable_body_is_refused_as_without_a_cache(body: bytes) -> None:
    with pytest.raises(UnusableDocumentError) as expected:
        decode(body)
    with pytest.raises(UnusableDocumentError) as found:
        TrackCache().decode(body)
    assert (str(found.value), found.value.salvage) == (str(expected.value), expected.value.salvage)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.lists(JSON, max_size=5), JSON)
def test_a_list_is_decoded_as_without_a_cache(items: list[Any], next_href: object) -> None:
    body = body_of(*items, next_href=next_href)
    found, document = TrackCache().decode(body), decode(body)
    assert isinstance(document, dict)
    if isinstance(found, Listing):
        assert found.items == document["collection"]
        assert found.next_href == document["next_href"]
    else:
        assert found == document
