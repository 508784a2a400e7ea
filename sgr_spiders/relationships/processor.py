"""Build the relationship tables from spilled data."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from sgr_spiders.config import harvest as configuration
from sgr_spiders.model.exceptions import ArgumentError, ConfigError, HarvestError, StorageError
from sgr_spiders.relationships import TYPES
from sgr_spiders.relationships.build import SIGNIFICANT_KEPT, Build, BuildEnvironment
from sgr_spiders.relationships.engine import CancelledError, LocalEngine
from sgr_spiders.relationships.inputs import DatabaseSource, RelationshipInput
from sgr_spiders.storage.pairs import builds, reading, writing
from sgr_spiders.storage.pairs.tables import LEVEL
from sgr_spiders.storage.store import Store
from sgr_spiders.text.formatting import percent, pluralize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from sgr_spiders.config.harvest import HarvestConfig, Relationships
    from sgr_spiders.embeddings.preparation import TrainingData
    from sgr_spiders.relationships.base import RelationshipType
    from sgr_spiders.relationships.engine import Engine
    from sgr_spiders.relationships.inputs import Source
    from sgr_spiders.storage.pairs.writing import StagedTable

logger = logging.getLogger(__name__)

ALWAYS_COUNTED = ("user_similarities", "track_relationships", "artist_relationships")


@dataclass(frozen=True, slots=True)
class Related:
    """The result of building one table. ``seconds`` is empty if it was up to date.

    ``left_out`` is the number of libraries left out because they were not looked at.
    ``limited`` is the ``top_k`` that keeps the table within ``max_pairs`` or the free space. With an
    ``error`` the previous table, with ``rows`` rows, is kept. ``significant`` is the number of rows that say
    more than chance; ``None`` if that was not computed.
    """

    type: str
    table: str
    rows: int
    seconds: dict[str, float] = field(default_factory=dict)
    limited: int | None = None
    left_out: int = 0
    error: HarvestError | None = None
    significant: int | None = None


class RelationshipProcessor:
    """Builds relationships from the data in a database; sends no requests."""

    def __init__(self, database_url: str, config: HarvestConfig | None = None) -> None:
        """Use *config*, or the default configuration."""
        self._url = database_url
        self._config = config or configuration.load()

    def process_all(self, seed_track_id: int | None = None) -> dict[str, int]:
        """Build the tables of all enabled types; return the number of rows by table name.

        *seed_track_id* limits the input to records found around that seed.

        Raises:
            HarvestError: a table could not be built; the others are built.
        """
        seeds = None if seed_track_id is None else [seed_track_id]
        with closing(Store.open(self._url, unharmed="nothing was built")) as store:
            built = relate(store, self._config, seeds=seeds)
        for result in built:
            if result.error is not None:
                raise result.error
        return dict.fromkeys(ALWAYS_COUNTED, 0) | {result.table: result.rows for result in built}

    def prepare_for_embeddings(self, seed_track_id: int | None = None, **choice: Any) -> TrainingData:
        """Return the matrix of users and tracks, its split, features, and playlists as sequences.

        Access is read-only and works during a crawl.

        Args:
            seed_track_id: limits the input to records found around that seed.
            choice: fields of ``sgr_spiders.embeddings.preparation.Choice``, for example
                ``sources={"like": 1, "repost": 2}``.
        """
        # Lazy import: building relationships does not need it.
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
    engine: Engine | None = None,
) -> list[Related]:
    """Build the tables of the enabled types, or of those in *only*, and publish each as soon as it is built.

    *seeds* limits the input to records found around them. *engine* finds the pairs, by default the local
    one; the result is the same with any. A table that cannot be built does not keep the
    others from being built; neither does a bug, which is raised at the end.

    Raises:
        CancelledError: *is_cancelled* returned true.
    """
    section = config.relationships
    inputs = make_input(DatabaseSource(store), section, seeds)
    with store.read() as connection:
        stamp = reading.read_stamp(connection)
    environment = BuildEnvironment(
        section, inputs, is_cancelled, engine or LocalEngine(section.threads), store, stamp
    )
    related: list[Related] = []
    bug: Exception | None = None
    for relationship in choose_types(config, only):
        try:
            related.append(build_table(relationship, environment, partial(writing.swap, store)))
        except CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - raised after the other tables are built
            bug = bug or error
        else:
            log_related(related[-1])
    if bug is not None:
        raise bug
    return related


def build_table(
    relationship: RelationshipType, environment: BuildEnvironment, publish: Callable[[StagedTable], None]
) -> Related:
    """Build a table unless it is up to date, and pass it to *publish*; return an error instead of raising it.

    If the server is away for a moment, the build begins again.

    Raises:
        CancelledError: The build was cancelled.
    """
    name, table, store = relationship.name, relationship.table.name, environment.store
    try:
        build = store.retry(partial(_build_once, relationship, environment, publish))
    except (HarvestError, MemoryError) as error:
        cause = error if isinstance(error, HarvestError) else StorageError(f"{table}: not enough memory")
        with store.read() as connection:
            known = builds.latest(connection, name)
        return Related(name, table, known.rows if known is not None else 0, error=cause)
    limited = build.limited["top_k"] if build.limited is not None else None
    return Related(
        name,
        table,
        build.rows,
        build.seconds,
        limited,
        build.left_out,
        significant=build.inputs().get(SIGNIFICANT_KEPT),
    )


def _build_once(
    relationship: RelationshipType, environment: BuildEnvironment, publish: Callable[[StagedTable], None]
) -> Build:
    with writing.workspace(environment.store) as directory:
        build = Build(relationship, environment, directory)
        staged = build.run()
        if staged is not None:
            publish(staged)
    return build


def make_input(source: Source, config: Relationships, seeds: Sequence[int] | None) -> RelationshipInput:
    """Return the input from *source*, limited to records found around *seeds*, if any are given.

    Raises:
        ConfigError: seeds are required, but none is given.
        ArgumentError: nothing was found around a seed.
    """
    if seeds is None and config.scope == "seeds":
        raise ConfigError("`relationships.scope` is `seeds`, but no seed is given")
    for seed in seeds or ():
        if not len(source.discovered("track", [seed], "all")):
            raise ArgumentError(f"seed {seed}: nothing was harvested around it in this database")
    return RelationshipInput(source, config, seeds)


def choose_types(config: HarvestConfig, only: Iterable[str] | None = None) -> Iterator[RelationshipType]:
    """Yield the enabled types, or those in *only*, with their sections of the configuration."""
    for name, make in TYPES.items():
        section = config.relationships.section(name)
        if name in only if only is not None else section.enabled:
            yield make(section)


def log_related(result: Related) -> None:
    """Log the result of building a table."""
    if result.error is not None:
        logger.warning("Could not build %s: %s; its previous version is kept", result.table, result.error)
        return
    if not result.seconds:
        logger.info("%s: up to date, %s pairs", result.table, f"{result.rows:,}")
        return
    times = ", ".join(f"{part} {seconds:.1f} s" for part, seconds in result.seconds.items())
    logger.info("%s: %s pairs (%s)", result.table, f"{result.rows:,}", times)
    if result.significant is not None and result.rows:
        share = percent(result.significant / result.rows)
        logger.info(
            "%s: %s of the pairs (%s) are significant: q <= %s",
            result.table,
            f"{result.significant:,}",
            share,
            LEVEL,
        )
    if result.left_out:
        libraries = pluralize(result.left_out, "library", "libraries")
        logger.info("%s: left out %s not looked at", result.table, libraries)
