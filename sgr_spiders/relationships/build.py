"""The build of one relationship table: read, compute and stage it, unless it is up to date."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from sgr_spiders.relationships.arrangement import arrange
from sgr_spiders.relationships.engine import CancelledError, choose_search, search_all
from sgr_spiders.relationships.forecast import check_space, expected_pairs
from sgr_spiders.relationships.nearest import keep_nearest
from sgr_spiders.relationships.pairs import FoundPairs
from sgr_spiders.relationships.spool import Spool
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.pairs import builds, writing
from sgr_spiders.storage.pairs.builds import BuiltRelationship
from sgr_spiders.storage.pairs.writing import StagedTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

    from sgr_spiders.config.harvest import Relationships
    from sgr_spiders.relationships.arrangement import Arrangement
    from sgr_spiders.relationships.base import RelationshipType
    from sgr_spiders.relationships.inputs import Incidence, RelationshipInput
    from sgr_spiders.relationships.keys import Keys
    from sgr_spiders.storage.store import Store

logger = logging.getLogger(__name__)

MEGABYTE = 1 << 20
PROGRESS_SECONDS = 10
"""Seconds between two progress lines."""


@dataclass(frozen=True, slots=True)
class BuildEnvironment:
    """The input and the settings that all builds of one run share."""

    store: Store
    config: Relationships
    inputs: RelationshipInput
    stamp: str
    directory: Path
    is_cancelled: Callable[[], bool]

    @property
    def memory(self) -> int:
        return self.config.memory_mb * MEGABYTE


@dataclass
class Build:
    """The build of one type's table. ``seconds`` stays empty if the table is up to date."""

    relationship: RelationshipType
    environment: BuildEnvironment
    rows: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    started_at: str = field(default_factory=timestamp)
    _last_progress: float = field(default_factory=time.monotonic)

    def run(self) -> list[StagedTable]:
        """Stage the table in a separate file; return it, or nothing if the current table is up to date."""
        known = self._known()
        if known is not None and known.stamp == self.environment.stamp:
            self.rows = known.rows
            return []
        with self._timed("read"):
            incidence = self.relationship.incidence(self.environment.inputs)
            fingerprint = incidence.fingerprint()
        if known is not None and known.fingerprint == fingerprint:
            self.rows, self.seconds = known.rows, {}
            self._renew_stamp()
            return []
        with self._timed("compute"):
            found, arrangement = self._search(incidence)
            if self.relationship.top_k is not None:
                found = self._keep_nearest(found, arrangement, incidence, self.relationship.top_k)
            self.rows = found.length
        with self._timed("write"):
            path = self._write(found, arrangement, incidence)
        entry = partial(self._entry, incidence, fingerprint)
        return [StagedTable(self.relationship.table, path, entry)]

    def parameters(self) -> dict[str, Any]:
        """Return all parameters that affect the result."""
        return self.relationship.parameters() | self.environment.inputs.parameters()

    def _known(self) -> BuiltRelationship | None:
        """Return the last build if it had the same parameters."""
        with self.environment.store.read() as connection:
            known = builds.latest(connection, self.relationship.name)
        return known if known is not None and known.parameters == self.parameters() else None

    def _renew_stamp(self) -> None:
        with self.environment.store.write() as connection:
            builds.renew_stamp(connection, self.relationship.name, self.environment.stamp)

    def _search(self, incidence: Incidence) -> tuple[Spool, Arrangement]:
        arrangement = arrange(incidence, self.relationship)
        search = choose_search(arrangement)
        check_space(self.relationship, incidence, expected_pairs(search), self.environment.directory)
        found = self._spool()
        report = partial(self._report, "compared")
        search_all(search, self.environment.config.threads, found.add, self.environment.is_cancelled, report)
        return found, arrangement

    def _keep_nearest(self, found: Spool, arrangement: Arrangement, incidence: Incidence, k: int) -> Spool:
        kept = self._spool()
        blocks = self._watch(found, "ranked")
        for keys in keep_nearest(blocks, self.relationship, incidence, arrangement.layout, k):
            kept.add(keys)
        return kept

    def _write(self, found: Spool, arrangement: Arrangement, incidence: Incidence) -> Path:
        pairs = FoundPairs(
            self.relationship, incidence, arrangement.layout, self._watch(found, "written"), self._spool()
        )
        return writing.prepare(self.relationship.table, pairs, self.environment.directory)

    def _spool(self) -> Spool:
        return Spool(self.environment.directory, self.environment.memory // 2)  # two spools exist at a time

    def _watch(self, found: Spool, step: str) -> Iterator[Keys]:
        done = 0
        for block in found.sorted():
            if self.environment.is_cancelled():
                raise CancelledError
            yield block
            done += len(block)
            self._report(step, done / max(1, found.length))

    def _report(self, step: str, share: float) -> None:
        if time.monotonic() - self._last_progress >= PROGRESS_SECONDS:
            self._last_progress = time.monotonic()
            logger.info("%s: %d%% %s", self.relationship.table.name, int(100 * share), step)

    def _entry(self, incidence: Incidence, fingerprint: str, copying: float) -> BuiltRelationship:
        self.seconds["write"] += copying
        return BuiltRelationship(
            type=self.relationship.name,
            parameters=self.parameters(),
            stamp=self.environment.stamp,
            fingerprint=fingerprint,
            inputs={
                "nodes": len(incidence.ids),
                "contexts": incidence.context_count,
                "entries": len(incidence.contexts),
            },
            rows=self.rows,
            seconds={part: round(seconds, 3) for part, seconds in self.seconds.items()},
            started_at=self.started_at,
            finished_at=timestamp(),
        )

    @contextmanager
    def _timed(self, part: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[part] = self.seconds.get(part, 0.0) + time.monotonic() - began
