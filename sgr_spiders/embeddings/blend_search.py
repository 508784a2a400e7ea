"""Rank tracks by ``blend`` for a library in the database, from its present likes and stored vectors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from sgr_spiders.embeddings.blend import Weights, place_likes, weigh_places
from sgr_spiders.storage import interactions_read, vectors
from sgr_spiders.storage.list_positions import read_list_positions
from sgr_spiders.storage.lookup import is_among, look_up
from sgr_spiders.text.invocation import command

if TYPE_CHECKING:
    from sgr_spiders.embeddings.base import Array, Numbers
    from sgr_spiders.storage.neighbours import Contexts, Neighbourhood, NeighbourReader
    from sgr_spiders.storage.store import Connection

BLEND = "blend"


@dataclass(frozen=True)
class LearnedBlend:
    """The vectors, fans and weights of the newest run; ``tracks`` ascend."""

    tracks: Numbers
    vectors: Array
    fans: Array
    weights: Weights
    seeds: Numbers

    def known(self, library: Numbers) -> Numbers:
        """Return the tracks of *library* that were learned."""
        return library[is_among(library, self.tracks)]

    def evidence_of_taste(self, library: Numbers) -> Numbers:
        """Return the known tracks that a user's taste shows in: seeds only if there are no others."""
        known = self.known(library)
        others = known[~is_among(known, self.seeds)]
        return others if len(others) else known


def read_blend(connection: Connection) -> LearnedBlend | None:
    """Return what the newest run of ``blend`` learned from likes; ``None`` if there is none."""
    run = vectors.latest(connection, BLEND)
    if run is None or run.parameters["sources"] != ["like"]:
        return None
    placed = vectors.read_vectors(connection, "track", BLEND)
    chosen = {name: value for name, value in run.parameters.items() if name in Weights.__dataclass_fields__}
    weights = Weights(**chosen)
    fans = np.maximum(placed.columns["fans"], 1).astype(np.float32)
    return LearnedBlend(placed.ids, placed.vectors, fans, weights, interactions_read.read_seeds(connection))


def find_blend(connection: Connection, library: Numbers) -> LearnedBlend | None:
    """Return what ``blend`` learned if it knows a track of *library*; ``None`` otherwise."""
    learned = read_blend(connection)
    return learned if learned is not None and len(learned.known(library)) else None


def explain_missing_blend(connection: Connection, what: str) -> str:
    """Return why *what* cannot be ranked by the blend."""
    again = f"run `{command('embed', '--method', BLEND)}`"
    run = vectors.latest(connection, BLEND)
    if run is None:
        return f"no blend vectors in this database; {again}"
    if run.parameters["sources"] != ["like"]:
        return f"the blend was learned from {', '.join(run.parameters['sources'])}, not only likes; {again}"
    return f"{what}: nothing in it was known when the blend was learned; {again}"


def weigh_by_place(
    connection: Connection, learned: LearnedBlend, user: int, library: Numbers, own: Numbers
) -> Array:
    """Return the weight of each of *own* by its place in the *library* of *user*, as ``Parts`` does."""
    if not learned.weights.recency:
        return np.ones(len(own), np.float32)
    read = read_list_positions(connection, "like", user)
    order = np.argsort(read.tracks)
    recency = look_up(read.tracks[order], read.positions[order], library)
    row = sp.csr_array(np.ones((1, len(library)), np.float32))
    places = place_likes(row, recency).data[is_among(library, own)]
    return weigh_places(places, learned.weights.recency)


class BlendSearch:
    """The scores of all learned tracks for one library, as those of ``BlendRecommender``."""

    def __init__(
        self,
        learned: LearnedBlend,
        reader: NeighbourReader,
        library: Numbers,
        own: Numbers,
        weights: Array,
        most_links: int,
    ) -> None:
        """Read the contexts of *own*, the evidence in *library*.

        *weights*: the weight of each of *own*; *most_links*: as for the reader.
        """
        self._learned = learned
        self._library = library
        self.own = own
        self._weights = weights
        self.contexts: Contexts = reader.contexts_of(*self.own.tolist())
        self.near: Neighbourhood = reader.read(self.contexts.ids, most_links)
        self._columns = np.searchsorted(learned.tracks, self.own)

    @cached_property
    def _likes(self) -> sp.csr_array:
        """The likes of the contexts, contexts x learned tracks."""
        tracks, near = self._learned.tracks, self.near
        known = is_among(near.nodes, tracks)
        row = np.repeat(np.arange(len(near.sizes)), near.sizes)[known]
        places = (row, np.searchsorted(tracks, near.nodes[known]))
        shape = (len(near.sizes), len(tracks))
        return sp.csr_array((np.ones(len(row), np.float32), places), shape=shape)

    @cached_property
    def _fans(self) -> Array:
        """The fans of each track when it was learned, or of the contexts if these are more by now.

        So a track with many new likes is not taken for a rare one that everybody likes.
        """
        now = np.bincount(self._likes.indices, minlength=len(self._learned.fans))
        fans: Array = np.maximum(self._learned.fans, now.astype(np.float32))
        return fans

    @cached_property
    def _steps(self) -> sp.csr_array:
        """The steps from each track of the evidence to a context and out of it, contexts x evidence."""
        damping = self._learned.weights.damping
        weights = self._weights * self._fans[self._columns] ** -damping
        entry = self._likes[:, self._columns] @ sp.diags_array(weights)
        lengths = np.maximum(self.near.sizes, 1).astype(np.float32)
        return sp.csr_array(sp.diags_array(lengths**-damping) @ entry)

    @cached_property
    def _filtered(self) -> Array:
        """The part of each track of the evidence in the user's vector, evidence x dimensions."""
        weights = self._weights / self._learned.fans[self._columns]
        filtered: Array = self._learned.vectors[self._columns] * weights[:, None]
        return filtered

    @cached_property
    def _power(self) -> Array:
        """The power of each track's popularity in both parts."""
        power: Array = self._fans ** np.float32(self._learned.weights.popularity - 0.5)
        return power

    @cached_property
    def _parts(self) -> tuple[Array, Array]:
        """Both parts of the scores, 0 for seeds and the tracks of the library."""
        walk = np.asarray(self._likes.T @ np.asarray(self._steps.sum(axis=1)), np.float32) * self._power
        spectrum = (self._learned.vectors @ self._filtered.sum(axis=0)) * self._power
        known = is_among(self._learned.tracks, np.union1d(self._library, self._learned.seeds))
        return np.where(known, 0, walk), np.where(known, 0, spectrum)

    @cached_property
    def _scales(self) -> tuple[float, float]:
        """The factor of each part in the sum."""
        walk, spectrum = (float(part.max(initial=0)) for part in self._parts)
        weight = self._learned.weights.spectrum
        return 1 / walk if walk > 0 else 0.0, weight / spectrum if spectrum > 0 else 0.0

    @cached_property
    def scores(self) -> Array:
        """The score of each learned track."""
        (walk, spectrum), (of_walk, of_spectrum) = self._parts, self._scales
        scores: Array = of_walk * walk + of_spectrum * spectrum
        return scores

    def support(self, places: Numbers) -> Array:
        """Return the part of each of ``own`` in the scores of the tracks at *places*, ``own`` x places."""
        walk = (self._steps.T @ self._likes[:, places]).toarray()
        spectrum = self._filtered @ self._learned.vectors[places].T
        of_walk, of_spectrum = self._scales
        support: Array = (of_walk * walk + of_spectrum * spectrum) * self._power[places]
        return support
