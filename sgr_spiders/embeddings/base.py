"""What a method of making vectors is: it learns from who likes what, and from playlists."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sgr_spiders.model.exceptions import EmbeddingError, NothingToLearnError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType
    from typing import Any

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    Array = NDArray[np.float32]
    Numbers = NDArray[np.int64]

EXTRA = "ml"
"""The extra of pyproject.toml that installs the packages some methods need."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """What there is to learn from.

    *matrix*: users x tracks, weights above 0. *playlists*: each one's tracks in its order, as columns of the
    matrix.
    """

    matrix: csr_array
    playlists: Sequence[Numbers] = ()


@dataclass(frozen=True, slots=True)
class Vectors:
    """float32, one row for each user and each track of the corpus; a row of zeros where nothing is known.

    A user's inner product with a track tells how much the track is recommended. The cosine of two tracks, or
    of two users, tells how alike they are.
    """

    users: Array
    tracks: Array

    @property
    def dimensions(self) -> int:
        return int(self.tracks.shape[1])


@dataclass(frozen=True, slots=True)
class Library:
    """One user's tracks, for whom a vector is wanted that was not learned.

    *tracks*: their rows of *vectors*, which are those of all tracks. *fans*: the sum of the weights with
    which all users like each of *tracks*. *weights*: how much this user likes each.
    """

    vectors: Array
    tracks: Numbers
    fans: Array
    weights: Array


class Method(ABC):
    """A way to make vectors. The same corpus, dimensions and random seed give the same on one machine.

    Where many threads or a graphics card add up (``lightgcn``), they may differ in their last digits.
    """

    name: ClassVar[str]
    usual_dimensions: ClassVar[int] = 64
    more_sources: ClassVar[tuple[str, ...]] = ()
    """What speaks for interactions in any case, beside what is asked for."""

    def __init__(self, dimensions: int | None = None, random_seed: int = 1) -> None:
        """*dimensions*: at most, fewer where the data have no more to say; ``None``: as many as suit it."""
        self.dimensions = dimensions or self.usual_dimensions
        self.random_seed = random_seed

    def parameters(self) -> dict[str, Any]:
        """Give what shapes the vectors beside the corpus, as plain data."""
        return {"dimensions": self.dimensions, "random_seed": self.random_seed}

    @abstractmethod
    def fit(self, corpus: Corpus) -> Vectors:
        """Learn. Raises ``EmbeddingError`` if there is nothing to learn from, or a package is missing."""

    @abstractmethod
    def fold_in(self, library: Library) -> Array:
        """Give a vector to a user who was not there when the tracks got theirs."""

    def needed(self, module: str) -> ModuleType:
        """Import a module that is not always installed, or say in one line how to get it."""
        try:
            return import_module(module)
        except ModuleNotFoundError as error:
            raise EmbeddingError(
                f"method {self.name}: the package {error.name} is not installed; `make ml` installs what the "
                f"extra `{EXTRA}` names"
            ) from None


def refuse_nothing(corpus: Corpus) -> None:
    """Raise ``NothingToLearnError`` if nobody likes anything."""
    if not corpus.matrix.nnz:
        raise NothingToLearnError("nothing to learn from: no user likes any track here")


def unit(vectors: Array) -> Array:
    """Scale each row to length 1; zeros stay zeros."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Array = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return scaled
