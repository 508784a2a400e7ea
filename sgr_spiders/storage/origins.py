"""The ways by which a record was found: from the seed, by way of other records, to the walk that lists it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.config.harvest import LAYER_NAMES
from sgr_spiders.soundcloud.endpoints import ENDPOINTS
from sgr_spiders.soundcloud.track_page import TRACK_PAGE
from sgr_spiders.storage.schema import (
    RECORD_TABLES,
    engagements,
    playlist_leftovers,
    playlist_tracks,
    playlists,
    run_seeds,
    runs,
    selections,
    tracks,
    walk_records,
    walk_requests,
    walks,
)
from sgr_spiders.storage.server import on_server
from sgr_spiders.storage.views import LISTED_SQL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sgr_spiders.storage.store import Connection

LONGEST_PATH = 5
"""The maximum number of links in a path."""

EXAMPLES = 3
"""The number of references of each sort that are named."""

Node = tuple[str, int]
"""Kind and ID of a record."""

_LISTED_KIND: Mapping[str, str] = {
    **{name: endpoint.record for name, endpoint in ENDPOINTS.items()},
    TRACK_PAGE: "comment",
}
_TARGET_KIND: Mapping[str, str] = {name: endpoint.target for name, endpoint in ENDPOINTS.items()}


_IN, _LISTS = playlist_tracks.c.playlist_id, playlist_tracks.c.track_id
_BY, _ON, _KIND = engagements.c.user_id, engagements.c.track_id, engagements.c.kind
_ALL = sa.true()
_REFERENCES: dict[str, list[tuple[str, str, sa.Column[Any], sa.Column[Any], sa.ColumnElement[bool]]]] = {
    "track": [
        ("in_playlist", "playlist", _IN, _LISTS, _ALL),
        ("liked_by", "user", _BY, _ON, _KIND == "like"),
        ("reposted_by", "user", _BY, _ON, _KIND == "repost"),
        ("commented_on_by", "user", _BY, _ON, _KIND == "comment"),
        ("left_out_of", "playlist", playlist_leftovers.c.playlist_id, playlist_leftovers.c.track_id, _ALL),
    ],
    "user": [
        ("artist_of", "track", tracks.c.track_id, tracks.c.artist_id, _ALL),
        ("owner_of", "playlist", playlists.c.playlist_id, playlists.c.owner_id, _ALL),
        ("likes", "track", _ON, _BY, _KIND == "like"),
        ("reposted", "track", _ON, _BY, _KIND == "repost"),
        ("commented_on", "track", _ON, _BY, _KIND == "comment"),
    ],
    "playlist": [("contains", "track", _LISTS, _IN, _ALL)],
}
"""References by the kind of record: name, kind of the other record, and the columns of both."""


@dataclass(frozen=True, slots=True)
class Link:
    """A step of a path: what connects a record with the next one, towards the seed.

    Attributes:
        kind: The kind of the record.
        id: Its ID.
        relation: The endpoint that lists it; ``uploads`` for the artist of a track, ``owns`` for the owner of
            a playlist, ``contains`` for a track inside a playlist.
        to: The next record; ``None`` for a search or a URL.
        text: The search text or URL.
    """

    kind: str
    id: int
    relation: str
    to: Node | None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Discovery:
    """A seed and layer that found a record. ``path`` begins at the record, and is empty if it is unknown."""

    seed_id: int
    layer: str
    is_present: bool
    since: str | None
    removed_at: str | None
    score: float | None
    path: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class History:
    """When a record was seen. ``first_run`` is the run at work then; ``None`` if it is unknown."""

    is_stub: bool
    first_seen_at: str | None
    last_seen_at: str | None
    removed_at: str | None
    removed_reason: str | None
    first_run: int | None


@dataclass(frozen=True, slots=True)
class Reference:
    """Other records that refer to one: their number, and the first of them, by ``relation``."""

    relation: str
    kind: str
    count: int
    examples: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SeedUse:
    """A run that had a track as a seed; ``listed_by`` is the playlist or user that it comes from, if any."""

    run_id: int
    given: str
    listed_by: Node | None


def read_history(connection: Connection, kind: str, record_id: int) -> History | None:
    """Return the history of a record; ``None`` if it is not in the database."""
    table = RECORD_TABLES[kind]
    columns = ("is_stub", "first_seen_at", "last_seen_at", "removed_at", "removed_reason")
    key = table.c[f"{kind}_id"]
    query = sa.select(*(table.c[name] for name in columns)).where(key == record_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return History(bool(row[0]), row[1], row[2], row[3], row[4], _run_at(connection, row.first_seen_at or ""))


def _run_at(connection: Connection, time: str) -> int | None:
    """Return the run at work at *time*; ``None`` if there was none, or it may have been one of several."""
    at_work = sa.and_(
        runs.c.started_at <= time, sa.or_(runs.c.finished_at.is_(None), runs.c.finished_at >= time)
    )
    query = sa.select(runs.c.run_id).where(at_work).order_by(runs.c.run_id.desc())
    found = connection.scalars(query).all()
    # A file has one run at a time: earlier ones without an end were killed.
    is_clear = len(found) == 1 or (len(found) > 1 and not on_server(connection))
    return found[0] if is_clear else None


def read_seed_uses(connection: Connection, track_id: int) -> list[SeedUse]:
    """Return the first use of a track as a seed under each name, in the order of the runs."""
    query = (
        sa.select(sa.func.min(run_seeds.c.run_id), run_seeds.c.given, walks.c.endpoint, walks.c.target)
        .outerjoin(walks, walks.c.walk_id == run_seeds.c.found_by)
        .where(run_seeds.c.track_id == track_id)
        .group_by(run_seeds.c.given, walks.c.endpoint, walks.c.target)
        .order_by(sa.func.min(run_seeds.c.run_id), run_seeds.c.given)
    )
    return [
        SeedUse(row[0], row[1], None if row[2] is None else (row[2].partition("_")[0], int(row[3])))
        for row in connection.execute(query)
    ]


def read_discoveries(
    connection: Connection, kind: str, record_id: int, limit: int, *, include_removed: bool
) -> tuple[list[Discovery], int, int]:
    """Return up to *limit* discoveries of a record, and the numbers of all and of those removed.

    The removed ones are left out, and not counted among all, unless *include_removed*.
    """
    is_it = {"kind": kind, "record": record_id}
    sql = (
        "SELECT seed_id, layer, max(present), min(requested_at), max(removed_at) FROM discoveries_history "
        "WHERE kind = :kind AND record_id = :record GROUP BY seed_id, layer"
    )
    known = connection.execute(sa.text(sql), is_it).all()
    rows = [row for row in known if include_removed or row[2]]
    rows.sort(key=lambda row: (not row[2], row[0], [*LAYER_NAMES, row[1]].index(row[1])))
    scores = _read_scores(connection, kind, record_id)
    found = []
    for seed_id, layer, present, since, removed_at in rows[:limit]:
        paths = Paths(connection, seed_id, layer, include_removed=not present)
        path = paths.find((kind, record_id))
        removed = None if present else removed_at
        score = scores.get((seed_id, layer))
        found.append(Discovery(seed_id, layer, bool(present), since, removed, score, path))
    return found, len(rows), len(known) - len(rows)


def _read_scores(connection: Connection, kind: str, record_id: int) -> dict[tuple[int, str], float | None]:
    query = sa.select(selections.c.seed_id, selections.c.layer, selections.c.score).where(
        selections.c.record_id == record_id, selections.c.kind == kind
    )
    return {(row[0], row[1]): row[2] for row in connection.execute(query)}


@dataclass(frozen=True, slots=True)
class Paths:
    """The paths from records to a seed, by the walks that a layer requested around it."""

    connection: Connection
    seed_id: int
    layer: str
    include_removed: bool = False

    def find(self, node: Node) -> tuple[Link, ...]:
        """Return a shortest path from *node* to the seed, or to a search or URL; empty if there is none."""
        if node == ("track", self.seed_id):
            return ()
        reached: set[Node] = {node}
        level: list[tuple[Node, tuple[Link, ...]]] = [(node, ())]
        for _ in range(LONGEST_PATH):
            following = []
            for current, path in level:
                for link in self._links(current):
                    longer = (*path, link)
                    if link.to is None or link.to == ("track", self.seed_id):
                        return longer
                    if link.to not in reached:
                        reached.add(link.to)
                        following.append((link.to, longer))
            level = following
        return ()

    def _links(self, node: Node) -> Iterator[Link]:
        """Yield the links of *node*, those to the seed first."""
        kind, record_id = node
        listed = self._walks_with(node)
        for walk, endpoint, target, position in listed:
            of = _LISTED_KIND.get(endpoint)
            if of == kind or (of == "comment" and kind == "user"):
                yield _link(node, endpoint, target)
            elif of == "any":
                yield Link(kind, record_id, endpoint, None, target)
            else:
                yield from self._inside(node, walk, of or "", position)
        if kind == "user":
            yield from self._of_selected(record_id)

    def _of_selected(self, user: int) -> Iterator[Link]:
        """Yield the links of the artist of a track that the layer selected."""
        query = (
            sa.select(tracks.c.track_id)
            .join(
                selections,
                sa.and_(selections.c.kind == "track", selections.c.record_id == tracks.c.track_id),
            )
            .where(
                tracks.c.artist_id == user,
                selections.c.seed_id == self.seed_id,
                selections.c.layer == self.layer,
            )
            .order_by(tracks.c.track_id)
        )
        for track_id in self.connection.scalars(query):
            yield Link("user", user, "uploads", ("track", track_id))

    def _walks_with(self, node: Node) -> list[tuple[int, str, str, int]]:
        kind, record_id = node
        is_seed = sa.case((walks.c.target == str(self.seed_id), 0), else_=1).label("is_seed")
        looked_up = ["tracks_by_id", "users_by_id"]
        conditions: list[Any] = [
            walk_records.c.record_id == record_id,
            walk_records.c.kind == kind,
            walk_requests.c.seed_id == self.seed_id,
            walk_requests.c.layer == self.layer,
            walk_records.c.position < walk_requests.c.widest,
            # The walk of the seed itself also contains its artist.
            walks.c.endpoint.not_in([*looked_up, "track"] if kind == "track" else looked_up),
        ]
        if not self.include_removed:
            conditions += [walk_requests.c.removed_at.is_(None), sa.text(LISTED_SQL)]
        query = (
            sa.select(walks.c.walk_id, walks.c.endpoint, walks.c.target, walk_records.c.position, is_seed)
            .select_from(walk_records)
            .join(walks, walks.c.walk_id == walk_records.c.walk_id)
            .join(walk_requests, walk_requests.c.walk_id == walks.c.walk_id)
            .where(*conditions)
            .distinct()
            .order_by(is_seed, walks.c.walk_id)
        )
        return [(row[0], row[1], row[2], row[3]) for row in self.connection.execute(query)]

    def _inside(self, node: Node, walk: int, of: str, position: int) -> Iterator[Link]:
        """Yield the links to the records at *position* of a walk in which *node* is embedded."""
        kind, record_id = node
        key = {"track": tracks.c.track_id, "playlist": playlists.c.playlist_id}.get(of)
        if key is None:
            return
        if kind == "user":
            owner = tracks.c.artist_id if of == "track" else playlists.c.owner_id
            relation, holds = ("uploads" if of == "track" else "owns"), owner == record_id
        elif kind == "track" and of == "playlist":
            relation = "contains"
            holds = key.in_(
                sa.select(playlist_tracks.c.playlist_id).where(playlist_tracks.c.track_id == record_id)
            )
        else:
            return
        parents = sa.select(walk_records.c.record_id).where(
            walk_records.c.walk_id == walk, walk_records.c.kind == of, walk_records.c.position == position
        )
        for parent in self.connection.scalars(sa.select(key).where(key.in_(parents), holds).order_by(key)):
            yield Link(kind, record_id, relation, (of, parent))


def _link(node: Node, endpoint: str, target: str) -> Link:
    kind, record_id = node
    of = _TARGET_KIND.get(endpoint, "url")
    if of in {"track", "user", "playlist"}:
        return Link(kind, record_id, endpoint, (of, int(target)))
    return Link(kind, record_id, endpoint, None, target)


def read_references(connection: Connection, kind: str, record_id: int) -> list[Reference]:
    """Return what refers to a record, and to what a user or playlist refers."""
    found = []
    for relation, of, other, own, which in _REFERENCES[kind]:
        conditions = [own == record_id, which]
        if "removed_at" in other.table.c:
            conditions.append(other.table.c.removed_at.is_(None))
        count = connection.scalar(sa.select(sa.func.count()).select_from(other.table).where(*conditions))
        if count:
            examples = sa.select(other).where(*conditions).order_by(other).limit(EXAMPLES)
            found.append(Reference(relation, of, count, tuple(connection.scalars(examples))))
    return found
