"""The estimate of a harvest from its sample."""

from __future__ import annotations

from collections import defaultdict
from math import ceil
from typing import TYPE_CHECKING

from sgr_spiders.crawl.planning.extrapolation import Extrapolation
from sgr_spiders.crawl.planning.sizes import ONE_PAGE
from sgr_spiders.layers import cap_of
from sgr_spiders.layers.base import SEED_STEP
from sgr_spiders.reports.estimate import Amount, Estimate, PlannedCut

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sgr_spiders.crawl.planning.extrapolation import Part, StoredWalks
    from sgr_spiders.crawl.planning.rehearsal import Wants
    from sgr_spiders.crawl.planning.sizes import Size
    from sgr_spiders.crawl.planning.spider import SampleSpider


def estimate_harvest(
    spider: SampleSpider,
    stored: StoredWalks,
    *,
    database: str,
    bytes_per_record: tuple[int, str],
) -> Estimate:
    """Return the estimate of the harvest that *spider* has sampled.

    Args:
        spider: The spider, after its sample.
        stored: The walks that the database contains, which are not fetched.
        database: The name of the database.
        bytes_per_record: The bytes that an item takes in the database, and where that was measured.
    """
    wants = spider.wants(spider.ids)
    extrapolation = Extrapolation(spider.rehearsal, wants, spider.sampled, stored)
    known, lost = len({seed for seed, _ in wants}), spider.lost
    # Seeds that were not looked at are taken to be like the others.
    factor = (spider.seed_count - len(lost)) / known if known else 0.0
    # Those of lists are among the lookups already.
    lost_tracks = sum(str(track_id) in lost for track_id in spider.ids)
    lookups = sum(not stored.cover(key, 1) for key in spider.lookups) + lost_tracks
    amounts = {
        names: _amount(
            extrapolation.size(names).times(factor) + ONE_PAGE.times(lookups),
            spider.interval,
            bytes_per_record[0],
        )
        for names in [(name,) for name in spider.layer_names] + [spider.layer_names]
    }
    return Estimate(
        database=database,
        layers={name: amounts[name,] for name in spider.layer_names},
        together=amounts[spider.layer_names],
        seeds=spider.seed_count,
        known=known,
        sampled=len(spider.sampled),
        lost=lost,
        sent=spider.sent,
        budget=spider.budget,
        seconds_per_request=round(spider.interval, 4),
        pace=spider.pace,
        lanes=spider.lanes,
        bytes_per_record=bytes_per_record[0],
        bytes_from=bytes_per_record[1],
        cuts=_find_cuts(extrapolation, wants),
        hidden=_count_hidden(wants),
        is_exact=spider.is_whole,
        is_at_most=spider.arguments.by_delta,
        stops_at=spider.arguments.max_requests,
    )


def _amount(size: Size, interval: float, bytes_per_record: int) -> Amount:
    requests = round(size.requests)
    return Amount(
        requests=requests,
        least=min(requests, int(size.least)),
        most=max(requests, ceil(size.most)),
        records=round(size.items),
        seconds=round(size.requests * interval, 1),
        bytes=round(size.items * bytes_per_record),
    )


def _find_cuts(extrapolation: Extrapolation, wants: Mapping[Part, Wants]) -> list[PlannedCut]:
    """Return what caps will leave out, by setting, as far as the counters tell."""
    found: dict[str, list[tuple[int, int, int | None]]] = defaultdict(list)
    for (_, layer), each in wants.items():
        for cut in each.cuts:
            found[f"{layer}.{cut.setting}"].append((cut.kept, cut.kept, cut.available))
        for request in each.requests.values():
            setting = cap_of(layer, request.step)
            if isinstance(setting, str) and request.step != SEED_STEP and request.expected != 0:
                key = request.endpoint, request.target
                total = extrapolation.sizes.total(key, request.expected)
                if total is not None and total > request.cap:
                    found[setting].append((request.cap, request.cap, total))
                elif total is None and extrapolation.is_cut(key, request.cap):
                    found[setting].append((request.cap, request.cap, None))
    return [_add_up(setting, cuts) for setting, cuts in found.items()]


def _add_up(setting: str, cuts: Sequence[tuple[int, int, int | None]]) -> PlannedCut:
    known = [available for _, _, available in cuts if available is not None]
    available = sum(known) if len(known) == len(cuts) else None
    return PlannedCut(setting, cuts[0][0], len(cuts), sum(kept for _, kept, _ in cuts), available)


def _count_hidden(wants: Mapping[Part, Wants]) -> int:
    """Return the number of lists around the seeds whose counter is hidden."""
    lists = {
        use[:2]
        for each in wants.values()
        for use in each.first
        if use[0].startswith("track_") and each.requests[use].expected is None
    }
    return len(lists)
