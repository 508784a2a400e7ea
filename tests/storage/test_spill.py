"""Pages are spilled exactly once, and a walk ends where it should."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
import sqlalchemy as sa

from sgr_spiders.model.items import Entry, Fullness, Page, Reject, User, Walk, WalkRequest
from sgr_spiders.storage.ledger import frontier, runs
from sgr_spiders.storage.ledger.ledger import Ledger
from sgr_spiders.storage.ledger.spill import Spilled, spill_page
from sgr_spiders.storage.schema import rejects, walk_records, walks

if TYPE_CHECKING:
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


def ask(store: Store, run: runs.Run, cap: int = 1000, layer: str = "test") -> Walk:
    request = WalkRequest("track_favoriters", "7", "likers", cap)
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
        assert frontier.give_back(connection) == 1
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
    ask(store, run, cap=9, layer="other")
    with store.write() as connection:
        Ledger(connection, run).request(
            SEED, "test", "settings", [WalkRequest("track_favoriters", "7", "likers", 1)]
        )
        assert frontier.largest_cap(connection, walk.walk_id) == 9


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
