"""Run a layer around one seed in a world in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sgr_spiders.layers.base import SEED_STEP, EndedWalk, Fact, Layer, PlaylistContents, Seed
from sgr_spiders.model.items import Comment, Cut, Mention, Selection, WalkRequest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sgr_spiders.model.items import MainRecord


@dataclass(frozen=True)
class World:
    """Content of the API: the records of each walk, by endpoint and target, and the tracks of playlists.

    The tracks of a playlist that is not ``embedded`` are known after its walk was fetched.
    """

    walks: Mapping[tuple[str, str], Sequence[MainRecord]]
    playlists: Mapping[int, Sequence[int]] = field(default_factory=dict)
    embedded: frozenset[int] = frozenset()


@dataclass
class LayerResult:
    """Requests and records of a layer, as lines of text, which make differences easy to read."""

    asked: list[str] = field(default_factory=list)
    """Requested walks as ``endpoint target step cap``, in order."""
    expected: dict[str, int] = field(default_factory=dict)
    """Expected number of records by ``endpoint target``, if the layer knows it."""
    kept: list[str] = field(default_factory=list)
    """Kept records as ``kind id``, followed by the score if there is one, in order."""
    named: list[str] = field(default_factory=list)
    """Mentions as ``kind of track: name``, followed by the account if there is one."""
    facts: list[Fact] = field(default_factory=list)
    cuts: list[str] = field(default_factory=list)
    """Reported cuts as ``setting kept of available``, followed by the target if there is one."""


def as_view(walks: Mapping[str, list[EndedWalk]], playlists: Mapping[int, Sequence[int]]) -> _View:
    """Return the view that a layer has of its fetched walks, and of playlists listed with their tracks."""
    return _View(walks, {number: PlaylistContents(tracks) for number, tracks in playlists.items()})


def when_all_ended(layer: Layer, seed: Seed, view: _View) -> list[object]:
    """Return what *layer* requests after all its walks are finished."""
    return list(layer.after_all_ended(seed, view))


def drive(layer: Layer, seed: Seed, world: World) -> LayerResult:
    """Fetch all requests of *layer* from *world* until there are no more."""
    driver = _Driver(layer, seed, world)
    driver.note(driver.fetch_all(layer.found(SEED_STEP, seed, seed.track)))
    while layer.needs_second_pass:
        before = len(driver.answers.asked)
        choices = driver.fetch_all(when_all_ended(layer, seed, driver.view()))
        if len(driver.answers.asked) == before:
            driver.note(choices)
            break
    return driver.answers


class _Driver:
    def __init__(self, layer: Layer, seed: Seed, world: World) -> None:
        self.answers = LayerResult()
        self._layer, self._seed, self._world = layer, seed, world
        self._walks: dict[str, dict[str, EndedWalk]] = {}
        self._playlists: dict[int, PlaylistContents] = {}

    def view(self) -> _View:
        walks = {step: [ended[name] for name in sorted(ended)] for step, ended in self._walks.items()}
        return _View(walks, self._playlists)

    def fetch_all(self, wanted: Iterable[object]) -> list[Selection | Mention | Cut]:
        """Fetch the walks among *wanted* and record the facts; return the choices, which may still change."""
        choices: list[Selection | Mention | Cut] = []
        for want in wanted:
            if isinstance(want, WalkRequest):
                self._fetch(want)
            elif isinstance(want, Selection | Mention | Cut):
                choices.append(want)
            else:
                assert isinstance(want, Fact)
                if want not in self.answers.facts:
                    self.answers.facts.append(want)
        return choices

    def note(self, choices: Iterable[Selection | Mention | Cut]) -> None:
        for want in choices:
            if isinstance(want, Selection):
                score = "" if want.score is None else f" {want.score:.2f}"
                self._keep(f"{want.kind} {want.record_id}{score}")
            elif isinstance(want, Cut):
                self.answers.cuts.append(
                    f"{want.setting} {want.kept} of {want.available} {want.target}".rstrip()
                )
            else:
                account = "" if want.user_id is None else f" {want.user_id}"
                self.answers.named.append(f"{want.kind} of {want.track_id}: {want.name}{account}")

    def _fetch(self, request: WalkRequest) -> None:
        ended = self._walks.setdefault(request.step, {})
        if not request.cap or request.target in ended:
            return
        self.answers.asked.append(f"{request.endpoint} {request.target} {request.step} {request.cap}")
        if request.expected is not None:
            self.answers.expected[f"{request.endpoint} {request.target}"] = request.expected
        records = _first(self._world.walks.get((request.endpoint, request.target), ()), request.cap)
        self._fetch_contents(request, records)
        ended[request.target] = EndedWalk(request.target, records)
        for record in records:
            if not request.selective:
                self._keep(f"{record.kind} {record.record_id}")
            if request.step in self._layer.expanding_steps:
                self.note(self.fetch_all(self._layer.found(request.step, self._seed, record)))

    def _fetch_contents(self, request: WalkRequest, records: Iterable[MainRecord]) -> None:
        """Store the tracks of a playlist, or of those playlists among *records* that embed them."""
        if request.endpoint == "playlist_tracks":
            playlist = int(request.target)
            self._playlists[playlist] = PlaylistContents(self._tracks(playlist)[: request.cap], is_walk=True)
        for record in records:
            if record.kind == "playlist" and record.record_id in self._world.embedded:
                tracks, cap = self._tracks(record.record_id), request.inline_cap
                assert cap is not None
                self._playlists.setdefault(record.record_id, PlaylistContents(tracks[:cap], tracks[cap:]))

    def _tracks(self, playlist: int) -> list[int]:
        return list(dict.fromkeys(self._world.playlists[playlist]))

    def _keep(self, line: str) -> None:
        if line not in self.answers.kept:
            self.answers.kept.append(line)


def _first(records: Sequence[MainRecord], cap: int) -> list[MainRecord]:
    """Return the records up to a cap; comments are counted by their authors."""
    counted: set[object] = set()
    first = []
    for record in records:
        author = record.user_id if isinstance(record, Comment) else None
        one = (record.record_id, "itself") if author is None else (author, "author")
        if one in counted or len(counted) < cap:
            counted.add(one)
            first.append(record)
    return first


class _View:
    def __init__(
        self, walks: Mapping[str, list[EndedWalk]], playlists: Mapping[int, PlaylistContents]
    ) -> None:
        self._walks = walks
        self._playlists = playlists

    def walks(self, step: str) -> Sequence[EndedWalk]:
        return self._walks.get(step, [])

    def contents(self, playlist_ids: Collection[int]) -> Mapping[int, PlaylistContents]:
        return {number: self._playlists.get(number, PlaylistContents()) for number in playlist_ids}
