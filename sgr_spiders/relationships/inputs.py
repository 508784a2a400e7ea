"""The input of relationships: spilled data, read once, limited to the scope, with numbered nodes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.storage.lookup import distinct, look_up, mix
from sgr_spiders.storage.pairs import reading as read

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from typing import Any, Protocol

    from numpy.typing import NDArray

    from sgr_spiders.config.harvest import Relationships
    from sgr_spiders.storage.pairs.reading import Groups, InputName
    from sgr_spiders.storage.store import Connection

    class Readable(Protocol):
        """A database, or one snapshot of it."""

        def read(self) -> AbstractContextManager[Connection]:
            """Yield a read-only connection."""

    Ids = NDArray[np.int64]
    Numbers = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Incidence:
    """The contexts of each node: ascending node *ids*, and the context numbers of each node.

    The contexts of node ``i`` are ``contexts[starts[i]:starts[i + 1]]``, ascending and distinct.
    """

    ids: Ids
    starts: Ids
    contexts: Numbers
    context_count: int
    context_ids: Ids | None = None
    """The ID of each context; needed to compare nodes with those of another time."""

    @property
    def sizes(self) -> Ids:
        return np.diff(self.starts)

    @property
    def counts(self) -> dict[str, int]:
        """The numbers of nodes, of contexts and of entries."""
        return {
            "nodes": len(self.ids),
            "contexts": self.context_count,
            "entries": len(self.contexts),
        }

    def transposed(self, ids: Ids) -> Incidence:
        """Return the transpose: the contexts become the nodes, with these *ids*."""
        order = np.argsort(self.contexts, kind="stable")
        owners = np.repeat(np.arange(len(self.ids), dtype=np.int32), self.sizes)
        counts = np.bincount(self.contexts, minlength=self.context_count)
        return Incidence(ids, _starts(counts), owners[order], len(self.ids), self.ids)

    def without_contexts_of_more_than(self, share: float) -> Incidence:
        """Drop the contexts that more than this share of all nodes have."""
        most = int(Fraction(repr(share)) * len(self.ids))
        frequent = np.bincount(self.contexts, minlength=self.context_count) > most
        if not frequent.any():
            return self
        kept = ~frequent[self.contexts]
        starts = np.concatenate([[0], np.cumsum(kept)])[self.starts]
        return replace(self, starts=starts, contexts=self.contexts[kept])


@dataclass(frozen=True, slots=True)
class Members:
    """Owners as nodes, their members as contexts, and the IDs of the members."""

    incidence: Incidence
    ids: Ids

    def of_members(self) -> Incidence:
        """Return the members as nodes and the owners as contexts."""
        return self.incidence.transposed(self.ids)


class RelationshipInput:
    """The data that relationships are built from. Data that several types need is read once."""

    def __init__(self, store: Readable, config: Relationships, seeds: Sequence[int] | None) -> None:
        """Limit the input to records found around *seeds*; ``None``: all records."""
        self._store = store
        self._config = config
        self._seeds = seeds
        self._checksums: dict[str, str] = {}

    def parameters(self) -> dict[str, Any]:
        """Return the parameters that limit the input, as plain data."""
        names = {"engagement_kinds", "user_sample", "sample_seed"}
        seeds = None if self._seeds is None else sorted(set(self._seeds))
        return self._config.model_dump(mode="json", include=names) | {"seeds": seeds}

    def fingerprint(self, names: Sequence[InputName]) -> str:
        """Return a hash of the inputs *names*. This reads their rows, but keeps none in memory."""
        parts: dict[str, str] = {name: self._checksum(name) for name in names}
        if self._seeds is not None:
            parts["scope"] = self._scope_checksum
        return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()

    def _checksum(self, name: InputName) -> str:
        if name not in self._checksums:
            with self._store.read() as connection:
                self._checksums[name] = read.checksum(connection, name, self._config.engagement_kinds)
        return self._checksums[name]

    @cached_property
    def _scope_checksum(self) -> str:
        digest = hashlib.blake2b(digest_size=16)
        with self._store.read() as connection:
            for kind in ("user", "track", "playlist"):
                digest.update(read.read_discovered(connection, kind, self._seeds or ()).data)
                digest.update(kind.encode())
        return digest.hexdigest()

    @cached_property
    def likes(self) -> Members:
        """The users in scope and their liked tracks."""
        with self._store.read() as connection:
            groups = read.read_likes(connection, self._config.engagement_kinds)
        sampled = _sample(groups.owners, self._config.user_sample, self._config.sample_seed)
        return _number(
            groups, sampled & self._in_scope("user", groups.owners), self._members_in_scope(groups)
        )

    @cached_property
    def playlists(self) -> Members:
        """The playlists and their tracks."""
        with self._store.read() as connection:
            groups = read.read_playlists(connection)
        owners = self._in_scope("playlist", groups.owners)
        return _number(groups, owners, self._members_in_scope(groups))

    @cached_property
    def fans(self) -> Incidence:
        """The artists as nodes, and the users who like a track of theirs as contexts."""
        with self._store.read() as connection:
            uploads = read.read_uploads(connection)
        likes = self.likes
        artist = _owner_numbers(uploads, likes.ids)[likes.incidence.contexts]
        user = np.repeat(np.arange(len(likes.incidence.ids)), likes.incidence.sizes)
        known = artist >= 0
        pairs = distinct(artist[known] * len(likes.incidence.ids) + user[known])
        artists, users = np.divmod(pairs, max(1, len(likes.incidence.ids)))
        present, sizes = np.unique(artists, return_counts=True)
        fans = likes.incidence.ids
        return Incidence(uploads.owners[present], _starts(sizes), users.astype(np.int32), len(fans), fans)

    def _in_scope(self, kind: str, ids: Ids) -> NDArray[np.bool_]:
        if self._seeds is None:
            return np.ones(len(ids), bool)
        with self._store.read() as connection:
            return np.isin(ids, read.read_discovered(connection, kind, self._seeds))

    def _members_in_scope(self, groups: Groups) -> NDArray[np.bool_] | None:
        return None if self._seeds is None else self._in_scope("track", groups.members)


def _sample(ids: Ids, share: float, seed: int) -> NDArray[np.bool_]:
    """Return a mask of a random share of *ids*.

    Each ID is chosen by its own hash, so the choice does not depend on the other IDs.
    """
    if share == 1:
        return np.ones(len(ids), bool)
    mixed = mix(ids.astype(np.uint64) + np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64))
    return mixed < np.uint64(int(share * 2**64))


def _number(groups: Groups, owners: NDArray[np.bool_], members: NDArray[np.bool_] | None) -> Members:
    """Keep these owners and members, and number the members in order of their IDs."""
    kept = np.repeat(owners, groups.sizes)
    if members is not None:
        kept &= members
    everything = bool(kept.all())
    member = groups.members if everything else groups.members[kept]
    owner = np.repeat(np.arange(len(groups.owners)), groups.sizes)
    if not everything:
        owner = owner[kept]
    ids = distinct(member)
    keys = owner * max(1, len(ids)) + np.searchsorted(ids, member)
    if len(keys) and not (keys[1:] > keys[:-1]).all():
        keys = distinct(keys)  # liked and reposted tracks, or unsorted members
    owner, number = np.divmod(keys, max(1, len(ids)))
    sizes = np.bincount(owner, minlength=len(groups.owners))
    present = sizes > 0
    starts, contexts = _starts(sizes[present]), number.astype(np.int32)
    incidence = Incidence(groups.owners[present], starts, contexts, len(ids), ids)
    return Members(incidence, ids)


def _owner_numbers(groups: Groups, members: Ids) -> Ids:
    """Return the owner number of each of *members*; -1 for none."""
    order = np.argsort(groups.members)
    owners = np.repeat(np.arange(len(groups.owners)), groups.sizes)
    return look_up(groups.members[order], owners[order], members)


def _starts(sizes: NDArray[np.int64]) -> Ids:
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)
