"""lightgcn: a graph neural network on who likes what (torch; on the graphics card where there is one).

He et al., LightGCN: Simplifying and Powering Graph Convolution Network for Recommendation (SIGIR 2020),
https://arxiv.org/abs/2002.02126. Vectors are learned for users and tracks, so that their averages over some
steps along the graph rank what a user likes before what they do not (BPR loss: Rendle et al., UAI 2009,
https://arxiv.org/abs/1205.2618).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import scipy.sparse as sp

from sgr_spiders.embeddings.base import Method, Vectors, refuse_nothing

if TYPE_CHECKING:
    from types import ModuleType

    from sgr_spiders.embeddings.base import Array, Corpus, Library

SMALLEST_STD = 0.1
"""Of the normal distribution that the vectors are first drawn from, as in the authors' code."""


class LightGcn(Method):
    """Takes long: minutes on a processor for what svd does in seconds."""

    name: ClassVar[str] = "lightgcn"
    layers: ClassVar[int] = 3
    epochs: ClassVar[int] = 60
    batch: ClassVar[int] = 4096
    rate: ClassVar[float] = 0.005
    decay: ClassVar[float] = 1e-4

    def parameters(self) -> dict[str, Any]:
        names = ("layers", "epochs", "batch", "rate", "decay")
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
        shares: Array = library.weights / np.sqrt(library.fans)
        vector: Array = shares @ library.vectors[library.tracks]
        return vector


class _Training:
    def __init__(self, torch: ModuleType, corpus: Corpus, method: LightGcn) -> None:
        self._torch, self._method = torch, method
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._users, self._tracks = corpus.matrix.shape
        pairs = sp.coo_array(corpus.matrix)
        self._pairs = self._moved(np.stack([pairs.coords[0], pairs.coords[1]]).astype(np.int64))
        self._graph = self._normalised(corpus.matrix)
        # Drawn on the processor, so that one seed gives the same start everywhere.
        self._random = torch.Generator().manual_seed(method.random_seed)
        start = torch.randn(self._users + self._tracks, method.dimensions, generator=self._random)
        self._start = (SMALLEST_STD * start).to(self._device).requires_grad_()
        self._optimizer = torch.optim.Adam([self._start], lr=method.rate)

    def _moved(self, array: np.ndarray[Any, Any]) -> Any:  # noqa: ANN401 - a tensor, if torch is there
        return self._torch.from_numpy(np.ascontiguousarray(array)).to(self._device)

    def _normalised(self, matrix: sp.csr_array) -> Any:  # noqa: ANN401 - as above
        ones = sp.csr_array((np.ones(matrix.nnz, np.float32), matrix.indices, matrix.indptr), matrix.shape)
        both = sp.csr_array(sp.block_array([[None, ones], [ones.T, None]]))
        roots = np.sqrt(np.maximum(np.diff(both.indptr), 1)).astype(np.float32)
        both.data /= np.repeat(roots, np.diff(both.indptr)) * roots[both.indices]
        parts = (both.indptr.astype(np.int64), both.indices.astype(np.int64), both.data)
        return self._torch.sparse_csr_tensor(*(self._moved(part) for part in parts), size=both.shape)

    def _propagated(self) -> Any:  # noqa: ANN401 - as above
        layer = total = self._start
        for _ in range(self._method.layers):
            layer = self._graph @ layer
            total = total + layer
        return total / (self._method.layers + 1)

    def run_epoch(self) -> None:
        order = self._torch.randperm(self._pairs.shape[1], generator=self._random)
        for part in order.split(self._method.batch):
            users, liked = self._pairs[:, part.to(self._device)]
            others = self._torch.randint(self._tracks, (len(part),), generator=self._random).to(self._device)
            self._optimizer.zero_grad()
            self._loss(users, self._users + liked, self._users + others).backward()
            self._optimizer.step()

    def _loss(self, users: Any, liked: Any, others: Any) -> Any:  # noqa: ANN401 - as above
        vectors = self._propagated()
        ahead = (vectors[users] * (vectors[liked] - vectors[others])).sum(dim=1)
        drawn = self._torch.cat([self._start[users], self._start[liked], self._start[others]])
        decay = self._method.decay * drawn.square().sum() / (2 * len(users))
        return -self._torch.nn.functional.logsigmoid(ahead).mean() + decay

    def vectors(self) -> Vectors:
        with self._torch.no_grad():
            both: Array = self._propagated().cpu().numpy()
        linked = self._graph.crow_indices().diff().cpu().numpy() > 0
        both[~linked] = 0  # who is linked to nothing has learned nothing
        return Vectors(both[: self._users], both[self._users :])
