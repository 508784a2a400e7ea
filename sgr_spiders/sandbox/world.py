"""The ground truth about a world, without HTTP, to compare a harvest with.

Methods named after the API's lists take and return public IDs. They return what a
client gets that follows every page, by default with all three ``access`` levels.
``None`` stands for the API's 404.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from sgr_spiders.sandbox import generations, titles
from sgr_spiders.sandbox.model import Model, numbers
from sgr_spiders.sandbox.options import WorldOptions
from sgr_spiders.sandbox.population import ACCESS_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sgr_spiders.sandbox.seeding import Indices
    from sgr_spiders.sandbox.titles import Credit

ALL_ACCESS: tuple[str, ...] = ACCESS_NAMES


@dataclass(frozen=True)
class CommentTruth:
    """A comment; ``timestamp_ms`` is ``None`` where the API returns null.

    ``user_is_null`` means that the author's account is gone: the API then returns
    ``"user": null``, and only ``user_urn`` identifies the author.
    """

    comment_id: int
    user_id: int
    user_is_null: bool
    timestamp_ms: int | None
    created_s: int


class World(Model):
    """People, tracks, playlists and their links. Build one with `World.build`."""

    @classmethod
    def build(cls, options: WorldOptions | None = None) -> World:
        """Build the world of these options, aged by ``options.generation`` rounds of change."""
        world = cls(options or WorldOptions())
        for _ in range(world.options.generation):
            generations.age(world)
        return world

    # --- the truth, in public ids ----------------------------------------------------

    def track_is_visible(self, track_id: int) -> bool:
        index = self.track_index(track_id)
        return index is not None and bool(self.track_visible[index])

    def user_is_visible(self, user_id: int) -> bool:
        index = self.user_index(user_id)
        return index is not None and bool(self.user_visible[index])

    def playlist_is_visible(self, playlist_id: int) -> bool:
        index = self.playlist_index(playlist_id)
        return index is not None and bool(self.playlist_visible[index])

    def access_of(self, track_id: int) -> str:
        """Return `playable`, `preview` or `blocked`."""
        return ACCESS_NAMES[self.catalogue.access[self._track(track_id)]]

    def title_of(self, track_id: int) -> str:
        return self.catalogue.titles[self._track(track_id)]

    def username_of(self, user_id: int) -> str:
        return self.people.usernames[self._user(user_id)]

    def permalink_of(self, user_id: int) -> str:
        return self.people.permalinks[self._user(user_id)]

    def artist_of(self, track_id: int) -> int | None:
        """Return the uploader, or ``None`` where the API returns a null user."""
        index = self._track(track_id)
        if self.catalogue.null_user[index]:
            return None
        return int(self.people.ids[self.catalogue.uploader[index]])

    def label_of(self, track_id: int) -> str | None:
        """Return the official name of the track's label, however the track spells it."""
        label = int(self.catalogue.label[self._track(track_id)])
        return self.people.label_names[label] if label >= 0 else None

    def label_account(self, name: str) -> int | None:
        """Return the user ID of a label's account; the last two labels have none."""
        number = self.people.label_names.index(name)
        accounts = self.people.label_accounts
        return int(self.people.ids[accounts[number]]) if number < len(accounts) else None

    def credits(self, track_id: int) -> list[Credit]:
        """Return the features, producers and remixers named in title or description."""
        return titles.credits_of(self._track(track_id), self.people, self.catalogue)

    def likers(self, track_id: int) -> list[int] | None:
        index = self._visible_track(track_id)
        return None if index is None else self._users(self.likes.of_item(index).indices)

    def reposters(self, track_id: int) -> list[int] | None:
        index = self._visible_track(track_id)
        return None if index is None else self._users(self.reposts.of_item(index).indices)

    def engagement_times(self, kind: Literal["like", "repost"]) -> dict[tuple[int, int], int]:
        """Return when each user liked or reposted each track, in milliseconds since the epoch."""
        links = self.likes if kind == "like" else self.reposts
        owners, items = self.people.ids[links.owner_of_each()], self.catalogue.ids[links.items]
        pairs = zip(numbers(owners), numbers(items), strict=True)
        return dict(zip(pairs, numbers(links.owner_times), strict=True))

    def library(self, user_id: int, access: Sequence[str] = ALL_ACCESS) -> list[int] | None:
        """Return liked tracks, newest like first; ``None`` if the library is hidden or the user gone."""
        index = self._open_user(user_id)
        return None if index is None else self._tracks(self.likes.of_owner(index).indices, access)

    def reposted_tracks(self, user_id: int, access: Sequence[str] = ALL_ACCESS) -> list[int] | None:
        index = self._visible_user(user_id)
        return None if index is None else self._tracks(self.reposts.of_owner(index).indices, access)

    def uploads(self, user_id: int, access: Sequence[str] = ALL_ACCESS) -> list[int] | None:
        """Return the user's own tracks, newest first."""
        index = self._visible_user(user_id)
        return None if index is None else self._tracks(self.uploads_of(index), access)

    def playlists_of(self, user_id: int) -> list[int] | None:
        index = self._visible_user(user_id)
        return None if index is None else self._sets_ids(self.sets_of(index))

    def liked_playlists(self, user_id: int) -> list[int] | None:
        index = self._open_user(user_id)
        return None if index is None else self._sets_ids(self.playlist_likes.of_owner(index).indices)

    def reposted_playlists(self, user_id: int) -> list[int] | None:
        index = self._visible_user(user_id)
        return None if index is None else self._sets_ids(self.playlist_reposts.of_owner(index).indices)

    def followers(self, user_id: int) -> list[int] | None:
        index = self._visible_user(user_id)
        return None if index is None else self._users(self.follows.of_item(index).indices)

    def followings(self, user_id: int) -> list[int] | None:
        index = self._visible_user(user_id)
        return None if index is None else self._users(self.follows.of_owner(index).indices)

    def playlist_tracks(self, playlist_id: int, access: Sequence[str] = ALL_ACCESS) -> list[int] | None:
        """Return the visible tracks in order, including repeats."""
        index = self.playlist_index(playlist_id)
        if index is None or not self.playlist_visible[index]:
            return None
        return self._tracks(self.playlists.tracks_of(index), access)

    def playlist_track_count(self, playlist_id: int) -> int:
        """Return `track_count`: all entries, including unavailable tracks."""
        index = self.playlist_index(playlist_id)
        if index is None:
            raise KeyError(playlist_id)
        return len(self.playlists.tracks_of(index))

    def playlist_reposters(self, playlist_id: int) -> list[int] | None:
        index = self.playlist_index(playlist_id)
        if index is None or not self.playlist_visible[index]:
            return None
        return self._users(self.playlist_reposts.of_item(index).indices)

    def playlists_with(self, track_id: int) -> list[int]:
        """Return the visible playlists that contain the track, by ID."""
        entries = np.flatnonzero(self.playlists.entries == self._track(track_id))
        holders = np.unique(np.searchsorted(self.playlists.starts, entries, side="right") - 1)
        return self._sets_ids(holders.astype(np.int32))

    def comments_on(self, track_id: int) -> list[CommentTruth] | None:
        """Return all comments the API shows, newest first."""
        index = self._visible_track(track_id)
        if index is None:
            return None
        return [self._comment(number) for number in self.comments_shown(index)]

    def _comment(self, number: int) -> CommentTruth:
        author = int(self.comments.user[number])
        position_ms = int(self.comments.position_ms[number])
        return CommentTruth(
            comment_id=int(self.comments.ids[number]),
            user_id=int(self.people.ids[author]),
            user_is_null=not self.user_visible[author],
            timestamp_ms=position_ms if position_ms >= 0 else None,
            created_s=int(self.comments.created_s[number]),
        )

    def related_tracks(self, track_id: int, access: Sequence[str] = ALL_ACCESS) -> list[int] | None:
        index = self._visible_track(track_id)
        return None if index is None else self._tracks(self.related_to_track(index), access)

    def related_users(self, user_id: int) -> list[int] | None:
        index = self._visible_user(user_id)
        return None if index is None else self._users(self.related_to_user(index))

    def search_tracks(self, query: str, access: Sequence[str] = ALL_ACCESS) -> list[int]:
        """Return the hits in order of relevance."""
        return self._tracks(self.track_search.find(query), access)

    def search_users(self, query: str) -> list[int]:
        return self._users(self.user_search.find(query))

    def search_playlists(self, query: str) -> list[int]:
        return self._sets_ids(self.playlist_search.find(query))

    # --- helpers -----------------------------------------------------------------------

    def _track(self, track_id: int) -> int:
        index = self.track_index(track_id)
        if index is None:
            raise KeyError(track_id)
        return index

    def _user(self, user_id: int) -> int:
        index = self.user_index(user_id)
        if index is None:
            raise KeyError(user_id)
        return index

    def _visible_track(self, track_id: int) -> int | None:
        return self.track_index(track_id) if self.track_is_visible(track_id) else None

    def _visible_user(self, user_id: int) -> int | None:
        return self.user_index(user_id) if self.user_is_visible(user_id) else None

    def _open_user(self, user_id: int) -> int | None:
        index = self._visible_user(user_id)
        return None if index is None or self.people.hidden_library[index] else index

    def _tracks(self, found: Indices, access: Iterable[str]) -> list[int]:
        codes = [ACCESS_NAMES.index(level) for level in access]
        shown = self.track_visible[found] & np.isin(self.catalogue.access[found], codes)
        return numbers(self.catalogue.ids[found[shown]])

    def _users(self, found: Indices) -> list[int]:
        return numbers(self.people.ids[found[self.user_visible[found]]])

    def _sets_ids(self, found: Indices) -> list[int]:
        return numbers(self.playlists.ids[found[self.playlist_visible[found]]])
