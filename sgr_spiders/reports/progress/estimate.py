"""How long a harvest will still take, as far as its ledger can tell."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sgr_spiders.soundcloud.endpoints import ENDPOINTS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sgr_spiders.storage.figures.progress_counts import WalkGroup

UNASKED_PAGE_SIZE = 50
"""What the API puts on a page where it cannot be asked for more."""

PAGE_SIZES = {
    name: int(dict(endpoint.params).get("limit", UNASKED_PAGE_SIZE)) if endpoint.paged else 1
    for name, endpoint in ENDPOINTS.items()
}
"""How many records a page of each endpoint holds at the most."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """``at_least``: layers may still ask for walks that are not known yet."""

    seconds: float
    at_least: bool


def estimate(
    groups: Sequence[WalkGroup],
    settling: Collection[str],
    seconds_per_page: float | None,
    hold: float,
) -> Estimate | None:
    """Estimate the time to the end; ``None`` while no page tells how long one takes.

    It is ``pages still needed x seconds per page + seconds that the hold still lasts``.

    - A waiting walk of which the API said how many records it holds needs as many pages as these fill,
      up to its cap, less what it has received; one at least.
    - Any other waiting walk needs as many pages as the ended walks of its endpoint had on average; one
      if none has ended.
    - The seconds per page are those of the last minute (see ``pace``): delay, retries and concurrency
      are in them, holds are not.

    The API's counts include what it does not hand out, which makes the estimate a little too long. It is
    a lower bound (``at_least``) as long as a waiting walk is one whose records a layer is shown, or is
    wanted by a layer that makes a choice at the end (*settling*): these may ask for walks that nobody
    knows of yet.
    """
    if seconds_per_page is None:
        return None
    seconds = pages_left(groups) * seconds_per_page + hold
    return Estimate(seconds, any(may_grow(group, settling) for group in groups))


def pages_left(groups: Sequence[WalkGroup]) -> float:
    """Estimate how many pages the waiting walks still need."""
    ended: dict[str, int] = defaultdict(int)
    pages: dict[str, int] = defaultdict(int)
    for group in groups:
        if not group.waiting:
            ended[group.endpoint] += group.walks
            pages[group.endpoint] += group.pages
    left = 0.0
    for group in groups:
        if group.waiting:
            usual = pages[group.endpoint] / ended[group.endpoint] if ended[group.endpoint] else 1.0
            left += group.foreseen_pages + (group.walks - group.foreseen) * usual
    return left


def may_grow(group: WalkGroup, settling: Collection[str], layer: str | None = None) -> bool:
    """Tell whether these walks may make *layer*, or any layer, ask for others."""
    if not group.waiting:
        return False
    # The address of a seed is looked up for no layer in particular; all of them begin with what it leads to.
    asking = group.shown_to | group.layers.intersection(settling)
    return not group.layers or (bool(asking) if layer is None else layer in asking)
