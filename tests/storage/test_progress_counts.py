"""Walks count once for each layer that wants them, and once in the total."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from sgr_spiders.model.items import WalkRequest
from sgr_spiders.storage.figures.progress_counts import WalkCounter, WalkGroup
from sgr_spiders.storage.ledger import runs
from sgr_spiders.storage.ledger.ledger import Ledger
from sgr_spiders.storage.schema import walks

if TYPE_CHECKING:
    from sgr_spiders.storage.store import Store

STEPS = {"a": {"first"}, "b": {"second"}, "c": set[str]()}
COUNTER = WalkCounter(STEPS, {"user_likes": 200})
EVERYTHING = 10**9


@pytest.fixture
def run(store: Store) -> runs.Run:
    with store.write() as connection:
        run = runs.begin_run(
            connection, spider="test", layers=STEPS, scope="test", fresh_after="", refresh=False
        )
        for seed in (1, 2):
            Ledger(connection, run).widen_scope(seed, dict.fromkeys(STEPS, "settings"))
    return run


def ask(
    store: Store, run: runs.Run, layer: str, *wanted: WalkRequest, seed: int = 1, settings: str = "settings"
) -> None:
    with store.write() as connection:
        Ledger(connection, run).request(seed, layer, settings, wanted)


def likes(target: int, step: str = "last", expected: int | None = None, cap: int = EVERYTHING) -> WalkRequest:
    return WalkRequest("user_likes", str(target), step, cap, expected)


def count(store: Store, run: runs.Run) -> list[WalkGroup]:
    with store.write() as connection:
        return COUNTER.count(connection, run)


def change(store: Store, target: int, **values: str | int) -> None:
    with store.write() as connection:
        connection.execute(sa.update(walks).where(walks.c.target == str(target)).values(values))


def test_a_shared_walk_is_one_walk_of_each_layer(store: Store, run: runs.Run) -> None:
    ask(store, run, "a", likes(1, "first"), likes(2))
    ask(store, run, "b", likes(1, "first"), likes(3, "second"))
    # The same walk for another seed and a second step is still one walk.
    ask(store, run, "b", likes(1, "last"), likes(3, "last"), seed=2)
    found = {(group.layers, group.shown_to): group.walks for group in count(store, run)}
    assert found == {
        (frozenset("ab"), frozenset("a")): 1,
        (frozenset("a"), frozenset()): 1,
        (frozenset("b"), frozenset("b")): 1,
    }


def test_only_what_the_run_wants_counts(store: Store, run: runs.Run) -> None:
    ask(store, run, "a", likes(1))
    ask(store, run, "a", likes(2), settings="other settings")
    ask(store, run, "a", likes(3), seed=99)
    (group,) = count(store, run)
    assert (group.walks, group.layers) == (1, frozenset("a"))


def test_a_seed_lookup_belongs_to_no_layer(store: Store, run: runs.Run) -> None:
    with store.write() as connection:
        lookup = WalkRequest("resolve", "https://soundcloud.com/a/b", "seed", 1)
        Ledger(connection, run).add_seed("https://soundcloud.com/a/b", lookup, None)
        # One seed is given in two spellings; a layer also wants the walk of the other.
        Ledger(connection, run).add_seed("https://soundcloud.com/a/b/", lookup, None)
        Ledger(connection, run).add_seed("7", WalkRequest("track", "7", "seed", 1), 7)
    ask(store, run, "a", WalkRequest("track", "7", "seed", 1))
    found = sorted((group.endpoint, group.walks, group.layers) for group in count(store, run))
    assert found == [("resolve", 1, frozenset()), ("track", 1, frozenset("a"))]


@pytest.mark.parametrize(
    ("expected", "cap", "received", "pages"),
    [
        (0, EVERYTHING, 0, 1),
        (200, EVERYTHING, 0, 1),
        (201, EVERYTHING, 0, 2),
        (1000, 450, 0, 3),
        (1000, EVERYTHING, 800, 1),
        (1000, EVERYTHING, 1200, 1),
    ],
)
def test_pages_left_follow_from_the_expected_count(
    store: Store, run: runs.Run, *, expected: int, cap: int, received: int, pages: int
) -> None:
    ask(store, run, "a", likes(1, expected=expected, cap=cap), likes(2))
    change(store, 1, received=received, pages=received // 200)
    (group,) = count(store, run)
    assert (group.walks, group.foreseen, group.foreseen_pages) == (2, 1, pages)
    assert group.pending


def test_ended_walks_need_no_more_pages(store: Store, run: runs.Run) -> None:
    ask(store, run, "a", likes(1, expected=1000), likes(2, expected=1000))
    change(store, 1, status="capped", pages=3)
    change(store, 2, status="running", pages=2, received=400)
    assert sorted(count(store, run), key=lambda group: group.status) == [
        WalkGroup("user_likes", "capped", frozenset("a"), frozenset(), 1, 3),
        WalkGroup("user_likes", "running", frozenset("a"), frozenset(), 1, 2, 1, 3),
    ]
