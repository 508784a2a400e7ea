"""One type's table: read, computed and written to a file aside, unless it is up to date."""

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
    from sgr_spiders.relationships.inputs import Incidence, Lake
    from sgr_spiders.relationships.keys import Keys
    from sgr_spiders.storage.store import Store

logger = logging.getLogger(__name__)

MEGABYTE = 1 << 20
TELL_AFTER_S = 10
"""Between two lines that say how far it is."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all types of one run are built from and with."""

    store: Store
    config: Relationships
    lake: Lake
    stamp: str
    folder: Path
    is_cancelled: Callable[[], bool]

    @property
    def memory(self) -> int:
        return self.config.memory_mb * MEGABYTE


@dataclass
class Build:
    """The way of one type's table. ``seconds`` stays empty where there is nothing to do."""

    relationship: RelationshipType
    around: Surroundings
    rows: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    started_at: str = field(default_factory=timestamp)
    _told: float = field(default_factory=time.monotonic)

    def run(self) -> list[StagedTable]:
        """Build the table aside; give it to be swapped in, or nothing when the old one is as good."""
        known = self._known()
        if known is not None and known.stamp == self.around.stamp:
            self.rows = known.rows
            return []
        with self._timed("read"):
            incidence = self.relationship.incidence(self.around.lake)
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
        """Give all that shapes the result, beside the data."""
        return self.relationship.parameters() | self.around.lake.parameters()

    def _known(self) -> BuiltRelationship | None:
        """Give how the present table was built, if it was with the same parameters."""
        with self.around.store.read() as connection:
            known = builds.latest(connection, self.relationship.name)
        return known if known is not None and known.parameters == self.parameters() else None

    def _renew_stamp(self) -> None:
        with self.around.store.write() as connection:
            builds.renew_stamp(connection, self.relationship.name, self.around.stamp)

    def _search(self, incidence: Incidence) -> tuple[Spool, Arrangement]:
        arrangement = arrange(incidence, self.relationship)
        search = choose_search(arrangement)
        check_space(self.relationship, incidence, expected_pairs(search), self.around.folder)
        found = self._spool()
        tell = partial(self._tell, "compared")
        search_all(search, self.around.config.threads, found.add, self.around.is_cancelled, tell)
        return found, arrangement

    def _keep_nearest(self, found: Spool, arrangement: Arrangement, incidence: Incidence, k: int) -> Spool:
        kept = self._spool()
        blocks = self._watched(found, "ranked")
        for keys in keep_nearest(blocks, self.relationship, incidence, arrangement.layout, k):
            kept.add(keys)
        return kept

    def _write(self, found: Spool, arrangement: Arrangement, incidence: Incidence) -> Path:
        pairs = FoundPairs(
            self.relationship, incidence, arrangement.layout, self._watched(found, "written"), self._spool()
        )
        return writing.prepare(self.relationship.table, pairs, self.around.folder)

    def _spool(self) -> Spool:
        return Spool(self.around.folder, self.around.memory // 2)  # there are two at a time

    def _watched(self, found: Spool, done: str) -> Iterator[Keys]:
        given = 0
        for block in found.sorted():
            if self.around.is_cancelled():
                raise CancelledError
            yield block
            given += len(block)
            self._tell(done, given / max(1, found.length))

    def _tell(self, done: str, share: float) -> None:
        if time.monotonic() - self._told >= TELL_AFTER_S:
            self._told = time.monotonic()
            logger.info("%s: %d %% %s", self.relationship.table.name, int(100 * share), done)

    def _entry(self, incidence: Incidence, fingerprint: str, copying: float) -> BuiltRelationship:
        self.seconds["write"] += copying
        return BuiltRelationship(
            type=self.relationship.name,
            parameters=self.parameters(),
            stamp=self.around.stamp,
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
