"""Between layers and ledger: shows layers what was found, and enters what they want.

Layers are shown records from the database, in the order of the walk, and the ledger remembers how far
they have been shown. So one path serves a page just spilled, a walk that another seed had fetched
before, and a cap that was raised since.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sgr_spiders.layers.base import SEED_STEP, EndedWalk, Fact, Seed
from sgr_spiders.model.items import Mention, Selection, Track, User, WalkRequest
from sgr_spiders.soundcloud.raw import unpack
from sgr_spiders.storage import records
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.ledger import frontier, runs, selections

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sgr_spiders.config.arguments import GivenSeed
    from sgr_spiders.layers.base import Layer, Wanted
    from sgr_spiders.model.items import Page
    from sgr_spiders.storage.store import Connection

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is asked to do. ``settings`` are the layers' names and fingerprints of their settings."""

    spider: str
    seeds: tuple[GivenSeed, ...]
    settings: Mapping[str, str]
    freshness_days: float
    refresh: bool


class DatabaseLook:
    """What a layer can see of what was fetched for it: a ``layers.base.Look``."""

    def __init__(
        self, connection: Connection, run: runs.Run, seed_id: int, layer: str, kinds: Mapping[str, str]
    ) -> None:
        self._connection = connection
        self._scope = (run, seed_id, layer)
        self._kinds = kinds

    def walks(self, step: str) -> list[EndedWalk]:
        found = selections.walks_of_step(self._connection, *self._scope, step)
        return [
            EndedWalk(
                target,
                list(selections.records_of_walk(self._connection, self._kinds[endpoint], walk, cap)),
            )
            for walk, endpoint, target, cap in found
        ]

    def playlist_tracks(self, playlist_id: int, cap: int) -> Sequence[int]:
        return selections.tracks_of_playlist(self._connection, playlist_id, cap)


class Planner:
    """Plans one run."""

    def __init__(self, plan: Plan, layers: Mapping[str, Layer], kinds: Mapping[str, str]) -> None:
        """*kinds* tells which kind of record each endpoint lists."""
        self.plan = plan
        self.layers = layers
        self.kinds = kinds
        self.run: runs.Run
        self.broken: set[str] = set()

    def start(self, connection: Connection) -> None:
        """Begin a run: enter its seeds, and open again what failed earlier or is no longer fresh."""
        frontier.give_back(connection)
        self.run = runs.begin_run(
            connection,
            spider=self.plan.spider,
            layers=self.plan.settings,
            scope=self._scope(),
            fresh_after=timestamp(datetime.now(UTC) - timedelta(days=self.plan.freshness_days)),
            refresh=self.plan.refresh,
        )
        walks = [self._enter(connection, seed) for seed in self.plan.seeds]
        frontier.reopen(connection, self.run)
        self._go_on(connection, walks)

    def enter(self, connection: Connection, seed: GivenSeed, fresh_after: str) -> None:
        """Enter one more seed, for which what ended before *fresh_after* is fetched anew."""
        self.run = replace(self.run, fresh_after=fresh_after)
        walk = self._enter(connection, seed)
        frontier.reopen(connection, self.run, seed.text)
        self._go_on(connection, [walk])

    def _go_on(self, connection: Connection, walks: Sequence[int]) -> None:
        steps = [(layer.name, step) for layer in self.layers.values() for step in layer.expanding_steps]
        self.expand(connection, [*walks, *frontier.not_shown(connection, self.run, steps)])
        for walk in walks:
            self.settle(connection, selections.requesters(connection, self.run, walk))

    def page_spilled(self, connection: Connection, page: Page, *, ended: bool) -> None:
        """Act on what a page brought, in the transaction that spills it. *ended*: its walk is over."""
        walk = page.walk.walk_id
        if page.resolved is not None and runs.looks_up_seed(connection, self.run, walk):
            kind, record_id = page.resolved
            if kind == "track":
                walk = self._enter_resolved(connection, walk, record_id)
        self.expand(connection, [walk])
        if ended:
            self.settle(connection, selections.requesters(connection, self.run, walk))

    def expand(self, connection: Connection, walks: Iterable[int]) -> None:
        """Show the layers what they have not seen yet of *walks*, and of the walks they want then."""
        waiting = list(walks)
        while waiting:
            for expansion in frontier.expansions(connection, self.run, waiting.pop()):
                waiting.extend(self._show(connection, expansion))

    def settle(self, connection: Connection, around: Iterable[tuple[int, str]]) -> None:
        """Ask layers around seeds (track id, layer name) for more, where all they wanted has ended."""
        for seed_id, name in around:
            layer = self.layers[name]
            while layer.settles and name not in self.broken and self._settle(connection, seed_id, layer):
                pass

    def _settle(self, connection: Connection, seed_id: int, layer: Layer) -> bool:
        """Ask once; tell whether it wants walks that it did not want before."""
        if selections.has_unfinished(connection, self.run, seed_id, layer.name):
            return False
        seed = self._seed(connection, seed_id)
        if seed is None:
            return False
        before = selections.requested(connection, self.run, seed_id, layer.name)
        look = DatabaseLook(connection, self.run, seed_id, layer.name, self.kinds)
        wanted = self._ask(layer, lambda: layer.settled(seed, look))
        # Facts are no choice: they hold whatever else comes.
        sure = [want for want in wanted if isinstance(want, WalkRequest | Fact)]
        self.expand(connection, self._enter_wanted(connection, seed_id, layer, sure))
        # One walk may be wanted for a second step, and that step was not looked at yet.
        if selections.requested(connection, self.run, seed_id, layer.name) - before:
            return True
        # Only now, when it wants no more walks, does it see all that its choice depends on.
        others = [want for want in wanted if not isinstance(want, WalkRequest | Fact)]
        self._enter_wanted(connection, seed_id, layer, others)
        return False

    def _show(self, connection: Connection, expansion: frontier.Expansion) -> list[int]:
        layer = self.layers[expansion.layer]
        if expansion.step not in layer.expanding_steps or layer.name in self.broken:
            return []
        seed = self._seed(connection, expansion.seed_id)
        if seed is None:
            return []
        kind = self.kinds[expansion.endpoint]
        ids = frontier.record_ids(connection, kind, expansion.walk_id, expansion.start, expansion.stop)
        found = list(records.read_records(connection, kind, ids))
        wanted = self._ask(
            layer, lambda: (want for record in found for want in layer.found(expansion.step, seed, record))
        )
        if layer.name in self.broken:
            return []
        frontier.set_expanded(connection, expansion)
        return self._enter_wanted(connection, expansion.seed_id, layer, wanted)

    def _ask(self, layer: Layer, question: Callable[[], Iterable[Wanted]]) -> list[Wanted]:
        try:
            return list(question())
        except Exception:
            # A mistake in one layer must not take the others down. It is asked again in the next run.
            logger.exception("Layer %s failed and is left out for the rest of this run", layer.name)
            self.broken.add(layer.name)
            return []

    def _enter_wanted(
        self, connection: Connection, seed_id: int, layer: Layer, wanted: Sequence[Wanted]
    ) -> list[int]:
        """Enter what a layer wants; give the walks."""
        walks = [want for want in wanted if isinstance(want, WalkRequest) and want.cap]
        frontier.request(connection, self.run, seed_id, layer.name, self.plan.settings[layer.name], walks)
        chosen = [want for want in wanted if isinstance(want, Selection)]
        selections.select(connection, seed_id, layer.name, chosen)
        told = [want for want in wanted if isinstance(want, Mention | Fact)]
        records.write_records(connection, told, set(), timestamp())
        return [frontier.walk_id(want.endpoint, want.target) for want in walks]

    def _seed(self, connection: Connection, track_id: int) -> Seed | None:
        """Give the seed as the layers see it; ``None`` while it is not fetched."""
        for track in records.read_records(connection, "track", [track_id]):
            assert isinstance(track, Track)
            artists = [] if track.artist_id is None else [track.artist_id]
            (artist,) = [*records.read_records(connection, "user", artists), None][:1]
            assert artist is None or isinstance(artist, User)
            return Seed(track, artist, unpack(track.raw) if track.raw else {})
        return None

    def _enter(self, connection: Connection, seed: GivenSeed) -> int:
        if seed.track_id is not None:
            self._request_seed(connection, seed.track_id)
            request = _seed_request(seed.track_id)
            return frontier.add_seed(connection, self.run, seed.text, request, seed.track_id)
        request = WalkRequest("resolve", str(seed.url), SEED_STEP, 1)
        walk = frontier.add_seed(connection, self.run, seed.text, request, None)
        for track_id in frontier.record_ids(connection, "track", walk, 0, 1):
            return self._enter_resolved(connection, walk, track_id)
        return walk

    def _enter_resolved(self, connection: Connection, walk: int, track_id: int) -> int:
        runs.resolve_seed(connection, self.run, walk, track_id)
        return self._request_seed(connection, track_id)

    def _request_seed(self, connection: Connection, track_id: int) -> int:
        runs.widen_scope(connection, self.run, track_id, dict(self.plan.settings))
        request = _seed_request(track_id)
        for layer, fingerprint in self.plan.settings.items():
            frontier.request(connection, self.run, track_id, layer, fingerprint, [request])
        return frontier.walk_id(request.endpoint, request.target)

    def _scope(self) -> str:
        parts = sorted(seed.text for seed in self.plan.seeds), sorted(self.plan.settings)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _seed_request(track_id: int) -> WalkRequest:
    return WalkRequest("track", str(track_id), SEED_STEP, 1)
