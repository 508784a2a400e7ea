"""The tracks that came before, byte for byte: what was made of them is used again.

One popular track is in hundreds of libraries, and decoding, reading, judging and comparing it each time
takes longer than all else that a page needs. So the items of a list are cut apart without being decoded,
and only those are decoded that are not remembered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
import orjson

from sgr_spiders.soundcloud.answers import decode

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from sgr_spiders.items import Made
    from sgr_spiders.soundcloud.answers import Document

CAPACITY: Final = 20_000
"""Tracks remembered, the latest ones: about 50 MB."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """An item of a list that came before, and what was made of it."""

    made: Made
    source: bytes

    def decode(self) -> Any:  # noqa: ANN401 - whatever JSON holds
        return orjson.loads(self.source)


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of the API whose items are decoded or recalled. ``keys`` stand for the items' bytes.

    They are hashes of 64 bits: among the tracks remembered two are alike with a probability below one in
    ten thousand million, and nobody outside can aim at it, because Python's hashes differ from process to
    process.
    """

    items: list[Any]
    keys: list[int]
    next_href: object


class Recall:
    """Remembers tracks that are committed. Their records are shared by pages and must not be changed."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._made: dict[int, Made] = {}

    def keep(self, fresh: Mapping[int, Made], committed: Container[int]) -> None:
        """Remember those of *fresh* whose track is among the *committed* (by ``id()``)."""
        for key, made in fresh.items():
            if id(made[0]) in committed:
                self._made.pop(key, None)
                self._made[key] = made
        while len(self._made) > self._capacity:
            del self._made[next(iter(self._made))]

    def decode(self, body: bytes) -> Document | Listing:
        """Decode as ``answers.decode`` does, but a list only as far as its items are not remembered."""
        try:
            envelope = _open(body)
            sources = [bytes(memoryview(item)) for item in envelope.collection]
            keys = list(map(hash, sources))
            items = [self._item(key, source) for key, source in zip(keys, sources, strict=True)]
        except (ValueError, RecursionError):
            # No list of the usual form, or one that takes the strict decoder.
            return decode(body)
        return Listing(items, keys, envelope.next_href)

    def _item(self, key: int, source: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
        made = self._made.get(key)
        return orjson.loads(source) if made is None else Recalled(made, source)


class _Envelope(msgspec.Struct):
    collection: list[msgspec.Raw]
    next_href: Any = None


_open = msgspec.json.Decoder(_Envelope).decode
