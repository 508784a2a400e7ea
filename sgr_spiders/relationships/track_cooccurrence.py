"""track_cooccurrence: tracks that stand together in playlists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from sgr_spiders.relationships.base import RelationshipType
from sgr_spiders.storage.pairs.tables import Measure, PairTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sgr_spiders.config.harvest import TrackCooccurrence as Section
    from sgr_spiders.relationships.base import Counts
    from sgr_spiders.relationships.inputs import Incidence, Lake


class TrackCooccurrence(RelationshipType):
    """How many playlists hold both tracks, and how many that is for how often each is in one."""

    name: ClassVar[str] = "track_cooccurrence"
    table: ClassVar[PairTable] = PairTable(
        "track_relationships",
        kind="track",
        node="track_id",
        measures=(
            Measure("cooccurrences", "Playlists that hold both"),
            Measure(
                "weight",
                "`cooccurrences / sqrt(n_a * n_b)`, 0 to 1, where `n_a` and `n_b` are the playlists with "
                "each: the cosine of the tracks' incidence vectors",
                real=True,
            ),
        ),
        score="weight",
        comment="Tracks that stand together in playlists",
    )

    def __init__(self, config: Section) -> None:
        super().__init__(config)
        self.config = config

    def parameters(self) -> dict[str, Any]:
        return self.config.model_dump(mode="json", exclude={"enabled"})

    def incidence(self, lake: Lake) -> Incidence:
        return lake.playlists.of_members()

    def fewest(self, size_a: Counts, size_b: Counts) -> Counts:
        import numpy as np  # noqa: PLC0415 - `scrapy status` needs none of it

        return np.full(np.broadcast_shapes(size_a.shape, size_b.shape), self.config.min_cooccurrences)

    def measures(self, common: Counts, size_a: Counts, size_b: Counts) -> Sequence[NDArray[Any]]:
        import numpy as np  # noqa: PLC0415 - `scrapy status` needs none of it

        return common, common / np.sqrt(size_a * size_b)
