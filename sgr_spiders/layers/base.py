"""What a layer is: a rule for what to fetch around a seed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from sgr_spiders.model.items import Comment, Engagement, Mention, Selection, Track, User, WalkRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sgr_spiders.model.items import MainRecord

SEED_STEP = "seed"
"""The step of the walk that fetches the seed itself: every layer begins with it."""

SEARCH_DEPTH = 1000
"""Hits of a search that can be looked at: the API gives none beyond that."""

EVERYTHING = 10**9
"""The cap of a walk that is wanted to its end."""


@dataclass(frozen=True, slots=True)
class FixedCap:
    """A cap that no setting moves, and why it is there."""

    why: str


ALL_THE_API_GIVES = FixedCap("the API gives no more hits of a search")

Fact = User | Comment | Engagement
"""A record that a layer completes out of several walks, where no single one says it all."""

Wanted = WalkRequest | Selection | Mention | Fact
"""What a layer may answer: a walk to fetch, a record to keep, a name it found in a track, a fact."""


@dataclass(frozen=True, slots=True)
class Seed:
    """The seed, who uploaded it (``None``: not said), and the API's fields that have no column."""

    track: Track
    artist: User | None
    unknown_fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class EndedWalk:
    """A walk a layer asked for, and the records it brought, in the API's order, up to the layer's cap."""

    target: str
    records: Sequence[MainRecord]


class LayerView(Protocol):
    """The walks that a layer sees: those that it wanted around one seed."""

    def walks(self, step: str) -> Sequence[EndedWalk]:
        """Return the walks of *step*, by target."""

    def playlist_tracks(self, playlist_id: int, cap: int) -> Sequence[int]:
        """Return the first *cap* tracks of a playlist, in order."""


class Layer(ABC):
    """Called with what was found, a layer answers with what it wants next.

    It is pure: it knows nothing of HTTP, Scrapy or SQL, keeps no state, and gives the same answer
    whenever it is called with the same. So what it wants can be asked for live, after a restart, or
    from a database that another seed has filled.
    """

    name: ClassVar[str]
    """Name of the layer, its spider and its section of the configuration."""

    expanding_steps: ClassVar[frozenset[str]]
    """The steps whose records it wants to be shown one by one; walks of other steps only collect."""

    needs_second_pass: ClassVar[bool] = False
    """Whether it has something to say when all it asked for has ended, see :meth:`after_all_ended`."""

    caps: ClassVar[Mapping[str, str | FixedCap]] = {}
    """What caps the walks of each step: a key of the layer's section, or a fixed cap. Walks of steps that
    are not here are wanted to their end."""

    @abstractmethod
    def found(self, step: str, seed: Seed, record: MainRecord) -> Iterable[Wanted]:
        """Tell what a *record*, found by a walk of this *step* around *seed*, gives rise to."""

    def after_all_ended(self, seed: Seed, view: LayerView) -> Iterable[Wanted]:
        """Return what all together gives rise to, now that every walk it asked for around *seed* has ended.

        For choices that need a whole list. If it asks for walks it has not asked for yet, it is called
        again when these have ended; what it selects counts once it asks for no more.
        """
        return ()
