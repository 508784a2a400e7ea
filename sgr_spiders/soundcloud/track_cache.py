"""Cache committed tracks: a track that repeats byte for byte is not decoded again.

A popular track is in hundreds of libraries. The items of a list are therefore split without decoding them,
and only items that are not cached are decoded. In ``python -m tests.benchmarks.throughput`` (569 pages of
libraries with mostly repeated tracks) this takes 18 ms of CPU time per page instead of 32.

Other modules take part in the cache: ``parse_page`` builds an entry from a ``CachedTrack``, validation and
dedupe skip ``Entry.cached``, ``records.write_entries`` writes only its link, and dedupe caches the committed
tracks.
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
"""The number of tracks to cache, most recent first (about 40 MB)."""


@dataclass(slots=True)
class Listing:
    """A list of the API whose ``items`` are decoded, or ``CachedTrack`` if they are repeated.

    ``keys`` are 64-bit hashes of the items' bytes. Two cached tracks collide with a probability below 1 in
    10 billion, and nobody can cause it on purpose, because Python's hashes differ between processes.
    """

    items: list[Any]
    keys: list[int]
    next_href: object
    sources: list[bytes]

    def decoded(self) -> list[Any]:
        """Return all items decoded, for a list that should not contain tracks."""
        return [
            orjson.loads(source) if type(item) is CachedTrack else item
            for item, source in zip(self.items, self.sources, strict=True)
        ]


class TrackCache:
    """The cached tracks, by the hash of their document."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._tracks: dict[int, CachedTrack] = {}

    def keep(self, cacheable: Mapping[int, Entry], committed: Container[int]) -> None:
        """Cache the *cacheable* entries whose track is *committed* (a set of ``id()`` values)."""
        for key, entry in cacheable.items():
            track = entry.record
            if id(track) in committed and isinstance(track, Track):
                self._tracks.pop(key, None)
                self._tracks[key] = CachedTrack(track, entry.inside, entry.main())
        while len(self._tracks) > self._capacity:
            del self._tracks[next(iter(self._tracks))]

    def decode(self, body: bytes) -> Document | Listing:
        """Decode like ``answers.decode``, but skip cached items of a list."""
        try:
            envelope = _open(body)
            sources = list(map(bytes, envelope.collection))
            keys = list(map(hash, sources))
            known = map(self._tracks.get, keys)
            items = [track or orjson.loads(source) for track, source in zip(known, sources, strict=True)]
        except (ValueError, RecursionError):
            # Not a list of the usual form, or one that needs the lenient decoder.
            return decode(body)
        return Listing(items, keys, envelope.next_href, sources)


class _Envelope(msgspec.Struct):
    collection: list[msgspec.Raw]
    next_href: Any = None


_open = msgspec.json.Decoder(_Envelope).decode
