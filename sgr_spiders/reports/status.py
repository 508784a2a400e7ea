"""The output of ``scrapy status``: the state of a database as JSON, and as text."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sgr_spiders.model import statistics
from sgr_spiders.model.items import PRIVATE
from sgr_spiders.reports.caps import HEADING, cap_rows, list_caps
from sgr_spiders.reports.harvests import describe_outcome, run_seconds
from sgr_spiders.reports.state import STALE
from sgr_spiders.reports.summary import (
    TOTAL,
    count_table,
    lost_rows,
    reasons_of_gone,
    section,
    shorten,
    walks_table,
)
from sgr_spiders.soundcloud.credentials_file import ONLY
from sgr_spiders.storage.figures import overview
from sgr_spiders.text.escape import for_cell, for_message
from sgr_spiders.text.formatting import cut, duration, minute, number, pluralize, size, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sgr_spiders.reports.caps import Cap
    from sgr_spiders.reports.state import Relationship, Status
    from sgr_spiders.storage.figures.inventory import KnownSeed, PastRun, Rejected, TableSize
    from sgr_spiders.storage.figures.overview import Walks
    from sgr_spiders.storage.lanes import KnownLane
    from sgr_spiders.storage.ledger.source import Source
    from sgr_spiders.storage.plans import Needed, Plan

NOT_FOUND = "not found"
"""State of a seed that was never found, which is probably mistyped."""

REASONS = {
    "no run yet": "no run yet",
    "unfinished": "unfinished",
    "seeds due": "scheduled seeds are due",
    "not related": "relationships missing or stale",
    "not fresh": "stale walks",
}
"""The text for each reason in the JSON output."""


# JSON


def as_json(status: Status) -> dict[str, Any]:
    """Return the structure documented in docs/status.md."""
    return {
        "database": {
            "where": status.database,
            "schema": status.schema,
            "bytes": status.file.bytes,
            "last_written": _iso(status.file.last_written),
        },
        "source": None if status.source is None else asdict(status.source),
        "workers": [asdict(worker) for worker in status.workers],
        "runs": {"count": status.run_count, "latest": [_run_json(run) for run in status.runs]},
        "seeds": {
            "count": status.seed_count,
            "latest": [
                {**asdict(seed), "capped": [asdict(cap) for cap in _caps_of(status, seed)]}
                for seed in status.seeds
            ],
        },
        "walks": {
            "layers": {name: _walks_json(walks) for name, walks in status.layers.items()},
            "together": _walks_json(status.total),
        },
        "lost": [asdict(walks) for walks in status.lost],
        "capped": [asdict(cap) for cap in list_caps(status.capped)],
        "freshness": {"days": status.freshness_days, **asdict(status.freshness)},
        "tables": {
            table.name: {
                "rows": table.rows,
                "removed": table.removed,
                "stubs": table.stubs,
                "bytes": table.bytes,
            }
            for table in status.tables
        },
        "relationships": {
            relationship.table: {
                "rows": relationship.rows,
                "built_at": relationship.built_at,
                "state": relationship.state,
                "left_out": relationship.left_out,
                **({"playlists": relationship.playlists} if relationship.playlists else {}),
            }
            for relationship in status.relationships
        },
        "rejects": [asdict(group) for group in status.rejected],
        "lanes": [asdict(lane) for lane in status.lanes],
        "plans": [{**asdict(plan), "needed": asdict(needed)} for plan, needed in status.plans],
        "next": asdict(status.next),
    }


def _run_json(run: PastRun) -> dict[str, Any]:
    row = asdict(run)
    return {name: row[name] for name in row if name not in {"scope", "stats"}} | {
        "statistics": dict(run.stats)
    }


def _walks_json(walks: Walks) -> dict[str, Any]:
    return {
        **{status: walks.by_status.get(status, 0) for status in overview.STATUSES},
        "received": walks.received,
        "compared_walks": walks.compared_walks,
        "compared_received": walks.compared_received,
        "compared_expected": walks.compared_expected,
        "at_head": walks.at_head,
        "by_counter": walks.by_counter,
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


# Text


def as_text(status: Status, now: datetime) -> list[str]:
    """Return sections at most ``formatting.WIDTH`` wide, except for the database and the commands to copy."""
    return [
        *_file_lines(status, now),
        *section(
            f"Runs ({status.run_count:,})",
            table(_run_rows(status.runs, status.file.last_written), left=3, indent="  "),
        ),
        *section(f"Workers ({len(status.workers)})", table(_worker_rows(status, now), left=2, indent="  ")),
        *section(f"Seeds ({status.seed_count:,})", table(_seed_rows(status), left=4, indent="  ")),
        *section(None, _walks_lines(status)),
        *section("Failed; rerun to retry", count_table(lost_rows(status.lost, "failed"))),
        *section(reasons_of_gone(status.lost).capitalize(), count_table(lost_rows(status.lost, "gone"))),
        *section(HEADING, count_table(cap_rows(list_caps(status.capped)))),
        *section("Rejected", count_table(_reject_rows(status.rejected))),
        *section("Freshness", _freshness_lines(status)),
        *section(None, _lane_lines(status.lanes)),
        *section(None, table(_plan_rows(status.plans), left=2)),
        *section(None, table(_table_rows(status.tables))),
        *section(None, [*table(_relationship_rows(status.relationships), left=1), *_kinds(status)]),
        "",
        *_next_lines(status),
    ]


def _file_lines(status: Status, now: datetime) -> list[str]:
    written = status.file.last_written
    ago = f", last written {duration(max(0.0, (now - written).total_seconds()))} ago" if written else ""
    bytes_ = f", {size(status.file.bytes)}" if status.file.bytes is not None else ""
    lines = [for_cell(f"{status.database}{bytes_}{ago}")]
    if status.source is not None:
        lines.append(cut(f"Source: {status.source.describe()}{_invented(status.source)}"))
    return lines


def _invented(source: Source) -> str:
    return ": all data is invented" if source.is_sandbox else ""


def _run_rows(runs: Sequence[PastRun], written: datetime | None) -> list[list[str]]:
    if not runs:
        return []
    head = ["run", "spider", "outcome", "started (UTC)", "time", "requests", "tracks", "users"]
    return [head, *(_run_row(run, written, is_last=index == 0) for index, run in enumerate(runs))]


def _run_row(run: PastRun, written: datetime | None, *, is_last: bool) -> list[str]:
    get = run.stats.get
    counts = [
        # Runs of earlier versions have only Scrapy's count.
        run.requests if run.requests is not None else get("downloader/request_count"),
        *(get(statistics.collected(name)) for name in ("tracks", "users")),
    ]
    return [
        str(run.run_id),
        run.spider,
        describe_outcome(run, is_last=is_last),
        minute(run.started_at),
        duration(run_seconds(run, written, is_last=is_last)),
        *map(number, counts),
    ]


def _worker_rows(status: Status, now: datetime) -> list[list[str]]:
    rows = [
        [f"{worker.host}:{worker.process}", f"run {worker.run_id}", _since(worker.heartbeat_at, now)]
        for worker in status.workers
    ]
    return [["host:process", "run", "heartbeat ago"], *rows] if rows else []


def _since(moment: str, now: datetime) -> str:
    return duration(max(0.0, (now - datetime.fromisoformat(moment)).total_seconds()))


def _walks_lines(status: Status) -> list[str]:
    if not status.layers:
        return []
    return walks_table({**status.layers, TOTAL: status.total}, status.capped.layers)


def _seed_rows(status: Status) -> list[list[str]]:
    return [
        [for_message(seed.given), _seed_state(seed, _caps_of(status, seed)), for_message(_seed_name(seed))]
        for seed in status.seeds
    ]


def _caps_of(status: Status, seed: KnownSeed) -> Sequence[Cap]:
    return [] if seed.track_id is None else status.capped_seeds[seed.track_id]


def _seed_name(seed: KnownSeed) -> str:
    """Return the title and artist of the track, or why there is none."""
    if seed.title is None:
        reason = seed.reason or ("not a track" if _is_no_track(seed) else "")
        return f"check the address ({reason})" if _is_not_found(seed) else reason
    return f"{seed.title} by {seed.artist}" if seed.artist is not None else seed.title


def _is_no_track(seed: KnownSeed) -> bool:
    return seed.status == "done" and seed.track_id is None


def _is_not_found(seed: KnownSeed) -> bool:
    return _is_no_track(seed) or (seed.status == "gone" and seed.title is None and seed.reason != PRIVATE)


def _seed_state(seed: KnownSeed, caps: Sequence[Cap]) -> str:
    if _is_not_found(seed):
        return NOT_FOUND
    if seed.status in {"gone", "failed"}:
        return seed.status
    pending = seed.walks.get("planned", 0) + seed.walks.get("running", 0)
    failed = seed.walks.get("failed", 0)
    if pending or failed:
        counts = {"pending": pending, "failed": failed}
        return ", ".join(f"{count:,} {state}" for state, count in counts.items() if count)
    settings = {cap.setting for cap in caps if cap.setting is not None}
    capped = f", capped by {pluralize(len(settings), 'setting')}" if settings else ""
    return f"all {pluralize(sum(seed.walks.values()), 'walk')} finished{capped}"


def _reject_rows(rejected: Sequence[Rejected]) -> list[list[str]]:
    return shorten(
        [
            [
                number(group.count),
                group.kind if group.field is None else f"{group.kind}.{group.field}",
                for_message(group.reason),
            ]
            for group in rejected
        ]
    )


def _freshness_lines(status: Status) -> list[str]:
    freshness = status.freshness
    lines = []
    if freshness.oldest is not None and freshness.newest is not None:
        oldest, newest = minute(freshness.oldest), minute(freshness.newest)
        lines.append(f"  walks finished from {oldest} to {newest} (UTC)")
    if lines or freshness.stale:
        stale = f"{pluralize(freshness.stale, 'walk')} older than {status.freshness_days:g} d"
        lines.append(f"  {stale}" + ("; a rerun refetches them" if freshness.stale else ""))
    if freshness.in_future:
        lines.append(
            f"  {pluralize(freshness.in_future, 'walk')} of these finished in the future: a clock was wrong"
        )
    return lines


def _lane_lines(lanes: Sequence[KnownLane]) -> list[str]:
    """Return a table of the API keys, unless there is nothing to say about the only one."""
    if all(lane.state == "ok" and lane.name == ONLY for lane in lanes):
        return []
    head = ["lanes", "", "requests at least apart", "last used (UTC)"]
    reasons = [cut(f"  {lane.name}: {for_message(lane.reason)}") for lane in lanes if lane.reason is not None]
    return [*table([head, *map(_lane_row, lanes)], left=2), *reasons]


def _lane_row(lane: KnownLane) -> list[str]:
    apart = "" if lane.interval_seconds is None else f"{lane.interval_seconds:.2f} s"
    return [lane.name, lane.state, apart, minute(lane.used_at)]


def _plan_rows(plans: Sequence[tuple[Plan, Needed]]) -> list[list[str]]:
    """Return each plan, and under it the needs of the harvest so far."""
    rows = []
    for plan, needed in plans:
        state = "pending" if not needed.runs else "needed" if needed.is_finished else "so far"
        difference = ""
        if needed.is_finished and needed.requests is not None and plan.requests:
            difference = f"{needed.requests / plan.requests - 1:+.0%}"
        amounts = [number(plan.requests), "", number(plan.records), duration(plan.seconds)]
        rows.append(["planned", minute(plan.created_at), *amounts])
        if needed.runs:
            spent = [number(needed.requests), difference, number(needed.records), duration(needed.seconds)]
            rows.append(["", state, *spent])
    return [["plans", "", "requests", "", "records", "time"], *rows] if rows else []


def _table_rows(tables: Sequence[TableSize]) -> list[list[str]]:
    rows = [
        [
            table.name,
            number(table.rows),
            *("" if count is None else number(count) for count in (table.stubs, table.removed)),
        ]
        for table in tables
    ]
    head = ["table", "rows", "stubs", "removed"]
    if any(table.bytes is not None for table in tables):
        head.append("size")
        rows = [[*row, size(table.bytes)] for row, table in zip(rows, tables, strict=True)]
    return [head, *rows]


def _kinds(status: Status) -> list[str]:
    """Return the playlists of each kind that were looked at when the relationships were built."""
    return [
        f"Playlists: {', '.join(f'{count:,} {kind}' for kind, count in relationship.playlists.items())}"
        for relationship in status.relationships
        if relationship.playlists
    ]


def _relationship_rows(relationships: Sequence[Relationship]) -> list[list[str]]:
    rows = [
        [
            relationship.table,
            number(relationship.rows),
            "" if relationship.built_at is None else minute(relationship.built_at),
            "stale" if relationship.state == STALE else relationship.state,
        ]
        for relationship in relationships
    ]
    return [["relationships", "pairs", "built (UTC)", "state"], *rows] if rows else []


def _next_lines(status: Status) -> list[str]:
    if status.next.why is None:
        missing = sum(map(_is_not_found, status.seeds))
        exception = f", except for {pluralize(missing, 'seed')} not found" if missing else ""
        return [f"Up to date{exception}."]
    return [f"Next ({REASONS[status.next.why]}):", *(f"  {command}" for command in status.next.commands)]
