"""A cutoff trains on what was liked before it, and tests on what was liked after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import sqlalchemy as sa

from sgr_spiders.embeddings.evaluation.cutoff import choose_moment, hold_out_since
from sgr_spiders.embeddings.evaluation.trials import TrialOptions, prepare_trials
from sgr_spiders.embeddings.evaluation.tuning import tune
from sgr_spiders.embeddings.pair_times import PairTimes, read_pair_times
from sgr_spiders.model.exceptions import ArgumentError, EmbeddingError
from sgr_spiders.storage.schema import engagements
from tests.embeddings.test_split import NO_SEEDS, build_interactions, pairs_of
from tests.relationships.worlds import World

if TYPE_CHECKING:
    from sgr_spiders.storage.libraries import Rows
    from sgr_spiders.storage.store import Store

SEED = 109
UNKNOWN = None
# Years between which a pair was liked.
YEARS: dict[tuple[int, int], tuple[int | None, int | None]] = {
    (1, 101): (2010, 2012),
    (1, 102): (2014, 2016),
    (1, 103): (2017, 2018),
    (1, SEED): (2017, 2018),
    (2, 101): (UNKNOWN, 2013),
    (2, 104): (2015, 2015),
    (2, 105): (UNKNOWN, 2019),
    (2, 106): (UNKNOWN, UNKNOWN),
    (3, 101): (2018, 2019),
}


def to_time(year: int | None) -> np.datetime64:
    return np.datetime64("NaT" if year is None else f"{year}-01-01", "us")


def times_of(years: dict[tuple[int, int], tuple[int | None, int | None]]) -> PairTimes:
    """Return the times in the order of the matrix."""
    ends = [years[pair] for pair in sorted(years)]
    starts, stops = (np.array([to_time(end[side]) for end in ends]) for side in (0, 1))
    whole = build_interactions(set(years))
    return PairTimes(len(whole.tracks), np.flatnonzero(whole.matrix.toarray()), starts, stops)


def test_a_split_at_a_time() -> None:
    whole = build_interactions(set(YEARS))
    found = hold_out_since(whole, np.array([SEED]), times_of(YEARS), at=to_time(2015))
    assert pairs_of(whole, found.train) == {(1, 101), (2, 101), (2, 104)}
    # User 3 has no training pair, and the seed is never tested.
    assert pairs_of(whole, found.test) == {(1, 103)}
    undecided = {(1, 102), (2, 105), (2, 106)}
    assert pairs_of(whole, found.neither) == undecided | {(1, SEED), (3, 101)}
    assert (found.undecided, found.at) == (3, to_time(2015))


def test_the_share_chooses_the_time() -> None:
    starts = times_of(YEARS).not_before
    assert choose_moment(starts, 0.5) == to_time(2017)
    assert choose_moment(starts, 1.0) == to_time(2010)
    assert choose_moment(starts, 1e-9) == to_time(2018)
    assert np.isnat(choose_moment(times_of({(1, 101): (UNKNOWN, 2012)}).not_before, 0.2))


@pytest.fixture
def dated(store: Store) -> Store:
    """Fill a database with likes of these times, and with reposts before and after a like."""
    known = {(*pair, "like"): years for pair, years in YEARS.items()}
    known |= {(1, 103, "repost"): (2011, 2013), (3, 101, "repost"): (2020, 2021)}
    World(set(known)).spill(store)
    with store.write() as connection:
        for (user, track, kind), years in known.items():
            ends = [None if year is None else f"{year}-01-01T00:00:00.000000Z" for year in years]
            where = sa.and_(
                engagements.c.user_id == user, engagements.c.track_id == track, engagements.c.kind == kind
            )
            values = {"not_before": ends[0], "not_after": ends[1]}
            connection.execute(sa.update(engagements).where(where).values(values))
    return store


def test_times_of_a_database(dated: Store) -> None:
    whole = build_interactions(set(YEARS))
    pairs = [divmod(int(key), len(whole.tracks)) for key in np.flatnonzero(whole.matrix.toarray())]
    rows, columns = (np.array([pair[side] for pair in pairs]) for side in (0, 1))
    with dated.read() as connection:
        likes = read_pair_times(connection, whole, ["like", "comment"])
        both = read_pair_times(connection, whole, ["repost", "like"])
    for found, first in ((likes, (2017, 2018)), (both, (2011, 2013))):
        expected = YEARS | {(1, 103): first}
        starts, ends = found.at(rows, columns)
        for side, given in ((0, starts), (1, ends)):
            wanted = np.array([to_time(expected[pair][side]) for pair in sorted(expected)])
            assert np.array_equal(given, wanted, equal_nan=True)


@pytest.mark.parametrize("rows", ["present", "all"])
def test_a_like_outside_the_matrix_gives_its_time_to_no_other_pair(dated: Store, rows: Rows) -> None:
    """Its user and its track are in the matrix, because of other pairs."""
    pairs = sorted(set(YEARS) - {(2, 105)} | {(3, 105)})
    with dated.write() as connection:
        left = sa.and_(engagements.c.user_id == 2, engagements.c.track_id == 105)
        connection.execute(sa.update(engagements).where(left).values(removed_at="2026"))
        times = read_pair_times(connection, build_interactions(set(pairs)), ["like"], rows)
    wanted = [to_time(YEARS.get(pair, (UNKNOWN, UNKNOWN))[1]) for pair in pairs]
    assert np.array_equal(times.not_after, np.array(wanted), equal_nan=True)


def test_a_removed_repost_does_not_count(dated: Store) -> None:
    whole = build_interactions(set(YEARS))
    place = sorted(YEARS).index((1, 103))
    with dated.write() as connection:
        reposts = engagements.c.kind == "repost"
        connection.execute(sa.update(engagements).where(reposts).values(removed_at="2026"))
        present, everything = (
            read_pair_times(connection, whole, ["like", "repost"], rows) for rows in ("present", "all")
        )
    assert present.not_after[place] == to_time(2018)
    assert everything.not_after[place] == to_time(2013)


def test_a_trial_of_a_database(dated: Store) -> None:
    with dated.read() as connection:
        given = TrialOptions(how="cutoff", at="2015-01-01T00:00:00Z", k=5)
        (trial,) = prepare_trials(connection, given).trials
        assert (trial.train.nnz, trial.test.nnz, trial.undecided) == (3, 2, len(YEARS) - 6)
        assert trial.at == "2015-01-01T00:00:00Z"
        (by_share,) = prepare_trials(connection, TrialOptions(how="cutoff", share=0.5)).trials
        assert by_share.at == "2017-01-01T00:00:00Z"
        with pytest.raises(ArgumentError, match="times of a playlist are not known"):
            prepare_trials(connection, TrialOptions(["like", "playlist"], "cutoff"))


def test_validation_divides_the_training_pairs_at_an_earlier_moment(dated: Store) -> None:
    options = TrialOptions(how="cutoff", at="2019-06-01T00:00:00Z", share=0.5)
    with dated.read() as connection:
        (trial,) = prepare_trials(connection, options).trials
    assert trial.divide is not None
    inner = trial.divide()
    assert inner.at is not None
    assert inner.at < "2019"
    assert 0 < inner.test.nnz < trial.train.nnz
    assert not inner.test.multiply(trial.test).nnz
    assert inner.test.multiply(trial.train).nnz == inner.test.nnz


def test_nothing_is_validated_on_if_no_training_pair_has_a_known_start(dated: Store) -> None:
    """The likes before the middle of 2016 have no known start, and the later ones are tested."""
    with dated.write() as connection:
        old = engagements.c.not_after < "2016-06"
        connection.execute(sa.update(engagements).where(old).values(not_before=None))
    options = TrialOptions(how="cutoff", at="2016-06-01T00:00:00Z")
    with dated.read() as connection:
        (trial,) = prepare_trials(connection, options).trials
        assert trial.has_data
        assert trial.divide is not None
        assert trial.divide().test.nnz == 0
        assert tune("ease", trial).parameters == {}
    with dated.write() as connection:
        connection.execute(sa.update(engagements).values(not_before=None))
    with (
        dated.read() as connection,
        pytest.raises(EmbeddingError, match="contains no times of these"),
    ):
        prepare_trials(connection, TrialOptions(how="cutoff"))


def test_no_seed_is_needed() -> None:
    whole = build_interactions(set(YEARS))
    found = hold_out_since(whole, NO_SEEDS, times_of(YEARS), at=to_time(2015))
    assert (1, SEED) in pairs_of(whole, found.test)
