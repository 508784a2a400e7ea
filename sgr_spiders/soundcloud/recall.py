"""The tracks that came before, word for word: what was made of them is used again.

One popular track is in hundreds of libraries. Reading, judging and comparing it anew took 70 µs each
time, recalling it takes 6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from sgr_spiders.items import Made
    from sgr_spiders.soundcloud.raw import Document

CAPACITY: Final = 20_000
"""Tracks remembered, the latest ones: about 50 MB."""


def key_of(document: Document, fullness: int) -> int | None:
    """A hash that stands for the document as a track of this fullness; ``None`` if it cannot be written.

    Of 64 bits: among the tracks remembered two are alike with a probability below one in ten thousand
    million, and nobody outside can aim at it, because Python's hashes differ from process to process.
    """
    try:
        return hash((orjson.dumps(document), fullness))
    except TypeError:
        return None


class Recall:
    """Remembers tracks that are committed, just as they came.

    Their records are shared between pages, so they must not be changed.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._made: dict[int, Made] = {}

    def find(self, key: int | None) -> Made | None:
        return None if key is None else self._made.get(key)

    def keep(self, fresh: Mapping[int, Made], committed: Container[int]) -> None:
        """Remember those of *fresh* whose track is among the *committed* (by ``id()``)."""
        for key, made in fresh.items():
            if id(made[0]) in committed:
                self._made.pop(key, None)
                self._made[key] = made
        while len(self._made) > self._capacity:
            del self._made[next(iter(self._made))]
