"""Attributes of nodes that are not columns of their records: genre, layer, community, kind of uploader."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.exports.columnar import build_schema, build_table
from sgr_spiders.exports.resource import Field
from sgr_spiders.storage import communities, graph_read
from sgr_spiders.storage.figures import layer_counts
from sgr_spiders.storage.lookup import look_up
from sgr_spiders.storage.rows import WholeColumn
from sgr_spiders.titles.genres import read_genre
from sgr_spiders.titles.places import country_name, read_country

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    import pyarrow as pa
    from numpy.typing import NDArray

    from sgr_spiders.storage.communities import Communities
    from sgr_spiders.storage.figures.layer_counts import Ids
    from sgr_spiders.storage.rows import Columns, Kind
    from sgr_spiders.storage.store import Connection

    Values = list[Any]

NODE_FIELDS = (
    Field("node", "integer", "Number of the node, from 0: users, then tracks", required=True),
    Field("kind", "text", "`user` or `track`", required=True),
    Field("record_id", "integer", "Its ID", required=True),
    Field("country", "text", "Country of the user"),
    Field("genre", "text", "Genre of the track, or of most of the tracks that the user likes, normalised"),
    Field("layer", "text", "The first layer that found it, in the order of the layers"),
    Field("community", "integer", "Number of its community; null if it has none"),
    Field("stability", "number", "How stable it is in its community, 0 to 1"),
)
"""The table of the nodes of ``edge_index``."""

NORMALISED: Mapping[str, Callable[[str | None], str | None]] = {
    "genre": read_genre,
    "country": lambda text: None if text is None else name_country(text),
}
"""The functions that give the spellings of a value one form, by column."""


def name_country(text: str) -> str:
    """Return the English name of the country in *text*, or the text if it is not known."""
    code = read_country(text)
    return text if code is None else country_name(code)


def normalise(name: str, values: Sequence[Any]) -> Sequence[Any]:
    """Return the *values* of the column *name* in one spelling each."""
    if name not in NORMALISED:
        return values
    spelling = {value: NORMALISED[name](value) for value in set(values)}
    return [spelling[value] for value in values]


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute, and its values for some IDs."""

    column: WholeColumn
    values_of: Callable[[Ids], Values]


@dataclass(frozen=True)
class NodeAttributes:
    """The attributes of the nodes of a snapshot. Each is read whole, once, when it is first needed."""

    connection: Connection
    _known: dict[str, tuple[Attribute, ...]] = field(default_factory=dict)

    def of(self, kind: str) -> tuple[Attribute, ...]:
        """Return the attributes of a *kind* of node: `track`, `user`, `artist` or `playlist`."""
        if kind not in self._known:
            self._known[kind] = self._make(kind)
        return self._known[kind]

    def _make(self, kind: str) -> tuple[Attribute, ...]:
        layer = Attribute(
            _column("layer", "text", "The first layer that found it, in the order of the layers"),
            lambda ids: layer_counts.find_first_layers(self._layers, _record_of(kind), ids),
        )
        if kind not in communities.KINDS:
            return (layer,)
        return (*self._genre(kind), layer, *self._community(kind), *self._uploader(kind))

    @cached_property
    def _layers(self) -> Mapping[str, Mapping[str, Ids]]:
        return layer_counts.gather(self.connection, layer_counts.scope_of_seeds(None))

    def _genre(self, kind: str) -> tuple[Attribute, ...]:
        if kind == "track":
            return ()  # a column of its own
        whose = "the artist's tracks" if kind == "artist" else "the tracks that the user likes"
        genres = _Lookup(lambda: _commonest(graph_read.count_genres(self.connection, kind)))
        return (
            Attribute(_column("genre", "text", f"Genre of most of {whose}, normalised"), genres.values_of),
        )

    def _community(self, kind: str) -> tuple[Attribute, ...]:
        found = _Found(self.connection, kind)
        return (
            Attribute(
                _column("community", "integer", "Number of its community; null if it has none"),
                found.groups_of,
            ),
            Attribute(
                _column("stability", "number", "How stable it is in its community, 0 to 1"),
                found.stability_of,
            ),
        )

    def _uploader(self, kind: str) -> tuple[Attribute, ...]:
        if kind != "artist":
            return ()
        shares = _Lookup(lambda: _shares(graph_read.count_uploads(self.connection)))
        return (
            Attribute(
                _column("credits_others", "number", "Share of its uploads that credit other artists"),
                lambda ids: [None if pair is None else pair[0] for pair in shares.values_of(ids)],
            ),
            Attribute(
                _column(
                    "looks_like_label",
                    "boolean",
                    f"True if it has {graph_read.MIN_UPLOADS} uploads or more, and most credit others",
                ),
                lambda ids: [None if pair is None else pair[1] for pair in shares.values_of(ids)],
            ),
        )


def tabulate_nodes(connection: Connection, users: pa.Table, tracks: pa.Table) -> pa.Table:
    """Return the attributes of *users*, then those of *tracks*, which have the columns of ``FEATURES``."""
    attributes = NodeAttributes(connection)
    parts = []
    for kind, table, own in (("user", users, "country"), ("track", tracks, "genre")):
        ids = table[f"{kind}_id"].to_numpy()
        columns = {one.column.name: one.values_of(ids) for one in attributes.of(kind)}
        columns |= {"kind": [kind] * len(ids), "record_id": ids.tolist()}
        columns[own] = list(normalise(own, table[own].to_pylist()))
        parts.append([columns.get(field.name, [None] * len(ids)) for field in NODE_FIELDS[1:]])
    joined = [[*of_users, *of_tracks] for of_users, of_tracks in zip(*parts, strict=True)]
    return build_table([list(range(len(joined[0]))), *joined], build_schema(NODE_FIELDS))


@dataclass(frozen=True)
class _Lookup:
    """Values by ID, read at the first use."""

    read: Callable[[], dict[int, Any]]

    @cached_property
    def _values(self) -> dict[int, Any]:
        return self.read()

    def values_of(self, ids: Ids) -> Values:
        return [self._values.get(node) for node in ids.tolist()]


@dataclass(frozen=True)
class _Found:
    """The stored communities of a kind, read at the first use."""

    connection: Connection
    kind: str

    @cached_property
    def _stored(self) -> Communities:
        return communities.read_communities(self.connection, self.kind)

    def groups_of(self, ids: Ids) -> Values:
        return self._pick(self._stored.groups, ids)

    def stability_of(self, ids: Ids) -> Values:
        return self._pick(self._stored.stability, ids)

    def _pick(self, values: NDArray[Any], ids: Ids) -> Values:
        place = look_up(self._stored.ids, np.arange(len(self._stored.ids)), ids)
        picked = values[np.maximum(place, 0)].tolist() if len(values) else [None] * len(ids)
        return [value if at >= 0 else None for value, at in zip(picked, place.tolist(), strict=True)]


def _column(name: str, kind: Kind, meaning: str) -> WholeColumn:
    return WholeColumn(name, kind, required=False, meaning=meaning, refers_to=None)


def _record_of(kind: str) -> str:
    return "user" if kind == "artist" else kind


def _commonest(batches: Iterable[Columns]) -> dict[int, str]:
    """Return the commonest normalised genre of each node; ties go to the first in the alphabet."""
    counted: dict[int, Counter[str]] = {}
    for nodes, texts, times in batches:
        for node, genre, count in zip(nodes, normalise("genre", texts), times, strict=True):
            if genre is not None:
                counted.setdefault(node, Counter())[genre] += count
    return {
        node: min(genres.items(), key=lambda item: (-item[1], item[0]))[0] for node, genres in counted.items()
    }


def _shares(batches: Iterable[Columns]) -> dict[int, tuple[float, bool]]:
    """Return the share of uploads that credit others, and whether an uploader looks like a label."""
    return {
        node: (others / uploads, uploads >= graph_read.MIN_UPLOADS and 2 * others > uploads)
        for columns in batches
        for node, uploads, others in zip(*columns, strict=True)
    }
