"""The figures of summaries and of ``scrapy status``, on a small ledger written by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sgr_spiders.model.items import Comment, Engagement, Fullness, Playlist, Track, User
from sgr_spiders.storage import records, schema
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.figures import inventory, overview
from sgr_spiders.storage.figures.overview import CappedWalks, Choices, LostWalks, Walks, Work
from sgr_spiders.storage.ledger.runs import Run

if TYPE_CHECKING:
    from sgr_spiders.model.items import Record
    from sgr_spiders.storage.store import Store

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST, SECOND = Run(1, timestamp(START - timedelta(days=1)), ""), Run(2, timestamp(START), "")


def insert(store: Store, table: sa.Table, *rows: dict[str, Any]) -> None:
    with store.write() as connection:
        connection.execute(sa.insert(table), list(rows))


def walk(number: int, status: str, **more: Any) -> dict[str, Any]:
    blank = dict.fromkeys(("generation", "pages", "empty_pages", "received", "kept"), 0)
    row = {"walk_id": number, "endpoint": "user_likes", "target": f"t{number}", "status": status}
    optional = ("reason", "capped_at", "expected", "finished_at")
    return row | blank | {"cursor": "", "created_at": "2026"} | dict.fromkeys(optional) | more


def ask(number: int, layer: str = "a", seed: int = 7, step: str = "x", cap: int = 100) -> dict[str, Any]:
    row = {"walk_id": number, "seed_id": seed, "layer": layer, "step": step, "cap": cap, "widest": cap}
    return row | {"selective": False, "expanded": 0, "settings": "s"}


@pytest.fixture
def ledger(store: Store) -> Store:
    """Two runs of the same layers: the first around seed 6, the second around seed 7."""
    insert(
        store,
        schema.runs,
        *(
            {
                "run_id": run.run_id, "spider": "s", "layers": "a,b", "scope": f"of {run.run_id}",
                "refresh": False, "fresh_after": "", "started_at": run.started_at,
            }
            for run in (FIRST, SECOND)
        ),
    )  # fmt: skip
    insert(
        store,
        schema.walks,
        walk(1, "done", received=90, expected=100, kept=90),
        walk(2, "done", received=50),
        walk(3, "failed", received=5, expected=10, reason="timeout"),
        walk(4, "failed", reason="timeout"),
        walk(5, "gone", endpoint="track", reason=None),
        walk(6, "planned", expected=40),
        walk(7, "running"),
        walk(8, "done", received=1000, expected=1000, kept=70),
        walk(9, "failed", endpoint="resolve", reason="no such page"),
    )
    insert(
        store,
        schema.walk_requests,
        *(ask(number) for number in range(1, 7)),
        *(ask(1, "b"), ask(1, "b", step="y"), ask(7, "b"), ask(8, "b", seed=6)),
    )
    scope = [(1, 6), (2, 7)]
    insert(
        store,
        schema.run_scope,
        *(
            {"run_id": run, "seed_id": seed, "layer": layer, "settings": "s"}
            for run, seed in scope
            for layer in "ab"
        ),
    )
    insert(store, schema.run_seeds, {"run_id": 2, "given": "https://x", "track_id": None, "walk_id": 9})
    return store


def test_a_run_counts_the_walks_it_wants_once_per_layer_and_once_in_total(ledger: Store) -> None:
    with ledger.read() as connection:
        by_layer, total = overview.count_walks(connection, SECOND)
        everywhere, whole = overview.count_walks(connection)
    assert by_layer == {
        "a": Walks({"done": 2, "gone": 1, "failed": 2, "planned": 1}, 145, 3, 150, 90, 2),
        "b": Walks({"done": 1, "running": 1}, 90, 1, 100, 90, 1),
    }
    assert total == Walks({"done": 2, "gone": 1, "failed": 3, "running": 1, "planned": 1}, 145, 3, 150, 90, 2)
    assert list(total.by_status) == ["done", "gone", "failed", "running", "planned"]
    assert (total.pending, total.count) == (2, 8)
    assert everywhere["b"].by_status == {"done": 2, "running": 1}
    # Of the last walk, the layer wants only 100 records.
    assert (whole.count, whole.received) == (9, 1145)
    assert (whole.compared_walks, whole.compared_expected, whole.compared_received) == (4, 250, 160)


def test_only_lists_looked_at_to_their_end_count_as_whole(store: Store) -> None:
    looks = [
        ("done", "whole"), ("done", None), ("capped", "whole"), ("gone", "whole"), ("failed", "whole"),
        ("done", "head"), ("capped", "head"), ("running", "head"), ("done", "counter"),
    ]  # fmt: skip
    insert(
        store,
        schema.walks,
        *(walk(number, status) | {"looked": looked} for number, (status, looked) in enumerate(looks)),
    )
    with store.read() as connection:
        _, total = overview.count_walks(connection)
    assert (total.looked_whole, total.at_head, total.by_counter) == (2, 2, 1)


def test_what_was_received_is_compared_with_what_the_api_promises(ledger: Store) -> None:
    comments = {"endpoint": "track_comments", "expected": 50}
    insert(
        ledger,
        schema.walks,
        walk(51, "capped", kept=5, **comments),
        walk(52, "done", kept=2, **comments) | {"generation": 1},
        walk(53, "done", expected=10, kept=12),
    )
    insert(ledger, schema.walk_requests, ask(51, "x", cap=5), ask(52, "y"), ask(53, "z"))
    listed = [(1, 1), (2, 1), (3, 1), (4, 0)]
    places = [
        {"walk_id": 52, "kind": "comment", "record_id": number, "position": 0, "generation": generation}
        for number, generation in listed
    ]
    insert(ledger, schema.walk_records, *places)
    with ledger.read() as connection:
        by_layer, _ = overview.count_walks(connection)
    # A cap on authors says nothing of comments; otherwise the comments of the last generation count.
    assert by_layer["x"] == Walks({"capped": 1}, 0, 0, 0, 0)
    assert by_layer["y"] == Walks({"done": 1}, 0, 1, 50, 3, 1)
    assert by_layer["z"] == Walks({"done": 1}, 0, 1, 10, 10, 1)


def test_a_run_counts_the_pages_spilled_since_its_start(ledger: Store) -> None:
    def page(number: int, at: int, page: int = 0) -> dict[str, Any]:
        moment = timestamp(START + timedelta(seconds=at))
        row = {"walk_id": number, "generation": 0, "page": page, "cursor_hash": 1, "received": 1}
        return row | {"fetched_at": moment}

    pages = [page(1, -9), page(1, 0, 1), page(1, 30, 2), page(2, 90), page(7, 10), page(8, 300), page(9, 100)]
    insert(ledger, schema.walk_pages, *pages)
    with ledger.read() as connection:
        by_layer, total = overview.count_work(connection, SECOND)
        assert overview.count_work(connection, FIRST) == ({"b": Work(1, 0.0)}, Work(1, 0.0))
    assert by_layer == {"a": Work(3, 90.0), "b": Work(3, 30.0)}
    assert total == Work(5, 100.0)


def test_failed_and_gone_walks_are_grouped_failed_and_larger_ones_first(ledger: Store) -> None:
    insert(ledger, schema.walks, walk(41, "gone", endpoint="track"), walk(42, "gone", endpoint="track"))
    insert(ledger, schema.walk_requests, ask(41), ask(42))
    lost = [
        LostWalks("failed", "user_likes", "timeout", 2, "t3"),
        LostWalks("failed", "resolve", "no such page", 1, "t9"),
        LostWalks("gone", "track", "unknown", 3, "t41"),
    ]
    with ledger.read() as connection:
        assert overview.find_lost(connection, SECOND) == lost
        assert overview.find_lost(connection) == lost
        assert overview.find_lost(connection, FIRST) == []


def test_a_walk_is_capped_for_each_layer_that_wanted_no_more(ledger: Store) -> None:
    insert(
        ledger,
        schema.walks,
        walk(21, "capped", kept=5, capped_at=5, reason="cap of 5"),
        walk(22, "capped", kept=5, expected=30, capped_at=5, reason="cap of 5"),
        walk(23, "capped", kept=3, reason="10 empty pages in a row"),
        walk(24, "done", kept=9, expected=20),
        walk(25, "capped", kept=5, capped_at=5, reason="cap of 5"),
    )
    insert(
        ledger,
        schema.walk_requests,
        # Reached, reached; then a raised cap that no run has applied yet; then empty pages.
        *(ask(21, cap=5), ask(22, cap=5), ask(21, "b", cap=6), ask(23, cap=5)),
        # Another layer wanted more of it, so for this one it was cut.
        *(ask(24, "b", cap=8), ask(24, cap=9), ask(25, "b", seed=6, cap=5)),
    )
    of_second = [
        CappedWalks("a", "x", "user_likes", 5, None, 2, 10, None, "t21"),
        CappedWalks("a", "x", "user_likes", 5, "10 empty pages in a row", 1, 3, None, "t23"),
        CappedWalks("b", "x", "user_likes", 8, None, 1, 8, 20, "t24"),
    ]
    insert(ledger, schema.walk_requests, ask(21, seed=6, cap=5))
    with ledger.read() as connection:
        assert overview.find_capped(connection, SECOND).walks == of_second
        # A walk that two seeds want is one walk.
        assert overview.find_capped(connection).walks[0] == of_second[0]
        assert overview.find_capped(connection, FIRST).walks == [
            CappedWalks("a", "x", "user_likes", 5, None, 1, 5, None, "t21"),
            CappedWalks("b", "x", "user_likes", 5, None, 1, 5, None, "t25"),
        ]


def test_choices_are_grouped_by_setting_and_value(ledger: Store) -> None:
    def cut(seed: int, target: str, kept: int, available: int | None, settings: str = "s") -> dict[str, Any]:
        row = {"seed_id": seed, "layer": "a", "step": "", "setting": "max_x", "target": target}
        return row | {"kept": kept, "available": available, "settings": settings}

    insert(ledger, schema.cuts, cut(7, "", 4, 9), cut(6, "", 4, 6), cut(7, "q", 3, None), cut(7, "r", 3, 8))
    insert(ledger, schema.cuts, cut(7, "of earlier settings", 4, 99, "earlier"))
    unknown = Choices("a", "max_x", 3, 2, 1, 6, None, "q")
    with ledger.read() as connection:
        assert overview.find_capped(connection, SECOND).choices == [
            unknown, Choices("a", "max_x", 4, 1, 1, 4, 9, "7")
        ]  # fmt: skip
        whole = overview.find_capped(connection)
        assert whole.choices == [unknown, Choices("a", "max_x", 4, 2, 2, 8, 15, "6")]
        assert overview.find_capped(connection, seeds=[6]).choices == [
            Choices("a", "max_x", 4, 1, 1, 4, 6, "6")
        ]
    assert whole.layers == {"a"}


def test_totals_count_no_stubs(store: Store) -> None:
    found: list[Record] = [
        Track(1, title="one", artist_id=2, fullness=Fullness.OWN),
        Playlist(5, title="two", owner_id=3, fullness=Fullness.OWN),
        User(3, username="three", fullness=Fullness.OWN),
        Engagement(4, 1, "like"),
        Engagement(3, 1, "like"),
        Comment(8, 9, 3, "a"),
    ]
    with store.write() as connection:
        records.write_records(connection, found, set(), "now")
    with store.read() as connection:
        totals = overview.count_totals(connection)
        sizes = {
            size.name: (size.rows, size.stubs)
            for size in inventory.table_sizes(connection, inventory.File(None, None))
        }
    assert totals == {"tracks": 1, "users": 1, "playlists": 1, "engagements": 2, "comments": 1}
    assert (sizes["tracks"], sizes["users"], sizes["engagements"]) == ((2, 1), (3, 2), (2, None))


def test_removed_rows_are_counted_apart(store: Store) -> None:
    user = User(9, username="u", fullness=Fullness.OWN)
    tracks = [Track(1, title="a", artist_id=9, fullness=Fullness.OWN), Track(2), Track(3)]
    with store.write() as connection:
        likes = [Engagement(9, number, "like") for number in (1, 2, 3)]
        records.write_records(connection, [user, *tracks, *likes], set(), "2026")
        connection.exec_driver_sql("UPDATE tracks SET removed_at = '2027' WHERE track_id < 3")
        connection.exec_driver_sql("UPDATE engagements SET removed_at = '2027' WHERE track_id = 1")
        sizes = {size.name: size for size in inventory.table_sizes(connection, inventory.File(None, None))}
    found = {name: (sizes[name].rows, sizes[name].removed, sizes[name].stubs) for name in sizes}
    assert found["tracks"] == (1, 2, 1)
    assert found["engagements"] == (2, 1, None)
    assert found["walks"] == (0, None, None)


def test_the_latest_runs_and_harvests_come_first(ledger: Store) -> None:
    third = {
        "run_id": 3, "spider": "s", "layers": "a", "scope": "of 1", "refresh": False, "fresh_after": "",
        "started_at": "2026",
    }  # fmt: skip
    insert(ledger, schema.runs, third)
    with ledger.read() as connection:
        latest, count = inventory.latest_runs(connection, 2)
        harvests = inventory.latest_of_each_harvest(connection)
    assert ([(run.run_id, run.seeds) for run in latest], count) == ([(3, 0), (2, 1)], 3)
    # The third run continues the harvest of the first.
    assert [run.run_id for run in harvests] == [3, 2]


def test_a_known_seed_counts_each_walk_around_it_once(ledger: Store) -> None:
    insert(ledger, schema.walk_requests, ask(1, seed=6), ask(1, "b", seed=6), ask(2, "b", seed=6))
    seeds = [
        {"run_id": 1, "given": "6", "track_id": 6, "walk_id": 8},
        {"run_id": 2, "given": "soundcloud:tracks:6", "track_id": 6, "walk_id": 8},
        {"run_id": 1, "given": "7", "track_id": 7, "walk_id": 5},
    ]
    insert(ledger, schema.run_seeds, *seeds)
    with ledger.read() as connection:
        found, count = inventory.known_seeds(connection, 2)
        assert inventory.seeds_of(connection, 1, 1) == ["6"]
        assert inventory.seeds_of(connection, 2, 9) == ["https://x", "soundcloud:tracks:6"]
    # The walk of one seed given in two spellings is one seed, last looked up by the second run.
    assert ([seed.given for seed in found], count) == (["6", "https://x"], 3)
    assert found[0].walks == {"done": 3}
    assert found[1].walks == {}


def test_only_finished_walks_can_be_stale(ledger: Store) -> None:
    def ended(number: int, status: str, days: float) -> dict[str, Any]:
        return walk(number, status, finished_at=timestamp(datetime.now(UTC) - timedelta(days=days)))

    rows = [ended(31, "done", 3), ended(32, "capped", 9), ended(33, "gone", 8), ended(34, "failed", 20)]
    insert(ledger, schema.walks, *rows)
    with ledger.read() as connection:
        found = inventory.freshness(connection, 7)
    assert (found.oldest, found.newest, found.stale) == (rows[1]["finished_at"], rows[0]["finished_at"], 2)


def test_rejects_are_grouped_the_most_frequent_first(ledger: Store) -> None:
    def reject(item: int, field: str | None, reason: str) -> dict[str, Any]:
        row = {"walk_id": 1, "generation": 0, "page": 0, "item": item, "kind": "track"}
        return row | {"field": field, "reason": reason}

    rows = [reject(0, "bpm", "bad bpm"), reject(1, None, "private"), reject(2, "bpm", "bad bpm")]
    insert(ledger, schema.rejects, *rows)
    with ledger.read() as connection:
        assert inventory.rejected(connection) == [
            inventory.Rejected("track", "bpm", "bad bpm", 2),
            inventory.Rejected("track", None, "private", 1),
        ]
