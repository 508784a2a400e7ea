"""A harvest in memory, without a ledger: the layers see the pages that were sampled."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sgr_spiders.layers.base import SEED_STEP, EndedWalk, PlaylistContents, Seed
from sgr_spiders.model.items import Comment, Cut, Playlist, PlaylistTrack, Track, User, Walk, WalkRequest
from sgr_spiders.soundcloud.raw import unpack
from sgr_spiders.storage.ledger.frontier import walk_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from sgr_spiders.layers.base import Layer
    from sgr_spiders.model.items import Entry, MainRecord, Page

Key = tuple[str, str]
"""Endpoint and target of a walk."""

Use = tuple[str, str, str]
"""A walk, and the step that a layer uses it for."""


@dataclass(slots=True)
class Sample:
    """The pages of one walk that were fetched.

    ``places`` are the positions that a cap compares (``kept`` after each page), as the spill assigns them:
    for comments, those of their authors.
    """

    walk: Walk
    entries: list[Entry] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    received: list[int] = field(default_factory=list)
    has_more: bool = True
    is_lost: bool = False
    reason: str | None = None
    resolved: tuple[str, int] | None = None
    _positions: dict[tuple[str, int], int] = field(default_factory=dict)

    def add(self, page: Page) -> None:
        """Add the next page of the walk."""
        for entry in page.entries:
            key = _counted(entry)
            place = self._positions.setdefault(key, len(self._positions))
            if place >= len(self.places) or isinstance(entry.record, Comment):
                self.entries.append(entry)
                self.places.append(place)
        self.kept.append(len(self._positions))
        self.received.append(page.received + sum(self.received[-1:]))
        self.resolved = page.resolved or self.resolved
        self.is_lost, self.reason = page.status is not None, page.reason
        self.has_more = page.next_cursor is not None and not self.is_lost
        self.walk = replace(
            self.walk,
            cursor=page.next_cursor or "",
            pages=self.pages,
            received=self.received[-1],
            size=page.size or self.walk.size,
        )

    @property
    def pages(self) -> int:
        """The number of pages."""
        return len(self.kept)

    def records(self, cap: int) -> list[MainRecord]:
        """Return the records up to *cap*."""
        if self.resolved is not None:
            kind, record_id = self.resolved
            return [User(record_id)] if kind == "user" else []
        return [entry.record for entry, place in zip(self.entries, self.places, strict=True) if place < cap]

    def spent(self, cap: int) -> tuple[int, int] | None:
        """Return the pages and items until *cap* or the end; ``None`` if more pages are needed."""
        for page, kept in enumerate(self.kept):
            if kept >= cap:
                # As the ledger counts: without what the cap cuts from the page.
                return page + 1, self.received[page] - (kept - cap)
        return None if self.has_more else (self.pages, sum(self.received[-1:]))


def _counted(entry: Entry) -> tuple[str, int]:
    record = entry.record
    if isinstance(record, Comment):
        return "user", -record.comment_id if record.user_id is None else record.user_id
    return record.kind, record.record_id


@dataclass(slots=True)
class Family:
    """The walks that follow from the records of one walk, e.g. the libraries of a track's likers.

    Attributes:
        parent: The walk whose records these are, as the layer wants it.
        endpoint: The endpoint of the walks that follow.
        cap: Their largest cap.
        seen: The number of records of *parent* that are known, as its cap counts them.
        children: The walks that follow from those.
    """

    parent: WalkRequest
    endpoint: str
    cap: int = 0
    seen: int = 0
    children: dict[Key, WalkRequest] = field(default_factory=dict)


@dataclass(slots=True)
class Wants:
    """The requests and cuts of one layer around one seed.

    Attributes:
        requests: All requests, by use.
        first: The uses that follow from the seed alone.
        families: Walks that follow from records of other walks, for each of those.
        cuts: What the layer reports to leave out.
    """

    requests: dict[Use, WalkRequest] = field(default_factory=dict)
    first: set[Use] = field(default_factory=set)
    families: list[Family] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)


class Rehearsal:
    """The samples, and what the layers want of them."""

    def __init__(self, layers: Mapping[str, Layer]) -> None:
        self.layers = layers
        self.samples: dict[Key, Sample] = {}

    def add(self, page: Page) -> None:
        """Add a page of a walk."""
        key = page.walk.endpoint, page.walk.target
        sample = self.samples.setdefault(key, Sample(page.walk))
        if page.is_too_large and page.size is not None:
            sample.walk = replace(sample.walk, size=page.size)
            return
        sample.add(page)

    def next_page(self, key: Key) -> Walk:
        """Return the walk at its next page."""
        sample = self.samples.get(key)
        return Walk(walk_id(*key), *key) if sample is None else sample.walk

    def seed(self, track_id: int) -> Seed | None:
        """Return the seed as the layers see it; ``None`` if it is not known."""
        sample = self.samples.get(("track", str(track_id)))
        if sample is None or not sample.entries:
            return None
        entry = sample.entries[0]
        assert isinstance(entry.record, Track)
        users = [record for record in entry.inside if isinstance(record, User)]
        artist = next((user for user in users if user.user_id == entry.record.artist_id), None)
        return Seed(entry.record, artist, unpack(entry.record.raw) if entry.record.raw else {})

    def ask(self, seed: Seed, layer: Layer) -> Wants:
        """Return what *layer* wants around *seed*, as if the samples were all there is."""
        wants = Wants()
        request = WalkRequest("track", str(seed.track.track_id), SEED_STEP, 1)
        self._follow(wants, seed, layer, [request])
        while layer.needs_second_pass:
            view = _View(self.samples, list(wants.requests.values()))
            more = list(layer.after_all_ended(seed, view))
            new = [
                want for want in more if isinstance(want, WalkRequest) and use_of(want) not in wants.requests
            ]
            if not new:
                wants.cuts += [want for want in more if isinstance(want, Cut)]
                break
            self._follow(wants, seed, layer, new)
        return wants

    def _follow(self, wants: Wants, seed: Seed, layer: Layer, requests: Iterable[WalkRequest]) -> None:
        pending = list(requests)
        while pending:
            request = pending.pop()
            if use_of(request) in wants.requests:
                continue
            wants.requests[use_of(request)] = request
            if not request.cap or request.step not in layer.expanding_steps:
                continue
            found = list(self._ask_about(wants, seed, layer, request))
            pending += found
            if request.step == SEED_STEP:
                wants.first.update(map(use_of, found))
            elif found or (request.endpoint, request.target) not in self.samples:
                self._add_families(wants, request, found)

    def _ask_about(
        self, wants: Wants, seed: Seed, layer: Layer, request: WalkRequest
    ) -> Iterator[WalkRequest]:
        sample = self.samples.get((request.endpoint, request.target))
        for record in sample.records(request.cap) if sample is not None else ():
            for want in layer.found(request.step, seed, record):
                if isinstance(want, WalkRequest):
                    yield want
                elif isinstance(want, Cut):
                    wants.cuts.append(want)

    def _add_families(self, wants: Wants, request: WalkRequest, found: Iterable[WalkRequest]) -> None:
        sample = self.samples.get((request.endpoint, request.target))
        seen = min(request.cap, sample.kept[-1]) if sample is not None and sample.kept else 0
        families: dict[str, Family] = {}
        for child in found:
            family = families.setdefault(child.endpoint, Family(request, child.endpoint, seen=seen))
            family.cap = max(family.cap, child.cap)
            family.children[child.endpoint, child.target] = child
        if not seen:
            families[""] = Family(request, "")
        wants.families += families.values()


def use_of(request: WalkRequest) -> Use:
    """Return the use of *request*."""
    return request.endpoint, request.target, request.step


class _View:
    """The samples as a layer sees them: a ``layers.base.LayerView``."""

    def __init__(self, samples: Mapping[Key, Sample], requests: Collection[WalkRequest]) -> None:
        self._samples = samples
        self._requests = requests

    def walks(self, step: str) -> list[EndedWalk]:
        found = [request for request in self._requests if request.step == step]
        return [
            EndedWalk(request.target, self._samples[request.endpoint, request.target].records(request.cap))
            for request in sorted(found, key=lambda request: request.target)
            if (request.endpoint, request.target) in self._samples
        ]

    def contents(self, playlist_ids: Collection[int]) -> dict[int, PlaylistContents]:
        inline = self._inline()
        return {playlist: self._contents_of(playlist, inline.get(playlist, ())) for playlist in playlist_ids}

    def _contents_of(self, playlist: int, inline: Iterable[int]) -> PlaylistContents:
        key = "playlist_tracks", str(playlist)
        is_walk = any((request.endpoint, request.target) == key for request in self._requests)
        if key in self._samples:
            tracks = self._samples[key].records(1 << 30)
            return PlaylistContents([track.record_id for track in tracks], (), is_walk)
        return PlaylistContents(list(inline), (), is_walk)

    def _inline(self) -> dict[int, list[int]]:
        """Return the tracks that were listed with their playlists."""
        found: dict[int, list[int]] = {}
        for sample in self._samples.values():
            for entry in sample.entries:
                if isinstance(entry.record, Playlist):
                    places = [record for record in entry.inside if isinstance(record, PlaylistTrack)]
                    places.sort(key=lambda place: place.position)
                    found[entry.record.playlist_id] = [place.track_id for place in places]
        return found
