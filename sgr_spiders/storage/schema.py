"""The tables of a harvest. DATA_FORMAT.md prints the column comments.

The fields of a record (``model/items.py``) are columns of its table. Existing databases get new columns only
by a migration.

IDs are the integer part of the API's URNs. Times are ISO 8601 strings in UTC, which SQLite, DuckDB and
PostgreSQL all read and compare the same way. Tables that are only accessed by their key are ``WITHOUT ROWID``
on SQLite: half the size, and one search less per row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    false,
    text,
)

from sgr_spiders.model.fields import fields_of
from sgr_spiders.model.items import Comment, Engagement, Mention, Playlist, PlaylistTrack, Track, User
from sgr_spiders.storage.name_columns import AnyCase, Beginning

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

    from sgr_spiders.model.fields import Field, Rule

Id = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit integer; on SQLite ``INTEGER``, the only type name that makes a primary key the rowid."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


READER_ONLY = {"reader_only": True}
"""Marks an index that only readers need; see ``indexes.py``."""

UNEXPORTED = {"unexported": True}
"""Marks a table that exports leave out."""


def _one_of(table: str, column: str, *values: str) -> CheckConstraint:
    """Return the constraint that *column* contains one of *values*, or null in a nullable column."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"ck_{table}_{column}")


def _text(name: str, comment: str) -> Column[Any]:
    return Column(name, Text, comment=comment)


def _count(name: str, comment: str) -> Column[Any]:
    return Column(name, BigInteger, comment=f"{comment}; null if hidden or unknown, never 0")


def _flag(name: str, comment: str) -> Column[Any]:
    return Column(name, Boolean, comment=comment)


def _reference(name: str, target: str, comment: str, **options: Any) -> Column[Any]:
    return Column(name, Id, ForeignKey(target), comment=comment, **options)


def _declared_columns(record: type) -> list[Column[Any]]:
    """Return the columns of the fields that a *record* declares."""
    return [_column(field) for field in fields_of(record)]


def _column(field: Field) -> Column[Any]:
    return Column(
        field.name,
        _type_of(field.rule),
        *([ForeignKey(field.references)] if field.references else []),
        primary_key=field.is_key,
        autoincrement=False,
        nullable=not field.required,
        comment=field.doc,
    )


def _type_of(rule: Rule) -> TypeEngine[Any]:
    match rule.form:
        case "id" | "comment_id":
            return Id
        case "integer":
            return Integer() if rule.high < 2**31 else BigInteger()
        case "tempo":
            return Float()
        case "flag":
            return Boolean()
        case "text" | "date" | "day" | "word" | "two_letters":
            return Text()


def _provenance_columns() -> list[Column[Any]]:
    return [
        Column(
            "is_stub",
            Boolean,
            nullable=False,
            comment="1 if only the ID is known, from a reference; not counted as collected",
        ),
        Column(
            "fullness",
            SmallInteger,
            nullable=False,
            comment="Completeness of the fullest response: 0 stub, 1 embedded in another record, 2 author of "
            "a comment, 3 the record itself. A less full response only fills nulls",
        ),
        Column(
            "raw",
            LargeBinary,
            comment="API fields without a column, as zstd-compressed JSON; see [Read `raw`](#read-raw)",
        ),
        Column("fetched_at", Text, nullable=False, comment="When this row was last written"),
        _text(
            "counted_at",
            "When its counters were first read: since then, those without rows in `counter_history` have "
            "had the same values. Null if none is known",
        ),
    ]


def _presence_columns() -> list[Column[Any] | Index]:
    return [
        _text("first_seen_at", "When it was first seen"),
        _text("last_seen_at", "When it was last seen"),
        _text("removed_at", "When it was found missing; null if it was there at the last look"),
        _text(
            "removed_reason",
            "`left_list`: it left the list; `owner_removed`: it left the list of its owner (uploads, "
            "playlists, comments of a track); `gone`: the API does not find it; `private`; `blocked`: its "
            "track is blocked for this client; null if present",
        ),
        # Contains only removed rows, so that counting them, and what is present, reads few. On PostgreSQL by
        # revision 0026: its own keyword would load that dialect for every command.
        Index(None, "removed_at", sqlite_where=text("removed_at IS NOT NULL")),
    ]


tracks = Table(
    "tracks",
    metadata,
    *_declared_columns(Track),
    *_provenance_columns(),
    *_presence_columns(),
    Index(None, "artist_id"),
    _one_of("tracks", "access", "playable", "preview", "blocked"),
    comment="All tracks found",
)

users = Table(
    "users",
    metadata,
    *_declared_columns(User),
    *_provenance_columns(),
    *_presence_columns(),
    comment="All accounts found: listeners, artists and comment authors",
)

playlists = Table(
    "playlists",
    metadata,
    *_declared_columns(Playlist),
    *_provenance_columns(),
    *_presence_columns(),
    Index(None, "owner_id"),
    comment="All playlists found",
)

counter_history = Table(
    "counter_history",
    metadata,
    Column("kind", Text, primary_key=True, comment="`track`, `user` or `playlist`"),
    Column("record_id", Id, primary_key=True, autoincrement=False, comment="Its ID"),
    Column("counter", Text, primary_key=True, comment="The column of the counter, e.g. `playback_count`"),
    Column(
        "observed_at",
        Text,
        primary_key=True,
        comment="When this value was first read; it was there until the next row, or is there now",
    ),
    Column("value", BigInteger, nullable=False, comment="The value"),
    Column(
        "run_id",
        Id,
        comment="The newest run at that time, which may have been pruned; null for a first value that was in "
        "the record until the first change",
    ),
    _one_of("counter_history", "kind", "track", "user", "playlist"),
    sqlite_with_rowid=False,
    comment="The values of counters that have changed, from the first one on: one row per value. A counter "
    "without rows has had the value in its column since `counted_at`",
)

playlist_tracks = Table(
    "playlist_tracks",
    metadata,
    *_declared_columns(PlaylistTrack),
    *_presence_columns(),
    Column(
        "next_position",
        Integer,
        comment="Position in a look at the playlist that is not whole yet, or that never became whole",
    ),
    Index(None, "track_id", info=READER_ONLY),
    sqlite_with_rowid=False,
    comment="Tracks of each playlist: one row per playlist and track",
)

playlist_leftovers = Table(
    "playlist_leftovers",
    metadata,
    _reference("playlist_id", "playlists.playlist_id", "The playlist", primary_key=True, autoincrement=False),
    Column(
        "track_id",
        Id,
        primary_key=True,
        autoincrement=False,
        comment="The track; only its ID is known from here",
    ),
    Column("position", Integer, nullable=False, comment="As in `playlist_tracks`"),
    sqlite_with_rowid=False,
    comment="Tracks that the API listed inside a playlist and a cap left out of `playlist_tracks`",
)

engagements = Table(
    "engagements",
    metadata,
    *_declared_columns(Engagement)[:3],
    *_presence_columns(),
    *_declared_columns(Engagement)[3:],
    Index(None, "track_id", "kind", info=READER_ONLY),
    _one_of("engagements", "kind", "like", "repost", "comment"),
    sqlite_with_rowid=False,
    comment="Likes, reposts and comments by users on tracks",
)

comments = Table(
    "comments",
    metadata,
    *_declared_columns(Comment),
    Column("raw", LargeBinary, comment="As in `tracks`"),
    Column("fetched_at", Text, nullable=False, comment="When this row was last written"),
    *_presence_columns(),
    Index(None, "track_id"),
    Index(None, "user_id"),
    comment="Comments on tracks",
)

track_mentions = Table(
    "track_mentions",
    metadata,
    *_declared_columns(Mention),
    Index(None, "user_id"),
    _one_of("track_mentions", "kind", "mention", "featuring", "remixer", "producer", "label"),
    sqlite_with_rowid=False,
    comment="Names in the titles and descriptions of tracks",
)

walks = Table(
    "walks",
    metadata,
    Column(
        "walk_id",
        Id,
        primary_key=True,
        autoincrement=False,
        comment="63-bit hash of `endpoint` and `target`: the same walk has the same ID in every database",
    ),
    Column("endpoint", Text, nullable=False, comment="The kind of collection, e.g. `user_likes`"),
    Column("target", Text, nullable=False, comment="The ID, search text or URL that it belongs to"),
    Column(
        "status",
        Text,
        nullable=False,
        comment="`planned`, `running` (leased to a crawl), `done`, `capped`, `gone` or `failed`",
    ),
    _text("reason", "Reason if it is `capped`, `gone` or `failed`"),
    Column(
        "cursor",
        Text,
        nullable=False,
        comment="Start of the next page: path and query on the API's origin; empty for the first page",
    ),
    Column(
        "generation",
        Integer,
        nullable=False,
        comment="Number of refetches because it was stale",
    ),
    Column("pages", Integer, nullable=False, comment="Pages spilled in this generation"),
    Column(
        "empty_pages",
        Integer,
        nullable=False,
        comment="Current number of pages in a row without a new record",
    ),
    Column(
        "received",
        BigInteger,
        nullable=False,
        comment="Items received in this generation, including duplicates and rejected ones",
    ),
    Column(
        "kept",
        BigInteger,
        nullable=False,
        comment="Distinct records kept in this generation; caps count these",
    ),
    Column("capped_at", BigInteger, comment="The cap it stopped at; a larger one reopens it"),
    _count("expected", "Number of items by the API's own counter, which includes deleted and private ones"),
    Column("run_id", Id, comment="The run it is leased to while `running`"),
    Column("created_at", Text, nullable=False, comment="When it was first requested"),
    _text("started_at", "When the current generation was first leased"),
    _text("finished_at", "When the current generation ended, or when a counter last said that it suffices"),
    Column(
        "setbacks",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="Failures in a row, also responses that stopped a run; walks with fewer are fetched first",
    ),
    Column(
        "doubted",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="1 if it ended without data and no later response has shown that the API answers; the next "
        "run fetches it again",
    ),
    Column(
        "kept_before",
        BigInteger,
        comment="`kept` of the generation before; null if there is none, it was gone, or a loss was accepted",
    ),
    Column(
        "page_limit",
        Integer,
        comment="Items per page to ask for, if the API could not return the usual number; null otherwise",
    ),
    Column(
        "without_tracks",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="1 if playlists are listed without their tracks, because even one with them was too large",
    ),
    Column(
        "outdated",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="1 if retention has cleared some of its records: a run that wants it fetches it again",
    ),
    Column(
        "looked",
        Text,
        comment="How its list is looked at, or was last: `whole`; `head`, from the newest item down to known "
        "ones; `counter`, not at all, because the API's counter of its items had not changed",
    ),
    _text("whole_at", "When it was last looked at whole, or up to its cap"),
    Column(
        "newest_first",
        Text,
        comment="How it is known that its list is newest first: `cursor`, the times in its cursors fall; "
        "`observed`, a whole look found new items only before known ones; null if it is not known",
    ),
    Column("counted", BigInteger, comment="The API's counter of its items at the last look"),
    Column(
        "neighbours",
        Integer,
        comment="Records of the look before that this one has found, in the same order and below all new "
        "ones; -1 if the order differs; null if no ended look came before",
    ),
    Column("known_to", BigInteger, comment="Position in the look before of the last of these"),
    Column(
        "worker_id", Id, comment="The worker it is leased to while `running`, or whose answer is `doubted`"
    ),
    Index(None, "status", "setbacks", "created_at", "walk_id"),
    Index(None, "endpoint", "target"),
    # On PostgreSQL by revision 0026, as above.
    Index(None, "doubted", sqlite_where=text("doubted")),
    _one_of("walks", "status", "planned", "running", "done", "capped", "gone", "failed"),
    comment="The ledger: all collections to fetch, and their progress",
)

walk_requests = Table(
    "walk_requests",
    metadata,
    _reference("walk_id", "walks.walk_id", "The walk", primary_key=True, autoincrement=False),
    Column(
        "seed_id", Id, primary_key=True, autoincrement=False, comment="The seed (a track ID) that wants it"
    ),
    Column("layer", Text, primary_key=True, comment="The layer that wants it"),
    Column("step", Text, primary_key=True, comment="The layer's use for it, e.g. `listeners`"),
    Column("cap", BigInteger, nullable=False, comment="Number of distinct records that the layer wants"),
    Column(
        "widest",
        BigInteger,
        nullable=False,
        comment="The largest cap ever; `discoveries` uses it, so a lowered cap removes nothing",
    ),
    Column(
        "selective",
        Boolean,
        nullable=False,
        comment="1 if the layer keeps only its `selections` from the walk",
    ),
    Column("expanded", BigInteger, nullable=False, comment="Number of its records shown to the layer"),
    Column("settings", Text, nullable=False, comment="Fingerprint of the layer's settings at the request"),
    Column(
        "inline_cap",
        BigInteger,
        comment="Number of tracks that the layer wants of each playlist listed with its tracks; null: all",
    ),
    _text("requested_at", "When the layer first wanted it"),
    _text(
        "removed_at",
        "When nothing was left around the seed that the layer wants it for; null if the layer wants it",
    ),
    Index(None, "seed_id", "layer"),
    Index(None, "layer", info=READER_ONLY),
    sqlite_with_rowid=False,
    comment="The requests of layers for walks, with their caps",
)

walk_records = Table(
    "walk_records",
    metadata,
    _reference("walk_id", "walks.walk_id", "The walk", primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True, comment="`track`, `user`, `playlist` or `comment`"),
    Column("record_id", Id, primary_key=True, autoincrement=False, comment="Its ID"),
    Column(
        "position",
        BigInteger,
        nullable=False,
        comment="Position among the distinct records kept, from 0; an embedded record has its parent's",
    ),
    Column("generation", Integer, nullable=False, comment="Last generation of the walk that contained it"),
    _text("removed_at", "When the walk was found not to contain it any more; null if it does"),
    Index(None, "record_id", "kind", info=READER_ONLY),
    _one_of("walk_records", "kind", "track", "user", "playlist", "comment"),
    sqlite_with_rowid=False,
    comment="All records of each walk, in the API's order",
)

selections = Table(
    "selections",
    metadata,
    Column("seed_id", Id, primary_key=True, autoincrement=False, comment="The seed (a track ID)"),
    Column("layer", Text, primary_key=True, comment="The layer"),
    Column("kind", Text, primary_key=True, comment="`track`, `user` or `playlist`"),
    Column("record_id", Id, primary_key=True, autoincrement=False, comment="Its ID"),
    Column("score", Float, comment="Score from 0 to 1, if the layer computes one"),
    _text("last_seen_at", "When the layer last selected it; null for selections of earlier versions"),
    _text("removed_at", "When the layer chose again and left it out; null if it is selected"),
    _text("settings", "Fingerprint of the layer's settings at the last selection"),
    _text("first_seen_at", "When the layer first selected it"),
    Index(None, "record_id", "kind", info=READER_ONLY),
    Index(None, "layer", info=READER_ONLY),
    _one_of("selections", "kind", "track", "user", "playlist"),
    sqlite_with_rowid=False,
    comment="The records that layers selected from `selective` walks",
)

cuts = Table(
    "cuts",
    metadata,
    Column("seed_id", Id, primary_key=True, autoincrement=False, comment="The seed (a track ID)"),
    Column("layer", Text, primary_key=True, comment="The layer"),
    Column("step", Text, primary_key=True, comment="The step in which it chose; empty for its final choice"),
    Column(
        "setting", Text, primary_key=True, comment="The key of the layer's section that limits the choice"
    ),
    Column(
        "target",
        Text,
        primary_key=True,
        comment="What the setting was applied to, e.g. a label or a playlist; empty for the seed itself",
    ),
    Column("kept", BigInteger, nullable=False, comment="The number kept: the value of the setting"),
    Column("available", BigInteger, comment="The number to choose from; null if unknown"),
    Column("settings", Text, nullable=False, comment="Fingerprint of the layer's settings at the choice"),
    sqlite_with_rowid=False,
    comment="What the choices of layers left out, and the settings to raise; capped walks are in `walks`",
)

walk_pages = Table(
    "walk_pages",
    metadata,
    _reference("walk_id", "walks.walk_id", "The walk", primary_key=True, autoincrement=False),
    Column(
        "generation", Integer, primary_key=True, autoincrement=False, comment="The generation of the walk"
    ),
    Column("page", Integer, primary_key=True, autoincrement=False, comment="Number of the page, from 0"),
    Column(
        "cursor_hash",
        BigInteger,
        nullable=False,
        comment="Hash of the cursor, to detect a repeated one",
    ),
    Column("received", Integer, nullable=False, comment="Items on the page"),
    Column("fetched_at", Text, nullable=False, comment="When it was spilled"),
    _text(
        "boundary_at",
        "Time of its last item, from the cursor of the next page; null if unknown, or if the list is not "
        "newest first",
    ),
    Index(None, "fetched_at"),
    sqlite_with_rowid=False,
    comment="All pages spilled",
)

rejects = Table(
    "rejects",
    metadata,
    _reference(
        "walk_id", "walks.walk_id", "The walk that returned it", primary_key=True, autoincrement=False
    ),
    Column(
        "generation", Integer, primary_key=True, autoincrement=False, comment="The generation of the walk"
    ),
    Column("page", Integer, primary_key=True, autoincrement=False, comment="Number of the page, from 0"),
    Column(
        "item",
        Integer,
        primary_key=True,
        autoincrement=False,
        comment="Number of the reject on the page, from 0",
    ),
    Column("kind", Text, nullable=False, comment="The expected kind, e.g. `track`"),
    Column("record_id", Id, comment="Its ID, if it has one"),
    _text("field", "The field that was nulled; null if the whole record was rejected"),
    Column("reason", Text, nullable=False, comment="Reason"),
    Column("raw", LargeBinary, comment="The rejected data, as in `tracks`; never for private items"),
    comment="Rejected records and values, with their walks and the reasons",
)

runs = Table(
    "runs",
    metadata,
    Column("run_id", Id, primary_key=True, comment="ID of the run"),
    Column("spider", Text, nullable=False, comment="Name of the spider"),
    Column("layers", Text, nullable=False, comment="Its layers, separated by commas"),
    Column(
        "scope",
        Text,
        nullable=False,
        comment="Hash of its seeds and layers, to find the run that this one continues",
    ),
    Column("refresh", Boolean, nullable=False, comment="1 if it was to refetch everything"),
    Column(
        "fresh_after",
        Text,
        nullable=False,
        comment="Walks finished before this time are refetched; scheduled seeds have their own times",
    ),
    Column("started_at", Text, nullable=False, comment="When it started"),
    _text("finished_at", "When it ended; null if it is running or was killed"),
    _text(
        "outcome",
        "`complete`, `partial`, `unfinished`, `unreachable`, `interrupted`, `blocked` or `failed`; "
        "null if it is running or was killed",
    ),
    _text("reason", "Reason if the outcome is not `complete`"),
    Column("exit_code", Integer, comment="Exit code of `scrapy crawl`"),
    Column("stats", Text, comment="Statistics of the run, JSON"),
    _text("arguments", "Spider arguments as given, JSON"),
    _text("config_hash", "Hash of the whole configuration, which is in `configurations`"),
    _text("version", "Version of this project"),
    Column(
        "requests",
        BigInteger,
        comment="Requests sent, including retries and token requests; null if it has not ended",
    ),
    _text("api_origin", "Origin of the API, as in `source`; null for runs of earlier versions"),
    Column("is_sandbox", Boolean, comment="1 if that API was the sandbox; null for runs of earlier versions"),
    _text("packages", "Versions of Python and of the packages used, JSON; null for runs of earlier versions"),
    _one_of(
        "runs",
        "outcome",
        *("complete", "partial", "unfinished", "unreachable", "interrupted", "blocked", "failed"),
    ),
    comment="All crawls on this database",
)

configurations = Table(
    "configurations",
    metadata,
    Column("config_hash", Text, primary_key=True, comment="Its hash, as in `runs`"),
    Column("content", Text, nullable=False, comment="All its keys and values, also the defaults, JSON"),
    Column("first_used_at", Text, nullable=False, comment="When a run first used it"),
    sqlite_with_rowid=False,
    comment="The configurations that runs used; those of earlier versions are not known",
)

plans = Table(
    "plans",
    metadata,
    Column("plan_id", Id, primary_key=True, comment="ID of the estimate"),
    Column("created_at", Text, nullable=False, comment="When it was made"),
    Column("scope", Text, nullable=False, comment="Hash of the seeds and layers, as in `runs`"),
    Column("refresh", Boolean, nullable=False, comment="1 if it is about refetching everything"),
    Column("requests", BigInteger, nullable=False, comment="Requests"),
    Column("least_requests", BigInteger, nullable=False, comment="The least requests that are likely"),
    Column("most_requests", BigInteger, nullable=False, comment="The most requests that are likely"),
    Column("records", BigInteger, nullable=False, comment="Items of the lists to fetch"),
    Column("seconds", Float, nullable=False, comment="Duration at the pace of that time"),
    Column("bytes", BigInteger, nullable=False, comment="Growth of the database"),
    comment="Estimates of harvests, made by `scrapy plan`",
)

source = Table(
    "source",
    metadata,
    Column(
        "api_origin",
        Text,
        primary_key=True,
        comment="Origin of the API that the database is filled from, e.g. `https://api.soundcloud.com`; of a "
        "sandbox, its last one",
    ),
    Column(
        "is_sandbox", Boolean, nullable=False, comment="1 if that API is the sandbox: all data is invented"
    ),
    _text("world", "The sandbox's world, by its seed and size; null for other APIs"),
    Column("first_used_at", Text, nullable=False, comment="When a run first used it"),
    sqlite_with_rowid=False,
    comment="The source of the data, in one row; a crawl of another API is refused",
)

run_seeds = Table(
    "run_seeds",
    metadata,
    _reference("run_id", "runs.run_id", "The run", primary_key=True, autoincrement=False),
    Column(
        "given",
        Text,
        primary_key=True,
        comment="The seed as given: an ID, URN, URL or permalink; of a track of a playlist or user, its ID. "
        "`#playlist`, `#user` and `#tracks` mark further walks that look up a playlist or user",
    ),
    Column("track_id", Id, comment="Its track; null until a URL is resolved, or if it is not a track"),
    _reference("walk_id", "walks.walk_id", "The walk that looks it up", nullable=False),
    Column(
        "max_tracks",
        BigInteger,
        comment="Number of its tracks that become seeds, if it may be a playlist or user; null for a track",
    ),
    _reference("found_by", "walks.walk_id", "The walk that led to it; null if it was given"),
    Index(None, "walk_id"),
    sqlite_with_rowid=False,
    comment="The seeds of each run: those given, and the tracks of playlists and users that were given",
)

workers = Table(
    "workers",
    metadata,
    Column("worker_id", Id, primary_key=True, comment="ID of the worker"),
    _reference("run_id", "runs.run_id", "The run that it works on", nullable=False),
    Column("host", Text, nullable=False, comment="Name of its host"),
    Column("process", BigInteger, nullable=False, comment="ID of its process on that host"),
    Column("started_at", Text, nullable=False, comment="When it started, by the clock of the database"),
    Column(
        "heartbeat_at",
        Text,
        nullable=False,
        comment="When it last said that it is at work, by the clock of the database; only several workers do",
    ),
    _text("ended_at", "When it left the run, or was found to be dead; null if it is at work"),
    Column("requests", BigInteger, comment="Requests that it sent; null if it is at work, or was killed"),
    Index(None, "run_id"),
    comment="The workers of each run: crawl processes, to which leases belong",
)

run_scope = Table(
    "run_scope",
    metadata,
    _reference("run_id", "runs.run_id", "The run", primary_key=True, autoincrement=False),
    Column("seed_id", Id, primary_key=True, autoincrement=False, comment="A seed of it"),
    Column("layer", Text, primary_key=True, comment="A layer of it"),
    Column("settings", Text, nullable=False, comment="Fingerprint of that layer's settings"),
    sqlite_with_rowid=False,
    comment="The seeds and layers whose walks each run drains",
)

seeds = Table(
    "seeds",
    metadata,
    Column("given", Text, primary_key=True, comment="A track ID, or a URL on soundcloud.com"),
    Column("track_id", Id, comment="Its track; null until a URL is resolved"),
    Column("interval_seconds", BigInteger, nullable=False, comment="Seconds from one harvest to the next"),
    Column(
        "priority",
        Integer,
        nullable=False,
        comment="Order of seeds that are due at the same time: larger numbers first",
    ),
    Column("added_at", Text, nullable=False, comment="When it was added"),
    _text("last_harvest_at", "When the last harvest that tried everything ended"),
    Column("next_harvest_at", Text, nullable=False, comment="When it is due; a past time if it is overdue"),
    _text(
        "last_outcome",
        "`complete`, `partial` or `gone`; if `unfinished`, `unreachable`, `interrupted`, `blocked` or "
        "`failed`, the next scheduled run continues it; null if never harvested, running, or killed",
    ),
    _reference("last_run_id", "runs.run_id", "The last scheduled run that harvested it"),
    Index(None, "track_id"),
    Index(None, "next_harvest_at"),
    _one_of(
        "seeds",
        "last_outcome",
        *("complete", "partial", "gone", "unfinished", "unreachable", "interrupted", "blocked", "failed"),
    ),
    comment="Seeds that are harvested at intervals (`scrapy seeds`, `due=1`)",
)

relationship_runs = Table(
    "relationship_runs",
    metadata,
    Column(
        "relationship_run_id",
        Id,
        primary_key=True,
        comment="ID of the build; the newest of a type describes its table",
    ),
    Column("type", Text, nullable=False, comment="The relationship type, e.g. `user_similarity`"),
    _reference("run_id", "runs.run_id", "The newest crawl at the time; null if none"),
    Column(
        "parameters",
        Text,
        nullable=False,
        comment="Thresholds, scope and all other parameters of the result, JSON",
    ),
    Column(
        "inputs",
        Text,
        nullable=False,
        comment="Numbers of nodes, contexts and entries used, and of playlists by kind, JSON",
    ),
    Column(
        "stamp",
        Text,
        nullable=False,
        comment="Hash of row counts and times at the build; if unchanged, nothing is read again",
    ),
    Column(
        "fingerprint",
        Text,
        nullable=False,
        comment="Hash of the whole input; if unchanged, nothing is computed again",
    ),
    Column("rows", BigInteger, nullable=False, comment="Pairs found"),
    Column("seconds", Text, nullable=False, comment="Seconds for reading, computing and writing, JSON"),
    Column("started_at", Text, nullable=False, comment="When it started"),
    Column("finished_at", Text, nullable=False, comment="When the new table was complete"),
    _text("packages", "Versions of Python and of the packages used, as in `runs`"),
    _text(
        "algorithm",
        "The type and its parameters as one name, e.g. `track_cooccurrence_size_min_2`; null for builds of "
        "earlier versions, and for those around a seed that was forgotten",
    ),
    Index(None, "type"),
    comment="The builds of the relationship tables, with their parameters and inputs",
)

notices = Table(
    "notices",
    metadata,
    Column("name", Text, primary_key=True, comment="Name of the notice, e.g. `terms`"),
    Column("said_at", Text, nullable=False, comment="When it was shown"),
    sqlite_with_rowid=False,
    comment="Notices already shown to the users of this database",
)

lanes = Table(
    "lanes",
    metadata,
    Column("api_origin", Text, primary_key=True, comment="Scheme, host and port of the API"),
    Column(
        "key_fingerprint",
        Text,
        primary_key=True,
        comment="Hash of the client ID, keyed with the client secret; contains neither",
    ),
    Column(
        "name", Text, nullable=False, comment="Name in `SOUNDCLOUD_CREDENTIALS`; `default` without that file"
    ),
    Column(
        "state",
        Text,
        nullable=False,
        comment="State at the end of the last run, or now: `ok`, `throttled`, `refused` or `revoked`",
    ),
    Column("reason", Text, comment="Why the last run took it out of use"),
    Column("used_at", Text, nullable=False, comment="Start of the last run with this key"),
    Column(
        "interval_seconds",
        Float,
        comment="Seconds between two requests that the API accepts, as learned; null: nothing limits it",
    ),
    Column("learned_at", Text, comment="When that was last confirmed"),
    Column(
        "next_slot",
        Float,
        nullable=False,
        comment="When the next request may be sent, in seconds since the epoch by the server's clock. This "
        "and the next columns are used only on a server, by the workers that share the lane",
    ),
    Column("held_until", Float, nullable=False, comment="End of the current or last pause, likewise"),
    Column("held_by", Text, comment="Host and process of the worker that began the pause"),
    Column("pauses_in_a_row", Integer, nullable=False, comment="Pauses since the last good response"),
    Column(
        "probe_until",
        Float,
        nullable=False,
        comment="Until then the other workers wait for the one request that is sent alone after a pause",
    ),
    Column("changes", BigInteger, nullable=False, comment="Pauses and ends of pauses so far"),
    Column("taken", BigInteger, nullable=False, comment="Requests since the last pause"),
    Column("steps", BigInteger, nullable=False, comment="Of these, requests at the full rate"),
    Column("curve", Text, comment="The curve that the rate follows, JSON"),
    sqlite_with_rowid=False,
    comment="The API keys, and the request rates that they are known to have",
)

raw_dictionaries = Table(
    "raw_dictionaries",
    metadata,
    Column(
        "dictionary_id",
        Id,
        primary_key=True,
        autoincrement=False,
        comment="Its ID, as in the frames of `raw` that need it",
    ),
    Column("content", LargeBinary, nullable=False, comment="The dictionary, in zstd's format"),
    Column("records", BigInteger, nullable=False, comment="Records with `raw` when it was trained"),
    Column("trained_at", Text, nullable=False, comment="When it was trained"),
    comment="The zstd dictionaries that decompress `raw` (`scrapy vacuum`); they contain nothing of a single "
    "record",
)

pseudonym_key = Table(
    "pseudonym_key",
    metadata,
    Column(
        "digest", Text, primary_key=True, comment="Hash of the key, to recognise it; the key is in a file"
    ),
    Column("first_used_at", Text, nullable=False, comment="When it was first used"),
    sqlite_with_rowid=False,
    comment="The key of the pseudonyms of users (`retention.users`), in one row; empty if there are none",
)

tombstone_salt = Table(
    "tombstone_salt",
    metadata,
    Column("salt", LargeBinary, primary_key=True, comment="Random bytes, made with the first tombstone"),
    sqlite_with_rowid=False,
    info=UNEXPORTED,
    comment="The key of the hashes in `tombstones`, in one row; exports leave it out",
)

tombstones = Table(
    "tombstones",
    metadata,
    Column(
        "digest",
        Id,
        primary_key=True,
        autoincrement=False,
        comment="63-bit hash of kind and ID, or of a URL, keyed with `tombstone_salt`",
    ),
    Column("kind", Text, nullable=False, comment="`track`, `user`, `playlist`, `comment` or `url`"),
    Column(
        "forgotten_with",
        Id,
        nullable=False,
        comment="The `digest` of the record that was named; its own, or e.g. that of the track's uploader",
    ),
    Column("forgotten_at", Text, nullable=False, comment="When it was forgotten"),
    Column(
        "reason",
        Text,
        nullable=False,
        comment="`asked` (`scrapy forget`), or `gone` or `private` (`retention.on_gone`)",
    ),
    Index(None, "forgotten_with"),
    _one_of("tombstones", "kind", "track", "user", "playlist", "comment", "url"),
    _one_of("tombstones", "reason", "asked", "gone", "private"),
    info=UNEXPORTED,
    comment="What was forgotten and is never stored again (`scrapy forget`); exports leave it out",
)

exports = Table(
    "exports",
    metadata,
    Column("directory", Text, primary_key=True, comment="Its directory or file, an absolute path"),
    Column(
        "purpose",
        Text,
        nullable=False,
        comment="`tables`, `ml`, `graphs`, `vectors`, `relationships`, `report`, `snapshot` or `study`",
    ),
    Column("created_at", Text, nullable=False, comment="When it was last written"),
    sqlite_with_rowid=False,
    info=UNEXPORTED,
    comment="Files made from this database, so that `scrapy forget` can name them; exports leave it out",
)

vector_runs = Table(
    "vector_runs",
    metadata,
    Column("vector_run_id", Id, primary_key=True, comment="ID of the run"),
    Column("method", Text, nullable=False, comment="Embedding method: `svd`, `als`, …"),
    _reference("run_id", "runs.run_id", "The newest crawl at the time; null if none"),
    Column("parameters", Text, nullable=False, comment="Parameters of the method, JSON"),
    Column("dimensions", Integer, nullable=False, comment="Dimensions of the vectors"),
    Column("inputs", Text, nullable=False, comment="Numbers of users, tracks, pairs, playlists used, JSON"),
    Column("seconds", Float, nullable=False, comment="Seconds for reading and learning"),
    Column("finished_at", Text, nullable=False, comment="When the new vectors were complete"),
    Index(None, "method"),
    comment="The runs that learned vectors, with their parameters and inputs",
)


def _vectors(kind: str, target: str, *more: Column[Any], comment: str) -> Table:
    return Table(
        f"{kind}_vectors",
        metadata,
        Column("method", Text, primary_key=True, comment="Embedding method"),
        _reference(f"{kind}_id", target, f"The {kind}", primary_key=True, autoincrement=False),
        _reference("vector_run_id", "vector_runs.vector_run_id", "The run that learned it", nullable=False),
        *more,
        Column("vector", LargeBinary, nullable=False, comment="Little-endian float32"),
        comment=comment,
    )


track_vectors = _vectors(
    "track",
    "tracks.track_id",
    Column("fans", Float, nullable=False, comment="Sum of the weights of its interactions"),
    comment="Vectors of tracks; the cosine of two vectors is the similarity of the tracks",
)
user_vectors = _vectors(
    "user",
    "users.user_id",
    comment="Vectors of users; the inner product with a track's vector ranks recommendations",
)
artist_vectors = _vectors(
    "artist",
    "users.user_id",
    Column("tracks", Integer, nullable=False, comment="Number of the artist's tracks that have a vector"),
    comment="Vectors of artists, of length 1: the mean direction of the artist's tracks, weighted by the "
    "square root of their `fans`",
)

community_runs = Table(
    "community_runs",
    metadata,
    Column(
        "community_run_id",
        Id,
        primary_key=True,
        comment="ID of the build; the newest of a kind describes its communities",
    ),
    Column("kind", Text, nullable=False, comment="`track`, `user` or `artist`"),
    Column("method", Text, nullable=False, comment="`leiden` or `louvain`"),
    Column("graph", Text, nullable=False, comment="The table of pairs that the communities come from"),
    Column(
        "validated",
        Boolean,
        nullable=False,
        comment="1 if only its significant pairs were used, 0 if all of them",
    ),
    Column(
        "parameters",
        Text,
        nullable=False,
        comment="Resolution, random seeds and all other parameters of the result, JSON",
    ),
    Column("inputs", Text, nullable=False, comment="Numbers of nodes and pairs, and those used, JSON"),
    Column("communities", BigInteger, nullable=False, comment="Number of communities"),
    Column("rows", BigInteger, nullable=False, comment="Number of nodes that have one"),
    Column(
        "modularity",
        Float,
        comment="Modularity of the communities in the graph; null if they are those of the listeners",
    ),
    Column("stability", Float, comment="Mean stability of the nodes; null if no node has a community"),
    Column(
        "related_at",
        Text,
        nullable=False,
        comment="`finished_at` of the build of the table of pairs",
    ),
    Column("seconds", Float, nullable=False, comment="Seconds of the build"),
    Column("finished_at", Text, nullable=False, comment="When the new communities were complete"),
    Index(None, "kind"),
    comment="The builds of communities, with their parameters and inputs",
)

communities = Table(
    "communities",
    metadata,
    Column("kind", Text, primary_key=True, comment="`track`, `user` or `artist`"),
    Column("node_id", Id, primary_key=True, autoincrement=False, comment="Its ID; of an artist, the user's"),
    Column(
        "community",
        Integer,
        nullable=False,
        comment="Number of its community; 0 is the largest one of users, or of the kind with `by: pairs`",
    ),
    Column(
        "stability",
        Float,
        nullable=False,
        comment="Mean share of the other members of its community that it is with, over all runs: 0 to 1",
    ),
    Index(None, "node_id"),
    _one_of("communities", "kind", "track", "user", "artist"),
    sqlite_with_rowid=False,
    comment="The community of each track, user and artist that has one (`scrapy communities`)",
)

VECTOR_TABLES = {"track": track_vectors, "user": user_vectors, "artist": artist_vectors}
"""The tables of vectors, by kind of node."""

NAMES = {"track": tracks.c.title, "user": users.c.username, "playlist": playlists.c.title}
"""The column with the name of a record, by kind."""

PAGES = {kind: name.table.c.permalink_url for kind, name in NAMES.items()}
"""The column with the address of its page, by kind."""

for _name, _page in zip(NAMES.values(), PAGES.values(), strict=True):
    Index(f"ix_{_name.table.name}_{_name.name}", Beginning(_name), info=READER_ONLY)
    Index(f"ix_{_page.table.name}_{_page.name}", AnyCase(_page), info=READER_ONLY)

PRESENCE_TABLES = (tracks, users, playlists, comments, engagements, playlist_tracks)
"""The tables whose rows say whether they are present: those where ``removed_at`` is null."""

RECORD_TABLES = {"track": tracks, "user": users, "playlist": playlists, "comment": comments}
"""The tables of the records that walks list, by ``kind``, as in ``walk_records``."""

COUNTERS: dict[str, tuple[str, ...]] = {
    "track": ("playback_count", "favoritings_count", "reposts_count", "comment_count", "download_count"),
    "user": (
        *("followers_count", "followings_count", "track_count", "playlist_count"),
        *("public_favorites_count", "reposts_count", "likes_count", "comments_count"),
    ),
    "playlist": ("track_count", "likes_count", "reposts_count"),
}
"""The columns whose values ``counter_history`` keeps, by the kind of record."""

RECORD_OF_NODE = {"track": "track", "user": "user", "artist": "user"}
"""The record of each kind of node in ``communities``."""
