"""The next due time of a seed, by the outcome of its turn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from sgr_spiders.config.arguments import read_seed
from sgr_spiders.config.schedule import SeedLine
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.ledger import runs, seeds
from sgr_spiders.storage.schema import tracks

if TYPE_CHECKING:
    from sgr_spiders.storage.ledger.runs import Run
    from sgr_spiders.storage.store import Connection, Store

DAY = 86_400
NOW = datetime.now(UTC)
SEED = read_seed("1")


def ago(days: float) -> str:
    return timestamp(NOW - timedelta(days=days))


def begin(connection: Connection) -> Run:
    return runs.begin_run(connection, spider="t", layers=[], scope="t", fresh_after="", refresh=False)


def take_turn(connection: Connection, outcome: str) -> str:
    """Run one turn of the seed in a new run; return the time after which its walks were up to date."""
    run = begin(connection)
    seed = seeds.next_in_turn(connection, run)
    assert seed is not None
    fresh_after = seeds.begin_turn(connection, run, seed, freshness_days=7)
    assert seeds.next_in_turn(connection, run) is None, "one turn per run"
    seeds.end_turn(connection, run, seed.given, 1, outcome)
    return fresh_after


@pytest.mark.parametrize("outcome", ["complete", "gone"])
def test_a_seed_that_is_done_is_due_in_the_round_after_this_one(store: Store, outcome: str) -> None:
    with store.write() as connection:
        seeds.add(connection, SeedLine(SEED, DAY), ago(2.5))
        # The first round also uses data from other harvests.
        assert take_turn(connection, outcome) == ago(9.5)
        assert seeds.find(connection, SEED).next_harvest_at == ago(-0.5)
        assert seeds.find(connection, SEED).last_outcome == outcome


@pytest.mark.parametrize("outcome", ["unfinished", "unreachable", "interrupted", "blocked", "failed"])
def test_an_interrupted_seed_stays_in_its_round(store: Store, outcome: str) -> None:
    with store.write() as connection:
        seeds.add(connection, SeedLine(SEED, DAY), ago(30.5))
        take_turn(connection, "partial")
        for _ in range(2):
            # However long ago it began: otherwise the data of yesterday would be refetched every day.
            assert take_turn(connection, outcome) == ago(0.5)
        assert seeds.find(connection, SEED).next_harvest_at == ago(0.5)
        assert seeds.count_unfinished(connection, begin(connection)) == 1


def test_failures_are_retried_until_the_next_round(store: Store) -> None:
    with store.write() as connection:
        seeds.add(connection, SeedLine(SEED, DAY), ago(0.5))
        take_turn(connection, "partial")
        assert take_turn(connection, "partial") == ago(0.5)
        connection.exec_driver_sql(f"UPDATE seeds SET next_harvest_at = '{ago(3.5)}'")  # noqa: S608 - ours
        assert take_turn(connection, "partial") == ago(0.5)
        assert seeds.find(connection, SEED).next_harvest_at == ago(0.5)


def test_a_new_interval_counts_from_the_last_due_time(store: Store) -> None:
    with store.write() as connection:
        seeds.add(connection, SeedLine(SEED, 7 * DAY), ago(2))
        assert seeds.add(connection, SeedLine(SEED, 3 * DAY), ago(0)) == "changed"
        assert seeds.find(connection, SEED).next_harvest_at == ago(2), "it was never harvested"
        take_turn(connection, "complete")
        assert seeds.find(connection, SEED).next_harvest_at == ago(-1)
        seeds.add(connection, SeedLine(SEED, 10 * DAY), ago(0))
        assert seeds.find(connection, SEED).next_harvest_at == ago(-8)


def test_a_seed_may_be_removed_during_its_turn(store: Store) -> None:
    with store.write() as connection:
        seeds.add(connection, SeedLine(SEED), ago(0))
        run = begin(connection)
        seed = seeds.find(connection, SEED)
        seeds.begin_turn(connection, run, seed, freshness_days=7)
        assert seeds.remove(connection, SEED)
        seeds.end_turn(connection, run, seed.given, 1, "complete")
        assert seeds.all_seeds(connection) == []
        assert seeds.named_by_now(connection, seed) == seed


def test_a_new_interval_does_not_move_a_round_with_failures(store: Store) -> None:
    with store.write() as connection:
        seeds.add(connection, SeedLine(SEED, 7 * DAY), ago(2))
        take_turn(connection, "partial")
        seeds.add(connection, SeedLine(SEED, 3 * DAY), ago(0))
        assert seeds.find(connection, SEED).next_harvest_at == ago(2)
        assert seeds.count_unfinished(connection, begin(connection)) == 1, "this run has not tried it"


def test_of_seeds_due_together_the_largest_priority_goes_first(store: Store) -> None:
    with store.write() as connection:
        for given, priority, due in (("3", 0, 1), ("2", 5, 1), ("1", 0, 1), ("4", 9, 0.5)):
            seeds.add(connection, SeedLine(read_seed(given), DAY, priority), ago(due))
        seeds.add(connection, SeedLine(read_seed("5"), DAY, 9), ago(-1))
        run, taken = begin(connection), []
        while (seed := seeds.next_in_turn(connection, run)) is not None:
            taken.append(seed.given)
            assert seeds.count_waiting(connection, run) == 5 - len(taken), "one is not due yet"
            seeds.begin_turn(connection, run, seed, freshness_days=7)
            seeds.end_turn(connection, run, seed.given, int(seed.given), "complete")
    assert taken == ["2", "1", "3", "4"]


def test_a_resolved_url_and_its_track_are_one_seed(store: Store) -> None:
    address = read_seed("https://soundcloud.com/a/b")
    with store.write() as connection:
        seeds.add(connection, SeedLine(address, DAY), ago(1))
        take_turn(connection, "complete")
        assert seeds.add(connection, SeedLine(SEED), ago(0)) == "unchanged"
        assert seeds.find(connection, SEED).given == address.text
        assert seeds.tracks_of_all(connection) == [1]
        assert seeds.remove(connection, SEED)
        assert seeds.all_seeds(connection) == []


def store_track(connection: Connection, page: str) -> None:
    values = {"track_id": 1, "permalink_url": page, "is_stub": False, "fullness": 3, "fetched_at": ago(0)}
    connection.execute(sa.insert(tracks).values(values))


def test_the_url_of_a_known_track_is_its_seed(store: Store) -> None:
    address = read_seed("https://m.soundcloud.com/A/b?utm_source=x")
    with store.write() as connection:
        store_track(connection, "https://soundcloud.com/a/b")
        assert seeds.add(connection, SeedLine(SEED, DAY), ago(1)) == "added"
        assert seeds.add(connection, SeedLine(address, DAY), ago(0)) == "unchanged"
        assert seeds.add(connection, SeedLine(address, 2 * DAY), ago(0)) == "changed"
        (seed,) = seeds.all_seeds(connection)
        assert (seed.given, seed.interval_seconds) == ("1", 2 * DAY)
        assert seeds.remove(connection, address)
        assert seeds.add(connection, SeedLine(address), ago(0)) == "added"
        assert seeds.tracks_of_all(connection) == [1]


def test_seeds_that_turn_out_to_be_one_track_become_one(store: Store) -> None:
    address = read_seed("https://soundcloud.com/a/b")
    other = read_seed("https://soundcloud.com/c/d")
    with store.write() as connection:
        seeds.add(connection, SeedLine(SEED, DAY, 1), ago(3))
        seeds.add(connection, SeedLine(address, 2 * DAY, 5), ago(4))
        seeds.add(connection, SeedLine(other, DAY), ago(0))
        run = begin(connection)
        seeds.begin_turn(connection, run, seeds.find(connection, address), freshness_days=7)
        seeds.end_turn(connection, run, str(address.url), 1, "complete")
        assert seeds.count_waiting(connection, run) == 1
        one = seeds.find(connection, SEED)
        assert (one.given, one.interval_seconds, one.priority, one.added_at) == (address.url, DAY, 5, ago(4))
        assert one.next_harvest_at > ago(0)
        assert len(seeds.all_seeds(connection)) == 2


def test_seeds_whose_track_was_seen_meanwhile_become_one(store: Store) -> None:
    address = read_seed("https://soundcloud.com/a/b")
    with store.write() as connection:
        seeds.add(connection, SeedLine(address, DAY), ago(1))
        seeds.add(connection, SeedLine(SEED, DAY), ago(0))
        store_track(connection, str(address.url))
        seeds.resolve_known(connection)
        (seed,) = seeds.all_seeds(connection)
        assert (seed.given, seed.track_id, seed.added_at) == (address.url, 1, ago(1))


def test_a_seed_added_again_during_its_turn_is_due(store: Store) -> None:
    with store.write() as connection:
        seeds.add(connection, SeedLine(SEED), ago(1))
        run = begin(connection)
        seeds.begin_turn(connection, run, seeds.find(connection, SEED), freshness_days=7)
        seeds.remove(connection, SEED)
        seeds.add(connection, SeedLine(SEED), ago(0))
        seeds.end_turn(connection, run, SEED.text, 1, "complete")
        again = seeds.find(connection, SEED)
    assert (again.next_harvest_at, again.last_outcome) == (ago(0), None)
