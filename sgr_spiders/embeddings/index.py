"""A nearest-neighbour index next to the database, for many vectors (usearch).

Hierarchical navigable small worlds (Malkov and Yashunin 2016, https://arxiv.org/abs/1603.09320) over 16-bit
floats. The result is approximate: a neighbour is missed occasionally. Without usearch, or up to
``MIN_INDEXED`` vectors, the search compares all vectors.
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

MIN_INDEXED = 200_000
"""Vectors from which an index is built; comparing this many takes a third of a second."""


def build_index(connection: Connection, kind: str, method: str, placed: Placed) -> None:
    """Build an index of the latest vectors next to the database if there are enough; remove older ones."""
    path = _path(connection, kind, method)
    if path is None:
        return
    for old in path.parent.glob(f"{_stem(path)}.*.usearch"):
        old.unlink(missing_ok=True)
    usearch = _usearch()
    if usearch is None or len(placed.ids) <= MIN_INDEXED:
        return
    index = usearch.Index(ndim=placed.vectors.shape[1], metric="cos", dtype="f16")
    index.add(placed.ids, unit(placed.vectors))
    partial = path.with_name(f".{path.name}.part")
    try:
        index.save(str(partial))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def search_index(
    connection: Connection, kind: str, method: str, node: int, limit: int
) -> tuple[Numbers, Array] | None:
    """Return the neighbours of *node* and their cosines, nearest first; ``None`` without an index."""
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
    """Return the path of the index of the latest vectors; its name contains their run."""
    database, run = stored.file_of(connection), stored.latest_run(connection, method)
    return None if database is None or run is None else Path(f"{database}.{kind}.{method}.{run}.usearch")


def _stem(path: Path) -> str:
    return path.name.removesuffix(".usearch").rpartition(".")[0]
