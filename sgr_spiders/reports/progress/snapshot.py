"""What can be said of a harvest at one moment."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sgr_spiders.model.items import RECORD_TYPES
from sgr_spiders.reports.progress.estimate import Estimate, estimate, may_grow
from sgr_spiders.reports.progress.holds import Hold, Holds
from sgr_spiders.reports.progress.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sgr_spiders.storage.figures.progress_counts import WalkGroup

ENDS = ("done", "capped", "gone", "failed")
"""The ways a walk ends."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests sent, retries and token requests too; those not answered yet; the delay between two."""

    requests: int = 0
    in_flight: int = 0
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class WalksOf:
    """How many walks of a layer have ended, of those known. ``open``: there may be more to come."""

    ended: int
    known: int
    open: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """``walks`` are those of the harvest, its earlier runs included; the rest is about this run.

    ``layers`` count a walk that several of them share for each, ``walks`` counts it once. ``records``
    tells by kind how many the pages brought; one that several walks bring counts each time.
    """

    now: float
    elapsed: float
    walks: WalksOf
    layers: Mapping[str, WalksOf]
    ended: Mapping[str, int]
    pages: int
    records: Mapping[str, int]
    traffic: Traffic
    requests_per_minute: float | None
    hold: Hold | None
    estimate: Estimate | None
    closing: bool


class Tally:
    """Counts what a run does. Times are in seconds since the epoch."""

    def __init__(self, layers: Sequence[str], settling: Collection[str], now: float) -> None:
        """*layers* run in this order; *settling* are those that make a choice when all has ended."""
        self.holds = Holds()
        self.groups: Sequence[WalkGroup] = ()
        self._layers = layers
        self._settling = settling
        self._started = now
        self._pace = Pace(now)
        self._pages = 0
        self._records = Counter(dict.fromkeys(RECORD_TYPES, 0))

    def page(self, kinds: Iterable[str]) -> None:
        """Count a page with records of these *kinds*."""
        self._pages += 1
        self._records.update(kinds)

    def snapshot(self, now: float, traffic: Traffic, *, closing: bool) -> Snapshot:
        """Say how things stand *now*."""
        self._pace.note(now - self.holds.seconds(now), traffic.requests, self._pages)
        hold = self.holds.current(now)
        hold_left = hold.until - now if hold is not None else 0.0
        return Snapshot(
            now=now,
            elapsed=now - self._started,
            walks=self._walks_of(None),
            layers={layer: self._walks_of(layer) for layer in self._layers},
            ended={
                status: sum(group.walks for group in self.groups if group.status == status) for status in ENDS
            },
            pages=self._pages,
            records=self._records.copy(),
            traffic=traffic,
            requests_per_minute=self._pace.requests_per_minute,
            hold=hold,
            estimate=estimate(self.groups, self._settling, self._pace.seconds_per_page, hold_left),
            closing=closing,
        )

    def _walks_of(self, layer: str | None) -> WalksOf:
        """Count the walks that *layer* wants; ``None``: all walks."""
        groups = [group for group in self.groups if layer is None or layer in group.layers]
        return WalksOf(
            ended=sum(group.walks for group in groups if not group.waiting),
            known=sum(group.walks for group in groups),
            open=any(may_grow(group, self._settling, layer) for group in self.groups),
        )
