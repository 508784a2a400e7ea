"""The steps of ``scrapy vacuum``, and its output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sgr_spiders.storage.dictionaries import repack
from sgr_spiders.storage.vacuum import vacuum
from sgr_spiders.text.formatting import pluralize, size

if TYPE_CHECKING:
    from sgr_spiders.storage.dictionaries import Repacked
    from sgr_spiders.storage.store import Store
    from sgr_spiders.storage.vacuum import Vacuumed


@dataclass(frozen=True, slots=True)
class Compacted:
    """The result of a vacuum: of the column ``raw``, and of the whole database."""

    raw: Repacked
    database: Vacuumed


def compact(store: Store) -> Compacted:
    """Compress ``raw`` with the database's dictionary, then give the space of deleted rows back."""
    return Compacted(repack(store), vacuum(store))


def describe(done: Compacted) -> list[str]:
    """Return the result as lines for people."""
    raw, database = done.raw, done.database
    lines = []
    if raw.records:
        before, after = size(raw.bytes_before), size(raw.bytes_after)
        lines.append(f"raw: {before} before, {after} after; {pluralize(raw.records, 'record')} compressed")
    lines.append(f"database: {size(database.bytes_before)} before, {size(database.bytes_after)} after")
    return lines
