"""Look up the nearest users, tracks or artists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.storage.pairs.tables import CUT, SIGNIFICANCE
from sgr_spiders.storage.schema import RECORD_TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from sgr_spiders.storage.pairs.tables import PairTable


def nearest(connection: sa.Connection, table: PairTable, node: int, limit: int) -> list[dict[str, Any]]:
    """Return ID, name, measures, significance and ``cut`` of the *limit* nodes nearest to *node*.

    The nearest is first. The significance is null where it was not computed.

    Measures of one side of the pair end in ``_own`` or ``_other`` instead of ``_a`` or ``_b``.
    """
    pairs = table.as_table()
    sides = [_side(table, pairs, node, own, other) for own, other in (("a", "b"), ("b", "a"))]
    both = sa.union_all(*sides).subquery()
    records = RECORD_TABLES[table.kind]
    key = records.c[f"{table.kind}_id"]
    query = (
        sa.select(both.c.id, table.names_column.label("name"), *list(both.c)[1:])
        .join(records, key == both.c.id)
        .order_by(both.c[table.score].desc(), both.c.id)
        .limit(limit)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def read_significance(
    connection: sa.Connection, table: PairTable, node: int, others: Sequence[int]
) -> dict[int, tuple[float | None, float | None]]:
    """Return lift and q of the pairs of *node* with those of *others* that the table has."""
    pairs = table.as_table()
    first, second = (pairs.c[key] for key in table.keys)
    chosen = [pairs.c.lift, pairs.c.q]
    query = sa.union_all(
        *(
            sa.select(other, *chosen).where(own == node, other.in_(others))
            for own, other in ((first, second), (second, first))
        )
    )
    return {row[0]: (row[1], row[2]) for row in connection.execute(query)}


def evidence_of(table: PairTable) -> dict[str, bool]:
    """Return the names of the measures that ``nearest`` returns, and whether they are fractions."""
    names = {_seen_from(measure.name, "a", "b"): measure.real for measure in table.measures}
    return dict(sorted(names.items()))


def _side(table: PairTable, pairs: sa.Table, node: int, own: str, other: str) -> sa.Select[Any]:
    measures = {measure.name: _seen_from(measure.name, own, other) for measure in table.measures}
    columns = sorted(((label, name) for name, label in measures.items()), key=lambda pair: pair[0])
    others = (pairs.c[column.name] for column in SIGNIFICANCE)
    chosen = [*(pairs.c[name].label(label) for label, name in columns), *others, pairs.c[CUT]]
    return sa.select(pairs.c[f"{table.node}_{other}"].label("id"), *chosen).where(
        pairs.c[f"{table.node}_{own}"] == node
    )


def _seen_from(name: str, own: str, other: str) -> str:
    for side, seen in ((own, "_own"), (other, "_other")):
        if name.endswith(f"_{side}"):
            return name.removesuffix(f"_{side}") + seen
    return name
