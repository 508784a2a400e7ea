"""The input of relationships: spilled data, read once, limited to the scope, with numbered nodes."""

from __future__ import annotations

import contextlib
import hashlib
import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.relationships.playlists import Playlists, find_albums
from sgr_spiders.storage import past
from sgr_spiders.storage.libraries import LEFT_OUT, Inclusion
from sgr_spiders.storage.looked_at import ALL_COUNT, read_libraries, read_user_libraries
from sgr_spiders.storage.lookup import distinct, look_up, mix
from sgr_spiders.storage.pairs import reading as read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import Any, Protocol

    from numpy.typing import NDArray

    from sgr_spiders.config.harvest import Relationships
    from sgr_spiders.storage.libraries import Rows
    from sgr_spiders.storage.looked_at import Libraries
    from sgr_spiders.storage.pairs.reading import Groups, InputName, PlaylistFacts
    from sgr_spiders.storage.store import Connection

    class Readable(Protocol):
        """A database, or one snapshot of it."""

        def read(self) -> AbstractContextManager[Connection]:
            """Yield a read-only connection."""

    Ids = NDArray[np.int64]
    Mask = NDArray[np.bool_]
    Numbers = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Incidence:
    """The contexts of each node: ascending node *ids*, and the context numbers of each node.

    The contexts of node ``i`` are ``contexts[starts[i]:starts[i + 1]]``, ascending and distinct. ``cut``
    marks the nodes with a library that was looked at only in part, their own or one of their contexts';
    ``None``: no node. ``left_out`` is the number of libraries left out because they were not looked at.
    """

    ids: Ids
    starts: Ids
    contexts: Numbers
    context_count: int
    context_ids: Ids | None = None
    """The ID of each context; needed to compare nodes with those of another time. It is a hash instead if a
    context may count differently at another time."""
    cut: Mask | None = None
    left_out: int = 0
    context_owners: Ids | None = None
    """The account that made each context, 0 if it is unknown."""
    kinds: Mapping[str, int] = field(default_factory=dict)
    """The numbers of contexts of each kind, also of those that do not count here."""

    @property
    def sizes(self) -> Ids:
        return np.diff(self.starts)

    @property
    def context_sizes(self) -> Ids:
        """The number of nodes of each context."""
        return np.bincount(self.contexts, minlength=self.context_count)

    @property
    def counts(self) -> dict[str, int]:
        """The numbers of nodes, of contexts, of entries, and of libraries left out."""
        return {
            "nodes": len(self.ids),
            "contexts": self.context_count,
            "entries": len(self.contexts),
            LEFT_OUT: self.left_out,
            **self.kinds,
        }

    @property
    def is_cut(self) -> Mask:
        return np.zeros(len(self.ids), bool) if self.cut is None else self.cut

    def transposed(self, ids: Ids) -> Incidence:
        """Return the transpose: the contexts become the nodes, with these *ids*."""
        order = np.argsort(self.contexts, kind="stable")
        owners = np.repeat(np.arange(len(self.ids), dtype=np.int32), self.sizes)
        counts = np.bincount(self.contexts, minlength=self.context_count)
        cut = np.zeros(self.context_count, bool)
        cut[self.contexts[np.repeat(self.is_cut, self.sizes)]] = True
        return Incidence(ids, _starts(counts), owners[order], len(self.ids), self.ids, cut, self.left_out)

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


class Source(ABC):
    """The rows that the input is read from."""

    @abstractmethod
    def groups(self, name: InputName, kinds: Sequence[str], rows: Rows) -> Groups:
        """Return owners and members; of likes, those of these *kinds*."""

    @abstractmethod
    def user_libraries(self, kinds: Sequence[str], include: Inclusion) -> Libraries:
        """Return the libraries of users that count where engagements of these *kinds* are compared."""

    @abstractmethod
    def playlist_libraries(self, include: Inclusion) -> Libraries:
        """Return the playlists that count."""

    @abstractmethod
    def playlist_facts(self) -> PlaylistFacts:
        """Return the owners of all playlists, and what the API calls them."""

    @abstractmethod
    def discovered(self, kind: str, seeds: Sequence[int], rows: Rows) -> Ids:
        """Return the IDs of the records of *kind* found around any of the *seeds*, in ascending order."""

    @abstractmethod
    def checksum(self, name: InputName, kinds: Sequence[str], rows: Rows, libraries: Libraries) -> str:
        """Return a hash of an input, without the owners that *libraries* leaves out."""


class DatabaseSource(Source):
    """The rows of a database."""

    def __init__(self, store: Readable) -> None:
        self._store = store

    def groups(self, name: InputName, kinds: Sequence[str], rows: Rows) -> Groups:
        with self._store.read() as connection:
            if name == "likes":
                return read.read_likes(connection, kinds, rows)
            return (
                read.read_playlists(connection, rows)
                if name == "playlists"
                else read.read_uploads(connection)
            )

    def user_libraries(self, kinds: Sequence[str], include: Inclusion) -> Libraries:
        with self._store.read() as connection:
            return read_user_libraries(connection, kinds, include)

    def playlist_libraries(self, include: Inclusion) -> Libraries:
        with self._store.read() as connection:
            return read_libraries(connection, "playlist", include)

    def playlist_facts(self) -> PlaylistFacts:
        with self._store.read() as connection:
            return read.read_playlist_facts(connection)

    def discovered(self, kind: str, seeds: Sequence[int], rows: Rows) -> Ids:
        with self._store.read() as connection:
            return read.read_discovered(connection, kind, seeds, rows)

    def checksum(self, name: InputName, kinds: Sequence[str], rows: Rows, libraries: Libraries) -> str:
        with self._store.read() as connection:
            return read.checksum(connection, name, kinds, rows, libraries)


class Snapshot:
    """A snapshot that stays open, so that all parts of the input are of the same moment."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield the connection to the snapshot."""
        yield self._connection


class PastSource(DatabaseSource):
    """The rows of a database that were present before a time."""

    def __init__(self, store: Readable, moment: str) -> None:
        super().__init__(store)
        self._moment = moment

    def groups(self, name: InputName, kinds: Sequence[str], rows: Rows) -> Groups:
        with self._store.read() as connection:
            if name == "likes":
                return past.read_likes_at(connection, kinds, self._moment, rows)
            if name == "playlists":
                return past.read_playlists_at(connection, self._moment, rows)
            return read.read_uploads(connection)

    def user_libraries(self, kinds: Sequence[str], include: Inclusion) -> Libraries:
        with self._store.read() as connection:
            return past.read_libraries_at(connection, kinds, self._moment, include)

    def playlist_libraries(self, include: Inclusion) -> Libraries:
        # A playlist whose tracks are known was looked at.
        return ALL_COUNT


class RelationshipInput:
    """The data that relationships are built from. Data that several types need is read once."""

    def __init__(self, source: Source, config: Relationships, seeds: Sequence[int] | None) -> None:
        """Limit the input to records found around *seeds*; ``None``: all records."""
        self._source = source
        self._config = config
        self._seeds = seeds
        self._checksums: dict[str, str] = {}

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of all types that affect the result, as plain data."""
        names = {
            "engagement_kinds",
            "user_sample",
            "sample_seed",
            "include_unseen",
            "include_removed",
            "significance",
            "validated",
        }
        seeds = None if self._seeds is None else sorted(set(self._seeds))
        return self._config.model_dump(mode="json", include=names) | {"seeds": seeds}

    def fingerprint(self, names: Sequence[InputName]) -> str:
        """Return a hash of the inputs *names*. This reads their rows, but keeps none in memory."""
        parts: dict[str, str] = {name: self._checksum(name) for name in names}
        if self._seeds is not None:
            parts["scope"] = self._scope_checksum
        return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()

    def _checksum(self, name: InputName) -> str:
        if name not in self._checksums and name == "owners":
            self._checksums[name] = self._playlist_facts.checksum()
        if name not in self._checksums:
            libraries = self._libraries_of(name)
            self._checksums[name] = self._source.checksum(
                name, self._config.engagement_kinds, self._include.rows, libraries
            )
        return self._checksums[name]

    def _libraries_of(self, name: InputName) -> Libraries:
        """Return the libraries that count in an input."""
        if name == "playlists":
            return self._playlist_libraries
        return self._user_libraries if name == "likes" else ALL_COUNT

    @property
    def _include(self) -> Inclusion:
        return Inclusion(self._config.include_unseen, self._config.include_removed)

    @cached_property
    def _user_libraries(self) -> Libraries:
        return self._source.user_libraries(self._config.engagement_kinds, self._include)

    @cached_property
    def _playlist_libraries(self) -> Libraries:
        return self._source.playlist_libraries(self._include)

    @cached_property
    def _scope_checksum(self) -> str:
        digest = hashlib.blake2b(digest_size=16)
        for kind in ("user", "track", "playlist"):
            digest.update(self._source.discovered(kind, self._seeds or (), self._include.rows).data)
            digest.update(kind.encode())
        return digest.hexdigest()

    @cached_property
    def likes(self) -> Members:
        """The users in scope and their liked tracks."""
        groups = self._read("likes")
        sampled = _sample(groups.owners, self._config.user_sample, self._config.sample_seed)
        owners = sampled & self._in_scope("user", groups.owners)
        return _number(groups, owners, self._members_in_scope(groups), self._user_libraries)

    @property
    def playlists(self) -> Members:
        """The playlists and their tracks."""
        return self.playlists_by_kind.members

    @cached_property
    def playlists_by_kind(self) -> Playlists:
        """The playlists and their tracks, the owner of each playlist, and whether it is an album."""
        groups = self._read("playlists")
        chosen = self._in_scope("playlist", groups.owners)
        members = _number(groups, chosen, self._members_in_scope(groups), self._playlist_libraries)
        facts, kept = self._playlist_facts, members.incidence.ids
        is_album = find_albums(groups, _owners_of(self._uploads, groups.members), facts)
        return Playlists(members, facts.of(kept)[0], is_album[np.searchsorted(groups.owners, kept)])

    @cached_property
    def _playlist_facts(self) -> PlaylistFacts:
        return self._source.playlist_facts()

    @cached_property
    def _uploads(self) -> Groups:
        return self._read("uploads")

    @cached_property
    def fans(self) -> Incidence:
        """The artists as nodes, and the users who like a track of theirs as contexts."""
        uploads = self._uploads
        likes, users_count = self.likes.incidence, len(self.likes.incidence.ids)
        artist = _owner_numbers(uploads, self.likes.ids)[likes.contexts]
        user = np.repeat(np.arange(users_count), likes.sizes)
        known = artist >= 0
        pairs = distinct(artist[known] * users_count + user[known])
        artists, users = np.divmod(pairs, max(1, users_count))
        present, sizes = np.unique(artists, return_counts=True)
        cut = np.zeros(len(uploads.owners), bool)
        cut[artists[likes.is_cut[users]]] = True
        return Incidence(
            uploads.owners[present],
            _starts(sizes),
            users.astype(np.int32),
            users_count,
            likes.ids,
            cut[present],
            likes.left_out,
        )

    def _read(self, name: InputName) -> Groups:
        return self._source.groups(name, self._config.engagement_kinds, self._include.rows)

    def _in_scope(self, kind: str, ids: Ids) -> Mask:
        if self._seeds is None:
            return np.ones(len(ids), bool)
        return np.isin(ids, self._source.discovered(kind, self._seeds, self._include.rows))

    def _members_in_scope(self, groups: Groups) -> Mask | None:
        return None if self._seeds is None else self._in_scope("track", groups.members)


def _sample(ids: Ids, share: float, seed: int) -> Mask:
    """Return a mask of a random share of *ids*.

    Each ID is chosen by its own hash, so the choice does not depend on the other IDs.
    """
    if share == 1:
        return np.ones(len(ids), bool)
    mixed = mix(ids.astype(np.uint64) + np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64))
    return mixed < np.uint64(int(share * 2**64))


def _number(groups: Groups, owners: Mask, members: Mask | None, libraries: Libraries) -> Members:
    """Keep these owners, if their libraries count, and these members, and number the members by ID."""
    looked_at = libraries.contain(groups.owners)
    left_out = int((owners & ~looked_at).sum())
    kept = np.repeat(owners & looked_at, groups.sizes)
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
    nodes, starts, contexts = groups.owners[present], _starts(sizes[present]), number.astype(np.int32)
    cut = libraries.cut_short(nodes)
    return Members(Incidence(nodes, starts, contexts, len(ids), ids, cut, left_out), ids)


def _owner_numbers(groups: Groups, members: Ids) -> Ids:
    """Return the owner number of each of *members*; -1 for none."""
    order = np.argsort(groups.members)
    owners = np.repeat(np.arange(len(groups.owners)), groups.sizes)
    return look_up(groups.members[order], owners[order], members)


def _owners_of(groups: Groups, members: Ids) -> Ids:
    """Return the ID of the owner of each of *members*; 0 for none."""
    number = _owner_numbers(groups, members)
    return np.where(number >= 0, np.append(groups.owners, 0)[number], 0)


def _starts(sizes: NDArray[np.int64]) -> Ids:
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)
