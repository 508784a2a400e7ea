"""Pseudonymise or drop the users of a database.

First everything else that names them is cleared, then they are replaced in batches. An interruption leaves
every reference valid, and a rerun continues with the users that are left.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from sgr_spiders.model import statistics
from sgr_spiders.soundcloud.endpoints import ENDPOINTS
from sgr_spiders.soundcloud.track_page import TRACK_PAGE
from sgr_spiders.storage import indexes, upserts
from sgr_spiders.storage.chunks import chunked
from sgr_spiders.storage.ledger.frontier import walk_id
from sgr_spiders.storage.pairs.tables import find_stored
from sgr_spiders.storage.retention.merging import move_rows, move_walk, references_to_walks
from sgr_spiders.storage.retention.names import Names
from sgr_spiders.storage.retention.pseudonyms import FIRST, Pseudonyms
from sgr_spiders.storage.retention.rules import PERSONAL
from sgr_spiders.storage.retention.steps import Step, execute
from sgr_spiders.storage.schema import (
    VECTOR_TABLES,
    artist_vectors,
    comments,
    communities,
    community_runs,
    counter_history,
    cuts,
    metadata,
    playlists,
    raw_dictionaries,
    rejects,
    relationship_runs,
    run_seeds,
    runs,
    seeds,
    selections,
    track_mentions,
    tracks,
    user_vectors,
    users,
    walk_records,
    walks,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sgr_spiders.storage.store import Connection, Store

RULE: Final = "users"
BATCH: Final = 200
"""Users, or walks, per transaction."""
TEXTS: Final = 2_000
"""Rows whose texts are rewritten per transaction."""

CLEARED: Final[dict[sa.Table, tuple[str, ...]]] = {
    users: (*PERSONAL[1:], "description", "created_at", "last_modified", "raw"),
    tracks: (
        *("permalink", "permalink_url", "description", "purchase_url", "purchase_title", "raw"),
        *("publisher", "writer_composer", "p_line", "c_line"),
    ),
    playlists: ("permalink", "permalink_url", "description", "purchase_url", "purchase_title", "raw"),
    comments: ("body", "raw"),
}
"""The columns that name users, or lead to them. ``users.username`` gets a pseudonym."""
SEARCHED: Final = {
    tracks: ("title", "tag_list", "genre", "release", "album_title"),
    playlists: ("title", "tag_list", "genre", "release"),
}
"""The columns in which names of users are looked for."""
CREDITED: Final = {tracks: ("metadata_artist", "label_name"), playlists: ("label_name",)}
"""The columns that contain a name, and nothing else."""
LISTED: Final = (walk_records, selections)
"""The tables that refer to records of any ``kind``."""

_OF_USERS: Final = [name for name, endpoint in ENDPOINTS.items() if endpoint.target == "user"]
_OF_TEXTS: Final = [name for name, endpoint in ENDPOINTS.items() if endpoint.target in ("query", "url")]


_LISTS_OF_USERS: Final = walks.c.endpoint.in_(
    [
        TRACK_PAGE,
        *(
            name
            for name, endpoint in ENDPOINTS.items()
            if endpoint.target == "user" or endpoint.record in ("user", "comment")
        ),
    ]
)
"""The condition that a walk lists users or comments, or belongs to a user."""
_LOOKUPS: Final = walks.c.endpoint.in_(
    [name for name, endpoint in ENDPOINTS.items() if endpoint.target == "ids" and endpoint.record == "user"]
)
"""The condition that the target of a walk contains the IDs of many users."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """The future of users: they get ``pseudonyms``, or are dropped and only their names get some."""

    pseudonyms: Pseudonyms
    drops: bool

    @property
    def real(self) -> sa.ColumnElement[bool]:
        """The condition that a row of ``users`` is left to be replaced."""
        return self.is_real(users.c.user_id)

    def is_real(self, column: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
        return column.is_not(None) if self.drops else column < FIRST


@functools.cache
def references() -> list[sa.Column[Any]]:
    """Return the columns that refer to users, except in tables that are built from others."""
    return [
        column
        for table in metadata.sorted_tables
        for column in table.columns
        for key in column.foreign_keys
        if key.column is users.c.user_id and table not in VECTOR_TABLES.values()
    ]


def count_pending(connection: Connection) -> int:
    """Count the walks that have not ended: they are fetched by the IDs of users."""
    pending = walks.c.status.in_(("planned", "running"))
    return connection.scalar(sa.select(sa.func.count()).select_from(walks).where(pending)) or 0


def steps_of(replacement: Replacement) -> list[Step]:
    """Return steps that measure what the rule changes; they are not carried out themselves."""
    return [*(_dropping if replacement.drops else _renaming)(replacement.is_real)]


def _renaming(is_real: Callable[[sa.ColumnElement[int]], sa.ColumnElement[bool]]) -> Iterator[Step]:
    for column in references():
        yield Step(RULE, column.table, is_real(column), (column.name, *CLEARED.get(column.table, ())))
    yield from _deleting(_LOOKUPS)
    for table in LISTED:
        of_user = sa.and_(table.c.kind == "user", is_real(table.c.record_id))
        yield Step(RULE, table, of_user, ("record_id",))
    yield _deleting_history(is_real)
    of_users = walks.c.endpoint.in_(_OF_USERS)
    # PostgreSQL may cast before it compares the endpoint.
    target = sa.cast(sa.case((of_users, walks.c.target), else_="0"), walks.c.walk_id.type)
    yield Step(RULE, walks, sa.and_(of_users, is_real(target)), ("target",))
    yield Step(RULE, users, is_real(users.c.user_id), ("username", *CLEARED[users]))


def _dropping(is_real: Callable[[sa.ColumnElement[int]], sa.ColumnElement[bool]]) -> Iterator[Step]:
    for column in references():
        table = column.table
        if table in (tracks, playlists):
            yield Step(RULE, table, is_real(column), (column.name, *CLEARED[table]))
        elif table is not track_mentions:
            yield Step(RULE, table, is_real(column))
    yield Step(RULE, track_mentions, sa.true())
    yield from _deleting(_LISTS_OF_USERS)
    for table in LISTED:
        yield Step(RULE, table, sa.and_(table.c.kind == "user", is_real(table.c.record_id)))
    yield _deleting_history(is_real)
    yield Step(RULE, users, is_real(users.c.user_id))


def _deleting_history(is_real: Callable[[sa.ColumnElement[int]], sa.ColumnElement[bool]]) -> Step:
    history = counter_history.c
    return Step(RULE, counter_history, sa.and_(history.kind == "user", is_real(history.record_id)))


def _deleting(which: sa.ColumnElement[bool]) -> Iterator[Step]:
    """Yield the steps that delete walks, after the rows that refer to them."""
    for column in references_to_walks():
        these = column.in_(sa.select(walks.c.walk_id).where(which))
        yield Step(RULE, column.table, these)
    yield Step(RULE, walks, which)


def hide_names(store: Store, replacement: Replacement) -> None:
    """Replace the names of users in texts, as long as the users have names."""
    with store.write() as connection:
        if not _is_anyone_left(connection, replacement):
            return
        _hide_seeds(connection)
        names = _read_names(connection, replacement)
    for table in SEARCHED:
        _rewrite_texts(store, table, names, replacement.pseudonyms)


def replace_users(store: Store, replacement: Replacement) -> None:
    """Replace the users themselves, everywhere."""
    with store.write() as connection:
        if not _is_anyone_left(connection, replacement):
            return
        for index in indexes.missing(connection):
            index.create(connection)
        _delete_derived(connection)
        _move_counting(connection)
    execute(store, _deleting_history(replacement.is_real))
    _clear(store)
    _delete_walks(store, _LISTS_OF_USERS if replacement.drops else _LOOKUPS)
    _replace_names(store, replacement)
    is_done = False
    while not is_done:
        with store.write() as connection:
            is_done = not _replace_some(connection, replacement)


def _is_anyone_left(connection: Connection, replacement: Replacement) -> bool:
    return connection.scalar(sa.select(sa.literal(1)).where(replacement.real).limit(1)) is not None


def _move_counting(connection: Connection) -> None:
    """Date the counters of users by their last change, before their history is deleted."""
    history = counter_history.c
    newest = sa.select(sa.func.max(history.observed_at)).where(
        history.kind == "user", history.record_id == users.c.user_id
    )
    changed = users.c.user_id.in_(sa.select(history.record_id).where(history.kind == "user"))
    moved = newest.correlate(users).scalar_subquery()
    connection.execute(sa.update(users).where(changed).values(counted_at=moved))


def _clear(store: Store) -> None:
    """Clear the columns that name users, or lead to them; any later run fetches what it wants again."""
    for table, columns in CLEARED.items():
        if table is not users:
            has_any = sa.or_(*(table.c[name].is_not(None) for name in columns))
            execute(store, Step(RULE, table, has_any, columns))
    execute(store, Step(RULE, rejects, rejects.c.raw.is_not(None), ("raw",)))
    named = sa.and_(rejects.c.kind == "user", rejects.c.record_id.is_not(None))
    execute(store, Step(RULE, rejects, named, ("record_id",)))
    with store.write() as connection:
        connection.execute(sa.delete(raw_dictionaries))
    not_yet = sa.or_(sa.not_(walks.c.outdated), walks.c.cursor != "")
    execute(store, Step(RULE, walks, not_yet, sets={"outdated": True, "cursor": ""}))


def _delete_walks(store: Store, which: sa.ColumnElement[bool]) -> None:
    """Delete walks in batches, each walk with all that refers to it: its counts are always true."""
    is_done = False
    while not is_done:
        with store.write() as connection:
            chunk = connection.scalars(sa.select(walks.c.walk_id).where(which).limit(BATCH)).all()
            for column in (*references_to_walks(), walks.c.walk_id):
                connection.execute(sa.delete(column.table).where(column.in_(chunk)))
            is_done = not chunk


def _replace_some(connection: Connection, replacement: Replacement) -> int:
    """Replace a batch of users; return their number."""
    chunk = connection.execute(sa.select(users).where(replacement.real).limit(BATCH)).mappings().all()
    old = [user["user_id"] for user in chunk]
    if replacement.drops:
        _drop(connection, old)
    else:
        _rename(connection, [dict(user) for user in chunk], replacement.pseudonyms)
    connection.execute(sa.delete(users).where(users.c.user_id.in_(old)))
    return len(chunk)


def _delete_derived(connection: Connection) -> None:
    """Delete what is built from other tables: it is rebuilt from the new users."""
    pairs = [table for table in find_stored(connection) if {"user_id_a", "artist_id_a"} & {*table.c.keys()}]
    for table in (*pairs, user_vectors, artist_vectors, relationship_runs, communities, community_runs):
        connection.execute(sa.delete(table))


def _hide_seeds(connection: Connection) -> None:
    """Name seeds that were given as URLs by the IDs of their tracks: a URL contains the artist's name.

    Playlists and users that were given are deleted; their tracks stay.
    """
    connection.execute(sa.delete(run_seeds).where(run_seeds.c.max_tracks.is_not(None)))
    for table in (run_seeds, seeds):
        keys = [column for column in table.primary_key.columns if column.name != "given"]
        given = sa.cast(table.c.track_id, sa.Text)
        is_url = sa.and_(table.c.given.like("%/%"), table.c.track_id.is_not(None))
        other = table.alias()
        twice = sa.exists().where(other.c.given == given, *(other.c[key.name] == key for key in keys))
        connection.execute(sa.delete(table).where(is_url, twice))
        connection.execute(sa.update(table).where(is_url).values(given=given))
    forms = ("/", "user:", "users:")
    named = sa.or_(
        *(runs.c.arguments.like(f"%{form}%") for form in forms),
        *(runs.c.stats.like(f'%"{statistics.COMMAND}"%{form}%') for form in forms),
    )
    for row in connection.execute(sa.select(runs.c.run_id, runs.c.stats).where(named)).all():
        stats = json.loads(row.stats or "{}")
        stats.pop(statistics.COMMAND, None)
        values = {"arguments": None, "stats": json.dumps(stats, sort_keys=True)}
        connection.execute(sa.update(runs).where(runs.c.run_id == row.run_id).values(values))


def _read_names(connection: Connection, replacement: Replacement) -> Names:
    named = (users.c.username, users.c.full_name, users.c.permalink)
    found: list[str | None] = list(connection.scalars(sa.select(track_mentions.c.name).distinct()))
    for row in connection.execute(sa.select(*named).where(replacement.real)):
        found += row
    return Names(name for name in found if name is None or replacement.pseudonyms.of_name(name) != name)


def _rewrite_texts(store: Store, table: sa.Table, names: Names, pseudonyms: Pseudonyms) -> None:
    """Replace the names in the texts of *table*, a bounded number of rows in each transaction."""
    (key,) = table.primary_key.columns
    columns = [table.c[name] for name in (*SEARCHED[table], *CREDITED[table])]
    last = None
    while True:
        query = sa.select(key, *columns).order_by(key).limit(TEXTS)
        with store.write() as connection:
            rows = connection.execute(query if last is None else query.where(key > last)).mappings().all()
            for row in rows:
                new = _without_names(table, row, names, pseudonyms)
                if new:
                    connection.execute(sa.update(table).where(key == row[key.name]).values(new))
        if not rows:
            return
        last = rows[-1][key.name]


def _without_names(
    table: sa.Table, row: sa.RowMapping, names: Names, pseudonyms: Pseudonyms
) -> dict[str, str]:
    """Return the texts of *row* that change."""
    new = {name: names.replace(row[name], pseudonyms.of_name) for name in SEARCHED[table] if row[name]}
    new |= {name: pseudonyms.of_name(row[name]) for name in CREDITED[table] if row[name]}
    return {name: value for name, value in new.items() if value != row[name]}


def _replace_names(store: Store, replacement: Replacement) -> None:
    """Replace names that are part of a key: of mentions, of choices, and of searches."""
    if replacement.drops:
        execute(store, Step(RULE, track_mentions, sa.true()))
    else:
        _move_names(store, track_mentions, "name", replacement)
    _move_names(store, cuts, "target", replacement)
    with store.write() as connection:
        searches = connection.execute(
            sa.select(walks.c.walk_id, walks.c.endpoint, walks.c.target).where(
                walks.c.endpoint.in_(_OF_TEXTS)
            )
        ).all()
    for chunk in chunked(searches, BATCH):
        with store.write() as connection:
            for search in chunk:
                target = replacement.pseudonyms.of_name(search.target)
                move_walk(connection, search.walk_id, walk_id(search.endpoint, target), target)


def _move_names(store: Store, table: sa.Table, column: str, replacement: Replacement) -> None:
    with store.read() as connection:
        names = connection.scalars(sa.select(table.c[column]).where(table.c[column] != "").distinct()).all()
    for chunk in chunked(names, BATCH):
        with store.write() as connection:
            for name in chunk:
                move_rows(connection, table.c[column], name, replacement.pseudonyms.of_name(name))


def _rename(connection: Connection, chunk: list[dict[str, Any]], pseudonyms: Pseudonyms) -> None:
    """Replace the IDs of users everywhere. Their rows replace those of earlier harvests of the same users."""
    new_ids = {user["user_id"]: pseudonyms.of_id(user["user_id"]) for user in chunk}
    query = sa.select(users).where(users.c.user_id.in_(new_ids.values()))
    earlier = {row["user_id"]: dict(row) for row in connection.execute(query).mappings()}
    rows = [_anonymise(user, pseudonyms) for user in chunk]
    if new := [row for row in rows if row["user_id"] not in earlier]:
        connection.execute(sa.insert(users), new)
    for row in rows:
        if row["user_id"] in earlier:
            _merge(connection, row, earlier[row["user_id"]])
    _move_references(connection, {old: new for old, new in new_ids.items() if new not in earlier})
    for old_id, new_id in new_ids.items():
        if new_id in earlier:
            for column, which in _referring():
                move_rows(connection, column, old_id, new_id, which)
    _move_walks(connection, new_ids)


def _anonymise(user: dict[str, Any], pseudonyms: Pseudonyms) -> dict[str, Any]:
    row = {**user, **dict.fromkeys(CLEARED[users]), "user_id": pseudonyms.of_id(user["user_id"])}
    if user["username"] is not None:
        row["username"] = pseudonyms.of_name(user["username"])
    return row


def _merge(connection: Connection, row: dict[str, Any], earlier: dict[str, Any]) -> None:
    kept = {name: value for name, value in row.items() if value is not None}
    kept |= {name: row[name] for name in ("removed_at", "removed_reason")}
    known = [name for name in upserts.COUNTS_AN_OUTAGE_ZEROED if not row[name]]
    kept |= {name: earlier[name] for name in ("first_seen_at", *known) if earlier[name] is not None}
    connection.execute(sa.update(users).where(users.c.user_id == row["user_id"]).values(kept))


def _referring() -> Iterator[tuple[sa.Column[Any], sa.ColumnElement[bool]]]:
    """Yield the columns with IDs of users, and the condition that a row's is one."""
    for column in references():
        yield column, sa.true()
    for table in LISTED:
        yield table.c.record_id, table.c.kind == "user"


def _move_references(connection: Connection, new_ids: dict[int, int]) -> None:
    """Replace the IDs of users who have no rows under their new IDs."""
    if not new_ids:
        return
    changes = [{"old_id": old, "new_id": new} for old, new in new_ids.items()]
    for column, which in _referring():
        update = sa.update(column.table).where(column == sa.bindparam("old_id"), which)
        connection.execute(update.values({column.name: sa.bindparam("new_id")}), changes)


def _move_walks(connection: Connection, new_ids: dict[int, int]) -> None:
    """Replace the IDs of users as the targets of walks."""
    moves = {
        walk_id(endpoint, str(old)): (walk_id(endpoint, str(new)), str(new))
        for endpoint in _OF_USERS
        for old, new in new_ids.items()
    }
    there = connection.scalars(sa.select(walks.c.walk_id).where(walks.c.walk_id.in_(moves))).all()
    for walk in there:
        move_walk(connection, walk, *moves[walk])


def _drop(connection: Connection, chunk: list[int]) -> None:
    for column, which in _referring():
        table = column.table
        these = sa.and_(column.in_(chunk), which)
        if table in (tracks, playlists):
            connection.execute(sa.update(table).where(these).values({column.name: None}))
        else:
            connection.execute(sa.delete(table).where(these))
