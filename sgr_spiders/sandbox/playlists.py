"""Playlists and albums, including those with the seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.sandbox import vocabulary as words
from sgr_spiders.sandbox.population import (
    DELETED,
    LABEL,
    LISTENER,
    PRIVATE,
    PUBLIC,
    SEED_UPLOADED_S,
    Catalogue,
    People,
)
from sgr_spiders.sandbox.seeding import (
    DAY_S,
    NOW_S,
    Floats,
    Indices,
    Ints,
    dice,
    distinct,
    ids_from_times,
    stream,
)
from sgr_spiders.sandbox.taste import Market, popularity

if TYPE_CHECKING:
    from sgr_spiders.sandbox.engagement import SeedFans
    from sgr_spiders.sandbox.options import WorldOptions

PLAYLIST_TYPES = ("", "album", "ep-single", "compilation")
_LONGEST = 500


@dataclass
class Playlists:
    """One row per playlist in order of creation; ``entries`` includes unavailable tracks."""

    ids: Ints
    created_s: Ints
    owner: Indices
    community: Indices
    weight: Floats
    state: Indices
    type_code: Indices
    starts: Ints
    entries: Indices
    titles: list[str]

    def __len__(self) -> int:
        return len(self.ids)

    def tracks_of(self, playlist: int) -> Indices:
        return self.entries[self.starts[playlist] : self.starts[playlist + 1]]


@dataclass
class _Draft:
    owner: int
    created_s: int
    type_code: int
    title: str
    tracks: Indices
    protected: bool = False


class _Editor:
    """A builder of a world's playlist drafts."""

    def __init__(self, options: WorldOptions, people: People, catalogue: Catalogue) -> None:
        self.options, self.people, self.catalogue = options, people, catalogue
        self.rng = stream(options.seed, "playlists")
        self.market = Market.open(catalogue.community, catalogue.weight, options.community_count)
        self.present = np.unique(catalogue.community)
        self.by_uploader = np.argsort(catalogue.uploader, kind="stable")
        self.uploader_sorted = catalogue.uploader[self.by_uploader]
        self.artists = np.flatnonzero(people.role != LISTENER)

    def uploads(self, person: int) -> Indices:
        low, high = np.searchsorted(self.uploader_sorted, [person, person + 1])
        return np.sort(self.by_uploader[low:high]).astype(np.int32)

    def taste_of(self, person: int, length: int) -> Indices:
        people = np.full(length, person, dtype=np.int32)
        communities = self.people.taste.communities_for(self.rng, people)
        return self.market.choose(self.rng, _keep_present(communities, self.present))

    def with_seed(self, tracks: Indices) -> Indices:
        position = int(self.rng.integers(0, len(tracks) + 1))
        others = tracks[tracks != self.catalogue.seed]
        return np.insert(others, min(position, len(others)), self.catalogue.seed)[:_LONGEST]

    def created_after(self, start_s: int) -> int:
        return int(start_s + self.rng.random() * max(NOW_S - DAY_S - start_s, 1))

    def seed_drafts(self, fans: SeedFans) -> list[_Draft]:
        """Return the drafts with the seed: the artist's two, some likers', and some named after it."""
        own = self.uploads(self.people.seed_artist)
        start = SEED_UPLOADED_S + 60
        artist = self.people.seed_artist
        drafts = [
            _Draft(artist, start, 1, "Paper Lanterns EP", self.with_seed(own[:8]), protected=True),
            _Draft(
                artist, self.created_after(start), 0, "everything so far", self.with_seed(own), protected=True
            ),
        ]
        for number, liker in enumerate(fans.likers[:8].tolist()):
            length = 230 if number == 0 else int(self.rng.integers(4, 40))
            tracks = self.with_seed(self.taste_of(liker, length))
            drafts.append(_Draft(liker, self.created_after(start), 0, self.title(liker), tracks))
        strangers = self.rng.integers(0, len(self.people), 4).tolist()
        for stranger, words_before in zip(strangers, ("like", "more", "best of", "after"), strict=True):
            tracks = self.with_seed(self.taste_of(stranger, 12))
            title = f"{words_before} Paper Lanterns"
            drafts.append(_Draft(stranger, self.created_after(start), 0, title, tracks))
        return drafts

    def other_drafts(self, count: int) -> list[_Draft]:
        return [self.album() if self.rng.random() < 0.35 else self.mix() for _ in range(count)]

    def album(self) -> _Draft:
        artist = int(self.rng.choice(self.artists))
        tracks = self.uploads(artist)[-int(self.rng.integers(3, 14)) :]
        kind = 3 if self.people.role[artist] == LABEL else int(self.rng.integers(1, 3))
        first = (
            int(self.catalogue.uploaded_s[tracks[-1]]) if len(tracks) else int(self.people.joined_s[artist])
        )
        name = self.title(artist) if not len(tracks) else self.catalogue.titles[tracks[0]]
        return _Draft(artist, self.created_after(first), kind, name, tracks)

    def mix(self) -> _Draft:
        owner = int(self.rng.integers(0, len(self.people)))
        length = int(min(_LONGEST, self.rng.lognormal(2.6, 1.0)))
        tracks = self.taste_of(owner, length)
        created = self.created_after(int(self.people.joined_s[owner]))
        return _Draft(owner, created, 0, self.title(owner), tracks)

    def title(self, owner: int) -> str:
        throw = dice(self.options.seed, "playlist title", owner, int(self.rng.integers(0, 1 << 30)))
        scene = words.SCENES[int(self.people.taste.home[owner]) % len(words.SCENES)]
        return throw.choice(words.PLAYLIST_PATTERNS).format(
            genre=scene.genre,
            adjective=throw.choice(words.ADJECTIVES),
            noun=throw.choice(scene.nouns),
            tag=throw.choice(scene.tags),
            other_tag=throw.choice(scene.tags),
            number=throw.randrange(1, 9),
            year=throw.randrange(2014, 2027),
        )


def _keep_present(communities: Indices, present: Indices) -> Indices:
    return np.where(np.isin(communities, present), communities, -1).astype(np.int32)


def build_playlists(options: WorldOptions, people: People, catalogue: Catalogue, fans: SeedFans) -> Playlists:
    """Build all playlists; the artist's own with the seed are always public."""
    editor = _Editor(options, people, catalogue)
    drafts = editor.seed_drafts(fans)
    drafts += editor.other_drafts(max(0, options.playlists - len(drafts)))
    created = distinct(np.array([draft.created_s for draft in drafts], dtype=np.int64))
    order = np.argsort(created)
    drafts = [drafts[index] for index in order]
    owner = np.array([draft.owner for draft in drafts], dtype=np.int32)
    state = editor.rng.choice(3, len(drafts), p=(0.93, 0.03, 0.04)).astype(np.int32)
    state[[draft.protected for draft in drafts]] = PUBLIC
    _add_unavailable(editor, drafts)
    lengths = np.array([0] + [len(draft.tracks) for draft in drafts], dtype=np.int64)
    return Playlists(
        ids=ids_from_times(created[order], 1_000_003, 5, editor.rng.integers(0, 5, len(drafts))),
        created_s=created[order],
        owner=owner,
        community=people.taste.home[owner],
        weight=popularity(editor.rng, len(drafts)),
        state=state,
        type_code=np.array([draft.type_code for draft in drafts], dtype=np.int32),
        starts=np.cumsum(lengths),
        entries=np.concatenate([draft.tracks for draft in drafts]).astype(np.int32),
        titles=[draft.title for draft in drafts],
    )


def _add_unavailable(editor: _Editor, drafts: list[_Draft]) -> None:
    """Add unavailable tracks to a third of the lists and a repeated one to a few."""
    gone = np.flatnonzero(np.isin(editor.catalogue.state, (PRIVATE, DELETED)))
    for draft in drafts:
        throw = editor.rng.random()
        if throw < 0.35 and len(gone):
            draft.tracks = np.append(draft.tracks, editor.rng.choice(gone, 2)).astype(np.int32)[-_LONGEST:]
        elif throw < 0.42 and len(draft.tracks) > 2:
            draft.tracks = np.append(draft.tracks, draft.tracks[0])[-_LONGEST:]
