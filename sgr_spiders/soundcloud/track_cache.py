"""A cache of committed tracks: a track that comes again, byte for byte, is not read again.

One popular track is in hundreds of libraries. So the items of a list are cut apart without being decoded,
and only those are decoded that are not cached. In ``python -m tests.benchmarks.throughput`` (569 pages of
libraries, most of whose tracks come again) this takes 18 ms of CPU per page instead of 32.

Its price elsewhere: ``parse_page`` makes an entry of a ``CachedTrack``, validation and dedupe pass over
``Entry.cached``, ``records.write_entries`` writes no more than the link, and dedupe hands over what was
committed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
import orjson

from sgr_spiders.model.items import CachedTrack, Track
from sgr_spiders.soundcloud.answers import decode

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from sgr_spiders.model.items import Entry
    from sgr_spiders.soundcloud.answers import Document

CAPACITY: Final = 16_000
"""Tracks that are cached, the latest ones: about 40 MB."""


@dataclass(slots=True)
class Listing:
    """A list of the API whose ``items`` are decoded, or ``CachedTrack`` where they came before.

    ``keys`` stand for the items' bytes. They are hashes of 64 bits: among the cached tracks two are alike
    with a probability below one in ten thousand million, and nobody outside can aim at it, because Python's
    hashes differ from process to process.
    """

    items: list[Any]
    keys: list[int]
    next_href: object
    sources: list[bytes]

    def decoded(self) -> list[Any]:
        """Return all items decoded, for a list in which tracks are out of place."""
        return [
            orjson.loads(source) if type(item) is CachedTrack else item
            for item, source in zip(self.items, self.sources, strict=True)
        ]


class TrackCache:
    """Tracks that are committed, by the hash of their document."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._tracks: dict[int, CachedTrack] = {}

    def keep(self, cacheable: Mapping[int, Entry], committed: Container[int]) -> None:
        """Cache those of *cacheable* whose track is among the *committed* (by ``id()``)."""
        for key, entry in cacheable.items():
            track = entry.record
            if id(track) in committed and isinstance(track, Track):
                self._tracks.pop(key, None)
                self._tracks[key] = CachedTrack(track, entry.inside)
        while len(self._tracks) > self._capacity:
            del self._tracks[next(iter(self._tracks))]

    def decode(self, body: bytes) -> Document | Listing:
        """Decode as ``answers.decode`` does, but a list only as far as its items are not cached."""
        try:
            envelope = _open(body)
            sources = list(map(bytes, envelope.collection))
            keys = list(map(hash, sources))
            known = map(self._tracks.get, keys)
            items = [track or orjson.loads(source) for track, source in zip(known, sources, strict=True)]
        except (ValueError, RecursionError):
            # No list of the usual form, or one that takes the strict decoder.
            return decode(body)
        return Listing(items, keys, envelope.next_href, sources)


class _Envelope(msgspec.Struct):
    collection: list[msgspec.Raw]
    next_href: Any = None


_open = msgspec.json.Decoder(_Envelope).decode
