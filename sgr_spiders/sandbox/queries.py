"""Searches and batch lookups: the query parameters of /tracks, /users and /playlists."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.sandbox.answers import RefusedError
from sgr_spiders.sandbox.paging import Listing
from sgr_spiders.sandbox.search import SearchIndex, tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sgr_spiders.sandbox.model import Model
    from sgr_spiders.sandbox.seeding import Indices, Ints

_TRACK_FILTERS = frozenset(
    (
        "genres", "tags", "bpm[from]", "bpm[to]", "duration[from]", "duration[to]",
        "created_at[from]", "created_at[to]",
    )
)  # fmt: skip


def number_of(text: str, kind: str) -> int | None:
    """Return the number in a URN of this kind or in a numeric string, else ``None``."""
    match = re.fullmatch(rf"(?:soundcloud:{kind}:)?(\d{{1,18}})", text)
    return int(match[1]) if match else None


def search(world: Model, kind: str, query: Mapping[str, str]) -> Listing:
    """Return the hits of a query in order of relevance."""
    index, ids = _index_and_ids(world, kind)
    urns = query.get("urns") or query.get("ids")
    if urns is not None and kind != "playlists":
        found = _look_up(urns.split(","), kind, ids)
    elif query.get("q"):
        found = index.find(query["q"])
    elif kind == "tracks" and _TRACK_FILTERS & query.keys():
        found = index.by_weight(np.arange(len(ids), dtype=np.int32))
    else:
        raise RefusedError(400, "a query is required")
    return Listing(kind, _apply_filters(world, found, query) if kind == "tracks" else found)


def _index_and_ids(world: Model, kind: str) -> tuple[SearchIndex, Ints]:
    if kind == "tracks":
        return world.track_search, world.catalogue.ids
    if kind == "users":
        return world.user_search, world.people.ids
    return world.playlist_search, world.playlists.ids


def _look_up(urns: list[str], kind: str, ids: Ints) -> Indices:
    """Return the indices of the named objects; unknown ones are omitted."""
    numbers = [number_of(urn.strip(), kind) for urn in urns]
    if None in numbers:
        raise RefusedError(400, "invalid urn")
    wanted = np.array(numbers, dtype=np.int64)
    nearest = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    found: Indices = nearest[ids[nearest] == wanted].astype(np.int32)
    return found


def _apply_filters(world: Model, found: Indices, query: Mapping[str, str]) -> Indices:
    catalogue = world.catalogue
    if "genres" in query:
        wanted = {genre.strip().lower() for genre in query["genres"].split(",")}
        genres = [world.scene_of(index).genre.lower() in wanted for index in found.tolist()]
        found = found[np.array(genres, dtype=np.bool_)]
    if "tags" in query:
        words = set(tokens(query["tags"]))
        tagged = [bool(words & set(tokens(" ".join(world.scene_of(index).tags)))) for index in found.tolist()]
        found = found[np.array(tagged, dtype=np.bool_)]
    for bound, keep in (("from", np.greater_equal), ("to", np.less_equal)):
        if f"created_at[{bound}]" in query:
            moment = _parse_date(query[f"created_at[{bound}]"])
            found = found[keep(catalogue.uploaded_s[found], moment)]
        if f"duration[{bound}]" in query:
            found = found[keep(world.durations_ms[found], _parse_number(query, f"duration[{bound}]"))]
        if f"bpm[{bound}]" in query:
            tempo = np.array([world.scene_of(index).bpm[0] for index in found.tolist()], dtype=np.int64)
            found = found[keep(tempo, _parse_number(query, f"bpm[{bound}]"))]
    return found


def _parse_number(query: Mapping[str, str], name: str) -> int:
    if not re.fullmatch(r"\d{1,12}", query[name]):
        raise RefusedError(400, f"invalid {name}")
    return int(query[name])


def _parse_date(text: str) -> int:
    """Parse a filter date to seconds; the format of responses is refused, as in the API."""
    try:
        return int(datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise RefusedError(400, "invalid created_at: expected yyyy-mm-dd hh:mm:ss") from None
