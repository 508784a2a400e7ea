"""Builds the relationship tables from what is spilled."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sgr_spiders.config import harvest as configuration
from sgr_spiders.model.exceptions import ArgumentError, ConfigError
from sgr_spiders.relationships import TYPES
from sgr_spiders.relationships.build import Build, Surroundings
from sgr_spiders.relationships.inputs import Lake
from sgr_spiders.storage.pairs import reading, writing
from sgr_spiders.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from sgr_spiders.config.harvest import HarvestConfig
    from sgr_spiders.embeddings.preparation import Prepared
    from sgr_spiders.relationships.base import RelationshipType
    from sgr_spiders.storage.store import Connection

logger = logging.getLogger(__name__)

ALWAYS_COUNTED = ("user_similarities", "track_relationships", "artist_relationships")


@dataclass(frozen=True, slots=True)
class Related:
    """What became of a type's table. ``seconds`` is empty when it was up to date."""

    type: str
    table: str
    rows: int
    seconds: dict[str, float] = field(default_factory=dict)


class RelationshipProcessor:
    """Relates what a database holds, without fetching anything."""

    def __init__(self, database_url: str, config: HarvestConfig | None = None) -> None:
        """*config*: the defaults, unless given."""
        self._url = database_url
        self._config = config or configuration.load()

    def process_all(self, seed_track_id: int | None = None) -> dict[str, int]:
        """Build every enabled type's table; give the number of its rows by the table's name.

        With *seed_track_id* only what was found around that seed is related.
        """
        seeds = None if seed_track_id is None else [seed_track_id]
        with closing(Store.open(self._url, unharmed="nothing was built")) as store:
            built = relate(store, self._config, seeds=seeds)
        return dict.fromkeys(ALWAYS_COUNTED, 0) | {one.table: one.rows for one in built}

    def prepare_for_embeddings(self, seed_track_id: int | None = None, **choice: Any) -> Prepared:
        """Give the matrix of users and tracks, its split, features, and playlists as sequences.

        With *seed_track_id* only what was found around that seed. *choice*: fields of
        ``sgr_spiders.embeddings.preparation.Choice``, e.g. ``sources={"like": 1, "repost": 2}``. The database
        is only read, also while a crawl writes to it.
        """
        # Only now: relating needs none of it.
        from sgr_spiders.embeddings.preparation import Choice, prepare  # noqa: PLC0415

        if seed_track_id is not None:
            choice["seeds"] = (seed_track_id,)
        with Store(self._url).read() as connection:
            return prepare(connection, Choice(**choice))


def relate(
    store: Store,
    config: HarvestConfig,
    *,
    only: Iterable[str] | None = None,
    seeds: Sequence[int] | None = None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> list[Related]:
    """Build the tables of the enabled types, or of those named in *only*, and show all of them at once.

    *seeds*: only what was found around these. Raises ``CancelledError`` soon after *is_cancelled* says so.
    """
    section = config.relationships
    if seeds is None and section.scope == "seeds":
        raise ConfigError("`relationships.scope` is `seeds`, and no seed is given")
    with store.read() as connection:
        _refuse_unknown_seeds(connection, seeds or ())
        stamp = reading.read_stamp(connection)
    with writing.workspace(store) as folder:
        around = Surroundings(store, section, Lake(store, section, seeds), stamp, folder, is_cancelled)
        builds = [Build(relationship, around) for relationship in _chosen(config, only)]
        prepared = [table for build in builds for table in build.run()]
        if prepared:
            writing.swap(store, prepared)
    related = [
        Related(build.relationship.name, build.relationship.table.name, build.rows, build.seconds)
        for build in builds
    ]
    for one in related:
        _tell(one)
    return related


def _refuse_unknown_seeds(connection: Connection, seeds: Sequence[int]) -> None:
    for seed in seeds:
        if not len(reading.read_discovered(connection, "track", [seed])):
            raise ArgumentError(f"seed {seed}: nothing was harvested around it in this database")


def _chosen(config: HarvestConfig, only: Iterable[str] | None) -> Iterator[RelationshipType]:
    for name, make in TYPES.items():
        section = config.relationships.section(name)
        if name in only if only is not None else section.enabled:
            yield make(section)


def _tell(one: Related) -> None:
    if not one.seconds:
        logger.info("%s: up to date, %s pairs", one.table, f"{one.rows:,}")
        return
    took = ", ".join(f"{part} {seconds:.1f} s" for part, seconds in one.seconds.items())
    logger.info("%s: %s pairs (%s)", one.table, f"{one.rows:,}", took)
