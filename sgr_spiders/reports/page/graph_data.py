"""The graphs as data for the page's script: columns instead of rows, and the edges as bytes in base64."""

from __future__ import annotations

import base64
import re
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

import numpy as np

from sgr_spiders.config.harvest import LAYER_NAMES
from sgr_spiders.reports.page.html import path_of, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from sgr_spiders.reports.page.content import DrawnGraph
    from sgr_spiders.reports.page.graph import Graph

PLANE = 10_000
"""Positions are integers from 0 to this."""
SCORES = 100
"""Scores are integers from 0 to this."""
TITLES = {
    "track_relationships": ("tracks", "playlists that contain both"),
    "artist_relationships": ("artists", "fans of both"),
    "user_similarities": ("users", "tracks that both like"),
}
"""The nodes of each graph, and what joins two of them."""


def graph_data(drawn: DrawnGraph) -> dict[str, Any]:
    """Return the data of one graph."""
    graph = drawn.graph
    ids = graph.ids.tolist()
    what, basis = TITLES[graph.pairs.name]
    records: Mapping[int, Any] = drawn.tracks or drawn.users
    known = [records.get(node) for node in ids]
    genres, genre_of = _number_texts([drawn.genres.get(node) for node in ids])
    layers = [name for name in LAYER_NAMES if name in set(drawn.layers.values())]
    x, y = _scale(graph.points)
    return {
        "what": what,
        "basis": basis,
        "score": graph.pairs.score,
        "table": graph.pairs.name,
        "rows": drawn.rows,
        # As text, because a script rounds integers above 2**53.
        "ids": list(map(str, ids)),
        "names": [shown(name_of(record)) for record in known],
        **_paths(drawn, ids),
        "sizes": [_size(record) for record in known],
        "genres": genres,
        "genre": genre_of,
        "layers": layers,
        "layer": [layers.index(name) if (name := drawn.layers.get(node)) in layers else -1 for node in ids],
        "community": graph.communities.tolist(),
        "seeds": graph.seeds.tolist(),
        "x": x,
        "y": y,
        "edges": _encode_edges(graph),
    }


def name_of(record: Any) -> str | None:  # noqa: ANN401 - a track or a user
    """Return the title of a track, or the name of a user or artist."""
    name: str | None = getattr(record, "title", None) or getattr(record, "name", None)
    return name


def _size(record: Any) -> int | None:  # noqa: ANN401 - a track or a user
    return None if record is None else getattr(record, "plays", getattr(record, "followers", None))


def _paths(drawn: DrawnGraph, ids: Sequence[int]) -> dict[str, Any]:
    """Return the path of each node's page, and of tracks the artist.

    1 stands for the usual path of a track, which follows from its artist's and its title.
    """
    if not drawn.tracks:
        return {"paths": [path_of(user.url) if (user := drawn.users.get(node)) else None for node in ids]}
    places: dict[int | None, int] = {}
    artists: list[list[str | None]] = []
    artist_of: list[int] = []
    paths: list[str | int | None] = []
    for node in ids:
        track = drawn.tracks[node]
        if track.artist_id not in places:
            places[track.artist_id] = len(artists)
            name = None if track.artist is None else shown(track.artist)
            artists.append([name, path_of(track.artist_url)])
        artist_of.append(places[track.artist_id])
        path, home = path_of(track.url), artists[artist_of[-1]][1]
        if path is not None and path == f"{home}/{usual_path(shown(track.title))}":
            paths.append(1)
        else:
            paths.append(path)
    return {"paths": paths, "artists": artists, "artist": artist_of}


def usual_path(title: str) -> str:
    """Return the last part of the address of a track with this title, if nobody has chosen another."""
    # The page's script does the same; both take only the accents that every version of Unicode knows.
    plain = re.sub("[\u0300-\u036f]", "", normalize("NFKD", title)).lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain))


def _number_texts(texts: Sequence[str | None]) -> tuple[list[str], list[int]]:
    """Return the distinct texts, the most frequent first, and the place of each text, or -1.

    Texts that differ only in case or spaces are one, in their most frequent spelling.
    """
    spellings: dict[str, Counter[str]] = {}
    keys = [None if text is None else shown(text, "").casefold() or None for text in texts]
    for key, text in zip(keys, texts, strict=True):
        if key is not None and text is not None:
            spellings.setdefault(key, Counter())[shown(text)] += 1
    ordered = sorted(spellings, key=lambda key: (-spellings[key].total(), key))
    places = {key: place for place, key in enumerate(ordered)}
    names = [min(spellings[key].items(), key=lambda item: (-item[1], item[0]))[0] for key in ordered]
    return names, [-1 if key is None else places[key] for key in keys]


def _scale(points: NDArray[np.float64]) -> tuple[list[int], list[int]]:
    if not len(points):
        return [], []
    low = points.min(axis=0)
    span = max(float(np.ptp(points, axis=0).max()), 1e-9)
    placed = np.rint((points - low) / span * PLANE).astype(int)
    return placed[:, 0].tolist(), placed[:, 1].tolist()


def _encode_edges(drawn: Graph) -> str:
    """Return the edges in base64: integers in bytes of seven bits, of which the last is below 128.

    For each node come the number of its edges to later nodes and, for each of these, the step from the node
    before, and the score.
    """
    scores = np.rint(drawn.scores * SCORES).astype(np.int64)
    starts = np.searchsorted(drawn.a, np.arange(len(drawn.ids) + 1)).tolist()
    others, weights = drawn.b.tolist(), scores.tolist()
    coded = bytearray()
    for node, (start, end) in enumerate(pairwise(starts)):
        _append(coded, end - start)
        last = node
        for edge in range(start, end):
            _append(coded, others[edge] - last)
            _append(coded, weights[edge])
            last = others[edge]
    return base64.b64encode(coded).decode("ascii")


def _append(coded: bytearray, value: int) -> None:
    while value > 127:
        coded.append(value & 127 | 128)
        value >>= 7
    coded.append(value)
