"""Pages are spilled exactly once, and a walk ends where it should."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pytest
import sqlalchemy as sa

from sgr_spiders.model.items import Comment, Entry, Fullness, Page, Reject, User, Walk, WalkRequest
from sgr_spiders.storage.ledger import frontier, runs
from sgr_spiders.storage.ledger.ledger import Ledger
from sgr_spiders.storage.ledger.spill import Spilled, spill_page
from sgr_spiders.storage.schema import rejects, walk_records, walks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sgr_spiders.storage.store import Store

SEED = 99


@pytest.fixture
def run(store: Store) -> runs.Run:
    with store.write() as connection:
        run = runs.begin_run(
            connection, spider="test", layers=["test"], scope="test", fresh_after="", refresh=False
        )
        Ledger(connection, run).widen_scope(SEED, {"test": "settings"})
    return run


def ask(
    store: Store, run: runs.Run, cap: int = 1000, layer: str = "test", expected: int | None = None
) -> Walk:
    request = WalkRequest("track_favoriters", "7", "likers", cap, expected)
    with store.write() as connection:
        Ledger(connection, run).request(SEED, layer, "settings", [request])
        (walk,) = Ledger(connection, run).lease(10)
    return walk


def users(*ids: int) -> list[Entry]:
    return [Entry(User(user_id, username=str(user_id), fullness=Fullness.OWN)) for user_id in ids]


def spill(store: Store, run: runs.Run, page: Page) -> Spilled | None:
    page.received = page.received or len(page.entries)
    with store.write() as connection:
        return spill_page(connection, page, run)


class State(NamedTuple):
    status: str
    reason: str | None
    cursor: str
    kept: int
    received: int


def state(store: Store) -> State:
    columns = (walks.c[name] for name in State._fields)
    with store.write() as connection:
        return State(*connection.execute(sa.select(*columns)).one())


def places(store: Store) -> dict[int, int]:
    with store.write() as connection:
        rows = connection.execute(sa.select(walk_records.c.record_id, walk_records.c.position))
        return {row[0]: row[1] for row in rows}


def test_a_page_advances_its_walk(store: Store, run: runs.Run) -> None:
    walk = ask(store, run)
    spilled = spill(store, run, Page(walk, users(1, 2), next_cursor="/next"))
    assert spilled is not None
    assert spilled.walk == Walk(walk.walk_id, walk.endpoint, walk.target, "/next", 1, 2)
    assert state(store) == ("running", None, "/next", 2, 2)
    assert spill(store, run, Page(spilled.walk, users(3))) is not None
    assert state(store) == ("done", None, "/next", 3, 3)
    assert places(store) == {1: 0, 2: 1, 3: 2}


def test_a_page_fetched_twice_is_spilled_once(store: Store, run: runs.Run) -> None:
    walk = ask(store, run)
    assert spill(store, run, Page(walk, users(1, 2), next_cursor="/next")) is not None
    before = state(store)
    assert spill(store, run, Page(walk, users(8, 9), next_cursor="/other")) is None
    assert state(store) == before
    assert places(store) == {1: 0, 2: 1}


def test_a_page_of_a_walk_that_was_given_back_is_dropped(store: Store, run: runs.Run) -> None:
    walk = ask(store, run)
    with store.write() as connection:
        assert frontier.give_back(connection, sa.true()) == 1
    assert spill(store, run, Page(walk, users(1))) is None
    assert state(store).status == "planned"


def test_repeated_records_keep_their_position(store: Store, run: runs.Run) -> None:
    spilled = spill(store, run, Page(ask(store, run), users(1, 2, 1), next_cursor="/next"))
    assert spilled is not None
    assert spilled.walk is not None
    spill(store, run, Page(spilled.walk, users(2, 3, 1)))
    assert places(store) == {1: 0, 2: 1, 3: 2}
    assert (state(store).kept, state(store).received) == (3, 6)


@pytest.mark.parametrize(
    ("ids", "next_cursor", "status", "cursor"),
    [
        ((1, 2, 3, 4), "/next", "capped", ""),  # capped within the page, whose rest is still to fetch
        ((1, 2, 3), "/next", "capped", "/next"),
        ((1, 2, 3), None, "done", ""),
        ((1, 2, 2, 1, 3), None, "done", ""),
        ((1, 2), "/next", "running", "/next"),
    ],
)
def test_a_cap_of_three(
    store: Store, run: runs.Run, ids: tuple[int, ...], next_cursor: str | None, status: str, cursor: str
) -> None:
    spill(store, run, Page(ask(store, run, cap=3), users(*ids), next_cursor=next_cursor))
    assert state(store)[:3] == (status, "cap of 3" if status == "capped" else None, cursor)
    assert set(places(store)) == set(ids[:3]) | ({3} if 3 in ids else set())


def test_the_largest_cap_counts_and_a_raised_one_reopens(store: Store, run: runs.Run) -> None:
    walk = ask(store, run, cap=2)
    spill(store, run, Page(walk, users(1, 2, 3, 4), next_cursor="/next"))
    walk = ask(store, run, cap=3)
    assert walk.cursor == ""
    spill(store, run, Page(walk, users(1, 2, 3, 4), next_cursor="/next"))
    assert places(store) == {1: 0, 2: 1, 3: 2}
    with store.write() as connection:
        Ledger(connection, run).widen_scope(SEED, {"other": "settings"})
    walk = ask(store, run, cap=9, layer="other")
    with store.write() as connection:
        Ledger(connection, run).request(
            SEED, "test", "settings", [WalkRequest("track_favoriters", "7", "likers", 1)]
        )
    spill(store, run, Page(walk, users(*range(1, 12)), next_cursor="/next"))
    assert len(places(store)) == 9


def test_empty_pages_are_not_the_end_until_there_are_too_many(store: Store, run: runs.Run) -> None:
    walk: Walk | None = ask(store, run)
    for number in range(10):
        assert walk is not None
        assert state(store).status == "running"
        spilled = spill(store, run, Page(walk, next_cursor=f"/{number}"))
        assert spilled is not None
        walk = spilled.walk
    assert state(store)[:2] == ("capped", "10 empty pages in a row")


def test_a_short_page_resets_the_count(store: Store, run: runs.Run) -> None:
    walk: Walk | None = ask(store, run)
    for number in range(20):
        assert walk is not None
        entries = users(number + 1) if number % 10 == 1 else []
        spilled = spill(store, run, Page(walk, entries, next_cursor=f"/{number}"))
        assert spilled is not None
        walk = spilled.walk
    assert state(store).status == "running"


def test_a_repeated_cursor_fails_the_walk_and_keeps_the_page(store: Store, run: runs.Run) -> None:
    walk = ask(store, run)
    for number, cursor in enumerate(("/a", "/b", "/a")):
        spilled = spill(store, run, Page(walk, users(number + 1), next_cursor=cursor))
        assert spilled is not None
        walk = spilled.walk or walk
    assert state(store)[:3] == ("failed", "next_href repeats an earlier page", "/b")
    assert len(places(store)) == 3


def test_rejects_are_kept_with_their_reason(store: Store, run: runs.Run) -> None:
    page = Page(ask(store, run), users(1), [Reject("user", None, None, "no id", b"raw")], received=2)
    spill(store, run, page)
    with store.write() as connection:
        row = connection.execute(sa.select(rejects.c.kind, rejects.c.reason, rejects.c.raw)).one()
    assert row == ("user", "no id", b"raw")


# Progress


def follow(store: Store, run: runs.Run, walk: Walk, pages: Iterator[list[Entry]]) -> int:
    """Spill pages, each with another cursor, until the walk ends; return their number."""
    for number, entries in enumerate(pages, 1):
        spilled = spill(store, run, Page(walk, entries, next_cursor=f"/{number}", received=len(entries)))
        assert spilled is not None
        if spilled.walk is None:
            return number
        walk = spilled.walk
    raise AssertionError("the walk did not end")


def comments(*ids: int, user_id: int | None = 1) -> list[Entry]:
    return [Entry(Comment(comment_id, 7, user_id), [User(1)] if user_id else []) for comment_id in ids]


ENDLESS: dict[str, tuple[Callable[[int], list[Entry]], int]] = {
    "one page": (lambda _: users(*range(1, 51)), 11),
    "two pages in turn": (lambda page: users(*range(1, 51)) if page % 2 else users(*range(51, 101)), 12),
    "a cycle of seven pages": (lambda page: users(*range(page % 7 * 10 + 1, page % 7 * 10 + 11)), 17),
    "full and empty pages": (lambda page: users(1, 2) if page % 2 else [], 12),
    "comments": (lambda _: comments(1, 2, 3), 11),
    "comments with only the IDs of authors": (lambda _: [Entry(Comment(n, 7, n)) for n in (31, 32)], 11),
    "comments without authors": (lambda _: comments(1, 2, 3, user_id=None), 11),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_list_that_repeats_its_pages_ends(store: Store, run: runs.Run, name: str) -> None:
    page, expected = ENDLESS[name]
    walk = ask(store, run)
    assert follow(store, run, walk, map(page, range(1000))) == expected
    assert state(store)[:2] == ("failed", "the list repeats: 10 consecutive pages without a new record")
    # The next run asks for one more page, not for ten.
    later = replace(run, started_at="9999")
    with store.write() as connection:
        Ledger(connection, later).reopen()
        (walk,) = Ledger(connection, later).lease(10)
    assert follow(store, later, walk, map(page, range(expected, 1000))) == 1


def test_a_list_with_a_new_record_among_repeated_ones_ends(store: Store, run: runs.Run) -> None:
    walk = ask(store, run)
    pages = follow(store, run, walk, (users(*range(1, 200), 1000 + page) for page in range(1000)))
    assert pages == 13
    reason = "the list repeats: 2,600 items received, 212 distinct"
    assert state(store)[:2] == ("failed", reason)


@pytest.mark.parametrize("has_id", [True, False])
def test_new_items_that_are_rejected_are_progress(store: Store, run: runs.Run, *, has_id: bool) -> None:
    walk = ask(store, run)
    for page in range(23):
        # From page 13 on, they are those of page 12.
        number = 1 + min(page, 12)
        raw = b"raw" if has_id else b"raw %d" % number
        rejects = [Reject("user", number if has_id else None, None, "it is bad", raw)]
        step = Page(walk, [], rejects, 1, next_cursor=f"/{page}")
        spilled = spill(store, run, step)
        assert spilled is not None
        assert (spilled.walk is None) == (page == 22)
        walk = spilled.walk or walk
    assert state(store)[:2] == ("failed", "the list repeats: 10 consecutive pages without a new record")


def test_a_list_that_invents_records_ends(
    store: Store, run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sgr_spiders.storage.ledger.progress.MAX_SURPLUS", 100)
    walk = ask(store, run, expected=5)
    pages = follow(store, run, walk, (users(*range(1 + 50 * page, 51 + 50 * page)) for page in range(9)))
    assert pages == 4
    assert state(store)[:2] == ("failed", "the list does not end: 200 records, 5 expected")


def look_again(store: Store, run: runs.Run, *, is_new: bool) -> tuple[Walk, runs.Run]:
    """Begin a later run, and lease the walk: from the start of its list, or as it stands."""
    with store.write() as connection:
        later = "9" if is_new else ""
        run = runs.begin_run(
            connection, spider="test", layers=["test"], scope="test", fresh_after=later, refresh=False
        )
        ledger = Ledger(connection, run)
        ledger.widen_scope(SEED, {"test": "settings"})
        ledger.reopen()
        (walk,) = ledger.lease(10)
    return walk, run


def removed(store: Store) -> set[int]:
    with store.write() as connection:
        query = sa.select(walk_records.c.record_id).where(walk_records.c.removed_at.is_not(None))
        return set(connection.scalars(query))


@pytest.mark.parametrize(
    ("now", "expected", "is_believed"),
    [(5, 30, False), (15, 30, True), (5, 29, True), (5, None, True)],
    ids=["cut", "shorter", "counted", "unknown"],
)
def test_a_list_that_ends_early_removes_nothing_at_first(
    store: Store, run: runs.Run, now: int, expected: int | None, *, is_believed: bool
) -> None:
    """The counter has not fallen: a gateway may have cut the list. The second time it is believed."""
    spill(store, run, Page(ask(store, run, expected=expected), users(*range(1, 31))))
    walk, run = look_again(store, run, is_new=True)
    spill(store, run, Page(walk, users(*range(1, now + 1))))
    left = set(range(now + 1, 31))
    if not is_believed:
        reason = "the list ends early: 5 records, 30 before, 30 by the counter"
        assert state(store)[:2] == ("failed", reason)
        assert removed(store) == set()
        walk, run = look_again(store, run, is_new=False)
        spill(store, run, Page(walk, users(*range(1, now + 1))))
    assert state(store).status == "done"
    assert removed(store) == left


@pytest.mark.parametrize("expected", [None, 0, 3000])
def test_a_long_list_is_followed_to_its_end(store: Store, run: runs.Run, expected: int | None) -> None:
    """It may be longer than the API says, repeat items at the borders of pages, and have private ones."""
    walk = ask(store, run, cap=10**6, expected=expected)
    for page in range(40):
        entries = users(*range(1 + 190 * page, 201 + 190 * page))
        rejects = [Reject("user", None, None, "private")] * 60
        step = Page(walk, entries, rejects, 260, next_cursor=None if page == 39 else f"/{page}")
        spilled = spill(store, run, step)
        assert spilled is not None
        assert spilled.status == ("done" if page == 39 else "running")
        walk = spilled.walk or walk


def test_one_author_may_write_many_comments(store: Store, run: runs.Run) -> None:
    walk = ask(store, run)
    for page in range(20):
        entries = comments(*range(1 + 200 * page, 201 + 200 * page))
        spilled = spill(store, run, Page(walk, entries, next_cursor=f"/{page}"))
        assert spilled is not None
        assert spilled.walk is not None
        walk = spilled.walk
    assert state(store).kept == 1
