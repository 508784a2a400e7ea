"""user_cosine: the cosine similarity of two users' libraries. Off by default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from sgr_spiders.relationships.integer_roots import ceil_root
from sgr_spiders.relationships.user_similarity import UserSimilarity
from sgr_spiders.storage.pairs.tables import Measure, PairTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sgr_spiders.relationships.base import Counts


class UserCosine(UserSimilarity):
    """The cosine of two users' liked tracks; less sensitive to unequal library sizes than Jaccard."""

    name: ClassVar[str] = "user_cosine"
    table: ClassVar[PairTable] = PairTable(
        "user_cosines",
        kind="user",
        node="user_id",
        measures=(
            Measure("cosine", "`common_tracks / sqrt(tracks_a * tracks_b)`, 0 to 1", real=True),
            *UserSimilarity.table.measures[1:],
        ),
        score="cosine",
        comment="Users with similar libraries, by cosine; empty unless `user_cosine` is enabled",
    )

    def fewest(self, size_a: Counts, size_b: Counts) -> Counts:
        import numpy as np  # noqa: PLC0415 - `scrapy status` needs none of it

        # c / sqrt(a * b) >= p / q, solved for c and rounded up.
        return np.maximum(self.config.min_common_tracks, ceil_root(self.least, size_a, size_b))

    def measures(self, common: Counts, size_a: Counts, size_b: Counts) -> Sequence[NDArray[Any]]:
        import numpy as np  # noqa: PLC0415 - `scrapy status` needs none of it

        return common / np.sqrt(size_a * size_b), common, size_a, size_b
