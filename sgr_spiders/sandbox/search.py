"""Word search: every word of the query must occur; the most popular hits come first."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sgr_spiders.sandbox.seeding import Floats, Indices

_WORD = re.compile(r"\w+")


def tokens(text: str) -> list[str]:
    """Return the lower-case words without accents, in any script."""
    if text.isascii():
        return _WORD.findall(text.lower())
    plain = "".join(
        char for char in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(char)
    )
    return _WORD.findall(plain)


class SearchIndex:
    """An inverted index over one kind of object."""

    def __init__(self, documents: Iterable[str], weight: Floats) -> None:
        postings: dict[str, list[int]] = {}
        for number, document in enumerate(documents):
            for word in set(tokens(document)):
                postings.setdefault(word, []).append(number)
        self._postings = {word: np.array(found, dtype=np.int32) for word, found in postings.items()}
        self._weight = weight

    def find(self, query: str) -> Indices:
        """Return the indices of the matching objects in order of relevance."""
        empty: Indices = np.empty(0, dtype=np.int32)
        found: Indices | None = None
        for word in tokens(query):
            matches = self._postings.get(word, empty)
            found = matches if found is None else np.intersect1d(found, matches, assume_unique=True)
        return empty if found is None else self.by_weight(found)

    def by_weight(self, found: Indices) -> Indices:
        """Return the indices, the most popular first, ties by index."""
        return found[np.argsort(-self._weight[found], kind="stable")]
