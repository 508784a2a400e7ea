"""The choice of the pages to sample: those that say most about the rest, within a budget."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sgr_spiders.layers.base import SEED_STEP
from sgr_spiders.soundcloud.endpoints import ENDPOINTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sgr_spiders.crawl.planning.rehearsal import Key, Rehearsal, Wants
    from sgr_spiders.model.items import WalkRequest

MAX_REQUESTS = 40
"""The default budget: 12 s at the default delay, about 4% of what a typical seed needs."""

REQUESTS_PER_SEED = 13
"""The requests of the budget for each seed that is sampled; the others are estimated by their counters."""

FEW = 12
"""A step with at most so many walks is sampled whole, of others some of ``SOME`` pages."""

SOME = 3

MANY_PAGES = 8
"""Pages of a list after which the rest of it is taken to be like them."""

ONE_OF_MANY, LAST = 3, 5
"""The ranks of walks that have many others like them, and of those that say least."""


def choose_seeds(seeds: Sequence[int], weights: Sequence[int], budget: int) -> list[int]:
    """Return the seeds to sample: as many as the *budget* allows, from all over the range of *weights*."""
    count = max(1, min(len(seeds), budget // REQUESTS_PER_SEED))
    ordered = [seed for _, seed in sorted(zip(weights, seeds, strict=True))]
    return [ordered[(2 * number + 1) * len(ordered) // (2 * count)] for number in range(count)]


def next_batch(rehearsal: Rehearsal, wants: Mapping[tuple[int, str], Wants]) -> list[Key]:
    """Return the walks whose next page is worth most; empty if there is nothing left to fetch.

    *wants* is what the layers want around the sampled seeds.
    """
    children = {key for each in wants.values() for family in each.families for key in family.children}
    ranked: dict[int, dict[Key, None]] = defaultdict(dict)
    for (layer, step), walks in _by_step(wants).items():
        expands = step in rehearsal.layers[layer].expanding_steps
        sampled = sum(key in rehearsal.samples for key in walks)
        for key, request in walks.items():
            sample = rehearsal.samples.get(key)
            if sample is None or sample.spent(request.cap) is None:
                is_one_of_many = key in children or len(walks) > FEW
                pages = 0 if sample is None else sample.pages
                ranked[_rank(pages, expands=expands, is_one_of_many=is_one_of_many, sampled=sampled)][key] = (
                    None
                )
    if not ranked:
        return []
    best = list(ranked[min(ranked)])
    # Of many walks of the same kind, some from all over the list, so that they are like the rest.
    return _spread(best) if min(ranked) == ONE_OF_MANY else best


def _by_step(wants: Mapping[tuple[int, str], Wants]) -> dict[tuple[str, str], dict[Key, WalkRequest]]:
    groups: dict[tuple[str, str], dict[Key, WalkRequest]] = defaultdict(dict)
    for (_, layer), each in wants.items():
        for request in each.requests.values():
            if request.cap and request.step != SEED_STEP and request.endpoint in ENDPOINTS:
                groups[layer, request.step][request.endpoint, request.target] = request
    return groups


def _rank(pages: int, *, expands: bool, is_one_of_many: bool, sampled: int) -> int:
    """Return the worth of the next page of a walk of which some *pages* are known; 0 is the highest."""
    if expands and pages < MANY_PAGES:
        return 2 if pages else 0
    if is_one_of_many:
        return ONE_OF_MANY if sampled < SOME else LAST
    return LAST - 1 if pages else 1


def _spread(keys: Sequence[Key]) -> list[Key]:
    step = max(1, len(keys) // SOME)
    return list(keys[step // 2 :: step][:SOME])
