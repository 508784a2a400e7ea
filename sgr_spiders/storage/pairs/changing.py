"""Change some rows of a relationship table, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.storage.chunks import chunked
from sgr_spiders.storage.pairs import builds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from sgr_spiders.storage.pairs.builds import BuiltRelationship
    from sgr_spiders.storage.pairs.tables import PairTable

    Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class PairChanges:
    """Whole rows that are new or have other measures, and the IDs of the pairs that are related no longer."""

    added: list[Row] = field(default_factory=list)
    changed: list[Row] = field(default_factory=list)
    removed: list[tuple[int, int]] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        return {name: len(getattr(self, name)) for name in self.__slots__}


def compare(
    connection: sa.Connection, table: PairTable, nodes: Sequence[int], rows: Iterable[Row]
) -> PairChanges:
    """Compare the stored pairs of *nodes* with *rows*, which are all of these pairs now."""
    before = _read(connection, table, nodes)
    changes = PairChanges()
    for row in rows:
        known = before.pop((row[0], row[1]), None)
        if known is None:
            changes.added.append(row)
        elif known != row[2:]:
            changes.changed.append(row)
    changes.removed.extend(before)
    return changes


def _read(connection: sa.Connection, table: PairTable, nodes: Sequence[int]) -> dict[tuple[int, int], Row]:
    target, found = table.as_table(), {}
    for key in table.keys:
        for chunk in chunked(nodes):
            query = sa.select(target).where(target.c[key].in_(chunk))
            found.update({(row[0], row[1]): tuple(row[2:]) for row in connection.execute(query)})
    return found


def apply(
    connection: sa.Connection, table: PairTable, changes: PairChanges, built: BuiltRelationship
) -> None:
    """Write *changes* and the log entry of the build, in the transaction of *connection*."""
    target = table.as_table()
    names = list(target.columns.keys())
    key = sa.and_(*(target.c[name] == sa.bindparam(f"key_{name}") for name in table.keys))
    keys = [f"key_{name}" for name in table.keys]
    leaving = [*changes.removed, *(row[:2] for row in changes.changed)]
    if leaving:
        pairs = [dict(zip(keys, pair, strict=True)) for pair in leaving]
        connection.execute(sa.delete(target).where(key), pairs)
    if arriving := [*changes.added, *changes.changed]:
        connection.execute(sa.insert(target), [dict(zip(names, row, strict=True)) for row in arriving])
    builds.enter(connection, built)
