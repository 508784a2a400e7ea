"""The layers: each file is one rule for what to fetch around a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sgr_spiders.layers.artist_depth import ArtistDepth
from sgr_spiders.layers.commentary_layer import CommentaryLayer
from sgr_spiders.layers.contextual_layer import ContextualLayer
from sgr_spiders.layers.label_layer import LabelLayer
from sgr_spiders.layers.playlist_depth import PlaylistDepth
from sgr_spiders.layers.semantic_depth import SemanticDepth
from sgr_spiders.layers.user_depth import UserDepth

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sgr_spiders.config.harvest import HarvestConfig
    from sgr_spiders.layers.base import FixedCap, Layer

# The argument of each is its own section of the configuration.
LAYERS: dict[str, Callable[[Any], Layer]] = {
    layer.name: layer
    for layer in (
        UserDepth,
        PlaylistDepth,
        ArtistDepth,
        SemanticDepth,
        CommentaryLayer,
        LabelLayer,
        ContextualLayer,
    )
}
"""All layers by name, in display order."""


def build(names: tuple[str, ...], config: HarvestConfig) -> dict[str, Layer]:
    """Build the layers *names* with their sections of *config*."""
    return {name: LAYERS[name](getattr(config.deep_harvest, name)) for name in names}


def cap_of(layer: str, step: str) -> str | FixedCap | None:
    """Return what caps a layer's walks of *step*: a full configuration key or a fixed cap.

    ``None`` if the layer no longer exists or fetches those walks to their end.
    """
    caps: Mapping[str, str | FixedCap] = getattr(LAYERS.get(layer), "caps", {})
    cap = caps.get(step)
    return f"{layer}.{cap}" if isinstance(cap, str) else cap
