"""A refresh by delta looks at the heads of newest-first lists, and each list whole in its turn."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sgr_spiders.model.items import Engagement, Entry, Fullness, Page, Track, User, WalkRequest
from sgr_spiders.storage import records
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.ledger import delta, runs
from sgr_spiders.storage.ledger.ledger import Ledger
from sgr_spiders.storage.ledger.spill import spill_page
from sgr_spiders.storage.schema import engagements, walk_records, walks

if TYPE_CHECKING:
    from sgr_spiders.model.items import Walk
    from sgr_spiders.storage.store import Store

SEED = 99
OWNER = 7
PER_PAGE = 4
LONG_AGO = "2000-01-01T00:00:00.000000Z"


@dataclass
class Library:
    """The likes of a user, newest first, as an API pages them."""

    likes: list[int]

    def page(self, walk: Walk) -> Page:
        start = int(walk.cursor.rpartition("=")[2] or 0)
        shown = self.likes[start : start + PER_PAGE]
        entries = [
            Entry(
                Track(track, title=str(track), fullness=Fullness.OWN),
                link=Engagement(OWNER, track, "like"),
            )
            for track in shown
        ]
        end = start + PER_PAGE
        more = f"/next?offset={end}" if end < len(self.likes) else None
        return Page(walk, entries, received=len(entries), next_cursor=more)


@dataclass
class Books:
    """A ledger with one library."""

    store: Store
    library: Library
    cap: int = 1000
    days: float = 28
    by_delta: bool = True
    run: runs.Run = field(init=False)
    delta: delta.Delta | None = None

    def begin(self) -> None:
        with self.store.write() as connection:
            self.run = runs.begin_run(
                connection, spider="test", layers=["test"], scope="test", fresh_after="", refresh=True
            )
            runs.end_run(connection, self.run, "complete", None, 0, "{}")
            # Later runs are not to continue this refresh.
            self.delta = delta.plan(connection, self.days) if self.by_delta else None
            self.ledger(connection).widen_scope(SEED, {"test": "settings"})

    def ledger(self, connection: sa.Connection) -> Ledger:
        return Ledger(connection, self.run, self.delta)

    def count(self, likes: int) -> None:
        """Store the API's counter of the library, as of now."""
        owner = User(OWNER, username="owner", public_favorites_count=likes, fullness=Fullness.OWN)
        with self.store.write() as connection:
            records.write_records(connection, [owner], set(), timestamp())

    def request(self) -> None:
        wanted = WalkRequest("user_likes", str(OWNER), "libraries", self.cap)
        with self.store.write() as connection:
            self.ledger(connection).request(SEED, "test", "settings", [wanted])

    def fetch(self, *, pages: int = 1000) -> int:
        """Fetch at most that many pages; return the number fetched."""
        fetched = 0
        while True:
            with self.store.write() as connection:
                leased = self.ledger(connection).lease(1)
            if not leased:
                return fetched
            walk: Walk | None = leased[0]
            while walk is not None and fetched < pages:
                with self.store.write() as connection:
                    spilled = spill_page(connection, self.library.page(walk), self.run)
                assert spilled is not None
                walk = spilled.walk
                fetched += 1
            if walk is not None:
                with self.store.write() as connection:
                    self.ledger(connection).give_back()
                return fetched

    def refresh(self) -> int:
        """Refresh the library; return the number of pages fetched."""
        self.begin()
        self.request()
        return self.fetch()

    def walk(self) -> Any:  # noqa: ANN401 - a row
        with self.store.write() as connection:
            return connection.execute(sa.select(walks)).one()

    def change(self, **values: object) -> None:
        with self.store.write() as connection:
            connection.execute(sa.update(walks).values(values))

    def listed(self) -> list[int]:
        """Return what the walk lists, in order; check that the positions have no gaps."""
        walk = self.walk()
        with self.store.write() as connection:
            rows = connection.execute(
                sa.select(walk_records.c.record_id, walk_records.c.position)
                .where(walk_records.c.generation == walk.generation, walk_records.c.kind == "track")
                .order_by(walk_records.c.position)
            ).all()
        assert [row.position for row in rows] == list(range(len(rows)))
        assert walk.kept == len(rows)
        return [row.record_id for row in rows]

    def removed(self) -> set[int]:
        with self.store.write() as connection:
            query = sa.select(engagements.c.track_id).where(engagements.c.removed_at.is_not(None))
            return set(connection.scalars(query))

    def shown(self) -> list[tuple[int, int]]:
        """Return the records that the layer has not been shown, and mark them as shown."""
        with self.store.write() as connection:
            ledger = self.ledger(connection)
            expansions = ledger.expansions(self.walk_id(connection))
            for expansion in expansions:
                ledger.set_expanded(expansion)
        return [(expansion.start, expansion.stop) for expansion in expansions]

    def walk_id(self, connection: sa.Connection) -> int:
        return int(connection.scalar(sa.select(walks.c.walk_id)) or 0)


@pytest.fixture
def books(store: Store) -> Books:
    """Return a library of 20 likes on 5 pages, looked at whole, and known to be newest first."""
    found = Books(store, Library(list(range(1, 21))))
    assert found.refresh() == 5
    assert found.walk().looked == "whole"
    found.change(newest_first="cursor")
    return found


def test_a_head_without_news_is_one_page(books: Books) -> None:
    assert books.refresh() == 1
    walk = books.walk()
    assert (walk.status, walk.looked, walk.kept, walk.received) == ("done", "head", 20, 4)
    assert walk.whole_at < walk.finished_at
    assert books.listed() == list(range(1, 21))
    assert books.shown() == [(0, 20)]


def test_new_likes_come_before_the_known_ones(books: Books) -> None:
    books.library.likes = [103, 102, 101, *range(1, 21)]
    assert books.refresh() == 2
    assert books.walk().looked == "head"
    assert books.listed() == books.library.likes
    assert books.removed() == set()
    books.library.likes = [201, 202, 203, 204, 205, *books.library.likes]
    assert books.refresh() == 3
    assert books.listed() == books.library.likes


def test_what_left_between_known_neighbours_is_removed(books: Books) -> None:
    books.library.likes = [101, 1, 3, 4, *range(6, 15), *range(16, 21)]
    assert books.refresh() == 2
    # The head ends above 15, which was not looked for.
    assert books.removed() == {2, 5}
    assert books.listed() == [101, 1, 3, 4, *range(6, 21)]
    books.days = 0
    books.refresh()
    assert books.removed() == {2, 5, 15}
    assert books.listed() == books.library.likes


def test_a_new_record_below_known_ones_ends_the_knowledge(books: Books) -> None:
    books.library.likes = [1, 2, 101, *range(3, 21)]
    assert books.refresh() == 6
    walk = books.walk()
    assert (walk.looked, walk.newest_first, walk.status) == ("whole", None, "done")
    assert books.listed() == books.library.likes
    assert books.refresh() == 6


@pytest.mark.parametrize(
    "likes",
    [
        list(range(20, 0, -1)),
        [*range(13, 21), *range(1, 13)],
        [9, *range(1, 9), *range(10, 21)],
    ],
    ids=["reversed", "lower half first", "liked again"],
)
def test_a_list_in_another_order_is_looked_at_whole(books: Books, likes: list[int]) -> None:
    books.library.likes = likes
    books.refresh()
    assert books.removed() == set()
    assert books.walk().looked == "whole"
    assert books.listed() == likes


def test_a_block_from_below_is_no_known_head(books: Books) -> None:
    books.library.likes = [*range(9, 21), *range(1, 9)]
    assert books.refresh() == 5
    assert books.walk().looked == "whole"
    assert books.removed() == set()
    assert books.listed() == books.library.likes


def test_a_head_that_reaches_the_end_is_a_whole_look(books: Books) -> None:
    books.library.likes = list(range(101, 104))
    books.refresh()
    walk = books.walk()
    assert (walk.looked, walk.status) == ("whole", "done")
    assert books.removed() == set(range(1, 21))
    assert books.listed() == [101, 102, 103]


def test_a_capped_list_stays_full(store: Store) -> None:
    books = Books(store, Library(list(range(1, 21))), cap=10)
    books.refresh()
    books.change(newest_first="cursor")
    books.library.likes = [101, 102, *range(1, 21)]
    assert books.refresh() == 2
    walk = books.walk()
    assert (walk.status, walk.looked, walk.capped_at, walk.kept) == ("capped", "head", 10, 10)
    assert books.listed() == [101, 102, *range(1, 9)]
    # One has left: below the cap, another one follows, which only the list knows.
    books.library.likes.remove(101)
    assert books.refresh() == 3
    walk = books.walk()
    assert (walk.status, walk.looked, walk.reason) == ("capped", "whole", "cap of 10")
    assert books.listed() == [102, *range(1, 10)]


def test_a_raised_cap_is_looked_for_whole(store: Store) -> None:
    books = Books(store, Library(list(range(1, 21))), cap=10)
    books.refresh()
    books.change(newest_first="cursor")
    books.refresh()
    assert books.walk().looked == "head"
    books.cap = 15
    books.request()
    books.fetch()
    assert books.listed() == list(range(1, 16))
    assert books.walk().looked == "whole"
    books.cap = 18
    books.begin()
    books.request()
    books.fetch()
    assert books.listed() == list(range(1, 19))


def test_a_list_that_outgrows_its_cap_is_capped(store: Store) -> None:
    books = Books(store, Library(list(range(1, 21))), cap=20)
    books.refresh()
    books.change(newest_first="cursor")
    books.library.likes = [101, *range(1, 21)]
    books.refresh()
    assert (books.walk().status, books.walk().capped_at) == ("capped", 20)
    assert books.listed() == [101, *range(1, 20)]


def test_an_interrupted_head_goes_on(books: Books) -> None:
    books.library.likes = [*range(101, 110), *range(1, 21)]
    books.begin()
    books.request()
    assert books.fetch(pages=2) == 2
    assert books.walk().status == "planned"
    assert books.fetch() == 2
    assert books.walk().looked == "head"
    assert books.listed() == books.library.likes


def test_an_abandoned_head_begins_again_as_a_whole_look(books: Books) -> None:
    books.library.likes = [*range(101, 110), *range(1, 21)]
    books.begin()
    books.request()
    books.fetch(pages=1)
    books.refresh()
    assert books.walk().looked == "whole"
    assert books.listed() == books.library.likes
    assert books.removed() == set()


def test_an_order_is_observed_by_news_at_the_head(store: Store) -> None:
    books = Books(store, Library(list(range(1, 21))))
    books.refresh()
    assert books.refresh() == 5
    assert books.walk().newest_first is None
    books.library.likes = [101, *range(1, 21)]
    assert books.refresh() == 6
    assert books.walk().newest_first == "observed"
    assert books.refresh() == 1
    assert books.walk().newest_first == "observed"


def test_an_oldest_first_list_has_no_head(store: Store) -> None:
    books = Books(store, Library(list(range(1, 21))))
    books.refresh()
    books.library.likes = [*range(1, 21), 101]
    for _ in range(2):
        assert books.refresh() == 6
        assert books.walk().newest_first is None


def test_only_the_delta_knows_heads(books: Books) -> None:
    books.by_delta = False
    assert books.refresh() == 5
    assert books.walk().looked == "whole"


def test_an_unchanged_counter_makes_a_small_list_wait(books: Books) -> None:
    books.count(20)
    assert books.refresh() == 1
    assert books.walk().counted == 20
    # All likes of the database are in this list.
    books.begin()
    books.count(20)
    assert books.delta is not None
    assert books.delta.small == {"user_likes": 2}
    books.request()
    assert books.fetch() == 1
    for likes, pages in ((20, 0), (21, 1), (0, 1)):
        books.begin()
        books.delta = replace(books.delta, small={"user_likes": 20})
        books.count(likes)
        books.request()
        assert books.fetch() == pages, likes
        assert books.walk().looked == ("head" if pages else "counter")


def test_an_old_counter_tells_nothing(books: Books) -> None:
    books.count(20)
    books.refresh()
    books.begin()
    assert books.delta is not None
    books.delta = replace(books.delta, small={"user_likes": 20})
    books.request()
    assert books.fetch() == 1


def test_each_list_has_its_turn_within_the_period() -> None:
    now = datetime(2026, 11, 27, tzinfo=UTC)
    turns = delta.last_turns(28, now)
    assert len(turns) == delta.TURNS
    assert min(turns.values()) > timestamp(now - timedelta(days=28))
    assert max(turns.values()) <= timestamp(now)
    # After a harvest of all lists at once, a week has the turns of a quarter of them.
    week_ago = timestamp(now - timedelta(days=7))
    assert sum(turn > week_ago for turn in turns.values()) == delta.TURNS // 4
    assert set(delta.last_turns(0, now).values()) == {timestamp(now)}


def test_a_list_in_its_turn_is_looked_at_whole(books: Books) -> None:
    books.count(20)
    books.change(whole_at=LONG_AGO, counted=20)
    assert books.refresh() == 5
    assert books.walk().whole_at > LONG_AGO


@pytest.mark.parametrize(
    ("change", "suffices"),
    [
        ({}, True),
        ({"status": "capped", "capped_at": 1000}, True),
        ({"status": "capped", "capped_at": 500}, False),
        ({"status": "capped", "capped_at": None}, False),
        ({"status": "failed"}, False),
        ({"newest_first": None}, False),
        ({"kept": 0}, False),
        ({"whole_at": None}, False),
        ({"outdated": True}, False),
        ({"endpoint": "track_comments"}, False),
        # Its page renews the counters of the users whose libraries the layer wants.
        ({"endpoint": "track_favoriters"}, False),
    ],
    ids=str,
)
def test_when_a_look_at_the_head_suffices(books: Books, change: dict[str, Any], *, suffices: bool) -> None:
    books.begin()
    assert books.delta is not None
    with books.store.write() as connection:
        of_a_fan = WalkRequest("user_likes", "8", "libraries", 1000)
        books.ledger(connection).request(SEED, "test", "settings", [of_a_fan])
        library = walks.c.target == str(OWNER)
        connection.execute(sa.update(walks).where(library).values({"status": "done", **change}))
        found = connection.scalars(sa.select(walks.c.target).where(books.delta.needs_only_head())).all()
    assert found == ([str(OWNER)] if suffices else [])
