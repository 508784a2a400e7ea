"""A run's session on the ledger, inside one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.model.items import Walk
from sgr_spiders.storage import records, upserts
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.ledger.frontier import ENDED, WANTED_NOW, give_back, walk_id
from sgr_spiders.storage.prepared import Prepared
from sgr_spiders.storage.schema import (
    playlist_tracks,
    run_scope,
    run_seeds,
    selections,
    tracks,
    walk_records,
    walk_requests,
    walks,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from sgr_spiders.model.items import MainRecord, Record, Selection, WalkRequest
    from sgr_spiders.storage.ledger.runs import Run
    from sgr_spiders.storage.store import Connection

CHUNK = 500
"""Walks in one ``IN``, see ``records.CHUNK``."""

NEW_WALK = (
    "walk_id",
    "endpoint",
    "target",
    "status",
    "cursor",
    "generation",
    "pages",
    "empty_pages",
    "received",
    "kept",
    "expected",
    "created_at",
)
"""The columns of ``walks`` that a new walk has."""

SELECTION = ("seed_id", "layer", "kind", "record_id", "score")
"""The columns of ``selections``."""

_SHOWN_UP_TO = sa.case((walk_requests.c.cap < walks.c.kept, walk_requests.c.cap), else_=walks.c.kept)
_EXPANSIONS = Prepared(
    sa.select(
        walks.c.walk_id,
        walks.c.endpoint,
        walk_requests.c.seed_id,
        walk_requests.c.layer,
        walk_requests.c.step,
        walk_requests.c.expanded,
        _SHOWN_UP_TO,
    )
    .join(walks, walks.c.walk_id == walk_requests.c.walk_id)
    .join(run_scope, sa.and_(WANTED_NOW, run_scope.c.run_id == sa.bindparam("run")))
    .where(walk_requests.c.walk_id == sa.bindparam("walk"), walk_requests.c.expanded < _SHOWN_UP_TO)
    .order_by(walk_requests.c.seed_id, walk_requests.c.layer, walk_requests.c.step)
)


@dataclass(frozen=True, slots=True)
class Expansion:
    """Records of a walk that a layer has not been shown yet: places ``start`` up to before ``stop``."""

    walk_id: int
    endpoint: str
    seed_id: int
    layer: str
    step: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger as one run sees it, in the transaction of ``connection``.

    The run asks for walks, leases them and shows their records to its layers. It is concerned only with the
    walks that its own seeds and layers want.
    """

    connection: Connection
    run: Run

    def add_seed(self, given: str, request: WalkRequest, track_id: int | None) -> int:
        """Note that the run starts from the seed *given*; return the id of the walk that looks it up."""
        seed_walk = self._add_walks([request])[0]
        row = (self.run.run_id, given, track_id, seed_walk)
        upserts.insert_new(self.connection, run_seeds, ("run_id", "given", "track_id", "walk_id"), [row])
        self._reopen_ended([seed_walk])
        return seed_walk

    def looks_up_seed(self, walk: int) -> bool:
        """Return whether *walk* looks up a seed of the run."""
        query = sa.select(sa.literal(1)).where(
            run_seeds.c.run_id == self.run.run_id, run_seeds.c.walk_id == walk
        )
        return self.connection.scalar(query.limit(1)) is not None

    def resolve_seed(self, seed_walk: int, track_id: int) -> None:
        """Note which track the seeds that *seed_walk* looks up turned out to be."""
        self.connection.execute(
            sa.update(run_seeds)
            .where(run_seeds.c.run_id == self.run.run_id, run_seeds.c.walk_id == seed_walk)
            .values(track_id=track_id)
        )

    def widen_scope(self, seed_id: int, settings: dict[str, str]) -> None:
        """Let the run drain the walks of the seed for these layers (name: fingerprint of its settings)."""
        rows = [(self.run.run_id, seed_id, layer, fingerprint) for layer, fingerprint in settings.items()]
        upserts.insert_new(self.connection, run_scope, ("run_id", "seed_id", "layer", "settings"), rows)

    def request(
        self,
        seed_id: int,
        layer: str,
        settings: str,
        wanted: Sequence[WalkRequest],
    ) -> None:
        """Request walks for *layer* around a seed.

        A walk that is there already is not fetched twice: it is opened again only if it failed in an
        earlier run, is no longer fresh, or stopped at a smaller cap.
        """
        ids = self._add_walks(wanted)
        rows = [
            (walk, seed_id, layer, want.step, want.cap, want.cap, want.selective, 0, settings)
            for walk, want in zip(ids, wanted, strict=True)
        ]
        columns = (
            "walk_id",
            "seed_id",
            "layer",
            "step",
            "cap",
            "widest",
            "selective",
            "expanded",
            "settings",
        )
        upserts.ask_again(self.connection, walk_requests, columns, rows)
        self._reopen_ended(ids)
        self._reopen_capped(ids)

    def reopen(self, seed: str | None = None) -> None:
        """Reopen the walks of the run that failed in an earlier run or are no longer fresh.

        With a *seed*, spelt as it was given, only those around that one.
        """
        self._reopen(self._in_scope() if seed is None else self._around(seed))

    def lease(self, limit: int) -> list[Walk]:
        """Lease up to *limit* planned walks to the run, those asked for first first."""
        # On SQLite the lock clause is left out: there one crawl has the whole file.
        next_walks = (
            sa.select(walks.c.walk_id)
            .where(walks.c.status == "planned", self._in_scope())
            .order_by(walks.c.created_at, walks.c.walk_id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        leased = self.connection.execute(
            sa.update(walks)
            .where(walks.c.walk_id.in_(next_walks))
            .values(
                status="running",
                run_id=self.run.run_id,
                started_at=sa.func.coalesce(walks.c.started_at, timestamp()),
            )
            .returning(
                walks.c.walk_id,
                walks.c.endpoint,
                walks.c.target,
                walks.c.cursor,
                walks.c.pages,
                walks.c.received,
            )
        )
        return [Walk(*row) for row in leased]

    def give_back(self) -> int:
        """Give back the leases of the run; return their number."""
        return give_back(self.connection, walks.c.run_id == self.run.run_id)

    def expansions(self, walk: int) -> list[Expansion]:
        """Return the records of *walk* that the layers of the run have not been shown yet."""
        rows = _EXPANSIONS.execute(self.connection, {"run": self.run.run_id, "walk": walk})
        return [Expansion(*row) for row in rows]

    def not_shown(self, steps: Collection[tuple[str, str]]) -> list[int]:
        """Return the walks of the run with records that a layer has not seen; *steps* are layers and steps.

        Another seed's run may have fetched them after the run that asked for the walk was cut short.
        """
        query = (
            sa.select(walk_requests.c.walk_id)
            .distinct()
            .join(walks, walks.c.walk_id == walk_requests.c.walk_id)
            .join(run_scope, sa.and_(WANTED_NOW, run_scope.c.run_id == self.run.run_id))
            .where(
                sa.tuple_(walk_requests.c.layer, walk_requests.c.step).in_(sorted(steps)),
                walk_requests.c.expanded < _SHOWN_UP_TO,
            )
            .order_by(walk_requests.c.walk_id)
        )
        return list(self.connection.scalars(query))

    def set_expanded(self, expansion: Expansion) -> None:
        """Note that the layer was shown the records of *expansion*."""
        self.connection.execute(
            sa.update(walk_requests)
            .where(
                walk_requests.c.walk_id == expansion.walk_id,
                walk_requests.c.seed_id == expansion.seed_id,
                walk_requests.c.layer == expansion.layer,
                walk_requests.c.step == expansion.step,
            )
            .values(expanded=expansion.stop)
        )

    def has_unfinished(self, seed_id: int, layer: str) -> bool:
        """Return whether any walk that *layer* wants around the seed has not ended."""
        query = (
            sa.select(sa.literal(1))
            .select_from(walk_requests.join(run_scope, WANTED_NOW).join(walks))
            .where(
                run_scope.c.run_id == self.run.run_id,
                walk_requests.c.seed_id == seed_id,
                walk_requests.c.layer == layer,
                walks.c.status.in_(("planned", "running")),
            )
            .limit(1)
        )
        return self.connection.scalar(query) is not None

    def requesters(self, walk: int) -> list[tuple[int, str]]:
        """Return the seeds and layers of the run that want *walk*."""
        query = (
            sa.select(walk_requests.c.seed_id, walk_requests.c.layer)
            .distinct()
            .join(run_scope, sa.and_(WANTED_NOW, run_scope.c.run_id == self.run.run_id))
            .where(walk_requests.c.walk_id == walk)
            .order_by(walk_requests.c.seed_id, walk_requests.c.layer)
        )
        return [(row[0], row[1]) for row in self.connection.execute(query)]

    def requested(self, seed_id: int, layer: str) -> set[tuple[int, str]]:
        """Return the walks that *layer* wants around the seed, with the step it wants each for."""
        query = (
            sa.select(walk_requests.c.walk_id, walk_requests.c.step)
            .join(run_scope, sa.and_(WANTED_NOW, run_scope.c.run_id == self.run.run_id))
            .where(walk_requests.c.seed_id == seed_id, walk_requests.c.layer == layer)
        )
        return {(row[0], row[1]) for row in self.connection.execute(query)}

    def walks_of_step(self, seed_id: int, layer: str, step: str) -> list[tuple[int, str, str, int]]:
        """Return id, endpoint, target and cap of the walks that *layer* wants for *step*, by target."""
        query = (
            sa.select(walks.c.walk_id, walks.c.endpoint, walks.c.target, walk_requests.c.cap)
            .join(walk_requests, walk_requests.c.walk_id == walks.c.walk_id)
            .join(run_scope, sa.and_(WANTED_NOW, run_scope.c.run_id == self.run.run_id))
            .where(
                walk_requests.c.seed_id == seed_id,
                walk_requests.c.layer == layer,
                walk_requests.c.step == step,
            )
            .order_by(walks.c.target)
        )
        return [(row[0], row[1], row[2], row[3]) for row in self.connection.execute(query)]

    def record_ids(self, kind: str, walk: int, start: int, stop: int) -> list[int]:
        """Return the ids of *walk*'s records of *kind* at places *start* up to before *stop*, in order."""
        rows = self.connection.execute(
            sa.select(walk_records.c.record_id)
            .join(
                walks,
                sa.and_(
                    walks.c.walk_id == walk_records.c.walk_id, walks.c.generation == walk_records.c.generation
                ),
            )
            .where(
                walk_records.c.walk_id == walk,
                walk_records.c.kind == kind,
                walk_records.c.position >= start,
                walk_records.c.position < stop,
            )
            .order_by(walk_records.c.position)
        )
        return [row[0] for row in rows]

    def records_of_walk(self, kind: str, walk: int, cap: int) -> Iterator[MainRecord]:
        """Yield the first *cap* records of *walk*, in order."""
        return self.read_records(kind, self.record_ids(kind, walk, 0, cap))

    def read_records(self, kind: str, ids: Sequence[int]) -> Iterator[MainRecord]:
        """Yield the records of *kind* with these *ids*, in that order, without those that are not there."""
        return records.read_records(self.connection, kind, ids)

    def write_records(self, found: Iterable[Record]) -> None:
        """Write records that a layer completed."""
        records.write_records(self.connection, found, set(), timestamp())

    def tracks_of_playlist(self, playlist_id: int, cap: int) -> list[int]:
        """Return the first *cap* tracks of a playlist, in order."""
        query = (
            sa.select(playlist_tracks.c.track_id)
            .where(playlist_tracks.c.playlist_id == playlist_id)
            .order_by(playlist_tracks.c.position)
            .limit(cap)
        )
        return list(self.connection.scalars(query))

    def select(self, seed_id: int, layer: str, chosen: Sequence[Selection]) -> None:
        """Keep the records *chosen* by *layer*, and the uploaders of the tracks among them."""
        rows = [(seed_id, layer, one.kind, one.record_id, one.score) for one in chosen]
        ids = [one.record_id for one in chosen if one.kind == "track"]
        rows += [(seed_id, layer, "user", artist, None) for artist in self._artists(ids)]
        upserts.upsert_latest(self.connection, selections, SELECTION, rows)

    def count_by_status(self) -> dict[str, int]:
        """Count the walks that the run wants, by status."""
        rows = self.connection.execute(
            sa.select(walks.c.status, sa.func.count()).where(self._in_scope()).group_by(walks.c.status)
        )
        return {row[0]: row[1] for row in rows}

    def count_planned(self, seed: str) -> int:
        """Count the planned walks that the run wants around a seed, spelt as it was given."""
        looks_it_up = walks.c.walk_id.in_(
            sa.select(run_seeds.c.walk_id).where(
                run_seeds.c.run_id == self.run.run_id, run_seeds.c.given == seed
            )
        )
        which = sa.and_(walks.c.status == "planned", sa.or_(self._around(seed), looks_it_up))
        return self.connection.scalar(sa.select(sa.func.count()).select_from(walks).where(which)) or 0

    def _add_walks(self, wanted: Sequence[WalkRequest]) -> list[int]:
        ids = [walk_id(want.endpoint, want.target) for want in wanted]
        now = timestamp()
        rows = [
            (walk, want.endpoint, want.target, "planned", "", 0, 0, 0, 0, 0, want.expected, now)
            for walk, want in zip(ids, wanted, strict=True)
        ]
        upserts.add_walks(self.connection, walks, NEW_WALK, rows)
        return ids

    def _reopen_ended(self, ids: Sequence[int]) -> None:
        for chunk in _chunks(ids):
            self._reopen(walks.c.walk_id.in_(chunk))

    def _reopen_capped(self, ids: Sequence[int]) -> None:
        largest = (
            sa.select(sa.func.max(walk_requests.c.cap))
            .where(walk_requests.c.walk_id == walks.c.walk_id)
            .scalar_subquery()
        )
        for chunk in _chunks(ids):
            self.connection.execute(
                sa.update(walks)
                .where(walks.c.walk_id.in_(chunk), walks.c.status == "capped", walks.c.capped_at < largest)
                .values(status="planned", reason=None, capped_at=None, finished_at=None)
            )

    def _reopen(self, which: sa.ColumnElement[bool]) -> None:
        failed = sa.and_(which, walks.c.status == "failed", walks.c.finished_at < self.run.started_at)
        self.connection.execute(
            sa.update(walks).where(failed).values(status="planned", reason=None, finished_at=None)
        )
        stale = sa.and_(which, walks.c.status.in_(ENDED), walks.c.finished_at < self.run.fresh_after)
        self.connection.execute(
            sa.update(walk_requests)
            .where(walk_requests.c.walk_id.in_(sa.select(walks.c.walk_id).where(stale)))
            .values(expanded=0)
        )
        self.connection.execute(
            sa.update(walks)
            .where(stale)
            .values(
                status="planned",
                reason=None,
                cursor="",
                generation=walks.c.generation + 1,
                pages=0,
                empty_pages=0,
                received=0,
                kept=0,
                capped_at=None,
                started_at=None,
                finished_at=None,
            )
        )

    def _in_scope(self) -> sa.ColumnElement[bool]:
        asked = (
            sa.select(sa.literal(1))
            .select_from(walk_requests.join(run_scope, WANTED_NOW))
            .where(run_scope.c.run_id == self.run.run_id, walk_requests.c.walk_id == walks.c.walk_id)
            .correlate(walks)
            .exists()
        )
        looks_up_a_seed = walks.c.walk_id.in_(
            sa.select(run_seeds.c.walk_id).where(run_seeds.c.run_id == self.run.run_id)
        )
        return sa.or_(asked, looks_up_a_seed)

    def _around(self, seed: str) -> sa.ColumnElement[bool]:
        is_the_seed = sa.and_(
            run_seeds.c.run_id == run_scope.c.run_id, run_seeds.c.track_id == run_scope.c.seed_id
        )
        wanted = (
            sa.select(walk_requests.c.walk_id)
            .join(run_scope, WANTED_NOW)
            .join(run_seeds, is_the_seed)
            .where(run_scope.c.run_id == self.run.run_id, run_seeds.c.given == seed)
        )
        return walks.c.walk_id.in_(wanted)

    def _artists(self, ids: Sequence[int]) -> set[int]:
        found: set[int] = set()
        for start in range(0, len(ids), records.CHUNK):
            chunk = ids[start : start + records.CHUNK]
            query = sa.select(tracks.c.artist_id).where(
                tracks.c.track_id.in_(chunk), tracks.c.artist_id.is_not(None)
            )
            found.update(self.connection.scalars(query))
        return found


def _chunks(ids: Collection[int]) -> Iterator[list[int]]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]
