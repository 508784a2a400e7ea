"""Small worlds and their relationships, computed pair by pair with sets and fractions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from itertools import chain, combinations
from math import sqrt
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.relationships import TYPES
from sgr_spiders.storage import schema
from sgr_spiders.storage.ledger.frontier import walk_id
from sgr_spiders.storage.pairs.tables import SIGNIFICANCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sgr_spiders.config.harvest import Relationships
    from sgr_spiders.storage.store import Store

Rows = dict[tuple[int, int], tuple[Any, ...]]
WALKS: dict[str, dict[str, Any]] = {
    "whole": {"status": "done", "received": 1, "kept": 1},
    "newest": {"status": "capped", "received": 1, "kept": 1},
    "unseen": {"status": "planned", "received": 0, "kept": 0},
    "hidden": {"status": "done", "received": 0, "kept": 0, "expected": 7},
}
"""A walk of a library in each state."""
LOOKS = """
SELECT CAST(target AS BIGINT),
       CASE status WHEN 'done' THEN 'whole' WHEN 'capped' THEN 'newest' ELSE 'hidden' END
FROM walks WHERE endpoint = 'user_likes' AND (status <> 'done' OR received > 0 OR expected = 0)
"""
"""The state of each library in the ledger of a crawl."""
CUT_PLAYLISTS = """
SELECT CAST(target AS BIGINT) FROM walks WHERE endpoint = 'playlist_tracks' AND status = 'capped'
UNION SELECT playlist_id FROM playlist_leftovers
"""
"""The playlists that were looked at only in part."""
NOW = "2026-01-01T00:00:00.000000Z"


@dataclass
class World:
    """A world: ``engagements`` (user, track, kind), ``playlists`` (ID and tracks), ``artists`` of tracks.

    ``owners``: of playlists. ``types``: what the API calls them. ``looks``: the state of each user's library,
    ``unseen`` by default; ``None``: no library was requested. ``cut_playlists``: those that were looked at
    only in part.
    """

    engagements: set[tuple[int, int, str]] = field(default_factory=set)
    playlists: dict[int, set[int]] = field(default_factory=dict)
    artists: dict[int, int] = field(default_factory=dict)
    owners: dict[int, int] = field(default_factory=dict)
    types: dict[int, str] = field(default_factory=dict)
    looks: dict[int, str] | None = None
    cut_playlists: set[int] = field(default_factory=set)
    removed: set[tuple[int, int, str]] = field(default_factory=set)
    """Engagements, and (playlist, track, "place"), that were there at an earlier look."""

    def present(self) -> World:
        """Return the world without what has been removed."""
        return replace(
            self,
            engagements=self.engagements - self.removed,
            playlists={
                playlist: {track for track in members if (playlist, track, "place") not in self.removed}
                for playlist, members in self.playlists.items()
            },
            removed=set(),
        )

    def libraries(self, kinds: tuple[str, ...] = ("like",)) -> dict[int, set[int]]:
        found: dict[int, set[int]] = {}
        for user, track, kind in self.engagements:
            if kind in kinds:
                found.setdefault(user, set()).add(track)
        return found

    def libraries_looked_at(self, config: Relationships) -> dict[int, set[int]]:
        """Return the libraries that count."""
        return {
            user: library
            for user, library in self.libraries(config.engagement_kinds).items()
            if self.looks is None
            or config.include_unseen
            or "like" not in config.engagement_kinds
            or self.looks.get(user) in {"whole", "newest"}
        }

    def is_album(self, playlist: int) -> bool:
        """Return whether a playlist has the tracks of its owner, and of nobody else."""
        owner, tracks = self.owners.get(playlist), self.playlists[playlist]
        known = [self.artists[track] for track in tracks if track in self.artists]
        if owner is None or any(artist != owner for artist in known):
            return False
        return self.types.get(playlist) in {"album", "ep", "single"} or 2 * len(known) >= len(tracks)

    def cut_libraries(self, config: Relationships) -> set[int]:
        if self.looks is None or "like" not in config.engagement_kinds:
            return set()
        return {user for user, library in self.looks.items() if library == "newest"}

    def _stamps(self, link: tuple[int, int, str]) -> dict[str, str | None]:
        removed = ("later", "left_list") if link in self.removed else (None, None)
        return dict(zip(("removed_at", "removed_reason"), removed, strict=True))

    def _walks(self) -> list[dict[str, Any]]:
        return [
            {
                "walk_id": walk_id("user_likes", str(user)),
                "endpoint": "user_likes",
                "target": str(user),
                "created_at": NOW,
                **dict.fromkeys(("generation", "pages", "empty_pages"), 0),
                "cursor": "",
                "expected": None,
                **WALKS[library],
            }
            for user, library in (self.looks or {}).items()
        ]

    def lists(self) -> dict[sa.Table, list[dict[str, Any]]]:
        """Return the rows of all but users and tracks: what is in which list, and what was looked at."""
        whole = {"is_stub": False, "fullness": 3, "fetched_at": NOW}
        return {
            schema.playlists: [
                {
                    "playlist_id": playlist,
                    "owner_id": self.owners.get(playlist),
                    "playlist_type": self.types.get(playlist),
                    **whole,
                }
                for playlist in self.playlists
            ],
            schema.engagements: [
                {"user_id": user, "track_id": track, "kind": kind, **self._stamps((user, track, kind))}
                for user, track, kind in self.engagements
            ],
            schema.playlist_tracks: [
                {
                    "playlist_id": playlist,
                    "track_id": track,
                    "position": position,
                    **self._stamps((playlist, track, "place")),
                }
                for playlist, members in self.playlists.items()
                for position, track in enumerate(sorted(members))
            ],
            schema.playlist_leftovers: [
                {"playlist_id": playlist, "track_id": 0, "position": len(self.playlists[playlist])}
                for playlist in self.cut_playlists
            ],
            schema.walks: self._walks(),
        }

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
            **self.lists(),
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
    if not config.include_removed:
        world = world.present()
    libraries, cut = world.libraries_looked_at(config), world.cut_libraries(config)
    playlists = _playlists_of_tracks(world, config)
    weigh = partial(_weigh, world, config, Counter(chain.from_iterable(playlists.values())))
    fans: dict[int, set[int]] = {}
    for user, library in libraries.items():
        for track in library & set(world.artists):
            fans.setdefault(world.artists[track], set()).add(user)
    cut_tracks = {track for track, owners in playlists.items() if owners & world.cut_playlists}
    cut_artists = {artist for artist, users in fans.items() if users & cut}
    return {
        "user_similarities": _mark(_similar(libraries, config), cut),
        "user_cosines": _mark(_near(libraries, config), cut),
        "track_relationships": {
            (a, b): (len(shared), value / sqrt(weigh(playlists[a])[1] * weigh(playlists[b])[1]), is_cut)
            for a, b in combinations(sorted(playlists), 2)
            if (shared := playlists[a] & playlists[b])
            for (count, value), is_cut in [(weigh(shared), bool(cut_tracks & {a, b}))]
            if count >= config.track_cooccurrence.min_cooccurrences
        },
        "artist_relationships": {
            pair: (
                count,
                count / (count + config.artist_relation.shrinkage) * (count / sqrt(a * b)),
                bool(cut_artists & {*pair}),
            )
            for pair, (count, a, b) in _common(fans).items()
            if count >= config.artist_relation.min_shared_fans
        },
    }


def _playlists_of_tracks(world: World, config: Relationships) -> dict[int, set[int]]:
    """Return the playlists of each track that count."""
    choice = config.track_cooccurrence.playlists
    playlists: dict[int, set[int]] = {}
    for playlist, members in world.playlists.items():
        if choice == "all" or world.is_album(playlist) == (choice == "albums"):
            for track in members:
                playlists.setdefault(track, set()).add(playlist)
    return playlists


def _weigh(
    world: World, config: Relationships, sizes: Mapping[int, int], shared: set[int]
) -> tuple[int, float]:
    """Return how many playlists count, and the sum of what they count."""
    section = config.track_cooccurrence
    most = section.max_contribution
    owners = {playlist: 0 if most is None else world.owners.get(playlist, 0) for playlist in shared}
    values = {
        playlist: 1.0 if section.weighting == "count" else _share(sizes[playlist]) for playlist in shared
    }
    used: Counter[int] = Counter()
    value = 0.0
    for playlist in sorted(shared, key=lambda one: (owners[one], -values[one], one)):
        owner = owners[playlist] or -playlist
        used[owner] += 1
        if most is None or used[owner] <= most:
            value += values[playlist]
    return sum(used.values() if most is None else (min(count, most) for count in used.values())), value


def _share(size: int) -> float:
    return 1 / (size - 1) if size > 1 else 0.0


def _mark(rows: Rows, cut: set[int]) -> Rows:
    return {pair: (*measures, bool(cut & {*pair})) for pair, measures in rows.items()}


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


def stored(store: Store, *, with_significance: bool = False) -> dict[str, Rows]:
    """Return the rows of all tables: the measures, the significance if wanted, and ``cut``."""
    left_out = set() if with_significance else {column.name for column in SIGNIFICANCE}
    with store.write() as connection:
        return {
            relationship.table.name: {
                (row[0], row[1]): tuple(row[2:])
                for row in connection.execute(
                    sa.select(*(c for c in relationship.table.as_table().c if c.name not in left_out))
                )
            }
            for relationship in TYPES.values()
        }
