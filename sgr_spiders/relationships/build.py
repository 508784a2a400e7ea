"""The build of one relationship table: read, compute and stage it, unless it is up to date."""

from __future__ import annotations

import logging
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from sgr_spiders.relationships.algorithm import LIMITED, name_algorithm
from sgr_spiders.relationships.arrangement import arrange
from sgr_spiders.relationships.engine import CancelledError
from sgr_spiders.relationships.forecast import announce, find_limit, forecast
from sgr_spiders.relationships.measuring import Measuring
from sgr_spiders.relationships.nearest import Nearest, Ranking, keep_strongest
from sgr_spiders.relationships.pairs import FoundPairs
from sgr_spiders.relationships.spool import Spool
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.libraries import LEFT_OUT
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
    from sgr_spiders.relationships.engine import Engine
    from sgr_spiders.relationships.forecast import Forecast, Limit
    from sgr_spiders.relationships.inputs import Incidence, RelationshipInput
    from sgr_spiders.relationships.keys import Keys
    from sgr_spiders.relationships.significance.assessment import Significance
    from sgr_spiders.storage.store import Store

logger = logging.getLogger(__name__)

MEGABYTE = 1 << 20
TOLERANCE = 1.25
"""Expected pairs beyond the limit from which only the nearest are stored while searching. The forecast may be
wrong by less, and storing all pairs first finds the exact number."""
MAX_PAIRS, FREE_SPACE = "max_pairs", "free space"
"""The causes of a limit."""
TESTED, SIGNIFICANT, SIGNIFICANT_KEPT = "pairs_tested", "pairs_significant", "rows_significant"
"""The recorded numbers of all pairs of nodes, of the significant ones, and of those in the table."""
PROGRESS_SECONDS = 10
"""Seconds between two progress lines."""


@dataclass(frozen=True)
class Environment:
    """The input and the settings that all searches of one run share."""

    config: Relationships
    inputs: RelationshipInput
    is_cancelled: Callable[[], bool]
    engine: Engine

    @property
    def memory(self) -> int:
        return self.config.memory_mb * MEGABYTE


@dataclass(frozen=True)
class BuildEnvironment(Environment):
    """The environment of builds: also the database, and the state of its contents."""

    store: Store
    stamp: str


@dataclass
class PairSearch:
    """The search for the pairs of one type. *directory* is for what does not fit into memory."""

    relationship: RelationshipType
    environment: Environment
    directory: Path
    rows: int = 0
    left_out: int = 0
    """The number of libraries left out because they were not looked at."""
    limited: dict[str, Any] | None = None
    """The limit that the table was cut to, and the ``top_k`` found for it."""
    counts: dict[str, int] = field(default_factory=dict)
    """The numbers of nodes, contexts and entries, of pairs tested, and of significant ones among them."""
    found: FoundPairs | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    started_at: str = field(default_factory=timestamp)
    _measuring: Measuring = field(init=False)
    _last_progress: float = field(default_factory=time.monotonic)

    def pairs(self, *, with_mirrored: bool) -> FoundPairs:
        """Find all pairs; *with_mirrored* if they are also wanted with the larger node first."""
        with self._timed("read"):
            incidence = self.relationship.incidence(self.environment.inputs)
            self.left_out, self.counts = incidence.left_out, incidence.counts
        significance = self._assess(incidence)
        with self._timed("compute"):
            arrangement = arrange(incidence, self.relationship)
            self._measuring = Measuring(self.relationship, incidence)
            found = self._find(arrangement, incidence, significance)
            self.rows = found.length
        mirrored = self._spool() if with_mirrored else None
        watched = self._watch(found, "written")
        self.found = FoundPairs(
            self._measuring, incidence, arrangement.layout, watched, mirrored, significance
        )
        return self.found

    def parameters(self) -> dict[str, Any]:
        """Return all parameters that affect the result, and the limit that the table was cut to."""
        parameters = parameters_of(self.relationship, self.environment.inputs)
        return parameters | ({} if self.limited is None else {LIMITED: self.limited})

    @property
    def algorithm(self) -> str:
        """The name of the type with its parameters."""
        return name_algorithm(self.relationship.name, self.parameters())

    def inputs(self) -> dict[str, int]:
        """Return the numbers of nodes, contexts and entries, of pairs tested, and of significant ones."""
        if self.found is None or self.found.significant is None:
            return self.counts
        return self.counts | {SIGNIFICANT_KEPT: self.found.significant}

    def _assess(self, incidence: Incidence) -> Significance | None:
        """Return the significance of all pairs, if it is wanted."""
        if self.environment.config.significance == "none":
            return None
        # Lazy import: scipy.special is slow to import.
        from sgr_spiders.relationships.significance.assessment import assess  # noqa: PLC0415

        environment = self.environment
        with self._timed("significance"):
            significance = assess(
                incidence,
                self.relationship,
                environment.engine,
                environment.config.threads,
                environment.is_cancelled,
                partial(self._report, "tested"),
            )
        self.counts |= {TESTED: significance.tests, SIGNIFICANT: significance.significant}
        return significance

    def _find(
        self, arrangement: Arrangement, incidence: Incidence, significance: Significance | None
    ) -> Spool:
        """Return the pairs; if there are more than the limit, the nearest of each node."""
        directory, top_k = self.directory, self.relationship.top_k
        limit = find_limit(self.relationship, incidence, self.environment.config, directory)
        finder = self.environment.engine.open(arrangement, self.environment.is_cancelled)
        validated = self.environment.config.validated
        if significance is not None and validated is not None:
            finder = significance.filter(finder, validated)
        finder = self._measuring.filter(finder)
        expected = forecast(finder, limit.pairs)
        pairs = expected.pairs if top_k is None else expected.pairs_with(top_k)
        announce(self.relationship, incidence, pairs, limit, directory)
        if pairs > TOLERANCE * limit.pairs:
            top_k = expected.top_k_for(limit.pairs)
        ranking = Ranking(self._measuring, len(incidence.ids), arrangement.layout)
        nearest = None if top_k is None else Nearest(ranking, top_k, self._spool)
        found = self._spool()
        take, report = found.add if nearest is None else nearest.add, partial(self._report, "compared")
        finder.find(take, report)
        if nearest is not None:
            found = nearest.pairs(self._rank)
        counted = found.length
        found, top_k = self._cut(found, top_k, limit, expected, ranking)
        if top_k != self.relationship.top_k or counted > limit.pairs:
            self._note_limit(limit, max(expected.pairs, counted), top_k, found.length)
        return found

    def _cut(
        self, found: Spool, top_k: int | None, limit: Limit, expected: Forecast, ranking: Ranking
    ) -> tuple[Spool, int | None]:
        """Reduce ``top_k`` until the pairs are within the limit; with 1, keep the strongest pairs of all."""
        while found.length > limit.pairs and top_k != 1:
            if top_k is None:
                top_k = expected.top_k_for(limit.pairs)
            else:
                top_k = max(1, top_k * limit.pairs // found.length)
            nearest = Nearest(ranking, top_k, self._spool)
            for keys in self._rank(found):
                nearest.add(keys)
            found = nearest.pairs(self._rank)
        if found.length > limit.pairs:
            found = keep_strongest(found, ranking, limit.pairs, self._spool)
        return found, top_k

    def _note_limit(self, limit: Limit, pairs: int, top_k: int | None, kept: int) -> None:
        by = MAX_PAIRS if limit.free is None else FREE_SPACE
        self.limited = {"by": by, "pairs": limit.pairs, "top_k": top_k}
        if limit.free is not None:
            self.limited["free"] = limit.free
        logger.warning(
            "%s: about %s pairs exceed %s; keeping %s, the %s nearest of each",
            self.relationship.table.name,
            f"{pairs:,}",
            limit.describe(),
            f"{kept:,}",
            f"{top_k:,}",
        )

    def _spool(self) -> Spool:
        return Spool(self.directory, self.environment.memory // 2)  # two spools exist at a time

    def _rank(self, found: Spool) -> Iterator[Keys]:
        return self._watch(found, "ranked")

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

    @contextmanager
    def _timed(self, part: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[part] = self.seconds.get(part, 0.0) + time.monotonic() - began


@dataclass
class Build(PairSearch):
    """The build of one type's table. ``seconds`` stays empty if the table is up to date."""

    environment: BuildEnvironment

    def run(self) -> StagedTable | None:
        """Stage the table in a separate file; return it, or nothing if the current table is up to date."""
        known = self._known()
        if known is not None and known.stamp == self.environment.stamp:
            self._keep(known)
            return None
        with self._timed("read"):
            fingerprint = self.environment.inputs.fingerprint(self.relationship.reads)
        if known is not None and known.fingerprint == fingerprint:
            self._keep(known)
            self._renew_stamp()
            return None
        pairs = self.pairs(with_mirrored=True)
        with self._timed("write"):
            path = writing.prepare(self.environment.store, self.relationship.table, pairs, self.directory)
        return StagedTable(self.relationship.table, path, partial(self._entry, fingerprint))

    def _known(self) -> BuiltRelationship | None:
        """Return the last build if it had the same parameters."""
        with self.environment.store.read() as connection:
            known = builds.latest(connection, self.relationship.name)
        if known is None:
            return None
        parameters = dict(known.parameters)
        fits = self._fits(parameters.pop(LIMITED, None), known.rows)
        wanted = parameters_of(self.relationship, self.environment.inputs)
        return known if fits and parameters == wanted else None

    def _fits(self, limited: dict[str, Any] | None, rows: int) -> bool:
        """Return whether today's limit would give a table of so many rows as well."""
        most = self.environment.config.max_pairs
        if limited is None:
            return rows <= most
        if limited["by"] == MAX_PAIRS:
            return bool(limited["pairs"] == most)
        # The free space always changes a little.
        free = shutil.disk_usage(self.directory).free
        return rows <= most and free <= TOLERANCE * limited["free"]

    def _keep(self, known: BuiltRelationship) -> None:
        self.rows, self.limited, self.seconds = known.rows, known.parameters.get(LIMITED), {}
        self.left_out = known.inputs.get(LEFT_OUT, 0)
        self.counts = dict(known.inputs)

    def _renew_stamp(self) -> None:
        with self.environment.store.write() as connection:
            builds.renew_stamp(connection, self.relationship.name, self.environment.stamp)

    def _entry(self, fingerprint: str, copying: float) -> BuiltRelationship:
        self.seconds["write"] += copying
        return BuiltRelationship(
            type=self.relationship.name,
            parameters=self.parameters(),
            stamp=self.environment.stamp,
            fingerprint=fingerprint,
            inputs=self.inputs(),
            rows=self.rows,
            seconds={part: round(seconds, 3) for part, seconds in self.seconds.items()},
            started_at=self.started_at,
            finished_at=timestamp(),
            algorithm=self.algorithm,
        )


def parameters_of(relationship: RelationshipType, inputs: RelationshipInput) -> dict[str, Any]:
    """Return all parameters that affect the table of *relationship*."""
    return relationship.parameters() | inputs.parameters()
