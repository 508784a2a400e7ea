"""LensKit reads the files of `scrapy evaluate --output`, and computes the same figures from them."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sgr_spiders.embeddings.evaluation.lists_file import open_files
from sgr_spiders.embeddings.evaluation.trial import Trial
from tests.embeddings.communities import tastes

pytestmark = pytest.mark.lenskit

K = 20
METHODS = ("popularity", "itemknn", "ease", "walk", "svd")
WRITE = """
analysis.measure(lists, test).list_metrics().to_csv("figures.csv")
"""
READ_CSV = """
import pandas
lists = ItemListCollection.from_df(pandas.read_csv("lists.csv"), ["split", "method", "user_id"])
test = ItemListCollection.from_df(pandas.read_csv("lists.test.csv"), ["split", "user_id"])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the lists of two splits."""
    folder = tmp_path_factory.mktemp("lenskit")
    for name in ("lists.parquet", "lists.csv"):
        with open_files(folder / name) as files:
            for seed in (1, 2):
                world = tastes(users=200, tracks=300, likes=6_000, communities=4, seed=seed)
                ids = (np.arange(200) + 2001, np.arange(300) + 1001)
                trial = Trial(world.train, world.test, k=K, users=ids[0], tracks=ids[1], random_seed=seed)
                for method in METHODS:
                    files.add(trial, trial.measure(method))
    return folder


def documented(root: Path) -> str:
    """Return the program of docs/evaluation.md up to the point where it prints."""
    text = (root / "docs/evaluation.md").read_text()
    block = re.search(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert block
    return block[1].partition("print(")[0]


@pytest.mark.parametrize("reading", ["", READ_CSV], ids=["parquet", "csv"])
def test_recall_and_ndcg_are_the_same(folder: Path, root: Path, reading: str) -> None:
    ended = subprocess.run(
        [os.environ["LENSKIT_PYTHON"], "-c", documented(root) + reading + WRITE],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    key = ["split", "method", "user_id"]
    theirs = pd.read_csv(folder / "figures.csv").set_index(key)
    ours = pd.read_parquet(folder / "lists.users.parquet").set_index(key)
    assert len(ours) == len(theirs) > 1_900
    both = ours.join(theirs)
    assert both["recall"].to_numpy() == pytest.approx(both["Recall"].to_numpy())
    assert both["ndcg"].to_numpy() == pytest.approx(both[f"NDCG@{K}"].to_numpy())
    assert both["ndcg"].groupby("method").mean().nunique() == len(METHODS)
