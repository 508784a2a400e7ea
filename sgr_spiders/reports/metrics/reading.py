"""All figures of a crawl at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sgr_spiders.storage.figures.harvest_state import HarvestState, LastRun


@dataclass(frozen=True, slots=True)
class Lane:
    """The pace of one API key at one moment. ``held_until``: the end of its pause, 0 without one."""

    name: str
    state: str
    interval: float
    held_until: float


@dataclass(frozen=True, slots=True)
class Reading:
    """All figures of a crawl at one moment. Times are in seconds since the epoch.

    Attributes:
        now: The time of the reading, which shows that the crawl is alive.
        started: The start of the run.
        running: False once the run has ended.
        stats: The statistics of the run so far.
        pages: The pages that the run has spilled.
        received: The records on these pages, by kind.
        lanes: The pace of each API key.
        state: What the database says, of about the same time.
        last_run: The run that ended last.
    """

    now: float
    started: float
    running: bool
    stats: Mapping[str, float]
    pages: int
    received: Mapping[str, int]
    lanes: Sequence[Lane]
    state: HarvestState
    last_run: LastRun | None
