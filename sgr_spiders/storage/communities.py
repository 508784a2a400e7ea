"""Read the pairs that communities are found in; write and read communities."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import sqlalchemy as sa

from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.pairs import builds
from sgr_spiders.storage.rows import stream
from sgr_spiders.storage.schema import (
    NAMES,
    RECORD_OF_NODE,
    RECORD_TABLES,
    communities,
    community_runs,
    engagements,
    tracks,
    users,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from numpy.typing import NDArray

    from sgr_spiders.storage.pairs.tables import PairTable
    from sgr_spiders.storage.store import Connection

    Numbers = NDArray[np.int64]
    Reals = NDArray[np.float64]

KINDS = ("track", "user", "artist")
ROWS_AT_A_TIME = 10_000


@dataclass(frozen=True, slots=True)
class ReadPairs:
    """The pairs of a table: both IDs and the score.

    Attributes:
        total: The number of pairs in the table.
        nodes: The number of nodes in them.
        validated: True if only the significant ones were read.
        related_at: The end of the build of the table.
    """

    a: Numbers
    b: Numbers
    scores: Reals
    total: int
    nodes: int
    validated: bool
    related_at: str


@dataclass(frozen=True, slots=True)
class CommunityRun:
    """A build of the communities of one kind, as in ``community_runs``."""

    kind: str
    method: str
    graph: str
    validated: bool
    parameters: Mapping[str, Any]
    inputs: Mapping[str, int]
    communities: int
    rows: int
    modularity: float | None
    stability: float | None
    related_at: str
    seconds: float
    finished_at: str = ""


@dataclass(frozen=True, slots=True)
class Communities:
    """The communities of a kind: ``groups[i]`` is the community of ``ids[i]``, which ascend."""

    ids: Numbers
    groups: Numbers
    stability: Reals


NO_COMMUNITIES = Communities(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


def read_pairs(
    connection: Connection, pairs: PairTable, type_name: str, limit: float | None
) -> ReadPairs | None:
    """Return the pairs whose ``q`` is at most *limit*; ``None`` if the table was never built.

    All pairs are read without a limit, or if the significance of any pair is unknown.
    """
    built = builds.latest(connection, type_name)
    if built is None:
        return None
    table = pairs.as_table()
    total, known = connection.execute(
        sa.select(sa.func.count(), sa.func.count(table.c.q)).select_from(table)
    ).one()
    keys = [table.c[key] for key in pairs.keys]
    both = sa.union(*(sa.select(key) for key in keys)).subquery()
    nodes = connection.scalar(sa.select(sa.func.count()).select_from(both)) or 0
    validated = limit is not None and known == total
    query = sa.select(*keys, table.c[pairs.score]).order_by(*keys)
    if validated:
        query = query.where(table.c.q <= limit)
    parts = [
        (np.array(a, np.int64), np.array(b, np.int64), np.array(score, float))
        for a, b, score in stream(connection, query)
    ]
    a, b, scores = (np.concatenate([np.empty(0, kind), *part]) for kind, part in _columns(parts))
    return ReadPairs(a, b, scores, total, nodes, validated, built.finished_at)


def _columns(parts: list[tuple[Any, ...]]) -> list[tuple[Any, tuple[Any, ...]]]:
    kinds = (np.int64, np.int64, float)
    columns = zip(*parts, strict=True) if parts else ((), (), ())
    return list(zip(kinds, columns, strict=True))


def replace(connection: Connection, made: CommunityRun, found: Communities) -> None:
    """Replace the communities of a kind, and record the build, in the transaction of *connection*.

    Nodes that are no longer stored are left out: on a server, another process may forget them meanwhile.
    """
    connection.execute(sa.delete(communities).where(communities.c.kind == made.kind))
    columns = (found.ids.tolist(), found.groups.tolist(), found.stability.tolist())
    for start in range(0, len(found.ids), ROWS_AT_A_TIME):
        some = (column[start : start + ROWS_AT_A_TIME] for column in columns)
        rows = [
            {"kind": made.kind, "node_id": node, "community": group, "stability": stability}
            for node, group, stability in zip(*some, strict=True)
        ]
        connection.execute(sa.insert(communities), rows)
    _drop_unknown(connection, made.kind)
    values = {name: getattr(made, name) for name in CommunityRun.__dataclass_fields__}
    for name in ("parameters", "inputs"):
        values[name] = json.dumps(values[name], sort_keys=True)
    groups = communities.c.community.distinct()
    counted = sa.select(sa.func.count().label("rows"), sa.func.count(groups).label("communities"))
    values |= connection.execute(counted.where(communities.c.kind == made.kind)).one()._asdict()
    connection.execute(sa.insert(community_runs).values(values | {"finished_at": timestamp()}))


def _drop_unknown(connection: Connection, kind: str) -> None:
    (key,) = RECORD_TABLES[RECORD_OF_NODE[kind]].primary_key.columns
    is_known = sa.exists().where(key == communities.c.node_id)
    connection.execute(sa.delete(communities).where(communities.c.kind == kind, sa.not_(is_known)))


def latest(connection: Connection, kind: str) -> CommunityRun | None:
    """Return the newest build of a *kind*; ``None`` if there is none."""
    columns = (community_runs.c[name] for name in CommunityRun.__dataclass_fields__)
    query = sa.select(*columns).where(community_runs.c.kind == kind)
    row = connection.execute(query.order_by(community_runs.c.community_run_id.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    values = row._asdict()
    return CommunityRun(**values | {name: json.loads(values[name]) for name in ("parameters", "inputs")})


def is_fresh(connection: Connection, made: CommunityRun, type_name: str) -> bool:
    """Return whether the pairs of this relationship type are still those of the build."""
    built = builds.latest(connection, type_name)
    return built is not None and built.finished_at == made.related_at


def read_communities(connection: Connection, kind: str) -> Communities:
    """Return the communities of all nodes of a *kind*."""
    query = (
        sa.select(communities.c.node_id, communities.c.community, communities.c.stability)
        .where(communities.c.kind == kind)
        .order_by(communities.c.node_id)
    )
    parts = [
        (np.array(ids, np.int64), np.array(groups, np.int64), np.array(stability, float))
        for ids, groups, stability in stream(connection, query)
    ]
    if not parts:
        return NO_COMMUNITIES
    ids, groups, stability = map(np.concatenate, zip(*parts, strict=True))
    return Communities(ids, groups, stability)


def read_members(connection: Connection, kind: str, limit: int) -> dict[int, list[str | int]]:
    """Return the *limit* best-known members of each community of a *kind*: their names, else their IDs.

    Tracks are known by their likes, and users and artists by their followers, as the API counts them.
    """
    records = RECORD_TABLES[RECORD_OF_NODE[kind]]
    known = tracks.c.favoritings_count if kind == "track" else users.c.followers_count
    name = NAMES[RECORD_OF_NODE[kind]]
    (key,) = records.primary_key.columns
    order = (sa.func.coalesce(known, -1).desc(), key)
    rank = sa.func.row_number().over(partition_by=communities.c.community, order_by=order).label("rank")
    ranked = (
        sa.select(communities.c.community, key.label("id"), name.label("name"), rank)
        .join(records, key == communities.c.node_id)
        .where(communities.c.kind == kind, records.c.removed_at.is_(None))
        .subquery()
    )
    query = (
        sa.select(ranked.c.community, ranked.c.id, ranked.c.name)
        .where(ranked.c.rank <= limit)
        .order_by(ranked.c.community, ranked.c.rank)
    )
    found: dict[int, list[str | int]] = {}
    for group, node, called in connection.execute(query):
        found.setdefault(group, []).append(called or node)
    return found


def count_genres(connection: Connection, kind: str) -> list[tuple[int, str, int]]:
    """Count the genres of each community of a *kind*, as uploaders spell them: community, genre, number.

    Of tracks, their own count; of artists, those of their tracks; of users, those of the tracks they like.
    """
    source: sa.FromClause = communities
    if kind == "user":
        liked = (engagements.c.user_id == communities.c.node_id) & (engagements.c.kind == "like")
        source = source.join(engagements, liked & engagements.c.removed_at.is_(None))
        source = source.join(tracks, tracks.c.track_id == engagements.c.track_id)
    else:
        column = tracks.c.track_id if kind == "track" else tracks.c.artist_id
        source = source.join(tracks, column == communities.c.node_id)
    query = (
        sa.select(communities.c.community, tracks.c.genre, sa.func.count())
        .select_from(source)
        .where(communities.c.kind == kind, tracks.c.genre.is_not(None), tracks.c.removed_at.is_(None))
        .group_by(communities.c.community, tracks.c.genre)
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(query)]
