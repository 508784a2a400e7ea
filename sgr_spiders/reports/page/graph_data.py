"""The graphs as data for the page's script: columns instead of rows, and the edges as bytes in base64."""

from __future__ import annotations

import base64
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from sgr_spiders.config.harvest import LAYER_NAMES
from sgr_spiders.reports.page.html import path_of, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from sgr_spiders.reports.page.content import DrawnGraph

PLANE = 10_000
"""Positions are integers from 0 to this."""
SCORES = 1_000
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
        "names": [shown(_name(record)) for record in known],
        "paths": [path_of(record.url) if record is not None else None for record in known],
        "sizes": [_size(record) for record in known],
        **_artists(drawn, ids),
        "genres": genres,
        "genre": genre_of,
        "layers": layers,
        "layer": [layers.index(name) if (name := drawn.layers.get(node)) in layers else -1 for node in ids],
        "community": graph.communities.tolist(),
        "seeds": graph.seeds.tolist(),
        "x": x,
        "y": y,
        "edges": _encode_edges(graph.a, graph.b, graph.scores),
    }


def _name(record: Any) -> str | None:  # noqa: ANN401 - a track or a user
    name: str | None = getattr(record, "title", None) or getattr(record, "name", None)
    return name


def _size(record: Any) -> int | None:  # noqa: ANN401 - a track or a user
    return None if record is None else getattr(record, "plays", getattr(record, "followers", None))


def _artists(drawn: DrawnGraph, ids: Sequence[int]) -> dict[str, Any]:
    """Return the artist of each track, if the nodes are tracks."""
    if not drawn.tracks:
        return {}
    places: dict[int | None, int] = {}
    artists: list[list[str | None]] = []
    artist_of = []
    for node in ids:
        track = drawn.tracks.get(node)
        key = None if track is None else track.artist_id
        if key not in places:
            places[key] = len(artists)
            artist = None if track is None or track.artist is None else shown(track.artist)
            artists.append([artist, path_of(track.artist_url) if track is not None else None])
        artist_of.append(places[key])
    return {"artists": artists, "artist": artist_of}


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


def _encode_edges(a: NDArray[np.int64], b: NDArray[np.int64], scores: NDArray[np.float64]) -> str:
    """Return the edges in base64: three numbers each, in bytes of seven bits, the last of each below 128.

    They are the step of ``a`` from the edge before, ``b - a``, and the score.
    """
    if not len(a):
        return ""
    steps = np.diff(a, prepend=0)
    values = np.stack([steps, b - a, np.rint(scores * SCORES).astype(np.int64)], axis=1).ravel()
    coded = bytearray()
    for value in values.tolist():
        rest = value
        while rest > 127:
            coded.append(rest & 127 | 128)
            rest >>= 7
        coded.append(rest)
    return base64.b64encode(bytes(coded)).decode("ascii")
