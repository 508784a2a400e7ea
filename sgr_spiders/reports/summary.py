"""The summary and the statistics of a finished run."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from sgr_spiders.config.harvest import LAYER_NAMES
from sgr_spiders.model import statistics
from sgr_spiders.model.items import REFUSED
from sgr_spiders.reports import caps
from sgr_spiders.reports.caps import render_example
from sgr_spiders.reports.changes import count_lines
from sgr_spiders.reports.seed_list import describe_listed
from sgr_spiders.text.escape import for_cell, for_message
from sgr_spiders.text.formatting import (
    describe_left_out,
    duration,
    line_width,
    number,
    pluralize,
    size,
    table,
    wrap,
)
from sgr_spiders.text.invocation import as_typed, command

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from sgr_spiders.model.outcome import Outcome
    from sgr_spiders.relationships.processor import Related
    from sgr_spiders.storage.figures.changes import Counts
    from sgr_spiders.storage.figures.overview import LostWalks, RunOverview, Share, Walks

KINDS = ("tracks", "users", "playlists", "engagements", "comments")

TOTAL = "total (distinct)"
"""Label of the row that counts each record or walk once, however many layers share it."""

MAX_GROUPS = 8
"""Groups of failed or gone walks that a summary lists; it counts the rest."""

WIDE = 90
"""Columns from which the table of walks has room for words."""

BASIS = "% of expected: distinct records kept, over the walks whose number of records the API states"
"""Explanation of the percentages, below their table."""

NOTHING_LOST = "All committed data is kept; rerun to resume"


@dataclass(frozen=True, slots=True)
class LaneTotals:
    """The requests on one of several lanes, and its state at the end of the run."""

    name: str
    state: str
    requests: int = 0
    limited: int = 0
    hold_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class RequestTotals:
    """The requests of a run, and the seconds of its pauses for rate limits and refusals of this client.

    ``lanes`` are those of ``SOUNDCLOUD_CREDENTIALS``.
    """

    sent: int
    retries: int
    tokens: int
    checks: int
    hold_seconds: float
    lanes: tuple[LaneTotals, ...] = ()


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A finished run, and the ``command`` that started it (``None``: unknown)."""

    outcome: Outcome
    overview: RunOverview
    requests: RequestTotals
    seconds: float
    database: str
    command: str | None
    related: tuple[Related, ...] = ()
    missing: tuple[str, ...] = ()
    """A line for each other result that could not be built."""
    changed: Counts = field(default_factory=dict)
    """The changes since the run began, if it refetched anything."""


def run_statistics(overview: RunOverview, outcome: Outcome, seconds: float) -> dict[str, object]:
    """Return the statistics that are known when a run ends."""
    total = overview.together
    stats: dict[str, object] = {
        statistics.FETCHED: outcome.name,
        statistics.PAGES: total.work.pages,
        statistics.SECONDS: round(seconds, 3),
    }
    stats |= {statistics.collected(name): count for name, count in overview.totals.items()}
    stats |= {statistics.walks(status): count for status, count in total.walks.by_status.items()}
    for name, share in overview.layers.items():
        stats |= {statistics.layer(name, what): value for what, value in _layer_statistics(share)}
    for (name, key), count in caps.count_by_setting(overview.capped).items():
        stats[statistics.capped_by(name, key)] = count
    return stats


def relationship_statistics(related: Iterable[Related]) -> dict[str, object]:
    """Return the statistics of building relationships."""
    stats: dict[str, object] = {}
    for result in related:
        stats[statistics.relate(result.table, "rows")] = result.rows
        stats[statistics.relate(result.table, "left_out")] = result.left_out
        for part, seconds in result.seconds.items():
            stats[statistics.relate(result.table, f"{part}_seconds")] = round(seconds, 3)
    return stats


def _layer_statistics(share: Share) -> Iterator[tuple[str, object]]:
    yield from asdict(share.found).items()
    yield from share.walks.by_status.items()
    yield "received", share.walks.received
    yield "requests", share.work.pages
    yield "seconds", round(share.work.seconds, 3)


def summary(run: FinishedRun, database_bytes: int | None) -> list[str]:
    """Return the lines of the summary; only the command to copy may be wider than ``formatting.WIDTH``."""
    overview = run.overview
    return [
        _headline(run),
        *section(None, [f"Seeds from {describe_listed(listed)}" for listed in overview.seed_lists]),
        "",
        *_work_table(run),
        "",
        *_walks_table(overview),
        *section(_lost_heading(overview.lost, "failed"), count_table(lost_rows(overview.lost, "failed"))),
        *section(_lost_heading(overview.lost, "gone"), count_table(lost_rows(overview.lost, "gone"))),
        *section(caps.HEADING, count_table(caps.cap_rows(caps.list_caps(overview.capped)))),
        *section(None, _lanes_table(run.requests.lanes)),
        *section("Changes since the run began", count_lines(run.changed) if run.changed else []),
        "",
        *_relationship_lines(run.related),
        *map(for_cell, run.missing),
        _requests_line(run.requests),
        f"Data written to {run.database}" + (f" ({size(database_bytes)})" if database_bytes else ""),
        f"Report: {command('report')}",
        *_next_lines(run),
    ]


def _headline(run: FinishedRun) -> str:
    reason = f": {for_cell(run.outcome.reason)}" if run.outcome.reason else ""
    return f"Harvest {run.outcome.name} after {duration(run.seconds)}{reason}"


def _work_table(run: FinishedRun) -> list[str]:
    overview = run.overview
    rows = [["found", *KINDS, "requests", "time"]]
    rows += [_work_row(name, share, share.work.seconds) for name, share in sort_layers(overview.layers)]
    if len(overview.layers) > 1:
        rows.append(_work_row(TOTAL, overview.together, run.seconds))
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
    rows = {name: share.walks for name, share in sort_layers(overview.layers)}
    capped = overview.capped.layers
    return walks_table(rows if len(rows) == 1 else {**rows, TOTAL: overview.together.walks}, capped)


def walks_table(rows: Mapping[str, Walks], capped: Collection[str]) -> list[str]:
    """Return a table of walks by status, and the share of the API's counters that was received.

    *capped* contains the layers of which a cap left something out.
    """
    head = ["walks", "", "done", "capped", "gone", "failed", "pending", "received", "% of expected"]
    lines = table(
        [head, *(_walks_row(name, walks, capped) for name, walks in rows.items())],
        left=2,
    )
    if any(walks.compared_expected for walks in rows.values()):
        lines += wrap(BASIS)
    *_, total = rows.values()
    if total.at_head or total.by_counter:
        lines += wrap(
            f"looked at: {total.looked_whole:,} whole, {total.at_head:,} at their head, "
            f"{total.by_counter:,} by their counter only"
        )
    return lines


def _walks_row(name: str, walks: Walks, capped: Collection[str]) -> list[str]:
    finished = [number(walks.by_status.get(status, 0)) for status in ("done", "capped", "gone", "failed")]
    pending, received = number(walks.pending), number(walks.received)
    is_capped = name in capped or (name == TOTAL and bool(capped))
    return [
        name,
        describe_state(walks, is_capped=is_capped),
        *finished,
        pending,
        received,
        share_of_expected(walks, is_short=line_width() < WIDE),
    ]


def share_of_expected(walks: Walks, *, is_short: bool = False) -> str:
    """Return the percentage, and the number of walks that it covers; a dash if the API promises nothing."""
    if not walks.compared_expected:
        return "-"
    # Rounded down: 100% means all.
    permille = 1000 * walks.compared_received // walks.compared_expected
    of_all = "" if is_short else f" of {pluralize(walks.count, 'walk')}"
    return f"{permille / 10:.1f}% ({walks.compared_walks:,}{of_all})"


def describe_state(walks: Walks, *, is_capped: bool) -> str:
    """Return ``partial``, ``capped``, ``complete``, or a dash if there are no walks."""
    if walks.pending or walks.by_status.get("failed"):
        return "partial"
    if is_capped:
        return "capped"
    return "complete" if walks.count else "-"


def sort_layers(layers: Mapping[str, Share]) -> Iterator[tuple[str, Share]]:
    """Yield the layers in their fixed order."""
    yield from sorted(layers.items(), key=lambda item: [*LAYER_NAMES, item[0]].index(item[0]))


def _lost_heading(lost: Sequence[LostWalks], status: str) -> str:
    count = sum(walks.walks for walks in lost if walks.status == status)
    if status == "failed":
        return f"{pluralize(count, 'walk')} failed; rerun to retry"
    return f"{pluralize(count, 'walk')} {reasons_of_gone(lost)}"


def reasons_of_gone(lost: Iterable[LostWalks]) -> str:
    """Return why walks are gone; most harvests meet no refusals, which say something else."""
    is_refused = any(walks.status == "gone" and walks.reason.startswith(REFUSED) for walks in lost)
    return "gone: deleted, private, hidden or refused" if is_refused else "gone: deleted, private or hidden"


def lost_rows(lost: Iterable[LostWalks], status: str) -> list[list[str]]:
    """Return a row for each group of walks with *status*: count, endpoint, example and reason."""
    groups: dict[tuple[str, str], list[LostWalks]] = defaultdict(list)
    for walks in lost:
        if walks.status == status:
            groups[walks.endpoint, _strip_urls(walks.reason)].append(walks)
    rows = [
        [
            number(sum(walks.walks for walks in group)),
            endpoint,
            render_example(group[0].example),
            for_message(reason),
        ]
        for (endpoint, reason), group in groups.items()
    ]
    return shorten(rows)


def _strip_urls(reason: str) -> str:
    """Replace the URLs in *reason*, which differ from walk to walk."""
    return re.sub(r"https?://\S+", "...", reason)


def shorten(rows: list[list[str]]) -> list[list[str]]:
    """Keep the first ``MAX_GROUPS`` rows, and count the rest in one more row."""
    more = len(rows) - MAX_GROUPS
    return rows if more <= 1 else [*rows[:MAX_GROUPS], ["...", f"{more} more"]]


def section(heading: str | None, lines: Sequence[str]) -> list[str]:
    """Return a section, or nothing if it has no *lines*."""
    return ["", *([heading] if heading else []), *lines] if lines else []


def count_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Align rows that start with a count."""
    width = max((len(row[0]) for row in rows), default=0)
    columns = max(map(len, rows), default=0)
    return table([[row[0].rjust(width), *row[1:]] for row in rows], left=columns, indent="  ")


def _requests_line(requests: RequestTotals) -> str:
    if not requests.sent:
        return "No requests sent"
    kinds = []
    if requests.retries:
        kinds.append(f"{requests.retries:,} {'retry' if requests.retries == 1 else 'retries'}")
    if requests.tokens:
        kinds.append(pluralize(requests.tokens, "token request"))
    if requests.checks:
        kinds.append(pluralize(requests.checks, "check"))
    included = f" ({', '.join(kinds)})" if kinds else ""
    paused = (
        f", paused {duration(requests.hold_seconds)} by rate limits or refusals"
        if requests.hold_seconds
        else ""
    )
    return f"{pluralize(requests.sent, 'request')} sent{included}{paused}"


def _lanes_table(lanes: Sequence[LaneTotals]) -> list[str]:
    rows = [
        [lane.name, lane.state, number(lane.requests), number(lane.limited), duration(lane.hold_seconds)]
        for lane in lanes
    ]
    return table([["lanes", "", "requests", "refused for rate", "paused"], *rows], left=2) if rows else []


def _relationship_lines(related: Sequence[Related]) -> Iterator[str]:
    """Yield the number of pairs in each relationship table and the time to build it, or why it is missing."""
    for result in related:
        if result.error is not None:
            yield for_cell(
                f"Relationships: {result.table} not built: {result.error}; `{command('relate')}` retries"
            )
            continue
        took = f"built in {duration(sum(result.seconds.values()))}" if result.seconds else "up to date"
        kept = "" if result.limited is None else f" (the {result.limited:,} nearest of each)"
        yield f"Relationships: {pluralize(result.rows, 'pair')} in {result.table}{kept}, {took}"
    # The users left out are the same for each type.
    if left_out := max((result.left_out for result in related), default=0):
        yield f"Relationships: {describe_left_out(left_out)}"


def _next_lines(run: FinishedRun) -> list[str]:
    if not has_work_left(run.outcome.name, run.overview.together.walks.by_status.get("failed", 0)):
        return [f"Next: {command('status')}"]
    if run.command is None:
        return [f"{NOTHING_LOST}."]
    when = " when the cause is fixed" if run.outcome.name in {"blocked", "failed", "unreachable"} else ""
    return [f"{NOTHING_LOST}{when}:", f"  {as_typed(run.command)}"]


def has_work_left(outcome: str | None, failed: int) -> bool:
    """Return whether a rerun has anything left to do after a run with this outcome."""
    return failed > 0 if outcome == "partial" else outcome != "complete"


def describe_interruption(resume: str | None) -> str:
    """Return what the first Ctrl-C does, to follow "Interrupted: "."""
    return "finishing the requests in flight; rerun to resume" + (f": {as_typed(resume)}" if resume else "")
