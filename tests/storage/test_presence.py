"""Records that left lists are looked up: gone, blocked, or only no longer listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sgr_spiders.model.items import (
    Engagement,
    Entry,
    Fullness,
    Page,
    Playlist,
    PlaylistTrack,
    Track,
    User,
    WalkRequest,
)
from sgr_spiders.storage.ledger import presence, runs
from sgr_spiders.storage.ledger.ledger import Ledger
from sgr_spiders.storage.ledger.spill import spill_page
from sgr_spiders.storage.records import write_records

if TYPE_CHECKING:
    from sgr_spiders.model.items import Record
    from sgr_spiders.storage.store import Store

EARLIER, NOW = "2020", "9000"
TRACKS = (1, 2, 3, 4)
"""Of the lookup's tracks, 1 is found, 2 is found blocked, 3 is not found; 4 is an upload that is found."""


def track(number: int, access: str = "playable") -> Track:
    return Track(number, title=f"t{number}", artist_id=9, access=access, fullness=Fullness.OWN)


def rows(store: Store, sql: str) -> dict[Any, Any]:
    with store.write() as connection:
        return {row[0]: row[1] for row in connection.exec_driver_sql(sql)}


def test_a_lookup_tells_why_a_record_left(store: Store) -> None:
    stored: list[Record] = [User(9, username="u", fullness=Fullness.OWN), *map(track, TRACKS)]
    stored += [Engagement(9, number, "like") for number in TRACKS]
    stored += [Playlist(20, title="p", owner_id=9, fullness=Fullness.OWN)]
    stored += [PlaylistTrack(20, number, number) for number in TRACKS]
    with store.write() as connection:
        write_records(connection, stored, set(), EARLIER)
        run = runs.begin_run(
            connection, spider="test", layers=["test"], scope="test", fresh_after="", refresh=True
        )
        ledger = Ledger(connection, run)
        ledger.widen_scope(1, {"test": "settings"})
        presence.remove(connection, "track", [4], "owner_removed", NOW, NOW)
        left = "SET removed_at = '9000', removed_reason = 'left_list' WHERE track_id < 4"
        connection.exec_driver_sql(f"UPDATE engagements {left}")
        connection.exec_driver_sql(f"UPDATE playlist_tracks {left}")
        for kind in ("track", "user"):
            assert presence.vanished(connection, kind, run) == (list(TRACKS) if kind == "track" else [])
    page = _look_up(store, run, "1,2,3,4")
    page.entries = [Entry(track(1)), Entry(track(2, "blocked")), Entry(track(4))]
    page.received = 3
    with store.write() as connection:
        spill_page(connection, page, run)
    links = {1: "left_list", 2: "blocked", 3: "left_list", 4: None}
    assert rows(store, "SELECT track_id, removed_reason FROM tracks") == {
        1: None,
        2: None,
        3: "gone",
        4: None,
    }
    assert rows(store, "SELECT track_id, removed_reason FROM engagements") == links
    assert rows(store, "SELECT track_id, removed_reason FROM playlist_tracks") == links


def _look_up(store: Store, run: runs.Run, ids: str) -> Page:
    with store.write() as connection:
        ledger = Ledger(connection, run)
        ledger.request(
            1, "test", "settings", [WalkRequest("tracks_by_id", ids, "lookup", 4, 4, selective=True)]
        )
        (walk,) = ledger.lease(10)
    return Page(walk)
