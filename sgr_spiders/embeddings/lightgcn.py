"""lightgcn: a graph neural network on who likes what (torch; on the graphics card where there is one).

He et al., LightGCN: Simplifying and Powering Graph Convolution Network for Recommendation (SIGIR 2020),
https://arxiv.org/abs/2002.02126. Vectors are learned for users and tracks, so that their averages over some
steps along the graph rank what a user likes before what they do not (BPR loss: Rendle et al., UAI 2009,
https://arxiv.org/abs/1205.2618).
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import scipy.sparse as sp

from sgr_spiders.embeddings.base import Method, Vectors, refuse_nothing

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

    from sgr_spiders.embeddings.base import Array, Corpus, Library

    Tensor = Any
    """torch's, which need not be installed."""

SPREAD = 0.1
"""Of the normal distribution that the vectors are first drawn from, as in the authors' code."""


class LightGcn(Method):
    """Takes long: minutes on a processor for what svd does in seconds."""

    name: ClassVar[str] = "lightgcn"
    layers: ClassVar[int] = 3
    epochs: ClassVar[int] = 60
    batches: ClassVar[int] = 10
    """Of an epoch. Each walks the whole graph, so that their number and not their size makes the time."""
    rate: ClassVar[float] = 0.01
    decay: ClassVar[float] = 1e-4

    def parameters(self) -> dict[str, Any]:
        names = ("layers", "epochs", "batches", "rate", "decay")
        return super().parameters() | {name: getattr(self, name) for name in names}

    def fit(self, corpus: Corpus) -> Vectors:
        torch = self.needed("torch")
        refuse_nothing(corpus)
        training = _Training(torch, corpus, self)
        for _ in range(self.epochs):
            training.run_epoch()
        return training.vectors()

    def fold_in(self, library: Library) -> Array:
        # One step along the graph, from the tracks to the user; its length is open, and changes no order.
        shares: Array = (library.weights / np.sqrt(library.fans)).astype(np.float32)
        vector: Array = shares @ library.vectors[library.tracks]
        return vector


class _Training:
    def __init__(self, torch: ModuleType, corpus: Corpus, method: LightGcn) -> None:
        self._torch, self._method = torch, method
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._users, self._tracks = corpus.matrix.shape
        self._pairs = self._moved(np.stack(sp.coo_array(corpus.matrix).coords).astype(np.int64))
        both = _graph(corpus.matrix)
        self._linked = np.diff(both.indptr) > 0
        self._graph = self._sparse(both)
        # Drawn on the processor, so that one seed gives the same start everywhere.
        self._random = torch.Generator().manual_seed(method.random_seed)
        start = torch.randn(self._users + self._tracks, method.dimensions, generator=self._random)
        self._start = (SPREAD * start).to(self._device).requires_grad_()
        self._optimizer = torch.optim.Adam([self._start], lr=method.rate)

    def _moved(self, array: NDArray[Any]) -> Tensor:
        return self._torch.from_numpy(np.ascontiguousarray(array)).to(self._device)

    def _sparse(self, matrix: sp.csr_array) -> Tensor:
        parts = (matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), matrix.data)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta", UserWarning)
            return self._torch.sparse_csr_tensor(
                *(self._moved(part) for part in parts), size=matrix.shape, check_invariants=True
            )

    def _propagated(self, vectors: Tensor) -> Tensor:
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
            vectors = self._propagated(self._start)
        vectors.requires_grad_()
        ahead = (vectors[users] * (vectors[liked] - vectors[others])).sum(dim=1)
        (-self._torch.nn.functional.logsigmoid(ahead).mean()).backward()
        self._optimizer.zero_grad()
        drawn = self._start[self._torch.cat([users, liked, others])]
        (self._method.decay * drawn.square().sum() / (2 * len(users))).backward()
        with self._torch.no_grad():
            # The graph has no direction, so that a gradient goes back as the vectors came.
            self._start.grad += self._propagated(vectors.grad)
        self._optimizer.step()

    def vectors(self) -> Vectors:
        with self._torch.no_grad():
            both: Array = self._propagated(self._start).cpu().numpy()
        both[~self._linked] = 0  # who is linked to nothing has learned nothing
        return Vectors(both[: self._users], both[self._users :])


def _graph(matrix: sp.csr_array) -> sp.csr_array:
    """Give users and tracks as one graph, each link divided by the roots of how many both ends have."""
    ones = sp.csr_array((np.ones(matrix.nnz, np.float32), matrix.indices, matrix.indptr), matrix.shape)
    both = sp.csr_array(sp.block_array([[None, ones], [ones.T, None]]))
    roots = np.sqrt(np.maximum(np.diff(both.indptr), 1)).astype(np.float32)
    both.data /= np.repeat(roots, np.diff(both.indptr)) * roots[both.indices]
    return both
