"""The intervals of likes and reposts follow from boundaries, uploads and looks, and are combined soundly."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from sgr_spiders.model.items import (
    Boundaries,
    Engagement,
    Entry,
    Fullness,
    Page,
    Track,
    User,
    Walk,
    WalkRequest,
)
from sgr_spiders.storage.ledger import frontier, like_times, runs, spill
from sgr_spiders.storage.ledger.ledger import Ledger
from sgr_spiders.storage.schema import engagements, walk_pages, walks

if TYPE_CHECKING:
    from sgr_spiders.storage.store import Store

SEED = 99
USER = 7
UPLOAD = "2019-01-01T00:00:00Z"
Ends = tuple[str | None, str | None]


def day(number: int, month: int = 5) -> datetime:
    return datetime(2024, month, number, tzinfo=UTC)


def text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def uploaded(created_at: str = UPLOAD) -> str:
    return created_at[:-1] + ".000000Z"


def just_after(moment: datetime) -> str:
    return text(moment + timedelta(milliseconds=1))


@dataclass
class Clock:
    """The time of each page, an hour after the last."""

    now: datetime = field(default=datetime(2025, 1, 1, tzinfo=UTC))

    def timestamp(self, moment: datetime | None = None) -> str:
        return text(moment or self.now)


@dataclass
class Lists:
    """Looks at the lists of likes of one user, or of one track."""

    store: Store
    clock: Clock
    run: runs.Run

    def look(
        self,
        *pages: list[int],
        boundaries: list[datetime | None] | None = None,
        endpoint: str = "user_likes",
        target: int = USER,
        created_at: str | None = UPLOAD,
        answered: datetime | None = None,
        wanted: bool = True,
    ) -> str:
        """Spill the pages of a new look; *boundaries* are the times at the ends of all but the last."""
        at = [*(boundaries or [None] * (len(pages) - 1)), None]
        with self.store.write() as connection:
            ledger = Ledger(connection, self.run)
            if connection.scalar(sa.select(walks.c.walk_id).where(walks.c.target == str(target))):
                frontier.begin_anew(connection, walks.c.target == str(target))
            ledger.request(SEED, "test", "settings", [WalkRequest(endpoint, str(target), "likes", 1000)])
            walk: Walk | None = next(iter(ledger.lease(10)))
        for number, (ids, end) in enumerate(zip(pages, at, strict=True)):
            self.clock.now += timedelta(hours=1)
            before = at[number - 1] if number else None
            assert walk is not None
            page = Page(
                walk,
                [self._entry(endpoint, target, record, created_at) for record in ids],
                received=len(ids),
                next_cursor=None if number == len(pages) - 1 else f"/page{number + 1}",
                boundaries=Boundaries(before, end, answered) if wanted else None,
            )
            with self.store.write() as connection:
                spilled = spill.spill_page(connection, page, self.run)
            assert spilled is not None
            walk = spilled.walk
        return self.clock.timestamp()

    @staticmethod
    def _entry(endpoint: str, target: int, record: int, created_at: str | None) -> Entry:
        kind = "repost" if "repost" in endpoint else "like"
        if endpoint.startswith("user_"):
            track = Track(record, title="t", created_at=created_at, fullness=Fullness.OWN)
            return Entry(track, link=Engagement(target, record, kind))  # type: ignore[arg-type]
        return Entry(User(record, username="u", fullness=Fullness.OWN), link=Engagement(record, target, kind))  # type: ignore[arg-type]

    def interval(self, track: int, user: int = USER) -> Ends:
        with self.store.write() as connection:
            row = connection.execute(
                sa.select(engagements.c.not_before, engagements.c.not_after).where(
                    engagements.c.user_id == user, engagements.c.track_id == track
                )
            ).one()
        return row[0], row[1]

    def stored_boundaries(self) -> list[str | None]:
        with self.store.write() as connection:
            return list(connection.scalars(sa.select(walk_pages.c.boundary_at).order_by(walk_pages.c.page)))


@pytest.fixture
def lists(store: Store, monkeypatch: pytest.MonkeyPatch) -> Lists:
    clock = Clock()
    monkeypatch.setattr(spill, "timestamp", clock.timestamp)
    with store.write() as connection:
        run = runs.begin_run(
            connection, spider="test", layers=["test"], scope="test", fresh_after="", refresh=False
        )
        Ledger(connection, run).widen_scope(SEED, {"test": "settings"})
    return Lists(store, clock, run)


def test_the_first_look(lists: Lists) -> None:
    first = text(lists.clock.now + timedelta(hours=1))
    lists.look([1, 2], [3, 4], [5], boundaries=[day(20), day(10)])
    assert lists.stored_boundaries() == [text(day(20)), text(day(10)), None]
    assert lists.interval(1) == lists.interval(2) == (text(day(20)), first)
    assert lists.interval(3) == lists.interval(4) == (text(day(10)), just_after(day(20)))
    assert lists.interval(5) == (uploaded(), just_after(day(10)))


@pytest.mark.parametrize("endpoint", ["user_reposts", "track_reposters", "track_favoriters"])
def test_other_lists(lists: Lists, endpoint: str) -> None:
    if endpoint.startswith("track_"):
        lists.look([SEED], endpoint="user_likes", target=1)  # the upload of the track is known
    target = SEED if endpoint.startswith("track_") else USER
    lists.look([21, 22], [23], boundaries=[day(20)], endpoint=endpoint, target=target)
    key = (SEED, 23) if target == SEED else (23, USER)
    assert lists.interval(*key) == (uploaded(), just_after(day(20)))


def test_the_switch_stores_neither_boundaries_nor_intervals(lists: Lists) -> None:
    lists.look([1], [2], boundaries=[day(20)], wanted=False)
    assert lists.stored_boundaries() == [None, None]
    assert lists.interval(1) == lists.interval(2) == (None, None)


def test_a_repeated_item_has_the_interval_of_its_first_page(lists: Lists) -> None:
    first = text(lists.clock.now + timedelta(hours=1))
    lists.look([1, 2], [2, 3], boundaries=[day(20)])
    assert lists.interval(2) == (text(day(20)), first)


@pytest.mark.parametrize(
    "boundaries",
    [[day(10), day(20), day(5)], [day(20), day(25), day(5)], [day(20), day(10), day(15)]],
)
def test_rising_boundaries_are_not_trusted(lists: Lists, boundaries: list[datetime | None]) -> None:
    lists.look([1], [2], [3], [4], boundaries=boundaries)
    now = lists.clock.timestamp()
    assert lists.stored_boundaries() == [None] * 4
    for track in (1, 2, 3, 4):
        start, end = lists.interval(track)
        assert start in {None, uploaded()}
        assert end is not None
        assert text(lists.clock.now - timedelta(hours=3)) <= end <= now


def test_both_lists_narrow_the_same_interval(lists: Lists) -> None:
    lists.look([1], [SEED, 2], boundaries=[day(20)])
    lists.look([8], [USER], [9], boundaries=[day(28), day(10)], endpoint="track_favoriters", target=SEED)
    assert lists.interval(SEED) == (text(day(10)), just_after(day(20)))


def test_a_contradiction_contains_both(lists: Lists) -> None:
    lists.look([1], [SEED, 2], boundaries=[day(20)])
    lists.look([8], [USER], [9], boundaries=[day(28), day(25)], endpoint="track_favoriters", target=SEED)
    assert lists.interval(SEED) == (uploaded(), just_after(day(28)))


def test_a_like_given_again_that_boundaries_show(lists: Lists) -> None:
    lists.look([1], [2, 3], boundaries=[day(20)])
    # In front of all known ones, on a page without any of these.
    given = datetime(2025, 1, 1, 2, 30, tzinfo=UTC)
    lists.look([2], [1, 3], boundaries=[given])
    assert lists.interval(2) == (text(given), "2025-01-01T03:00:00.000000Z")


def test_a_like_given_again_that_the_order_shows(lists: Lists) -> None:
    first = lists.look([1, 2, 3])
    second = lists.look([3, 1, 2])
    assert lists.interval(3) == (uploaded(), second)
    assert lists.interval(2) == (uploaded(), first)


def test_whether_the_first_like_was_given_again_is_unknown(lists: Lists) -> None:
    first = lists.look([1, 2, 3])
    second = lists.look([1, 2, 3])
    assert lists.interval(1) == (uploaded(), second)
    assert lists.interval(2) == (uploaded(), first)


def test_a_removed_like_that_returns_is_another(lists: Lists) -> None:
    lists.look([1, 2, 3])
    lists.look([1, 3])
    third = lists.look([1, 2, 3])
    assert lists.interval(2) == (uploaded(), third)


def test_a_removed_like_that_another_list_shows_is_another(lists: Lists) -> None:
    lists.look([SEED, 2], [3], boundaries=[day(20)])
    lists.look([2], [3], boundaries=[day(20)])
    now = lists.look([USER], endpoint="track_favoriters", target=SEED)
    assert lists.interval(SEED) == (uploaded(), now)


def test_a_new_like_is_later_than_the_last_look(lists: Lists) -> None:
    lists.look([10, 11], target=5)
    first = lists.look([1, 2])
    second = lists.look([10, 12, 1, 2])
    looked = datetime.fromisoformat(first) - like_times.DELAY
    assert lists.interval(10) == (text(looked), second)
    # It may have been private at the last look.
    assert lists.interval(12) == (uploaded(), second)
    lists.look([13], target=6)
    third = lists.look([13, 10, 12, 1, 2])
    assert lists.interval(13) == (uploaded(), third)


def test_an_item_among_known_ones_is_not_new(lists: Lists) -> None:
    lists.look([10, 11], target=5)
    lists.look([1, 2])
    second = lists.look([1, 10, 2])
    assert lists.interval(10) == (uploaded(), second)


def test_a_fan_who_is_known_from_another_list_is_not_new(lists: Lists) -> None:
    lists.look([3, SEED], target=5)
    lists.look([21, 22], endpoint="track_favoriters", target=SEED)
    third = lists.look([5, 6, 21, 22], endpoint="track_favoriters", target=SEED)
    assert lists.interval(SEED, 5)[0] == uploaded()
    start, end = lists.interval(SEED, 6)
    assert start is not None
    assert start > uploaded()
    assert end == third


def test_odd_uploads(lists: Lists) -> None:
    lists.look([1], [2], boundaries=[day(20)], created_at="2024-05-25T00:00:00Z")
    first = text(lists.clock.now - timedelta(hours=1))
    assert lists.interval(1) == ("2024-05-25T00:00:00.000000Z", first)
    assert lists.interval(2) == (None, lists.clock.timestamp())
    lists.look([3], [4], boundaries=[day(20)], created_at="2031-01-01T00:00:00Z", target=8)
    assert lists.interval(4, 8) == (None, just_after(day(20)))
    lists.look([5], [6], boundaries=[day(20)], created_at=None, target=9)
    assert lists.interval(6, 9) == (None, just_after(day(20)))


def test_the_servers_clock_ends_the_interval_if_it_is_ahead(lists: Lists) -> None:
    ahead = lists.clock.now + timedelta(days=2)
    lists.look([1], answered=ahead)
    assert lists.interval(1) == (uploaded(), text(ahead + timedelta(seconds=1)))


def test_a_page_that_a_cap_cut_continues(lists: Lists) -> None:
    """The boundary before the page is in its cursor, so its rest has the same interval."""
    with lists.store.write() as connection:
        ledger = Ledger(connection, lists.run)
        ledger.request(SEED, "test", "settings", [WalkRequest("user_likes", str(USER), "likes", 1)])
        (walk,) = ledger.lease(10)
    entries = [Lists._entry("user_likes", USER, track, UPLOAD) for track in (1, 2)]
    page = Page(walk, entries, received=2, next_cursor="/page1", boundaries=Boundaries(None, day(20), None))
    with lists.store.write() as connection:
        spill.spill_page(connection, page, lists.run)
        ledger = Ledger(connection, lists.run)
        ledger.request(SEED, "test", "settings", [WalkRequest("user_likes", str(USER), "likes", 5)])
        (again,) = ledger.lease(10)
        spill.spill_page(connection, replace(page, walk=again), lists.run)
    assert lists.interval(1)[0] == lists.interval(2)[0] == text(day(20))
