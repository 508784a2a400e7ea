"""The contents of a world: people, tracks, playlists and links, with lookups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.sandbox import titles
from sgr_spiders.sandbox.engagement import (
    Comments,
    SeedFans,
    build_comments,
    build_follows,
    build_likes,
    build_reposts,
    build_set_links,
)
from sgr_spiders.sandbox.names import label_spellings
from sgr_spiders.sandbox.playlists import Playlists, build_playlists
from sgr_spiders.sandbox.population import (
    LISTENER,
    PUBLIC,
    Catalogue,
    People,
    build_catalogue,
    build_people,
)
from sgr_spiders.sandbox.search import SearchIndex
from sgr_spiders.sandbox.seeding import Bools, Indices, Ints, mix, stream
from sgr_spiders.sandbox.vocabulary import SCENES, Scene

if TYPE_CHECKING:
    from sgr_spiders.sandbox.edges import Edges
    from sgr_spiders.sandbox.options import WorldOptions

_RELATED = 60


class Model:
    """Everything in a world by index (rows of arrays); `World` uses public IDs."""

    def __init__(self, options: WorldOptions) -> None:
        self.options = options
        self.generation = 0
        self.days = 0
        self.people: People = build_people(options)
        self.catalogue: Catalogue = build_catalogue(options, self.people)
        titles.write_titles(options.seed, self.people, self.catalogue)
        fans = SeedFans.choose(options, self.people)
        self.fans = fans
        rng = stream(options.seed, "durations")
        self.durations_ms: Ints = rng.integers(95_000, 420_000, len(self.catalogue))
        self.likes: Edges = build_likes(options, self.people, self.catalogue, fans)
        self.reposts: Edges = build_reposts(options, self.people, self.catalogue, fans)
        self.follows: Edges = build_follows(options, self.people)
        self.playlists: Playlists = build_playlists(options, self.people, self.catalogue, fans)
        self.playlist_likes, self.playlist_reposts = (
            build_set_links(
                options, name, self.people, self.playlists.created_s,
                self.playlists.community, self.playlists.weight,
            )
            for name in ("playlist likes", "playlist reposts")
        )  # fmt: skip
        self.comments: Comments = build_comments(
            options, self.people, self.catalogue, self.likes, fans, self.durations_ms
        )
        self._community_artists = _artists_by_community(self.people, options.community_count)
        self._by_permalink = {link: number for number, link in enumerate(self.people.permalinks)}
        self._index_uploads()
        self.index_playlists()
        self._open_search()
        self.refresh_visibility()

    def _index_uploads(self) -> None:
        newest = np.argsort(-self.catalogue.uploaded_s, kind="stable")
        order = newest[np.argsort(self.catalogue.uploader[newest], kind="stable")]
        self._uploads = order.astype(np.int32)
        self._upload_starts = np.searchsorted(self.catalogue.uploader[order], np.arange(len(self.people) + 1))

    def index_playlists(self) -> None:
        """Index the playlists by owner and title; call this after playlists were added."""
        newest = np.argsort(-self.playlists.created_s, kind="stable")
        order = newest[np.argsort(self.playlists.owner[newest], kind="stable")]
        self._sets = order.astype(np.int32)
        self._set_starts = np.searchsorted(self.playlists.owner[order], np.arange(len(self.people) + 1))
        self.playlist_search = SearchIndex(
            (
                f"{title} {self.people.usernames[owner]}"
                for title, owner in zip(self.playlists.titles, self.playlists.owner.tolist(), strict=True)
            ),
            self.playlists.weight,
        )

    def _open_search(self) -> None:
        people, catalogue = self.people, self.catalogue
        documents = (
            f"{title} {people.usernames[uploader]} {self.label_text(number)} {self.scene_of(number).genre}"
            for number, (title, uploader) in enumerate(
                zip(catalogue.titles, catalogue.uploader.tolist(), strict=True)
            )
        )
        self.track_search = SearchIndex(documents, catalogue.weight)
        self.user_search = SearchIndex(
            (f"{name} {link}" for name, link in zip(people.usernames, people.permalinks, strict=True)),
            people.weight,
        )

    def refresh_visibility(self) -> None:
        """Recompute visibility; call this after states have changed."""
        catalogue, playlists = self.catalogue, self.playlists
        self.user_visible: Bools = ~self.people.deleted
        self.track_visible: Bools = (catalogue.state == PUBLIC) & self.user_visible[catalogue.uploader]
        self.playlist_visible: Bools = (playlists.state == PUBLIC) & self.user_visible[playlists.owner]

    # --- indices and ids -------------------------------------------------------------

    @property
    def seed_track_id(self) -> int:
        return int(self.catalogue.ids[self.catalogue.seed])

    @property
    def seed_artist_id(self) -> int:
        return int(self.people.ids[self.people.seed_artist])

    def track_ids(self) -> list[int]:
        """Return the IDs of all tracks, including invisible ones."""
        return numbers(self.catalogue.ids)

    def user_ids(self) -> list[int]:
        return numbers(self.people.ids)

    def playlist_ids(self) -> list[int]:
        return numbers(self.playlists.ids)

    def track_index(self, track_id: int) -> int | None:
        return _index_of(self.catalogue.ids, track_id)

    def user_index(self, user_id: int) -> int | None:
        return _index_of(self.people.ids, user_id)

    def playlist_index(self, playlist_id: int) -> int | None:
        return _index_of(self.playlists.ids, playlist_id)

    def person_by_permalink(self, permalink: str) -> int | None:
        """Return the index of the person whose page is soundcloud.com/PERMALINK."""
        return self._by_permalink.get(permalink.lower())

    def uploads_of(self, person: int) -> Indices:
        """Return the indices of all tracks of a person (by index), newest first."""
        return self._uploads[self._upload_starts[person] : self._upload_starts[person + 1]]

    def sets_of(self, person: int) -> Indices:
        """Return the indices of all playlists of a person (by index), newest first."""
        return self._sets[self._set_starts[person] : self._set_starts[person + 1]]

    def scene_of(self, track: int) -> Scene:
        return SCENES[int(self.catalogue.community[track]) % len(SCENES)]

    def label_text(self, track: int) -> str:
        """Return the label as the track's field or description spells it, or ""."""
        label = int(self.catalogue.label[track])
        if label < 0:
            return ""
        spellings = label_spellings(self.people.label_names[label])
        return spellings[_spelling(int(self.catalogue.ids[track]), len(spellings))]

    def comments_shown(self, track: int) -> range:
        """Return the rows of a track's comments; none if the artist hides them."""
        return range(0) if self.catalogue.hides_comments[track] else self.comments.of_track(track)

    def related_artist(self, track: int, throw: int) -> int:
        """Return an artist (by index) of the track's community, to be mentioned."""
        mates = self._community_artists[int(self.catalogue.community[track])]
        return mates[throw % len(mates)] if mates else self.people.seed_artist

    def related_to_track(self, track: int) -> Indices:
        """Return the indices of the tracks the API calls related, best first."""
        rng = stream(self.options.seed, "related tracks", int(self.catalogue.ids[track]))
        mates = self._mates(self.catalogue.community, track)
        best = self.track_search.by_weight(mates)[: 4 * _RELATED]
        shuffled: Indices = rng.permutation(best)
        return shuffled[:_RELATED]

    def related_to_user(self, person: int) -> Indices:
        """Return the indices of the people the API calls related, best first."""
        rng = stream(self.options.seed, "related users", int(self.people.ids[person]))
        mates = self._mates(self.people.taste.home, person)
        best = self.user_search.by_weight(mates)[: 4 * _RELATED]
        shuffled: Indices = rng.permutation(best)
        return shuffled[:_RELATED]

    def _mates(self, community: Indices, index: int) -> Indices:
        mates: Indices = np.flatnonzero(community == community[index]).astype(np.int32)
        others: Indices = mates[mates != index]
        return others


def numbers(array: Ints) -> list[int]:
    """Return the array as a list of Python integers."""
    found: list[int] = array.tolist()
    return found


def _index_of(ids: Ints, wanted: int) -> int | None:
    index = int(np.searchsorted(ids, wanted))
    return index if index < len(ids) and int(ids[index]) == wanted else None


def _artists_by_community(people: People, communities: int) -> list[list[int]]:
    groups: list[list[int]] = [[] for _ in range(communities)]
    for person in np.flatnonzero(people.role != LISTENER).tolist():
        groups[int(people.taste.home[person])].append(person)
    return groups


def _spelling(track_id: int, choices: int) -> int:
    """Choose a spelling: the official one for two tracks in three."""
    throw = mix(17, track_id) % (3 * choices)
    return throw if throw < choices else 0
