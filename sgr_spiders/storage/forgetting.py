"""Forget records: remove them and all that derives from them, and keep only tombstones.

What belongs to a record goes with it: the uploads, playlists and comments of a user, and the comments on a
track. The rows to remove follow from the schema: those that refer to a forgotten record or to a removed walk.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.model.items import FORGOTTEN, URL
from sgr_spiders.soundcloud.embedded import page_reference, seed_reference
from sgr_spiders.soundcloud.endpoints import ENDPOINTS
from sgr_spiders.soundcloud.track_page import TRACK_PAGE
from sgr_spiders.soundcloud.urns import parse_key
from sgr_spiders.storage import redaction, tombstones
from sgr_spiders.storage.pairs.tables import find_stored
from sgr_spiders.storage.retention.pseudonyms import load_pseudonyms
from sgr_spiders.storage.schema import (
    RECORD_OF_NODE,
    RECORD_TABLES,
    Id,
    comments,
    communities,
    cuts,
    engagements,
    metadata,
    playlist_leftovers,
    playlists,
    pseudonym_key,
    rejects,
    relationship_runs,
    run_seeds,
    seeds,
    tracks,
    users,
    vector_runs,
    walk_records,
    walk_requests,
    walks,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Iterator

    from sgr_spiders.model.items import Reference
    from sgr_spiders.storage.store import Connection, Store
    from sgr_spiders.storage.tombstones import Reason

_scratch = sa.MetaData()
_records = sa.Table(
    "forgotten_records",
    _scratch,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("record_id", Id, primary_key=True, autoincrement=False),
    prefixes=["TEMPORARY"],
)
_walks = sa.Table(
    "forgotten_walks",
    _scratch,
    sa.Column("walk_id", Id, primary_key=True, autoincrement=False),
    prefixes=["TEMPORARY"],
)

_KIND_OF_TABLE = {table.name: kind for kind, table in RECORD_TABLES.items()}
_BY_ID = {
    kind: [name for name, endpoint in ENDPOINTS.items() if endpoint.target == kind] for kind in RECORD_TABLES
}
"""The endpoints whose targets are IDs of each kind."""
_BY_IDS = [name for name, endpoint in ENDPOINTS.items() if endpoint.target == "ids"]
_BY_QUERY = [name for name, endpoint in ENDPOINTS.items() if endpoint.target == "query"]
_BY_URL = [*(name for name, endpoint in ENDPOINTS.items() if endpoint.target == URL), TRACK_PAGE]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The result of forgetting.

    Attributes:
        references: The forgotten records and the URLs of their pages, each with the named record that it
            belongs to.
        removed: The number of removed rows, by table.
        changed: The number of changed rows, by table and column.
    """

    references: dict[Reference, Reference]
    removed: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)

    def records(self) -> Counter[str]:
        """Count the forgotten records by kind."""
        return Counter(kind for kind, _ in self.references if kind != URL)


def spellings(store: Store, reference: Reference) -> list[Reference]:
    """Return *reference*, and the pseudonym of a user if the database has pseudonyms."""
    kind, key = reference
    with store.read() as connection:
        has_pseudonyms = connection.scalar(sa.select(pseudonym_key.c.digest).limit(1)) is not None
    if kind != "user" or not has_pseudonyms:
        return [reference]
    pseudonyms = load_pseudonyms(store, unharmed="nothing was forgotten")
    return [reference, (kind, pseudonyms.of_id(int(key)))]


def find(connection: Connection, reference: Reference) -> list[Reference]:
    """Return the record that *reference* names, or the records on its page; nothing if it is unknown."""
    kind, key = reference
    if kind == URL:
        return _find_by_page(connection, str(key))
    return [reference] if _is_known(connection, kind, key) else []


def _find_by_page(connection: Connection, address: str) -> list[Reference]:
    found: list[Reference] = []
    for kind, table in RECORD_TABLES.items():
        if "permalink_url" in table.c:
            key = table.c[f"{kind}_id"]
            query = sa.select(key).where(sa.func.lower(table.c.permalink_url) == address)
            found += [(kind, record_id) for record_id in connection.scalars(query)]
    return found


def find_addresses(connection: Connection) -> list[Reference]:
    """Return the addresses of seeds that turned out to lead to forgotten records."""
    query = (
        sa.select(walks.c.target)
        .join(run_seeds, run_seeds.c.walk_id == walks.c.walk_id)
        .where(walks.c.status == "gone", walks.c.reason == FORGOTTEN)
        .distinct()
    )
    return [page for target in connection.scalars(query) if (page := page_reference(target)) is not None]


def find_removed(connection: Connection, reason: Reason) -> list[Reference]:
    """Return the tracks, users and playlists that are removed for this *reason*; comments go with them."""
    found: list[Reference] = []
    for kind, table in (("track", tracks), ("user", users), ("playlist", playlists)):
        query = sa.select(table.c[f"{kind}_id"]).where(table.c.removed_reason == reason)
        found += [(kind, record_id) for record_id in connection.scalars(query)]
    return found


def built_from(connection: Connection) -> tuple[bool, bool]:
    """Return whether relationships and whether vectors were built from the database."""
    relationships, vectors = (
        connection.scalar(sa.select(sa.literal(1)).select_from(table).limit(1)) is not None
        for table in (relationship_runs, vector_runs)
    )
    return relationships, vectors


def forget(connection: Connection, named: Collection[Reference], reason: Reason = "asked") -> Forgotten:
    """Remove the records and addresses *named*, and all that derives from them.

    The transaction of *connection* makes that one step.
    """
    _scratch.create_all(connection)
    forgotten = Forgotten(_collect_records(connection, named))
    names = _names_of_users(connection)
    _collect_walks(connection, forgotten.references, names)
    tombstones.prepare(connection).add(forgotten.references, reason)
    _remove_authorship(connection, named, forgotten)
    _blank_rejects(connection, forgotten)
    _remove_by_text(connection, forgotten, names)
    for table in (*find_stored(connection), *reversed(metadata.sorted_tables)):
        for condition in _conditions(table):
            gone = connection.execute(sa.delete(table).where(condition)).rowcount
            forgotten.removed[table.name] += gone
    forgotten.changed.update(redaction.redact(connection, set(forgotten.references)))
    # After an error, the rollback drops them.
    _scratch.drop_all(connection)
    return forgotten


def try_out(connection: Connection, named: Collection[Reference]) -> Forgotten:
    """Return the result of forgetting the records *named*, without changing anything."""
    with connection.begin_nested() as savepoint:
        forgotten = forget(connection, named)
        savepoint.rollback()
    return forgotten


def _is_known(connection: Connection, kind: str, record_id: int | str) -> bool:
    """Return whether a row is about the record: its own, or one that knows only its ID."""
    targets = walks.c.endpoint.in_(_BY_ID[kind]), walks.c.target == str(record_id)
    places: list[tuple[sa.Table, tuple[sa.ColumnElement[bool], ...]]] = [
        (RECORD_TABLES[kind], (RECORD_TABLES[kind].c[f"{kind}_id"] == record_id,)),
        (walks, targets),
        (rejects, (rejects.c.kind == kind, rejects.c.record_id == record_id)),
    ]
    if kind == "track":
        places.append((playlist_leftovers, (playlist_leftovers.c.track_id == record_id,)))
        places.append((seeds, (seeds.c.track_id == record_id,)))
    return any(
        connection.scalar(sa.select(sa.literal(1)).select_from(table).where(*conditions).limit(1))
        for table, conditions in places
    )


# ---- what goes with the named records


def _collect_records(connection: Connection, named: Collection[Reference]) -> dict[Reference, Reference]:
    """Enter the records to remove; return those that need tombstones, and the URLs of their pages.

    A comment needs one only if it was named: others have a forgotten author or track.
    """
    roots = {reference: reference for reference in named}
    _enter_records(connection, roots)
    for kind, table, owner in (
        ("track", tracks, tracks.c.artist_id),
        ("playlist", playlists, playlists.c.owner_id),
    ):
        query = sa.select(table.c[f"{kind}_id"], owner).where(_is_forgotten(owner, "user"))
        own = {(kind, row[0]): ("user", row[1]) for row in connection.execute(query)}
        new = {reference: roots[user] for reference, user in own.items() if reference not in roots}
        _enter_records(connection, new)
        roots |= new
    is_under = sa.or_(_is_forgotten(comments.c.user_id, "user"), _is_forgotten(comments.c.track_id, "track"))
    is_new = sa.not_(_is_forgotten(comments.c.comment_id, "comment"))
    under = sa.select(sa.literal("comment"), comments.c.comment_id).where(is_under, is_new)
    connection.execute(sa.insert(_records).from_select(["kind", "record_id"], under))
    return roots | dict(_pages(connection, roots))


def _enter_records(connection: Connection, references: Collection[Reference]) -> None:
    rows = [{"kind": kind, "record_id": key} for kind, key in references if kind != URL]
    if rows:
        connection.execute(sa.insert(_records), rows)


def _pages(
    connection: Connection, roots: dict[Reference, Reference]
) -> Iterator[tuple[Reference, Reference]]:
    """Yield the pages of forgotten records, also as users spelt them, with the named records."""
    queries = [
        (kind, sa.select(table.c[f"{kind}_id"], table.c.permalink_url))
        for kind, table in RECORD_TABLES.items()
        if "permalink_url" in table.c
    ]
    queries += [
        ("track", sa.select(run_seeds.c.track_id, run_seeds.c.given)),
        ("track", sa.select(seeds.c.track_id, seeds.c.given)),
    ]
    resolved = (
        sa.select(walk_records.c.kind, walk_records.c.record_id, walks.c.target)
        .join(walks, walks.c.walk_id == walk_records.c.walk_id)
        .where(walks.c.endpoint == "resolve", _is_among(walk_records.c.kind, walk_records.c.record_id))
    )
    for kind, record_id, address in connection.execute(resolved):
        if (page := page_reference(address)) is not None:
            yield page, roots[kind, record_id]
    for kind, query in queries:
        key = query.selected_columns[0]
        for record_id, address in connection.execute(query.where(_is_forgotten(key, kind))):
            page = seed_reference(address) if address is not None else None
            if page is not None and page[0] == URL:
                yield page, roots[kind, record_id]


# ---- walks


def _names_of_users(connection: Connection) -> set[str]:
    query = sa.select(users.c.username, users.c.permalink).where(_is_forgotten(users.c.user_id, "user"))
    return {name.casefold() for row in connection.execute(query) for name in row if name}


def _collect_walks(connection: Connection, references: Collection[Reference], names: Container[str]) -> None:
    """Enter the walks to remove: of a forgotten record, or with a target that comes from it."""
    found: set[int] = set()
    for kind, endpoints in _BY_ID.items():
        ids = sa.select(sa.cast(_records.c.record_id, sa.Text)).where(_records.c.kind == kind)
        query = sa.select(walks.c.walk_id).where(walks.c.endpoint.in_(endpoints), walks.c.target.in_(ids))
        found.update(connection.scalars(query))
    found.update(_lookups(connection, references))
    found.update(_walks_to_pages(connection, references))
    searches = sa.select(walks.c.walk_id, walks.c.target).where(walks.c.endpoint.in_(_BY_QUERY))
    found.update(walk for walk, target in connection.execute(searches) if target.casefold() in names)
    found.update(_searches_of_seeds(connection))
    if found:
        connection.execute(sa.insert(_walks), [{"walk_id": walk} for walk in sorted(found)])


def _lookups(connection: Connection, references: Collection[Reference]) -> Iterator[int]:
    """Yield the walks that look up several records at once, one of them forgotten."""
    for name in _BY_IDS:
        query = sa.select(walks.c.walk_id, walks.c.target).where(walks.c.endpoint == name)
        for walk, target in connection.execute(query):
            ids = (parse_key(part, ENDPOINTS[name].record) for part in target.split(","))
            if any((ENDPOINTS[name].record, record_id) in references for record_id in ids):
                yield walk


def _walks_to_pages(connection: Connection, references: Collection[Reference]) -> Iterator[int]:
    query = sa.select(walks.c.walk_id, walks.c.target).where(walks.c.endpoint.in_(_BY_URL))
    yield from (walk for walk, target in connection.execute(query) if page_reference(target) in references)
    yield from connection.scalars(
        sa.select(walks.c.walk_id)
        .join(walk_records, walk_records.c.walk_id == walks.c.walk_id)
        .where(walks.c.endpoint == "resolve", _is_among(walk_records.c.kind, walk_records.c.record_id))
    )


def _searches_of_seeds(connection: Connection) -> list[int]:
    """Return the searches that only forgotten seeds want: their texts come from the seeds' titles."""
    wanted = sa.select(walk_requests.c.walk_id)
    theirs = wanted.where(_is_forgotten(walk_requests.c.seed_id, "track"))
    others = wanted.where(sa.not_(_is_forgotten(walk_requests.c.seed_id, "track")))
    query = sa.select(walks.c.walk_id).where(
        walks.c.endpoint.in_(_BY_QUERY), walks.c.walk_id.in_(theirs), walks.c.walk_id.not_in(others)
    )
    return list(connection.scalars(query))


# ---- rows


def _remove_authorship(connection: Connection, named: Iterable[Reference], forgotten: Forgotten) -> None:
    """Remove that the author of a named comment has commented on its track, unless by another comment."""
    for kind, comment in named:
        if kind != "comment":
            continue
        place = sa.select(comments.c.user_id, comments.c.track_id).where(comments.c.comment_id == comment)
        row = connection.execute(place).one_or_none()
        if row is None or row.user_id is None:
            continue
        same = sa.and_(comments.c.user_id == row.user_id, comments.c.track_id == row.track_id)
        other = sa.select(sa.literal(1)).where(same, sa.not_(_is_forgotten(comments.c.comment_id, "comment")))
        if connection.scalar(other.limit(1)) is None:
            forgotten.removed.update(_remove_commenter(connection, comment, row.user_id, row.track_id))


def _remove_commenter(
    connection: Connection, comment: int | str, user_id: int, track_id: int
) -> dict[str, int]:
    lists = sa.select(walk_records.c.walk_id).where(
        walk_records.c.kind == "comment", walk_records.c.record_id == comment
    )
    as_author = sa.delete(walk_records).where(
        walk_records.c.walk_id.in_(lists), walk_records.c.kind == "user", walk_records.c.record_id == user_id
    )
    engagement = sa.delete(engagements).where(
        engagements.c.user_id == user_id, engagements.c.track_id == track_id, engagements.c.kind == "comment"
    )
    return {
        walk_records.name: connection.execute(as_author).rowcount,
        engagements.name: connection.execute(engagement).rowcount,
    }


def _remove_by_text(connection: Connection, forgotten: Forgotten, names: Container[str]) -> None:
    """Remove unresolved seeds and cuts that name a forgotten record by its page, its ID or its name."""

    def is_page(text: str) -> bool:
        return page_reference(text) in forgotten.references

    def is_seed(text: str) -> bool:
        return seed_reference(text) in forgotten.references

    def is_target(text: str) -> bool:
        playlist = parse_key(text, "playlist")
        is_playlist = ("playlist", playlist) in forgotten.references
        return is_playlist or is_page(text) or text.casefold() in names

    for column, is_theirs in (
        (seeds.c.given, is_seed),
        (run_seeds.c.given, is_seed),
        (cuts.c.target, is_target),
    ):
        texts = connection.scalars(sa.select(column).distinct()).all()
        if theirs := list(filter(is_theirs, texts)):
            removed = connection.execute(sa.delete(column.table).where(column.in_(theirs))).rowcount
            forgotten.removed[column.table.name] += removed


def _blank_rejects(connection: Connection, forgotten: Forgotten) -> None:
    """Keep of a rejected record only that there was one: the counts of its walk include it."""
    theirs = sa.and_(
        _is_among(rejects.c.kind, rejects.c.record_id),
        rejects.c.walk_id.not_in(sa.select(_walks.c.walk_id)),
    )
    blank = sa.update(rejects).where(theirs).values(record_id=None, raw=None, reason=FORGOTTEN)
    forgotten.changed["rejects"] += connection.execute(blank).rowcount


def _conditions(table: sa.Table) -> Iterator[sa.ColumnElement[bool]]:
    """Yield the conditions that a row of *table* is about a forgotten record or a removed walk."""
    names = set(table.c.keys())
    if {"kind", "record_id"} <= names and table is not rejects:
        yield _is_among(table.c.kind, table.c.record_id)
    if table is communities:
        for kind, record in RECORD_OF_NODE.items():
            yield sa.and_(table.c.kind == kind, _is_forgotten(table.c.node_id, record))
    for column in table.columns:
        targets = {key.target_fullname.partition(".")[0] for key in column.foreign_keys}
        if "walks" in targets or column.name == "walk_id":
            yield column.in_(sa.select(_walks.c.walk_id))
        elif column.name == "seed_id":
            yield _is_forgotten(column, "track")
        else:
            kinds = {_KIND_OF_TABLE[target] for target in targets & _KIND_OF_TABLE.keys()}
            kinds |= {kind for kind in RECORD_TABLES if column.name == f"{kind}_id"}
            yield from (_is_forgotten(column, kind) for kind in sorted(kinds))


def _is_forgotten(column: sa.ColumnElement[Any], kind: str) -> sa.ColumnElement[bool]:
    return column.in_(sa.select(_records.c.record_id).where(_records.c.kind == kind))


def _is_among(kind: sa.ColumnElement[Any], record_id: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    return sa.tuple_(kind, record_id).in_(sa.select(_records.c.kind, _records.c.record_id))
