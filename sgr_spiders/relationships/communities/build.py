"""Build the communities of users, tracks and artists from the relationship tables."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.relationships.artist_relation import ArtistRelation
from sgr_spiders.relationships.communities.consensus import (
    MIN_SHARE,
    RUNS,
    Consensus,
    choose_method,
    find_consensus,
    measure_stability,
)
from sgr_spiders.relationships.communities.graph import Graph, modularity
from sgr_spiders.relationships.communities.listeners import Fans, assign
from sgr_spiders.relationships.engine import CancelledError
from sgr_spiders.relationships.track_cooccurrence import TrackCooccurrence
from sgr_spiders.relationships.user_similarity import UserSimilarity
from sgr_spiders.storage import communities as stored
from sgr_spiders.storage.communities import Communities, CommunityRun
from sgr_spiders.storage.libraries import Inclusion
from sgr_spiders.storage.pairs import reading
from sgr_spiders.storage.vectors import read_artists

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from sgr_spiders.config.harvest import Communities as CommunitySection
    from sgr_spiders.config.harvest import HarvestConfig
    from sgr_spiders.relationships.base import RelationshipType
    from sgr_spiders.storage.communities import ReadPairs
    from sgr_spiders.storage.store import Connection, Store

TYPES: dict[str, type[RelationshipType]] = {
    "track": TrackCooccurrence,
    "user": UserSimilarity,
    "artist": ArtistRelation,
}
"""The relationship type that is the graph of each kind."""

LISTENERS = "listeners"


@dataclass(frozen=True)
class Built:
    """The communities of one kind, and the record of their build."""

    run: CommunityRun
    found: Communities


@dataclass(frozen=True, slots=True)
class _Found:
    """The communities in the graph of one kind, and their graph."""

    kind: str
    pairs: ReadPairs
    graph: Graph
    method: str
    consensus: Consensus
    seconds: float


def build_communities(
    store: Store,
    config: HarvestConfig,
    kinds: Sequence[str] = stored.KINDS,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> list[Built]:
    """Build the communities of these *kinds*, and replace those stored, in one transaction.

    Those of users are built as well if the others have their numbers.

    Raises:
        ArgumentError: A table that they come from was never built.
        CancelledError: *is_cancelled* returned true.
    """
    with store.read() as connection:
        built = _build(connection, config, kinds, partial(_check, is_cancelled))
    with store.write() as connection:
        for one in built:
            stored.replace(connection, one.run, one.found)
    return built


def _check(is_cancelled: Callable[[], bool]) -> None:
    if is_cancelled():
        raise CancelledError


def _build(
    connection: Connection, config: HarvestConfig, kinds: Sequence[str], check: Callable[[], None]
) -> list[Built]:
    section = config.communities
    graphs = {"user" if section.by == LISTENERS else kind for kind in kinds} | ({"user"} & set(kinds))
    found = {kind: _find(connection, kind, section, check) for kind in stored.KINDS if kind in graphs}
    built = []
    # In the order asked for; users last if others need them.
    for kind in dict.fromkeys([*kinds, *found]):
        if kind in found:
            built.append(_of_graph(found[kind], section))
        else:
            check()
            built.append(_of_listeners(connection, kind, found["user"], config))
    return built


def _find(connection: Connection, kind: str, section: CommunitySection, check: Callable[[], None]) -> _Found:
    began = time.monotonic()
    relationship = TYPES[kind]
    pairs = stored.read_pairs(connection, relationship.table, relationship.name, section.validated)
    if pairs is None:
        raise ArgumentError(
            f"table {relationship.table.name}: was never built; build it with the command `relate`"
        )
    graph = Graph.of_pairs(pairs.a, pairs.b, pairs.scores)
    method = choose_method()
    consensus = find_consensus(graph, method, section.resolution, check)
    return _Found(kind, pairs, graph, method, consensus, time.monotonic() - began)


def _of_graph(found: _Found, section: CommunitySection) -> Built:
    groups = found.consensus.groups
    communities = Communities(found.graph.ids, groups, found.consensus.stability)
    value = modularity(found.graph, groups, section.resolution) if len(groups) else None
    inputs = {"pairs": found.pairs.total, "nodes": found.pairs.nodes, "used_pairs": len(found.pairs.a)}
    return Built(_record(found, found.kind, communities, _parameters(section), inputs, value), communities)


def _of_listeners(connection: Connection, kind: str, of_users: _Found, config: HarvestConfig) -> Built:
    """Return the communities of tracks or artists, which are those of their listeners."""
    began = time.monotonic()
    section = config.communities
    included = Inclusion(removed=config.relationships.include_removed)
    likes = reading.read_likes(connection, config.relationships.engagement_kinds, included.rows)
    users = np.repeat(likes.owners, likes.sizes)
    records = likes.members if kind == "track" else read_artists(connection, likes.members)
    liked = records >= 0
    fans = Fans.of(records[liked], users[liked], of_users.graph.ids)
    consensus = of_users.consensus
    assigned = assign(fans, consensus.groups, consensus.runs, section.validated)
    some = assigned.groups >= 0
    runs = [run[some] for run in assigned.runs]
    communities = Communities(
        fans.ids[some], assigned.groups[some], measure_stability(assigned.groups[some], runs)
    )
    inputs = {
        "pairs": of_users.pairs.total,
        "nodes": len(np.unique(records[liked])),
        "used_pairs": len(of_users.pairs.a),
        "likes": int(fans.matrix.nnz),
    }
    parameters = _parameters(section) | {"by": LISTENERS}
    made = _record(of_users, kind, communities, parameters, inputs, None)
    return Built(replace(made, seconds=round(of_users.seconds + time.monotonic() - began, 3)), communities)


def _parameters(section: CommunitySection) -> dict[str, Any]:
    return {
        "resolution": section.resolution,
        "random_seeds": list(range(1, RUNS + 1)),
        "min_share": MIN_SHARE,
        "limit": section.validated,
        "by": "pairs",
    }


def _record(
    found: _Found,
    kind: str,
    communities: Communities,
    parameters: dict[str, Any],
    inputs: dict[str, int],
    value: float | None,
) -> CommunityRun:
    return CommunityRun(
        kind=kind,
        method=found.method,
        graph=TYPES[found.kind].table.name,
        validated=found.pairs.validated,
        parameters=parameters,
        inputs=inputs,
        communities=len(np.unique(communities.groups)),
        rows=len(communities.ids),
        modularity=value,
        stability=float(communities.stability.mean()) if len(communities.ids) else None,
        related_at=found.pairs.related_at,
        seconds=round(found.seconds, 3),
    )
