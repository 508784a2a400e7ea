"""The strongest pairs of a relationship table, of some nodes or of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import sqlalchemy as sa

from sgr_spiders.storage.chunks import chunked

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from numpy.typing import NDArray

    from sgr_spiders.storage.pairs.tables import PairTable
    from sgr_spiders.storage.store import Connection

    Pairs = NDArray[np.void]

PAIR = np.dtype([("a", np.int64), ("b", np.int64), ("score", np.float64)])
"""A pair of nodes and its score."""


def read_strongest_of(connection: Connection, pairs: PairTable, nodes: Iterable[int], limit: int) -> Pairs:
    """Return up to *limit* pairs of each of *nodes*, the strongest, each with its node as ``a``."""
    table = pairs.as_table()
    found: list[tuple[int, int, float]] = []
    for part in chunked(nodes):
        sides = [
            sa.select(
                table.c[own].label("a"), table.c[other].label("b"), table.c[pairs.score].label("score")
            ).where(table.c[own].in_(part))
            for own, other in (pairs.keys, pairs.keys[::-1])
        ]
        both = sa.union_all(*sides).subquery()
        rank = sa.func.row_number().over(partition_by=both.c.a, order_by=(both.c.score.desc(), both.c.b))
        ranked = sa.select(both, rank.label("rank")).subquery()
        query = sa.select(ranked.c.a, ranked.c.b, ranked.c.score).where(ranked.c.rank <= limit)
        found += _read(connection, query)
    return np.sort(np.array(found, PAIR), order=("a", "b"))


def read_strongest(connection: Connection, pairs: PairTable, limit: int) -> Pairs:
    """Return the *limit* strongest pairs of the table."""
    table = pairs.as_table()
    score, keys = table.c[pairs.score], [table.c[key] for key in pairs.keys]
    query = sa.select(*keys, score).order_by(score.desc(), *keys).limit(limit)
    return np.array(_read(connection, query), PAIR)


def _read(connection: Connection, query: sa.Select[Any]) -> list[tuple[int, int, float]]:
    return [tuple(row) for row in connection.execute(query)]
