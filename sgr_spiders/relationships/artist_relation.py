"""artist_relation: artists who share fans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from sgr_spiders.relationships.base import RelationshipType
from sgr_spiders.storage.pairs.tables import Measure, PairTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sgr_spiders.config.harvest import ArtistRelation as Section
    from sgr_spiders.relationships.base import Counts
    from sgr_spiders.relationships.inputs import Incidence, RelationshipInput
    from sgr_spiders.storage.pairs.reading import InputName


class ArtistRelation(RelationshipType):
    """Shared fans, weighted by evidence and by the popularity of both artists.

    The strength is the cosine, shrunk towards 0 if it is based on few fans: the shrinkage of Bell and Koren,
    "Scalable Collaborative Filtering with Jointly Derived Neighborhood Interpolation Weights" (ICDM 2007),
    applied to the cosine instead of a correlation.
    """

    name: ClassVar[str] = "artist_relation"
    reads: tuple[InputName, ...] = ("likes", "uploads")
    table: ClassVar[PairTable] = PairTable(
        "artist_relationships",
        kind="user",
        node="artist_id",
        measures=(
            Measure("shared_fans", "Users whose libraries contain tracks by both"),
            Measure(
                "strength",
                "`shared_fans / (shared_fans + shrinkage) * shared_fans / sqrt(fans_a * fans_b)`, 0 to 1, "
                "where `fans_a` and `fans_b` are the users whose libraries contain a track by each: the "
                "cosine, shrunk towards 0 if it is based on few fans (see docs/relationships.md)",
                real=True,
            ),
        ),
        score="strength",
        comment="Artists liked by the same users",
    )

    def __init__(self, config: Section) -> None:
        super().__init__(config)
        self.config = config

    def parameters(self) -> dict[str, Any]:
        return self.config.model_dump(mode="json", exclude={"enabled"})

    def incidence(self, inputs: RelationshipInput) -> Incidence:
        return inputs.fans

    def fewest(self, size_a: Counts, size_b: Counts) -> Counts:
        import numpy as np  # noqa: PLC0415 - `scrapy status` needs none of it

        return np.full(np.broadcast_shapes(size_a.shape, size_b.shape), self.config.min_shared_fans)

    def measures(self, common: Counts, size_a: Counts, size_b: Counts) -> Sequence[NDArray[Any]]:
        import numpy as np  # noqa: PLC0415 - `scrapy status` needs none of it

        evidence = common / (common + self.config.shrinkage)
        return common, evidence * (common / np.sqrt(size_a * size_b))
