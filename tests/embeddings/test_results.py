"""Means over splits and users, what is compared, and parameters chosen without the test part."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import scipy.sparse as sp

from sgr_spiders.embeddings.evaluation import trial as trial_module
from sgr_spiders.embeddings.evaluation import tuning
from sgr_spiders.embeddings.evaluation.pairs_file import PairsOfFiles
from sgr_spiders.embeddings.evaluation.results import Collector, Results, measure_all
from sgr_spiders.embeddings.evaluation.trial import PER_USER, Trial
from sgr_spiders.embeddings.evaluation.trials import TrialOptions, Trials, prepare_trials, trials_of_files
from sgr_spiders.embeddings.list_quality import ListQuality
from sgr_spiders.embeddings.recommenders import NAMES
from sgr_spiders.reports.evaluation import as_document, describe, describe_parameters
from tests.embeddings.communities import tastes
from tests.embeddings.test_evaluation import mark_seed

if TYPE_CHECKING:
    from sgr_spiders.storage.store import Store

SEED = 1001

LISTS = {"npmi": ListQuality(lists=7, hub_share=0.25, stability=0.5, seed_first=math.nan)}


def reached(method: str, recalls: dict[int, float], **others: Any) -> trial_module.Tested:
    values = np.array(list(recalls.values()))
    per_user = dict.fromkeys(PER_USER, values) | others.pop("per_user", {})
    lists = np.zeros((len(values), 1), np.int64)
    coverage = others.get("coverage", 0.5)
    return trial_module.Tested(method, np.array(list(recalls)), lists, per_user, coverage, 0.25, 1.0)


def collect(*found: trial_module.Tested, rows: int = 5) -> Results:
    collector = Collector(rows, random_seed=1)
    for one in found:
        collector.add(one, None)
    return collector.results()


def test_a_user_counts_once_whatever_the_splits() -> None:
    results = collect(
        reached("walk", {0: 0.0, 3: 1.0}, coverage=0.2), reached("walk", {0: 0.5, 3: 0.5}, coverage=0.4)
    )
    (walk,) = results.methods
    assert results.users == 2
    recall = walk.figures["recall"]
    assert (recall.value, recall.per_trial) == (0.5, [0.5, 0.5])
    assert recall.interval == (0.25, 0.75)  # the users' means are .25 and .75
    coverage = walk.figures["coverage"]
    assert coverage.value == pytest.approx(0.3)
    assert (coverage.interval, coverage.per_trial) == (None, [0.2, 0.4])


def test_users_without_a_figure_are_left_out_of_it() -> None:
    rare = np.array([math.nan, 0.2, 0.4])
    (walk,) = collect(reached("walk", {0: 1.0, 1: 1.0, 2: 1.0}, per_user={"tail_recall": rare})).methods
    assert walk.figures["tail_recall"].value == pytest.approx(0.3)
    none = np.full(3, math.nan)
    (walk,) = collect(reached("walk", {0: 1.0, 1: 1.0, 2: 1.0}, per_user={"tail_recall": none})).methods
    assert math.isnan(walk.figures["tail_recall"].value)
    assert walk.figures["tail_recall"].interval is None


def test_the_popularity_lift_is_a_ratio_of_means() -> None:
    fans = {"fans_recommended": np.array([30.0, 10.0]), "fans_liked": np.array([10.0, 10.0])}
    (walk,) = collect(reached("walk", {0: 1.0, 1: 1.0}, per_user=fans)).methods
    assert walk.figures["popularity_lift"].value == pytest.approx(1.0)
    assert walk.figures["popularity_lift"].interval == pytest.approx((0.0, 2.0))


def test_which_methods_differ_from_the_best() -> None:
    random = np.random.default_rng(1)
    base = random.random(40) * 0.5
    values = {
        "popularity": base,
        "walk": base + 0.3,
        "twin": base + 0.3,
        "svd": base + 0.3 + random.normal(0, 0.1, 40),
    }
    results = collect(*(reached(name, dict(enumerate(value))) for name, value in values.items()), rows=40)
    found = {frozenset(one.methods): one for one in results.comparisons if one.figure == "recall"}
    assert len(found) == 6
    assert found[frozenset(("walk", "twin"))].p == found[frozenset(("walk", "twin"))].p_holm == 1
    assert found[frozenset(("walk", "popularity"))].p_holm < 0.001
    assert found[frozenset(("popularity", "walk"))].difference == pytest.approx(-0.3)
    best = results.best("recall").method
    equal = {name for one in results.equals_of_best("recall") for name in one.methods}
    assert {best, "walk", "twin", "svd"} == equal | {best}
    assert "popularity" not in equal


def test_differences_are_certain_only_after_holm() -> None:
    """The p-value of six users who agree is 2 / 64 = .031: certain for one comparison, not for three."""
    values = {"walk": np.ones(6), "svd": np.full(6, 0.9), "popularity": np.full(6, 0.1)}
    found = collect(*(reached(name, dict(enumerate(value))) for name, value in values.items()), rows=6)
    assert [one.p for one in found.comparisons] == [2 / 64] * 6
    assert [one.p_holm for one in found.comparisons] == [6 / 64] * 6
    assert len(found.equals_of_best("recall")) == 2
    values.pop("svd")
    found = collect(*(reached(name, dict(enumerate(value))) for name, value in values.items()), rows=6)
    assert [one.p_holm for one in found.comparisons] == [2 / 64] * 2
    assert found.equals_of_best("recall") == []


def test_a_seed_is_neither_recommended_nor_popular() -> None:
    """All but two users like track 0, the seed, and these two would get it first."""
    train = np.zeros((8, 6), np.float32)
    train[:6, 0] = 1
    train[:, 1] = [1, 1, 1, 0, 0, 0, 1, 1]
    train[:, 2] = [0, 0, 1, 1, 1, 0, 0, 0]
    test = np.zeros((8, 6), np.float32)
    test[6:, 2] = 1
    trial = Trial(sp.csr_array(train), sp.csr_array(test), k=2, seeds=np.array([0]))
    with_seed = dataclasses.replace(trial, seeds=np.empty(0, np.int64))
    found, ordinary = trial.measure("popularity"), with_seed.measure("popularity")
    assert ordinary.lists[:, 0].tolist() == [0, 0]
    assert not (found.lists == 0).any()
    assert found.lists[:, 0].tolist() == [2, 2]
    assert found.coverage == 1 / 2  # of tracks 1 and 2
    assert found.lists[:, 1].tolist() == [-1, -1], "no track without fans"
    assert found.novelty == pytest.approx(-np.log2(3 / 8))
    # Track 2 in comparison with track 1.
    assert found.popularity_lift == pytest.approx(3 / 5 - 1)


def test_a_pair_in_neither_part_is_not_recommended() -> None:
    train = sp.csr_array(np.array([[1, 0, 0, 0], [1, 1, 1, 0]], np.float32))
    test = sp.csr_array(np.array([[0, 0, 1, 0], [0, 0, 0, 0]], np.float32))
    neither = sp.csr_array(np.array([[0, 1, 0, 0], [0, 0, 0, 0]], np.float32))
    assert Trial(train, test, k=1).measure("popularity").recall == 0
    assert Trial(train, test, k=1, neither=neither).measure("popularity").recall == 1


def test_every_method_can_be_tuned() -> None:
    assert set(tuning.GRIDS) == set(NAMES)
    assert tuning.list_candidates("popularity") == [{}]
    assert len(tuning.list_candidates("svd")) == 5
    assert tuning.list_candidates("svd", 8) == [{"dimensions": 8}]
    assert tuning.fixed_parameters("walk", 8) == {}


@pytest.fixture
def files() -> PairsOfFiles:
    world = tastes(users=60, tracks=80, likes=1_500, communities=3)
    return PairsOfFiles(world.train, world.test, np.arange(60), np.arange(80))


def test_parameters_are_chosen_without_the_test_part(
    files: PairsOfFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    (trial,) = trials_of_files(files, 20, 0.2, [1]).trials
    monkeypatch.setitem(tuning.GRIDS, "svd", {"dimensions": (1, 4, 40)})
    found = tuning.tune("svd", trial)
    nothing = dataclasses.replace(trial, test=sp.csr_array(trial.test.shape))
    assert tuning.tune("svd", nothing).attempts == found.attempts
    assert found.parameters == max(found.attempts, key=lambda attempt: attempt[1])[0]
    assert trial.divide is not None
    inner = trial.divide()
    for given, ndcg in found.attempts:
        assert inner.measure("svd", given).ndcg == ndcg
    assert inner.train.nnz + inner.test.nnz == trial.train.nnz
    assert not inner.test.multiply(trial.test).nnz
    # The final training uses all training pairs.
    ((_, final, tuned),) = measure_all([trial], ["svd"], tuning=True)
    assert tuned is not None
    assert final.parameters == tuned.parameters == found.parameters
    assert final.ndcg == trial.measure("svd", found.parameters).ndcg


def test_everything_is_in_the_document_and_nothing_in_too_many_digits(files: PairsOfFiles) -> None:
    trials = trials_of_files(files, 5, 0.2, [3, 4])
    collector = Collector(60, 3)
    for _, one, tuned in measure_all(trials.trials, ["popularity", "svd"], dimensions=4, tuning=True):
        collector.add(one, tuned)
    results = collector.results()
    document = json.loads(json.dumps(as_document(trials, results, LISTS, "random")))
    assert [split["random_seed"] for split in document["splits"]] == [3, 4]
    popularity, svd = document["methods"]
    assert svd["parameters"] == [{"dimensions": 4}] * 2
    assert len(svd["per_split"]["recall"]) == 2
    assert popularity["per_split"]["recall"][0] == popularity["per_split"]["recall"][1]
    low, high = svd["intervals"]["recall"]
    assert low < svd["recall"] < high
    assert svd["intervals"]["coverage"] is None
    assert {one["figure"] for one in document["comparisons"]} == {"recall", "ndcg"}
    lines = describe(trials, results, LISTS)
    assert "recall@5: svd is better than all others" in lines
    assert any(line.endswith("in the training data") and "with 2 random seeds" in line for line in lines)
    assert not [line for line in lines if "0.0000" in line]
    assert document["similar_tracks"] == [
        {"by": "npmi", "tracks": 7, "hub_share": 0.25, "stability": 0.5, "seed_first": None}
    ]
    assert lines[-2].split() == ["similar", "tracks", "stability", "hub", "share", "seed", "first", "tracks"]
    assert lines[-1].split() == ["by", "npmi", ".500", "25.0%", "-", "7"]


def test_few_users_are_said(files: PairsOfFiles) -> None:
    few = Trials([Trial(files.train[:20], files.test[:20], k=5)])
    collector = Collector(20, 1)
    for _, one, tuned in measure_all(few.trials, ["popularity"]):
        collector.add(one, tuned)
    lines = describe(few, collector.results(), {})
    known = len(set(files.train[:20].indices.tolist()))
    assert f"of 20 users and {known} tracks" in lines[0]
    assert known < files.train.shape[1], "some tracks are only in the test data"
    assert "few users: intervals of fewer than 30 are too narrow" in lines
    assert "recall@5: popularity only" in lines


def test_splits_of_a_database_differ_by_seed_and_hold_out_no_seed(store: Store) -> None:
    drawn = tastes(users=40, tracks=60, likes=800, communities=2)
    world = drawn.world()
    world.engagements |= {(user, SEED, "like") for user in range(1, 31)}
    world.spill(store)
    with store.write() as connection:
        mark_seed(connection, SEED)
        trials = prepare_trials(connection, TrialOptions(random_seeds=[1, 2], k=10)).trials
    first, second = trials
    assert first.test.nnz == second.test.nnz
    assert not np.array_equal(first.test.indices, second.test.indices)
    for trial in trials:
        assert trial.seeds.tolist() == [0]
        assert not (trial.test.indices == 0).any()
        assert not (trial.measure("walk").lists == 0).any()
        assert trial.divide is not None
        inner = trial.divide()
        assert not (inner.test.indices == 0).any()
        assert inner.seeds.tolist() == [0]
        assert not inner.train.multiply(trial.test).nnz
        assert not inner.test.multiply(trial.test).nnz
        assert inner.train.nnz + inner.test.nnz == trial.train.nnz


def test_parameters_are_words() -> None:
    assert describe_parameters({"best_epoch": 5, "rate": 0.1}) == "best epoch 5, rate 0.1"
