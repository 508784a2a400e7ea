"""The files of `scrapy evaluate --output` contain lists, held-out tracks and figures of each user."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest
import scipy.sparse as sp

from sgr_spiders.embeddings.evaluation.lists_file import open_files, paths_of
from sgr_spiders.embeddings.evaluation.trial import Trial
from sgr_spiders.model.exceptions import ArgumentError, StorageError
from tests.embeddings.communities import tastes

if TYPE_CHECKING:
    from sgr_spiders.embeddings.base import Array, Numbers
    from sgr_spiders.embeddings.evaluation.trial import Tested

METHODS = ("popularity", "walk")


@pytest.fixture(scope="module")
def trial() -> Trial:
    world = tastes(users=30, tracks=50, likes=300, communities=3)
    return Trial(world.train, world.test, k=10, users=np.arange(30) + 2001, tracks=np.arange(50) + 1001)


@pytest.fixture(scope="module")
def tested(trial: Trial) -> list[Tested]:
    return [trial.measure(method) for method in METHODS]


def write(path: Path, trial: Trial, tested: list[Tested]) -> None:
    with open_files(path) as files:
        for one in tested:
            files.add(trial, one)


def test_lists_in_the_layout_of_lenskit(trial: Trial, tested: list[Tested], tmp_path: Path) -> None:
    write(tmp_path / "lists.parquet", trial, tested)
    rows = pyarrow.parquet.read_table(tmp_path / "lists.parquet").to_pylist()
    assert [list(row) for row in rows[:1]] == [["split", "method", "user_id", "items"]]
    found = {(row["method"], row["user_id"]): row["items"] for row in rows}
    for one in tested:
        for row, listed in zip(one.rows, one.lists, strict=True):
            items = found.pop((one.method, int(row) + 2001))
            assert [item["item_id"] - 1001 for item in items] == listed[listed >= 0].tolist()
            assert [item["rank"] for item in items] == list(range(1, len(items) + 1))
    assert not found
    held_out = pyarrow.parquet.read_table(tmp_path / "lists.test.parquet").to_pylist()
    pairs = {(row["user_id"] - 2001, item["item_id"] - 1001) for row in held_out for item in row["items"]}
    assert pairs == set(zip(*map(np.ndarray.tolist, trial.test.nonzero()), strict=True))


def test_csv_has_the_same_content(trial: Trial, tested: list[Tested], tmp_path: Path) -> None:
    write(tmp_path / "lists.parquet", trial, tested)
    write(tmp_path / "lists.csv", trial, tested)
    rows = pyarrow.parquet.read_table(tmp_path / "lists.parquet").to_pylist()
    expected = [
        (row["split"], row["method"], row["user_id"], item["item_id"], item["rank"])
        for row in rows
        for item in row["items"]
    ]
    flat = pd.read_csv(tmp_path / "lists.csv")
    assert [tuple(row) for row in flat.itertuples(index=False)] == expected
    users = pd.read_csv(tmp_path / "lists.users.csv")
    assert len(users) == sum(one.users for one in tested)
    for one in tested:
        own = users[users.method == one.method]
        assert own.recall.mean() == pytest.approx(one.recall)
        assert own.tail_recall.mean() == pytest.approx(one.tail_recall)
        assert own.held_out.sum() == trial.test.nnz


def test_a_user_without_recommendations_has_an_empty_list(tmp_path: Path) -> None:
    alone = Trial(sp.csr_array([[1, 0], [1, 0]]), sp.csr_array([[0, 1], [0, 1]]), k=2)
    write(tmp_path / "lists.parquet", alone, [alone.test_recommender("popularity", _Nothing(), 0.0)])
    rows = pyarrow.parquet.read_table(tmp_path / "lists.parquet").to_pylist()
    assert [row["items"] for row in rows] == [[], []]
    (users,) = {
        tuple(row[name] for name in ("recall", "ndcg", "novelty"))
        for row in pyarrow.parquet.read_table(tmp_path / "lists.users.parquet").to_pylist()
    }
    assert users == (0, 0, None)


class _Nothing:
    def scores(self, users: Numbers) -> Array:
        return np.full((len(users), 2), -np.inf, np.float32)


def test_an_error_leaves_the_old_files(trial: Trial, tested: list[Tested], tmp_path: Path) -> None:
    path = tmp_path / "lists.parquet"
    path.write_text("old")
    with pytest.raises(AttributeError):
        write(path, trial, [*tested, None])  # type: ignore[list-item]
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"lists\.csv: "), open_files(tmp_path / "file" / "lists.csv"):
        pass
    with pytest.raises(ArgumentError, match=r"must name a \.parquet or \.csv file"):
        paths_of(Path("lists.json"))
