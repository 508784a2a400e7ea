"""The layers: one file, one rule for what to fetch around a seed."""

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

# Each takes its own section of the configuration.
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
"""Every layer by its name, in the order in which they are named to the user."""


def build(names: tuple[str, ...], config: HarvestConfig) -> dict[str, Layer]:
    """Make the layers *names* with their sections of *config*."""
    return {name: LAYERS[name](getattr(config.deep_harvest, name)) for name in names}


def cap_of(layer: str, step: str) -> str | FixedCap | None:
    """Tell what caps a layer's walks of *step*: a key of the configuration, in full, or a fixed cap.

    ``None`` where the layer is not known any more, or wants those walks to their end.
    """
    caps: Mapping[str, str | FixedCap] = getattr(LAYERS.get(layer), "caps", {})
    cap = caps.get(step)
    return f"{layer}.{cap}" if isinstance(cap, str) else cap
