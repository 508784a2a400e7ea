"""Relationship tables that are brought up to date during a crawl, from what is spilled so far.

After a first build, only pairs with a touched node are computed: a node whose contexts have changed. A pair
of two other nodes has the same common contexts as before, and the same number of contexts on each side.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sgr_spiders.model.exceptions import HarvestError
from sgr_spiders.relationships.algorithm import LIMITED, name_algorithm
from sgr_spiders.relationships.build import BuildEnvironment, parameters_of
from sgr_spiders.relationships.engine import LocalEngine
from sgr_spiders.relationships.inputs import DatabaseSource, RelationshipInput, Snapshot
from sgr_spiders.relationships.processor import build_table, choose_types, log_related
from sgr_spiders.relationships.touched import Signatures, TouchedSearch
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.pairs import builds, changing, reading, writing
from sgr_spiders.storage.pairs.builds import BuiltRelationship

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sgr_spiders.config.harvest import HarvestConfig
    from sgr_spiders.relationships.base import RelationshipType
    from sgr_spiders.relationships.inputs import Incidence
    from sgr_spiders.storage.pairs.changing import PairChanges
    from sgr_spiders.storage.store import Store

logger = logging.getLogger(__name__)

MOST_WORK = 0.5
"""The share of the work from which the whole table is built instead."""
MOST_PAIRS = 1_000_000
"""Pairs of touched nodes from which the whole table is built instead: SQLite writes a row in 10 µs, and
copies a row of a file in 0.5."""

UNTESTED = {"significance": "none", "validated": None}
"""A significance depends on all pairs, so only the build after the crawl computes it."""


@dataclass(frozen=True, slots=True)
class _Known:
    """The nodes and the number of rows of a table that this process has written."""

    signatures: Signatures
    rows: int


@dataclass(frozen=True, slots=True)
class _Input:
    """The input of a table, read from one snapshot."""

    relationship: RelationshipType
    incidence: Incidence
    fingerprint: str


class LiveRelationships:
    """The relationship tables of a running crawl."""

    def __init__(
        self, store: Store, config: HarvestConfig, publish: Callable[[Callable[[], None]], None]
    ) -> None:
        """Prepare; *publish* runs a function that writes, and waits for its end."""
        self._store = store
        # One thread, because the crawl needs the others.
        self._section = config.relationships.model_copy(update={"threads": 1, **UNTESTED})
        self._config = config
        self._publish = publish
        self._known: dict[str, _Known] = {}

    def update(self, seeds: Sequence[int] | None, is_cancelled: Callable[[], bool]) -> None:
        """Bring the tables of all enabled types up to date; *seeds* limits the input as in ``relate``.

        Raises:
            CancelledError: *is_cancelled* returned true.
        """
        with self._store.read() as connection:
            stamp = reading.read_stamp(connection)
            inputs = RelationshipInput(DatabaseSource(Snapshot(connection)), self._section, seeds)
            found = [
                _Input(relationship, relationship.incidence(inputs), inputs.fingerprint(relationship.reads))
                for relationship in choose_types(self._config)
            ]
        environment = BuildEnvironment(
            self._section, inputs, is_cancelled, LocalEngine(self._section.threads), self._store, stamp
        )
        for one in found:
            try:
                is_updated = self._update(one, environment)
            except (HarvestError, MemoryError) as error:
                logger.warning("Could not update %s: %s; the next update retries", _table(one), error)
                self._known.pop(one.relationship.name, None)
                continue
            if not is_updated:
                self._build(one, environment)

    def _build(self, one: _Input, environment: BuildEnvironment) -> None:
        """Build the whole table, unless it is up to date, perhaps but for its significance."""
        self._known.pop(one.relationship.name, None)
        if self._is_tested(one, environment):
            return
        related = build_table(
            one.relationship,
            environment,
            lambda staged: self._publish(lambda: writing.swap(self._store, staged)),
        )
        log_related(related)
        is_whole = related.error is None and related.limited is None and one.relationship.top_k is None
        if is_whole and one.incidence.context_ids is not None:
            signatures = Signatures(one.incidence.context_ids, one.incidence)
            self._known[one.relationship.name] = _Known(signatures, related.rows)

    def _is_tested(self, one: _Input, environment: BuildEnvironment) -> bool:
        """Return whether the table is that of this input, with the significance that a build here lacks."""
        with self._store.read() as connection:
            known = builds.latest(connection, one.relationship.name)
        if known is None or known.fingerprint != one.fingerprint:
            return False
        wanted = parameters_of(one.relationship, environment.inputs)
        parameters = {name: value for name, value in known.parameters.items() if name != LIMITED}
        return parameters != wanted and parameters | UNTESTED == wanted

    def _update(self, one: _Input, environment: BuildEnvironment) -> bool:
        """Replace the pairs of the touched nodes; return whether that is possible, and takes less."""
        known = self._known.get(one.relationship.name)
        if known is None or one.incidence.context_ids is None:
            return False
        began, started_at = time.monotonic(), timestamp()
        signatures = Signatures(one.incidence.context_ids, one.incidence)
        touched = signatures.changed_since(known.signatures)
        search = TouchedSearch(one.relationship, one.incidence, touched)
        if search.share > MOST_WORK:
            return False
        rows = []
        for some in search.rows(environment.is_cancelled):
            rows += some
            if len(rows) > MOST_PAIRS:
                return False
        with self._store.read() as connection:
            changes = changing.compare(connection, one.relationship.table, touched.tolist(), rows)
        count = known.rows + len(changes.added) - len(changes.removed)
        if count > self._section.max_pairs:
            return False
        seconds = {"update": round(time.monotonic() - began, 3)}
        parameters = parameters_of(one.relationship, environment.inputs)
        built = BuiltRelationship(
            type=one.relationship.name,
            parameters=parameters,
            stamp=environment.stamp,
            fingerprint=one.fingerprint,
            inputs=one.incidence.counts,
            rows=count,
            seconds=seconds,
            started_at=started_at,
            finished_at=timestamp(),
            algorithm=name_algorithm(one.relationship.name, parameters),
        )
        self._publish(lambda: self._write(one, changes, built))
        self._known[one.relationship.name] = _Known(signatures, count)
        logger.info(
            "%s: %s pairs, %s added, %s removed, %s changed",
            _table(one),
            f"{count:,}",
            *(f"{len(some):,}" for some in (changes.added, changes.removed, changes.changed)),
        )
        return True

    def _write(self, one: _Input, changes: PairChanges, built: BuiltRelationship) -> None:
        with self._store.write() as connection:
            changing.apply(connection, one.relationship.table, changes, built)


def _table(one: _Input) -> str:
    return one.relationship.table.name
