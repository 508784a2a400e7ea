"""The compiled inner loop of the Louvain method."""

from __future__ import annotations

from sgr_spiders.relationships.communities import moves
from sgr_spiders.relationships.kernel_cache import kernel

compiled_move = kernel(moves.move)
