"""track_cooccurrence: tracks that share playlists."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from sgr_spiders.relationships.base import RelationshipType
from sgr_spiders.storage.pairs.tables import Measure, PairTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sgr_spiders.config.harvest import TrackCooccurrence as Section
    from sgr_spiders.relationships.base import Counts
    from sgr_spiders.relationships.inputs import Incidence, RelationshipInput
    from sgr_spiders.relationships.weighing import PairWeights
    from sgr_spiders.storage.pairs.reading import InputName


class TrackCooccurrence(RelationshipType):
    """The number of playlists with both tracks, and its ratio to the playlists with each."""

    name: ClassVar[str] = "track_cooccurrence"
    reads: tuple[InputName, ...] = ("playlists",)
    table: ClassVar[PairTable] = PairTable(
        "track_relationships",
        kind="track",
        node="track_id",
        measures=(
            Measure("cooccurrences", "Playlists that contain both"),
            Measure(
                "weight",
                "`cooccurrences / sqrt(n_a * n_b)`, 0 to 1, where `n_a` and `n_b` are the playlists with "
                "each: the cosine of the tracks' incidence vectors. With `weighting` or `max_contribution`, "
                "the same of what the playlists count (see docs/relationships.md)",
                real=True,
            ),
        ),
        score="weight",
        comment="Tracks that share playlists",
    )

    def __init__(self, config: Section) -> None:
        super().__init__(config)
        self.config = config
        if config.playlists != "all":
            self.reads += ("uploads", "owners")
        elif config.max_contribution is not None:
            self.reads += ("owners",)

    def parameters(self) -> dict[str, Any]:
        return self.config.model_dump(mode="json", exclude={"enabled"})

    def incidence(self, inputs: RelationshipInput) -> Incidence:
        import numpy as np  # noqa: PLC0415 - `scrapy status` needs none of it

        from sgr_spiders.storage.lookup import mix  # noqa: PLC0415 - the same

        tracks = inputs.playlists_by_kind.of_tracks(self.config.playlists)
        if not self._is_weighted or tracks.context_ids is None or tracks.context_owners is None:
            return tracks
        # What a playlist counts also depends on its size and its owner.
        marks = tracks.context_ids.astype(np.uint64)
        for facts in (tracks.context_sizes, tracks.context_owners):
            marks = mix(marks) + facts.astype(np.uint64)
        return replace(tracks, context_ids=mix(marks).view(np.int64))

    @property
    def _is_weighted(self) -> bool:
        return self.config.weighting == "size" or self.config.max_contribution is not None

    def weigh(self, incidence: Incidence) -> PairWeights | None:
        """Return the values of playlists: 1, or 1/(n - 1) for one of n tracks.

        The latter is of M. E. J. Newman: Scientific collaboration networks. II. Shortest paths, weighted
        networks, and centrality. Physical Review E 64:016132, 2001. Each of the n authors of a paper has
        n - 1 others to share the time with.
        """
        import numpy as np  # noqa: PLC0415 - `scrapy status` needs none of it

        from sgr_spiders.relationships.weighing import PairWeights  # noqa: PLC0415 - the same

        if not self._is_weighted:
            return None
        sizes = incidence.context_sizes
        values = np.where(sizes > 1, 1 / np.maximum(1, sizes - 1), 0)
        if self.config.weighting == "count":
            values = np.ones(len(sizes))
        return PairWeights(incidence, values, self.config.max_contribution)

    def fewest(self, size_a: Counts, size_b: Counts) -> Counts:
        import numpy as np  # noqa: PLC0415 - `scrapy status` needs none of it

        return np.full(np.broadcast_shapes(size_a.shape, size_b.shape), self.config.min_cooccurrences)

    def measures(self, common: Counts, size_a: Counts, size_b: Counts) -> Sequence[NDArray[Any]]:
        import numpy as np  # noqa: PLC0415 - `scrapy status` needs none of it

        return common, common / np.sqrt(size_a * size_b)
