"""The state of a database, and the commands to run next."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sgr_spiders.config.harvest import LAYER_NAMES
from sgr_spiders.model import statistics
from sgr_spiders.relationships import TYPES
from sgr_spiders.reports.caps import list_caps
from sgr_spiders.reports.harvests import fetch_outcome
from sgr_spiders.reports.summary import has_work_left
from sgr_spiders.storage import lanes, plans
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.figures import inventory, overview
from sgr_spiders.storage.ledger import source, workers
from sgr_spiders.storage.ledger.seeds import all_seeds, due_now
from sgr_spiders.storage.libraries import ALBUMS, CURATED, LEFT_OUT
from sgr_spiders.storage.pairs import builds, reading
from sgr_spiders.storage.server import on_server
from sgr_spiders.text.invocation import command, recorded_command
from sgr_spiders.text.resume_command import crawl_command

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sgr_spiders.config.harvest import HarvestConfig
    from sgr_spiders.reports.caps import Cap
    from sgr_spiders.storage.figures.inventory import File, Freshness, KnownSeed, PastRun, Rejected, TableSize
    from sgr_spiders.storage.figures.overview import Capped, LostWalks, Walks
    from sgr_spiders.storage.lanes import KnownLane
    from sgr_spiders.storage.ledger.source import Source
    from sgr_spiders.storage.ledger.workers import Worker
    from sgr_spiders.storage.plans import Needed, Plan
    from sgr_spiders.storage.store import Connection

MAX_SHOWN = 10
"""Maximum number of runs, of seeds, and of commands to run next, to list; newest first."""

MAX_SEEDS = 5
"""Maximum number of seeds to write into a command."""

FIRST_COMMAND = ("crawl", "deep_harvest", "-a", "track_id=ID")


@dataclass(frozen=True, slots=True)
class NextStep:
    """The commands to run next, newest harvest first, and the reason (a key of ``status.REASONS``)."""

    why: str | None
    commands: list[str]


UP_TO_DATE, STALE, NEVER_BUILT = "up to date", "older than the data", "never built"


@dataclass(frozen=True, slots=True)
class Relationship:
    """A relationship table: its size, when it was built, and whether it is up to date.

    ``left_out`` is the number of libraries left out because they were not looked at.
    """

    table: str
    rows: int
    built_at: str | None
    state: str
    is_enabled: bool
    left_out: int = 0
    playlists: Mapping[str, int] = field(default_factory=dict)
    """The numbers of curated playlists and of albums in its input, if it is of playlists."""

    @property
    def needs_build(self) -> bool:
        return self.is_enabled and self.state != UP_TO_DATE


@dataclass(frozen=True, slots=True)
class Status:
    """The state of a database."""

    database: str
    schema: str
    file: File
    source: Source | None
    workers: list[Worker]
    runs: list[PastRun]
    run_count: int
    seeds: list[KnownSeed]
    seed_count: int
    layers: Mapping[str, Walks]
    total: Walks
    lost: list[LostWalks]
    capped: Capped
    capped_seeds: Mapping[int, list[Cap]]
    freshness: Freshness
    freshness_days: float
    tables: list[TableSize]
    relationships: list[Relationship]
    rejected: list[Rejected]
    lanes: list[KnownLane]
    plans: list[tuple[Plan, Needed]]
    next: NextStep


def collect_status(
    connection: Connection,
    database: str,
    path: str | None,
    config: HarvestConfig,
    around: Collection[int] | None = None,
) -> Status:
    """Collect the state of the database called *database*, stored in the file at *path*.

    With *around*, runs, seeds, walks, losses and caps are only those of these seeds.
    """
    file = inventory.describe_database(connection, path)
    layers, total = overview.count_walks(connection, seeds=around)
    names = [*LAYER_NAMES, *sorted(set(layers) - set(LAYER_NAMES))]
    runs, run_count = inventory.latest_runs(connection, MAX_SHOWN, around)
    seeds, seed_count = inventory.known_seeds(connection, MAX_SHOWN, around)
    freshness_days = config.deep_harvest.freshness_days
    freshness = inventory.freshness(connection, freshness_days)
    relationships = _relationships(connection, config)
    return Status(
        database=database,
        schema=inventory.schema_version(connection),
        file=file,
        source=source.read(connection),
        # A killed crawl on a file has left a worker that nobody needs to take for dead.
        workers=workers.all_at_work(connection) if on_server(connection) else [],
        runs=runs,
        run_count=run_count,
        seeds=seeds,
        seed_count=seed_count,
        layers={name: layers[name] for name in names if name in layers},
        total=total,
        lost=overview.find_lost(connection, seeds=around),
        capped=overview.find_capped(connection, seeds=around),
        capped_seeds={
            seed.track_id: list_caps(overview.find_capped(connection, seeds=[seed.track_id]))
            for seed in seeds
            if seed.track_id is not None
        },
        freshness=freshness,
        freshness_days=freshness_days,
        tables=inventory.table_sizes(connection, file),
        relationships=relationships,
        rejected=inventory.rejected(connection),
        lanes=lanes.known(connection),
        plans=plans.latest(connection, MAX_SHOWN),
        next=_find_next_step(connection, config, freshness, relationships),
    )


def _relationships(connection: Connection, config: HarvestConfig) -> list[Relationship]:
    """Return the enabled relationship tables, and others that were built earlier."""
    stamp = reading.read_stamp(connection)
    found = []
    for name, relationship in TYPES.items():
        table, is_enabled = relationship.table.name, config.relationships.section(name).enabled
        built = builds.latest(connection, name)
        if built is not None:
            state = UP_TO_DATE if built.stamp == stamp else STALE
            left_out = built.inputs.get(LEFT_OUT, 0)
            kinds = {kind: built.inputs[kind] for kind in (CURATED, ALBUMS) if kind in built.inputs}
            found.append(
                Relationship(table, built.rows, built.finished_at, state, is_enabled, left_out, kinds)
            )
        elif is_enabled:
            found.append(Relationship(table, 0, None, NEVER_BUILT, is_enabled))
    return found


def _find_next_step(
    connection: Connection, config: HarvestConfig, freshness: Freshness, relationships: Sequence[Relationship]
) -> NextStep:
    harvests = inventory.latest_of_each_harvest(connection)
    is_due = bool(due_now(all_seeds(connection), timestamp()))
    if not harvests and not is_due:
        return NextStep("no run yet", [command(*FIRST_COMMAND)])
    unfinished = [
        run
        for run in harvests
        if has_work_left(fetch_outcome(run) or run.outcome, run.stats.get(statistics.walks("failed"), 0))
    ]
    if unfinished:
        resume = list(dict.fromkeys(_command(connection, run) for run in unfinished))
        return NextStep("unfinished", resume[:MAX_SHOWN])
    if is_due:
        return NextStep("seeds due", [command("crawl", "deep_harvest", "-a", "due=1")])
    if config.relationships.on_close and any(relationship.needs_build for relationship in relationships):
        return NextStep("not related", [_relate_command(connection, config, harvests[0])])
    if freshness.stale:
        return NextStep("not fresh", [_repeat(connection, harvests[0])])
    return NextStep(None, [])


def _relate_command(connection: Connection, config: HarvestConfig, run: PastRun) -> str:
    if config.relationships.scope == "all":
        return command("relate")
    # With this scope, a crawl builds the relationships around its own seeds.
    return _repeat(connection, run)


def _repeat(connection: Connection, run: PastRun) -> str:
    """Return the command of a finished harvest without what was decided for that run only."""
    return recorded_command(re.sub(r" -a (accept_gone|refresh)=\w+", "", _recorded(connection, run)))


def _command(connection: Connection, run: PastRun) -> str:
    return recorded_command(_recorded(connection, run))


def _recorded(connection: Connection, run: PastRun) -> str:
    known = run.stats.get(statistics.COMMAND)
    if isinstance(known, str) and known.isprintable():
        return known
    # Only `scrapy crawl` records its command.
    seeds = inventory.seeds_of(connection, run.run_id, MAX_SEEDS + 1)
    if len(seeds) > MAX_SEEDS:
        return crawl_command(run.spider, {"seeds": "FILE"})
    urls = ",".join(seed for seed in seeds if "://" in seed)
    ids = ",".join(seed for seed in seeds if "://" not in seed)
    arguments = {"track_id": ids, "track_url": urls}
    return crawl_command(run.spider, {name: value for name, value in arguments.items() if value})
