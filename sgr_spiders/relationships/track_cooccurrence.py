"""track_cooccurrence: tracks that share playlists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from sgr_spiders.relationships.base import RelationshipType
from sgr_spiders.storage.pairs.tables import Measure, PairTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sgr_spiders.config.harvest import TrackCooccurrence as Section
    from sgr_spiders.relationships.base import Counts
    from sgr_spiders.relationships.inputs import Incidence, RelationshipInput
    from sgr_spiders.storage.pairs.reading import InputName


class TrackCooccurrence(RelationshipType):
    """The number of playlists with both tracks, and its ratio to the playlists with each."""

    name: ClassVar[str] = "track_cooccurrence"
    reads: ClassVar[tuple[InputName, ...]] = ("playlists",)
    table: ClassVar[PairTable] = PairTable(
        "track_relationships",
        kind="track",
        node="track_id",
        measures=(
            Measure("cooccurrences", "Playlists that contain both"),
            Measure(
                "weight",
                "`cooccurrences / sqrt(n_a * n_b)`, 0 to 1, where `n_a` and `n_b` are the playlists with "
                "each: the cosine of the tracks' incidence vectors",
                real=True,
            ),
        ),
        score="weight",
        comment="Tracks that share playlists",
    )

    def __init__(self, config: Section) -> None:
        super().__init__(config)
        self.config = config

    def parameters(self) -> dict[str, Any]:
        return self.config.model_dump(mode="json", exclude={"enabled"})

    def incidence(self, inputs: RelationshipInput) -> Incidence:
        return inputs.playlists.of_members()

    def fewest(self, size_a: Counts, size_b: Counts) -> Counts:
        import numpy as np  # noqa: PLC0415 - `scrapy status` needs none of it

        return np.full(np.broadcast_shapes(size_a.shape, size_b.shape), self.config.min_cooccurrences)

    def measures(self, common: Counts, size_a: Counts, size_b: Counts) -> Sequence[NDArray[Any]]:
        import numpy as np  # noqa: PLC0415 - `scrapy status` needs none of it

        return common, common / np.sqrt(size_a * size_b)
