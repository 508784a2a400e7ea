"""The people of a world and the tracks they upload."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.sandbox import names
from sgr_spiders.sandbox.seeding import (
    DAY_S,
    EPOCH_S,
    NOW_S,
    Bools,
    Floats,
    Indices,
    Ints,
    between,
    distinct,
    ids_from_times,
    stream,
)
from sgr_spiders.sandbox.taste import Market, Taste, popularity

if TYPE_CHECKING:
    from sgr_spiders.sandbox.options import WorldOptions

LISTENER, ARTIST, LABEL = 0, 1, 2
PUBLIC, PRIVATE, DELETED = 0, 1, 2
PLAYABLE, PREVIEW, BLOCKED = 0, 1, 2
ACCESS_NAMES = ("playable", "preview", "blocked")

PLAIN, FEATURING, FT, REMIX, EDIT, FLIP, PRODUCED, FEATURE_IN_TEXT = range(8)
DERIVED = (REMIX, EDIT, FLIP)
"""Forms whose title is another artist's title, followed by the uploader's name."""

SEED_UPLOADED_S = EPOCH_S + 326_900_001
"""Upload time of the seed track; it is odd and all others are even, so it is unique."""

_SEED_JITTER = 3
_SEED_REMIXES = 6
_ROSTER = 12


@dataclass
class People:
    """One row per person, in order of joining (and of ID)."""

    ids: Ints
    joined_s: Ints
    role: Indices
    taste: Taste
    weight: Floats
    deleted: Bools
    hidden_library: Bools
    signed_to: Indices
    usernames: list[str]
    permalinks: list[str]
    label_names: list[str]
    label_accounts: Indices
    signed_rosters: dict[int, tuple[int, ...]]
    seed_artist: int

    def __len__(self) -> int:
        return len(self.ids)


@dataclass
class Catalogue:
    """One row per track, in order of upload (and of ID)."""

    ids: Ints
    uploaded_s: Ints
    uploader: Indices
    community: Indices
    weight: Floats
    state: Indices
    access: Indices
    form: Indices
    guest: Indices
    original: Indices
    label: Indices
    hides_stats: Bools
    hides_comments: Bools
    null_user: Bools
    titles: list[str]
    seed: int

    def __len__(self) -> int:
        return len(self.ids)


def build_people(options: WorldOptions) -> People:
    """Build all people with their communities, roles and names."""
    rng = stream(options.seed, "people")
    count, communities = options.users, options.community_count
    seed_artist = count // 5
    joined = np.sort(distinct(between(rng, np.full(count, EPOCH_S), NOW_S - 30 * DAY_S)))
    home = rng.integers(0, communities, count).astype(np.int32)
    bridge = rng.random(count) < 0.2
    second = np.where(bridge, rng.integers(0, communities, count), home).astype(np.int32)
    labels = names.label_names(max(4, count // 60) + 2)
    accounts = _label_accounts(rng, count, len(labels) - 2, seed_artist)
    role = np.where(rng.random(count) < 0.27, ARTIST, LISTENER).astype(np.int32)
    role[accounts] = LABEL
    role[seed_artist], home[seed_artist], second[seed_artist] = ARTIST, 0, 0
    state_throw = rng.random(count)
    deleted, hidden = state_throw < 0.03, state_throw > 0.955
    for array in (deleted, hidden):
        array[accounts] = False
        array[seed_artist] = False
    signed = np.where(rng.random(count) < 0.45, rng.integers(0, len(labels), count), -1)
    signed[seed_artist] = 0
    ids = ids_from_times(joined, 140_011, 6, rng.integers(0, 6, count))
    by_account = {int(account): labels[number] for number, account in enumerate(accounts)}
    usernames = names.usernames(rng, role == ARTIST, by_account)
    return People(
        ids=ids,
        joined_s=joined,
        role=role,
        taste=Taste(home, second),
        weight=popularity(rng, count) * np.where(role == LISTENER, 0.15, 1.0),
        deleted=deleted,
        hidden_library=hidden,
        signed_to=signed.astype(np.int32),
        usernames=usernames,
        permalinks=names.permalinks(usernames, (f"user-{number}" for number in ids)),
        label_names=labels,
        label_accounts=accounts,
        signed_rosters=_rosters(signed, role),
        seed_artist=seed_artist,
    )


def _rosters(signed: Ints, role: Indices) -> dict[int, tuple[int, ...]]:
    """Return the first few artists signed to each label."""
    rosters: dict[int, list[int]] = {}
    for person in np.flatnonzero((signed >= 0) & (role == ARTIST)).tolist():
        roster = rosters.setdefault(int(signed[person]), [])
        if len(roster) < _ROSTER:
            roster.append(person)
    return {label: tuple(people) for label, people in rosters.items()}


def _label_accounts(rng: np.random.Generator, count: int, wanted: int, seed_artist: int) -> Indices:
    """Choose the accounts of the labels; the last two labels have none."""
    others = np.delete(np.arange(count), seed_artist)
    # From the oldest third, so that every label has had time to release something.
    return rng.choice(others[: max(wanted, count // 3)], wanted, replace=False).astype(np.int32)


def build_catalogue(options: WorldOptions, people: People) -> Catalogue:
    """Build every track with uploader, form, label and visibility, but no title yet."""
    rng = stream(options.seed, "tracks")
    uploader = _uploaders(rng, options.tracks, people)
    uploaded = between(rng, people.joined_s[uploader] + DAY_S, NOW_S - DAY_S)
    uploaded = distinct(uploaded // 2) * 2
    uploaded[0] = SEED_UPLOADED_S
    order = np.argsort(uploaded)
    uploader, uploaded = uploader[order], uploaded[order]
    seed = int(np.flatnonzero(order == 0)[0])
    count = len(uploader)
    jitter = rng.integers(0, 5, count)
    jitter[seed] = _SEED_JITTER
    strange = rng.integers(0, options.community_count, count)
    community = np.where(rng.random(count) < 0.88, people.taste.home[uploader], strange)
    community[seed] = 0
    weight = popularity(rng, count)
    weight[seed] = np.quantile(weight, 0.9)
    state = rng.choice(3, count, p=(0.93, 0.03, 0.04)).astype(np.int32)
    access = rng.choice(3, count, p=(0.90, 0.06, 0.04)).astype(np.int32)
    quiet = rng.random((3, count))
    flags = [quiet[0] < 0.03, quiet[1] < 0.015, quiet[2] < 0.004]
    for array in (state, access, *flags):
        array[seed] = 0
    catalogue = Catalogue(
        ids=ids_from_times(uploaded, 20_000_003, 5, jitter),
        uploaded_s=uploaded,
        uploader=uploader,
        community=community.astype(np.int32),
        weight=weight,
        state=state,
        access=access,
        form=np.zeros(count, dtype=np.int32),
        guest=np.full(count, -1, dtype=np.int32),
        original=np.full(count, -1, dtype=np.int32),
        label=_labels(rng, uploader, people),
        hides_stats=flags[0],
        hides_comments=flags[1],
        null_user=flags[2],
        titles=[],
        seed=seed,
    )
    catalogue.label[seed] = 0
    _collaborate(rng, people, catalogue, options.community_count)
    return catalogue


def _uploaders(rng: np.random.Generator, count: int, people: People) -> Indices:
    """Choose the uploaders; row 0 is the seed. Labels upload a quarter, the first label most of it."""
    artists = np.flatnonzero(people.role == ARTIST)
    weights = rng.pareto(1.3, len(artists)) + 0.3
    uploader = rng.choice(artists, count, p=weights / weights.sum())
    shares = np.full(len(people.label_accounts), 0.3 / max(1, len(people.label_accounts) - 1))
    shares[0] = 0.7
    by_label = rng.choice(people.label_accounts, count // 4, p=shares / shares.sum())
    uploader[1 : 1 + len(by_label)] = by_label
    own = max(6, min(40, count // 100))
    uploader[len(by_label) + 1 : len(by_label) + own] = people.seed_artist
    uploader[0] = people.seed_artist
    return uploader.astype(np.int32)


def _labels(rng: np.random.Generator, uploader: Indices, people: People) -> Indices:
    """Return the label of each track, or -1."""
    own_label = np.full(len(people), -1, dtype=np.int32)
    own_label[people.label_accounts] = np.arange(len(people.label_accounts), dtype=np.int32)
    signed = np.where(rng.random(len(uploader)) < 0.6, people.signed_to[uploader], -1)
    return np.where(own_label[uploader] >= 0, own_label[uploader], signed).astype(np.int32)


def _collaborate(rng: np.random.Generator, people: People, catalogue: Catalogue, communities: int) -> None:
    """Add features, producers and remixes to tracks, and remixes by others to the seed."""
    count, seed = len(catalogue), catalogue.seed
    shares = (0.58, 0.08, 0.05, 0.11, 0.04, 0.04, 0.06, 0.04)
    catalogue.form[:] = rng.choice(8, count, p=shares)
    catalogue.form[seed] = FEATURING
    artists = np.flatnonzero(people.role == ARTIST)
    guests = Market.open(people.taste.home[artists], people.weight[artists], communities)
    everybody = np.full(count, -1, dtype=np.int32)
    present = np.unique(people.taste.home[artists])
    at_home = np.where(np.isin(catalogue.community, present), catalogue.community, everybody)
    chosen = artists[guests.choose(rng, at_home.astype(np.int32))]
    has_guest = (catalogue.form != PLAIN) & (chosen != catalogue.uploader)
    catalogue.guest[:] = np.where(has_guest, chosen, -1)
    derived = np.isin(catalogue.form, DERIVED)
    basis = np.flatnonzero(~derived)
    tracks = Market.open(catalogue.community[basis], catalogue.weight[basis], communities)
    originals = basis[tracks.choose(rng, everybody)]
    catalogue.original[:] = np.where(derived, originals, -1)
    _remix_the_seed(rng, people, catalogue, derived)
    catalogue.guest[seed] = artists[artists != people.seed_artist][0]
    lonely = (catalogue.form != PLAIN) & ~derived & (catalogue.guest < 0)
    catalogue.form[lonely] = PLAIN
    catalogue.guest[derived] = -1


def _remix_the_seed(rng: np.random.Generator, people: People, catalogue: Catalogue, derived: Bools) -> None:
    able = np.flatnonzero(derived & (catalogue.uploader != people.seed_artist))
    if len(able):
        some = rng.choice(able, min(_SEED_REMIXES, len(able)), replace=False)
        catalogue.original[some] = catalogue.seed
        catalogue.state[some[: len(some) // 2]] = PUBLIC
