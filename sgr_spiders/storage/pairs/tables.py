"""What the table of a relationship type looks like: one row for each pair of related nodes.

The tables are not in ``schema.metadata``, because each type declares its own, in its own file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa

from sgr_spiders.storage import schema

if TYPE_CHECKING:
    from typing import Any

NAMES = {
    "user": schema.users.c.username,
    "track": schema.tracks.c.title,
    "playlist": schema.playlists.c.title,
}
"""The column that names a node to people."""

metadata = sa.MetaData(naming_convention=schema.metadata.naming_convention)
"""The pair tables that were asked for so far in this process."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A column that says something of a pair: a count, or a number from 0 to 1 (``real``)."""

    name: str
    comment: str
    real: bool = False


@dataclass(frozen=True, slots=True)
class PairTable:
    """Pairs of nodes, of which the smaller id stands first. Sorted by it, and by the other one as well."""

    name: str
    kind: Literal["user", "track", "playlist"]
    """What the nodes are."""
    node: str
    """How the columns of the nodes begin, e.g. ``artist_id``."""
    measures: tuple[Measure, ...]
    score: str
    """The measure by which the nearest are found."""
    comment: str

    @property
    def keys(self) -> tuple[str, str]:
        return f"{self.node}_a", f"{self.node}_b"

    @property
    def names_column(self) -> sa.Column[Any]:
        return NAMES[self.kind]

    def as_table(self) -> sa.Table:
        known = metadata.tables.get(self.name)
        return self._make() if known is None else known

    def _make(self) -> sa.Table:
        parent = schema.RECORD_TABLES[self.kind].c[f"{self.kind}_id"]
        comments = ("The one with the smaller id", "The other one")
        keys = [
            sa.Column(
                key, schema.Id, sa.ForeignKey(parent), primary_key=True, autoincrement=False, comment=comment
            )
            for key, comment in zip(self.keys, comments, strict=True)
        ]
        measures = [
            sa.Column(
                measure.name,
                sa.Float if measure.real else sa.BigInteger,
                nullable=False,
                comment=measure.comment,
            )
            for measure in self.measures
        ]
        return sa.Table(
            self.name,
            metadata,
            *keys,
            *measures,
            sa.Index(None, self.keys[1]),
            sqlite_with_rowid=False,
            comment=self.comment,
        )
