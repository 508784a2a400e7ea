"""Choose the weights of ``blend`` by held-out likes: the usual ones unless others are clearly better.

Where the order of likes is known, the newest tenth of each user's likes is held out, because what users like
next is what recommendations are for, and has other best weights than likes at random. Otherwise a tenth at
random is held out, and for small data several times, because one draw decides little.
"""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from sgr_spiders.embeddings.base import Corpus
from sgr_spiders.embeddings.blend import Parts, Weights, find_vectors, to_largest
from sgr_spiders.embeddings.evaluation import metrics
from sgr_spiders.embeddings.split import count_held_out, take_part
from sgr_spiders.storage.lookup import mix

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from numpy.typing import NDArray

    from sgr_spiders.embeddings.base import Array, Numbers

DAMPINGS = (0.6, 0.8, 1.0)
POPULARITIES = (0.1, 0.2, 0.3, 0.4, 0.5)
SPECTRA = (0.0, 0.4, 0.8, 2.0)
DIMENSIONS = (8, 32, 128, 512)
"""The values to try of each weight, in all combinations."""
GRID: tuple[tuple[float, ...], ...] = (DAMPINGS, POPULARITIES, SPECTRA, DIMENSIONS)
RECENCIES = (0.0, 0.4, 0.8)
"""The values to try if the order of likes is known."""
USUAL = (0.8, 0.4, 0.4, 512)
"""The weights of the grid that are chosen if no likes are held out."""
SHARE = 0.1
"""The share of each user's likes to hold out: few, because sparser data has other best weights."""
VALIDATION_USERS = 3_000
"""The users whose held-out likes are ranked to choose, in one draw or several."""
RECENCY_USERS = 1_000
"""The users among them who choose the recency, before all choose the other weights."""
MAX_DRAWS = 5
MIN_USERS = 10
"""The fewest users who can choose."""
MIN_KNOWN = 0.5
"""The least share of likes whose order must be known to hold out the newest."""
SCORES_AT_A_TIME = 1 << 21
"""Scores of each part in memory at a time: 8 MB, which is reused; the system would clear larger arrays."""
K = 20
"""The length of the lists that the weights are chosen for."""
SHORTLIST = 100
"""The best tracks of each part, among which the best of most weights are."""


def choose_weights(corpus: Corpus, dimensions: int, random_seed: int) -> Weights:
    """Return the weights nearest to the usual ones that do not clearly differ from the best of the grid.

    That is, their mean nDCG is at most one standard error of the difference below the best: the rule of
    Breiman et al., Classification and Regression Trees (1984), section 3.4.3, for paired differences. So a
    few users do not choose by chance. How much the newest likes count is chosen first, with the other
    weights as usual.

    Args:
        corpus: the likes to choose by.
        dimensions: the most singular vectors to use.
        random_seed: the seed of what is held out, and of the decomposition.
    """
    matrix = sp.csr_array(corpus.matrix, dtype=np.float32)
    candidates = _list_candidates(min(dimensions, *matrix.shape))
    draws = [
        _Draw(Parts(rest, find_vectors(rest.matrix, candidates[0].dimensions, random_seed)), held_out)
        for rest, held_out in _draw(corpus, random_seed)
    ]
    if _knows_order(corpus):
        by_recency = [dataclasses.replace(candidates[0], recency=recency) for recency in RECENCIES]
        recency = _choose(draws, by_recency, RECENCY_USERS, random_seed).recency
        candidates = [dataclasses.replace(one, recency=recency) for one in candidates]
    return _choose(draws, candidates, VALIDATION_USERS, random_seed)


@dataclass(frozen=True, slots=True)
class _Draw:
    """Likes that were held out, and the parts of the scores of the other likes."""

    parts: Parts
    held_out: sp.csr_array


def _choose(
    draws: Sequence[_Draw], candidates: Sequence[Weights], most_users: int, random_seed: int
) -> Weights:
    """Return the first of *candidates* that does not clearly differ from the best for some users."""
    if not draws:
        return candidates[0]
    users = draws[0].held_out.shape[0]
    sums, counts = np.zeros((users, len(candidates))), np.zeros(users)
    for draw in draws:
        for some in _sample(draw.held_out, most_users, random_seed):
            sums[some] += _measure(draw, some, candidates)
            counts[some] += 1
    able = counts > 0
    return candidates[_first_good(sums[able] / counts[able, None])]


def _first_good(ndcg: NDArray[np.float64]) -> int:
    """Return the first column of *ndcg*, users x candidates, that does not clearly differ from the best."""
    if len(ndcg) < MIN_USERS:
        return 0
    best = int(np.argmax(ndcg.mean(axis=0)))
    worse = ndcg[:, [best]] - ndcg
    error = worse.std(axis=0, ddof=1) / np.sqrt(len(ndcg))
    return int(np.flatnonzero(worse.mean(axis=0) <= error)[0])


def _list_candidates(most: int) -> list[Weights]:
    """Return the combinations of the grid, those with the fewest steps from the usual one first.

    At most *most* dimensions. Without a spectrum their number does not matter, so only the largest is tried.
    """

    def steps(values: tuple[float, ...]) -> int:
        places = zip(GRID, values, USUAL, strict=True)
        return sum(abs(grid.index(value) - grid.index(usual)) for grid, value, usual in places)

    ordered = sorted(itertools.product(DAMPINGS, POPULARITIES, SPECTRA, DIMENSIONS), key=steps)
    found = dict.fromkeys(Weights(d, o, w, min(count, most)) for d, o, w, count in ordered)
    largest = min(most, max(DIMENSIONS))
    return [one for one in found if one.spectrum or one.dimensions == largest]


def _knows_order(corpus: Corpus) -> bool:
    """Return whether the order of enough likes is known to hold out the newest."""
    return corpus.recency is not None and bool((corpus.recency >= 0).mean() >= MIN_KNOWN)


def _draw(corpus: Corpus, random_seed: int) -> Iterator[tuple[Corpus, sp.csr_array]]:
    """Yield the likes to learn from and those held out, once for each draw, if both have any."""
    matrix = sp.csr_array(corpus.matrix, dtype=np.float32)
    for held in _hold_out(matrix, corpus, random_seed):
        rest, held_out = take_part(matrix, ~held), take_part(matrix, held)
        if rest.nnz and held_out.nnz:
            recency = None if corpus.recency is None else corpus.recency[~held]
            yield Corpus(rest, seeds=corpus.seeds, recency=recency), held_out


def _hold_out(matrix: sp.csr_array, corpus: Corpus, random_seed: int) -> Iterator[NDArray[np.bool_]]:
    """Yield which entries to hold out, once for each draw."""
    sizes = np.diff(matrix.indptr).astype(np.int64)
    row = np.repeat(np.arange(len(sizes)), sizes)
    is_seed = np.isin(matrix.indices, corpus.seeds)
    eligible = np.bincount(row, weights=~is_seed, minlength=len(sizes)).astype(np.int64)
    counts = count_held_out(SHARE, eligible, sizes)
    if _knows_order(corpus):
        assert corpus.recency is not None
        unknown = corpus.recency < 0
        yield _first(row, counts, matrix, (corpus.recency, unknown, is_seed)) & ~unknown
        return
    for draw in range(int(np.clip(VALIDATION_USERS // max(1, (counts > 0).sum()), 1, MAX_DRAWS))):
        start = np.uint64(random_seed * MAX_DRAWS + draw)
        hashes = mix(mix(row.astype(np.uint64) ^ start) ^ matrix.indices.astype(np.uint64))
        yield _first(row, counts, matrix, (hashes, is_seed))


def _first(
    row: Numbers, counts: Numbers, matrix: sp.csr_array, keys: tuple[NDArray[np.generic], ...]
) -> NDArray[np.bool_]:
    """Return which entries are the first *counts* of their row, by the last of *keys* first."""
    order = np.lexsort((*keys, row))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - matrix.indptr[row]
    is_first: NDArray[np.bool_] = rank < counts[row]
    return is_first


def _sample(held_out: sp.csr_array, most_users: int, random_seed: int) -> Iterator[Numbers]:
    """Yield blocks of users with held-out likes, at most *most_users* in all."""
    able = np.flatnonzero(np.diff(held_out.indptr))
    hashes = mix(able.astype(np.uint64) ^ np.uint64(random_seed))
    some = np.sort(able[np.argsort(hashes, kind="stable")[:most_users]])
    rows = max(1, SCORES_AT_A_TIME // held_out.shape[1])
    yield from np.split(some, range(rows, len(some), rows))


def _measure(draw: _Draw, users: Numbers, candidates: Sequence[Weights]) -> NDArray[np.float64]:
    """Return the nDCG of each user with each of the candidates, users x candidates."""
    parts = draw.parts
    walks = {(one.damping, one.recency) for one in candidates}
    spectra = {(one.dimensions, one.recency) for one in candidates}
    both: dict[tuple[float, float], Array] = {walk: parts.walk(users, *walk) for walk in walks}
    both |= {spectrum: parts.spectrum(users, *spectrum) for spectrum in spectra}
    popularities = sorted({one.popularity for one in candidates})
    short = _shortlist(list(both.values()), parts.fans, {popularities[0], popularities[-1]})
    fans = parts.fans[short]
    held = draw.held_out[users]
    relevant, counts = np.take_along_axis(held.toarray() > 0, short, axis=1), np.diff(held.indptr)
    powers = {popularity: np.asarray(fans**popularity, np.float32) for popularity in popularities}
    scaled = {
        (which, popularity): to_largest(np.take_along_axis(part, short, axis=1) * powers[popularity])
        for which, part in both.items()
        for popularity in powers
    }
    ndcg = np.empty((len(users), len(candidates)))
    for number, one in enumerate(candidates):
        spectrum = scaled[(one.dimensions, one.recency), one.popularity]
        scores = scaled[(one.damping, one.recency), one.popularity] + one.spectrum * spectrum
        hits = np.take_along_axis(relevant, _largest(scores, K), axis=1)
        ndcg[:, number] = metrics.ndcg(hits, counts)
    return ndcg


def _shortlist(parts: Sequence[Array], fans: Array, extremes: Collection[float]) -> Numbers:
    """Return tracks for each user, among them the best of each part with the *extremes* of popularity."""
    is_best = np.zeros(parts[0].shape, bool)
    for part in parts:
        for popularity in extremes:
            best = _some_largest(part * fans**popularity, SHORTLIST)
            np.put_along_axis(is_best, best, values=True, axis=1)
    width = int(is_best.sum(axis=1).max())
    # A row with fewer of them is filled up with others, so that none is there twice.
    short: Numbers = np.argpartition(~is_best, width - 1, axis=1)[:, :width]
    return short


def _largest(scores: Array, count: int) -> Numbers:
    some = _some_largest(scores, count)
    order = np.argsort(-np.take_along_axis(scores, some, axis=1), axis=1, kind="stable")
    best: Numbers = np.take_along_axis(some, order, axis=1)
    return best


def _some_largest(scores: Array, count: int) -> Numbers:
    count = min(count, scores.shape[1])
    some: Numbers = np.argpartition(-scores, count - 1, axis=1)[:, :count]
    return some
