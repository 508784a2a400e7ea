"""The preferences of the listeners of a track, read from a database."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from sgr_spiders.config.choices import PROFILE_SECTIONS
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.reports.profile.preferences import (
    Library,
    compare_places,
    compare_words,
    incidence,
    prefer_artists,
    prefer_tracks,
)
from sgr_spiders.storage.interactions_read import read_seeds
from sgr_spiders.storage.labels import read_labels
from sgr_spiders.storage.libraries import USUAL
from sgr_spiders.storage.looked_at import read_libraries
from sgr_spiders.storage.lookup import is_among, look_up
from sgr_spiders.storage.names import resolve
from sgr_spiders.storage.profile_read import (
    read_fans,
    read_likes_of_fans,
    read_popularity,
    read_tag_lists,
    read_texts,
)
from sgr_spiders.titles.genres import END_OF_TAGS, read_genre, read_tag, split_tag_lists
from sgr_spiders.titles.places import country_name, fold_city, read_country

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from sgr_spiders.reports.profile.preferences import Preferences, Words
    from sgr_spiders.storage.labels import Label
    from sgr_spiders.storage.profile_read import Texts
    from sgr_spiders.storage.store import Connection

    Ids = NDArray[np.int64]

PLACES = ("countries", "cities")


@dataclass(frozen=True, slots=True)
class Named:
    """The accounts that name a place, of the listeners and of all others."""

    listeners: int
    others: int


@dataclass(slots=True)
class Profile:
    """The preferences of the listeners of the track ``seed``; each section only if it was asked for.

    ``fans`` like or repost it; the libraries of ``looked_at`` of them were looked at, which have ``likes`` of
    tracks that count. Left out are the other ``seeds`` of the database, and ``hidden`` tracks that are
    removed or whose number of likes is hidden or unknown, with ``hidden_likes`` of the listeners.
    """

    seed: Label
    fans: int
    looked_at: int
    likes: int = 0
    seeds: int = 0
    hidden: int = 0
    hidden_likes: int = 0
    preferences: dict[str, Preferences] = field(default_factory=dict)
    words: dict[str, Words] = field(default_factory=dict)
    named: dict[str, Named] = field(default_factory=dict)
    labels: dict[str, Mapping[int, Label]] = field(default_factory=dict)

    @property
    def sections(self) -> list[str]:
        """The sections that were asked for, in their order."""
        return [section for section in PROFILE_SECTIONS if section in self.preferences | self.words]


def read_profile(
    connection: Connection, name: str, limit: int, sections: Collection[str] = PROFILE_SECTIONS
) -> Profile:
    """Return the preferences of the listeners of the track that *name* names, *limit* rows per section.

    Raises:
        ArgumentError: No track, or more than one, is called *name*; or it is not in the database.
    """
    track = resolve(connection, "track", name)
    label = read_labels(connection, "track", [track]).get(track)
    if label is None:
        raise ArgumentError(f"track {track} is not in this database")
    fans = read_fans(connection, track)
    is_looked_at = read_libraries(connection, "user", USUAL).contain(fans)
    profile = Profile(label, len(fans), int(is_looked_at.sum()))
    if {*sections} - {*PLACES}:
        _read_preferences(connection, profile, fans[is_looked_at], limit, sections)
    for section in PLACES:
        if section in sections:
            _read_places(connection, profile, section, fans, limit)
    return profile


def _read_preferences(
    connection: Connection, profile: Profile, listeners: Ids, limit: int, sections: Collection[str]
) -> None:
    library = _read_library(connection, profile, listeners)
    for section, prefer in (("tracks", prefer_tracks), ("artists", prefer_artists)):
        if section in sections:
            found = prefer(library, limit)
            profile.preferences[section] = found
            ids = [one.id for one in found.found]
            profile.labels[section] = read_labels(connection, section.removesuffix("s"), ids)
    for section, read in (("genres", _read_genres), ("tags", _read_tags)):
        if section in sections:
            profile.words[section] = compare_words(library, *read(connection, library.ids), limit)


def _read_library(connection: Connection, profile: Profile, listeners: Ids) -> Library:
    """Return the likes of *listeners*, without those of seeds and of tracks of unknown popularity."""
    liked = read_likes_of_fans(connection, profile.seed.id)
    row = np.repeat(look_up(listeners, np.arange(len(listeners)), liked.owners), liked.sizes)
    seeds = np.union1d(read_seeds(connection), profile.seed.id)
    counts = (row >= 0) & ~is_among(liked.members, seeds)
    row, tracks = row[counts], liked.members[counts]
    popular = read_popularity(connection)
    is_seed = is_among(popular.tracks, seeds)
    ids, artists, popularity = (part[~is_seed] for part in (popular.tracks, popular.artists, popular.likes))
    column = look_up(ids, np.arange(len(ids)), tracks)
    known = column >= 0
    profile.likes = int(known.sum())
    profile.seeds = len(seeds) - 1
    profile.hidden, profile.hidden_likes = len(np.unique(tracks[~known])), int((~known).sum())
    likes = incidence(row[known], column[known], (len(listeners), len(ids)))
    return Library.of(likes, ids, artists, popularity)


def _read_genres(connection: Connection, ids: Ids) -> tuple[list[str], sp.csr_array]:
    """Return the names of all genres, and which of the tracks *ids* (rows) have which of them (columns)."""
    texts = read_texts(connection, "genre")
    names, in_text = _name(texts.texts, lambda text: _one(read_genre(text)))
    return names, sp.csr_array(_link_texts(texts, ids) @ in_text)


def _read_tags(connection: Connection, ids: Ids) -> tuple[list[str], sp.csr_array]:
    """Return the names of all tags, and which of the tracks *ids* (rows) have which of them (columns)."""
    texts = read_tag_lists(connection)
    numbers: defaultdict[str, int] = defaultdict(lambda: len(numbers))
    end = numbers[END_OF_TAGS]
    tags = np.fromiter(map(numbers.__getitem__, split_tag_lists(texts.texts)), np.int64)
    names, in_tag = _name(list(numbers)[1:], read_tag)
    is_tag = tags != end
    text = np.cumsum(~is_tag, dtype=np.int64)[is_tag]
    in_text = incidence(text, tags[is_tag] - 1, (len(texts.texts), len(numbers) - 1))
    has_tag = sp.csr_array(_link_texts(texts, ids) @ in_text @ in_tag)
    has_tag.data[:] = 1  # also if one is spelled in two ways
    return names, has_tag


def _name(texts: Sequence[str], read: Callable[[str], Iterable[str]]) -> tuple[list[str], sp.csr_array]:
    """Return the names of all words, and which of *texts* (rows) contain which of them (columns)."""
    numbers: defaultdict[str, int] = defaultdict(lambda: len(numbers))
    words: list[int] = []
    starts = [0]
    for text in texts:
        words.extend(map(numbers.__getitem__, read(text)))
        starts.append(len(words))
    shape = len(texts), len(numbers)
    return list(numbers), sp.csr_array((np.ones(len(words)), np.array(words, np.int64), starts), shape=shape)


def _link_texts(texts: Texts, ids: Ids) -> sp.csr_array:
    """Return which of *ids* (rows) have which of *texts* (columns)."""
    row = look_up(ids, np.arange(len(ids)), texts.ids)
    text = np.repeat(np.arange(len(texts.texts)), texts.sizes)
    return incidence(row[row >= 0], text[row >= 0], (len(ids), len(texts.texts)))


def _read_places(connection: Connection, profile: Profile, section: str, fans: Ids, limit: int) -> None:
    if section == "countries":
        texts = read_texts(connection, "country")
        keys = [read_country(text) for text in texts.texts]
        spellings = {key: country_name(key) for key in keys if key is not None}
    else:
        texts = read_texts(connection, "city")
        keys = [fold_city(text) for text in texts.texts]
        # As most people write it.
        by_size = sorted(zip(texts.sizes.tolist(), texts.texts, keys, strict=True))
        spellings = {key: text.strip() for _, text, key in by_size if key is not None}
    numbers = {key: number for number, key in enumerate(spellings)}
    place = np.repeat([-1 if key is None else numbers[key] for key in keys], texts.sizes).astype(np.int64)
    is_fan = is_among(texts.ids, fans)
    listeners, others = (
        np.bincount(place[mask & (place >= 0)], minlength=len(numbers)) for mask in (is_fan, ~is_fan)
    )
    profile.words[section] = compare_places(list(spellings.values()), listeners, others, limit)
    profile.named[section] = Named(int(listeners.sum()), int(others.sum()))


def _one(name: str | None) -> tuple[str, ...]:
    return () if name is None else (name,)
