"""An SVG map of tracks, coloured by community, with titles on hover."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import numpy as np

from sgr_spiders.embeddings.base import unit
from sgr_spiders.embeddings.communities import find_communities
from sgr_spiders.embeddings.layout import lay_out
from sgr_spiders.model.exceptions import EmbeddingError
from sgr_spiders.storage import neighbours, private_files, vectors
from sgr_spiders.storage.vectors import read_genres
from sgr_spiders.text.escape import for_message
from sgr_spiders.text.formatting import pluralize
from sgr_spiders.text.invocation import command

if TYPE_CHECKING:
    from pathlib import Path

    from sgr_spiders.embeddings.base import Array, Numbers
    from sgr_spiders.storage.store import Connection

MAX_TRACKS = 1_000
"""Tracks to draw, those with the most fans: the time of the layout grows with their square."""
PLANE, LEGEND = 800, 300
MARGIN = 20
FONT = 'font-family="sans-serif" font-size="15"'
COLOURS = (
    "#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#b07aa1", "#9c755f",
    "#edc948", "#76b7b2", "#ff9da7", "#86bc86", "#d4a6c8", "#79706e",
)  # fmt: skip
"""From Tableau 10 and 20: one for each possible community."""


@dataclass(frozen=True, slots=True)
class Dot:
    """A track on the plane, with coordinates and radius in pixels."""

    x: float
    y: float
    radius: float
    title: str
    genre: str | None
    community: int


def draw(connection: Connection, method: str, path: Path) -> None:
    """Draw the tracks with vectors of *method* into an SVG file.

    The distance shows similarity (``layout``), the colour the community (``communities``), and the size the
    number of fans.

    Raises:
        EmbeddingError: there are no vectors.
        StorageError: the file cannot be written.
    """
    dots = _load_dots(connection, method)
    private_files.write(path, _svg(dots, method).encode())


def _load_dots(connection: Connection, method: str) -> list[Dot]:
    placed = vectors.read_vectors(connection, "track", method)
    if not len(placed.ids):
        raise EmbeddingError(
            f"no {method} vectors in this database; run `{command('embed', '--method', method)}`"
        )
    fans = placed.columns["fans"]
    chosen = _choose_tracks(fans)
    directions = unit(placed.vectors[chosen])
    communities = find_communities(directions)
    points = _scale(lay_out(np.maximum(2 - 2 * directions @ directions.T, 0)))
    radii = 2 + 4 * np.sqrt(fans[chosen] / fans.max())
    return _build_dots(connection, placed.ids[chosen], points, radii, communities)


def _choose_tracks(fans: Array) -> Numbers:
    """Choose the tracks with the most fans; the position of a track with one fan is not informative."""
    most = np.argsort(-fans, kind="stable")[:MAX_TRACKS]
    several = most[fans[most] > 1]
    return np.sort(several if len(several) else most)


def _build_dots(
    connection: Connection, tracks: Numbers, points: Array, radii: Array, communities: Numbers
) -> list[Dot]:
    titles = neighbours.read_names(connection, "track", tracks.tolist())
    genres = read_genres(connection, tracks.tolist())
    rows = zip(tracks.tolist(), points.tolist(), radii.tolist(), communities.tolist(), strict=True)
    return [
        Dot(x, y, radius, for_message(titles.get(track) or str(track)), genres.get(track), community)
        for track, (x, y), radius, community in rows
    ]


def _scale(points: Array) -> Array:
    """Scale the points to the picture, by the same factor in both directions."""
    low = points.min(axis=0)
    span = max(float(np.ptp(points, axis=0).max()), 1e-9)
    room = PLANE - 2 * MARGIN
    placed: Array = MARGIN + (points - low) / span * room + (room - np.ptp(points, axis=0) / span * room) / 2
    return placed


def _svg(dots: list[Dot], method: str) -> str:
    width = PLANE + LEGEND
    head = f"{pluralize(len(dots), 'track')}, method {method}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {PLANE}" {FONT}>',
        f'<rect width="{width}" height="{PLANE}" fill="#fff"/>',
        f'<text x="{PLANE}" y="40" font-weight="bold">{escape(head)}</text>',
    ]
    for community in sorted({dot.community for dot in dots}):
        own = [dot for dot in dots if dot.community == community]
        lines += _group(own, COLOURS[community], 75 + 52 * community)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _group(dots: list[Dot], colour: str, y: int) -> list[str]:
    ((genre, times),) = Counter(dot.genre or "no genre" for dot in dots).most_common(1)
    known = max(dots, key=lambda dot: dot.radius)
    about = f"{pluralize(len(dots), 'track')}, {times / len(dots):.0%} {genre}"
    small = 'fill="#666" font-size="13"'
    return [
        f'<g fill="{colour}" fill-opacity="0.75">',
        *map(_circle, dots),
        "</g>",
        f'<circle cx="{PLANE + 8}" cy="{y - 5}" r="7" fill="{colour}"/>',
        f'<text x="{PLANE + 24}" y="{y}">{escape(_short(about))}</text>',
        f'<text x="{PLANE + 24}" y="{y + 19}" {small}>{escape(_short(known.title))}</text>',
    ]


def _circle(dot: Dot) -> str:
    title = escape(f"{dot.title} ({dot.genre})" if dot.genre else dot.title)
    return f'<circle cx="{dot.x:.1f}" cy="{dot.y:.1f}" r="{dot.radius:.1f}"><title>{title}</title></circle>'


def _short(text: str, most: int = 34) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
