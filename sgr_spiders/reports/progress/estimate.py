"""Estimate the remaining time of a harvest from its ledger."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sgr_spiders.soundcloud.endpoints import ENDPOINTS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sgr_spiders.storage.figures.progress_counts import WalkGroup

DEFAULT_PAGE_SIZE = 50
"""Records per page of endpoints without a ``limit`` parameter."""

PAGE_SIZES = {
    name: int(dict(endpoint.params).get("limit", DEFAULT_PAGE_SIZE)) if endpoint.paged else 1
    for name, endpoint in ENDPOINTS.items()
}
"""Maximum number of records per page of each endpoint."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The remaining seconds of the known walks; ``may_grow``: layers may request more walks."""

    seconds: float
    may_grow: bool


def estimate(
    groups: Sequence[WalkGroup],
    settling: Collection[str],
    seconds_per_page: float | None,
    hold: float,
) -> Estimate | None:
    """Estimate the remaining time; ``None`` until a page shows how long one takes.

    The estimate is ``pending pages x seconds per page + rest of the rate-limit pause``.

    - If the API states how many records a pending walk has: the pages that these records fill, up to the
      cap, less what was received; at least one.
    - Otherwise: the mean number of pages of the finished walks of the same endpoint; one if none has
      finished.
    - The seconds per page are measured over the last minute (see ``request_rate``). They include the
      delay, retries and concurrency, but not rate-limit pauses.

    The API's counters include records that it does not return, so this tends to be too long. It covers the
    known walks only, while a layer may request more (``may_grow``): because it reads the records of a pending
    walk, or makes a choice after its walks have finished (*settling*). So it may be too short or too long.
    """
    if seconds_per_page is None:
        return None
    seconds = pages_left(groups) * seconds_per_page + hold
    return Estimate(seconds, any(may_grow(group, settling) for group in groups))


def pages_left(groups: Sequence[WalkGroup]) -> float:
    """Estimate how many pages the pending walks still need."""
    finished: dict[str, int] = defaultdict(int)
    pages: dict[str, int] = defaultdict(int)
    for group in groups:
        if not group.pending:
            finished[group.endpoint] += group.walks
            pages[group.endpoint] += group.pages
    left = 0.0
    for group in groups:
        if group.pending:
            finished_walks = finished[group.endpoint]
            usual = pages[group.endpoint] / finished_walks if finished_walks else 1.0
            left += group.foreseen_pages + (group.walks - group.foreseen) * usual
    return left


def may_grow(group: WalkGroup, settling: Collection[str], layer: str | None = None) -> bool:
    """Return whether *layer* (``None``: any layer) may request more walks because of this group."""
    if not group.pending:
        return False
    # Walks without a layer look up the URL of a seed; every layer starts from their result.
    asking = group.shown_to | group.layers.intersection(settling)
    return not group.layers or (bool(asking) if layer is None else layer in asking)
