"""The communities that a world plants, known from its name alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sgr_spiders.sandbox.options import MIN_TRACKS, MIN_USERS, WorldOptions
from sgr_spiders.sandbox.population import build_catalogue, build_people

if TYPE_CHECKING:
    from sgr_spiders.sandbox.seeding import Ints

_NAME = re.compile(
    r"seed=(?P<seed>\d{1,10}), users=(?P<users>\d{1,7}), tracks=(?P<tracks>\d{1,7}), "
    r"playlists=(?P<playlists>\d{1,7})(, communities=(?P<communities>\d{1,4}))?"
)


@dataclass(frozen=True)
class Communities:
    """The home community of each person, and the community of each track, by ascending public IDs."""

    users: Ints
    homes: Ints
    tracks: Ints
    styles: Ints


def communities_of(world_name: str) -> Communities | None:
    """Return the communities of the world of this name; ``None`` if no world is called so."""
    match = _NAME.fullmatch(world_name)
    if match is None:
        return None
    options = WorldOptions(**{key: int(value) for key, value in match.groupdict().items() if value})
    if options.users < MIN_USERS or options.tracks < MIN_TRACKS:
        return None
    people = build_people(options)
    catalogue = build_catalogue(options, people)
    return Communities(
        people.ids, people.taste.home.astype(int), catalogue.ids, catalogue.community.astype(int)
    )
