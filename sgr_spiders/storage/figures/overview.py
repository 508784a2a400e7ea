"""Figures of one run, or of the whole database, for the summary and ``scrapy status``.

Only ``found`` reads ``walk_records``, the largest table: all else is quick even with millions of records.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.model.items import REFUSED
from sgr_spiders.storage.ledger.frontier import ASKED_FOR, ENDED, WANTED_NOW
from sgr_spiders.storage.ledger.presence import LOOKUPS
from sgr_spiders.storage.ledger.runs import listed_seeds
from sgr_spiders.storage.schema import (
    comments,
    cuts,
    engagements,
    playlists,
    run_scope,
    run_seeds,
    tracks,
    users,
    walk_pages,
    walk_records,
    walk_requests,
    walks,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sgr_spiders.storage.figures.layer_counts import LayerCounts
    from sgr_spiders.storage.ledger.runs import ListedSeeds, Run

COLLECTED = {
    "tracks": tracks,
    "users": users,
    "playlists": playlists,
    "engagements": engagements,
    "comments": comments,
}
"""The tables whose records the summary counts."""

AUTHORS_COUNT = ("track_comments", "track_page")
"""Endpoints whose walks count authors as kept, while the API counts comments."""

STATUSES = ("done", "capped", "gone", "failed", "running", "planned")
"""The statuses of walks, in order of display."""


@dataclass(frozen=True, slots=True)
class Walks:
    """Walks by status, and the number of items they received.

    Attributes:
        by_status: The number of walks by status.
        received: The items received, including duplicates.
        compared_walks: The walks, whatever their status, whose number of records the API states.
        compared_expected: The records that the API promises for these, each walk only up to its cap. The API
            also counts deleted and private records.
        compared_received: The distinct records kept of those promised. It is never larger.
        looked_whole: The walks whose list was last looked at to its end.
        at_head: The walks last looked at only at the head of their list.
        by_counter: The walks last not looked at, because the API's counter of their items had not changed.
    """

    by_status: Mapping[str, int]
    received: int
    compared_walks: int
    compared_expected: int
    compared_received: int
    looked_whole: int = 0
    at_head: int = 0
    by_counter: int = 0

    @property
    def pending(self) -> int:
        return self.by_status.get("planned", 0) + self.by_status.get("running", 0)

    @property
    def count(self) -> int:
        return sum(self.by_status.values())


@dataclass(frozen=True, slots=True)
class Work:
    """The number of pages spilled, and the seconds from the first to the last."""

    pages: int
    seconds: float


@dataclass(frozen=True, slots=True)
class LostWalks:
    """A group of ``failed`` or ``gone`` walks with the same reason; ``example`` is the target of one."""

    status: str
    endpoint: str
    reason: str
    walks: int
    example: str


@dataclass(frozen=True, slots=True)
class CappedWalks:
    """A group of walks that were capped for a layer; another layer may have received more of them.

    Attributes:
        layer: The layer.
        step: Its use for the walks.
        endpoint: The kind of collection.
        cap: The number of records that the layer wants of each.
        reason: The reason if no cap ended the walks, but empty pages in a row.
        walks: The number of walks.
        kept: The records kept of all of them.
        available: The records that the API promises for them; ``None`` if it does not for each.
        example: The target of one.
    """

    layer: str
    step: str
    endpoint: str
    cap: int
    reason: str | None
    walks: int
    kept: int
    available: int | None
    example: str


@dataclass(frozen=True, slots=True)
class Choices:
    """A group of choices of a layer that left something out, because of the same setting and value.

    Attributes:
        layer: The layer.
        setting: The key of its section that limits the choices.
        cap: The value of the setting.
        choices: The number of choices.
        seeds: The number of seeds around which they were made.
        kept: The number kept in all of them.
        available: The number there was to choose from; ``None`` if unknown for one of them.
        example: What one of them was made for, e.g. a label; else a seed.
    """

    layer: str
    setting: str
    cap: int
    choices: int
    seeds: int
    kept: int
    available: int | None
    example: str


@dataclass(frozen=True, slots=True)
class Capped:
    """Everything that caps left out: of walks, and in the choices of layers."""

    walks: list[CappedWalks]
    choices: list[Choices]

    @property
    def layers(self) -> set[str]:
        return {walks.layer for walks in self.walks} | {choices.layer for choices in self.choices}


NO_WALKS = Walks({}, 0, 0, 0, 0)
NO_WORK = Work(0, 0.0)


@dataclass(frozen=True, slots=True)
class Share:
    """The results, walks and work of one layer, or of all layers."""

    found: LayerCounts
    walks: Walks
    work: Work


@dataclass(frozen=True, slots=True)
class RunOverview:
    """The figures of a run and its harvest.

    ``totals`` cover the whole database. ``refused`` counts the walks that the API refused in this run.
    ``seed_lists`` are the playlists and users whose tracks are seeds.
    """

    layers: Mapping[str, Share]
    together: Share
    totals: Mapping[str, int]
    lost: list[LostWalks]
    capped: Capped
    refused: int
    seed_lists: Sequence[ListedSeeds] = ()


def look_at_run(connection: sa.Connection, run: Run) -> RunOverview:
    """Collect the figures of *run*."""
    from sgr_spiders.storage.figures.layer_counts import count_found  # noqa: PLC0415 - numpy starts slowly

    found, found_together = count_found(connection, run)
    walks_by_layer, all_walks = count_walks(connection, run)
    work, all_work = count_work(connection, run)
    layers = {
        layer: Share(found[layer], walks_by_layer.get(layer, NO_WALKS), work.get(layer, NO_WORK))
        for layer in found
    }
    together = Share(found_together, all_walks, all_work)
    totals = count_totals(connection)
    lost, capped = find_lost(connection, run), find_capped(connection, run)
    refused, lists = count_refused(connection, run), listed_seeds(connection, run)
    return RunOverview(layers, together, totals, lost, capped, refused, lists)


def count_totals(connection: sa.Connection) -> dict[str, int]:
    """Count the records in each table that are present, without stubs."""
    totals = {}
    for name, table in COLLECTED.items():
        query = removed = sa.select(sa.func.count()).select_from(table)
        if "is_stub" in table.c:
            query = removed = query.where(sa.not_(table.c.is_stub))
        # Counting all and the removed ones reads only indexes, unless there are stubs.
        removed = removed.where(table.c.removed_at.is_not(None))
        totals[name] = (connection.scalar(query) or 0) - (connection.scalar(removed) or 0)
    return totals


def count_first_seen(connection: sa.Connection, since: str) -> dict[str, int]:
    """Count the records in each table that were first seen since that time, without stubs."""
    counts = {}
    for name, table in COLLECTED.items():
        query = sa.select(sa.func.count()).select_from(table).where(table.c.first_seen_at >= since)
        if "is_stub" in table.c:
            query = query.where(sa.not_(table.c.is_stub))
        counts[name] = connection.scalar(query) or 0
    return counts


def count_walks(
    connection: sa.Connection, run: Run | None = None, seeds: Collection[int] | None = None
) -> tuple[dict[str, Walks], Walks]:
    """Count the walks by layer, and all walks: those that *run* wants, or those in the database.

    With *seeds*, only those that were requested around them.
    """
    requested = _select_requested(run, seeds).subquery()
    by_layer: dict[str, list[Any]] = {}
    figures = (walks.c.status, *_sums(requested.c.cap))
    for layer, *row in connection.execute(
        sa.select(requested.c.layer, *figures)
        .join(walks, walks.c.walk_id == requested.c.walk_id)
        .group_by(requested.c.layer, walks.c.status)
    ):
        by_layer.setdefault(layer, []).append(row)
    widest = (
        sa.select(requested.c.walk_id, sa.func.max(requested.c.cap).label("cap"))
        .group_by(requested.c.walk_id)
        .subquery()
    )
    # Lists of seeds have other caps.
    cap = sa.func.coalesce(widest.c.cap, walks.c.capped_at, walks.c.expected)
    together = (
        sa.select(walks.c.status, *_sums(cap))
        .outerjoin_from(walks, widest, widest.c.walk_id == walks.c.walk_id)
        .group_by(walks.c.status)
    )
    if run is not None:
        together = together.where(walks.c.walk_id.in_(_select_all_wanted(run)))
    if seeds is not None:
        together = together.where(walks.c.walk_id.in_(_select_around(seeds)))
    whole = _walks(connection.execute(together).all())
    return {layer: _walks(rows) for layer, rows in by_layer.items()}, whole


def count_work(connection: sa.Connection, run: Run) -> tuple[dict[str, Work], Work]:
    """Count the pages of the walks that *run* wanted, spilled since its start, by layer and in total.

    Some of these walks may have turned out at its end to be wanted for nothing any more.
    """
    wanted = _select_wanted(run).subquery()
    figures = (
        sa.func.count(),
        sa.func.min(walk_pages.c.fetched_at),
        sa.func.max(walk_pages.c.fetched_at),
    )
    since = walk_pages.c.fetched_at >= run.started_at
    joined = sa.join(wanted, walk_pages, wanted.c.walk_id == walk_pages.c.walk_id)
    rows = connection.execute(
        sa.select(wanted.c.layer, *figures).select_from(joined).where(since).group_by(wanted.c.layer)
    )
    by_layer = {layer: _work(*row) for layer, *row in rows}
    whole = sa.select(*figures).where(since, walk_pages.c.walk_id.in_(_select_all_wanted(run, ASKED_FOR)))
    return by_layer, _work(*connection.execute(whole).one())


def count_refused(connection: sa.Connection, run: Run) -> int:
    """Count the walks of *run* that the API has refused for good since its start; later runs leave them."""
    query = sa.select(sa.func.count()).where(
        walks.c.status == "gone",
        walks.c.reason.startswith(REFUSED),
        walks.c.finished_at >= run.started_at,
        walks.c.walk_id.in_(_select_all_wanted(run)),
    )
    return connection.scalar(query) or 0


def find_lost(
    connection: sa.Connection, run: Run | None = None, seeds: Collection[int] | None = None
) -> list[LostWalks]:
    """Return the failed and gone walks in groups, failed ones first, the largest groups first.

    With *seeds*, only those that were requested around them.
    """
    what = (walks.c.status, walks.c.endpoint, walks.c.reason)
    number = sa.func.count().label("number")
    query = (
        sa.select(*what, number, sa.func.min(walks.c.target))
        .where(walks.c.status.in_(("failed", "gone")))
        .group_by(*what)
        .order_by(walks.c.status, number.desc(), walks.c.endpoint, walks.c.reason)
    )
    if run is not None:
        query = query.where(walks.c.walk_id.in_(_select_all_wanted(run)))
    if seeds is not None:
        query = query.where(walks.c.walk_id.in_(_select_around(seeds)))
    return [
        LostWalks(status, endpoint, reason or "unknown", count, example)
        for status, endpoint, reason, count, example in connection.execute(query)
    ]


def find_capped(
    connection: sa.Connection, run: Run | None = None, seeds: Collection[int] | None = None
) -> Capped:
    """Return what caps left out for *run*, or for the latest run of each seed and layer.

    With *seeds*, only what they left out around them.
    """
    scope = _select_scope(run, seeds).subquery()
    return Capped(_capped_walks(connection, scope), _choices(connection, scope))


def _capped_walks(connection: sa.Connection, scope: sa.Subquery) -> list[CappedWalks]:
    """Return the capped walks in groups, by layer and step, the largest groups first.

    A walk runs up to the largest cap of all requests. For a layer with a smaller cap it is capped whatever
    its status is.
    """
    asked = walk_requests.c
    ran_out = sa.and_(walks.c.status == "capped", walks.c.capped_at.is_(None))
    at_its_cap = sa.and_(walks.c.status == "capped", asked.cap <= walks.c.kept)
    kept = sa.case((walks.c.kept < asked.cap, walks.c.kept), else_=asked.cap)
    promises = sa.and_(walks.c.endpoint.not_in(AUTHORS_COUNT), walks.c.expected > kept)
    capped = (
        sa.select(
            asked.layer,
            asked.step,
            walks.c.endpoint,
            asked.cap,
            sa.case((ran_out, walks.c.reason)).label("reason"),
            walks.c.walk_id,
            walks.c.target,
            kept.label("kept"),
            sa.case((promises, walks.c.expected)).label("available"),
        )
        .join(walks, walks.c.walk_id == asked.walk_id)
        .join(scope, _is_in(scope, walk_requests))
        .where(sa.or_(ran_out, at_its_cap, asked.cap < walks.c.kept))
        .group_by(asked.layer, asked.step, asked.cap, walks.c.walk_id)
        .subquery()
    ).c
    what = (capped.layer, capped.step, capped.endpoint, capped.cap, capped.reason)
    number = sa.func.count().label("number")
    query = (
        sa.select(
            *what,
            number,
            sa.func.sum(capped.kept),
            _sum_if_known(capped.available),
            sa.func.min(capped.target),
        )
        .group_by(*what)
        .order_by(capped.layer, number.desc(), capped.step, capped.cap)
    )
    return [CappedWalks(*row) for row in connection.execute(query)]


def _choices(connection: sa.Connection, scope: sa.Subquery) -> list[Choices]:
    """Return the choices of layers that left something out, in groups by setting and value."""
    example = sa.case((cuts.c.target != "", cuts.c.target), else_=sa.cast(cuts.c.seed_id, sa.Text))
    what = (cuts.c.layer, cuts.c.setting, cuts.c.kept)
    query = (
        sa.select(
            *what,
            sa.func.count(),
            sa.func.count(cuts.c.seed_id.distinct()),
            sa.func.sum(cuts.c.kept),
            _sum_if_known(cuts.c.available),
            sa.func.min(example),
        )
        .join(scope, _is_in(scope, cuts))
        .group_by(*what)
        .order_by(*what)
    )
    return [Choices(*row) for row in connection.execute(query)]


def _select_scope(run: Run | None, seeds: Collection[int] | None) -> sa.Select[Any]:
    """Build the query for the seeds and layers of *run* with their settings; by default the latest ones."""
    if run is not None:
        return sa.select(run_scope).where(run_scope.c.run_id == run.run_id)
    last = sa.select(run_scope.c.seed_id, run_scope.c.layer, sa.func.max(run_scope.c.run_id).label("run_id"))
    if seeds is not None:
        last = last.where(run_scope.c.seed_id.in_(seeds))
    latest = last.group_by(run_scope.c.seed_id, run_scope.c.layer).subquery()
    is_latest = sa.and_(
        latest.c.seed_id == run_scope.c.seed_id,
        latest.c.layer == run_scope.c.layer,
        latest.c.run_id == run_scope.c.run_id,
    )
    return sa.select(run_scope).join(latest, is_latest)


def _is_in(scope: sa.Subquery, table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(*(scope.c[name] == table.c[name] for name in ("seed_id", "layer", "settings")))


def _sum_if_known(values: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """Return the sum of *values*; null if one of them is."""
    return sa.case((sa.func.count(values) == sa.func.count(), sa.func.sum(values)))


def _select_wanted(run: Run | None) -> sa.Select[tuple[str, int]]:
    """Build the query for the distinct pairs of a layer and a walk that it wanted."""
    query = sa.select(walk_requests.c.layer, walk_requests.c.walk_id).distinct()
    if run is None:
        return query
    return query.join(run_scope, ASKED_FOR).where(run_scope.c.run_id == run.run_id)


def _select_around(seeds: Collection[int]) -> sa.Select[tuple[int]]:
    """Build the query for the walks that were requested around *seeds*."""
    return sa.select(walk_requests.c.walk_id).where(walk_requests.c.seed_id.in_(seeds))


def _select_requested(
    run: Run | None, seeds: Collection[int] | None = None
) -> sa.Select[tuple[str, int, int]]:
    """Build the query for each layer and walk that it wants, with its largest cap."""
    cap = sa.func.max(walk_requests.c.cap).label("cap")
    query = sa.select(walk_requests.c.layer, walk_requests.c.walk_id, cap).group_by(
        walk_requests.c.layer, walk_requests.c.walk_id
    )
    if seeds is not None:
        query = query.where(walk_requests.c.seed_id.in_(seeds))
    if run is None:
        return query
    return query.join(run_scope, WANTED_NOW).where(run_scope.c.run_id == run.run_id)


def _select_all_wanted(run: Run, condition: sa.ColumnElement[bool] = WANTED_NOW) -> sa.CompoundSelect[Any]:
    """Build the query for all walks that *run* wants, including those that look up the URL of a seed."""
    by_layers = (
        sa.select(walk_requests.c.walk_id).join(run_scope, condition).where(run_scope.c.run_id == run.run_id)
    )
    return by_layers.union(sa.select(run_seeds.c.walk_id).where(run_seeds.c.run_id == run.run_id))


def _sums(cap: sa.ColumnElement[int]) -> tuple[sa.ColumnElement[Any], ...]:
    """Return the figures of a group of walks, each wanted up to *cap*."""
    # A cap on authors says nothing about the number of comments.
    is_cut_by_authors = sa.and_(walks.c.endpoint.in_(AUTHORS_COUNT), walks.c.kept >= cap)
    # What is looked up may be gone: the API promises nothing.
    is_promise = sa.and_(walks.c.expected.is_not(None), walks.c.endpoint.not_in(LOOKUPS))
    comparable = sa.and_(is_promise, sa.not_(is_cut_by_authors))
    by_authors = walks.c.endpoint.in_(AUTHORS_COUNT)
    promised = sa.case((sa.or_(by_authors, walks.c.expected < cap), walks.c.expected), else_=cap)
    kept = sa.case((by_authors, _count_comments()), else_=walks.c.kept)
    received = sa.case((kept < promised, kept), else_=promised)
    looked = sa.func.coalesce(walks.c.looked, "whole")
    return (
        sa.func.count(),
        sa.func.sum(walks.c.received),
        sa.func.sum(sa.case((comparable, 1), else_=0)),
        sa.func.sum(sa.case((comparable, promised), else_=0)),
        sa.func.sum(sa.case((comparable, received), else_=0)),
        # In the ledger, the look of a capped or failed walk is `whole` too: it was not one at the head.
        sa.func.sum(sa.case((sa.and_(walks.c.status == "done", looked == "whole"), 1), else_=0)),
        *(
            sa.func.sum(sa.case((sa.and_(walks.c.status.in_(ENDED), looked == how), 1), else_=0))
            for how in ("head", "counter")
        ),
    )


def _count_comments() -> sa.ScalarSelect[int]:
    return (
        sa.select(sa.func.count())
        .where(
            walk_records.c.walk_id == walks.c.walk_id,
            walk_records.c.kind == "comment",
            walk_records.c.generation == walks.c.generation,
        )
        .correlate(walks)
        .scalar_subquery()
    )


def _walks(rows: Any) -> Walks:  # noqa: ANN401 - rows of a query
    by_status = {row[0]: row[1] for row in rows}
    ordered = {status: by_status[status] for status in STATUSES if status in by_status}
    return Walks(ordered, *(sum(int(row[place]) for row in rows) for place in range(2, 9)))


def _work(pages: int, first: str | None, last: str | None) -> Work:
    if first is None or last is None:
        return NO_WORK
    return Work(pages, (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds())
