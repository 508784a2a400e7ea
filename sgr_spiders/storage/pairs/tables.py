"""The tables of the relationship types, with one row for each pair of related nodes.

The tables are not in ``schema.metadata``, because each type declares its own table in its own module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa

from sgr_spiders.storage import schema

if TYPE_CHECKING:
    from typing import Any

CUT = "cut"
"""The column that marks the pairs whose measures rest on libraries that were looked at only in part."""

CUT_COMMENT = (
    "1 if the measures rest on a library or playlist that was looked at only in part (`newest` in "
    "`libraries`); null if built by an earlier version"
)

metadata = sa.MetaData(naming_convention=schema.metadata.naming_convention)
"""The pair tables that this process has used."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A column with a measure of a pair: a count, or a number from 0 to 1 (``real``)."""

    name: str
    comment: str
    real: bool = False


SIGNIFICANCE = (
    Measure(
        "expected",
        "The overlap that two nodes with so many contexts each share by chance, in a random network with the "
        "same numbers (see docs/relationships.md); null if not computed",
        real=True,
    ),
    Measure(
        "lift", "The overlap divided by `expected`: 1 is what chance gives; null if not computed", real=True
    ),
    Measure("p", "The probability of at least this overlap by chance; null if not computed", real=True),
    Measure(
        "q",
        "`p`, corrected for the number of pairs compared: the false discovery rate of Benjamini and Hochberg "
        "if this pair and all with a smaller `p` count as related; null if not computed",
        real=True,
    ),
)
"""The evidence of a pair beyond chance: nullable columns."""
LEVEL = 0.05
"""The q up to which pairs are called significant."""


@dataclass(frozen=True, slots=True)
class PairTable:
    """A table of pairs of nodes, the smaller ID first, sorted by both IDs.

    After the measures, each row has the columns in ``SIGNIFICANCE`` and the column ``cut``.
    """

    name: str
    kind: Literal["user", "track", "playlist"]
    """The record kind of the nodes."""
    node: str
    """The prefix of the two ID columns, e.g. ``artist_id``."""
    measures: tuple[Measure, ...]
    score: str
    """The measure that ranks the nearest nodes."""
    comment: str

    @property
    def keys(self) -> tuple[str, str]:
        return f"{self.node}_a", f"{self.node}_b"

    @property
    def names_column(self) -> sa.Column[Any]:
        return schema.NAMES[self.kind]

    def as_table(self) -> sa.Table:
        known = metadata.tables.get(self.name)
        return self._build() if known is None else known

    def _build(self) -> sa.Table:
        parent = schema.RECORD_TABLES[self.kind].c[f"{self.kind}_id"]
        comments = ("The smaller ID of the pair", "The larger ID of the pair")
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
            *(sa.Column(column.name, sa.Float, comment=column.comment) for column in SIGNIFICANCE),
            sa.Column(CUT, sa.Boolean, comment=CUT_COMMENT),
            sa.Index(None, self.keys[1]),
            sqlite_with_rowid=False,
            comment=self.comment,
        )


def find_stored(connection: sa.Connection) -> list[sa.Table]:
    """Return the pair tables in the database, whichever types have declared them."""
    inspector = sa.inspect(connection)
    others = [name for name in inspector.get_table_names() if name not in schema.metadata.tables]
    names = [
        name
        for name in others
        if any(column["name"].endswith("_id_a") for column in inspector.get_columns(name))
    ]
    stored = sa.MetaData()
    stored.reflect(connection, only=names, resolve_fks=False)
    return list(stored.tables.values())


def declare(stored: sa.Table) -> sa.Table:
    """Return the pair table *stored* as its type has declared it, to create it in another database."""
    return sa.Table(
        stored.name,
        sa.MetaData(naming_convention=schema.metadata.naming_convention),
        *map(_declare_column, stored.columns),
        *(sa.Index(None, *index.columns.keys()) for index in stored.indexes),
        sqlite_with_rowid=False,
    )


def _declare_column(stored: sa.Column[Any]) -> sa.Column[Any]:
    for key in stored.foreign_keys:
        table, _, name = key.target_fullname.rpartition(".")
        parent = sa.ForeignKey(schema.metadata.tables[table].c[name])
        return sa.Column(stored.name, schema.Id, parent, primary_key=True, autoincrement=False)
    for kind in (sa.Boolean, sa.Float):
        if isinstance(stored.type, kind):
            return sa.Column(stored.name, kind(), nullable=stored.nullable)
    return sa.Column(stored.name, sa.BigInteger, nullable=stored.nullable)
