"""The interface of a layer: a rule for what to fetch around a seed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from sgr_spiders.model.items import Comment, Cut, Engagement, Mention, Selection, Track, User, WalkRequest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from sgr_spiders.model.items import MainRecord

SEED_STEP = "seed"
"""The step of the walk that fetches the seed; every layer begins with it."""

SEARCH_DEPTH = 1000
"""Maximum number of hits that the API returns for a search."""

EVERYTHING = 10**9
"""The cap of a walk to be fetched to its end."""


@dataclass(frozen=True, slots=True)
class FixedCap:
    """A cap that no setting changes, and its reason."""

    why: str


ALL_THE_API_GIVES = FixedCap("the API returns no more hits of a search")

Fact = User | Comment | Engagement
"""A record that a layer combines from several walks because none contains all of it."""

Wanted = WalkRequest | Selection | Mention | Cut | Fact
"""A layer's output: a walk to fetch, a record to keep, a name in a track, what was left out, or a fact."""


def cut(setting: str, cap: int, available: int, target: str = "") -> Iterator[Cut]:
    """Yield the cut if *setting*, whose value is *cap*, leaves out some of those *available*."""
    if available > cap:
        yield Cut(setting, cap, available, target)


@dataclass(frozen=True, slots=True)
class Seed:
    """The seed, its uploader (``None`` if unknown), and the API's fields that have no column."""

    track: Track
    artist: User | None
    unknown_fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class EndedWalk:
    """A finished walk that a layer requested, with its records in API order, up to the layer's cap."""

    target: str
    records: Sequence[MainRecord]


@dataclass(frozen=True, slots=True)
class PlaylistContents:
    """The known tracks of a playlist, in order.

    Attributes:
        tracks: The stored tracks.
        left_out: Tracks of which only the ID is known, because a cap left them out.
        is_walk: Whether the playlist's tracks are a walk of their own.
    """

    tracks: Sequence[int] = ()
    left_out: Sequence[int] = ()
    is_walk: bool = False

    def __contains__(self, track_id: int) -> bool:
        return track_id in self.tracks or track_id in self.left_out

    def __len__(self) -> int:
        return len(self.tracks) + len(self.left_out)

    def lacks(self, cap: int) -> bool:
        """Return whether some of the first *cap* tracks are not stored."""
        return len(self.tracks) < min(cap, len(self))


class LayerView(Protocol):
    """A layer's view of the data fetched for it around one seed."""

    def walks(self, step: str) -> Sequence[EndedWalk]:
        """Return the walks of *step*, ordered by target."""

    def contents(self, playlist_ids: Collection[int]) -> Mapping[int, PlaylistContents]:
        """Return the contents of these playlists; empty ones are also included."""


class Layer(ABC):
    """A rule that returns the next requests for the records found.

    A layer is pure: it does not depend on HTTP, Scrapy or SQL, keeps no state, and returns the same
    output for the same input. It can therefore be called live, after a restart, or with records that
    another seed has stored.
    """

    name: ClassVar[str]
    """The name of the layer, its spider and its configuration section."""

    expanding_steps: ClassVar[frozenset[str]]
    """The steps whose records are passed to :meth:`found`; walks of other steps only collect records."""

    needs_second_pass: ClassVar[bool] = False
    """True if :meth:`after_all_ended` must be called after all requested walks have ended."""

    caps: ClassVar[Mapping[str, str | FixedCap]] = {}
    """The cap of each step's walks: a key of the layer's section, or a fixed cap.

    Walks of other steps are fetched to their end.
    """

    @abstractmethod
    def found(self, step: str, seed: Seed, record: MainRecord) -> Iterable[Wanted]:
        """Return the requests that follow from a *record* found by a walk of this *step* around *seed*.

        It may report a ``Cut`` in the step of the seed.
        """

    def after_all_ended(self, seed: Seed, view: LayerView) -> Iterable[Wanted]:
        """Return the requests that need complete lists; called after all walks around *seed* have ended.

        If it requests new walks, it is called again after these have ended. Its selections count only
        once it requests no new walks.
        """
        return ()
