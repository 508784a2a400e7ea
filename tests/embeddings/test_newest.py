"""The newest likes of each user are held out, as far as positions and times tell which these are."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from sgr_spiders.embeddings.evaluation.newest import LATEST, count_newer_and_older, hold_out_newest
from sgr_spiders.embeddings.evaluation.trials import TrialOptions, prepare_trials
from sgr_spiders.embeddings.pair_positions import UNLISTED, Positions, read_positions
from sgr_spiders.embeddings.split import take_part
from sgr_spiders.storage import schema
from sgr_spiders.storage.list_positions import read_list_positions
from tests.embeddings.test_cutoff import UNKNOWN, times_of
from tests.embeddings.test_split import NO_SEEDS, build_interactions, pairs_of
from tests.relationships.worlds import World

if TYPE_CHECKING:
    from sgr_spiders.embeddings.interactions import Interactions
    from sgr_spiders.storage.store import Connection, Store

SEED = 109
LIST = [108, 107, SEED, 106, 105, 104]
"""The list of user 1, newest first."""


@st.composite
def likes(draw: st.DrawFn) -> tuple[list[int], list[tuple[int | None, int | None]], list[int]]:
    """Draw the true years of likes, intervals that contain them, and positions of some in a list."""
    true = draw(st.lists(st.integers(1980, 2020), min_size=2, max_size=9, unique=True))
    ends: list[tuple[int | None, int | None]] = [
        (
            draw(st.one_of(st.none(), st.integers(year - 6, year))),
            draw(st.one_of(st.none(), st.integers(year, year + 6))),
        )
        for year in true
    ]
    listed = draw(st.sets(st.sampled_from(true)))
    newest_first = sorted(listed, reverse=True)
    return true, ends, [newest_first.index(year) if year in listed else UNLISTED for year in true]


def positions_of(whole: Interactions, given: list[int]) -> Positions:
    keys = np.flatnonzero(whole.matrix.toarray())
    known = np.array(given) != UNLISTED
    return Positions(len(whole.tracks), keys[known], np.array(given)[known])


@given(likes(), st.sampled_from([0.2, 0.5, 0.8]))
def test_nothing_newer_is_trained_on_and_nothing_older_is_tested(
    drawn: tuple[list[int], list[tuple[int | None, int | None]], list[int]], share: float
) -> None:
    true, ends, positions = drawn
    pairs = [(1, 100 + index) for index in range(len(true))]
    whole = build_interactions(set(pairs))
    times = times_of(dict(zip(pairs, ends, strict=True)))
    found = hold_out_newest(whole, NO_SEEDS, times, positions_of(whole, positions), share)
    held = int(len(true) * share + 0.5)
    newest = {pair for _, pair in sorted(zip(true, pairs, strict=True))[len(true) - held :]}
    if held < len(true):
        assert pairs_of(whole, found.test) <= newest
        assert not pairs_of(whole, found.train) & newest
    parts = [pairs_of(whole, part) for part in (found.train, found.test, found.neither)]
    assert sorted(set.union(*parts)) == sorted(pairs)
    assert sum(map(len, parts)) == len(pairs)
    assert found.undecided == len(parts[2])
    if UNLISTED not in positions:
        assert found.undecided == 0


def test_positions_decide_among_listed_and_times_among_others() -> None:
    # Likes in the years 0 to 9; a user's list contains those at 8 (twice), 6 and 1.
    starts, ends = np.array([7, 7, 6, 1, 2, 9, 0]), np.array([9, 9, 7, 2, 3, 10, LATEST])
    positions = np.array([0, 1, 2, 3, UNLISTED, UNLISTED, UNLISTED])
    newer, older = count_newer_and_older(starts, ends, positions)
    assert newer.tolist() == [1, 2, 3, 5, 4, 0, 0]
    assert older.tolist() == [4, 3, 2, 0, 1, 5, 0]


def test_the_place_in_a_list_narrows_intervals() -> None:
    """The second like of the list has no end, but the first one, which is newer, ended in year 3."""
    starts, ends = np.array([0, 0, 5]), np.array([3, LATEST, 6])
    newer, older = count_newer_and_older(starts, ends, np.array([0, 1, UNLISTED]))
    assert (newer.tolist(), older.tolist()) == ([1, 2, 0], [1, 0, 2])


def test_a_list_that_contradicts_the_times_does_not_count() -> None:
    starts, ends = np.array([1, 5, 8]), np.array([2, 6, 9])
    newer, older = count_newer_and_older(starts, ends, np.array([0, 1, UNLISTED]))
    assert (newer.tolist(), older.tolist()) == ([2, 1, 0], [0, 1, 2])


def test_likes_of_one_moment_have_no_order() -> None:
    whole = build_interactions({(1, 101), (1, 102), (1, 103)})
    times = times_of({(1, 101): (2000, 2000), (1, 102): (2000, 2000), (1, 103): (1999, 1999)})
    found = hold_out_newest(whole, NO_SEEDS, times, positions_of(whole, [UNLISTED] * 3), 0.34)
    assert pairs_of(whole, found.neither) == {(1, 101), (1, 102)}
    assert pairs_of(whole, found.train) == {(1, 103)}


def test_a_seed_is_trained_on_and_does_not_count_for_the_share() -> None:
    pairs = {(1, track) for track in (*range(101, 106), SEED)}
    whole = build_interactions(pairs)
    unknown = times_of(dict.fromkeys(pairs, (UNKNOWN, UNKNOWN)))
    # Track 109 is the newest, then 105, 104, ….
    found = hold_out_newest(whole, np.array([SEED]), unknown, positions_of(whole, [5, 4, 3, 2, 1, 0]), 0.4)
    assert pairs_of(whole, found.test) == {(1, 105), (1, 104)}
    assert (1, SEED) in pairs_of(whole, found.train)


def test_users_without_training_pairs_are_not_tested() -> None:
    """Which of the first two likes of user 1 is older is not known."""
    pairs = {(1, track) for track in (101, 102, 103)} | {(2, track) for track in (101, 102, 103)}
    whole = build_interactions(pairs)
    times = times_of(
        {
            (1, 101): (2000, 2005),
            (1, 102): (2000, 2005),
            (1, 103): (2010, 2010),
            (2, 101): (2000, 2000),
            (2, 102): (2001, 2001),
            (2, 103): (2010, 2010),
        }
    )
    found = hold_out_newest(whole, NO_SEEDS, times, positions_of(whole, [UNLISTED] * 6), 0.6)
    assert pairs_of(whole, found.train) == {(2, 101)}
    assert pairs_of(whole, found.test) == {(2, 102), (2, 103)}
    assert pairs_of(whole, found.neither) == {(1, 101), (1, 102), (1, 103)}
    assert found.undecided == 2


def test_nobody_loses_the_only_pair() -> None:
    whole = build_interactions({(1, 101)})
    unknown = times_of({(1, 101): (UNKNOWN, UNKNOWN)})
    found = hold_out_newest(whole, NO_SEEDS, unknown, positions_of(whole, [UNLISTED]), 0.9)
    assert (found.train.nnz, found.undecided) == (1, 0)


def add_walk(connection: Connection, walk: int, user: int, *, endpoint: str = "user_likes") -> None:
    connection.execute(
        schema.walks.insert().values(
            walk_id=walk, endpoint=endpoint, target=str(user), status="done", cursor="", generation=1,
            pages=1, empty_pages=0, received=0, kept=0, created_at="2026",
        )
    )  # fmt: skip


def add_record(connection: Connection, walk: int, track: int, generation: int, position: int) -> None:
    connection.execute(
        schema.walk_records.insert().values(
            walk_id=walk, kind="track", record_id=track, generation=generation, position=position
        )
    )


def add_page(connection: Connection, walk: int, page: int, boundary: str | None) -> None:
    connection.execute(
        schema.walk_pages.insert().values(
            walk_id=walk, generation=0, page=page, cursor_hash=page, received=1, fetched_at="2026",
            boundary_at=boundary,
        )
    )  # fmt: skip


@pytest.fixture
def listed(store: Store) -> Store:
    """Fill a database: user 1 has a list with a second look at its head, user 2 one whose times rise."""
    pairs = {(1, track, "like") for track in LIST} | {(2, track, "like") for track in (104, 105, 106)}
    World(pairs).spill(store)
    with store.write() as connection:
        for walk, user in ((1, 1), (2, 2)):
            add_walk(connection, walk, user)
        for position, track in enumerate(LIST):
            looked_again = position < 2
            add_record(connection, 1, track, int(looked_again), position if looked_again else position - 2)
        for position, track in enumerate((104, 105, 106)):
            add_record(connection, 2, track, 0, position)
        add_page(connection, 1, 0, "2020-01-01T00:00:00.000000Z")
        add_page(connection, 1, 1, None)
        add_walk(connection, 3, 1, endpoint="user_reposts")
        add_record(connection, 3, 104, 0, 0)
    return store


def places(connection: Connection, kind: str = "like") -> dict[tuple[int, int], int]:
    read = read_list_positions(connection, kind)
    keys = zip(read.users.tolist(), read.tracks.tolist(), strict=True)
    return dict(zip(keys, read.positions.tolist(), strict=True))


def test_positions_of_a_database(listed: Store) -> None:
    with listed.write() as connection:
        first = {(1, track): position for position, track in enumerate(LIST)}
        second = {(2, track): position for position, track in enumerate((104, 105, 106))}
        assert places(connection) == first | second
        assert places(connection, "repost") == {(1, 104): 0}
        gone = schema.walk_records.c.record_id == 107
        connection.execute(sa.update(schema.walk_records).where(gone).values(removed_at="2026"))
        left = [track for track in LIST if track != 107]
        assert places(connection) == second | {(1, track): place for place, track in enumerate(left)}


def test_a_list_of_pages_without_times_has_no_order_if_others_have_times(listed: Store) -> None:
    with listed.write() as connection:
        add_page(connection, 2, 0, None)
        add_page(connection, 2, 1, None)
        assert {user for user, _ in places(connection)} == {1}
        # Without any times, the documented order counts.
        connection.execute(sa.update(schema.walk_pages).values(boundary_at=None))
        assert {user for user, _ in places(connection)} == {1, 2}


def test_a_trial_of_a_database(listed: Store) -> None:
    options = TrialOptions(how="newest", share=0.4)
    with listed.read() as connection:
        (trial,) = prepare_trials(connection, options).trials
        several = dataclasses.replace(options, sources=("like", "repost"))
        (by_time,) = prepare_trials(connection, several).trials
        whole = build_interactions({(1, track) for track in LIST} | {(2, 104), (2, 105), (2, 106)})
        positions = read_positions(connection, whole, ["like"])
    assert pairs_of(whole, trial.test) == {(1, 108), (1, 107), (2, 104)}
    assert trial.divide is not None
    inner = trial.divide()
    assert pairs_of(whole, inner.test) == {(1, SEED), (1, 106), (2, 105)}
    assert not inner.train.multiply(trial.test).nnz
    # The lists of likes and reposts have no common order, and no times are known.
    assert (by_time.test.nnz, by_time.undecided) == (0, 9)
    newest = positions.of(whole.matrix) == 0
    assert pairs_of(whole, take_part(whole.matrix, newest)) == {(1, 108), (2, 104)}
    with listed.read() as connection:
        some = read_positions(connection, build_interactions({(1, 105), (2, 105), (2, 106)}), ["like"])
    assert some.keys.tolist() == [0, 1, 2, 3], "what is in a list but not in the matrix has no place in it"
