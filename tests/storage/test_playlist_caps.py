"""A cap cuts the tracks listed inside playlists like those of the playlist's own walk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from sgr_spiders.model.items import (
    Entry,
    Fullness,
    Page,
    Playlist,
    PlaylistTrack,
    Record,
    Track,
    User,
    WalkRequest,
)
from sgr_spiders.storage.ledger import runs
from sgr_spiders.storage.ledger.ledger import Ledger
from sgr_spiders.storage.ledger.spill import spill_page

if TYPE_CHECKING:
    from sgr_spiders.storage.store import Store

LAYERS = {"near": "settings", "far": "settings"}
OWNER = 1


@pytest.fixture
def run(store: Store) -> runs.Run:
    with store.write() as connection:
        run = runs.begin_run(connection, spider="t", layers=LAYERS, scope="t", fresh_after="", refresh=False)
        Ledger(connection, run).widen_scope(900, LAYERS)
    return run


def listing(playlist: int, *tracks: int) -> Entry:
    """Return a playlist with its tracks, as the parser does: uploader, track and place of each."""
    inside: list[Record] = [User(OWNER, username="owner", fullness=Fullness.EMBEDDED)]
    seen: set[int] = set()
    for position, number in enumerate(tracks):
        uploader = 10 * number
        inside += [
            User(uploader, username="u", fullness=Fullness.EMBEDDED),
            Track(number, title="t", artist_id=uploader, fullness=Fullness.EMBEDDED),
        ]
        if number not in seen:
            seen.add(number)
            inside.append(PlaylistTrack(playlist, number, position))
    return Entry(Playlist(playlist, owner_id=OWNER, fullness=Fullness.OWN), inside)


def fetch(store: Store, run: runs.Run, request: WalkRequest, *entries: Entry, layer: str = "near") -> None:
    with store.write() as connection:
        ledger = Ledger(connection, run)
        ledger.request(900, layer, LAYERS[layer], [request])
        for walk in ledger.lease(10):
            assert spill_page(connection, Page(walk, list(entries), received=len(entries)), run) is not None


def lists_playlists(inline_cap: int | None, target: str = "5") -> WalkRequest:
    return WalkRequest("user_playlists", target, "lists", 99, selective=True, inline_cap=inline_cap)


def rows(store: Store, query: str) -> list[tuple[int, ...]]:
    with store.read() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def stored(store: Store) -> list[tuple[int, ...]]:
    return rows(store, "SELECT playlist_id, track_id FROM playlist_tracks ORDER BY playlist_id, position")


def left_out(store: Store) -> list[tuple[int, ...]]:
    return rows(
        store, "SELECT playlist_id, track_id, position FROM playlist_leftovers ORDER BY playlist_id, position"
    )


def test_only_the_first_distinct_tracks_are_stored(store: Store, run: runs.Run) -> None:
    fetch(store, run, lists_playlists(2), listing(21, 101, 101, 102, 103, 101, 104), listing(22, 105, 106))
    assert stored(store) == [(21, 101), (21, 102), (22, 105), (22, 106)]
    assert left_out(store) == [(21, 103, 3), (21, 104, 5)]
    # Neither the other tracks nor their uploaders are stored, not even as stubs.
    assert rows(store, "SELECT track_id FROM tracks") == [(101,), (102,), (105,), (106,)]
    assert rows(store, "SELECT user_id FROM users") == [(OWNER,), (1010,), (1020,), (1050,), (1060,)]
    assert rows(store, "SELECT count(*) FROM walk_records WHERE record_id IN (103, 104, 1030)") == [(0,)]


def test_a_cap_of_0_stores_no_track_but_the_owner(store: Store, run: runs.Run) -> None:
    fetch(store, run, lists_playlists(0), listing(21, 101, 102))
    assert stored(store) == []
    assert left_out(store) == [(21, 101, 0), (21, 102, 1)]
    assert rows(store, "SELECT user_id FROM users") == [(OWNER,)]


def test_a_shared_list_is_cut_at_the_largest_cap(store: Store, run: runs.Run) -> None:
    with store.write() as connection:
        Ledger(connection, run).request(900, "far", "settings", [lists_playlists(3)])
    fetch(store, run, lists_playlists(1), listing(21, 101, 102, 103, 104))
    assert stored(store) == [(21, 101), (21, 102), (21, 103)]
    fetch(store, run, lists_playlists(1, "6"), listing(22, 101, 102))
    with store.write() as connection:
        Ledger(connection, run).request(900, "far", "settings", [lists_playlists(None, "7")])
    fetch(store, run, lists_playlists(1, "7"), listing(23, 101, 102))
    assert stored(store)[3:] == [(22, 101), (23, 101), (23, 102)]


def test_a_reordered_playlist_moves_the_tracks_that_are_stored(store: Store, run: runs.Run) -> None:
    fetch(store, run, lists_playlists(2), listing(21, 101, 102, 103))
    fetch(store, run, lists_playlists(2, "6"), listing(21, 103, 104, 105, 101))
    assert rows(store, "SELECT track_id, position FROM playlist_tracks ORDER BY position, track_id") == [
        (103, 0), (102, 1), (104, 1), (101, 3)
    ]  # fmt: skip
    assert left_out(store) == [(21, 105, 2)]


def test_tracks_fetched_later_are_no_leftovers(store: Store, run: runs.Run) -> None:
    fetch(store, run, lists_playlists(1), listing(21, 101, 102, 103))
    contents = WalkRequest("playlist_tracks", "21", "contents", 2)
    tracks = [
        Entry(Track(number, title="t", fullness=Fullness.OWN), [], PlaylistTrack(21, number, place))
        for place, number in enumerate((101, 102, 103))
    ]
    fetch(store, run, contents, *tracks)
    assert stored(store) == [(21, 101), (21, 102)]
    assert left_out(store) == [(21, 103, 2)]
    # A second list with the playlist replaces the leftovers, except those that are stored by now.
    fetch(store, run, lists_playlists(1, "6"), listing(21, 101, 102, 104))
    assert left_out(store) == [(21, 104, 2)]
