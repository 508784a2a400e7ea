"""What ``scrapy status`` says of a database: its structure as JSON, and the same for people."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sgr_spiders.config.harvest import LAYER_NAMES
from sgr_spiders.model import statistics
from sgr_spiders.relationships import TYPES
from sgr_spiders.reports.harvests import fetched, outcome, took
from sgr_spiders.reports.summary import count_table, cut_rows, goes_on, lost_rows, shortened, walks_table
from sgr_spiders.storage.figures import inventory, overview
from sgr_spiders.storage.pairs import builds, reading
from sgr_spiders.text.escape import for_message
from sgr_spiders.text.formatting import cut, duration, number, pluralize, size, table
from sgr_spiders.text.resume_command import crawl_command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sgr_spiders.config.harvest import HarvestConfig
    from sgr_spiders.storage.figures.inventory import File, Freshness, KnownSeed, PastRun, Rejected, TableSize
    from sgr_spiders.storage.figures.overview import CappedWalks, LostWalks, Walks
    from sgr_spiders.storage.store import Connection

MAX_SHOWN = 10
"""Runs, seeds and the like that are listed one by one, the latest first."""

MAX_SEEDS = 5
"""Seeds of a run from which a command can be written that is still read."""

FIRST = "scrapy crawl deep_harvest -a track_id=NUMBER"


@dataclass(frozen=True, slots=True)
class Next:
    """What to run next, the latest first, and why: ``no run yet``, ``unfinished``, ``not related`` or ``not
    fresh``."""

    why: str | None
    commands: list[str]


UP_TO_DATE, OUTDATED, NEVER_BUILT = "up to date", "older than the data", "never built"


@dataclass(frozen=True, slots=True)
class Relationship:
    """A relationship table: its rows, when it was built, and whether it is what the data now gives."""

    table: str
    rows: int
    built_at: str | None
    state: str
    is_enabled: bool

    @property
    def is_wanted(self) -> bool:
        return self.is_enabled and self.state != UP_TO_DATE


@dataclass(frozen=True, slots=True)
class Status:
    """All that is known of a database."""

    database: str
    schema: str
    file: File
    runs: list[PastRun]
    run_count: int
    seeds: list[KnownSeed]
    seed_count: int
    layers: Mapping[str, Walks]
    together: Walks
    lost: list[LostWalks]
    cut: list[CappedWalks]
    freshness: Freshness
    freshness_days: float
    tables: list[TableSize]
    relationships: list[Relationship]
    rejected: list[Rejected]
    next: Next


def look(connection: Connection, database: str, path: str | None, config: HarvestConfig) -> Status:
    """Look at a database, called *database*, in the file at *path*."""
    file = inventory.describe_file(path)
    layers, together = overview.count_walks(connection)
    names = [*LAYER_NAMES, *sorted(set(layers) - set(LAYER_NAMES))]
    runs, run_count = inventory.latest_runs(connection, MAX_SHOWN)
    seeds, seed_count = inventory.known_seeds(connection, MAX_SHOWN)
    freshness_days = config.deep_harvest.freshness_days
    freshness = inventory.freshness(connection, freshness_days)
    relationships = _relationships(connection, config)
    return Status(
        database=database,
        schema=inventory.schema_version(connection),
        file=file,
        runs=runs,
        run_count=run_count,
        seeds=seeds,
        seed_count=seed_count,
        layers={name: layers[name] for name in names if name in layers},
        together=together,
        lost=overview.find_lost(connection),
        cut=overview.find_cut(connection),
        freshness=freshness,
        freshness_days=freshness_days,
        tables=inventory.table_sizes(connection, file),
        relationships=relationships,
        rejected=inventory.rejected(connection),
        next=_next(connection, config, freshness, relationships),
    )


def _relationships(connection: Connection, config: HarvestConfig) -> list[Relationship]:
    """Tell of the tables that the configuration asks for, and of others that were built."""
    stamp = reading.read_stamp(connection)
    found = []
    for name, relationship in TYPES.items():
        table, is_enabled = relationship.table.name, config.relationships.section(name).enabled
        built = builds.latest(connection, name)
        if built is not None:
            state = UP_TO_DATE if built.stamp == stamp else OUTDATED
            found.append(Relationship(table, built.rows, built.finished_at, state, is_enabled))
        elif is_enabled:
            found.append(Relationship(table, 0, None, NEVER_BUILT, is_enabled))
    return found


def _next(
    connection: Connection, config: HarvestConfig, freshness: Freshness, relationships: Sequence[Relationship]
) -> Next:
    harvests = inventory.latest_of_each_harvest(connection, MAX_SHOWN)
    if not harvests:
        return Next("no run yet", [FIRST])
    unfinished = [
        run
        for run in harvests
        if goes_on(fetched(run) or run.outcome, run.stats.get(statistics.walks("failed"), 0))
    ]
    if unfinished:
        return Next("unfinished", list(dict.fromkeys(_command(connection, run) for run in unfinished)))
    if config.relationships.on_close and any(one.is_wanted for one in relationships):
        return Next("not related", [_relate_command(connection, config, harvests[0])])
    if freshness.stale:
        return Next("not fresh", [_command(connection, harvests[0])])
    return Next(None, [])


def _relate_command(connection: Connection, config: HarvestConfig, run: PastRun) -> str:
    if config.relationships.scope == "all":
        return "scrapy relate"
    # A crawl relates around its own seeds.
    return _command(connection, run)


def _command(connection: Connection, run: PastRun) -> str:
    known = run.stats.get(statistics.COMMAND)
    if isinstance(known, str) and known.isprintable():
        return known
    # A run that was not started by `scrapy crawl`.
    seeds = inventory.seeds_of(connection, run.run_id, MAX_SEEDS + 1)
    if len(seeds) > MAX_SEEDS:
        return f"scrapy crawl {run.spider} -a seeds=FILE"
    urls = ",".join(seed for seed in seeds if "://" in seed)
    ids = ",".join(seed for seed in seeds if "://" not in seed)
    arguments = {"track_id": ids, "track_url": urls}
    return crawl_command(run.spider, {name: value for name, value in arguments.items() if value})


# JSON


def as_json(status: Status) -> dict[str, Any]:
    """Give the structure that docs/status.md documents."""
    return {
        "database": {
            "where": status.database,
            "schema": status.schema,
            "bytes": status.file.bytes,
            "last_written": _iso(status.file.last_written),
        },
        "runs": {"count": status.run_count, "latest": [_run_json(run) for run in status.runs]},
        "seeds": {"count": status.seed_count, "latest": [asdict(seed) for seed in status.seeds]},
        "walks": {
            "layers": {name: _walks_json(walks) for name, walks in status.layers.items()},
            "together": _walks_json(status.together),
        },
        "lost": [asdict(one) for one in status.lost],
        "capped": [_cut_json(one) for one in status.cut],
        "freshness": {"days": status.freshness_days, **asdict(status.freshness)},
        "tables": {
            one.name: {"rows": one.rows, "stubs": one.stubs, "bytes": one.bytes} for one in status.tables
        },
        "relationships": {
            one.table: {"rows": one.rows, "built_at": one.built_at, "state": one.state}
            for one in status.relationships
        },
        "rejects": [asdict(one) for one in status.rejected],
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
        "compared_received": walks.compared_received,
        "compared_expected": walks.compared_expected,
    }


def _cut_json(one: CappedWalks) -> dict[str, Any]:
    from sgr_spiders.layers import cap_of  # noqa: PLC0415 - the layers load dictionaries
    from sgr_spiders.layers.base import FixedCap  # noqa: PLC0415

    cap = cap_of(one.layer, one.step)
    setting = cap if isinstance(cap, str) and one.reason is None else None
    why = one.reason or (cap.why if isinstance(cap, FixedCap) else None)
    return {**asdict(one), "setting": setting, "reason": why}


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


# For people


def as_text(status: Status, now: datetime) -> list[str]:
    """Write it in sections, no wider than ``figures.WIDTH`` but for the commands to copy."""
    return [
        *_file_lines(status, now),
        *_section(
            f"Runs ({status.run_count:,})",
            table(_run_rows(status.runs, status.file.last_written), left=3, indent="  "),
        ),
        *_section(f"Seeds ({status.seed_count:,})", table(_seed_rows(status.seeds), left=4, indent="  ")),
        *_section(None, walks_table({**status.layers, "together": status.together}) if status.layers else []),
        *_section("Failed, to be tried again", count_table(lost_rows(status.lost, "failed"))),
        *_section("Gone: deleted, private or hidden", count_table(lost_rows(status.lost, "gone"))),
        *_section("Capped, and by what", count_table(cut_rows(status.cut))),
        *_section("Set aside", count_table(_reject_rows(status.rejected))),
        *_section("Freshness", _freshness_lines(status)),
        *_section(None, table(_table_rows(status.tables))),
        *_section(None, table(_relationship_rows(status.relationships), left=1)),
        "",
        *_next_lines(status),
    ]


def _section(heading: str | None, lines: Sequence[str]) -> list[str]:
    """Write a section, or nothing if it has no *lines*."""
    return ["", *([heading] if heading else []), *lines] if lines else []


def _file_lines(status: Status, now: datetime) -> list[str]:
    written = status.file.last_written
    ago = f", last written {duration((now - written).total_seconds())} ago" if written else ""
    bytes_ = f", {size(status.file.bytes)}" if status.file.bytes is not None else ""
    return [cut(f"{status.database}{bytes_}{ago}")]


def _run_rows(runs: Sequence[PastRun], written: datetime | None) -> list[list[str]]:
    if not runs:
        return []
    head = ["run", "spider", "outcome", "started (UTC)", "took", "requests", "tracks", "users"]
    return [head, *(_run_row(run, written, is_last=place == 0) for place, run in enumerate(runs))]


def _run_row(run: PastRun, written: datetime | None, *, is_last: bool) -> list[str]:
    get = run.stats.get
    counts = [
        get("downloader/request_count"),
        *(get(statistics.collected(name)) for name in ("tracks", "users")),
    ]
    return [
        str(run.run_id),
        run.spider,
        outcome(run, is_last=is_last),
        run.started_at[:16].replace("T", " "),
        duration(took(run, written, is_last=is_last)),
        *map(number, counts),
    ]


def _seed_rows(seeds: Sequence[KnownSeed]) -> list[list[str]]:
    return [[for_message(seed.given), _seed_state(seed), for_message(_seed_name(seed))] for seed in seeds]


def _seed_name(seed: KnownSeed) -> str:
    """Name the track, or say why there is none."""
    if seed.title is None:
        return seed.reason or ("not a track" if _is_no_track(seed) else "")
    return f"{seed.title} by {seed.artist}" if seed.artist is not None else seed.title


def _is_no_track(seed: KnownSeed) -> bool:
    return seed.status == "done" and seed.track_id is None


def _seed_state(seed: KnownSeed) -> str:
    if seed.status in {"gone", "failed"}:
        return seed.status
    if _is_no_track(seed):
        return "gone"
    waiting = seed.walks.get("planned", 0) + seed.walks.get("running", 0)
    failed = seed.walks.get("failed", 0)
    if waiting or failed:
        parts = [f"{waiting:,} waiting"] * bool(waiting) + [f"{failed:,} failed"] * bool(failed)
        return ", ".join(parts)
    return f"all {pluralize(sum(seed.walks.values()), 'walk')} ended"


def _reject_rows(rejected: Sequence[Rejected]) -> list[list[str]]:
    return shortened(
        [
            [
                number(one.count),
                one.kind if one.field is None else f"{one.kind}.{one.field}",
                for_message(one.reason),
            ]
            for one in rejected
        ]
    )


def _freshness_lines(status: Status) -> list[str]:
    freshness = status.freshness
    if freshness.oldest is None or freshness.newest is None:
        return []
    stale = f"{pluralize(freshness.stale, 'walk')} older than {status.freshness_days:g} days"
    return [
        f"  walks ended from {_day(freshness.oldest)} to {_day(freshness.newest)} (UTC)",
        f"  {stale}" + (": fetched anew by the next run" if freshness.stale else ""),
    ]


def _table_rows(tables: Sequence[TableSize]) -> list[list[str]]:
    rows = [[one.name, number(one.rows), "" if one.stubs is None else number(one.stubs)] for one in tables]
    head = ["table", "rows", "stubs"]
    if any(one.bytes is not None for one in tables):
        head.append("size")
        rows = [[*row, size(one.bytes)] for row, one in zip(rows, tables, strict=True)]
    return [head, *rows]


def _relationship_rows(relationships: Sequence[Relationship]) -> list[list[str]]:
    rows = [
        [one.table, number(one.rows), "" if one.built_at is None else _day(one.built_at), one.state]
        for one in relationships
    ]
    return [["relationships", "pairs", "built (UTC)", ""], *rows] if rows else []


def _next_lines(status: Status) -> list[str]:
    if status.next.why is None:
        return ["Nothing is left to do."]
    return [f"Next ({status.next.why}):", *(f"  {command}" for command in status.next.commands)]


def _day(text: str) -> str:
    return text[:16].replace("T", " ")
