"""Small worlds and their relationships, computed pair by pair with sets and fractions."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations
from math import sqrt
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.relationships import TYPES
from sgr_spiders.storage import schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sgr_spiders.config.harvest import Relationships
    from sgr_spiders.storage.store import Store

Rows = dict[tuple[int, int], tuple[Any, ...]]
NOW = "2026-01-01T00:00:00.000000Z"


@dataclass
class World:
    """A world: ``engagements`` (user, track, kind), ``playlists`` (ID and tracks), ``artists`` of tracks.

    ``owners``: of playlists.
    """

    engagements: set[tuple[int, int, str]] = field(default_factory=set)
    playlists: dict[int, set[int]] = field(default_factory=dict)
    artists: dict[int, int] = field(default_factory=dict)
    owners: dict[int, int] = field(default_factory=dict)

    def libraries(self, kinds: tuple[str, ...] = ("like",)) -> dict[int, set[int]]:
        found: dict[int, set[int]] = {}
        for user, track, kind in self.engagements:
            if kind in kinds:
                found.setdefault(user, set()).add(track)
        return found

    def spill(self, store: Store) -> None:
        """Write the world into the database, replacing its contents."""
        tracks = {track for _, track, _ in self.engagements} | set(self.artists)
        tracks |= {track for members in self.playlists.values() for track in members}
        users = {user for user, _, _ in self.engagements} | set(self.artists.values())
        users |= set(self.owners.values())
        whole = {"is_stub": False, "fullness": 3, "fetched_at": NOW}
        rows: dict[sa.Table, list[dict[str, Any]]] = {
            schema.users: [{"user_id": user, "username": f"user {user}", **whole} for user in users],
            schema.tracks: [
                {"track_id": track, "title": f"track {track}", "artist_id": self.artists.get(track), **whole}
                for track in tracks
            ],
            schema.playlists: [
                {"playlist_id": playlist, "owner_id": self.owners.get(playlist), **whole}
                for playlist in self.playlists
            ],
            schema.engagements: [
                {"user_id": user, "track_id": track, "kind": kind} for user, track, kind in self.engagements
            ],
            schema.playlist_tracks: [
                {"playlist_id": playlist, "track_id": track, "position": position}
                for playlist, members in self.playlists.items()
                for position, track in enumerate(sorted(members))
            ],
        }
        with store.write() as connection:
            for relationship in TYPES.values():
                connection.execute(sa.delete(relationship.table.as_table()))
            connection.execute(sa.delete(schema.relationship_runs))
            for table in reversed(rows):
                connection.execute(sa.delete(table))
            for table, values in rows.items():
                if values:
                    connection.execute(sa.insert(table), values)


def expected(world: World, config: Relationships) -> dict[str, Rows]:
    """Return the rows of all tables, found by brute force."""
    libraries = world.libraries(config.engagement_kinds)
    playlists: dict[int, set[int]] = {}
    for playlist, members in world.playlists.items():
        for track in members:
            playlists.setdefault(track, set()).add(playlist)
    fans: dict[int, set[int]] = {}
    for user, library in libraries.items():
        for track in library & set(world.artists):
            fans.setdefault(world.artists[track], set()).add(user)
    return {
        "user_similarities": _similar(libraries, config),
        "user_cosines": _near(libraries, config),
        "track_relationships": {
            pair: (count, count / sqrt(a * b))
            for pair, (count, a, b) in _common(playlists).items()
            if count >= config.track_cooccurrence.min_cooccurrences
        },
        "artist_relationships": {
            pair: (count, count / (count + config.artist_relation.shrinkage) * (count / sqrt(a * b)))
            for pair, (count, a, b) in _common(fans).items()
            if count >= config.artist_relation.min_shared_fans
        },
    }


def _common(sets: Mapping[int, set[int]]) -> dict[tuple[int, int], tuple[int, int, int]]:
    return {
        (a, b): (len(sets[a] & sets[b]), len(sets[a]), len(sets[b]))
        for a, b in combinations(sorted(sets), 2)
        if sets[a] & sets[b]
    }


def _similar(libraries: Mapping[int, set[int]], config: Relationships) -> Rows:
    section = config.user_similarity
    least = Fraction(str(section.min_similarity))
    return {
        pair: (count / (a + b - count), count, a, b)
        for pair, (count, a, b) in _common(libraries).items()
        if count >= section.min_common_tracks and Fraction(count, a + b - count) >= least
    }


def _near(libraries: Mapping[int, set[int]], config: Relationships) -> Rows:
    section = config.user_cosine
    least = Fraction(str(section.min_similarity))
    return {
        pair: (count / sqrt(a * b), count, a, b)
        for pair, (count, a, b) in _common(libraries).items()
        if count >= section.min_common_tracks and Fraction(count * count, a * b) >= least * least
    }


def stored(store: Store) -> dict[str, Rows]:
    """Return the rows of all tables."""
    with store.write() as connection:
        return {
            relationship.table.name: {
                (row[0], row[1]): tuple(row[2:])
                for row in connection.execute(sa.select(relationship.table.as_table()))
            }
            for relationship in TYPES.values()
        }
