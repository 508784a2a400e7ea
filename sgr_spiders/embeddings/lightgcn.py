"""lightgcn: a graph neural network on likes (torch; on a GPU if available).

He et al., LightGCN: Simplifying and Powering Graph Convolution Network for Recommendation (SIGIR 2020),
https://arxiv.org/abs/2002.02126. The vectors of users and tracks are averaged over a few steps along the
graph and trained to rank liked tracks above others (BPR loss: Rendle et al., UAI 2009,
https://arxiv.org/abs/1205.2618).

Training stops early (Prechelt, Early Stopping - But When?, 1998, https://doi.org/10.1007/3-540-49430-8_3).
After each epoch, it ranks a few likes that it does not train on. It ends when their ranks have not improved
for some epochs. The vectors are those of the best epoch, averaged over the graph of all likes.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import scipy.sparse as sp

from sgr_spiders.embeddings.base import Method, Vectors, require_interactions
from sgr_spiders.embeddings.early_stop import hold_out

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

    from sgr_spiders.embeddings.base import Array, Corpus, Library, Numbers

    Tensor = Any
    """torch.Tensor; torch is optional."""

SPREAD = 0.1
"""Standard deviation of the initial vectors, as in the authors' code."""
PATIENCE = 20
"""The default number of epochs without progress after which training stops."""
SCORES_AT_A_TIME = 10_000_000
"""Scores in memory while held-out likes are ranked."""


class LightGcn(Method):
    """LightGCN; slow: minutes on a CPU where svd takes seconds."""

    name: ClassVar[str] = "lightgcn"
    layers: ClassVar[int] = 3
    epochs: ClassVar[int] = 200
    """The maximum."""
    batches: ClassVar[int] = 10
    """Batches per epoch. Each propagates over the whole graph, so time depends on their number, not size."""
    rate: ClassVar[float] = 0.01
    decay: ClassVar[float] = 1e-4

    def __init__(self, dimensions: int | None = None, random_seed: int = 1, patience: int = PATIENCE) -> None:
        """Configure the method; with a *patience* of 0, it trains on all likes for all epochs."""
        super().__init__(dimensions, random_seed)
        self.patience = patience

    def parameters(self) -> dict[str, Any]:
        names = ("layers", "epochs", "batches", "rate", "decay", "patience")
        return super().parameters() | {name: getattr(self, name) for name in names} | dict(self.chosen)

    def fit(self, corpus: Corpus) -> Vectors:
        torch = self.require("torch")
        require_interactions(corpus)
        if not self.patience:
            training = _Training(torch, corpus.matrix, self)
            for _ in range(self.epochs):
                training.run_epoch()
            return training.vectors(corpus.matrix)
        known, held = hold_out(corpus, self.random_seed)
        training = _Training(torch, known, self)
        best, epoch = _Best(0, 0.0, training.start), 0
        while epoch < min(self.epochs, best.epoch + self.patience):
            training.run_epoch()
            epoch += 1
            quality = training.rate(held)
            if quality > best.quality or not held.size:
                best = _Best(epoch, quality, training.copy())
        training.start = best.start
        self.chosen = {"best_epoch": best.epoch, "epochs_trained": epoch}
        return training.vectors(corpus.matrix)

    def fold_in(self, library: Library) -> Array:
        # One step along the graph, from the tracks to the user; the scale does not affect the ranking.
        shares: Array = (library.weights / np.sqrt(library.fans)).astype(np.float32)
        vector: Array = shares @ library.vectors[library.tracks]
        return vector


@dataclass(frozen=True, slots=True)
class _Best:
    epoch: int
    quality: float
    start: Tensor


class _Training:
    """Training on *matrix*; ``start`` are the vectors that it learns, before they are averaged."""

    def __init__(self, torch: ModuleType, matrix: sp.csr_array, method: LightGcn) -> None:
        self._torch, self._method = torch, method
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._users, self._tracks = matrix.shape
        self._known = matrix
        self._pairs = self._to_device(np.stack(sp.coo_array(matrix).coords).astype(np.int64))
        self._graph = self._sparse(_graph(matrix))
        # Sample on the CPU, so that a seed gives the same start on every device.
        self._random = torch.Generator().manual_seed(method.random_seed)
        start = torch.randn(self._users + self._tracks, method.dimensions, generator=self._random)
        self.start = (SPREAD * start).to(self._device).requires_grad_()
        self._optimizer = torch.optim.Adam([self.start], lr=method.rate)

    def _to_device(self, array: NDArray[Any]) -> Tensor:
        return self._torch.from_numpy(np.ascontiguousarray(array)).to(self._device)

    def _sparse(self, matrix: sp.csr_array) -> Tensor:
        parts = (matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), matrix.data)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta", UserWarning)
            return self._torch.sparse_csr_tensor(
                *(self._to_device(part) for part in parts), size=matrix.shape, check_invariants=True
            )

    def _propagate(self, vectors: Tensor) -> Tensor:
        layer = total = vectors
        for _ in range(self._method.layers):
            layer = self._graph @ layer
            total = total + layer
        return total / (self._method.layers + 1)

    def run_epoch(self) -> None:
        order = self._torch.randperm(self._pairs.shape[1], generator=self._random)
        for part in order.chunk(self._method.batches):
            others = self._torch.randint(self._tracks, (len(part),), generator=self._random)
            users, liked = self._pairs[:, part.to(self._device)]
            self._step(users, self._users + liked, self._users + others.to(self._device))

    def _step(self, users: Tensor, liked: Tensor, others: Tensor) -> None:
        with self._torch.no_grad():
            vectors = self._propagate(self.start)
        vectors.requires_grad_()
        ahead = (vectors[users] * (vectors[liked] - vectors[others])).sum(dim=1)
        (-self._torch.nn.functional.logsigmoid(ahead).mean()).backward()
        self._optimizer.zero_grad()
        used = self.start[self._torch.cat([users, liked, others])]
        (self._method.decay * used.square().sum() / (2 * len(users))).backward()
        with self._torch.no_grad():
            # The graph is undirected, so gradients propagate like vectors.
            self.start.grad += self._propagate(vectors.grad)
        self._optimizer.step()

    def copy(self) -> Tensor:
        return self.start.detach().clone()

    def rate(self, held: Numbers) -> float:
        """Return the mean of ``1 / log2(1 + rank)`` of these likes among all tracks not trained on."""
        if not held.size:
            return 0.0
        with self._torch.no_grad():
            users, tracks = self._propagate(self.start).split([self._users, self._tracks])
            rows = max(1, SCORES_AT_A_TIME // self._tracks)
            ranks = [
                self._rank(users, tracks, held[:, start : start + rows])
                for start in range(0, held.shape[1], rows)
            ]
            return float((1 / (1 + self._torch.cat(ranks)).log2()).mean())

    def _rank(self, users: Tensor, tracks: Tensor, held: Numbers) -> Tensor:
        of, liked = self._to_device(held)
        scores = users[of] @ tracks.T
        own = scores.gather(1, liked[:, None])
        known = self._known[held[0]]
        row = np.repeat(np.arange(held.shape[1]), np.diff(known.indptr))
        scores[self._to_device(row), self._to_device(known.indices.astype(np.int64))] = -np.inf
        # Tracks with the same score come first, and so do all tracks if scores are not numbers.
        return self._tracks - (scores < own).sum(dim=1)

    def vectors(self, matrix: sp.csr_array) -> Vectors:
        """Return the vectors, averaged over the graph of *matrix*."""
        both = _graph(matrix)
        self._graph = self._sparse(both)
        with self._torch.no_grad():
            vectors: Array = self._propagate(self.start).cpu().numpy()
        vectors[np.diff(both.indptr) == 0] = 0  # no data, no vector
        return Vectors(vectors[: self._users], vectors[self._users :])


def _graph(matrix: sp.csr_array) -> sp.csr_array:
    """Return the graph of users and tracks; each edge is divided by the square roots of both degrees."""
    ones = sp.csr_array((np.ones(matrix.nnz, np.float32), matrix.indices, matrix.indptr), matrix.shape)
    both = sp.csr_array(sp.block_array([[None, ones], [ones.T, None]]))
    roots = np.sqrt(np.maximum(np.diff(both.indptr), 1)).astype(np.float32)
    both.data /= np.repeat(roots, np.diff(both.indptr)) * roots[both.indices]
    return both
