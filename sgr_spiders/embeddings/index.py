"""An index beside the database, for more vectors than can be compared with one by one in a moment (usearch).

Hierarchical navigable small worlds (Malkov and Yashunin 2016, https://arxiv.org/abs/1603.09320) over 16-bit
floats: nearly always, not always, the nearest are found. Without usearch, or below ``WORTH`` vectors, all are
compared.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.embeddings.base import unit
from sgr_spiders.storage import vectors as stored

if TYPE_CHECKING:
    from types import ModuleType

    from sgr_spiders.embeddings.base import Array, Numbers
    from sgr_spiders.storage.store import Connection
    from sgr_spiders.storage.vectors import Placed

WORTH = 200_000
"""Vectors from which on there is an index; so many take a third of a second to compare with."""


def build_index(connection: Connection, kind: str, method: str, placed: Placed) -> None:
    """Put an index of the newest vectors beside the database where it is worth it, in place of older ones."""
    path = _path(connection, kind, method)
    if path is None:
        return
    for old in path.parent.glob(f"{_stem(path)}.*.usearch"):
        old.unlink(missing_ok=True)
    usearch = _usearch()
    if usearch is None or len(placed.ids) <= WORTH:
        return
    index = usearch.Index(ndim=placed.vectors.shape[1], metric="cos", dtype="f16")
    index.add(placed.ids, unit(placed.vectors))
    beside = path.with_name(f".{path.name}.part")
    try:
        index.save(str(beside))
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def look_up(
    connection: Connection, kind: str, method: str, node: int, limit: int
) -> tuple[Numbers, Array] | None:
    """Give the nearest to *node* and their cosines, the nearest first; ``None`` where no index tells."""
    path, usearch = _path(connection, kind, method), _usearch()
    if path is None or usearch is None or not path.is_file():
        return None
    vector = stored.read_vector(connection, kind, method, node)
    if vector is None:
        return None
    index = usearch.Index.restore(str(path), view=True)
    found = index.search(unit(vector[None])[0], limit + 1)
    others = found.keys != node
    return found.keys[others][:limit].astype(np.int64), 1 - found.distances[others][:limit]


def _usearch() -> ModuleType | None:
    try:
        return import_module("usearch.index")
    except ModuleNotFoundError:
        return None


def _path(connection: Connection, kind: str, method: str) -> Path | None:
    """Name the index of the newest vectors; one of older ones has another name, and is never taken for it."""
    database, run = stored.file_of(connection), stored.latest_run(connection, method)
    return None if database is None or run is None else Path(f"{database}.{kind}.{method}.{run}.usearch")


def _stem(path: Path) -> str:
    return path.name.removesuffix(".usearch").rpartition(".")[0]
