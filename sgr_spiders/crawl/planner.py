"""The link between layers and ledger: shows records to the layers and enters the walks that they want.

Layers see records from the database in the order of the walk, and the ledger remembers the last one
shown. The same code therefore serves a page just spilled, a walk that another seed has fetched, and a cap
that was raised since.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sgr_spiders.layers.base import SEED_STEP, EndedWalk, Fact, PlaylistContents, Seed
from sgr_spiders.model.items import Cut, Mention, Playlist, Selection, Track, User, WalkRequest
from sgr_spiders.reports.seed_list import describe_listed
from sgr_spiders.soundcloud.raw import unpack
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.ledger import delta, frontier, runs, workers
from sgr_spiders.storage.ledger.ledger import Ledger
from sgr_spiders.storage.server import on_server
from sgr_spiders.storage.store import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from sgr_spiders.config.arguments import GivenSeed
    from sgr_spiders.layers.base import Layer, Wanted
    from sgr_spiders.model.items import Page, Walk
    from sgr_spiders.storage.ledger.ledger import Expansion, Lookup
    from sgr_spiders.storage.store import Connection

logger = logging.getLogger(__name__)

WalkUse = tuple[int, str]
"""A walk and the step that a layer uses it for."""

LOOKUPS = ("resolve", "playlist", "user", "playlist_tracks", "user_tracks")
"""Endpoints of walks that look up seeds, apart from tracks, in this order."""

FINAL = ""
"""The step of the choices that a layer makes after all its walks have ended."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The task of a run.

    ``settings`` maps the names of its layers to fingerprints of their settings. ``by_delta``: it refetches
    only what changed, and each list whole once in ``full_refresh_days``. ``config_hash`` identifies the whole
    configuration. A worker that is silent for ``lease_seconds`` loses its leases. Of each playlist or user
    among the seeds, ``max_seeds`` tracks become seeds.
    """

    spider: str
    seeds: tuple[GivenSeed, ...]
    settings: Mapping[str, str]
    freshness_days: float
    refresh: bool
    by_delta: bool = False
    full_refresh_days: float = 0
    config_hash: str = ""
    lease_seconds: float = 0
    max_seeds: int | None = None


class DatabaseView:
    """The walks that a layer requested around one seed, as it sees them: a ``layers.base.LayerView``."""

    def __init__(
        self,
        ledger: Ledger,
        seed_id: int,
        layer: str,
        kinds: Mapping[str, str],
        among: Collection[WalkUse] | None = None,
    ) -> None:
        """Create the view of these walks, or of all; *kinds* maps each endpoint to the kind that it lists."""
        self._ledger = ledger
        self._scope = (seed_id, layer)
        self._kinds = kinds
        self._among = among

    def walks(self, step: str) -> list[EndedWalk]:
        found = self._ledger.walks_of_step(*self._scope, step)
        return [
            EndedWalk(target, list(self._ledger.records_of_walk(self._kinds[endpoint], walk, cap)))
            for walk, endpoint, target, cap in found
            if self._among is None or (walk, step) in self._among
        ]

    def contents(self, playlist_ids: Collection[int]) -> dict[int, PlaylistContents]:
        stored = self._ledger.tracks_of_playlists(playlist_ids)
        left_out = self._ledger.leftovers_of_playlists(playlist_ids)
        walks = self._ledger.known_walks("playlist_tracks", list(map(str, playlist_ids)))
        return {
            playlist: PlaylistContents(
                stored.get(playlist, ()), left_out.get(playlist, ()), str(playlist) in walks
            )
            for playlist in playlist_ids
        }


class Planner:
    """Plans one run. Its methods take the run's session on the ledger (see ``ledger``)."""

    def __init__(self, plan: Plan, layers: Mapping[str, Layer], kinds: Mapping[str, str]) -> None:
        """Create a planner; *kinds* maps each endpoint to the kind of record that it lists."""
        self.plan = plan
        self.layers = layers
        self.kinds = kinds
        self.run: runs.Run
        self.delta: delta.Delta | None = None
        self.broken: set[str] = set()
        self.has_joined = False
        self._has_company = False
        self._requester: tuple[int, str] | None = None
        self._has_looked_up = False
        self._is_looking_up = False

    def ledger(self, connection: Connection) -> Ledger:
        """Return the run's session on the ledger in the transaction of *connection*."""
        return Ledger(connection, self.run, self.delta)

    def start(self, connection: Connection) -> None:
        """Begin a run: enter its seeds, and reopen walks that failed earlier or are stale.

        The caller has locked the planning, and returned the walks of dead workers to the ledger. If other
        workers are at work on the same task, join their run instead, which has done all this.
        """
        if self._join(connection):
            return
        self.run = runs.begin_run(
            connection,
            spider=self.plan.spider,
            layers=self.plan.settings,
            scope=self._scope(),
            config_hash=self.plan.config_hash,
            fresh_after=timestamp(datetime.now(UTC) - timedelta(days=self.plan.freshness_days)),
            refresh=self.plan.refresh,
        )
        if self.plan.by_delta:
            self.delta = delta.plan(connection, self.plan.full_refresh_days)
        ledger = self.ledger(connection)
        walks = [walk for seed in self.plan.seeds for walk in self._enter(ledger, seed, self.plan.max_seeds)]
        ledger.reopen()
        self._continue(ledger, walks)

    def _join(self, connection: Connection) -> bool:
        if not self.plan.seeds or not on_server(connection):
            # Scheduled seeds have turns, which each run takes by itself.
            return False
        joined = runs.join_run(
            connection,
            spider=self.plan.spider,
            scope=self._scope(),
            config_hash=self.plan.config_hash,
            refresh=self.plan.refresh,
        )
        if joined is not None:
            self.run, self.has_joined = joined, True
        return self.has_joined

    def enter(self, connection: Connection, seed: GivenSeed, fresh_after: str) -> None:
        """Enter one more seed, a track, and refetch the walks of it that ended before *fresh_after*."""
        self.run = replace(self.run, fresh_after=fresh_after)
        if self.delta is not None:
            self.delta = replace(self.delta, seed=seed.text)
        ledger = self.ledger(connection)
        walks = self._enter(ledger, seed)
        ledger.reopen(seed.text)
        self._continue(ledger, walks)

    def _continue(self, ledger: Ledger, walks: Sequence[int]) -> None:
        self.expand(ledger, [*walks, *ledger.not_shown(self._expanding_steps())])
        for walk in walks:
            self.run_second_pass(ledger, walk)

    def _expanding_steps(self) -> list[tuple[str, str]]:
        return [(layer.name, step) for layer in self.layers.values() for step in layer.expanding_steps]

    def lease(
        self, connection: Connection, limit: int, held: Collection[int] = (), doubted: Collection[int] = ()
    ) -> list[Walk]:
        """Lease walks; when none is left, look up the records that left lists, once for each set of seeds.

        *held* and *doubted*: the walks that the caller knows to be leased or doubted. It cannot know others
        if the connection to the server broke during a transaction, or before its commit was answered. Call
        ``note_leased`` after the commit.
        """
        # An earlier attempt at this transaction may have looked records up, and was rolled back.
        self._is_looking_up = self._has_looked_up
        ledger = self.ledger(connection)
        leased = ledger.lease(limit)
        if (
            not leased
            and on_server(connection)
            and ledger.give_back(held) + ledger.take_back_doubted(doubted)
        ):
            leased = ledger.lease(limit)
        if leased or not ledger.is_settled() or self.waits_for_others(ledger):
            return leased
        workers.lock_planning(connection)
        self._catch_up(ledger)
        self._look_up_vanished(ledger)
        return ledger.lease(limit)

    def waits_for_others(self, ledger: Ledger) -> bool:
        """Return whether other workers still fetch something that the run wants."""
        return on_server(ledger.connection) and ledger.has_others()

    def _catch_up(self, ledger: Ledger) -> None:
        """Show the layers what other runs have fetched meanwhile: those decide only for their own layers."""
        others = workers.others_at_work(ledger.connection, self.run.worker_id)
        self._has_company = self._has_company or any(other.run_id != self.run.run_id for other in others)
        if not self._has_company:
            return
        self.expand(ledger, ledger.not_shown(self._expanding_steps()))
        for seed_id, name in ledger.scope():
            self._ask_until_settled(ledger, seed_id, self.layers[name])

    def _look_up_vanished(self, ledger: Ledger) -> None:
        requester = self._requester or next(iter(ledger.scope()), None)
        if self._has_looked_up or requester is None:
            return
        self._is_looking_up = True
        seed_id, layer = requester
        ledger.look_up_vanished(self.plan.settings[layer], seed_id, layer)

    def note_leased(self) -> None:
        """Confirm that the last lease is committed: if it looked records up, that is done."""
        self._has_looked_up = self._is_looking_up

    def prepare(self, connection: Connection, walk: int) -> None:
        """Before a page of *walk* is spilled, keep other workers from deciding if it may decide something."""
        if not on_server(connection):
            return
        ledger = self.ledger(connection)
        uses = ledger.uses(walk)
        if not uses or any(self._decides(layer, step) for layer, step in uses) or ledger.looks_up_seed(walk):
            workers.lock_planning(connection)

    def _decides(self, layer: str, step: str) -> bool:
        rules = self.layers.get(layer)
        return rules is None or rules.needs_second_pass or step in rules.expanding_steps

    def page_spilled(self, ledger: Ledger, page: Page, *, ended: bool) -> None:
        """Show the records of a page, in the transaction that spills it; *ended*: its walk is finished."""
        walk = page.walk.walk_id
        self.expand(ledger, [walk])
        if not ended:
            return
        self.run_second_pass(ledger, walk)
        if page.walk.endpoint in LOOKUPS and ledger.looks_up_seed(walk):
            followed = self._follow_seed(ledger, walk)
            self.expand(ledger, followed)
            for each in followed:
                self.run_second_pass(ledger, each)

    def expand(self, ledger: Ledger, walks: Iterable[int]) -> None:
        """Show the layers the unseen records of *walks*, and of the walks that they request in turn."""
        pending = list(walks)
        while pending:
            for expansion in ledger.expansions(pending.pop()):
                pending.extend(self._show(ledger, expansion))

    def run_second_pass(self, ledger: Ledger, walk: int) -> None:
        """Run the second pass of each layer that requested *walk* and has no unfinished walks left."""
        for seed_id, name in ledger.requesters(walk):
            self._ask_until_settled(ledger, seed_id, self.layers[name])

    def _ask_until_settled(self, ledger: Ledger, seed_id: int, layer: Layer) -> None:
        while (
            layer.needs_second_pass
            and layer.name not in self.broken
            and self._ask_after_all_ended(ledger, seed_id, layer)
        ):
            pass

    def _ask_after_all_ended(self, ledger: Ledger, seed_id: int, layer: Layer) -> bool:
        """Ask the layer once; return whether it requests walks that it had not requested before."""
        if ledger.has_unfinished(seed_id, layer.name):
            return False
        seed = _read_seed(ledger, seed_id)
        if seed is None:
            return False
        before = ledger.requested(seed_id, layer.name)
        among = None
        if ledger.is_refetched(seed_id, layer.name):
            among = _uses(self._ask_anew(ledger, seed, layer))
        view = DatabaseView(ledger, seed_id, layer.name, self.kinds, among)
        wanted = self._ask(layer, lambda: layer.after_all_ended(seed, view))
        if layer.name in self.broken:
            return False
        # Walks and facts do not depend on other walks.
        sure = [want for want in wanted if isinstance(want, WalkRequest | Fact)]
        self.expand(ledger, self._enter_wanted(ledger, seed_id, layer, sure))
        # A walk may be requested for a second step, whose records the layer has not seen yet.
        if ledger.requested(seed_id, layer.name) - before:
            return True
        # Choices come last: they depend on all walks, and new ones are still to be fetched.
        others = [want for want in wanted if not isinstance(want, WalkRequest | Fact)]
        self._enter_wanted(ledger, seed_id, layer, others)
        ledger.replace_cuts(seed_id, layer.name, self.plan.settings[layer.name], FINAL, _cuts(layer, wanted))
        return False

    def settle(self, ledger: Ledger) -> None:
        """Remove what layers do not want or select any more, where all their walks were refetched."""
        for seed_id, name in ledger.refetched():
            layer, seed = self.layers.get(name), _read_seed(ledger, seed_id)
            if layer is None or seed is None or name in self.broken:
                continue
            wanted = self._ask_anew(ledger, seed, layer)
            if name not in self.broken:
                chosen = [want for want in wanted if isinstance(want, Selection)]
                ledger.keep_only(seed_id, name, self.plan.settings[name], _uses(wanted), chosen)

    def _ask_anew(self, ledger: Ledger, seed: Seed, layer: Layer) -> list[Wanted]:
        """Return what *layer* wants of what its walks list now, as if it had never been asked before."""
        track_id = seed.track.track_id
        wanted = self._follow(ledger, seed, layer, [_seed_request(track_id)], set())
        while layer.needs_second_pass and layer.name not in self.broken:
            asked = _uses(wanted)
            view = DatabaseView(ledger, track_id, layer.name, self.kinds, asked)
            more = self._ask(layer, lambda view=view: layer.after_all_ended(seed, view))  # type: ignore[misc]
            new = [want for want in more if isinstance(want, WalkRequest) and _use(want) not in asked]
            if not new:
                # Choices depend on all walks, and no more are wanted.
                return [*wanted, *more]
            wanted += self._follow(ledger, seed, layer, new, asked)
        return wanted

    def _follow(
        self,
        ledger: Ledger,
        seed: Seed,
        layer: Layer,
        requests: Sequence[WalkRequest],
        asked: set[WalkUse],
    ) -> list[Wanted]:
        """Return *requests* and all that *layer* wants of their records, apart from walks in *asked*."""
        wanted: list[Wanted] = []
        pending = list(requests)
        while pending:
            request = pending.pop()
            if _use(request) in asked:
                continue
            asked.add(_use(request))
            wanted.append(request)
            for want in self._ask_about(ledger, seed, layer, request):
                if not isinstance(want, WalkRequest):
                    wanted.append(want)
                elif want.cap:
                    pending.append(want)
        return wanted

    def _ask_about(self, ledger: Ledger, seed: Seed, layer: Layer, request: WalkRequest) -> list[Wanted]:
        if request.step not in layer.expanding_steps or layer.name in self.broken:
            return []
        walk = frontier.walk_id(request.endpoint, request.target)
        found = list(ledger.records_of_walk(self.kinds[request.endpoint], walk, request.cap))
        return self._ask(
            layer, lambda: (want for record in found for want in layer.found(request.step, seed, record))
        )

    def _show(self, ledger: Ledger, expansion: Expansion) -> list[int]:
        layer = self.layers[expansion.layer]
        if expansion.step not in layer.expanding_steps or layer.name in self.broken:
            return []
        seed = _read_seed(ledger, expansion.seed_id)
        if seed is None:
            return []
        kind = self.kinds[expansion.endpoint]
        ids = ledger.record_ids(kind, expansion.walk_id, expansion.start, expansion.stop)
        found = list(ledger.read_records(kind, ids))
        wanted = self._ask(
            layer, lambda: (want for record in found for want in layer.found(expansion.step, seed, record))
        )
        if layer.name in self.broken:
            return []
        ledger.set_expanded(expansion)
        self._note_cuts(ledger, expansion, layer, wanted)
        return self._enter_wanted(ledger, expansion.seed_id, layer, wanted)

    def _note_cuts(
        self, ledger: Ledger, expansion: Expansion, layer: Layer, wanted: Sequence[Wanted]
    ) -> None:
        note = ledger.replace_cuts if expansion.start == 0 else ledger.add_cuts
        # Of a step, only the seed is shown all at once; other steps may leave out more than is known so far.
        reported = _cuts(layer, wanted)
        if expansion.step != SEED_STEP:
            reported = [replace(cut, available=None) for cut in reported]
        note(expansion.seed_id, layer.name, self.plan.settings[layer.name], expansion.step, reported)

    def _ask(self, layer: Layer, question: Callable[[], Iterable[Wanted]]) -> list[Wanted]:
        try:
            return list(question())
        except QueryError:
            # Not the layer's: the whole transaction fails, and may be run again.
            raise
        except Exception:
            # A bug in one layer must not stop the others. The next run asks this layer again.
            logger.exception("Layer %s failed and is left out for the rest of this run", layer.name)
            self.broken.add(layer.name)
            return []

    def _enter_wanted(
        self, ledger: Ledger, seed_id: int, layer: Layer, wanted: Sequence[Wanted]
    ) -> list[int]:
        """Enter the walks, selections and records that a layer wants; return the walks with records."""
        walks = [want for want in wanted if isinstance(want, WalkRequest) and want.cap]
        ledger.request(seed_id, layer.name, self.plan.settings[layer.name], walks)
        selected = [want for want in wanted if isinstance(want, Selection)]
        ledger.select(seed_id, layer.name, self.plan.settings[layer.name], selected)
        ledger.write_records([want for want in wanted if isinstance(want, Mention | Fact)])
        return ledger.with_records([frontier.walk_id(want.endpoint, want.target) for want in walks])

    def _enter(self, ledger: Ledger, seed: GivenSeed, max_tracks: int | None = None) -> list[int]:
        """Enter a seed; return the walks that fetch its tracks, or that look it up.

        Without *max_tracks*, only a track is a seed.
        """
        if seed.track_id is not None:
            self._request_seed(ledger, seed.track_id)
            return [ledger.add_seed(seed.text, _seed_request(seed.track_id), seed.track_id)]
        endpoint, target = ("resolve", seed.url) if seed.listed_by is None else seed.listed_by
        request = WalkRequest(endpoint, str(target), SEED_STEP, 1)
        return self._follow_seed(ledger, ledger.add_seed(seed.text, request, max_tracks=max_tracks))

    def _follow_seed(self, ledger: Ledger, walk: int) -> list[int]:
        """Look a seed up as far as the database allows; return the walks to fetch: at last, its tracks."""
        lookup = ledger.lookup(walk)
        if not lookup.has_found:
            return [walk]
        match lookup.endpoint:
            case "resolve":
                return self._follow_resolved(ledger, walk)
            case "playlist" | "user":
                request = _list_request(ledger, lookup)
                return self._follow_seed(ledger, ledger.follow_seeds(walk, "tracks", request))
            case "playlist_tracks" | "user_tracks":
                return self._enter_listed(ledger, walk)
        return [walk]

    def _follow_resolved(self, ledger: Ledger, walk: int) -> list[int]:
        for track_id in ledger.record_ids("track", walk, 0, 1):
            ledger.resolve_seed(walk, track_id)
            return [self._request_seed(ledger, track_id)]
        if ledger.max_tracks(walk) is not None:
            for kind in ("playlist", "user"):
                for record_id in ledger.record_ids(kind, walk, 0, 1):
                    request = WalkRequest(kind, str(record_id), SEED_STEP, 1)
                    return self._follow_seed(ledger, ledger.follow_seeds(walk, kind, request))
        return [walk]

    def _enter_listed(self, ledger: Ledger, walk: int) -> list[int]:
        """Enter the tracks that *walk* lists as seeds, and log how many they are."""
        before = ledger.count_found(walk)
        ids = ledger.record_ids("track", walk, 0, ledger.max_tracks(walk) or 0)
        for track_id in ids:
            ledger.add_seed(str(track_id), _seed_request(track_id), track_id, found_by=walk)
        if not ids or ledger.count_found(walk) > before:
            for listed in runs.listed_seeds(ledger.connection, self.run, walk):
                logger.info("Seeds from %s", describe_listed(listed))
        return [self._request_seed(ledger, track_id) for track_id in ids]

    def _request_seed(self, ledger: Ledger, track_id: int) -> int:
        ledger.widen_scope(track_id, dict(self.plan.settings))
        self._requester = track_id, min(self.plan.settings)
        self._has_looked_up = self._is_looking_up = False
        request = _seed_request(track_id)
        for layer, fingerprint in self.plan.settings.items():
            ledger.request(track_id, layer, fingerprint, [request])
        walk = frontier.walk_id(request.endpoint, request.target)
        ledger.ask_again(walk)
        return walk

    def _scope(self) -> str:
        return scope_of(self.plan.seeds, self.plan.settings, self.plan.max_seeds)


def scope_of(seeds: Collection[GivenSeed], layers: Iterable[str], max_seeds: int | None) -> str:
    """Return the hash by which runs with the same seeds and layers find each other."""
    parts: tuple[object, ...] = (sorted(seed.text for seed in seeds), sorted(layers))
    if any(seed.kind != "track" for seed in seeds):
        parts += (max_seeds,)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _cuts(layer: Layer, wanted: Iterable[Wanted]) -> list[Cut]:
    """Return what *layer* left out: its own reports, and the walks that a cap of 0 does not request."""
    reported = [want for want in wanted if isinstance(want, Cut)]
    unrequested: dict[str, list[int | None]] = {}
    for want in wanted:
        if isinstance(want, WalkRequest) and not want.cap and want.expected != 0:
            setting = layer.caps.get(want.step)
            if isinstance(setting, str):
                unrequested.setdefault(setting, []).append(want.expected)
    for setting, expected in unrequested.items():
        known = [count for count in expected if count is not None]
        reported.append(Cut(setting, 0, sum(known) if len(known) == len(expected) else None))
    return reported


def _use(request: WalkRequest) -> WalkUse:
    return frontier.walk_id(request.endpoint, request.target), request.step


def _uses(wanted: Iterable[Wanted]) -> set[WalkUse]:
    return {_use(want) for want in wanted if isinstance(want, WalkRequest)}


def _list_request(ledger: Ledger, lookup: Lookup) -> WalkRequest:
    """Return the walk that lists the tracks of the playlist or user that *lookup* has found."""
    expected = None
    for record in ledger.read_records(lookup.endpoint, [int(lookup.target)]):
        assert isinstance(record, Playlist | User)
        expected = record.track_count
    return WalkRequest(f"{lookup.endpoint}_tracks", lookup.target, SEED_STEP, 1, expected)


def _seed_request(track_id: int) -> WalkRequest:
    return WalkRequest("track", str(track_id), SEED_STEP, 1)


def _read_seed(ledger: Ledger, track_id: int) -> Seed | None:
    """Return the seed as the layers see it; ``None`` until it is fetched."""
    for track in ledger.read_records("track", [track_id]):
        assert isinstance(track, Track)
        artists = [] if track.artist_id is None else [track.artist_id]
        (artist,) = [*ledger.read_records("user", artists), None][:1]
        assert artist is None or isinstance(artist, User)
        return Seed(track, artist, unpack(track.raw) if track.raw else {})
    return None
