"""The content of the page, read from one snapshot of the database."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sgr_spiders.embeddings.similar import find_similar
from sgr_spiders.relationships import TYPES
from sgr_spiders.reports.page.graph import Limits, read_graph
from sgr_spiders.reports.state import NEVER_BUILT, collect_status
from sgr_spiders.storage import communities
from sgr_spiders.storage.descriptions import describe_tracks, describe_users, read_artist_genres
from sgr_spiders.storage.figures import degrees, layer_counts, listeners, overview
from sgr_spiders.storage.figures.contents import count_requests, read_runs
from sgr_spiders.storage.libraries import USUAL
from sgr_spiders.storage.lookup import look_up
from sgr_spiders.storage.neighbours import is_known, read_removed
from sgr_spiders.storage.pairs.related import read_significance

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sgr_spiders.config.harvest import HarvestConfig
    from sgr_spiders.embeddings.similar import Similar, SimilarNodes
    from sgr_spiders.reports.page.graph import Graph
    from sgr_spiders.reports.state import Status
    from sgr_spiders.storage.descriptions import DescribedTrack, DescribedUser
    from sgr_spiders.storage.figures.degrees import Distribution
    from sgr_spiders.storage.figures.layer_counts import Ids, LayerCounts
    from sgr_spiders.storage.figures.listeners import Listener
    from sgr_spiders.storage.store import Connection, Store

MAX_NEAREST = 50
"""The nearest tracks, artists and users of each seed."""
MAX_SEEDS = 5
"""The latest seeds, whose neighbours are listed if none are named."""

LIMITS = {
    "track_cooccurrence": Limits(nodes=5_000, edges=50_000),
    "artist_relation": Limits(nodes=800, edges=6_000),
    "user_similarity": Limits(nodes=800, edges=6_000),
}
"""The relationship types whose graphs are drawn, and how much of each."""


@dataclass(frozen=True, slots=True)
class NearUser:
    """A user near a seed: ``score`` is the cosine of the user's library and the tracks near the seed."""

    user: DescribedUser
    score: float
    listener: Listener


@dataclass(frozen=True, slots=True)
class Nearest:
    """The tracks, artists and users nearest to a seed.

    ``by_tracks``: how the tracks were found. ``compared``: the number of tracks that the libraries of users
    were compared with.
    """

    seed: DescribedTrack
    tracks: Sequence[tuple[DescribedTrack, Similar]]
    by_tracks: SimilarNodes
    artists: Sequence[tuple[DescribedUser, Similar]]
    significance: Mapping[int, tuple[float | None, float | None]]
    """Lift and q of the artists that are related to the seed's."""
    users: Sequence[NearUser]
    compared: int


@dataclass(frozen=True, slots=True)
class DrawnGraph:
    """A graph with what its nodes are called; users have no genre.

    ``rows`` is the number of pairs in the whole table.
    """

    graph: Graph
    rows: int
    tracks: Mapping[int, DescribedTrack]
    users: Mapping[int, DescribedUser]
    genres: Mapping[int, str]
    layers: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the page shows. ``around``: the seeds of ``--seed``; ``None`` for all.

    ``requests``: of all runs, ``None`` if those of one are unknown. ``first_started_at``: the start of the
    first run, and ``seeds_found`` the number of seeds in the database, both *around* the seeds.
    """

    name: str
    around: Sequence[int] | None
    status: Status
    requests: int | None
    first_started_at: str | None
    seeds_found: int
    totals: Mapping[str, int]
    found: Mapping[str, LayerCounts]
    found_together: LayerCounts
    distributions: Sequence[Distribution]
    nearest: Sequence[Nearest]
    graphs: Sequence[DrawnGraph]


def collect(store: Store, config: HarvestConfig, around: Sequence[int] | None = None) -> Report:
    """Collect the content of the report, of the harvests of all seeds or of those *around* some."""
    with store.read() as connection:
        status = collect_status(connection, store.describe(), store.path, config, around)
        gathered = layer_counts.gather(connection, layer_counts.scope_of_seeds(around))
        found, together = layer_counts.count_gathered(connection, gathered)
        seeds = list(dict.fromkeys(seed.track_id for seed in status.seeds if seed.track_id is not None))
        runs = read_runs(connection, None)
        asked = [run for run in runs if around is None or set(run.seeds) & set(around)]
        asked_seeds = {seed for run in asked for seed in run.seeds if around is None or seed in around}
        listed = seeds if around is not None else seeds[:MAX_SEEDS]
        nearest = [near for seed in listed if (near := _find_nearest(connection, seed))]
        return Report(
            name=store.file.name if store.file is not None else store.name,
            around=around,
            status=status,
            requests=count_requests(runs) if runs else None,
            first_started_at=asked[0].started_at if asked else None,
            seeds_found=len(describe_tracks(connection, asked_seeds, include_removed=True)),
            totals=overview.count_totals(connection),
            found=found,
            found_together=together,
            distributions=_read_distributions(connection, status),
            nearest=nearest,
            graphs=_draw_graphs(connection, status, nearest, gathered, only_around=around is not None),
        )


def _read_distributions(connection: Connection, status: Status) -> list[Distribution]:
    names = {
        "track_cooccurrence": "related tracks",
        "artist_relation": "related artists",
        "user_similarity": "similar users",
    }
    built = _built_tables(status)
    return [
        *degrees.read_distributions(connection),
        *(
            degrees.read_pair_distribution(connection, name, TYPES[kind].table)
            for kind, name in names.items()
            if TYPES[kind].table.name in built
        ),
    ]


def _built_tables(status: Status) -> dict[str, int]:
    return {one.table: one.rows for one in status.relationships if one.state != NEVER_BUILT}


# Nearest


def _find_nearest(connection: Connection, seed: int) -> Nearest | None:
    described = describe_tracks(connection, [seed], include_removed=True).get(seed)
    if described is None:
        return None
    by_tracks = find_similar(connection, "track", seed, limit=MAX_NEAREST)
    tracks = by_tracks.found
    about = describe_tracks(connection, [one.id for one in tracks])
    artist = described.artist_id
    known = artist is not None and is_known(connection, "artist", artist)
    artists: list[Similar] = []
    significance: dict[int, tuple[float | None, float | None]] = {}
    if known and artist is not None:
        artists = find_similar(connection, "artist", artist, limit=MAX_NEAREST).found
        pairs = TYPES["artist_relation"].table
        significance = read_significance(connection, pairs, artist, [one.id for one in artists])
    names = describe_users(connection, [one.id for one in artists])
    compared = [seed, *(one.id for one in tracks if one.id in about)]
    return Nearest(
        described,
        [(about[one.id], one) for one in tracks if one.id in about],
        by_tracks,
        [(names[one.id], one) for one in artists if one.id in names],
        significance,
        _near_users(connection, described, compared),
        len(compared),
    )


def _near_users(connection: Connection, seed: DescribedTrack, compared: Sequence[int]) -> list[NearUser]:
    found = listeners.find_listeners(connection, seed.track_id, compared)
    names = describe_users(connection, [one.user_id for one in found])
    near = [
        NearUser(names[one.user_id], one.liked / math.sqrt(one.library * len(compared)), one)
        for one in found
        # The artist likes their own tracks for other reasons.
        if one.user_id in names and one.user_id != seed.artist_id
    ]
    return sorted(near, key=lambda one: (-one.score, one.user.user_id))[:MAX_NEAREST]


# Graphs


def _draw_graphs(
    connection: Connection,
    status: Status,
    nearest: Sequence[Nearest],
    gathered: Mapping[str, Mapping[str, Ids]],
    *,
    only_around: bool,
) -> list[DrawnGraph]:
    roots = {
        "track_cooccurrence": {near.seed.track_id for near in nearest},
        "artist_relation": {near.seed.artist_id for near in nearest if near.seed.artist_id is not None},
        "user_similarity": {user.user.user_id for near in nearest for user in near.users},
    }
    built = _built_tables(status)
    drawn = [
        _draw(connection, kind, roots[kind], built[table], gathered, only_around=only_around)
        for kind in LIMITS
        if built.get(table := TYPES[kind].table.name)
    ]
    return [graph for graph in drawn if len(graph.graph.ids)]


def _draw(
    connection: Connection,
    kind: str,
    roots: Collection[int],
    rows: int,
    gathered: Mapping[str, Mapping[str, Ids]],
    *,
    only_around: bool,
) -> DrawnGraph:
    pairs = TYPES[kind].table
    removed = read_removed(connection, pairs.kind, USUAL)
    graph = read_graph(connection, pairs, roots, LIMITS[kind], only_around=only_around, removed=removed)
    graph = _with_stored_communities(connection, graph)
    ids = graph.ids.tolist()
    first = layer_counts.find_first_layers(gathered, pairs.kind, graph.ids)
    layers = {node: layer for node, layer in zip(ids, first, strict=True) if layer is not None}
    if pairs.kind == "track":
        tracks = describe_tracks(connection, ids)
        genres = {track: one.genre for track, one in tracks.items() if one.genre}
        return DrawnGraph(graph, rows, tracks, {}, genres, layers)
    genres = read_artist_genres(connection, ids) if kind == "artist_relation" else {}
    return DrawnGraph(graph, rows, {}, describe_users(connection, ids), genres, layers)


def _with_stored_communities(connection: Connection, graph: Graph) -> Graph:
    """Return the graph with the communities in the database, if they come from the pairs of today."""
    node = graph.pairs.node.removesuffix("_id")
    made = communities.latest(connection, node)
    if made is None or not made.rows:
        return graph
    origin = next(name for name, relationship in TYPES.items() if relationship.table.name == made.graph)
    if not communities.is_fresh(connection, made, origin):
        return graph
    found = communities.read_communities(connection, node)
    return replace(graph, communities=look_up(found.ids, found.groups, graph.ids), are_stored=True)
