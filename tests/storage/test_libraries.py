"""The view ``libraries`` says of every user, playlist and track what was looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import sqlalchemy as sa

from sgr_spiders.storage import schema
from sgr_spiders.storage.ledger.frontier import begin_anew, walk_id
from sgr_spiders.storage.libraries import Inclusion, is_looked_at, libraries
from sgr_spiders.storage.looked_at import read_libraries

if TYPE_CHECKING:
    from sgr_spiders.storage.store import Connection, Store

NOW = "2026-01-01T00:00:00.000000Z"
RECORD = {"is_stub": False, "fullness": 3, "fetched_at": NOW}
WALKS: dict[str, tuple[dict[str, Any], tuple[str, int, int | None]]] = {
    "done": ({"status": "done", "received": 9, "kept": 8, "expected": 10}, ("whole", 8, 10)),
    "done, nothing there": ({"status": "done", "expected": 0}, ("whole", 0, 0)),
    "done, nothing promised": ({"status": "done"}, ("whole", 0, None)),
    "done, nothing shown": ({"status": "done", "expected": 10}, ("hidden", 0, 10)),
    "emptied since": ({"status": "done", "kept_before": 5}, ("hidden", 0, None)),
    "gone": ({"status": "gone", "reason": "HTTP 404", "expected": 10}, ("hidden", 0, 10)),
    "capped": ({"status": "capped", "received": 5, "kept": 5, "expected": 10}, ("newest", 5, 10)),
    "raised cap": ({"status": "planned", "received": 5, "kept": 5, "pages": 1}, ("newest", 5, None)),
    "half done": ({"status": "running", "received": 5, "kept": 5, "pages": 1}, ("newest", 5, None)),
    "failed later": ({"status": "failed", "received": 5, "kept": 5}, ("newest", 5, None)),
    "failed at once": ({"status": "failed"}, ("unseen", 0, None)),
    "planned": ({"status": "planned", "expected": 10}, ("unseen", 0, 10)),
    "refetching": ({"status": "running", "received": 2, "kept": 2, "kept_before": 5}, ("newest", 5, None)),
}
"""The columns of a walk, and what the view says: the state, how many, of how many."""


def add_walk(connection: Connection, endpoint: str, target: int, **columns: Any) -> None:
    connection.execute(
        sa.insert(schema.walks).values(
            {
                "walk_id": walk_id(endpoint, str(target)),
                "endpoint": endpoint,
                "target": str(target),
                "cursor": "",
                "created_at": NOW,
                **dict.fromkeys(("generation", "pages", "empty_pages", "received", "kept"), 0),
            }
            | columns
        )
    )


def add_record(connection: Connection, kind: str, number: int, **columns: Any) -> None:
    values = {f"{kind}_id": number, **RECORD, **columns}
    connection.execute(sa.insert(schema.RECORD_TABLES[kind]).values(values))


def states(connection: Connection, kind: str) -> dict[int, tuple[str, int, int | None]]:
    rows = connection.execute(sa.select(libraries).where(libraries.c.kind == kind))
    return {row.record_id: (row.library, row.kept, row.expected) for row in rows}


@pytest.mark.parametrize(("kind", "endpoint"), [("user", "user_likes"), ("track", "track_favoriters")])
def test_states_of_libraries_and_fans(store: Store, kind: str, endpoint: str) -> None:
    with store.write() as connection:
        for number, (columns, _) in enumerate(WALKS.values(), 1):
            add_record(connection, kind, number)
            add_walk(connection, endpoint, number, **columns)
            add_walk(connection, "user_reposts", number, status="done", received=3, kept=3)
        add_record(connection, kind, 99)
        found = states(connection, kind)
        assert found.pop(99) == ("unseen", 0, None)
        assert dict(zip(WALKS, found.values(), strict=True)) == {
            name: state for name, (_, state) in WALKS.items()
        }
        if kind == "user":
            # The reader's scan and a lookup of each user say the same.
            read = read_libraries(connection, "user", Inclusion())
            everyone = np.arange(1, 100)
            known = states(connection, "user")
            seen = [user for user, (state, _, _) in known.items() if state in {"whole", "newest"}]
            assert everyone[read.contain(everyone)].tolist() == sorted(seen)
            assert read.cut.tolist() == sorted(user for user in seen if known[user][0] == "newest")
            query = sa.select(schema.users.c.user_id).where(is_looked_at(schema.users.c.user_id))
            assert sorted(connection.scalars(query)) == sorted(seen)


def test_the_counter_of_the_record_promises_more(store: Store) -> None:
    with store.write() as connection:
        add_record(connection, "user", 1, public_favorites_count=7)
        add_record(connection, "user", 2, public_favorites_count=0)
        add_record(connection, "track", 3, favoritings_count=4)
        for user in (1, 2):
            add_walk(connection, "user_likes", user, status="done")
        assert states(connection, "user") == {1: ("hidden", 0, 7), 2: ("whole", 0, 0)}
        assert states(connection, "track") == {3: ("unseen", 0, 4)}
        assert read_libraries(connection, "user", Inclusion()).contain(np.array([1, 2])).tolist() == [
            False,
            True,
        ]


def test_a_refresh_that_has_begun_does_not_lose_the_look_before(store: Store) -> None:
    with store.write() as connection:
        add_record(connection, "user", 1)
        add_walk(connection, "user_likes", 1, status="done", received=9, kept=8)
        begin_anew(connection, schema.walks.c.endpoint == "user_likes")
        assert states(connection, "user") == {1: ("newest", 8, None)}


def test_states_of_playlists(store: Store) -> None:
    walks = {1: "done", 2: "capped", 3: "gone", 4: "planned", 5: "planned", 6: "done, nothing shown"}
    listed = {1: 3, 2: 3, 5: 3, 7: 3, 8: 3}
    with store.write() as connection:
        for track in range(1, 4):
            add_record(connection, "track", track)
        for playlist in range(1, 11):
            add_record(connection, "playlist", playlist, track_count={9: 0, 10: 5}.get(playlist))
        for playlist, name in walks.items():
            add_walk(connection, "playlist_tracks", playlist, **WALKS[name][0])
        for playlist, count in listed.items():
            for position in range(count):
                row = {"playlist_id": playlist, "track_id": position + 1, "position": position}
                connection.execute(sa.insert(schema.playlist_tracks).values(row))
        row = {"playlist_id": 8, "track_id": 77, "position": 3}
        connection.execute(sa.insert(schema.playlist_leftovers).values(row))
        assert {playlist: state for playlist, (state, _, _) in states(connection, "playlist").items()} == {
            1: "whole",
            2: "newest",
            3: "hidden",
            4: "unseen",
            5: "whole",  # listed with its tracks, before its walk
            6: "hidden",
            7: "whole",  # listed with its tracks, without a walk
            8: "newest",  # listed with its tracks, beyond the cap
            9: "whole",  # the API says that it is empty
            10: "unseen",
        }
        kept = {playlist: (count, of) for playlist, (_, count, of) in states(connection, "playlist").items()}
        assert (kept[1], kept[2], kept[9], kept[10]) == ((3, 10), (3, 10), (0, 0), (0, 5))
        read = read_libraries(connection, "playlist", Inclusion())
        numbers = np.arange(1, 11)
        assert numbers[read.contain(numbers)].tolist() == [1, 2, 5, 7, 8, 9]
        assert read.cut.tolist() == [2, 8]


def test_everyone_counts_if_no_library_was_requested(store: Store) -> None:
    numbers = np.arange(3)
    with store.write() as connection:
        add_walk(connection, "track_favoriters", 1, status="done", received=9, kept=9)
        assert read_libraries(connection, "user", Inclusion()).contain(numbers).all()
        add_walk(connection, "user_likes", 9, status="planned")
        assert not read_libraries(connection, "user", Inclusion()).contain(numbers).any()
        assert read_libraries(connection, "user", Inclusion(unseen=True)).contain(numbers).all()
