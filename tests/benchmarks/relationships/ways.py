"""Methods to compute the pairs. Each takes nodes, a type and a number of threads, and returns sorted keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from sgr_spiders.relationships.arrangement import arrange
from sgr_spiders.relationships.compiled_search import CompiledSearch
from sgr_spiders.relationships.engine import search_all
from sgr_spiders.relationships.keys import KeyLayout

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sgr_spiders.relationships.base import RelationshipType
    from sgr_spiders.relationships.inputs import Incidence
    from sgr_spiders.relationships.keys import Keys

    Way = Callable[[Incidence, RelationshipType, int], Keys]

BLOCK = 1_000


def compiled(nodes: Incidence, relationship: RelationshipType, threads: int) -> Keys:
    """Use our kernels."""
    found: list[Keys] = []
    search = CompiledSearch(arrange(nodes, relationship))
    search_all(search, threads, search.keys, found.append, lambda: False)
    return np.sort(np.concatenate([np.empty(0, np.uint64), *found]))


def scipy_blocks(nodes: Incidence, relationship: RelationshipType, _threads: int) -> Keys:
    """Multiply blocks of rows by all later rows."""
    matrix = _matrix(nodes).astype(np.int32)
    found = []
    # The later rows are transposed again for each block, so there are at most 100.
    step = max(BLOCK, matrix.shape[0] // 100)
    for first in range(0, matrix.shape[0], step):
        block = (matrix[first : first + step] @ matrix[first:].T.tocsr()).tocoo()
        found.append(
            _keep(nodes, relationship, block.row + first, block.col + first, block.data.astype(np.int64))
        )
    return np.sort(np.concatenate(found))


def sparse_dot_topn(nodes: Incidence, relationship: RelationshipType, threads: int) -> Keys:
    """Use the library for top products above a threshold; it cannot compute only the upper half."""
    from sparse_dot_topn import sp_matmul_topn  # noqa: PLC0415 - only for the benchmark

    matrix = sparse.csr_matrix(_matrix(nodes).astype(np.int32))
    turned = matrix.T.tocsr()
    least = int(relationship.fewest(np.ones(1, np.int64), np.ones(1, np.int64))[0]) - 1
    found = []
    for first in range(0, matrix.shape[0], BLOCK):  # it reserves `top_n` places for each row
        block = sp_matmul_topn(
            matrix[first : first + BLOCK], turned, top_n=matrix.shape[0], threshold=least, n_threads=threads
        ).tocoo()
        found.append(_keep(nodes, relationship, block.row + first, block.col, block.data.astype(np.int64)))
    return np.sort(np.concatenate(found))


def duckdb_join(nodes: Incidence, relationship: RelationshipType, threads: int) -> Keys:
    """Use a self-join in an analytical database."""
    import duckdb  # noqa: PLC0415 - only for the benchmark

    connection = duckdb.connect()
    connection.execute(f"SET threads = {threads}")
    node = np.repeat(np.arange(len(nodes.ids)), nodes.sizes)
    connection.execute("CREATE TABLE entries (node INTEGER, context INTEGER)")
    connection.register("given", {"node": node.astype(np.int32), "context": nodes.contexts})
    connection.execute("INSERT INTO entries SELECT * FROM given")
    least = int(relationship.fewest(np.ones(1, np.int64), np.ones(1, np.int64))[0])
    answer = connection.execute(
        "SELECT a.node AS a, b.node AS b, count(*) AS n FROM entries a "  # noqa: S608 - a number is put in
        "JOIN entries b ON a.context = b.context AND a.node < b.node "
        f"GROUP BY 1, 2 HAVING count(*) >= {least}"
    ).fetchnumpy()
    first_node, second_node, counts = (np.asarray(answer[name], np.int64) for name in ("a", "b", "n"))
    return np.sort(_keep(nodes, relationship, first_node, second_node, counts))


WAYS: dict[str, Way] = {
    "ours": compiled,
    "scipy blocks": scipy_blocks,
    "sparse_dot_topn": sparse_dot_topn,
    "DuckDB": duckdb_join,
}


def _matrix(nodes: Incidence) -> sparse.csr_array:
    shape = len(nodes.ids), nodes.context_count
    return sparse.csr_array(
        (np.ones(len(nodes.contexts), np.uint8), nodes.contexts, nodes.starts), shape=shape
    )


def _keep(
    nodes: Incidence,
    relationship: RelationshipType,
    first_node: NDArray[np.int64],
    second_node: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> Keys:
    sizes = nodes.sizes
    kept = (first_node < second_node) & (counts >= relationship.fewest(sizes[first_node], sizes[second_node]))
    layout = KeyLayout.of(len(sizes), int(sizes.max()))
    return layout.pack(first_node[kept].astype(np.int64), second_node[kept].astype(np.int64), counts[kept])
