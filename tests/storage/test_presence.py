"""Presence after looks at lists, after responses, and after lookups of what left lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sgr_spiders.model.items import (
    Comment,
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
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.ledger import frontier, presence, runs
from sgr_spiders.storage.ledger.ledger import Ledger
from sgr_spiders.storage.ledger.spill import spill_page
from sgr_spiders.storage.records import write_records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sgr_spiders.model.items import Record
    from sgr_spiders.storage.store import Connection, Store

EARLIER, NOW, LATER = "2020", "9000", "9001"
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
        run = begin(connection)
        presence.remove(connection, "track", [4], "owner_removed", NOW, NOW)
        left = "SET removed_at = '9000', removed_reason = 'left_list' WHERE track_id < 4"
        connection.exec_driver_sql(f"UPDATE engagements {left}")
        connection.exec_driver_sql(f"UPDATE playlist_tracks {left}")
        for kind in ("track", "user"):
            assert presence.vanished(connection, kind, run.started_at) == (
                list(TRACKS) if kind == "track" else []
            )
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


def test_access_is_that_of_the_newest_response(store: Store) -> None:
    """It may be a thinner one, which leaves the other fields as they are."""
    thinner = Track(1, access="blocked", fullness=Fullness.EMBEDDED)
    with store.write() as connection:
        write_records(connection, [track(1)], set(), EARLIER)
        write_records(connection, [thinner], set(), NOW)
    assert rows(store, "SELECT access, title FROM tracks WHERE track_id = 1") == {"blocked": "t1"}


def test_a_reference_does_not_bring_a_removed_record_back(store: Store) -> None:
    with store.write() as connection:
        write_records(connection, [track(1)], set(), EARLIER)
        presence.remove(connection, "track", [1], "gone", NOW, NOW)
        write_records(connection, [Track(1, fullness=Fullness.STUB)], set(), LATER)
    assert rows(store, "SELECT removed_at, removed_reason FROM tracks WHERE track_id = 1") == {NOW: "gone"}
    with store.write() as connection:
        write_records(connection, [track(1)], set(), LATER)
    assert rows(store, "SELECT first_seen_at, removed_at FROM tracks WHERE track_id = 1") == {EARLIER: None}


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("HTTP 404: 404 - Not Found", "gone"),
        ("private", "private"),
        ("HTTP 403: forbidden", "private"),
        ("refused: HTTP 451", None),
    ],
)
def test_the_answer_to_a_request_for_one_record(store: Store, reason: str, expected: str | None) -> None:
    with store.write() as connection:
        write_records(connection, [track(1)], set(), EARLIER)
        run = begin(connection)
        Ledger(connection, run).request(1, "test", "settings", [WalkRequest("track", "1", "seed", 1)])
        ended = "SET status = 'gone', started_at = :now, finished_at = :now, reason = :reason"
        connection.execute(sa.text(f"UPDATE walks {ended}"), {"now": NOW, "reason": reason})
        presence.note_believed(connection, run, NOW)
    assert rows(store, "SELECT track_id, removed_reason FROM tracks") == {1: expected}


def test_what_vanished_is_looked_up_200_at_a_time(store: Store) -> None:
    ids = range(1, 251)
    with store.write() as connection:
        owner = User(9, username="u", fullness=Fullness.OWN)
        likes = [Engagement(9, number, "like") for number in ids]
        write_records(connection, [owner, *map(track, ids), *likes], set(), EARLIER)
        run = begin(connection)
        ledger = Ledger(connection, run)
        ledger.request(1, "test", "settings", [WalkRequest("user_likes", "9", "libraries", 1000)])
        ended = "SET status = 'done', generation = 1, started_at = '9000', finished_at = '9000'"
        connection.exec_driver_sql(f"UPDATE walks {ended}")
        connection.exec_driver_sql(
            "INSERT INTO walk_records (walk_id, kind, record_id, position, generation, removed_at) "
            "SELECT walk_id, 'track', track_id, track_id, 0, '9000' FROM walks, tracks"
        )
        ledger.look_up_vanished("settings", 1, "test")
        ledger.look_up_vanished("settings", 1, "test")
    targets = rows(store, "SELECT target, status FROM walks WHERE endpoint = 'tracks_by_id'")
    assert sorted(target.count(",") + 1 for target in targets) == [50, 200]
    assert {int(number) for target in targets for number in target.split(",")} == set(ids)


@pytest.mark.parametrize(
    ("outcome", "seen_at", "expected"),
    [("interrupted", EARLIER, [1]), ("complete", EARLIER, []), ("interrupted", NOW, [])],
)
def test_what_left_a_list_in_an_interrupted_run_is_looked_up_by_the_next(
    store: Store, outcome: str, seen_at: str, expected: list[int]
) -> None:
    with store.write() as connection:
        write_records(connection, [track(1), Playlist(20), PlaylistTrack(20, 1, 0)], set(), seen_at)
        interrupted = begin(connection)
        left = {"at": timestamp()}
        connection.execute(sa.text("UPDATE playlist_tracks SET removed_at = :at"), left)
        runs.end_run(connection, interrupted, outcome, None, 0, "{}")
        since = runs.start_of_unfinished(connection, begin(connection))
        assert presence.vanished(connection, "track", since) == expected


def test_an_owner_that_an_interrupted_run_has_seen_is_not_gone(store: Store) -> None:
    """As if one run had seen it in one list, and then asked for another list in vain."""
    with store.write() as connection:
        interrupted = begin(connection)
        write_records(connection, [User(9)], set(), timestamp())
        Ledger(connection, interrupted).request(
            1, "test", "settings", [WalkRequest("user_likes", "9", "libraries", 5)]
        )
        runs.end_run(connection, interrupted, "interrupted", None, 130, "{}")
        run = begin(connection)
        gone = "UPDATE walks SET status = 'gone', reason = 'HTTP 404', started_at = :now, finished_at = :now"
        connection.execute(sa.text(gone), {"now": timestamp()})
        presence.note_believed(connection, run, NOW)
    assert rows(store, "SELECT user_id, removed_reason FROM users") == {9: None}


def begin(connection: Connection) -> runs.Run:
    run = runs.begin_run(
        connection, spider="test", layers=["test"], scope="test", fresh_after="", refresh=True
    )
    Ledger(connection, run).widen_scope(1, {"test": "settings"})
    return run


def _look_up(store: Store, run: runs.Run, ids: str) -> Page:
    with store.write() as connection:
        ledger = Ledger(connection, run)
        ledger.request(
            1, "test", "settings", [WalkRequest("tracks_by_id", ids, "lookup", 4, 4, selective=True)]
        )
        (walk,) = ledger.lease(10)
    return Page(walk)


class Lists:
    """A database whose lists are looked at, each time in a run of its own that refetches everything."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def look(
        self,
        endpoint: str,
        target: str,
        pages: Sequence[list[Entry]],
        *,
        cap: int = 1000,
        seen: int = 0,
        **end: Any,
    ) -> None:
        """Spill *pages*, with the fields *end* of the last one, after the run has seen the track *seen*."""
        with self.store.write() as connection:
            run = runs.begin_run(
                connection, spider="test", layers=["test"], scope="test", fresh_after=NOW, refresh=False
            )
            ledger = Ledger(connection, run)
            ledger.widen_scope(1, {"test": "settings"})
            saw = sa.text("UPDATE tracks SET last_seen_at = :at WHERE track_id = :seen")
            connection.execute(saw, {"at": run.started_at, "seen": seen})
            ledger.request(1, "test", "settings", [WalkRequest(endpoint, target, "s", cap)])
            frontier.give_back(connection, sa.true())
            ledger.reopen()
            # Walks that failed before are fetched last.
            connection.exec_driver_sql("UPDATE walks SET setbacks = 0")
            (walk,) = [walk for walk in ledger.lease(10) if walk.endpoint == endpoint]
        for number, entries in enumerate(pages):
            is_last = number == len(pages) - 1
            page = Page(walk, entries, received=len(entries), next_cursor=None if is_last else f"/{number}")
            for name, value in end.items() if is_last else ():
                setattr(page, name, value)
            with self.store.write() as connection:
                spilled = spill_page(connection, page, run)
            assert spilled is not None
            walk = spilled.walk or walk

    def removed(self, table: str, key: str) -> dict[Any, Any]:
        return rows(self.store, f"SELECT {key}, removed_reason FROM {table} WHERE removed_at NOTNULL")  # noqa: S608


def likes(*track_ids: int) -> list[Entry]:
    return [Entry(track(number), link=Engagement(9, number, "like")) for number in track_ids]


def places(*track_ids: int) -> list[Entry]:
    return [
        Entry(track(number), link=PlaylistTrack(20, number, place)) for place, number in enumerate(track_ids)
    ]


def playlist(*track_ids: int) -> list[Entry]:
    inside: list[Record] = []
    for place, number in enumerate(track_ids):
        inside += [track(number), PlaylistTrack(20, number, place)]
    listed = Playlist(20, title="p", owner_id=9, track_count=len(track_ids), fullness=Fullness.OWN)
    return [Entry(listed, inside)]


def in_order(store: Store) -> list[int]:
    with store.write() as connection:
        query = "SELECT track_id, position FROM playlist_tracks WHERE removed_at IS NULL ORDER BY position"
        found = connection.exec_driver_sql(query).all()
    assert len({position for _, position in found}) == len(found), "two tracks on one place"
    return [number for number, _ in found]


@pytest.fixture
def lists(store: Store) -> Lists:
    with store.write() as connection:
        write_records(connection, [User(9, username="u", fullness=Fullness.OWN)], set(), EARLIER)
    return Lists(store)


def test_a_whole_look_removes_what_it_did_not_see(lists: Lists) -> None:
    lists.look("user_likes", "9", [likes(1, 2), likes(3, 4)])
    lists.look("user_likes", "9", [likes(4), likes(1)])
    assert lists.removed("engagements", "track_id") == {2: "left_list", 3: "left_list"}
    assert lists.removed("tracks", "track_id") == {}
    left = "SELECT record_id, kind FROM walk_records WHERE removed_at IS NOT NULL"
    assert rows(lists.store, left) == {2: "track", 3: "track"}
    lists.look("user_likes", "9", [likes(1, 2, 3, 4)])
    assert lists.removed("engagements", "track_id") == {}
    assert rows(lists.store, left) == {}


@pytest.mark.parametrize(
    ("cap", "end"),
    [(1, {}), (1000, {"status": "failed", "reason": "x"}), (1000, {"next_cursor": "/more"})],
    ids=["capped", "failed", "unfinished"],
)
def test_a_look_at_a_part_removes_nothing(lists: Lists, cap: int, end: dict[str, Any]) -> None:
    lists.look("user_likes", "9", [likes(1, 2, 3)], cap=cap + 2)
    lists.look("user_likes", "9", [likes(3)], cap=cap, **({"next_cursor": "/more"} if cap == 1 else end))
    assert lists.removed("engagements", "track_id") == {}


def test_what_another_list_shows_meanwhile_is_not_removed(lists: Lists) -> None:
    lists.look("user_likes", "9", [likes(1, 2)])
    with lists.store.write() as connection:
        connection.exec_driver_sql("UPDATE engagements SET last_seen_at = '9000' WHERE track_id = 2")
    lists.look("user_likes", "9", [likes(1)])
    assert lists.removed("engagements", "track_id") == {}


def test_an_upload_that_its_owner_does_not_show_takes_its_links_along(lists: Lists) -> None:
    lists.look("user_likes", "9", [likes(1, 2)])
    lists.look("user_tracks", "9", [[Entry(track(1)), Entry(track(2))]])
    with lists.store.write() as connection:
        connection.exec_driver_sql("UPDATE tracks SET last_seen_at = '2020'")
    lists.look("user_tracks", "9", [[Entry(track(1))]])
    assert lists.removed("tracks", "track_id") == {2: "owner_removed"}
    assert lists.removed("engagements", "track_id") == {2: "owner_removed"}


def test_an_upload_that_the_run_has_seen_is_there(lists: Lists) -> None:
    """A cached track is not written again, so a run knows only that it has seen it at some time."""
    lists.look("user_tracks", "9", [[Entry(track(1)), Entry(track(2))]])
    lists.look("user_tracks", "9", [[Entry(track(1))]], seen=2)
    assert lists.removed("tracks", "track_id") == {}


def test_an_author_has_commented_until_the_last_comment_is_deleted(lists: Lists) -> None:
    def comments(*ids: int) -> list[Entry]:
        return [Entry(Comment(number, 5, 9, "c"), [Engagement(9, 5, "comment")]) for number in ids]

    lists.look("track_comments", "5", [comments(31, 32)])
    with lists.store.write() as connection:
        connection.exec_driver_sql("UPDATE comments SET last_seen_at = '2020'")
    lists.look("track_comments", "5", [comments(32)])
    assert lists.removed("comments", "comment_id") == {31: "owner_removed"}
    assert lists.removed("engagements", "user_id") == {}


def test_a_private_item_marks_what_was_stored_when_it_was_public(lists: Lists) -> None:
    lists.look("user_likes", "9", [likes(1, 2)])
    lists.look("search_tracks", "x", [[Entry(track(1))]], private=[("track", 2), ("track", 77)])
    assert lists.removed("tracks", "track_id") == {2: "private"}
    assert lists.removed("engagements", "track_id") == {2: "private"}


def test_a_playlist_has_the_order_of_its_last_whole_look(lists: Lists) -> None:
    lists.look("search_playlists", "x", [playlist(1, 2, 3)])
    assert in_order(lists.store) == [1, 2, 3]
    lists.look("search_playlists", "x", [playlist(3, 4, 1)])
    assert in_order(lists.store) == [3, 4, 1]
    assert lists.removed("playlist_tracks", "track_id") == {2: "left_list"}
    # The look fails, so the order is still that of before, and what is new follows.
    lists.look("playlist_tracks", "20", [places(5, 1), []], status="failed", reason="x")
    assert in_order(lists.store) == [3, 4, 1, 5]
    lists.look("playlist_tracks", "20", [places(5, 1, 4)])
    assert in_order(lists.store) == [5, 1, 4]


def test_the_places_of_a_failed_look_at_a_playlist_do_not_count(lists: Lists) -> None:
    lists.look("search_playlists", "x", [playlist(1, 2, 3)])
    lists.look("playlist_tracks", "20", [places(5, 1), []], status="failed", reason="x")
    lists.look("playlist_tracks", "20", [places(2)], cap=1, next_cursor="/more")
    # What the cap left out may be anywhere behind.
    assert in_order(lists.store) == [2, 1, 3, 5]
