"""Likes, reposts, follows and comments: drawn by taste, but with exact numbers for the seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.sandbox.edges import Edges
from sgr_spiders.sandbox.seeding import (
    NOW_S,
    Bools,
    Floats,
    Indices,
    Ints,
    between,
    distinct,
    ids_from_times,
    starts_of,
    stream,
)
from sgr_spiders.sandbox.taste import Market, Taste, choose_pairs

if TYPE_CHECKING:
    from sgr_spiders.sandbox.options import WorldOptions
    from sgr_spiders.sandbox.population import Catalogue, People

_LIBRARY_CAP = 350
_COMMENTS_PER_TRACK = 2.0
_NO_LIBRARY = 0.08


@dataclass
class Comments:
    """Comments grouped by track, newest first within each.

    ``position_ms`` is the position in the track, -1 if none was given;
    ``answers`` is the user replied to, -1 for no reply.
    """

    track_starts: Ints
    ids: Ints
    track: Indices
    user: Indices
    created_s: Ints
    position_ms: Ints
    answers: Indices

    def of_track(self, track: int) -> range:
        return range(int(self.track_starts[track]), int(self.track_starts[track + 1]))

    def keep(self, mask: Bools) -> Comments:
        """Return the comments for which ``mask`` (in the order of ``ids``) is true."""
        return Comments(
            track_starts=starts_of(self.track[mask], len(self.track_starts) - 1),
            ids=self.ids[mask],
            track=self.track[mask],
            user=self.user[mask],
            created_s=self.created_s[mask],
            position_ms=self.position_ms[mask],
            answers=self.answers[mask],
        )


@dataclass(frozen=True)
class SeedFans:
    """The users who engage with the seed track; the first few likers have very large libraries."""

    likers: Indices
    reposters: Indices
    collectors: Indices

    @classmethod
    def choose(cls, options: WorldOptions, people: People) -> SeedFans:
        rng = stream(options.seed, "seed fans")
        others = np.delete(np.arange(len(people), dtype=np.int32), people.seed_artist)
        at_home = people.taste.home[others] == 0
        pull = (0.05 + 0.95 * at_home) * (0.3 + rng.random(len(others)))
        order = others[np.argsort(-pull, kind="stable")]
        likers = order[: options.seed_likers]
        overlap = rng.permutation(likers)[: (options.seed_reposters + 1) // 2]
        rest = order[options.seed_likers :][: options.seed_reposters - len(overlap)]
        with_library = likers[~(people.deleted[likers] | people.hidden_library[likers])]
        return cls(likers, np.concatenate((overlap, rest)), with_library[:4])


def _link_times(rng: np.random.Generator, people: People, persons: Indices, earliest_s: Ints) -> Ints:
    """Draw a unique time in ms for each link, after both of its ends existed."""
    start = np.maximum(people.joined_s[persons], earliest_s) * 1000
    return distinct(between(rng, start, NOW_S * 1000))


def _library_sizes(rng: np.random.Generator, options: WorldOptions, fans: SeedFans, tracks: int) -> Ints:
    cap = min(int(max(_LIBRARY_CAP, 4 * options.likes_per_user)), tracks // 2)
    sizes = rng.lognormal(0.0, 0.9, options.users)
    sizes[rng.random(options.users) < _NO_LIBRARY] = 0
    # Twice: capping the largest libraries lowers the mean, so the others grow again.
    for _ in range(2):
        if mean := sizes.mean():
            sizes = np.minimum(sizes * (options.likes_per_user / mean), cap)
    wishes: Ints = sizes.astype(np.int64)
    if options.likes_per_user:
        wishes[fans.collectors] = [cap, cap * 7 // 8, cap * 3 // 4, 0][: len(fans.collectors)]
    return wishes


def build_likes(options: WorldOptions, people: People, catalogue: Catalogue, fans: SeedFans) -> Edges:
    """Build the likes of tracks; the seed's likers are exactly ``fans.likers``."""
    rng = stream(options.seed, "likes")
    sizes = _library_sizes(rng, options, fans, len(catalogue))
    weight = catalogue.weight.copy()
    weight[catalogue.seed] = 0.0
    market = Market.open(catalogue.community, weight, options.community_count)
    owners, items = choose_pairs(rng, people.taste, market, sizes)
    more_owners, more_items = _collect(rng, fans, sizes, owners, items, len(catalogue))
    owners, items = np.concatenate((owners, more_owners)), np.concatenate((items, more_items))
    elsewhere = items != catalogue.seed
    owners = np.concatenate((owners[elsewhere], fans.likers))
    items = np.concatenate((items[elsewhere], _all(catalogue.seed, fans.likers)))
    times = _link_times(rng, people, owners, catalogue.uploaded_s[items])
    return Edges.build(owners, items, times, (len(people), len(catalogue)))


def _collect(
    rng: np.random.Generator, fans: SeedFans, sizes: Ints, owners: Indices, items: Indices, tracks: int
) -> tuple[Indices, Indices]:
    """Return the extra likes that bring the collectors' libraries to their full size."""
    more_owners, more_items = [fans.likers[:0]], [fans.likers[:0]]
    for person in fans.collectors.tolist():
        have = items[owners == person]
        others = np.setdiff1d(np.arange(tracks, dtype=np.int32), have)
        chosen = rng.choice(others, min(len(others), max(0, int(sizes[person]) - len(have))), replace=False)
        more_owners.append(_all(person, chosen))
        more_items.append(chosen)
    return np.concatenate(more_owners), np.concatenate(more_items)


def build_reposts(options: WorldOptions, people: People, catalogue: Catalogue, fans: SeedFans) -> Edges:
    """Build the reposts of tracks."""
    rng = stream(options.seed, "reposts")
    sizes = rng.poisson(min(3.0, len(catalogue) / 20), len(people)) * (rng.random(len(people)) < 0.5)
    market = Market.open(catalogue.community, catalogue.weight, options.community_count)
    owners, items = choose_pairs(rng, people.taste, market, sizes.astype(np.int64))
    elsewhere = items != catalogue.seed
    owners = np.concatenate((owners[elsewhere], fans.reposters))
    items = np.concatenate((items[elsewhere], _all(catalogue.seed, fans.reposters)))
    times = _link_times(rng, people, owners, catalogue.uploaded_s[items])
    return Edges.build(owners, items, times, (len(people), len(catalogue)))


def build_follows(options: WorldOptions, people: People) -> Edges:
    """Build the follows; nobody follows themselves or more than 2,000 people."""
    rng = stream(options.seed, "follows")
    mean = min(25.0, len(people) / 12)
    sizes = np.minimum(rng.lognormal(0.0, 1.0, len(people)) * mean, min(2000, len(people) // 2))
    market = Market.open(people.taste.home, people.weight, options.community_count)
    owners, items = choose_pairs(rng, people.taste, market, sizes.astype(np.int64))
    others = owners != items
    owners, items = owners[others], items[others]
    times = _link_times(rng, people, owners, people.joined_s[items])
    return Edges.build(owners, items, times, (len(people), len(people)))


def build_set_links(
    options: WorldOptions, name: str, people: People, created_s: Ints, community: Indices, weight: Floats
) -> Edges:
    """Build the likes or the reposts of playlists, as ``name`` says."""
    rng = stream(options.seed, name)
    market = Market.open(community, weight, options.community_count)
    sizes = rng.poisson(2.0, len(people)) * (rng.random(len(people)) < 0.6)
    taste = _within(people.taste, community)
    owners, items = choose_pairs(rng, taste, market, sizes.astype(np.int64))
    times = _link_times(rng, people, owners, created_s[items])
    return Edges.build(owners, items, times, (len(people), len(created_s)))


def _within(taste: Taste, community: Indices) -> Taste:
    """Return the taste with communities that offer nothing replaced by no preference."""
    present = np.unique(community)
    home = np.where(np.isin(taste.home, present), taste.home, -1)
    second = np.where(np.isin(taste.second, present), taste.second, -1)
    return Taste(home.astype(np.int32), second.astype(np.int32))


def _all(value: int, like: Indices) -> Indices:
    return np.full(len(like), value, dtype=np.int32)


def build_comments(
    options: WorldOptions, people: People, catalogue: Catalogue, likes: Edges, fans: SeedFans, durations: Ints
) -> Comments:
    """Build the comments, most of them by people who like the track."""
    rng = stream(options.seed, "comments")
    total = min(int(_COMMENTS_PER_TRACK * len(catalogue)), len(likes))
    some = rng.choice(len(likes), total, replace=False)
    user, track = likes.owner_of_each()[some], likes.items[some]
    elsewhere = (track != catalogue.seed) & ~catalogue.hides_comments[track]
    strangers = rng.integers(0, len(people), options.seed_comments).astype(np.int32)
    pool = np.concatenate((fans.likers, strangers[: max(1, len(strangers) // 4)]))
    # Fewer authors than comments, so some people comment twice.
    authors = rng.permutation(pool)[: max(1, options.seed_comments * 3 // 4)]
    on_seed = (
        authors[rng.integers(0, max(1, len(authors)), options.seed_comments)] if len(authors) else authors
    )
    user = np.concatenate((user[elsewhere], on_seed)).astype(np.int32)
    track = np.concatenate((track[elsewhere], _all(catalogue.seed, on_seed)))
    start = np.maximum(people.joined_s[user], catalogue.uploaded_s[track]) + 1
    created = distinct(between(rng, start, NOW_S))
    order = np.lexsort((-created, track))
    user, track, created = user[order], track[order], created[order]
    positions = (rng.random(len(user)) * durations[track]).astype(np.int64)
    positions[rng.random(len(user)) < 0.1] = -1
    return Comments(
        track_starts=starts_of(track, len(catalogue)),
        ids=ids_from_times(created, 90_000_007, 7, rng.integers(0, 7, len(user))),
        track=track,
        user=user,
        created_s=created,
        position_ms=positions,
        answers=_answers(rng, user, track),
    )


def _answers(rng: np.random.Generator, user: Indices, track: Indices) -> Indices:
    """Make a fifth of the comments reply to the next older one on the same track."""
    older_user = np.append(user[1:], -1)
    older_track = np.append(track[1:], -1)
    replies = (older_track == track) & (older_user != user) & (rng.random(len(user)) < 0.2)
    return np.where(replies, older_user, -1).astype(np.int32)
