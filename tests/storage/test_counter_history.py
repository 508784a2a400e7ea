"""One row when a counter changed, and one for its first value; others have none, only their column."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from itertools import pairwise
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sgr_spiders.config.harvest import Retention
from sgr_spiders.model.items import Fullness, Playlist, Track, User
from sgr_spiders.storage import forgetting, records
from sgr_spiders.storage.extent import Extent, condition_of
from sgr_spiders.storage.ledger import runs
from sgr_spiders.storage.retention.prune import prune
from sgr_spiders.storage.schema import COUNTERS, RECORD_TABLES, counter_history, tracks, users
from sgr_spiders.storage.store import Store
from tests.databases import url_of

if TYPE_CHECKING:
    from pathlib import Path

    from sgr_spiders.model.items import Record

Rows = list[tuple[str, str, int]]
"""Counter, time and value of each row."""


def write(store: Store, now: str, *found: Record) -> None:
    with store.write() as connection:
        records.write_records(connection, found, set(), now)


def history(store: Store, kind: str = "track", record_id: int = 1) -> Rows:
    c = counter_history.c
    query = sa.select(c.counter, c.observed_at, c.value).where(c.kind == kind, c.record_id == record_id)
    with store.read() as connection:
        return [tuple(row) for row in connection.execute(query.order_by(c.observed_at, c.counter))]


def value_of(store: Store, table: sa.Table, name: str, key: int = 1) -> Any:  # noqa: ANN401 - of any column
    with store.read() as connection:
        return connection.scalar(sa.select(table.c[name]).where(table.primary_key.columns[0] == key))


def track(plays: int | None, likes: int | None = None, fullness: int = Fullness.OWN) -> Track:
    return Track(1, title="t", playback_count=plays, favoritings_count=likes, fullness=fullness)


def test_the_first_values_are_in_the_record(store: Store) -> None:
    write(store, "t1", track(5, 2))
    write(store, "t2", track(5, 2))
    assert history(store) == []
    assert value_of(store, tracks, "counted_at") == "t1"


def test_the_first_change_writes_what_was_before(store: Store) -> None:
    write(store, "t1", track(5, 2))
    write(store, "t2", track(6, 2))
    plays = [("playback_count", "t1", 5), ("playback_count", "t2", 6)]
    assert history(store) == plays
    write(store, "t3", track(6, 2))
    write(store, "t4", track(6, 3))
    # The column had its first value since the first look.
    likes = [("favoritings_count", "t1", 2), ("favoritings_count", "t4", 3)]
    assert sorted(history(store)) == [*likes, *plays]


def test_a_value_that_comes_back_is_a_change(store: Store) -> None:
    for number, plays in enumerate((5, 6, 5, 5, 0)):
        write(store, f"t{number}", track(plays))
    assert [(at, value) for _, at, value in history(store)] == [("t0", 5), ("t1", 6), ("t2", 5), ("t4", 0)]


def test_a_response_without_the_counter_says_nothing(store: Store) -> None:
    write(store, "t1", track(5, 2))
    write(store, "t2", track(None, None, Fullness.EMBEDDED), Track(1))
    write(store, "t3", track(None, 2))
    assert history(store) == []
    write(store, "t4", track(7))
    assert history(store)[-1] == ("playback_count", "t4", 7)
    assert value_of(store, tracks, "favoritings_count") == 2


def test_a_thinner_response_fills_gaps_but_changes_nothing(store: Store) -> None:
    write(store, "t1", User(1, followers_count=5, fullness=Fullness.OWN))
    write(store, "t2", User(1, followers_count=9, fullness=Fullness.AUTHOR))
    assert (history(store, "user"), value_of(store, users, "followers_count")) == ([], 5)
    write(store, "t3", User(1, followings_count=3, fullness=Fullness.AUTHOR))
    # The other one was read before that time.
    assert history(store, "user") == [("followings_count", "t3", 3)]
    write(store, "t4", User(1, followers_count=6, fullness=Fullness.OWN))
    followers = [("followers_count", "t1", 5), ("followers_count", "t4", 6)]
    assert sorted(history(store, "user")) == [*followers, ("followings_count", "t3", 3)]


def test_a_fuller_response_that_confirms_the_known_ones_is_the_first_look_at_all(store: Store) -> None:
    write(store, "t1", User(1, followers_count=5, fullness=Fullness.AUTHOR))
    write(store, "t2", User(1, followers_count=5, track_count=3, fullness=Fullness.OWN))
    assert (history(store, "user"), value_of(store, users, "counted_at")) == ([], "t2")
    write(store, "t3", User(1, followers_count=5, track_count=4, fullness=Fullness.OWN))
    assert history(store, "user") == [("track_count", "t2", 3), ("track_count", "t3", 4)]


def test_a_counter_that_becomes_known_beside_a_history_has_its_own_begin(store: Store) -> None:
    write(store, "t1", track(5))
    write(store, "t2", track(6))
    write(store, "t3", track(6, 2))
    write(store, "t4", track(6, 3))
    assert [row for row in history(store) if row[0] == "favoritings_count"] == [
        ("favoritings_count", "t3", 2), ("favoritings_count", "t4", 3),
    ]  # fmt: skip
    assert value_of(store, tracks, "counted_at") == "t1"


def test_the_zeros_of_an_outage_are_no_change(store: Store) -> None:
    for number, followers in enumerate((5, 0, 5)):
        write(store, f"t{number}", User(1, followers_count=followers, fullness=Fullness.OWN))
    assert history(store, "user") == []
    write(store, "t4", User(1, followers_count=6, fullness=Fullness.OWN))
    assert history(store, "user") == [("followers_count", "t0", 5), ("followers_count", "t4", 6)]


def test_versions_on_one_page_are_one_look(store: Store) -> None:
    write(store, "t1", track(5))
    write(store, "t2", track(6, fullness=Fullness.EMBEDDED), track(7))
    assert history(store) == [("playback_count", "t1", 5), ("playback_count", "t2", 7)]
    write(store, "t3", Playlist(1, track_count=1, fullness=Fullness.OWN), Playlist(1, track_count=2))
    assert history(store, "playlist") == []


def test_a_row_names_its_run(store: Store) -> None:
    write(store, "t1", track(5))
    with store.write() as connection:
        run = runs.begin_run(connection, spider="s", layers=[], scope="s", fresh_after="", refresh=False)
    write(store, "t2", track(6))
    with store.read() as connection:
        named = connection.execute(sa.select(counter_history.c.value, counter_history.c.run_id)).all()
    assert sorted(map(tuple, named)) == [(5, None), (6, run.run_id)]


def test_versions_on_a_first_page_are_one_look(store: Store) -> None:
    write(store, "t1", track(6, fullness=Fullness.EMBEDDED), track(7))
    assert (history(store), value_of(store, tracks, "playback_count")) == ([], 7)


def test_a_version_with_the_stored_values_may_undo_another(store: Store) -> None:
    write(store, "t1", track(5, fullness=Fullness.EMBEDDED))
    write(store, "t2", track(6, fullness=Fullness.AUTHOR), track(5))
    assert (history(store), value_of(store, tracks, "playback_count")) == ([], 5)


def test_a_thin_version_does_not_undo_a_fuller_one_of_its_page(store: Store) -> None:
    write(store, "t1", track(5, fullness=Fullness.EMBEDDED))
    write(store, "t2", track(6), track(7, fullness=Fullness.EMBEDDED))
    assert value_of(store, tracks, "playback_count") == 6
    assert history(store) == [("playback_count", "t1", 5), ("playback_count", "t2", 6)]


def test_records_of_two_kinds_with_one_id_have_their_own_histories(store: Store) -> None:
    for number in (1, 2):
        write(store, f"t{number}", User(1, reposts_count=number, fullness=Fullness.OWN))
        write(store, f"t{number}", Track(1, title="t", reposts_count=5, fullness=Fullness.OWN))
    write(store, "t3", Track(1, title="t", reposts_count=6, fullness=Fullness.OWN))
    assert history(store) == [("reposts_count", "t1", 5), ("reposts_count", "t3", 6)]


def test_without_a_counter_nothing_is_dated(store: Store) -> None:
    write(store, "t1", track(None))
    assert value_of(store, tracks, "counted_at") is None
    write(store, "t2", track(5))
    assert (history(store), value_of(store, tracks, "counted_at")) == ([], "t2")


def test_any_version_may_confirm_the_known_ones(store: Store) -> None:
    write(store, "t1", track(5))
    every = dict.fromkeys(COUNTERS["track"], 5)
    full = Track(1, **every, fullness=Fullness.OWN)  # type: ignore[arg-type]
    write(store, "t2", full, track(5, fullness=Fullness.EMBEDDED))
    assert (history(store), value_of(store, tracks, "counted_at")) == ([], "t2")


def test_rows_are_in_the_order_of_writes(store: Store) -> None:
    """A worker may take the time before it waits for another one, and clocks differ."""
    first, second, third = (f"2026-01-01T00:00:0{number}.000000Z" for number in (1, 2, 3))
    for at, plays in ((second, 5), (first, 6), (third, 7), (second, 8), (second, 9)):
        write(store, at, track(plays))
    assert [(at, value) for _, at, value in history(store)] == [
        (second, 5), ("2026-01-01T00:00:02.000001Z", 6),
        (third, 7), ("2026-01-01T00:00:03.000001Z", 8), ("2026-01-01T00:00:03.000002Z", 9),
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_the_newest_rows_are_the_counters_of_the_record(store: Store, seed: int) -> None:
    """Draw responses with any counters, whose values change seldom, in any fullness."""
    draw = random.Random(seed)  # noqa: S311 - not secret
    names = COUNTERS["user"]
    for number in range(40):
        page = []
        for user in draw.choices(range(1, 6), k=4):
            stated: dict[str, Any] = {name: draw.choice((0, 1, 2)) for name in names if draw.random() < 0.5}
            page.append(User(user, username="u", fullness=draw.choice((1, 2, 3)), **stated))
        write(store, f"t{number:02}", *page)
    with store.read() as connection:
        stored = connection.execute(sa.select(users)).mappings().all()
    for row in stored:
        rows = history(store, "user", row["user_id"])
        newest = {counter: value for counter, _, value in rows}
        assert newest
        assert newest == {name: row[name] for name in newest}
        for name in newest:
            values = [value for counter, _, value in rows if counter == name]
            assert all(one != other for one, other in pairwise(values))


@pytest.mark.postgresql("several workers")
def test_workers_that_see_the_same_change_write_it_once(tmp_path: Path) -> None:
    url = url_of(tmp_path / "shared.db")
    ids = range(1, 40)
    with closing(Store.open(url)) as store:
        write(store, "t0", *(Track(number, playback_count=0, fullness=Fullness.OWN) for number in ids))

        barrier = Barrier(2)

        def work(worker: int) -> None:
            with closing(Store(url)) as own:
                for plays in range(1, 8):
                    page = [Track(number, playback_count=plays, fullness=Fullness.OWN) for number in ids]
                    random.Random(worker).shuffle(page)  # noqa: S311 - not secret
                    barrier.wait()
                    write(own, f"t{plays} {worker}", *page)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(work, range(2)))
        for number in ids:
            assert [value for _, _, value in history(store, "track", number)] == list(range(8))


# What belongs to a record goes with it


def change_all(store: Store) -> None:
    """Write a history for a track of user 7, for that user, and for a track of nobody."""
    for number in (1, 2):
        write(
            store,
            f"2026-01-0{number}T00:00:00.000000Z",
            User(7, followers_count=number, fullness=Fullness.OWN),
            Track(1, artist_id=7, playback_count=number, fullness=Fullness.OWN),
            Track(2, playback_count=number, fullness=Fullness.OWN),
        )


def about(store: Store) -> set[tuple[str, int]]:
    with store.read() as connection:
        query = sa.select(counter_history.c.kind, counter_history.c.record_id).distinct()
        return {(row[0], row[1]) for row in connection.execute(query)}


def test_a_forgotten_user_leaves_no_history(store: Store) -> None:
    change_all(store)
    assert about(store) == {("user", 7), ("track", 1), ("track", 2)}
    with store.write() as connection:
        forgotten = forgetting.forget(connection, [("user", 7)])
    assert about(store) == {("track", 2)}
    assert forgotten.removed["counter_history"] == 4


def test_a_pruned_record_leaves_no_history_and_begins_again(store: Store) -> None:
    change_all(store)
    for number in (1, 2):
        write(store, f"2026-01-0{number}", Playlist(1, track_count=number, fullness=Fullness.OWN))
    with store.write() as connection:
        gone = {"removed_at": "2026-01-03T00:00:00.000000Z", "removed_reason": "gone"}
        connection.execute(sa.update(tracks).where(tracks.c.track_id == 1).values(gone))
    prune(store, Retention(removed_rows=30), datetime(2026, 6, 1, tzinfo=UTC))
    assert about(store) == {("user", 7), ("track", 2), ("playlist", 1)}
    assert value_of(store, tracks, "counted_at") is None
    write(store, "2026-07-01", track(9))
    assert (history(store), value_of(store, tracks, "counted_at")) == ([], "2026-07-01")


def test_values_that_were_replaced_long_ago_are_removed(store: Store) -> None:
    """The value at the limit stays, as long as it was there before."""
    for month, plays, likes, others in ((1, 5, 2, 8), (2, 6, 2, 8), (3, 7, 2, 8), (5, 7, 3, 9)):
        other = Track(2, title="t", playback_count=others, fullness=Fullness.OWN)
        write(store, f"2026-0{month}-01T00:00:00.000000Z", track(plays, likes), other)
    prune(store, Retention(counters=30), datetime(2026, 5, 15, tzinfo=UTC))
    left = {(counter, at[5:7], value) for counter, at, value in history(store)}
    assert left == {
        ("playback_count", "03", 7),
        ("favoritings_count", "01", 2),
        ("favoritings_count", "05", 3),
    }
    assert [value for _, _, value in history(store, "track", 2)] == [8, 9]


def test_pseudonymous_users_have_no_history(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    change_all(store)
    write(store, "2026-01-01", User(8, followers_count=2, followings_count=3, fullness=Fullness.OWN))
    of_tracks = {("track", 1), ("track", 2)}

    def pseudonymise() -> set[tuple[Any, ...]]:
        prune(store, Retention(users="pseudonymise"))
        assert about(store) == of_tracks
        query = sa.select(users.c.followers_count, users.c.followings_count, users.c.counted_at)
        with store.read() as connection:
            return {tuple(row) for row in connection.execute(query.where(users.c.followers_count == 2))}

    changed = (2, None, "2026-01-02T00:00:00.000000Z")
    assert pseudonymise() == {changed, (2, 3, "2026-01-01")}
    # The same user, harvested again, during an outage.
    write(store, "2026-02-01", User(8, followers_count=0, followings_count=0, fullness=Fullness.OWN))
    write(store, "2026-02-02", User(8, followers_count=0, followings_count=4, fullness=Fullness.OWN))
    assert pseudonymise() == {changed, (2, 4, "2026-02-02")}


def test_dropped_users_leave_no_history(store: Store) -> None:
    change_all(store)
    prune(store, Retention(users="drop"))
    assert about(store) == {("track", 1), ("track", 2)}


def test_readers_see_the_history_of_what_is_present(store: Store) -> None:
    change_all(store)
    with store.write() as connection:
        connection.execute(sa.update(tracks).where(tracks.c.track_id == 1).values(removed_at="2026-06-01"))

    def count(extent: Extent) -> int:
        query = sa.select(sa.func.count()).select_from(counter_history)
        condition = condition_of(counter_history, extent)
        with store.read() as connection:
            return connection.scalar(query if condition is None else query.where(condition)) or 0

    assert count(Extent()) == 4
    assert count(Extent(include_removed=True)) == 6
    assert count(Extent(as_of="2026-01-01T12:00:00.000000Z")) == 3
    assert count(Extent(as_of="2026-01-03T00:00:00.000000Z")) == 6
    assert count(Extent(as_of="2026-12-01T00:00:00.000000Z")) == 4


def test_every_counter_is_a_column() -> None:
    for kind, names in COUNTERS.items():
        counted = {column.name for column in RECORD_TABLES[kind].c if column.name.endswith("_count")}
        assert set(names) == counted
