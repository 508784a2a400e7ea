"""Days in the life of a world: people like, repost, comment and make playlists, and take some of it back.

People are active in bursts: on one day most of them do nothing. What is new comes first in its lists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sgr_spiders.sandbox.edges import Edges
from sgr_spiders.sandbox.population import DELETED, PRIVATE
from sgr_spiders.sandbox.seeding import DAY_S, NOW_S, distinct, starts_of, stream

if TYPE_CHECKING:
    from sgr_spiders.sandbox.model import Model
    from sgr_spiders.sandbox.playlists import Playlists
    from sgr_spiders.sandbox.seeding import Bools, Indices, Ints

_ACTIVE = 0.12
"""The share of people who do anything on a day; the larger a library, the more likely its owner is active."""
_NEW = 0.02
_DRAWS = 4
"""Links drawn for each new one."""
_UNDONE = 0.005
_NEW_COMMENTS = 0.01
_DELETED_COMMENTS = 0.002
_NEW_PLAYLISTS = 0.01
_DELETED_PLAYLISTS = 0.004
_DELETED_TRACKS = 0.001
_HIDDEN_TRACKS = 0.0005
_DELETED_USERS = 0.0005
_TRACKS_PER_PLAYLIST = 12


class Links(NamedTuple):
    """Links of people to tracks."""

    owners: Indices
    items: Indices


def pass_day(world: Model) -> None:
    """Let one seeded day pass. The seed track and its artist survive it."""
    world.generation += 1
    world.days += 1
    rng = stream(world.options.seed, "day", world.generation)
    active = _active_people(rng, world)
    world.likes = _live(rng, world, world.likes, active)
    world.reposts = _live(rng, world, world.reposts, active)
    _comment(rng, world, active)
    _make_playlists(rng, world, active)
    _delete(rng, world)
    world.refresh_visibility()


def _active_people(rng: np.random.Generator, world: Model) -> Indices:
    sizes = np.diff(world.likes.owner_starts) + 1.0
    count = max(1, round(_ACTIVE * len(sizes)))
    chosen = rng.choice(len(sizes), count, replace=False, p=sizes / sizes.sum())
    return np.sort(chosen).astype(np.int32)


def _live(rng: np.random.Generator, world: Model, links: Edges, active: Indices) -> Edges:
    """Add and undo links of the active people; the seed gains and loses its share."""
    seed, of_seed = world.catalogue.seed, links.item_degree(world.catalogue.seed)
    fans = round(_NEW * of_seed)
    others = round(_NEW * len(links)) - fans
    # Some of the drawn links exist already.
    owners = rng.choice(active, _DRAWS * others).astype(np.int32)
    drawn = _unlinked(links, Links(owners, _popular(rng, world, len(owners))))
    drawn_fans = _unlinked(links, _all_links_to(seed, len(world.people)))
    new = _join(_some(rng, drawn, others), _some(rng, drawn_fans, fans))
    kept = _undo(rng, links, active, seed)
    old_owners = links.owner_of_each()[kept]
    return Edges.build(
        np.concatenate((old_owners, new.owners)),
        np.concatenate((links.items[kept], new.items)),
        np.concatenate((links.owner_times[kept], _times(rng, world, links, len(new.owners)))),
        (len(world.people), len(world.catalogue)),
    )


def _all_links_to(track: int, people: int) -> Links:
    return Links(np.arange(people, dtype=np.int32), np.full(people, track, dtype=np.int32))


def _some(rng: np.random.Generator, links: Links, count: int) -> Links:
    chosen = rng.choice(len(links.owners), min(count, len(links.owners)), replace=False)
    return Links(links.owners[chosen], links.items[chosen])


def _join(first: Links, second: Links) -> Links:
    return Links(np.concatenate((first.owners, second.owners)), np.concatenate((first.items, second.items)))


def _popular(rng: np.random.Generator, world: Model, count: int) -> Indices:
    weight = world.catalogue.weight * world.track_visible
    weight[world.catalogue.seed] = 0.0
    return rng.choice(len(weight), count, p=weight / weight.sum()).astype(np.int32)


def _unlinked(links: Edges, new: Links) -> Links:
    """Return those of the new links that are distinct and do not exist yet."""
    things = len(links.item_starts) - 1
    existing = links.owner_of_each().astype(np.int64) * things + links.items
    keys = new.owners.astype(np.int64) * things + new.items
    keys = np.setdiff1d(keys, existing)
    return Links((keys // things).astype(np.int32), (keys % things).astype(np.int32))


def _undo(rng: np.random.Generator, links: Edges, active: Indices, seed: int) -> Bools:
    """Return which links stay: active people undo some, and others take back their link to the seed."""
    kept = np.ones(len(links), dtype=np.bool_)
    is_seed = links.items == seed
    of_active = np.isin(links.owner_of_each(), active)
    for among, by in ((~is_seed, of_active), (is_seed, True)):
        candidates = np.flatnonzero(among & by)
        undone = min(len(candidates), round(_UNDONE * int(among.sum())))
        kept[rng.choice(candidates, undone, replace=False)] = False
    return kept


def _times(rng: np.random.Generator, world: Model, links: Edges, count: int) -> Ints:
    """Draw times of the day in ms, later than those of all links."""
    start = (NOW_S + (world.days - 1) * DAY_S) * 1000
    latest = int(links.owner_times.max()) + 1 if len(links) else 0
    return distinct(max(start, latest) + rng.integers(0, DAY_S * 1000 - 1, count))


def _comment(rng: np.random.Generator, world: Model, active: Indices) -> None:
    old = world.comments
    kept = old.keep(rng.random(len(old.ids)) >= _DELETED_COMMENTS)
    count = round(_NEW_COMMENTS * len(old.ids))
    tracks = np.sort(_popular(rng, world, count))
    if count:
        tracks[0] = world.catalogue.seed
        tracks.sort()
    newest = int(old.created_s.max()) if len(old.ids) else NOW_S
    order = np.arange(count)[::-1]
    places = kept.track_starts[tracks]
    track = np.insert(kept.track, places, tracks)
    world.comments = type(old)(
        track_starts=starts_of(track, len(world.catalogue)),
        ids=np.insert(kept.ids, places, int(old.ids.max() if len(old.ids) else 0) + 1 + order),
        track=track,
        user=np.insert(kept.user, places, rng.choice(active, count)),
        created_s=np.insert(kept.created_s, places, newest + 1 + order),
        position_ms=np.insert(kept.position_ms, places, np.full(count, -1)),
        answers=np.insert(kept.answers, places, np.full(count, -1)),
    )


def _make_playlists(rng: np.random.Generator, world: Model, active: Indices) -> None:
    lists = world.playlists
    lost = rng.random(len(lists)) < _DELETED_PLAYLISTS
    lists.state[lost & (lists.owner != world.people.seed_artist)] = DELETED
    count = max(1, round(_NEW_PLAYLISTS * len(lists)))
    owners = rng.choice(active, count).astype(np.int32)
    contents = [np.unique(_popular(rng, world, _TRACKS_PER_PLAYLIST)) for _ in range(count)]
    if world.days % 2:
        contents[0] = np.append(contents[0], world.catalogue.seed).astype(np.int32)
    _append(world, lists, owners, contents)
    world.index_playlists()


def _append(world: Model, lists: Playlists, owners: Indices, contents: list[Indices]) -> None:
    count = len(owners)
    after = np.arange(1, count + 1)
    titles = [f"day {world.days}, no. {number}" for number in after.tolist()]
    lists.ids = np.concatenate((lists.ids, lists.ids.max() + after))
    lists.created_s = np.concatenate((lists.created_s, lists.created_s.max() + after))
    lists.owner = np.concatenate((lists.owner, owners))
    lists.community = np.concatenate((lists.community, world.people.taste.home[owners]))
    lists.weight = np.concatenate((lists.weight, np.full(count, 0.1)))
    lists.state = np.concatenate((lists.state, np.zeros(count, dtype=np.int32)))
    lists.type_code = np.concatenate((lists.type_code, np.zeros(count, dtype=np.int32)))
    ends = lists.starts[-1] + np.cumsum([len(tracks) for tracks in contents])
    lists.starts = np.concatenate((lists.starts, ends))
    lists.entries = np.concatenate((lists.entries, *contents)).astype(np.int32)
    lists.titles.extend(titles)
    size = (len(world.people), len(lists))
    for name in ("playlist_likes", "playlist_reposts"):
        links: Edges = getattr(world, name)
        setattr(world, name, Edges.build(links.owner_of_each(), links.items, links.owner_times, size))


def _delete(rng: np.random.Generator, world: Model) -> None:
    catalogue, people = world.catalogue, world.people
    throw = rng.random(len(catalogue))
    alive = catalogue.state != DELETED
    alive[catalogue.seed] = False
    catalogue.state[alive & (throw < _DELETED_TRACKS)] = DELETED
    catalogue.state[alive & (throw > 1 - _HIDDEN_TRACKS)] = PRIVATE
    throw = rng.random(len(people))
    throw[people.seed_artist] = 1.0
    people.deleted |= throw < _DELETED_USERS
