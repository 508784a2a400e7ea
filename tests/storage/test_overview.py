"""Percentages compare distinct records with what the API promises, and never exceed 100%."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sgr_spiders.model.items import Comment, Engagement, Entry, Fullness, Page, Track, User, Walk, WalkRequest
from sgr_spiders.storage.figures.overview import count_walks
from sgr_spiders.storage.ledger import runs
from sgr_spiders.storage.ledger.ledger import Ledger
from sgr_spiders.storage.ledger.spill import spill_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sgr_spiders.storage.store import Store

SEED = 900
LAYERS = {"user_depth": "settings", "other": "settings"}


@pytest.fixture
def run(store: Store) -> runs.Run:
    return begin(store)


def begin(store: Store) -> runs.Run:
    with store.write() as connection:
        run = runs.begin_run(connection, spider="t", layers=LAYERS, scope="t", fresh_after="", refresh=False)
        Ledger(connection, run).widen_scope(SEED, LAYERS)
    return run


def want(store: Store, run: runs.Run, *wanted: WalkRequest, layer: str = "user_depth") -> None:
    with store.write() as connection:
        Ledger(connection, run).request(SEED, layer, LAYERS[layer], wanted)


def likes(user: int, cap: int, expected: int | None) -> WalkRequest:
    return WalkRequest("user_likes", str(user), "library", cap, expected)


def fetch(store: Store, run: runs.Run, **pages: Sequence[Sequence[Entry]]) -> None:
    """Fetch all planned walks; *pages* are those of each target, prefixed with an underscore."""
    with store.write() as connection:
        for walk in Ledger(connection, run).lease(100):
            listed = pages[f"_{walk.target}"]
            at: Walk | None = walk
            while at is not None:
                number = int(at.cursor or 0)
                after = str(number + 1) if number + 1 < len(listed) else None
                page = Page(at, list(listed[number]), received=len(listed[number]), next_cursor=after)
                spilled = spill_page(connection, page, run)
                assert spilled is not None
                at = spilled.walk


def liked(*tracks: int) -> list[Entry]:
    return [Entry(Track(track, title="t", fullness=Fullness.OWN)) for track in tracks]


def said(author: int, *comments: int) -> list[Entry]:
    return [
        Entry(Comment(n, SEED, author, "yes"), [User(author), Engagement(author, SEED, "comment")])
        for n in comments
    ]


def compared(store: Store, run: runs.Run | None, layer: str = "user_depth") -> tuple[int, int, int]:
    """Return the walks compared, the records promised, and the records kept of these."""
    with store.read() as connection:
        by_layer, total = count_walks(connection, run)
    figures = [(w.compared_walks, w.compared_expected, w.compared_received) for w in (by_layer[layer], total)]
    if layer == "user_depth":
        assert figures[0] == figures[1]
    return figures[0]


def test_a_page_read_again_for_a_raised_cap_counts_once(store: Store, run: runs.Run) -> None:
    pages = [liked(1, 2, 3, 4), liked(5, 6, 7, 8)]
    want(store, run, likes(1, 6, 8))
    fetch(store, run, _1=pages)
    assert compared(store, run) == (1, 6, 6)
    want(store, run, likes(1, 7, 8))
    fetch(store, run, _1=pages)
    assert compared(store, run) == (1, 7, 7)
    want(store, run, likes(1, 50, 8))
    fetch(store, run, _1=pages)
    assert compared(store, run) == compared(store, None) == (1, 8, 8)


def test_duplicates_and_surplus_records_hide_no_gap(store: Store, run: runs.Run) -> None:
    want(store, run, likes(1, 50, 2), likes(2, 50, 4), likes(3, 50, None))
    fetch(store, run, _1=[liked(1, 2, 3, 4, 5)], _2=[liked(1, 1), liked(1, 1)], _3=[liked(1)])
    assert compared(store, run) == (2, 6, 3)


def test_walks_that_have_not_ended_well_count_as_well(store: Store, run: runs.Run) -> None:
    want(store, run, likes(1, 3, 9), likes(2, 50, 4))
    with store.write() as connection:
        walks = {walk.target: walk for walk in Ledger(connection, run).lease(10)}
        spill_page(connection, Page(walks["2"], status="gone", reason="HTTP 404"), run)
    assert compared(store, run) == (2, 7, 0)


def test_each_layer_compares_up_to_its_own_cap(store: Store, run: runs.Run) -> None:
    want(store, run, likes(1, 5, 5))
    want(store, run, likes(1, 2, 5), layer="other")
    fetch(store, run, _1=[liked(1, 2, 3), liked(4)])
    assert compared(store, run) == (1, 5, 4)
    assert compared(store, run, "other") == (1, 2, 2)


def test_comments_are_compared_with_comments_unless_a_cap_on_authors_cut_them(
    store: Store, run: runs.Run
) -> None:
    comments = [said(31, 1, 2, 3), said(32, 4)]
    want(store, run, WalkRequest("track_comments", str(SEED), "comments", 1, 5))
    fetch(store, run, _900=comments)
    assert compared(store, run) == (0, 0, 0)
    want(store, run, WalkRequest("track_comments", str(SEED), "comments", 9, 5))
    fetch(store, run, _900=comments)
    assert compared(store, run) == (1, 5, 4)
