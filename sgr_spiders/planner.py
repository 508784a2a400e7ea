"""Between layers and ledger: shows layers what was found, and enters what they want.

Layers are shown records from the database, in the order of the walk, and the ledger remembers how far
they have been shown. So one path serves a page just spilled, a walk that another seed had fetched
before, and a cap that was raised since.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sgr_spiders.items import Track, WalkRequest
from sgr_spiders.layers.base import SEED_STEP
from sgr_spiders.storage import ledger, records, runs
from sgr_spiders.storage.clock import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sgr_spiders.arguments import GivenSeed
    from sgr_spiders.items import Page
    from sgr_spiders.layers.base import Layer
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
        ledger.give_back(connection)
        self.run = runs.begin_run(
            connection,
            spider=self.plan.spider,
            layers=self.plan.settings,
            scope=self._scope(),
            fresh_after=timestamp(datetime.now(UTC) - timedelta(days=self.plan.freshness_days)),
            refresh=self.plan.refresh,
        )
        walks = [self._enter(connection, seed) for seed in self.plan.seeds]
        ledger.reopen(connection, self.run)
        self.expand(connection, walks)

    def page_spilled(self, connection: Connection, page: Page) -> None:
        """Act on what a page brought, in the transaction that spills it."""
        if page.resolved is not None:
            walk = self._enter_resolved(connection, page.walk.walk_id, page.resolved)
            self.expand(connection, [walk])
        elif page.entries:
            self.expand(connection, [page.walk.walk_id])

    def expand(self, connection: Connection, walks: Iterable[int]) -> None:
        """Show the layers what they have not seen yet of *walks*, and of the walks they want then."""
        waiting = list(walks)
        while waiting:
            for expansion in ledger.expansions(connection, self.run, waiting.pop()):
                waiting.extend(self._show(connection, expansion))

    def _show(self, connection: Connection, expansion: ledger.Expansion) -> list[int]:
        layer = self.layers[expansion.layer]
        if expansion.step not in layer.expanding_steps or layer.name in self.broken:
            return []
        (seed,) = records.read_records(connection, "track", [expansion.seed_id])
        assert isinstance(seed, Track)
        kind = self.kinds[expansion.endpoint]
        ids = ledger.record_ids(connection, kind, expansion.walk_id, expansion.start, expansion.stop)
        found = list(records.read_records(connection, kind, ids))
        try:
            wanted = [
                want for record in found for want in layer.found(expansion.step, seed, record) if want.cap
            ]
        except Exception:
            # A mistake in one layer must not take the others down. It is asked again in the next run.
            logger.exception("Layer %s failed and is left out for the rest of this run", layer.name)
            self.broken.add(layer.name)
            return []
        fingerprint = self.plan.settings[expansion.layer]
        ledger.request(connection, self.run, expansion.seed_id, expansion.layer, fingerprint, wanted)
        ledger.set_expanded(connection, expansion)
        return [
            ledger.walk_id(want.endpoint, want.target)
            for want in wanted
            if want.step in layer.expanding_steps
        ]

    def _enter(self, connection: Connection, seed: GivenSeed) -> int:
        if seed.track_id is not None:
            self._request_seed(connection, seed.track_id)
            request = _seed_request(seed.track_id)
            return ledger.add_seed(connection, self.run, seed.text, request, seed.track_id)
        request = WalkRequest("resolve", str(seed.url), SEED_STEP, 1)
        walk = ledger.add_seed(connection, self.run, seed.text, request, None)
        for track_id in ledger.record_ids(connection, "track", walk, 0, 1):
            return self._enter_resolved(connection, walk, track_id)
        return walk

    def _enter_resolved(self, connection: Connection, walk: int, track_id: int) -> int:
        runs.resolve_seed(connection, self.run, walk, track_id)
        return self._request_seed(connection, track_id)

    def _request_seed(self, connection: Connection, track_id: int) -> int:
        runs.widen_scope(connection, self.run, track_id, dict(self.plan.settings))
        request = _seed_request(track_id)
        for layer, fingerprint in self.plan.settings.items():
            ledger.request(connection, self.run, track_id, layer, fingerprint, [request])
        return ledger.walk_id(request.endpoint, request.target)

    def _scope(self) -> str:
        parts = sorted(seed.text for seed in self.plan.seeds), sorted(self.plan.settings)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _seed_request(track_id: int) -> WalkRequest:
    return WalkRequest("track", str(track_id), SEED_STEP, 1)
