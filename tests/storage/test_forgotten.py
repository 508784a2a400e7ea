"""A page is written without what has a tombstone."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sgr_spiders.model.items import (
    CachedTrack,
    Comment,
    Engagement,
    Entry,
    Fullness,
    MainRecord,
    Mention,
    Page,
    Playlist,
    PlaylistTrack,
    Record,
    Reference,
    Reject,
    Track,
    User,
    Walk,
)
from sgr_spiders.soundcloud.raw import pack, unpack
from sgr_spiders.storage import forgetting, redaction, tombstones
from sgr_spiders.storage.ledger.forgotten import drop_forgotten, keep_unforgotten
from sgr_spiders.storage.schema import tracks, users
from sgr_spiders.storage.store import Store
from tests.databases import url_of

if TYPE_CHECKING:
    from pathlib import Path

FORGOTTEN = "forgotten"
USER: Reference = ("user", 1)
TRACK: Reference = ("track", 10)


@pytest.fixture
def forgetful(store: Store) -> Store:
    """Return a database in which a user, a track, a playlist and a comment were forgotten."""
    with store.write() as connection:
        named: list[Reference] = [USER, TRACK, ("playlist", 100), ("comment", 1000)]
        tombstones.prepare(connection).add({reference: reference for reference in named}, "asked")
    return store


def dropped(store: Store, *entries: Entry, endpoint: str = "user_likes", **values: Any) -> Page:
    page = Page(Walk(1, endpoint, "7"), list(entries), received=len(entries), **values)
    with store.write() as connection:
        drop_forgotten(connection, page)
    return page


def track(number: int, artist: int = 2, **values: Any) -> Track:
    return Track(number, title="t", artist_id=artist, fullness=Fullness.OWN, **values)


@pytest.mark.parametrize(
    "record",
    [
        User(1),
        track(10),
        track(11, artist=1),
        Playlist(100, owner_id=2),
        Playlist(101, owner_id=1),
        Comment(1000, track_id=11, user_id=2),
        Comment(1001, track_id=10, user_id=2),
        Comment(1002, track_id=11, user_id=1),
    ],
)
def test_an_item_is_dropped_with_all_inside_and_leaves_a_reject(forgetful: Store, record: MainRecord) -> None:
    page = dropped(forgetful, Entry(record, [User(2)], Engagement(2, 11, "like")), Entry(User(3)))
    assert page.entries == [Entry(User(3))]
    assert page.rejects == [Reject(record.kind, None, None, FORGOTTEN)]
    assert page.received == 2


def test_records_inside_others_are_dropped(forgetful: Store) -> None:
    inside: list[Record] = [
        *(User(1), track(12, artist=1), PlaylistTrack(102, 12, 0)),
        *(User(2), track(10), PlaylistTrack(102, 10, 1)),
        *(User(2), track(13), PlaylistTrack(102, 13, 2)),
    ]
    page = dropped(forgetful, Entry(Playlist(102, owner_id=2), inside), endpoint="user_playlists")
    assert page.entries[0].inside == [User(2), User(2), track(13), PlaylistTrack(102, 13, 2)]
    assert page.rejects == [Reject("track", None, None, FORGOTTEN)] * 2


def test_a_link_goes_without_its_other_end(forgetful: Store) -> None:
    page = dropped(forgetful, Entry(track(11), link=Engagement(1, 11, "like")))
    assert page.entries == [Entry(track(11))]


def test_a_cached_track_goes_too(forgetful: Store) -> None:
    cached = CachedTrack(track(11), [User(1)], [("user", 1), ("track", 11)])
    page = dropped(
        forgetful,
        Entry(track(10), cached=CachedTrack(track(10), [], [("track", 10)])),
        Entry(track(11), [User(1)], cached=cached),
    )
    assert page.entries == [Entry(track(11))]
    assert cached.inside == [User(1)]


def test_raw_and_rejects_lose_what_refers_to_it(forgetful: Store) -> None:
    kept = track(11, raw=pack({"label_id": 1, "x": 2}))
    rejects = [
        Reject("track", 10, "title", "bad title: 'The title'"),
        Reject("user", 5, None, "bad username", pack({"item": {"urn": "soundcloud:users:1"}, "x": 1})),
    ]
    page = dropped(forgetful, Entry(kept), rejects=rejects)
    assert kept.raw is not None
    assert unpack(kept.raw) == {"x": 2}
    assert page.rejects[0] == Reject("track", None, "title", FORGOTTEN)
    assert page.rejects[1].raw is not None
    assert unpack(page.rejects[1].raw) == {"x": 1}


def test_a_single_record_ends_its_walk(forgetful: Store) -> None:
    page = dropped(forgetful, Entry(track(10)), endpoint="track")
    assert (page.entries, page.status, page.reason) == ([], "gone", FORGOTTEN)
    page = dropped(forgetful, endpoint="resolve", resolved=TRACK)
    assert (page.resolved, page.status, page.reason) == (None, "gone", FORGOTTEN)
    page = dropped(forgetful, Entry(track(11), [User(1)]), endpoint="track")
    assert (page.entries, page.status) == ([Entry(track(11))], None)


def test_records_of_layers(forgetful: Store) -> None:
    found: list[Record] = [Mention(11, "featuring", "Ann", 1), Mention(11, "label", "Ann"), User(1)]
    with forgetful.write() as connection:
        assert keep_unforgotten(connection, found) == [Mention(11, "label", "Ann")]


def test_without_tombstones_a_page_costs_one_query(store: Store) -> None:
    statements: list[str] = []
    with store.write() as connection:
        sa.event.listen(
            connection, "before_cursor_execute", lambda *given: statements.append(given[2]), named=False
        )
        page = Page(Walk(1, "user_likes", "7"), [Entry(track(10))])
        drop_forgotten(connection, page)
    assert len(statements) == 1
    assert page.entries == [Entry(track(10))]


def test_hashes_differ_between_databases(forgetful: Store, tmp_path: Path) -> None:
    other = Store.open(url_of(tmp_path / "other.db"))
    digests = []
    for database in (forgetful, other):
        with database.write() as connection:
            known = tombstones.prepare(connection)
            digests.append(known.digest(USER))
            assert known.digest(USER) != known.digest(("track", 1))
    other.close()
    assert digests[0] != digests[1]


def test_lifting_a_record_lifts_what_belongs_to_it(forgetful: Store) -> None:
    with forgetful.write() as connection:
        known = tombstones.prepare(connection)
        known.add({("track", 77): USER, ("url", "https://soundcloud.com/ann"): USER}, "asked")
        assert known.lift([USER]) == 3
        assert known.find({USER, ("track", 77), TRACK}) == {TRACK}


def test_hashes_of_different_databases_differ(store: Store, tmp_path: Path) -> None:
    with closing(Store.open(url_of(tmp_path / "other.db"))) as other:
        digests = set()
        for each in (store, other):
            with each.write() as connection:
                digests.add(tombstones.prepare(connection).digest(USER))
                assert tombstones.prepare(connection).digest(USER) in digests, "the salt stays"
    assert len(digests) == 2


@pytest.mark.sqlite("bytes of the file")
def test_what_is_deleted_is_overwritten(store: Store) -> None:
    text = "a title that no other record has"
    stub = {"is_stub": False, "fullness": Fullness.OWN, "fetched_at": "2026-01-01T00:00:00.000000Z"}
    with store.write() as connection:
        connection.execute(sa.insert(tracks), [{"track_id": key, "title": text, **stub} for key in range(99)])
    with store.write() as connection:
        forgetting.forget(connection, [("track", key) for key in range(99)])
    assert store.file is not None
    store.close()
    assert text.encode() not in store.file.read_bytes()


def test_after_an_error_all_is_as_before_and_the_next_attempt_works(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.write() as connection:
        values = {"is_stub": False, "fullness": Fullness.OWN, "fetched_at": "2026-01-01T00:00:00.000000Z"}
        connection.execute(sa.insert(users).values(user_id=1, **values))
    with monkeypatch.context() as broken, pytest.raises(ZeroDivisionError):  # noqa: PT012 - a transaction
        broken.setattr(redaction, "redact", lambda *_: 1 / 0)
        with store.write() as connection:
            forgetting.forget(connection, [USER])
    with store.write() as connection:
        assert connection.scalar(sa.select(users.c.user_id)) == 1
        assert tombstones.read(connection) is None
        assert forgetting.forget(connection, [USER]).removed["users"] == 1
