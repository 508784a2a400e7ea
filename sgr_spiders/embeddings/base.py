"""The interface of a method that learns vectors from likes and playlists."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

from sgr_spiders.model.exceptions import EmbeddingError, NothingToLearnError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType
    from typing import Any

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    Array = NDArray[np.float32]
    Numbers = NDArray[np.int64]

EXTRA = "ml"
"""The extra in pyproject.toml with the packages that some methods need."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """The training input.

    *matrix*: users x tracks, weights above 0. *playlists*: the tracks of each playlist in order, as columns
    of the matrix. *seeds*: the columns of tracks that users were harvested by, so that liking them says
    nothing about taste. *recency*: the place of each entry of the matrix in its user's list, 0 for the
    newest, or -1 if it is not known; ``None``: no order is known.
    """

    matrix: csr_array
    playlists: Sequence[Numbers] = ()
    seeds: Numbers = field(default_factory=lambda: np.empty(0, np.int64))
    recency: Numbers | None = None


@dataclass(frozen=True, slots=True)
class Vectors:
    """The float32 vectors of all users and tracks of a corpus; zeros for a user or track without data.

    The inner product of a user and a track is the track's score for the user. The cosine of two tracks, or of
    two users, is their similarity.
    """

    users: Array
    tracks: Array

    @property
    def dimensions(self) -> int:
        return int(self.tracks.shape[1])


@dataclass(frozen=True, slots=True)
class Library:
    """The liked tracks of a user who was not part of the training.

    *vectors*: the vectors of all tracks. *tracks*: the rows of the liked tracks. *fans*: the sum of all
    users' weights for each of *tracks*. *weights*: this user's weight for each.
    """

    vectors: Array
    tracks: Numbers
    fans: Array
    weights: Array


class Recommender(Protocol):
    """A trained recommender."""

    def scores(self, users: Numbers) -> Array:
        """Return scores, users x tracks: higher is better, -inf excludes a track."""


class VectorRecommender:
    """A recommender by the inner products of users and tracks."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    def scores(self, users: Numbers) -> Array:
        scores: Array = self._vectors.users[users] @ self._vectors.tracks.T
        return scores


class Method(ABC):
    """A method that learns vectors.

    The same corpus, dimensions and random seed give the same vectors on one machine. With many threads or a
    GPU (``lightgcn``), the last digits may differ.
    """

    name: ClassVar[str]
    default_dimensions: ClassVar[int] = 64
    extra_sources: ClassVar[tuple[str, ...]] = ()
    """Sources of interactions in addition to the configured ones."""
    uses_order: ClassVar[bool] = False
    """True if ``fit`` takes the order of likes into account (``Corpus.recency``)."""
    chosen: Mapping[str, float] = MappingProxyType({})
    """The parameters that ``fit`` chooses on the corpus, if the method does."""

    def __init__(self, dimensions: int | None = None, random_seed: int = 1) -> None:
        """Configure the method.

        Args:
            dimensions: the maximum; a method may use fewer for small data. ``None``: its default.
            random_seed: the seed of all random choices.
        """
        self.dimensions = dimensions or self.default_dimensions
        self.random_seed = random_seed

    def parameters(self) -> dict[str, Any]:
        """Return the parameters that affect the vectors, as plain data."""
        return {"dimensions": self.dimensions, "random_seed": self.random_seed}

    @abstractmethod
    def fit(self, corpus: Corpus) -> Vectors:
        """Learn the vectors.

        Raises:
            EmbeddingError: the corpus is empty, or a package is missing.
        """

    def recommender(self, corpus: Corpus) -> Recommender:
        """Learn, and return a recommender.

        Raises:
            EmbeddingError: as ``fit``.
        """
        return VectorRecommender(self.fit(corpus))

    @abstractmethod
    def fold_in(self, library: Library) -> Array:
        """Return the vector of a user who was not part of the training."""

    def require(self, module: str) -> ModuleType:
        """Import an optional module, or raise an ``EmbeddingError`` that says how to install it."""
        try:
            return import_module(module)
        except ModuleNotFoundError as error:
            raise EmbeddingError(
                f"method {self.name}: the package {error.name} is not installed; `make ml` installs "
                f"the extra `{EXTRA}`"
            ) from None


def require_interactions(corpus: Corpus) -> None:
    """Raise ``NothingToLearnError`` if the matrix is empty."""
    if not corpus.matrix.nnz:
        raise NothingToLearnError("no interactions to train on: no user likes a track")


def unit(vectors: Array) -> Array:
    """Scale each row to length 1; zeros stay zeros."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Array = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return scaled
