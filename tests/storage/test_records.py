"""Upserts never lose known values."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.model.items import (
    Comment,
    Engagement,
    Fullness,
    Mention,
    Playlist,
    PlaylistTrack,
    Track,
    User,
)
from sgr_spiders.storage import records, schema, upserts

if TYPE_CHECKING:
    from sgr_spiders.model.items import Record
    from sgr_spiders.storage.store import Store

    Release = tuple[int | None, int | None, int | None, str | None]


def write(store: Store, *found: Record, now: str = "now") -> None:
    with store.write() as connection:
        records.write_records(connection, found, set(), now)


def row(store: Store, table: sa.Table, key: int) -> dict[str, Any]:
    (column,) = table.primary_key.columns
    with store.write() as connection:
        return dict(connection.execute(sa.select(table).where(column == key)).mappings().one())


def test_a_thinner_record_fills_gaps_and_replaces_nothing(store: Store) -> None:
    write(store, User(1, username="full", followers_count=5, fullness=Fullness.OWN, raw=b"full"))
    write(store, User(1, username="thin", city="Oslo", fullness=Fullness.EMBEDDED, raw=b"thin"))
    found = row(store, schema.users, 1)
    assert (found["username"], found["city"], found["followers_count"]) == ("full", "Oslo", 5)
    assert (found["raw"], found["fullness"], found["is_stub"]) == (b"full", Fullness.OWN, False)


def test_a_fuller_record_wins_but_no_null_replaces_a_value(store: Store) -> None:
    write(store, User(1, username="thin", city="Oslo", fullness=Fullness.EMBEDDED, raw=b"thin"))
    write(store, User(1, username="full", fullness=Fullness.OWN), now="later")
    found = row(store, schema.users, 1)
    assert (found["username"], found["city"], found["raw"]) == ("full", "Oslo", b"thin")
    assert (found["fullness"], found["fetched_at"]) == (Fullness.OWN, "later")


@pytest.mark.parametrize(
    ("later", "fullness", "left"),
    [
        ((None, None, None, None), Fullness.OWN, (2019, 2, 28, "2019-02-28")),
        ((2020, None, None, None), Fullness.OWN, (2020, None, None, None)),
        ((2019, 2, 31, None), Fullness.OWN, (2019, 2, 31, None)),
        ((None, 3, 4, None), Fullness.OWN, (2019, 2, 28, "2019-02-28")),
        ((None, None, None, "2021-05-06"), Fullness.OWN, (None, None, None, "2021-05-06")),
        ((2020, 5, 6, "2020-05-06"), Fullness.OWN, (2020, 5, 6, "2020-05-06")),
        ((2020, 5, 6, "2020-05-06"), Fullness.EMBEDDED, (2019, 2, 28, "2019-02-28")),
    ],
)
@pytest.mark.parametrize("kind", [Track, Playlist])
def test_a_day_of_release_is_that_of_one_response(
    store: Store, kind: type[Track | Playlist], later: Release, fullness: int, left: Release
) -> None:
    for release, full in (((2019, 2, 28, "2019-02-28"), Fullness.OWN), (later, fullness)):
        values: dict[str, Any] = dict(zip(upserts.RELEASE, release, strict=True))
        write(store, kind(1, title="t", fullness=full, **values))
    found = row(store, schema.RECORD_TABLES[kind.kind], 1)
    assert tuple(found[name] for name in upserts.RELEASE) == left


def test_a_thinner_response_tells_an_unknown_day_of_release(store: Store) -> None:
    write(store, Track(1, title="t", fullness=Fullness.OWN))
    write(store, Track(1, release_month=2, fullness=Fullness.EMBEDDED))
    assert row(store, schema.tracks, 1)["release_month"] == 2


def test_a_newer_record_of_the_same_fullness_wins(store: Store) -> None:
    write(store, Track(1, title="old", playback_count=5, fullness=Fullness.OWN, raw=b"old"))
    write(store, Track(1, title="new", playback_count=0, fullness=Fullness.OWN, raw=b"new"))
    found = row(store, schema.tracks, 1)
    assert (found["title"], found["playback_count"], found["raw"]) == ("new", 0, b"new")


def test_versions_of_different_fullness_may_come_in_any_order(store: Store) -> None:
    versions = [
        User(0, fullness=Fullness.STUB),
        User(0, username="e", city="e", fullness=Fullness.EMBEDDED),
        User(0, username="a", followers_count=3, fullness=Fullness.AUTHOR, raw=b"a"),
        User(0, username="o", country="o", fullness=Fullness.OWN),
    ]
    results = []
    for number, order in enumerate(permutations(versions), 1):
        for version in order:
            version.user_id = number
            write(store, version)
        found = row(store, schema.users, number)
        del found["user_id"]
        results.append(found)
    assert all(result == results[0] for result in results)
    assert results[0]["username"] == "o"


def test_an_outage_that_zeroes_followers_is_not_believed(store: Store) -> None:
    others = ("followings_count", "track_count", "playlist_count", "public_favorites_count", "reposts_count")
    before: dict[str, Any] = dict.fromkeys(others, 3)
    after: dict[str, Any] = dict.fromkeys(others, 0)
    write(store, User(1, followers_count=120, **before, fullness=Fullness.OWN))
    write(store, User(1, followers_count=0, **after, fullness=Fullness.OWN))
    found = row(store, schema.users, 1)
    assert found["followers_count"] == 120
    assert [found[name] for name in others] == [0, 0, 0, 0, 0]
    write(store, User(2, followers_count=0, fullness=Fullness.OWN))
    assert row(store, schema.users, 2)["followers_count"] == 0


def test_what_is_only_referred_to_becomes_a_stub(store: Store) -> None:
    write(
        store,
        Track(1, artist_id=2, fullness=Fullness.OWN),
        Engagement(3, 4, "like"),
        Playlist(5, owner_id=6, fullness=Fullness.OWN),
        PlaylistTrack(5, 7, 0),
        Comment(8, 9, 10),
        Mention(11, "featuring", "Twelve", 12),
    )
    stubs = {
        table.name: {
            key
            for key in ids
            if row(store, table, key)["is_stub"] and row(store, table, key)["fullness"] == 0
        }
        for table, ids in ((schema.users, (2, 3, 6, 10, 12)), (schema.tracks, (4, 7, 9, 11)))
    }
    assert stubs == {"users": {2, 3, 6, 10, 12}, "tracks": {4, 7, 9, 11}}
    write(store, User(2, username="found", fullness=Fullness.EMBEDDED))
    assert not row(store, schema.users, 2)["is_stub"]


def test_references_are_enforced(store: Store) -> None:
    with pytest.raises(StorageError, match=r"(?i)foreign key"), store.write() as connection:
        connection.exec_driver_sql("INSERT INTO engagements (user_id, track_id, kind) VALUES (1, 1, 'like')")


def test_what_is_written_can_be_read_back(store: Store) -> None:
    tracks = [
        Track(n, title=f"t{n}", bpm=90.5, streamable=True, fullness=Fullness.OWN) for n in range(1, 1203)
    ]
    write(store, *tracks)
    wanted = [1201, 7, 600]
    with store.write() as connection:
        assert list(records.read_records(connection, "track", wanted)) == [tracks[n - 1] for n in wanted]
        assert len(list(records.read_records(connection, "track", range(1, 1203)))) == 1202


def test_known_versions_are_not_written_again(store: Store) -> None:
    user = User(1, username="one", fullness=Fullness.OWN)
    write(store, user, now="first")
    with store.write() as connection:
        records.write_records(connection, [user, Engagement(1, 2, "like")], {("user", 1, 3)}, "second")
    assert row(store, schema.users, 1)["fetched_at"] == "first"
    with store.write() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(schema.engagements)) == 1


def test_access_is_that_of_the_newest_response_however_full_it_is(store: Store) -> None:
    write(store, Track(1, title="t", access="playable", fullness=Fullness.OWN))
    write(store, Track(1, access="blocked", fullness=Fullness.EMBEDDED))
    assert row(store, schema.tracks, 1)["access"] == "blocked"
    write(store, Track(1, fullness=Fullness.STUB))
    assert row(store, schema.tracks, 1)["access"] == "blocked"
    write(store, Track(1, access="preview", fullness=Fullness.OWN))
    found = row(store, schema.tracks, 1)
    assert (found["access"], found["title"]) == ("preview", "t")


def test_what_is_seen_again_is_present_and_keeps_when_it_was_first_seen(store: Store) -> None:
    everything: list[Record] = [
        User(1, username="u", fullness=Fullness.OWN), Track(2, title="t", artist_id=1, fullness=Fullness.OWN),
        Playlist(3, title="p", owner_id=1, fullness=Fullness.OWN), PlaylistTrack(3, 2, 0),
        Comment(4, 2, 1, "c"), Engagement(1, 2, "like"),
    ]  # fmt: skip
    tables = ("users", "tracks", "playlists", "playlist_tracks", "comments", "engagements")
    write(store, *everything, now="1")
    with store.write() as connection:
        for name in tables:
            connection.exec_driver_sql(f"UPDATE {name} SET removed_at = '2', removed_reason = 'gone'")  # noqa: S608 - ours
    # A reference to a record says nothing about it.
    write(store, User(1), Track(2, artist_id=1), now="3")
    assert row(store, schema.tracks, 2)["removed_reason"] == "gone"
    write(store, *everything, now="4")
    stamps = "first_seen_at, last_seen_at, removed_at, removed_reason"
    with store.write() as connection:
        for name in tables:
            found = connection.exec_driver_sql(f"SELECT {stamps} FROM {name}").all()  # noqa: S608 - ours
            assert found == [("1", "4", None, None)], name
