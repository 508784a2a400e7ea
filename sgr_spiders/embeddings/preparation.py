"""Training and test data for models, from one snapshot of the database."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.embeddings.features import read_features
from sgr_spiders.embeddings.interactions import LIKES, read_interactions
from sgr_spiders.embeddings.pair_times import read_pair_times
from sgr_spiders.embeddings.split import Split, split
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.storage import interactions_read
from sgr_spiders.storage.libraries import Inclusion
from sgr_spiders.storage.looked_at import read_libraries
from sgr_spiders.storage.pairs.reading import read_discovered
from sgr_spiders.text.formatting import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    import pyarrow as pa
    import scipy.sparse as sp
    from numpy.typing import NDArray

    from sgr_spiders.embeddings.interactions import Interactions
    from sgr_spiders.embeddings.pair_times import PairTimes
    from sgr_spiders.storage.store import Connection

    Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Choice:
    """The selection and the split of training data; see ``read_interactions`` and ``split``."""

    sources: Mapping[str, float] = field(default_factory=lambda: dict(LIKES))
    min_per_user: int = 1
    min_per_track: int = 1
    seeds: tuple[int, ...] | None = None
    """Use only records found around these tracks."""
    test: float = 0.2
    validation: float = 0.1
    split_seed: int = 1
    include_unseen: bool = False
    """Include users and playlists whose library was not looked at."""
    include_removed: bool = False
    """Include what has been removed from its list."""

    @property
    def include(self) -> Inclusion:
        return Inclusion(self.include_unseen, self.include_removed)

    def as_plain(self) -> dict[str, Any]:
        """Return the fields as plain data."""
        seeds = None if self.seeds is None else list(self.seeds)
        return dataclasses.asdict(self) | {"sources": dict(self.sources), "seeds": seeds}


@dataclass(frozen=True, slots=True)
class Sequences:
    """Playlists as ordered sequences of track IDs.

    Playlist ``ids[i]`` contains ``tracks[starts[i]:starts[i + 1]]``, at least two tracks.
    """

    ids: Ids
    starts: Ids
    tracks: Ids

    def __repr__(self) -> str:
        return f"Sequences({pluralize(len(self), 'playlist')})"

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Ids]:
        """Return an iterator over the tracks of each playlist."""
        return (self.tracks[start:end] for start, end in zip(self.starts[:-1], self.starts[1:], strict=True))


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The result of ``RelationshipProcessor.prepare_for_embeddings``.

    ``interactions``: the matrix, with the IDs of its rows and columns. ``split``: its parts for training,
    validation and testing. ``users``, ``tracks``: tables of features, one row for each row or column of the
    matrix, in the same order. ``playlists``: the playlists in scope, without the tracks held out from their
    owners. ``seed_tracks``: the IDs of the seeds of all harvests, which are never held out. ``times``: when
    the pairs were liked, if that was asked for. ``nodes``: the attributes of users
    and tracks as nodes of a graph.
    """

    choice: Choice
    interactions: Interactions
    split: Split
    users: pa.Table
    tracks: pa.Table
    playlists: Sequences
    seed_tracks: Ids
    times: PairTimes | None = None
    nodes: pa.Table | None = None

    def __repr__(self) -> str:
        return f"TrainingData({self.interactions!r}, {self.split!r}, {self.playlists!r})"


def prepare(connection: Connection, choice: Choice, *, with_times: bool = False) -> TrainingData:
    """Read and split the data selected by *choice*.

    Args:
        connection: the database.
        choice: the selection and the split.
        with_times: whether to read when the pairs were liked.

    Raises:
        ArgumentError: the choice is invalid.
    """
    for seed in choice.seeds or ():
        if not len(read_discovered(connection, "track", [seed], "all")):
            raise ArgumentError(f"seed {seed}: nothing was harvested around it in this database")
    interactions = read_interactions(
        connection,
        sources=choice.sources,
        min_per_user=choice.min_per_user,
        min_per_track=choice.min_per_track,
        seeds=choice.seeds,
        include=choice.include,
    )
    seed_tracks = interactions_read.read_seeds(connection)
    parts = split(
        interactions,
        seed_tracks,
        test=choice.test,
        validation=choice.validation,
        seed=choice.split_seed,
    )
    rows = choice.include.rows
    times = read_pair_times(connection, interactions, choice.sources, rows) if with_times else None
    return TrainingData(
        choice=choice,
        interactions=interactions,
        split=parts,
        users=read_features(connection, "user", interactions.users),
        tracks=read_features(connection, "track", interactions.tracks),
        playlists=read_training_playlists(connection, choice).without_held_out(
            interactions, parts.validation, parts.test
        ),
        seed_tracks=seed_tracks,
        times=times,
    )


@dataclass(frozen=True, slots=True)
class Playlists:
    """The playlists in scope, with one element per membership: its playlist, the owner, and the track."""

    ids: Ids
    playlist: Ids
    owners: Ids
    tracks: Ids

    def without_held_out(self, interactions: Interactions, *held_out: sp.csr_array) -> Sequences:
        """Return the playlists without the tracks held out from their owners, if two tracks are left."""
        kept = ~_is_held_out(interactions, held_out, self.owners, self.tracks)
        sizes = np.bincount(self.playlist[kept], minlength=len(self.ids))
        long = sizes >= 2
        kept &= long[self.playlist]
        starts = np.concatenate([[0], np.cumsum(sizes[long])]).astype(np.int64)
        return Sequences(self.ids[long], starts, self.tracks[kept])


def read_training_playlists(connection: Connection, choice: Choice) -> Playlists:
    """Return the playlists in the scope of *choice*."""
    groups, owners = interactions_read.read_memberships(connection, choice.include.rows)
    playlist = np.repeat(np.arange(len(groups.owners)), groups.sizes)
    kept = read_libraries(connection, "playlist", choice.include).contain(groups.owners)[playlist]
    if choice.seeds is not None:
        around = [
            read_discovered(connection, kind, choice.seeds, choice.include.rows)
            for kind in ("playlist", "track")
        ]
        kept &= np.isin(groups.owners, around[0])[playlist] & np.isin(groups.members, around[1])
    return Playlists(groups.owners, playlist[kept], owners[playlist][kept], groups.members[kept])


def _is_held_out(
    interactions: Interactions, parts: Sequence[sp.csr_array], users: Ids, tracks: Ids
) -> NDArray[np.bool_]:
    """Return which of these pairs of IDs are in *parts* of the matrix."""
    width = max(1, len(interactions.tracks))
    held = [_keys(part, width) for part in parts]
    row, column = interactions.user_indices(users), interactions.track_indices(tracks)
    known = (row >= 0) & (column >= 0)
    return known & np.isin(row * width + column, np.concatenate(held))


def _keys(part: sp.csr_array, width: int) -> Ids:
    row = np.repeat(np.arange(part.shape[0], dtype=np.int64), np.diff(part.indptr))
    keys: Ids = row * width + part.indices
    return keys
