"""Playlists by worth: albums and EPs say what an artist has made, curation says what people put together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.storage.libraries import ALBUMS, CURATED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sgr_spiders.config.harvest import PlaylistChoice
    from sgr_spiders.relationships.inputs import Incidence, Members
    from sgr_spiders.storage.pairs.reading import Groups, PlaylistFacts

    Ids = NDArray[np.int64]
    Mask = NDArray[np.bool_]


def find_albums(groups: Groups, artists: Ids, facts: PlaylistFacts) -> Mask:
    """Return which of the playlists in *groups* are albums, EPs or singles.

    *artists* are the artists of the members, 0 if unknown. An album has no track by another account than its
    owner. Of its tracks, at least half are known to be by the owner, unless the API calls it an album, an EP
    or a single.
    """
    count = len(groups.owners)
    playlist = np.repeat(np.arange(count), groups.sizes)
    owners, is_set = facts.of(groups.owners)
    is_known = artists != 0
    is_own = is_known & (artists == owners[playlist])
    own = np.bincount(playlist[is_own], minlength=count)
    others = np.bincount(playlist[is_known & ~is_own], minlength=count)
    is_mostly_own = (own > 0) & (2 * own >= groups.sizes)
    is_album: Mask = (owners != 0) & (others == 0) & (is_mostly_own | is_set)
    return is_album


@dataclass(frozen=True, slots=True)
class Playlists:
    """Playlists and their tracks, the owner of each playlist (0 if unknown), and whether it is an album."""

    members: Members
    owners: Ids
    is_album: Mask

    @property
    def counts(self) -> dict[str, int]:
        albums = int(self.is_album.sum())
        return {ALBUMS: albums, CURATED: len(self.is_album) - albums}

    def of_tracks(self, choice: PlaylistChoice) -> Incidence:
        """Return the tracks as nodes and the chosen playlists as contexts.

        The numbers of albums and others are left out with all playlists: the pairs do not depend on them,
        so they could be those of earlier data.
        """
        chosen = np.ones(len(self.owners), bool) if choice == "all" else self.is_album == (choice == ALBUMS)
        members = self.members if chosen.all() else _choose(self.members, chosen)
        kinds = {} if choice == "all" else self.counts
        return replace(members.of_members(), context_owners=self.owners[chosen], kinds=kinds)


def _choose(members: Members, chosen: Mask) -> Members:
    """Return the *chosen* owners, and the members that any of them has."""
    incidence = members.incidence
    numbers = incidence.contexts[np.repeat(chosen, incidence.sizes)]
    is_left = np.zeros(len(members.ids), bool)
    is_left[numbers] = True
    ids = members.ids[is_left]
    kept = replace(
        incidence,
        ids=incidence.ids[chosen],
        starts=np.concatenate([[0], np.cumsum(incidence.sizes[chosen])]).astype(np.int64),
        contexts=(np.cumsum(is_left) - 1)[numbers].astype(np.int32),
        context_count=len(ids),
        context_ids=ids,
        cut=incidence.is_cut[chosen],
    )
    return replace(members, incidence=kept, ids=ids)
