"""lightgcn: a graph neural network on likes (torch; on a GPU if available).

He et al., LightGCN: Simplifying and Powering Graph Convolution Network for Recommendation (SIGIR 2020),
https://arxiv.org/abs/2002.02126. The vectors of users and tracks are averaged over a few steps along the
graph and trained to rank liked tracks above others (BPR loss: Rendle et al., UAI 2009,
https://arxiv.org/abs/1205.2618).
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import scipy.sparse as sp

from sgr_spiders.embeddings.base import Method, Vectors, require_interactions

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

    from sgr_spiders.embeddings.base import Array, Corpus, Library

    Tensor = Any
    """torch.Tensor; torch is optional."""

SPREAD = 0.1
"""Standard deviation of the initial vectors, as in the authors' code."""


class LightGcn(Method):
    """LightGCN; slow: minutes on a CPU where svd takes seconds."""

    name: ClassVar[str] = "lightgcn"
    layers: ClassVar[int] = 3
    epochs: ClassVar[int] = 60
    batches: ClassVar[int] = 10
    """Batches per epoch. Each propagates over the whole graph, so time depends on their number, not size."""
    rate: ClassVar[float] = 0.01
    decay: ClassVar[float] = 1e-4

    def parameters(self) -> dict[str, Any]:
        names = ("layers", "epochs", "batches", "rate", "decay")
        return super().parameters() | {name: getattr(self, name) for name in names}

    def fit(self, corpus: Corpus) -> Vectors:
        torch = self.require("torch")
        require_interactions(corpus)
        training = _Training(torch, corpus, self)
        for _ in range(self.epochs):
            training.run_epoch()
        return training.vectors()

    def fold_in(self, library: Library) -> Array:
        # One step along the graph, from the tracks to the user; the scale does not affect the ranking.
        shares: Array = (library.weights / np.sqrt(library.fans)).astype(np.float32)
        vector: Array = shares @ library.vectors[library.tracks]
        return vector


class _Training:
    def __init__(self, torch: ModuleType, corpus: Corpus, method: LightGcn) -> None:
        self._torch, self._method = torch, method
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._users, self._tracks = corpus.matrix.shape
        self._pairs = self._to_device(np.stack(sp.coo_array(corpus.matrix).coords).astype(np.int64))
        both = _graph(corpus.matrix)
        self._linked = np.diff(both.indptr) > 0
        self._graph = self._sparse(both)
        # Sample on the CPU, so that a seed gives the same start on every device.
        self._random = torch.Generator().manual_seed(method.random_seed)
        start = torch.randn(self._users + self._tracks, method.dimensions, generator=self._random)
        self._start = (SPREAD * start).to(self._device).requires_grad_()
        self._optimizer = torch.optim.Adam([self._start], lr=method.rate)

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
            vectors = self._propagate(self._start)
        vectors.requires_grad_()
        ahead = (vectors[users] * (vectors[liked] - vectors[others])).sum(dim=1)
        (-self._torch.nn.functional.logsigmoid(ahead).mean()).backward()
        self._optimizer.zero_grad()
        used = self._start[self._torch.cat([users, liked, others])]
        (self._method.decay * used.square().sum() / (2 * len(users))).backward()
        with self._torch.no_grad():
            # The graph is undirected, so gradients propagate like vectors.
            self._start.grad += self._propagate(vectors.grad)
        self._optimizer.step()

    def vectors(self) -> Vectors:
        with self._torch.no_grad():
            both: Array = self._propagate(self._start).cpu().numpy()
        both[~self._linked] = 0  # no data, no vector
        return Vectors(both[: self._users], both[self._users :])


def _graph(matrix: sp.csr_array) -> sp.csr_array:
    """Return the graph of users and tracks; each edge is divided by the square roots of both degrees."""
    ones = sp.csr_array((np.ones(matrix.nnz, np.float32), matrix.indices, matrix.indptr), matrix.shape)
    both = sp.csr_array(sp.block_array([[None, ones], [ones.T, None]]))
    roots = np.sqrt(np.maximum(np.diff(both.indptr), 1)).astype(np.float32)
    both.data /= np.repeat(roots, np.diff(both.indptr)) * roots[both.indices]
    return both
