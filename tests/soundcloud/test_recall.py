"""A track that came before is the one made then, and nothing about a page depends on it."""

from __future__ import annotations

from typing import Any

from sgr_spiders.items import Track
from sgr_spiders.soundcloud.parse import ParsedPage, parse_page
from sgr_spiders.soundcloud.recall import Recall
from tests.soundcloud.documents import playlist, track

SONG = track(7, playback_count=3)
LIST = playlist(tracks=[SONG, SONG])


def likes_of(user: int, *tracks: dict[str, Any], recall: Recall) -> ParsedPage:
    return parse_page("user_likes", str(user), {"collection": list(tracks)}, recall=recall)


def commit(page: ParsedPage, recall: Recall) -> None:
    recall.keep(page.fresh, {id(record) for entry in page.entries for record in entry.records()})


def test_a_committed_track_is_recalled_with_its_uploader_and_liked_by_another() -> None:
    recall = Recall()
    first = likes_of(1, SONG, recall=recall)
    commit(first, recall)
    second = likes_of(2, dict(SONG), recall=recall)
    assert second.entries == likes_of(2, SONG, recall=Recall()).entries
    assert second.entries[0].record is first.entries[0].record
    assert second.recalled == {id(record) for record in first.entries[0].records() if hasattr(record, "raw")}
    assert not second.fresh


def test_what_is_not_committed_is_not_recalled() -> None:
    recall = Recall()
    page = likes_of(1, SONG, recall=recall)
    assert not likes_of(1, SONG, recall=recall).recalled
    recall.keep(page.fresh, set())
    assert not likes_of(1, SONG, recall=recall).recalled


def test_a_track_that_changed_is_read_anew() -> None:
    recall = Recall()
    commit(likes_of(1, SONG, recall=recall), recall)
    page = likes_of(1, SONG | {"playback_count": 4}, recall=recall)
    (entry,) = page.entries
    assert isinstance(entry.record, Track)
    assert entry.record.playback_count == 4
    assert not page.recalled


def test_a_track_inside_a_playlist_is_another_than_the_track_itself() -> None:
    recall = Recall()
    commit(likes_of(1, SONG, recall=recall), recall)
    pages = []
    for _ in range(2):
        pages.append(parse_page("user_playlists", "8", {"collection": [LIST]}, recall=recall))
        commit(pages[-1], recall)
    assert not pages[0].recalled
    assert pages[1].recalled
    assert pages[0].entries == pages[1].entries == parse_page("user_playlists", "8", [LIST]).entries


def test_only_the_latest_are_remembered() -> None:
    recall = Recall(capacity=1)
    other = track(8)
    commit(likes_of(1, SONG, other, recall=recall), recall)
    page = likes_of(1, SONG, other, recall=recall)
    assert [id(entry.record) in page.recalled for entry in page.entries] == [False, True]


def test_what_cannot_be_written_as_json_is_read_each_time() -> None:
    recall = Recall()
    odd = SONG | {"title": "\ud800"}
    commit(likes_of(1, odd, recall=recall), recall)
    page = likes_of(1, odd, recall=recall)
    assert len(page.entries) == 1
    assert not page.recalled
