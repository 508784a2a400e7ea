"""Titles, permalinks and credits of tracks."""

from __future__ import annotations

from typing import NamedTuple

from sgr_spiders.sandbox import names
from sgr_spiders.sandbox import vocabulary as words
from sgr_spiders.sandbox.population import (
    DERIVED,
    EDIT,
    FEATURE_IN_TEXT,
    FEATURING,
    FLIP,
    FT,
    LABEL,
    PRODUCED,
    REMIX,
    Catalogue,
    People,
)
from sgr_spiders.sandbox.seeding import mix

_ODD_SHARE = 16
"""One title in this many is not plain English."""


class Credit(NamedTuple):
    """A name credited in a track's title or description."""

    kind: str
    name: str
    user_id: int


def write_titles(seed: int, people: People, catalogue: Catalogue) -> None:
    """Fill in every title; the title of a remix contains that of its original."""
    bases = [
        _base_title(mix(seed, 11, int(number)), int(community))
        for number, community in zip(catalogue.ids, catalogue.community, strict=True)
    ]
    bases[catalogue.seed] = "Paper Lanterns"
    catalogue.titles[:] = [_title(index, bases, people, catalogue) for index in range(len(bases))]


def _base_title(throw: int, community: int) -> str:
    scene = words.SCENES[community % len(words.SCENES)]
    if throw % _ODD_SHARE == 0:
        return words.ODD_TITLES[(throw >> 8) % len(words.ODD_TITLES)]
    noun = scene.nouns[(throw >> 8) % len(scene.nouns)]
    adjective = words.ADJECTIVES[(throw >> 16) % len(words.ADJECTIVES)]
    pattern = (throw >> 32) % 8
    if pattern == 0:
        return f"{adjective} {noun} {('II', 'III', 'IV', 'V')[(throw >> 40) % 4]}"
    if pattern == 1:
        return f"{noun} at {('Dawn', 'Dusk', 'Noon', 'Night')[(throw >> 40) % 4]}"
    return f"{adjective} {noun}"


def _title(index: int, bases: list[str], people: People, catalogue: Catalogue) -> str:
    form = int(catalogue.form[index])
    uploader = people.usernames[catalogue.uploader[index]]
    if form in DERIVED:
        original = int(catalogue.original[index])
        artist = people.usernames[catalogue.uploader[original]]
        kind = {REMIX: "Remix", EDIT: "Edit", FLIP: "Flip"}[form]
        return f"{artist} - {bases[original]} ({uploader} {kind})"
    base = bases[index]
    if people.role[catalogue.uploader[index]] == LABEL:
        base = f"{people.usernames[_artist_behind(index, people, catalogue)]} - {base}"
    guest = people.usernames[catalogue.guest[index]]
    if form == FEATURING:
        return f"{base} (feat. {guest})"
    if form == FT:
        return f"{base} ft. {guest}"
    if form == PRODUCED:
        return f"{base} (prod. by {guest})"
    return base


def _artist_behind(index: int, people: People, catalogue: Catalogue) -> int:
    """Return the artist of a label's upload: someone signed to it, else the guest or the label."""
    guest = int(catalogue.guest[index])
    label = int(catalogue.label[index])
    signed = people.signed_rosters.get(label, ())
    if signed:
        return signed[mix(13, int(catalogue.ids[index])) % len(signed)]
    return guest if guest >= 0 else int(catalogue.uploader[index])


def performer(index: int, people: People, catalogue: Catalogue) -> int:
    """Return the artist of a track; for a label's upload, that is not the uploader."""
    if people.role[catalogue.uploader[index]] == LABEL:
        return _artist_behind(index, people, catalogue)
    return int(catalogue.uploader[index])


def credits_of(index: int, people: People, catalogue: Catalogue) -> list[Credit]:
    """Return the features, producers and remixers named in title and description."""
    form = int(catalogue.form[index])
    if form in DERIVED:
        remixer = int(catalogue.uploader[index])
        return [Credit("remixer", people.usernames[remixer], int(people.ids[remixer]))]
    kinds = {FEATURING: "featuring", FT: "featuring", FEATURE_IN_TEXT: "featuring", PRODUCED: "producer"}
    guest = int(catalogue.guest[index])
    if guest < 0 or form not in kinds:
        return []
    return [Credit(kinds[form], people.usernames[guest], int(people.ids[guest]))]


def track_permalinks(indices: list[int], catalogue: Catalogue) -> list[str]:
    """Return distinct permalinks for the tracks of one uploader."""
    titles = [catalogue.titles[index] for index in indices]
    return names.permalinks(titles, (f"track-{catalogue.ids[index]}" for index in indices))
