"""``SoundGraph``: a database, and what to do with it from Python."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, SupportsFloat, SupportsIndex, TypeVar

from sgr_spiders.cli.command_output import read_command_output
from sgr_spiders.cli.program import CONFIG, DATABASE, remember_invocation
from sgr_spiders.cli.runner import harvest, inline
from sgr_spiders.config import harvest as configuration
from sgr_spiders.config.arguments import sort_seeds
from sgr_spiders.config.choices import METHODS, PROFILE_SECTIONS
from sgr_spiders.config.databases import PREFIX, default_database, in_user_data, url_of
from sgr_spiders.config.settings import DATABASE as DATABASE_URL
from sgr_spiders.config.settings import find_problem
from sgr_spiders.embeddings.embed import embed
from sgr_spiders.embeddings.recommend import CONTINUATION_SOURCES, RECOMMENDATION_SOURCES
from sgr_spiders.embeddings.similar import NEIGHBOUR_SOURCES
from sgr_spiders.exports.export import check_time
from sgr_spiders.exports.study.pseudonyms import default_key
from sgr_spiders.exports.study.study import StudyOptions, build_study
from sgr_spiders.exports.tables import RAW, list_tables, read_table
from sgr_spiders.model.exceptions import ArgumentError, ConfigError
from sgr_spiders.notebook import frames
from sgr_spiders.notebook.pages import Answer, Output, Report
from sgr_spiders.notebook.progress_bar import INTERVAL, ProgressBar, in_notebook
from sgr_spiders.relationships.communities.build import build_communities
from sgr_spiders.relationships.processor import RelationshipProcessor
from sgr_spiders.reports import communities, status
from sgr_spiders.reports.neighbours import (
    NEAREST,
    SearchOptions,
    read_recommended,
    read_related,
    read_similar,
)
from sgr_spiders.reports.origins import read_named
from sgr_spiders.reports.page.report import build_report
from sgr_spiders.reports.profile.profile import read_profile
from sgr_spiders.reports.state import collect_status
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.extent import Extent
from sgr_spiders.storage.figures.growth import read_growth
from sgr_spiders.storage.labels import KINDS as RECORDS
from sgr_spiders.storage.libraries import Inclusion
from sgr_spiders.storage.names import resolve
from sgr_spiders.storage.neighbours import KINDS
from sgr_spiders.storage.store import Store
from sgr_spiders.text import invocation
from sgr_spiders.text.masking import mask_url
from sgr_spiders.text.messages import did_you_mean, quote_value

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    import pyarrow as pa

    from sgr_spiders.config.harvest import Communities, Embeddings, HarvestConfig
    from sgr_spiders.embeddings.embed import Embedded
    from sgr_spiders.embeddings.preparation import TrainingData
    from sgr_spiders.exports.study.study import Study
    from sgr_spiders.model.result import HarvestResult
    from sgr_spiders.notebook.frames import Library
    from sgr_spiders.storage.rows import WholeTable
    from sgr_spiders.storage.store import Connection

    Config = str | os.PathLike[str] | Mapping[str, Any]
    Frame = Any
    Name = int | str
    By = Literal["npmi", "blend", "walk", "playlists", "vectors"]
    Section = TypeVar("Section", Embeddings, Communities)

MAX_ROWS = 1_000_000
CRAWLS = ("crawl", "harvest")
"""The commands that are functions of their own, which show their progress."""


class SoundGraph:
    """A database of harvests: fill it, read its tables as DataFrames, and ask what is near.

    >>> graph = SoundGraph("data/soundgraph.db")
    >>> graph.harvest(1234567)
    >>> graph.tracks()
    >>> graph.similar("track", "a title")

    Reading opens the database for a moment, and works during a crawl. Records are named by ID, URN, URL,
    permalink, title or name. Errors are ``HarvestError``.
    """

    def __init__(
        self,
        database: str | os.PathLike[str] | None = None,
        *,
        config: Config | None = None,
        as_: Library = "pandas",
    ) -> None:
        """Name the database and how to work with it; nothing is opened.

        Args:
            database: A path or an SQLAlchemy URL; by default the database that ``soundgraph`` uses here.
            config: A YAML file, a name in ``configs/``, or the content as a mapping.
            as_: The library of the tables: ``pandas``, ``polars`` or ``arrow``.

        Raises:
            ConfigError: The database or the configuration is invalid.
        """
        self._url = _find_database(database)
        self._store = Store(self._url)
        self._config_text = inline(config) if isinstance(config, Mapping) else _path(config)
        named = None if isinstance(config, Mapping) else self._config_text
        self._config_name = named or "deep_harvest"
        self._config: HarvestConfig = configuration.load(self._config_text)
        self._library: str = as_

    def __repr__(self) -> str:
        return f"SoundGraph({self._store.path or mask_url(self._url)!r})"

    # ---- collecting

    def harvest(
        self, *seeds: Name, log: bool | Callable[[str], object] = True, **arguments: Any
    ) -> HarvestResult:
        """Harvest around *seeds*; a notebook shows a bar instead of the log.

        Args:
            seeds: Tracks, playlists or users by ID, URN, URL or permalink; or name them with
                ``track_id``, ``track_url``, ``seeds`` or ``due``.
            log: False: show neither a bar nor the log; or a function that takes the lines of the log.
            arguments: Those of ``sgr_spiders.harvest``, for example ``layers`` or ``max_requests``.

        Raises:
            ArgumentError: Seeds are invalid, or named in the same way by position and by an argument.
        """
        named = sort_seeds(map(str, seeds))
        for name in named:
            if arguments.get(name) is not None:
                raise ArgumentError(f"argument `{name}`: also given by position")
        given = {"config": self._config_text, **arguments, **named, "database_url": self._url}
        if log is not True or not in_notebook():
            return harvest(**given, log=log)
        bar = ProgressBar()
        bar.show()
        given["settings"] = {"PROGRESS_INTERVAL": INTERVAL, **(given.get("settings") or {})}
        try:
            result = harvest(**given, log=bar.read)
        except BaseException:
            bar.finish("Stopped")
            raise
        bar.finish(f"Harvest {result.outcome}")
        return result

    def relate(self, seed: Name | None = None) -> dict[str, int]:
        """Build the relationship tables; return their rows. *seed* limits the input to its surroundings."""
        track = self._find_seed(seed)
        return RelationshipProcessor(self._url, self._config).process_all(seed_track_id=track)

    def embed(self, **changes: Any) -> Embedded:
        """Build vectors of tracks, users and artists.

        *changes* replace keys of the section ``embeddings`` of the configuration, for example ``method``.
        """
        settings = _override(self._config.embeddings, changes)
        self._require()
        store = Store.open(self._url, unharmed="nothing was built")
        try:
            return embed(store, settings)
        finally:
            store.close()

    def find_communities(self, **changes: Any) -> dict[str, int]:
        """Find communities in the relationships; return the number of communities of each kind of node.

        *changes* replace keys of the section ``communities`` of the configuration, e.g. ``resolution``.
        """
        section = _override(self._config.communities, changes)
        config = self._config.model_copy(update={"communities": section})
        self._require()
        store = Store.open(self._url, unharmed="no communities were found")
        try:
            return {one.run.kind: one.run.communities for one in build_communities(store, config)}
        finally:
            store.close()

    def prepare_for_embeddings(self, seed: Name | None = None, **choice: Any) -> TrainingData:
        """Return data to train on, as ``RelationshipProcessor.prepare_for_embeddings`` does."""
        track = self._find_seed(seed)
        processor = RelationshipProcessor(self._url, self._config)
        return processor.prepare_for_embeddings(seed_track_id=track, **choice)

    # ---- tables

    def tables(self, *, as_: Library | None = None) -> Frame:
        """Return the names of all tables, and what they contain."""
        with self._read() as connection:
            rows = [(table.name, table.meaning) for table in list_tables(connection)]
        return self._as_frame(frames.tabulate(rows, {"table": frames.TEXT, "meaning": frames.TEXT}), as_)

    def table(
        self,
        name: str,
        *,
        columns: str | Sequence[str] | None = None,
        include_removed: bool = False,
        as_of: str | datetime | None = None,
        raw: bool = False,
        as_: Library | None = None,
    ) -> Frame:
        """Return a table of the database, by default what is present.

        Args:
            name: A name in ``tables()``, for example ``playlist_tracks``.
            columns: The columns to read (default all).
            include_removed: Include what has been removed.
            as_of: Return the rows that were present at this time.
            raw: Include the column ``raw``, fields of the API without a column, as JSON.
            as_: The library, instead of that of this object.

        Raises:
            ArgumentError: There is no such table or column, or it has no times.
        """
        extent = Extent(include_removed, None if as_of is None else _read_time(as_of))
        if include_removed and as_of is not None:
            raise ArgumentError("argument `as_of`: cannot be combined with `include_removed`")
        with self._read() as connection:
            check_time(connection, extent.as_of)
            table = _find_table(connection, name, extent)
            chosen = None if columns is None else _as_names(columns)
            _check_columns(chosen or (), [column.name for column in table.columns])
            with_raw = raw or RAW in (chosen or ())
            found = read_table(connection, table, chosen, with_raw=with_raw)
        return self._as_frame(found, as_)

    def tracks(self, **options: Any) -> Frame:
        """Return the table ``tracks``; *options* as for ``table``."""
        return self.table("tracks", **options)

    def users(self, **options: Any) -> Frame:
        """Return the table ``users``; *options* as for ``table``."""
        return self.table("users", **options)

    def playlists(self, **options: Any) -> Frame:
        """Return the table ``playlists``; *options* as for ``table``."""
        return self.table("playlists", **options)

    def playlist_tracks(self, **options: Any) -> Frame:
        """Return the table ``playlist_tracks``; *options* as for ``table``."""
        return self.table("playlist_tracks", **options)

    def engagements(self, **options: Any) -> Frame:
        """Return the table ``engagements``: likes, reposts and comments; *options* as for ``table``."""
        return self.table("engagements", **options)

    def comments(self, **options: Any) -> Frame:
        """Return the table ``comments``; *options* as for ``table``."""
        return self.table("comments", **options)

    def discoveries(self, **options: Any) -> Frame:
        """Return the view ``discoveries``: what each seed and layer found; *options* as for ``table``."""
        return self.table("discoveries", **options)

    # ---- questions

    def similar(  # noqa: PLR0913 - the options of the command
        self,
        kind: str,
        name: Name,
        limit: int = 10,
        *,
        by: By | None = None,
        method: str | None = None,
        include_unseen: bool = False,
        include_removed: bool = False,
        as_: Library | None = None,
    ) -> Frame:
        """Return what is most similar to a track, user or artist, with evidence, as ``soundgraph similar``.

        Raises:
            ArgumentError: Nothing, or more than one record, is called *name*; or it has no vector.
        """
        _check_word("kind", kind, KINDS)
        options = _search_options(
            limit, by, NEIGHBOUR_SOURCES, method, unseen=include_unseen, removed=include_removed
        )
        with self._read() as connection:
            similar = read_similar(connection, kind, str(name), options)
        return self._as_frame(frames.tabulate_similar(similar), as_)

    def related(self, kind: str, name: Name, limit: int = 10, *, as_: Library | None = None) -> Frame:
        """Return the nearest neighbours of a track, user or artist, as ``soundgraph related``.

        Raises:
            ArgumentError: Nothing, or more than one record, is called *name*; or there are no relationships.
        """
        _check_word("kind", kind, NEAREST)
        rows = _read_limit(limit)
        with self._read() as connection:
            related = read_related(connection, kind, str(name), rows)
        return self._as_frame(frames.tabulate_related(kind, related), as_)

    def communities(self, *, as_: Library | None = None) -> Frame:
        """Return the stored communities of tracks, users and artists, as ``soundgraph communities``.

        ``table("communities")`` contains the community of each node. ``find_communities()`` finds them.
        """
        with self._read() as connection:
            found = communities.collect(connection)
        return self._as_frame(frames.tabulate_communities(found), as_)

    def profile(
        self,
        seed: Name,
        limit: int = 100,
        *,
        only: str | Collection[str] = PROFILE_SECTIONS,
        as_: Library | None = None,
    ) -> dict[str, Frame]:
        """Return the preferences of a track's listeners, a table for each section, as ``soundgraph profile``.

        Args:
            seed: The track.
            limit: The rows of each table.
            only: Sections: tracks, artists, genres, tags, countries, cities.
            as_: The library, instead of that of this object.

        Raises:
            ArgumentError: Nothing, or more than one track, is called *seed*; or it is not in the database.
        """
        sections = _as_names(only)
        for section in sections:
            _check_word("only", section, PROFILE_SECTIONS)
        rows = _read_limit(limit)
        with self._read() as connection:
            found = read_profile(connection, str(seed), rows, sections)
        return {
            section: self._as_frame(frames.tabulate_profile(found, section), as_)
            for section in found.sections
        }

    def growth(
        self, kind: str, name: Name, *, since: str | datetime | None = None, as_: Library | None = None
    ) -> Frame:
        """Return the counters of a track, user, artist or playlist over time, as ``soundgraph changes``.

        One row per value, with its change from the one before. ``table("counter_history")`` contains the
        changed counters of all records.

        Args:
            kind: The kind of record.
            name: The record.
            since: Return the values that were first read at this time or later.
            as_: The library, instead of that of this object.

        Raises:
            ArgumentError: Nothing, or more than one record, is called *name*; or it is not in the database.
        """
        _check_word("kind", kind, RECORDS)
        begin = None if since is None else _read_time(since, "since")
        with self._store.read() as connection:
            found = read_growth(connection, kind, str(name), begin)
        return self._as_frame(frames.tabulate_growth(found), as_)

    def why(
        self,
        kind: str,
        name: Name,
        limit: int = 20,
        *,
        include_removed: bool = False,
        as_: Library | None = None,
    ) -> Frame:
        """Return how a record was found, a row for each seed and layer, as ``soundgraph why``.

        Raises:
            ArgumentError: Nothing, or more than one record, is called *name*; or it is not in the database.
        """
        _check_word("kind", kind, RECORDS)
        rows = _read_limit(limit)
        with self._read() as connection:
            origin = read_named(connection, kind, str(name), rows, include_removed=include_removed)
        return self._as_frame(frames.tabulate_origin(origin), as_)

    def recommend(  # noqa: PLR0913 - the options of the command
        self,
        user: Name,
        limit: int = 10,
        *,
        by: By | None = None,
        method: str | None = None,
        diversity: float = 0.0,
        novelty: float = 0.0,
        include_unseen: bool = False,
        include_removed: bool = False,
        as_: Library | None = None,
    ) -> Frame:
        """Return tracks for a user, with the liked tracks that explain them, as ``soundgraph recommend``.

        Raises:
            ArgumentError: Nobody, or more than one user, is called *user*; or the user likes no tracks.
        """
        options = _search_options(
            limit, by, RECOMMENDATION_SOURCES, method, unseen=include_unseen, removed=include_removed
        )
        options = _rerank(options, diversity, novelty)
        return self._recommend("user", user, options, as_)

    def continue_playlist(  # noqa: PLR0913 - the options of the command
        self,
        playlist: Name,
        limit: int = 10,
        *,
        by: Literal["sequence"] | By | None = None,
        method: str | None = None,
        diversity: float = 0.0,
        novelty: float = 0.0,
        include_unseen: bool = False,
        include_removed: bool = False,
        as_: Library | None = None,
    ) -> Frame:
        """Return tracks to continue a playlist with, as ``soundgraph recommend playlist``.

        ``because`` names the tracks of the playlist that explain each.

        Raises:
            ArgumentError: Nothing, or more than one playlist, is called *playlist*; or it has no tracks.
        """
        options = _search_options(
            limit, by, CONTINUATION_SOURCES, method, unseen=include_unseen, removed=include_removed
        )
        options = _rerank(options, diversity, novelty)
        return self._recommend("playlist", playlist, options, as_)

    def _recommend(self, kind: str, name: Name, options: SearchOptions, as_: Library | None) -> Frame:
        with self._read() as connection:
            recommended = read_recommended(connection, kind, str(name), options)
        return self._as_frame(frames.tabulate_recommended(recommended), as_)

    # ---- reports

    def report(self, *seeds: Name) -> Report:
        """Return the report of ``soundgraph report`` about all seeds, or some; a notebook shows it inline."""
        tracks = [track for seed in seeds if (track := self._find_seed(seed)) is not None]
        return Report(build_report(self._store, self._config, tracks or None), self._store)

    def study(
        self,
        directory: str | os.PathLike[str],
        *,
        full: bool = False,
        key: str | os.PathLike[str] | None = None,
        title: str | None = None,
        authors: str | Sequence[str] = (),
    ) -> Study:
        """Build a study in *directory*, as ``soundgraph study``; return its counts and content hash.

        Args:
            directory: The directory, which may contain an earlier study of the same kind.
            full: Keep IDs, names and texts in clear.
            key: The key of the pseudonyms, outside *directory*.
            title: The title of the study.
            authors: The authors to cite.

        Raises:
            ArgumentError: The key is inside *directory*, or that contains something else.
        """
        if full and key is not None:
            raise ArgumentError("argument `key`: cannot be combined with `full`")
        secret = None if full else Path(key or default_key())
        options = StudyOptions(secret, authors=tuple(_as_names(authors)))
        named = options if title is None else options.with_title(title)
        return build_study(self._store, Path(directory), named)

    def status(self) -> Answer:
        """Return the JSON of ``soundgraph status`` as a mapping; it is shown as text."""
        with self._read() as connection:
            found = collect_status(connection, self._store.describe(), self._store.path, self._config)
        return Answer(status.as_json(found), "\n".join(status.as_text(found, datetime.now(UTC))))

    def command(self, *words: Name) -> str:
        """Run any command of ``soundgraph`` on this database, and return what it prints.

        >>> graph.command("changes", "--since", "2026-01-01")

        Raises:
            HarvestError: The command failed.
        """
        if not words or words[0] in CRAWLS:
            raise ArgumentError("name a command such as `status`; `harvest()` runs a crawl")
        return Output(read_command_output(list(map(str, words)), self._url, self._config_text))

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        """Open the database for a moment; the commands in messages name it."""
        with invocation.restored():
            remember_invocation({DATABASE: self._url, CONFIG: self._config_name})
            with self._store.read() as connection:
                yield connection

    def _require(self) -> None:
        """Raise ``ConfigError`` if there is no database, because a mistyped name must not create one."""
        with self._read():
            pass

    def _find_seed(self, seed: Name | None) -> int | None:
        with self._read() as connection:
            return None if seed is None else resolve(connection, "track", str(seed))

    def _as_frame(self, table: pa.Table, library: str | None) -> Frame:
        return frames.as_frame(table, library or self._library)


def _find_database(named: str | os.PathLike[str] | None) -> str:
    """Return the URL of the database, with an absolute path: a notebook may change its directory."""
    if named is None:
        default = in_user_data(default_database(os.environ.get("SOUNDCLOUD_API_URL")))
        url = url_of(os.environ.get("HARVEST_DATABASE_URL") or default)
    else:
        url = url_of(os.fspath(named))
        if (problem := find_problem(DATABASE_URL, url)) is not None:
            raise ConfigError(f"argument `database`: {problem}")
    path = url.removeprefix(PREFIX)
    return url if path in {url, "", ":memory:"} else f"{PREFIX}{Path(path).absolute()}"


def _path(config: str | os.PathLike[str] | None) -> str | None:
    return os.environ.get("HARVEST_CONFIG") or None if config is None else os.fspath(config)


def _as_names(names: str | Iterable[str]) -> list[str]:
    """Return the names; a string is one."""
    return [names] if isinstance(names, str) else list(names)


def _override(section: Section, changes: Mapping[str, Any]) -> Section:
    """Return *section* of the configuration with these *changes*."""
    for name in changes:
        if name not in type(section).model_fields:
            known = type(section).model_fields
            raise ArgumentError(f"unknown argument {quote_value(name)}{did_you_mean(name, known)}")
    return configuration.override(section, dict(changes), "argument `{}`".format)


def _find_table(connection: Connection, name: str, extent: Extent) -> WholeTable:
    tables = {table.name: table for table in list_tables(connection, extent)}
    if name not in tables:
        hint = did_you_mean(name, tables) or "; `tables()` lists them"
        when = "" if extent.as_of is None else " with the times of its rows"
        raise ArgumentError(f"no table {quote_value(name)}{when} in this database{hint}")
    return tables[name]


def _check_columns(names: Iterable[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            raise ArgumentError(
                f"argument `columns`: no column {quote_value(name)}{did_you_mean(name, known)}"
            )


def _check_word(argument: str, word: str, known: Collection[str]) -> None:
    if word not in known:
        raise ArgumentError(
            f"argument `{argument}`: must be one of {', '.join(known)}, not {quote_value(word)}"
            f"{did_you_mean(str(word), known)}"
        )


def _read_limit(limit: object) -> int:
    if isinstance(limit, SupportsIndex) and not isinstance(limit, bool) and 1 <= index(limit) <= MAX_ROWS:
        return index(limit)
    raise ArgumentError(
        f"argument `limit`: must be an integer from 1 to {MAX_ROWS}, not {quote_value(limit)}"
    )


def _search_options(
    limit: int, by: str | None, sources: Collection[str], method: str | None, *, unseen: bool, removed: bool
) -> SearchOptions:
    rows = _read_limit(limit)
    if by is not None:
        _check_word("by", by, sources)
    options = SearchOptions(by, limit=rows, include=Inclusion(unseen, removed))
    if method is None:
        return options
    _check_word("method", method, METHODS)
    if by != "vectors":
        raise ArgumentError('argument `method`: needs `by="vectors"`')
    return replace(options, method=method)


def _rerank(options: SearchOptions, diversity: object, novelty: object) -> SearchOptions:
    return replace(
        options, diversity=_read_share("diversity", diversity), novelty=_read_share("novelty", novelty)
    )


def _read_share(argument: str, share: object) -> float:
    if isinstance(share, SupportsFloat) and not isinstance(share, bool) and 0 <= float(share) <= 1:
        return float(share)
    raise ArgumentError(f"argument `{argument}`: must be a number from 0 to 1, not {quote_value(share)}")


def _read_time(moment: str | datetime, argument: str = "as_of") -> str:
    """Return the time in the format of the database; without an offset it is in UTC."""
    try:
        parsed = moment if isinstance(moment, datetime) else datetime.fromisoformat(moment)
        return timestamp(parsed.replace(tzinfo=parsed.tzinfo or UTC))
    except (ValueError, OverflowError, TypeError):
        raise ArgumentError(
            f"argument `{argument}`: must be a date or time such as 2026-03-01, not {quote_value(moment)}"
        ) from None
