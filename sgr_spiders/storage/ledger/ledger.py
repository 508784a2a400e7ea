"""A run's session on the ledger, inside one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.model.items import PageSize, Walk, WalkRequest
from sgr_spiders.storage import records, upserts
from sgr_spiders.storage.chunks import chunked
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.ledger import presence, runs
from sgr_spiders.storage.ledger.delta import is_counted
from sgr_spiders.storage.ledger.forgotten import keep_unforgotten
from sgr_spiders.storage.ledger.frontier import (
    ENDED,
    FETCH_LAST,
    LARGEST_CAP,
    NO_DATA,
    WANTED_NOW,
    begin_anew,
    give_back,
    take_back_doubted,
    walk_id,
)
from sgr_spiders.storage.prepared import CompiledStatement
from sgr_spiders.storage.schema import (
    cuts,
    playlist_leftovers,
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

    from sgr_spiders.model.items import Cut, MainRecord, Record, Selection
    from sgr_spiders.storage.ledger.delta import Delta
    from sgr_spiders.storage.ledger.runs import Run
    from sgr_spiders.storage.store import Connection

LOOKUP_SIZE = 200
"""Records in one request that looks them up: as many as the API returns on a page."""

LOOKUP_STEP = "lookup"
"""The step of requests that look up records that left lists."""

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
"""The columns of ``walks`` that are set for a new walk."""

NEW_SEED = ("run_id", "given", "track_id", "walk_id", "max_tracks", "found_by")
"""The columns of ``run_seeds``."""

SELECTION = ("seed_id", "layer", "kind", "record_id", "score", "last_seen_at", "settings", "first_seen_at")
"""The columns of ``selections`` that are written."""

_SHOWN_UP_TO = sa.case((walk_requests.c.cap < walks.c.kept, walk_requests.c.cap), else_=walks.c.kept)
_EXPANSIONS = CompiledStatement(
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

_REQUESTERS = CompiledStatement(
    sa.select(walk_requests.c.seed_id, walk_requests.c.layer)
    .distinct()
    .join(run_scope, sa.and_(WANTED_NOW, run_scope.c.run_id == sa.bindparam("run")))
    .where(walk_requests.c.walk_id == sa.bindparam("walk"))
    .order_by(walk_requests.c.seed_id, walk_requests.c.layer)
)

_UNFINISHED = CompiledStatement(
    sa.select(sa.literal_column("1"))
    .select_from(walk_requests.join(run_scope, WANTED_NOW).join(walks))
    .where(
        run_scope.c.run_id == sa.bindparam("run"),
        walk_requests.c.seed_id == sa.bindparam("seed"),
        walk_requests.c.layer == sa.bindparam("layer"),
        sa.or_(walks.c.status == "planned", walks.c.status == "running"),
    )
    .limit(1)
)

_USES = CompiledStatement(
    sa.select(walk_requests.c.layer, walk_requests.c.step)
    .join(run_scope, sa.and_(WANTED_NOW, run_scope.c.run_id == sa.bindparam("run")))
    .where(walk_requests.c.walk_id == sa.bindparam("walk"))
)


@dataclass(frozen=True, slots=True)
class Expansion:
    """Records of a walk not yet shown to a layer: positions ``start`` up to, but not including, ``stop``."""

    walk_id: int
    endpoint: str
    seed_id: int
    layer: str
    step: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Lookup:
    """The walk that looks up a seed; ``has_found`` tells whether it has ended with what it looked for."""

    endpoint: str
    target: str
    has_found: bool


@dataclass(frozen=True, slots=True)
class Ledger:
    """One run's view of the ledger, in the transaction of ``connection``.

    The run requests walks, leases them and shows their records to its layers. It sees only the walks that its
    own seeds and layers want.
    """

    connection: Connection
    run: Run
    delta: Delta | None = None

    def add_seed(
        self,
        given: str,
        request: WalkRequest,
        track_id: int | None = None,
        *,
        max_tracks: int | None = None,
        found_by: int | None = None,
    ) -> int:
        """Add the seed *given* to the run; return the ID of the walk that looks it up.

        Args:
            given: The seed as given.
            request: The walk that looks it up.
            track_id: Its track, if it is known.
            max_tracks: The number of tracks that become seeds, if it may be a playlist or user.
            found_by: The walk that lists it, if it is a track of a playlist or user.
        """
        seed_walk = self._look_up(request)
        row = (self.run.run_id, given, track_id, seed_walk, max_tracks, found_by)
        upserts.insert_new(self.connection, run_seeds, NEW_SEED, [row])
        return seed_walk

    def follow_seeds(self, seed_walk: int, part: str, request: WalkRequest) -> int:
        """Look up the playlists or users of *seed_walk* further, by another walk; return its ID.

        *part* is what that walk finds: a word for the names of its rows.
        """
        following = self._look_up(request)
        rows = self.connection.execute(
            sa.select(run_seeds.c.given, run_seeds.c.max_tracks).where(
                run_seeds.c.run_id == self.run.run_id,
                run_seeds.c.walk_id == seed_walk,
                run_seeds.c.max_tracks.is_not(None),
            )
        )
        new = [
            (self.run.run_id, f"{given}#{part}", None, following, max_tracks, seed_walk)
            for given, max_tracks in rows
        ]
        upserts.insert_new(self.connection, run_seeds, NEW_SEED, new)
        self._reopen_capped([following], self.max_tracks(following))
        return following

    def _look_up(self, request: WalkRequest) -> int:
        (seed_walk,) = self._add_walks([request])
        self._reopen_ended([seed_walk])
        self.ask_again(seed_walk)
        return seed_walk

    def max_tracks(self, seed_walk: int) -> int | None:
        """Return the number of tracks of *seed_walk* that become seeds; ``None`` if it looks up tracks."""
        most: int | None = self.connection.scalar(
            sa.select(sa.func.max(run_seeds.c.max_tracks)).where(
                run_seeds.c.run_id == self.run.run_id, run_seeds.c.walk_id == seed_walk
            )
        )
        return most

    def lookup(self, seed_walk: int) -> Lookup:
        """Return how far the look-up of a seed is."""
        row = self.connection.execute(
            sa.select(walks.c.endpoint, walks.c.target, walks.c.status.in_(("done", "capped"))).where(
                walks.c.walk_id == seed_walk
            )
        ).one()
        return Lookup(*row)

    def ask_again(self, seed_walk: int) -> None:
        """Reopen the walk of a seed that was not found in an earlier run: its ID or URL may be mistyped."""
        self.connection.execute(
            sa.update(walks)
            .where(
                walks.c.walk_id == seed_walk,
                walks.c.status == "gone",
                walks.c.finished_at < self.run.started_at,
            )
            .values(status="planned", reason=None, finished_at=None, doubted=False)
        )

    def looks_up_seed(self, walk: int) -> bool:
        """Return whether *walk* looks up a seed of the run."""
        query = sa.select(sa.literal(1)).where(
            run_seeds.c.run_id == self.run.run_id, run_seeds.c.walk_id == walk
        )
        return self.connection.scalar(query.limit(1)) is not None

    def resolve_seed(self, seed_walk: int, track_id: int) -> None:
        """Record the track of the seeds that *seed_walk* looks up."""
        self.connection.execute(
            sa.update(run_seeds)
            .where(run_seeds.c.run_id == self.run.run_id, run_seeds.c.walk_id == seed_walk)
            .values(track_id=track_id, max_tracks=None)
        )

    def count_found(self, seed_walk: int) -> int:
        """Count the seeds of the run that *seed_walk* has found."""
        found = sa.and_(run_seeds.c.run_id == self.run.run_id, run_seeds.c.found_by == seed_walk)
        return self.connection.scalar(sa.select(sa.func.count()).select_from(run_seeds).where(found)) or 0

    def widen_scope(self, seed_id: int, settings: dict[str, str]) -> None:
        """Add the seed's walks for these layers (name: fingerprint of its settings) to the run's scope."""
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

        A stored walk is not refetched, unless it failed in an earlier run, is stale, or stopped at a smaller
        cap.
        """
        ids = self._add_walks(wanted)
        now = timestamp()
        rows = [
            (
                walk,
                seed_id,
                layer,
                request.step,
                request.cap,
                request.cap,
                request.selective,
                0,
                settings,
                request.inline_cap,
                now,
                None,
            )
            for walk, request in zip(ids, wanted, strict=True)
        ]
        columns = tuple(walk_requests.columns.keys())
        upserts.upsert_walk_requests(self.connection, walk_requests, columns, rows)
        self._reopen_ended(ids)
        self._reopen_capped(ids)

    def reopen(self, seed: str | None = None) -> None:
        """Reopen the walks of the run that failed in an earlier run or are stale.

        Stale ones begin again at page 1, also if they had failed or were half done.

        With a *seed*, spelt as it was given, reopen only the walks around it.
        """
        which = self._in_scope() if seed is None else self._around(seed)
        if self.delta is None:
            self._reopen(which)
            return
        # Lists with a counter follow when the layers have renewed it.
        self._reopen(sa.and_(which, sa.not_(is_counted())))
        if not (self.count_planned(seed) if seed is not None else self._has_planned()):
            self._reopen(which)

    def lease(self, limit: int) -> list[Walk]:
        """Lease up to *limit* planned walks to the worker, oldest request first.

        Walks that had setbacks follow when all others have ended: what stopped an earlier run at one of them
        would stop this one, too.
        """
        leased = self._lease(walks.c.setbacks == 0, limit)
        if leased or self._has_leases():
            return leased
        if self.delta is not None:
            # What no layer has requested again.
            self._reopen(self._in_scope() if self.delta.seed is None else self._around(self.delta.seed))
            leased = self._lease(walks.c.setbacks == 0, limit)
        return leased or self._lease(walks.c.setbacks > 0, limit)

    def _lease(self, which: sa.ColumnElement[bool], limit: int) -> list[Walk]:
        # SQLAlchemy omits the lock clause on SQLite, where one crawl owns the whole file.
        next_walks = (
            sa.select(walks.c.walk_id)
            .where(walks.c.status == "planned", which, self._in_scope())
            .order_by(walks.c.setbacks, walks.c.created_at, walks.c.walk_id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        leased = self.connection.execute(
            sa.update(walks)
            .where(walks.c.walk_id.in_(next_walks))
            .values(
                status="running",
                run_id=self.run.run_id,
                worker_id=self.run.worker_id,
                started_at=sa.func.coalesce(walks.c.started_at, timestamp()),
            )
            .returning(
                walks.c.walk_id,
                walks.c.endpoint,
                walks.c.target,
                walks.c.cursor,
                walks.c.pages,
                walks.c.received,
                walks.c.setbacks,
                walks.c.page_limit,
                walks.c.without_tracks,
            )
        )
        return list(map(_read_walk, leased))

    def _has_planned(self) -> bool:
        """Return whether a walk of the run is planned."""
        return self._has(sa.and_(walks.c.status == "planned", self._in_scope()))

    def _has_leases(self) -> bool:
        """Return whether the run has leased a walk that had no setbacks."""
        leased = walks.c.status == "running", walks.c.setbacks == 0, walks.c.run_id == self.run.run_id
        return self._has(sa.and_(*leased))

    def _has(self, which: sa.ColumnElement[bool]) -> bool:
        return self.connection.scalar(sa.select(sa.literal(1)).where(which).limit(1)) is not None

    def believe(self, doubted: Collection[int]) -> None:
        """Confirm that these *doubted* walks have no data, unless others have taken them over."""
        for chunk in chunked(sorted(doubted)):
            believed = sa.update(walks).where(walks.c.walk_id.in_(chunk), walks.c.doubted, self._is_mine())
            certain = believed.values(doubted=False, worker_id=None).returning(walks.c.walk_id)
            ids = self.connection.scalars(certain).all()
            presence.note_certain(self.connection, ids, self.run, timestamp())

    def accept_loss(self, walk: int) -> None:
        """Leave *walk* out of the walks that had data before."""
        self.connection.execute(sa.update(walks).where(walks.c.walk_id == walk).values(kept_before=None))

    def is_settled(self) -> bool:
        """Return whether the run has leased no walk, and none is doubted."""
        leased = sa.and_(walks.c.status == "running", walks.c.run_id == self.run.run_id)
        open_ones = [sa.select(sa.literal(1)).where(which).limit(1) for which in (leased, walks.c.doubted)]
        return all(self.connection.scalar(query) is None for query in open_ones)

    def has_others(self) -> bool:
        """Return whether other workers have walks that the run wants, or doubt their answers."""
        is_open = sa.or_(walks.c.status == "running", walks.c.doubted)
        if self._has(sa.and_(is_open, walks.c.worker_id != self.run.worker_id, self._in_scope())):
            return True
        # Walks that this worker puts off follow its leases.
        return self._has_planned() and not self._has(sa.and_(walks.c.status == "running", self._is_mine()))

    def scope(self) -> list[tuple[int, str]]:
        """Return the seeds and layers of the run."""
        query = sa.select(run_scope.c.seed_id, run_scope.c.layer).where(run_scope.c.run_id == self.run.run_id)
        rows = self.connection.execute(query.order_by(run_scope.c.seed_id, run_scope.c.layer))
        return [(row[0], row[1]) for row in rows]

    def uses(self, walk: int) -> list[tuple[str, str]]:
        """Return the layers of the run that want *walk*, each with its step."""
        rows = _USES.execute(self.connection, {"run": self.run.run_id, "walk": walk})
        return [(row[0], row[1]) for row in rows]

    def look_up_vanished(self, settings: str, seed_id: int, layer: str) -> None:
        """Request walks that tell which of the records that left lists are gone.

        These are the lists of this run, and of the interrupted ones that it continues.
        Any seed and layer of the run will do; the records are not theirs.
        """
        since = runs.start_of_unfinished(self.connection, self.run)
        refetched = sa.and_(walks.c.generation > 0, walks.c.finished_at >= since)
        if self.connection.scalar(sa.select(sa.literal(1)).where(refetched).limit(1)) is None:
            return
        for endpoint, kind in presence.LOOKUPS.items():
            ids = presence.vanished(self.connection, kind, since)
            wanted = [
                WalkRequest(
                    endpoint, ",".join(map(str, some)), LOOKUP_STEP, len(some), len(some), selective=True
                )
                for some in chunked(ids, LOOKUP_SIZE)
            ]
            self.request(seed_id, layer, settings, wanted)

    def note_believed(self) -> None:
        """Mark what is gone or empty, after all doubts are settled."""
        presence.note_believed(self.connection, self.run, timestamp())

    def count_losses(self) -> tuple[int, int]:
        """Return how many refetched walks of the run have no data any more, and how many had some before."""
        row = self.connection.execute(
            sa.select(
                sa.func.coalesce(sa.func.sum(sa.case((self._is_lost(), 1), else_=0)), 0), sa.func.count()
            ).where(walks.c.kept_before > 0, self._is_refetched(), self._in_scope())
        ).one()
        return row[0], row[1]

    def take_back_losses(self) -> int:
        """Return the walks that ``count_losses`` counts as lost to ``planned``, and return their number."""
        lost = sa.and_(walks.c.kept_before > 0, self._is_lost(), self._in_scope())
        return self.connection.execute(sa.update(walks).where(lost).values(FETCH_LAST)).rowcount

    def _is_refetched(self) -> sa.ColumnElement[bool]:
        since = sa.or_(walks.c.finished_at.is_(None), walks.c.finished_at >= self.run.fresh_after)
        return sa.and_(since, self._was_looked_at())

    def _is_lost(self) -> sa.ColumnElement[bool]:
        return sa.and_(NO_DATA, walks.c.finished_at >= self.run.fresh_after, self._was_looked_at())

    def _was_looked_at(self) -> sa.ColumnElement[bool]:
        return sa.func.coalesce(walks.c.looked, "whole") != "counter"

    def latest_with_data(self) -> Walk | None:
        """Return the walk that was finished last among those that have data."""
        row = self.connection.execute(
            sa.select(walks.c.walk_id, walks.c.endpoint, walks.c.target)
            .where(
                walks.c.status.in_(("done", "capped")),
                walks.c.kept > 0,
                sa.not_(sa.or_(walks.c.doubted, walks.c.outdated)),
            )
            .order_by(walks.c.finished_at.desc())
            .limit(1)
        ).one_or_none()
        return None if row is None else Walk(*row)

    def seed_known_to_be_good(self) -> int | None:
        """Return the track of a seed that is stored in full, one fetched lately if possible."""
        fetched = sa.and_(walks.c.endpoint == "track", walks.c.target == sa.cast(tracks.c.track_id, sa.Text))
        return self.connection.scalar(
            sa.select(tracks.c.track_id)
            .join(run_seeds, run_seeds.c.track_id == tracks.c.track_id)
            .outerjoin(walks, fetched)
            .where(run_seeds.c.run_id == self.run.run_id, sa.not_(tracks.c.is_stub))
            .order_by(
                sa.case((walks.c.status == "done", 0), else_=1), walks.c.finished_at.desc().nulls_last()
            )
            .limit(1)
        )

    def note_setbacks(self) -> None:
        """Count a setback of each walk that the worker has leased."""
        leased = sa.and_(walks.c.status == "running", self._is_mine())
        self.connection.execute(sa.update(walks).where(leased).values(setbacks=walks.c.setbacks + 1))

    def give_back(self, but: Collection[int] = ()) -> int:
        """Return the worker's leased walks to ``planned``, apart from these; return their number."""
        return give_back(self.connection, sa.and_(self._is_mine(), walks.c.walk_id.not_in(but)))

    def take_back_doubted(self, but: Collection[int] = ()) -> int:
        """Return the walks that the worker doubts to ``planned``, apart from these; return their number."""
        return take_back_doubted(self.connection, sa.and_(self._is_mine(), walks.c.walk_id.not_in(but)))

    def _is_mine(self) -> sa.ColumnElement[bool]:
        return walks.c.worker_id == self.run.worker_id

    def expansions(self, walk: int) -> list[Expansion]:
        """Return the records of *walk* not yet shown to the layers of the run."""
        rows = _EXPANSIONS.execute(self.connection, {"run": self.run.run_id, "walk": walk})
        return [Expansion(*row) for row in rows]

    def not_shown(self, steps: Collection[tuple[str, str]]) -> list[int]:
        """Return the walks of the run with records not yet shown to a layer, for these (layer, step) pairs.

        Another seed's run may have fetched them after the run that requested the walk was interrupted.
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

    def with_records(self, ids: Sequence[int]) -> list[int]:
        """Return those of the walks *ids* that have records, in the same order."""
        found: set[int] = set()
        for chunk in chunked(sorted(ids)):
            query = sa.select(walks.c.walk_id).where(walks.c.walk_id.in_(chunk), walks.c.kept > 0)
            found.update(self.connection.scalars(query))
        return [walk for walk in ids if walk in found]

    def set_expanded(self, expansion: Expansion) -> None:
        """Record that the layer was shown the records of *expansion*."""
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
        wanted = {"run": self.run.run_id, "seed": seed_id, "layer": layer}
        return _UNFINISHED.execute(self.connection, wanted).scalar() is not None

    def is_refetched(self, seed_id: int, layer: str) -> bool:
        """Return whether any walk that *layer* wants around the seed was refetched in any run."""
        query = (
            sa.select(sa.literal(1))
            .select_from(walk_requests.join(run_scope, WANTED_NOW).join(walks))
            .where(
                run_scope.c.run_id == self.run.run_id,
                walk_requests.c.seed_id == seed_id,
                walk_requests.c.layer == layer,
                walks.c.generation > 0,
            )
            .limit(1)
        )
        return self.connection.scalar(query) is not None

    def refetched(self) -> list[tuple[int, str]]:
        """Return the seeds and layers whose walks have all ended, some of them refetched in the run."""
        since = min(self.run.fresh_after, self.run.started_at)
        anew = sa.and_(walks.c.generation > 0, walks.c.finished_at >= since)
        is_open = sa.or_(walks.c.status.not_in(ENDED), walks.c.doubted)
        query = (
            sa.select(walk_requests.c.seed_id, walk_requests.c.layer)
            .select_from(walk_requests.join(run_scope, WANTED_NOW).join(walks))
            .where(run_scope.c.run_id == self.run.run_id)
            .group_by(walk_requests.c.seed_id, walk_requests.c.layer)
            .having(
                sa.func.max(sa.case((anew, 1), else_=0)) == 1,
                sa.func.max(sa.case((is_open, 1), else_=0)) == 0,
            )
            .order_by(walk_requests.c.seed_id, walk_requests.c.layer)
        )
        return [(row[0], row[1]) for row in self.connection.execute(query)]

    def keep_only(
        self,
        seed_id: int,
        layer: str,
        settings: str,
        wanted: Collection[tuple[int, str]],
        chosen: Collection[Selection],
    ) -> None:
        """Mark other walks (with their steps) and selections of *layer* as removed.

        Those made under other *settings* stay: a lowered cap removes nothing.
        """
        now = timestamp()
        mine = sa.and_(walk_requests.c.seed_id == seed_id, walk_requests.c.layer == layer)
        for use in self.requested(seed_id, layer) - set(wanted):
            this = sa.and_(mine, walk_requests.c.walk_id == use[0], walk_requests.c.step == use[1])
            self.connection.execute(sa.update(walk_requests).where(this).values(removed_at=now))
        kept = {(choice.kind, choice.record_id) for choice in chosen}
        tracks_chosen = [choice.record_id for choice in chosen if choice.kind == "track"]
        kept |= {("user", artist) for artist in self._artists(tracks_chosen)}
        selected = sa.and_(
            selections.c.seed_id == seed_id,
            selections.c.layer == layer,
            selections.c.settings == settings,
            selections.c.removed_at.is_(None),
        )
        rows = self.connection.execute(sa.select(selections.c.kind, selections.c.record_id).where(selected))
        for kind, record_id in {(row[0], row[1]) for row in rows} - kept:
            this = sa.and_(selected, selections.c.kind == kind, selections.c.record_id == record_id)
            self.connection.execute(sa.update(selections).where(this).values(removed_at=now))

    def requesters(self, walk: int) -> list[tuple[int, str]]:
        """Return the seeds and layers of the run that want *walk*."""
        rows = _REQUESTERS.execute(self.connection, {"run": self.run.run_id, "walk": walk})
        return [(row[0], row[1]) for row in rows]

    def requested(self, seed_id: int, layer: str) -> set[tuple[int, str]]:
        """Return the walks that *layer* wants around the seed, each with its step."""
        query = (
            sa.select(walk_requests.c.walk_id, walk_requests.c.step)
            .join(run_scope, sa.and_(WANTED_NOW, run_scope.c.run_id == self.run.run_id))
            .where(walk_requests.c.seed_id == seed_id, walk_requests.c.layer == layer)
        )
        return {(row[0], row[1]) for row in self.connection.execute(query)}

    def walks_of_step(self, seed_id: int, layer: str, step: str) -> list[tuple[int, str, str, int]]:
        """Return ID, endpoint, target and cap of the walks that *layer* wants for *step*, by target."""
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
        """Return the IDs of *walk*'s records of *kind* at positions *start* to before *stop*, in order."""
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
        """Yield the stored records of *kind* with these *ids*, in that order."""
        return records.read_records(self.connection, kind, ids)

    def write_records(self, found: Iterable[Record]) -> None:
        """Write records that a layer completed."""
        kept = keep_unforgotten(self.connection, found)
        records.write_records(self.connection, kept, set(), timestamp())

    def tracks_of_playlists(self, ids: Collection[int]) -> dict[int, list[int]]:
        """Return the stored tracks of playlists, in order."""
        return self._in_playlists(playlist_tracks, ids)

    def leftovers_of_playlists(self, ids: Collection[int]) -> dict[int, list[int]]:
        """Return the tracks that a cap left out of playlists, in order."""
        return self._in_playlists(playlist_leftovers, ids)

    def known_walks(self, endpoint: str, targets: Collection[str]) -> set[str]:
        """Return those of *targets* for which the database has a walk of *endpoint*."""
        ids = {walk_id(endpoint, target): target for target in targets}
        found: set[str] = set()
        for chunk in chunked(ids):
            query = sa.select(walks.c.walk_id).where(walks.c.walk_id.in_(chunk))
            found.update(ids[walk] for walk in self.connection.scalars(query))
        return found

    def replace_cuts(
        self, seed_id: int, layer: str, settings: str, step: str, reported: Sequence[Cut]
    ) -> None:
        """Store what *layer* left out in *step*, in place of earlier reports."""
        self.connection.execute(
            sa.delete(cuts).where(cuts.c.seed_id == seed_id, cuts.c.layer == layer, cuts.c.step == step)
        )
        self.add_cuts(seed_id, layer, settings, step, reported)

    def add_cuts(self, seed_id: int, layer: str, settings: str, step: str, reported: Sequence[Cut]) -> None:
        """Store what *layer* left out in *step*."""
        rows = [
            (seed_id, layer, step, cut.setting, cut.target, cut.kept, cut.available, settings)
            for cut in reported
        ]
        upserts.upsert_latest(self.connection, cuts, tuple(cuts.columns.keys()), rows)

    def select(self, seed_id: int, layer: str, settings: str, chosen: Sequence[Selection]) -> None:
        """Store the records *chosen* by *layer*, and the uploaders of the tracks among them."""
        now = timestamp()
        rows = [
            (seed_id, layer, choice.kind, choice.record_id, choice.score, now, settings, now)
            for choice in chosen
        ]
        ids = [choice.record_id for choice in chosen if choice.kind == "track"]
        rows += [(seed_id, layer, "user", artist, None, now, settings, now) for artist in self._artists(ids)]
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

    def _in_playlists(self, table: sa.Table, ids: Collection[int]) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        present = [table.c.removed_at.is_(None)] if "removed_at" in table.c else []
        for chunk in chunked(ids):
            query = (
                sa.select(table.c.playlist_id, table.c.track_id)
                .where(table.c.playlist_id.in_(chunk), *present)
                .order_by(table.c.playlist_id, table.c.position)
            )
            for playlist, track in self.connection.execute(query):
                found.setdefault(playlist, []).append(track)
        return found

    def _add_walks(self, wanted: Sequence[WalkRequest]) -> list[int]:
        ids = [walk_id(request.endpoint, request.target) for request in wanted]
        now = timestamp()
        rows = [
            (walk, request.endpoint, request.target, "planned", "", 0, 0, 0, 0, 0, request.expected, now)
            for walk, request in zip(ids, wanted, strict=True)
        ]
        upserts.add_walks(self.connection, walks, NEW_WALK, rows)
        return ids

    def _reopen_ended(self, ids: Sequence[int]) -> None:
        for chunk in chunked(sorted(ids)):
            self._reopen(walks.c.walk_id.in_(chunk))

    def _reopen_capped(self, ids: Sequence[int], cap: int | None = None) -> None:
        """Reopen the walks that stopped at a smaller cap than is requested, or than *cap*."""
        is_smaller = walks.c.capped_at < LARGEST_CAP
        if cap is not None:
            is_smaller = sa.or_(is_smaller, walks.c.capped_at < cap)
        for chunk in chunked(sorted(ids)):
            reopened = sa.and_(walks.c.walk_id.in_(chunk), walks.c.status == "capped", is_smaller)
            # The cursor of a head look is above what is known.
            begin_anew(self.connection, sa.and_(reopened, walks.c.looked != "whole"))
            self.connection.execute(
                sa.update(walks)
                .where(reopened)
                .values(status="planned", reason=None, capped_at=None, finished_at=None)
            )

    def _reopen(self, which: sa.ColumnElement[bool]) -> None:
        # Each run looks up what has left lists in it.
        stale = sa.and_(which, self._is_stale(), walks.c.endpoint.not_in(presence.LOOKUPS))
        if self.delta is not None:
            unchanged = sa.and_(stale, self.delta.may_wait(self.run.fresh_after))
            looked = {"looked": "counter", "finished_at": timestamp()}
            self.connection.execute(sa.update(walks).where(unchanged).values(looked))
            head = sa.and_(stale, self.delta.needs_only_head())
            begin_anew(self.connection, head, looked="head", capped_at=walks.c.capped_at)
        begin_anew(self.connection, stale)
        failed = sa.and_(which, walks.c.status == "failed", walks.c.finished_at < self.run.started_at)
        self.connection.execute(
            sa.update(walks).where(failed).values(status="planned", reason=None, finished_at=None)
        )

    def _is_stale(self) -> sa.ColumnElement[bool]:
        """Return the condition that a walk ended too long ago or, if it is unfinished, began too long ago.

        One of whose records retention has cleared something is stale as well.

        A resumed walk would mix its old pages with new ones.
        """
        unfinished = sa.or_(
            walks.c.status == "failed", sa.and_(walks.c.status == "planned", walks.c.pages > 0)
        )
        return sa.or_(
            sa.and_(
                walks.c.status.in_(ENDED),
                sa.or_(walks.c.finished_at < self.run.fresh_after, walks.c.outdated),
            ),
            sa.and_(unfinished, sa.or_(walks.c.started_at < self.run.fresh_after, walks.c.outdated)),
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
        for chunk in chunked(ids):
            query = sa.select(tracks.c.artist_id).where(
                tracks.c.track_id.in_(chunk), tracks.c.artist_id.is_not(None)
            )
            found.update(self.connection.scalars(query))
        return found


def _read_walk(row: sa.Row[Any]) -> Walk:
    columns = row._asdict()
    size = PageSize(columns.pop("page_limit"), columns.pop("without_tracks"))
    return Walk(**columns, size=size)
