"""A picture of where the tracks lie, by community: an SVG that shows each track's title when pointed at."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import numpy as np

from sgr_spiders.embeddings.base import unit
from sgr_spiders.embeddings.communities import find_communities
from sgr_spiders.embeddings.layout import lay_out
from sgr_spiders.model.exceptions import EmbeddingError, StorageError
from sgr_spiders.storage import neighbours, vectors
from sgr_spiders.storage.vectors import read_genres
from sgr_spiders.text.escape import for_message
from sgr_spiders.text.formatting import pluralize

if TYPE_CHECKING:
    from pathlib import Path

    from sgr_spiders.embeddings.base import Array, Numbers
    from sgr_spiders.storage.store import Connection

MOST = 1_000
"""Tracks that are drawn, those with most fans: the layout takes time by their square."""
PLANE, LEGEND = 800, 300
MARGIN = 20
FONT = 'font-family="sans-serif" font-size="15"'
COLOURS = (
    "#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#b07aa1", "#9c755f",
    "#edc948", "#76b7b2", "#ff9da7", "#86bc86", "#d4a6c8", "#79706e",
)  # fmt: skip
"""Of Tableau 10 and 20: as many as there may be communities."""


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
    """Draw the tracks that *method* gave vectors, into an SVG file.

    Near ones are alike (``layout``), colours are communities (``communities``), and the larger a dot, the
    more fans the track has. Raises ``EmbeddingError`` if there are none, ``StorageError`` if the file cannot
    be written.
    """
    dots = _dots(connection, method)
    beside = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(_svg(dots, method), encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise StorageError(f"file {for_message(str(path))}: {error.strerror}") from None
    finally:
        beside.unlink(missing_ok=True)


def _dots(connection: Connection, method: str) -> list[Dot]:
    placed = vectors.read_vectors(connection, "track", method)
    if not len(placed.ids):
        raise EmbeddingError(
            f"no {method} vectors are in this database: `scrapy embed --method {method}` makes them"
        )
    fans = placed.columns["fans"]
    chosen = _worth_drawing(fans)
    directions = unit(placed.vectors[chosen])
    communities = find_communities(directions)
    points = _on_plane(lay_out(np.maximum(2 - 2 * directions @ directions.T, 0)))
    radii = 2 + 4 * np.sqrt(fans[chosen] / fans.max())
    return _labelled(connection, placed.ids[chosen], points, radii, communities)


def _worth_drawing(fans: Array) -> Numbers:
    """Choose those with most fans; a track with a single fan only lies where the rest this fan likes lies."""
    most = np.argsort(-fans, kind="stable")[:MOST]
    several = most[fans[most] > 1]
    return np.sort(several if len(several) else most)


def _labelled(
    connection: Connection, tracks: Numbers, points: Array, radii: Array, communities: Numbers
) -> list[Dot]:
    titles = neighbours.read_names(connection, "track", tracks.tolist())
    genres = read_genres(connection, tracks.tolist())
    rows = zip(tracks.tolist(), points.tolist(), radii.tolist(), communities.tolist(), strict=True)
    return [
        Dot(x, y, radius, for_message(titles.get(track) or str(track)), genres.get(track), community)
        for track, (x, y), radius, community in rows
    ]


def _on_plane(points: Array) -> Array:
    """Scale to the picture, both ways alike."""
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
