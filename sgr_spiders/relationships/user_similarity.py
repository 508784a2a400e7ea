"""user_similarity: the Jaccard similarity of two users' libraries."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

from sgr_spiders.relationships.base import RelationshipType
from sgr_spiders.storage.pairs.tables import Measure, PairTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sgr_spiders.config.harvest import UserSimilarity as Section
    from sgr_spiders.relationships.base import Counts
    from sgr_spiders.relationships.inputs import Incidence, RelationshipInput
    from sgr_spiders.storage.pairs.reading import InputName


class UserSimilarity(RelationshipType):
    """The Jaccard index of two users' liked tracks."""

    name: ClassVar[str] = "user_similarity"
    reads: tuple[InputName, ...] = ("likes",)
    table: ClassVar[PairTable] = PairTable(
        "user_similarities",
        kind="user",
        node="user_id",
        measures=(
            Measure(
                "jaccard",
                "`common_tracks / (tracks_a + tracks_b - common_tracks)`: tracks that both like, divided by "
                "tracks that either likes; 0 to 1",
                real=True,
            ),
            Measure("common_tracks", "Tracks that both like"),
            Measure("tracks_a", "Tracks that `user_id_a` likes"),
            Measure("tracks_b", "Tracks that `user_id_b` likes"),
        ),
        score="jaccard",
        comment="Users with similar libraries",
    )

    def __init__(self, config: Section) -> None:
        super().__init__(config)
        self.config = config
        self.least = Fraction(repr(config.min_similarity))

    def parameters(self) -> dict[str, Any]:
        return self.config.model_dump(mode="json", exclude={"enabled"})

    def incidence(self, inputs: RelationshipInput) -> Incidence:
        return inputs.likes.incidence.without_contexts_of_more_than(self.config.max_library_share)

    def fewest(self, size_a: Counts, size_b: Counts) -> Counts:
        import numpy as np  # noqa: PLC0415 - `scrapy status` needs none of it

        # c / (a + b - c) >= p / q, solved for c and rounded up.
        p, q = self.least.numerator, self.least.denominator
        by_jaccard: Counts = -(-p * (size_a + size_b) // (p + q))
        return np.maximum(self.config.min_common_tracks, by_jaccard)

    def measures(self, common: Counts, size_a: Counts, size_b: Counts) -> Sequence[NDArray[Any]]:
        return common / (size_a + size_b - common), common, size_a, size_b
