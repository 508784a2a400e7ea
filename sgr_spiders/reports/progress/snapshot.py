"""The progress of a harvest at one moment."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sgr_spiders.model.items import RECORD_TYPES
from sgr_spiders.reports.progress.estimate import Estimate, estimate, may_grow
from sgr_spiders.reports.progress.holds import Hold, Holds
from sgr_spiders.reports.progress.request_rate import RequestRate

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sgr_spiders.storage.figures.progress_counts import WalkGroup

FINISHED = ("done", "capped", "gone", "failed")
"""The statuses of a finished walk."""


@dataclass(frozen=True, slots=True)
class RequestState:
    """Requests sent (including retries and token requests) and in flight, and the delay between two.

    ``is_limited``: the API's rate limit was met, so the delay follows what it accepts. ``lanes`` are the
    states of several lanes by their names.
    """

    sent: int = 0
    in_flight: int = 0
    delay: float = 0.0
    is_limited: bool = False
    lanes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WalkProgress:
    """Finished and known walks of a layer. ``open``: more may follow."""

    finished: int
    known: int
    open: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The progress of a run.

    ``walks`` and ``layers`` include earlier runs of the harvest. A walk that several layers share counts once
    in ``walks``, and once for each layer in ``layers``. ``records`` counts the records on all pages by kind,
    including repeated ones.
    """

    now: float
    elapsed: float
    walks: WalkProgress
    layers: Mapping[str, WalkProgress]
    finished: Mapping[str, int]
    pages: int
    records: Mapping[str, int]
    requests: RequestState
    requests_per_minute: float | None
    hold: Hold | None
    estimate: Estimate | None
    closing: bool


class Tally:
    """Counts the progress of a run. Times are in seconds since the epoch."""

    def __init__(self, layers: Sequence[str], settling: Collection[str], now: float) -> None:
        """Start counting at *now*.

        Args:
            layers: all layers, in their order.
            settling: the layers that make a choice after their walks have finished.
            now: the current time.
        """
        self.holds = Holds()
        self.groups: Sequence[WalkGroup] = ()
        self._layers = layers
        self._settling = settling
        self._started = now
        self._rate = RequestRate(now)
        self._pages = 0
        self._records = Counter(dict.fromkeys(RECORD_TYPES, 0))

    def add_page(self, kinds: Iterable[str]) -> None:
        """Count a page with records of these *kinds*."""
        self._pages += 1
        self._records.update(kinds)

    def snapshot(self, now: float, requests: RequestState, *, closing: bool) -> Snapshot:
        """Return the progress *now*."""
        self._rate.sample(now - self.holds.seconds(now), requests.sent, self._pages)
        hold = self.holds.current(now)
        hold_left = hold.until - now if hold is not None else 0.0
        return Snapshot(
            now=now,
            elapsed=now - self._started,
            walks=self._count_walks(None),
            layers={layer: self._count_walks(layer) for layer in self._layers},
            finished={
                status: sum(group.walks for group in self.groups if group.status == status)
                for status in FINISHED
            },
            pages=self._pages,
            records=self._records.copy(),
            requests=requests,
            requests_per_minute=self._rate.requests_per_minute,
            hold=hold,
            estimate=estimate(self.groups, self._settling, self._rate.seconds_per_page, hold_left),
            closing=closing,
        )

    def _count_walks(self, layer: str | None) -> WalkProgress:
        """Count the walks that *layer* wants (``None``: all walks)."""
        groups = [group for group in self.groups if layer is None or layer in group.layers]
        return WalkProgress(
            finished=sum(group.walks for group in groups if not group.pending),
            known=sum(group.walks for group in groups),
            open=any(may_grow(group, self._settling, layer) for group in self.groups),
        )
