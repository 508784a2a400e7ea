"""``python -m tests.benchmarks.vectors [published|generated] [--scale S] [--methods LIST]``: recommenders.

The quality of each method's predictions of likes, with its time and memory:

- ``published``: Last.fm as split in LightGCN's repository (``../shared/interactions``; skipped if absent).
  The aim with defaults is a recall@20 of .261 and an nDCG@20 of .204 for svd, .246 and .194 for walk.
- ``generated``: 800,000 likes of 30,000 users for 40,000 tracks in 60 communities; a tenth of the users are
  tested. The aim is at most 20 s of processor time and 1 GB for training.

Methods whose packages are not installed (``make ml``) are skipped. *scale*: 0.1 makes the generated world a
tenth as large. Processor time counts all threads; memory is the peak of the process until the end of
training, including everything loaded.
"""

# Its output on the terminal is its purpose.
# ruff: noqa: T201

from __future__ import annotations

import argparse
import importlib.util
import resource
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from sgr_spiders.embeddings.base import Corpus
from sgr_spiders.embeddings.evaluation.pairs_file import read_pairs
from sgr_spiders.embeddings.evaluation.trial import Tested, Trial
from sgr_spiders.embeddings.recommenders import NAMES, train
from tests.benchmarks.relationships.process import measure
from tests.embeddings.communities import tastes
from tests.reference import notes

if TYPE_CHECKING:
    from collections.abc import Sequence

SHARED = notes() / "interactions" / "lightgcn_lastfm"
NEEDS = {"als": "implicit", "item2vec": "gensim", "lightgcn": "torch"}
SLOW_AT_SIZE = {"item2vec", "lightgcn"}
"""Methods that take minutes on the generated world: only on request."""
LIMIT_S = 3_600


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("vectors", description=__doc__.partition("\n\n")[0])
    parser.add_argument("part", nargs="*", default=["published", "generated"])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--methods", type=lambda text: text.split(","))
    opts = parser.parse_args(arguments)
    if "published" in opts.part:
        published(opts.methods or NAMES)
    if "generated" in opts.part:
        generated(opts.methods or [name for name in NAMES if name not in SLOW_AT_SIZE], opts.scale)
    return 0


def published(methods: Sequence[str]) -> None:
    if not SHARED.is_dir():
        print(f"no {SHARED}: nothing published to compare with")
        return
    pairs = read_pairs(SHARED / "data1.txt", SHARED / "test1.txt")
    _compare(Trial(pairs.train, pairs.test), methods)


def generated(methods: Sequence[str], scale: float) -> None:
    users, tracks, likes = (int(size * scale) for size in (30_000, 40_000, 1_000_000))
    drawn = tastes(users, tracks, likes, communities=max(3, int(60 * scale)))
    tested = np.arange(users) % 10 == 0
    _compare(
        Trial(drawn.train, sp.csr_array(sp.diags_array(tested.astype(np.float32)) @ drawn.test)), methods
    )


def _compare(trial: Trial, methods: Sequence[str]) -> None:
    users, tracks = trial.train.shape
    print(f"{trial.train.nnz:,} pairs of {users:,} users and {tracks:,} tracks to learn from")
    heads = ("recall@20", "ndcg@20", "coverage", "tail rec.", "pop. lift", "cpu s", "peak MB")
    print(f"{'method':<12}", *(f"{head:>10}" for head in heads))
    for name in methods:
        if name in NEEDS and importlib.util.find_spec(NEEDS[name]) is None:
            print(f"{name}: {NEEDS[name]} is not installed")
            continue
        found = measure(_learn_and_test, name, trial, limit=LIMIT_S)
        if found.failed:
            print(f"{name}: {found.answer}")
            continue
        quality, peak = found.answer
        figures = [f"{quality.recall:.4f}", f"{quality.ndcg:.4f}", f"{quality.coverage:.1%}"]
        figures += [f"{quality.tail_recall:.4f}", f"{quality.popularity_lift:+.2f}"]
        figures += [f"{quality.cpu_seconds:.2f}", f"{peak:.0f}"]
        print(f"{name:<12}", *(f"{figure:>10}" for figure in figures), flush=True)


def _learn_and_test(name: str, trial: Trial) -> tuple[Tested, float]:
    began = time.process_time()
    recommender = train(name, Corpus(trial.train), random_seed=1)
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return trial.test_recommender(name, recommender, seconds), peak


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
