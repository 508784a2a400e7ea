"""The end of a run in figures and in words."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sgr_spiders.config.harvest import LAYER_NAMES
from sgr_spiders.model import statistics
from sgr_spiders.text.escape import for_cell, for_message
from sgr_spiders.text.formatting import duration, number, pluralize, size, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sgr_spiders.model.outcome import Outcome
    from sgr_spiders.relationships.processor import Related
    from sgr_spiders.storage.figures.overview import CappedWalks, LostWalks, RunOverview, Share, Walks

KINDS = ("tracks", "users", "playlists", "engagements", "comments")

MAX_GROUPS = 8
"""Groups of failed, gone or capped walks that a summary names; it counts the others."""

MAX_EXAMPLE = 24
"""Characters of an example's target: a number, or the beginning of a search text or an address."""

LOSES_NOTHING = "Nothing that was spilled is lost: the same command goes on from here"


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a run sent, and how long rate limits held it back."""

    sent: int
    retries: int
    tokens: int
    hold_seconds: float


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that has ended. ``command`` started it (``None``: not known), ``look`` is one that shows more."""

    outcome: Outcome
    overview: RunOverview
    traffic: Traffic
    seconds: float
    database: str
    command: str | None
    look: str
    related: tuple[Related, ...] = ()


def figures(overview: RunOverview, outcome: Outcome, seconds: float) -> dict[str, object]:
    """Give the statistics of a run that are known when it ends."""
    together = overview.together
    stats: dict[str, object] = {
        statistics.FETCHED: outcome.name,
        statistics.OUTCOME: outcome.name,
        statistics.EXIT_CODE: outcome.exit_code,
        statistics.PAGES: together.work.pages,
        statistics.SECONDS: round(seconds, 3),
    }
    stats |= {statistics.collected(name): count for name, count in overview.totals.items()}
    stats |= {statistics.walks(status): count for status, count in together.walks.by_status.items()}
    for name, share in overview.layers.items():
        stats |= {statistics.layer(name, what): value for what, value in _figures_of(share)}
    return stats


def related_figures(related: Iterable[Related]) -> dict[str, object]:
    """Give the statistics of relating."""
    stats: dict[str, object] = {}
    for one in related:
        stats[statistics.relate(one.table, "rows")] = one.rows
        for part, seconds in one.seconds.items():
            stats[statistics.relate(one.table, f"{part}_seconds")] = round(seconds, 3)
    return stats


def _figures_of(share: Share) -> Iterator[tuple[str, object]]:
    yield from asdict(share.found).items()
    yield from share.walks.by_status.items()
    yield "received", share.walks.received
    yield "requests", share.work.pages
    yield "seconds", round(share.work.seconds, 3)


def summary(ended: Ended, database_bytes: int | None) -> list[str]:
    """Write the summary, line by line. Only the command to copy may be wider than ``figures.WIDTH``."""
    overview = ended.overview
    return [
        _headline(ended),
        "",
        *_work_table(ended),
        "",
        *_walks_table(overview),
        *_section(_heading(overview.lost, "failed"), lost_rows(overview.lost, "failed")),
        *_section(_heading(overview.lost, "gone"), lost_rows(overview.lost, "gone")),
        *_section("Capped, and by what", cut_rows(overview.cut)),
        "",
        *_related(ended.related),
        _sent(ended.traffic),
        f"The data lies in {ended.database}" + (f" ({size(database_bytes)})" if database_bytes else ""),
        *_next(ended),
    ]


def _headline(ended: Ended) -> str:
    reason = f": {for_cell(ended.outcome.reason)}" if ended.outcome.reason else ""
    return f"Harvest {ended.outcome.name} after {duration(ended.seconds)}{reason}"


def _work_table(ended: Ended) -> list[str]:
    overview = ended.overview
    rows = [["found", *KINDS, "requests", "time"]]
    rows += [_work_row(name, share, share.work.seconds) for name, share in in_order(overview.layers)]
    if len(overview.layers) > 1:
        rows.append(_work_row("together", overview.together, ended.seconds))
    rows.append(["in the database", *(number(overview.totals[name]) for name in KINDS), "", ""])
    return table(rows)


def _work_row(name: str, share: Share, seconds: float) -> list[str]:
    found = asdict(share.found)
    pages = share.work.pages
    return [
        name,
        *(number(found[kind]) for kind in KINDS),
        number(pages),
        duration(seconds if pages else None),
    ]


def _walks_table(overview: RunOverview) -> list[str]:
    rows = {name: share.walks for name, share in in_order(overview.layers)}
    return walks_table(rows if len(rows) == 1 else {**rows, "together": overview.together.walks})


def walks_table(rows: Mapping[str, Walks]) -> list[str]:
    """Write walks by status, and how much came of what the API's counters said there was."""
    head = ["walks", "", "done", "capped", "gone", "failed", "waiting", "received", "of expected"]
    return table([head, *(_walks_row(name, walks) for name, walks in rows.items())], left=2)


def _walks_row(name: str, walks: Walks) -> list[str]:
    ended = [number(walks.by_status.get(status, 0)) for status in ("done", "capped", "gone", "failed")]
    share = (
        f"{100 * walks.compared_received / walks.compared_expected:.1f} %" if walks.compared_expected else "-"
    )
    return [name, _state(walks), *ended, number(walks.waiting), number(walks.received), share]


def _state(walks: Walks) -> str:
    if walks.waiting or walks.by_status.get("failed"):
        return "partial"
    if walks.by_status.get("capped"):
        return "capped"
    return "complete" if walks.count else "-"


def in_order(layers: Mapping[str, Share]) -> Iterator[tuple[str, Share]]:
    """Give the layers in the order in which they are always named."""
    yield from sorted(layers.items(), key=lambda item: [*LAYER_NAMES, item[0]].index(item[0]))


def _heading(lost: Sequence[LostWalks], status: str) -> str:
    count = sum(one.walks for one in lost if one.status == status)
    if status == "failed":
        return f"{pluralize(count, 'walk')} failed; the same command tries them again"
    return f"{pluralize(count, 'walk')} gone: deleted, private, or hidden from this caller"


def lost_rows(lost: Iterable[LostWalks], status: str) -> list[list[str]]:
    """Write groups of walks that ended with *status*: count, endpoint, an example, and why."""
    groups: dict[tuple[str, str], list[LostWalks]] = defaultdict(list)
    for one in lost:
        if one.status == status:
            groups[one.endpoint, _alike(one.reason)].append(one)
    rows = [
        [number(sum(one.walks for one in group)), endpoint, _example(group[0].example), for_message(reason)]
        for (endpoint, reason), group in groups.items()
    ]
    return shortened(rows)


def _example(target: str) -> str:
    text = for_message(target)
    return f"e.g. {text}" if len(text) <= MAX_EXAMPLE else f"e.g. {text[: MAX_EXAMPLE - 3]}..."


def _alike(reason: str) -> str:
    """Leave out of *reason* what tells one walk from the other."""
    return re.sub(r"https?://\S+", "...", reason)


def cut_rows(cuts: Sequence[CappedWalks]) -> list[list[str]]:
    """Write groups of capped walks: count, endpoint, an example, and what capped them."""
    if not cuts:
        return []
    from sgr_spiders.layers import cap_of  # noqa: PLC0415 - the layers load dictionaries

    rows = sorted(cuts, key=lambda one: not isinstance(cap_of(one.layer, one.step), str))
    return shortened(
        [[number(one.walks), one.endpoint, _example(one.example), capped_by(one)] for one in rows]
    )


def capped_by(one: CappedWalks) -> str:
    """Say which setting capped the walks, or why none did."""
    from sgr_spiders.layers import cap_of  # noqa: PLC0415 - the layers load dictionaries
    from sgr_spiders.layers.base import FixedCap  # noqa: PLC0415

    cap = cap_of(one.layer, one.step)
    if one.reason is not None:
        return f"{one.layer}: {one.reason}"
    if isinstance(cap, str):
        return f"{cap} = {one.cap:,}"
    why = f", {cap.why}" if isinstance(cap, FixedCap) else ""
    return f"{one.layer}: {one.cap:,} by no setting{why}"


def shortened(rows: list[list[str]]) -> list[list[str]]:
    """Keep the first ``MAX_GROUPS`` rows, and say how many more there are."""
    more = len(rows) - MAX_GROUPS
    return rows if more <= 1 else [*rows[:MAX_GROUPS], ["...", f"{more} more"]]


def _section(heading: str, rows: list[list[str]]) -> list[str]:
    """Write a section, or nothing if there are no *rows*."""
    return ["", heading, *count_table(rows)] if rows else []


def count_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Align rows that begin with a count."""
    width = max((len(row[0]) for row in rows), default=0)
    columns = max(map(len, rows), default=0)
    return table([[row[0].rjust(width), *row[1:]] for row in rows], left=columns, indent="  ")


def _sent(traffic: Traffic) -> str:
    if not traffic.sent:
        return "No request was sent"
    parts = [f"{pluralize(traffic.sent, 'request')} sent"]
    if traffic.retries:
        parts.append(f"{traffic.retries:,} of them again after a fault")
    if traffic.tokens:
        parts.append(f"{traffic.tokens:,} for a token")
    if traffic.hold_seconds:
        parts.append(f"held back {duration(traffic.hold_seconds)} by rate limits")
    return ", ".join(parts)


def _related(related: Sequence[Related]) -> Iterator[str]:
    """Say how many pairs the relationship tables have, and what building them took."""
    for one in related:
        took = f"built in {duration(sum(one.seconds.values()))}" if one.seconds else "up to date"
        yield f"Related: {number(one.rows)} pairs in {one.table}, {took}"


def _next(ended: Ended) -> list[str]:
    if not goes_on(ended.outcome.name, ended.overview.together.walks.by_status.get("failed", 0)):
        return [f"Next: {ended.look}"]
    if ended.command is None:
        return [f"{LOSES_NOTHING}."]
    when = " when the cause is gone" if ended.outcome.name in {"blocked", "failed"} else ""
    return [f"{LOSES_NOTHING}{when}:", f"  {ended.command}"]


def goes_on(outcome: str | None, failed: int) -> bool:
    """Tell whether the same command has something left to do after a run that ended like this."""
    return failed > 0 if outcome == "partial" else outcome != "complete"


def interrupted(command: str | None) -> str:
    """Say what the first Ctrl-C does, behind "Interrupted: "."""
    go_on = "the same command goes on from here" + (f": {command}" if command else "")
    return f"what is in flight is finished first; {go_on}"
