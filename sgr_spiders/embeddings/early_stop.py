"""Likes that a method does not train on, to find out when to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.embeddings.split import take_part

if TYPE_CHECKING:
    import scipy.sparse as sp

    from sgr_spiders.embeddings.base import Corpus, Numbers

SHARE = 0.05
MAX_LIKES = 5_000


def hold_out(corpus: Corpus, seed: int) -> tuple[sp.csr_array, Numbers]:
    """Return the matrix without a few likes, drawn at random, and these: a row of users, a row of tracks.

    Every user and every track keeps a like, and seeds all of theirs.
    """
    matrix = corpus.matrix
    users = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
    tracks = matrix.indices.astype(np.int64)
    order = np.random.default_rng(seed).permutation(len(users))
    free = ~np.isin(tracks, corpus.seeds)
    for ids in (users, tracks):
        free[order[np.unique(ids[order], return_index=True)[1]]] = False
    drawn = order[free[order]][: min(int(SHARE * len(users)), MAX_LIKES)]
    left = np.ones(len(users), np.bool_)
    left[drawn] = False
    return take_part(matrix, left), np.stack([users[drawn], tracks[drawn]])
