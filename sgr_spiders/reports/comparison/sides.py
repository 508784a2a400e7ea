"""The two sides of a comparison: a database each, or two states of one database."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from sgr_spiders.config.harvest import short_name
from sgr_spiders.relationships.inputs import DatabaseSource, PastSource, RelationshipInput, Snapshot
from sgr_spiders.storage import past
from sgr_spiders.storage.figures.contents import count_records, count_requests, read_runs
from sgr_spiders.storage.interactions_read import read_seeds
from sgr_spiders.storage.ledger import source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from sgr_spiders.config.harvest import Relationships
    from sgr_spiders.storage.figures.contents import AskedRun
    from sgr_spiders.storage.ledger.source import Source
    from sgr_spiders.storage.store import Connection

    Ids = NDArray[np.int64]

DIGITS = 6
"""Digits of the hash of a configuration that stand for it."""


@dataclass(frozen=True, slots=True)
class About:
    """A description of a side: its database and state, its runs, and its records by kind."""

    name: str
    database: str
    moment: str | None
    source: Source | None
    runs: Sequence[AskedRun]
    records: Mapping[str, int]

    @property
    def requests(self) -> int | None:
        """The requests of all runs; ``None`` if those of one are unknown, because it was killed or runs."""
        return count_requests(self.runs)

    @property
    def seeds(self) -> list[int]:
        return sorted({seed for run in self.runs for seed in run.seeds})

    @property
    def configurations(self) -> list[tuple[str, str | None]]:
        """The configurations of the runs: their names (else parts of their hashes), and hashes."""
        asked = {run.config_hash: run.config for run in self.runs}
        return [
            (short_name(given) if given else (digest or "unknown")[:DIGITS], digest)
            for digest, given in asked.items()
        ]

    @property
    def layers(self) -> list[str]:
        return sorted({layer for run in self.runs for layer in run.layers if layer})


@dataclass
class Side:
    """One side: a snapshot of a *database*, or what was present in it before a *moment*.

    *name*: ``A`` or ``B``, or that of the reference. *section*: the settings with which relationships are
    computed.
    """

    name: str
    database: str
    connection: Connection
    section: Relationships
    moment: str | None = None
    _ids: dict[str, Ids] = field(default_factory=dict)

    def describe(self) -> About:
        """Return what the side is."""
        return About(
            self.name,
            self.database,
            self.moment,
            source.read(self.connection),
            read_runs(self.connection, self.moment),
            count_records(self.connection, self.moment),
        )

    @cached_property
    def inputs(self) -> RelationshipInput:
        """The input of relationships."""
        snapshot = Snapshot(self.connection)
        rows = DatabaseSource(snapshot) if self.moment is None else PastSource(snapshot, self.moment)
        return RelationshipInput(rows, self.section, None)

    @cached_property
    def seed_tracks(self) -> Ids:
        return read_seeds(self.connection)

    def ids(self, kind: str) -> Ids:
        """Return the IDs of the tracks, users or artists that are present, in ascending order."""
        if kind not in self._ids:
            self._ids[kind] = past.read_ids(self.connection, kind, self.moment)
        return self._ids[kind]
