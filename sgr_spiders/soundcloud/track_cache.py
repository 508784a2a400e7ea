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

from sgr_spiders.model.items import Made, Track, User
from sgr_spiders.soundcloud.answers import decode

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from sgr_spiders.model.items import Entry
    from sgr_spiders.soundcloud.answers import Document

CAPACITY: Final = 16_000
"""Tracks remembered, the latest ones: about 40 MB."""


@dataclass(slots=True)
class Listing:
    """A list of the API whose ``items`` are decoded, or ``Made`` where they came before.

    ``keys`` stand for the items' bytes. They are hashes of 64 bits: among the tracks remembered two are alike
    with a probability below one in ten thousand million, and nobody outside can aim at it, because Python's
    hashes differ from process to process.
    """

    items: list[Any]
    keys: list[int]
    next_href: object
    sources: list[bytes]

    def decoded(self) -> list[Any]:
        """Give all items decoded, for a list in which tracks are out of place."""
        return [
            orjson.loads(source) if type(item) is Made else item
            for item, source in zip(self.items, self.sources, strict=True)
        ]


class Recall:
    """Remembers tracks that are committed. Their records are shared by pages and must not be changed."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._made: dict[int, Made] = {}

    def keep(self, fresh: Mapping[int, Entry], committed: Container[int]) -> None:
        """Remember those of *fresh* whose track is among the *committed* (by ``id()``)."""
        for key, entry in fresh.items():
            track = entry.record
            if id(track) in committed and isinstance(track, Track):
                self._made.pop(key, None)
                users = tuple(one.user_id for one in entry.inside if isinstance(one, User))
                self._made[key] = Made(track, entry.inside, users)
        while len(self._made) > self._capacity:
            del self._made[next(iter(self._made))]

    def decode(self, body: bytes) -> Document | Listing:
        """Decode as ``answers.decode`` does, but a list only as far as its items are not remembered."""
        try:
            envelope = _open(body)
            sources = list(map(bytes, envelope.collection))
            keys = list(map(hash, sources))
            known = map(self._made.get, keys)
            items = [made or orjson.loads(source) for made, source in zip(known, sources, strict=True)]
        except (ValueError, RecursionError):
            # No list of the usual form, or one that takes the strict decoder.
            return decode(body)
        return Listing(items, keys, envelope.next_href, sources)


class _Envelope(msgspec.Struct):
    collection: list[msgspec.Raw]
    next_href: Any = None


_open = msgspec.json.Decoder(_Envelope).decode
