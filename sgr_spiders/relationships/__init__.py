"""Relationships between users, tracks and artists, built from spilled data. Each type has its own module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.relationships.artist_relation import ArtistRelation
from sgr_spiders.relationships.track_cooccurrence import TrackCooccurrence
from sgr_spiders.relationships.user_cosine import UserCosine
from sgr_spiders.relationships.user_similarity import UserSimilarity

if TYPE_CHECKING:
    from sgr_spiders.relationships.base import RelationshipType

TYPES: dict[str, type[RelationshipType]] = {
    relationship.name: relationship
    for relationship in (
        UserSimilarity,
        TrackCooccurrence,
        ArtistRelation,
        UserCosine,
    )
}
"""Every relationship type by name, in build order; each takes its own section of the configuration."""
