"""What a layer is: a rule for what to fetch around a seed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sgr_spiders.items import MainRecord, Track, WalkRequest

SEED_STEP = "seed"
"""The step of the walk that fetches the seed itself: every layer begins with it."""


class Layer(ABC):
    """Called with what was found, a layer answers with the walks it wants next.

    It is pure: it knows nothing of HTTP, Scrapy or SQL, keeps no state, and gives the same answer
    whenever it is called with the same record. So what it wants can be asked for live, after a
    restart, or from a database that another seed has filled.
    """

    name: ClassVar[str]
    """Name of the layer, its spider and its section of the configuration."""

    expanding_steps: ClassVar[frozenset[str]]
    """The steps whose records it wants to be shown; walks of other steps only collect."""

    @abstractmethod
    def found(self, step: str, seed: Track, record: MainRecord) -> Iterable[WalkRequest]:
        """Tell which walks a *record*, found by a walk of this *step* around *seed*, gives rise to."""
