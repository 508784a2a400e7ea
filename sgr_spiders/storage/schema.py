"""The tables of a harvest. Column comments are what DATA_FORMAT.md prints.

What a record declares (``model/items.py``) are columns of its table; only a migration adds them to databases
that exist.

Ids are the integer part of the API's URNs. Times are ISO 8601 text in UTC, which SQLite, DuckDB
and PostgreSQL all compare and read alike. The tables that are only ever reached by their key are
``WITHOUT ROWID`` on SQLite: half the size, and one search less a row.
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
)

from sgr_spiders.model.fields import fields_of
from sgr_spiders.model.items import Comment, Engagement, Mention, Playlist, PlaylistTrack, Track, User

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

    from sgr_spiders.model.fields import Field, Rule

Id = BigInteger().with_variant(Integer, "sqlite")
"""64 bits everywhere; on SQLite ``INTEGER``, the only spelling that makes a primary key the rowid."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


READER_ONLY = {"reader_only": True}
"""Marks an index that only readers need; ``indexes.py`` has the reason."""


def _one_of(table: str, column: str, *values: str) -> CheckConstraint:
    """Return the constraint that *column* holds one of *values*, or null where that is allowed."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"ck_{table}_{column}")


def _text(name: str, comment: str) -> Column[Any]:
    return Column(name, Text, comment=comment)


def _count(name: str, comment: str) -> Column[Any]:
    return Column(name, BigInteger, comment=f"{comment}; null where hidden or not said, never 0 instead")


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
        case "text" | "date" | "word":
            return Text()


def _provenance_columns() -> list[Column[Any]]:
    return [
        Column(
            "is_stub",
            Boolean,
            nullable=False,
            comment="1 if known by reference only (an id, nothing else); not counted as collected",
        ),
        Column(
            "fullness",
            SmallInteger,
            nullable=False,
            comment="How much the best answer held: 0 stub, 1 inside another record, 2 author of a comment, "
            "3 came as itself. A thinner answer fills gaps, it replaces nothing",
        ),
        Column(
            "raw",
            LargeBinary,
            comment="Fields of the API that have no column, as zstd-compressed JSON; "
            "`sgr_spiders.soundcloud.raw.unpack` reads it",
        ),
        Column("fetched_at", Text, nullable=False, comment="When this row was last written"),
    ]


tracks = Table(
    "tracks",
    metadata,
    *_declared_columns(Track),
    *_provenance_columns(),
    Index(None, "artist_id"),
    _one_of("tracks", "access", "playable", "preview", "blocked"),
    comment="Every track found",
)

users = Table(
    "users",
    metadata,
    *_declared_columns(User),
    *_provenance_columns(),
    comment="Every account found: listeners, artists, authors of comments",
)

playlists = Table(
    "playlists",
    metadata,
    *_declared_columns(Playlist),
    *_provenance_columns(),
    Index(None, "owner_id"),
    comment="Every playlist found",
)

playlist_tracks = Table(
    "playlist_tracks",
    metadata,
    *_declared_columns(PlaylistTrack),
    Index(None, "track_id", info=READER_ONLY),
    sqlite_with_rowid=False,
    comment="Tracks of each playlist: one row per playlist and track",
)

engagements = Table(
    "engagements",
    metadata,
    *_declared_columns(Engagement),
    Index(None, "track_id", "kind", info=READER_ONLY),
    _one_of("engagements", "kind", "like", "repost", "comment"),
    sqlite_with_rowid=False,
    comment="Likes, reposts and comments of users on tracks (the API gives no time of likes and reposts)",
)

comments = Table(
    "comments",
    metadata,
    *_declared_columns(Comment),
    Column("raw", LargeBinary, comment="As in `tracks`"),
    Column("fetched_at", Text, nullable=False, comment="When this row was last written"),
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
        comment="63 bits of a hash of `endpoint` and `target`: the same walk has the same id in every file",
    ),
    Column("endpoint", Text, nullable=False, comment="Which collection, e.g. `user_likes`"),
    Column("target", Text, nullable=False, comment="Of what: an id, a search text, a URL"),
    Column(
        "status",
        Text,
        nullable=False,
        comment="`planned`, `running` (leased to a crawl), `done`, `capped`, `gone` or `failed`",
    ),
    _text("reason", "Why it is `capped`, `gone` or `failed`"),
    Column(
        "cursor",
        Text,
        nullable=False,
        comment="Where the next page begins: path and query on the API's origin; empty: at the beginning",
    ),
    Column(
        "generation",
        Integer,
        nullable=False,
        comment="How often it was fetched anew because it was no longer fresh",
    ),
    Column("pages", Integer, nullable=False, comment="Pages spilled in this generation"),
    Column("empty_pages", Integer, nullable=False, comment="Empty pages in a row up to now"),
    Column(
        "received",
        BigInteger,
        nullable=False,
        comment="Items received in this generation, repeated and rejected ones too",
    ),
    Column(
        "kept",
        BigInteger,
        nullable=False,
        comment="Distinct records kept in this generation; caps count these",
    ),
    Column("capped_at", BigInteger, comment="The cap it stopped at; a larger one reopens it"),
    _count("expected", "How many the API's own counter promised (it counts deleted and private ones, too)"),
    Column("run_id", Id, comment="The run it is leased to while `running`"),
    Column("created_at", Text, nullable=False, comment="When it was first asked for"),
    _text("started_at", "When the current generation was first leased"),
    _text("finished_at", "When the current generation ended"),
    Index(None, "status", "created_at", "walk_id"),
    _one_of("walks", "status", "planned", "running", "done", "capped", "gone", "failed"),
    comment="The ledger: every collection to fetch, and how far it is",
)

walk_requests = Table(
    "walk_requests",
    metadata,
    _reference("walk_id", "walks.walk_id", "The walk", primary_key=True, autoincrement=False),
    Column(
        "seed_id", Id, primary_key=True, autoincrement=False, comment="The seed (a track id) that wants it"
    ),
    Column("layer", Text, primary_key=True, comment="The layer that wants it"),
    Column("step", Text, primary_key=True, comment="What the layer does with it, e.g. `listeners`"),
    Column("cap", BigInteger, nullable=False, comment="How many distinct records this layer wants of it"),
    Column(
        "widest",
        BigInteger,
        nullable=False,
        comment="The largest cap it ever wanted. `discoveries` reach this far: a lowered cap deletes nothing",
    ),
    Column(
        "selective",
        Boolean,
        nullable=False,
        comment="1: the layer only looks; `selections` say what it keeps",
    ),
    Column("expanded", BigInteger, nullable=False, comment="How many of its records were shown to the layer"),
    Column(
        "settings", Text, nullable=False, comment="Fingerprint of the layer's settings it was asked for under"
    ),
    Index(None, "seed_id", "layer"),
    Index(None, "layer", info=READER_ONLY),
    sqlite_with_rowid=False,
    comment="Who wants a walk, and up to which cap",
)

walk_records = Table(
    "walk_records",
    metadata,
    _reference("walk_id", "walks.walk_id", "The walk", primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True, comment="`track`, `user`, `playlist` or `comment`"),
    Column("record_id", Id, primary_key=True, autoincrement=False, comment="Its id"),
    Column(
        "position",
        BigInteger,
        nullable=False,
        comment="Place among the distinct records kept, from 0; of what came inside another, that one's",
    ),
    Column("generation", Integer, nullable=False, comment="The last generation of the walk that saw it"),
    Index(None, "record_id", "kind", info=READER_ONLY),
    _one_of("walk_records", "kind", "track", "user", "playlist", "comment"),
    sqlite_with_rowid=False,
    comment="Every record that a walk brought, in the API's order",
)

selections = Table(
    "selections",
    metadata,
    Column("seed_id", Id, primary_key=True, autoincrement=False, comment="The seed (a track id)"),
    Column("layer", Text, primary_key=True, comment="The layer"),
    Column("kind", Text, primary_key=True, comment="`track`, `user` or `playlist`"),
    Column("record_id", Id, primary_key=True, autoincrement=False, comment="Its id"),
    Column("score", Float, comment="How well it fits, 0 to 1, where the layer has a measure"),
    Index(None, "record_id", "kind", info=READER_ONLY),
    Index(None, "layer", info=READER_ONLY),
    _one_of("selections", "kind", "track", "user", "playlist"),
    sqlite_with_rowid=False,
    comment="What layers kept out of the walks they only looked at",
)

walk_pages = Table(
    "walk_pages",
    metadata,
    _reference("walk_id", "walks.walk_id", "The walk", primary_key=True, autoincrement=False),
    Column(
        "generation", Integer, primary_key=True, autoincrement=False, comment="The generation of the walk"
    ),
    Column("page", Integer, primary_key=True, autoincrement=False, comment="Which page of it, from 0"),
    Column(
        "cursor_hash",
        BigInteger,
        nullable=False,
        comment="Hash of the cursor, to notice one that comes again",
    ),
    Column("received", Integer, nullable=False, comment="Items on the page"),
    Column("fetched_at", Text, nullable=False, comment="When it was spilled"),
    sqlite_with_rowid=False,
    comment="Every page spilled",
)

rejects = Table(
    "rejects",
    metadata,
    _reference("walk_id", "walks.walk_id", "The walk that brought it", primary_key=True, autoincrement=False),
    Column(
        "generation", Integer, primary_key=True, autoincrement=False, comment="The generation of the walk"
    ),
    Column("page", Integer, primary_key=True, autoincrement=False, comment="The page, from 0"),
    Column(
        "item", Integer, primary_key=True, autoincrement=False, comment="Which reject of the page, from 0"
    ),
    Column("kind", Text, nullable=False, comment="What it should have been, e.g. `track`"),
    Column("record_id", Id, comment="Its id where it has one"),
    _text("field", "The one field that was nulled; null: the whole record was set aside"),
    Column("reason", Text, nullable=False, comment="Why"),
    Column("raw", LargeBinary, comment="What came, as in `tracks`; never for private items"),
    comment="What was set aside, from which walk, and why",
)

runs = Table(
    "runs",
    metadata,
    Column("run_id", Id, primary_key=True, comment="Number of the run"),
    Column("spider", Text, nullable=False, comment="Name of the spider"),
    Column("layers", Text, nullable=False, comment="Layers it ran, separated by commas"),
    Column(
        "scope",
        Text,
        nullable=False,
        comment="Hash of its seeds and layers, to find the run that this one continues",
    ),
    Column("refresh", Boolean, nullable=False, comment="1 if it was asked to fetch all anew"),
    Column(
        "fresh_after",
        Text,
        nullable=False,
        comment="What was finished before is fetched anew; in a scheduled run each seed has its own",
    ),
    Column("started_at", Text, nullable=False, comment="When it started"),
    _text("finished_at", "When it ended; null: it runs, or was killed"),
    _text(
        "outcome", "`complete`, `partial`, `unfinished`, `interrupted`, `blocked` or `failed`; null as above"
    ),
    _text("reason", "Why the outcome is not `complete`"),
    Column("exit_code", Integer, comment="What `scrapy crawl` exited with"),
    Column("stats", Text, comment="The run's statistics, JSON"),
    _text("arguments", "The spider arguments as they were given, JSON"),
    _text("config_hash", "Hash of the whole configuration: it changes when any value does"),
    _text("version", "Version of this project that ran"),
    Column("requests", BigInteger, comment="Requests sent, retries and token requests too; null: not ended"),
    _one_of(
        "runs",
        "outcome",
        *("complete", "partial", "unfinished", "interrupted", "blocked", "failed"),
    ),
    comment="Every crawl that worked on this file",
)

run_seeds = Table(
    "run_seeds",
    metadata,
    _reference("run_id", "runs.run_id", "The run", primary_key=True, autoincrement=False),
    Column("given", Text, primary_key=True, comment="The seed as it was given: a number, URN or URL"),
    Column("track_id", Id, comment="The track it is; null until a URL is resolved, or if it is no track"),
    _reference("walk_id", "walks.walk_id", "The walk that looks it up", nullable=False),
    Index(None, "walk_id"),
    sqlite_with_rowid=False,
    comment="What each run was asked to start from",
)

run_scope = Table(
    "run_scope",
    metadata,
    _reference("run_id", "runs.run_id", "The run", primary_key=True, autoincrement=False),
    Column("seed_id", Id, primary_key=True, autoincrement=False, comment="A seed of it"),
    Column("layer", Text, primary_key=True, comment="A layer of it"),
    Column("settings", Text, nullable=False, comment="Fingerprint of that layer's settings"),
    sqlite_with_rowid=False,
    comment="Whose walks each run drains",
)

seeds = Table(
    "seeds",
    metadata,
    Column("given", Text, primary_key=True, comment="A track number, or an address on soundcloud.com"),
    Column("track_id", Id, comment="The track it is; null until an address was looked up"),
    Column("interval_seconds", BigInteger, nullable=False, comment="Seconds from one harvest to the next"),
    Column(
        "priority",
        Integer,
        nullable=False,
        comment="Of seeds that are due since the same moment the one with the larger number goes first",
    ),
    Column("added_at", Text, nullable=False, comment="When it was added"),
    _text("last_harvest_at", "When a harvest of it ended last that tried all it wanted"),
    Column("next_harvest_at", Text, nullable=False, comment="When it is due, or since when it has been"),
    _text(
        "last_outcome",
        "`complete`, `partial` or `gone`; `unfinished`, `interrupted`, `blocked` or `failed`: the next "
        "scheduled run goes on with it; null: never harvested, being harvested, or killed at it",
    ),
    _reference("last_run_id", "runs.run_id", "The last scheduled run in which it had its turn"),
    Index(None, "track_id"),
    Index(None, "next_harvest_at"),
    _one_of(
        "seeds",
        "last_outcome",
        *("complete", "partial", "gone", "unfinished", "interrupted", "blocked", "failed"),
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
        comment="Number of the entry; a type's newest tells of its table",
    ),
    Column("type", Text, nullable=False, comment="The relationship type, e.g. `user_similarity`"),
    _reference("run_id", "runs.run_id", "The newest crawl in the database by then; null if none"),
    Column(
        "parameters",
        Text,
        nullable=False,
        comment="Thresholds, scope and whatever else shapes the result, JSON",
    ),
    Column("inputs", Text, nullable=False, comment="How much went in: nodes, contexts, entries; JSON"),
    Column(
        "stamp",
        Text,
        nullable=False,
        comment="Counts and times of the database when it was read; while they stand, nothing is read again",
    ),
    Column(
        "fingerprint",
        Text,
        nullable=False,
        comment="Hash of all that went in; while it stands, nothing is computed again",
    ),
    Column("rows", BigInteger, nullable=False, comment="Pairs found"),
    Column("seconds", Text, nullable=False, comment="How long reading, computing and writing took, JSON"),
    Column("started_at", Text, nullable=False, comment="When it began"),
    Column("finished_at", Text, nullable=False, comment="When the new table was there"),
    Index(None, "type"),
    comment="How the relationship tables were built, and from what",
)

notices = Table(
    "notices",
    metadata,
    Column("name", Text, primary_key=True, comment="Which notice, e.g. `terms`"),
    Column("said_at", Text, nullable=False, comment="When the user was told"),
    sqlite_with_rowid=False,
    comment="What users of this database were told once",
)

vector_runs = Table(
    "vector_runs",
    metadata,
    Column("vector_run_id", Id, primary_key=True, comment="Number of the entry"),
    Column("method", Text, nullable=False, comment="How the vectors were made: `svd`, `als`, …"),
    _reference("run_id", "runs.run_id", "The newest crawl in the database by then; null if none"),
    Column("parameters", Text, nullable=False, comment="Whatever shapes the vectors beside the data, JSON"),
    Column("dimensions", Integer, nullable=False, comment="Numbers in each vector"),
    Column("inputs", Text, nullable=False, comment="How many users, tracks, pairs, playlists went in; JSON"),
    Column("seconds", Float, nullable=False, comment="How long reading and learning took"),
    Column("finished_at", Text, nullable=False, comment="When the new vectors were there"),
    Index(None, "method"),
    comment="How vectors were made, and from what",
)


def _vectors(kind: str, target: str, *more: Column[Any], comment: str) -> Table:
    return Table(
        f"{kind}_vectors",
        metadata,
        Column("method", Text, primary_key=True, comment="How it was made"),
        _reference(f"{kind}_id", target, f"The {kind}", primary_key=True, autoincrement=False),
        _reference("vector_run_id", "vector_runs.vector_run_id", "How exactly, and when", nullable=False),
        *more,
        Column("vector", LargeBinary, nullable=False, comment="float32, the least significant byte first"),
        comment=comment,
    )


track_vectors = _vectors(
    "track",
    "tracks.track_id",
    Column("fans", Float, nullable=False, comment="Sum of the weights of its interactions"),
    comment="Where each track lies: the cosine of two tells how alike they are",
)
user_vectors = _vectors(
    "user",
    "users.user_id",
    comment="Where each user lies: the inner product with a track tells how much it is recommended",
)
artist_vectors = _vectors(
    "artist",
    "users.user_id",
    Column("tracks", Integer, nullable=False, comment="How many of the artist's tracks have a vector"),
    comment="Where each artist lies: the mean direction of the artist's tracks, each weighted by the root "
    "of its `fans`; of length 1",
)

VECTOR_TABLES = {"track": track_vectors, "user": user_vectors, "artist": artist_vectors}
"""The tables of vectors, by what they are of."""

DISCOVERIES_SQL = """
SELECT DISTINCT kind, record_id, seed_id, layer
FROM (
    SELECT walk_records.kind AS kind, walk_records.record_id AS record_id,
           walk_requests.seed_id AS seed_id, walk_requests.layer AS layer
    FROM walk_requests
    JOIN walk_records ON walk_records.walk_id = walk_requests.walk_id
                     AND walk_records.position < walk_requests.widest
    WHERE NOT walk_requests.selective
    UNION ALL
    SELECT kind, record_id, seed_id, layer FROM selections
) AS found
"""
"""``discoveries`` is a view: what it says follows from who wants a walk and what the walk brought, so a
seed that asks later for a walk that is done has its discoveries without a row being written.

SQLite carries a condition on the view into ``UNION ALL``, where indexes answer it, but not into ``UNION``:
then it would build the whole view for each question.
"""

DISCOVERIES_COLUMNS = {
    "kind": "`track`, `user`, `playlist` or `comment`",
    "record_id": "Its id",
    "seed_id": "The seed (a track id) around which it was found",
    "layer": "The layer that found it",
}

RECORD_TABLES = {"track": tracks, "user": users, "playlist": playlists, "comment": comments}
"""The tables of the records that a walk lists, by the ``kind`` that ``walk_records`` names."""
