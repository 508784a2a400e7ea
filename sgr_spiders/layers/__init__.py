"""The layers: one file, one rule for what to fetch around a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.layers.user_depth import UserDepth

if TYPE_CHECKING:
    from sgr_spiders.config import HarvestConfig
    from sgr_spiders.layers.base import Layer

LAYERS = {"user_depth": UserDepth}
"""Every layer by its name, in the order in which they are named to the user."""


def build(names: tuple[str, ...], config: HarvestConfig) -> dict[str, Layer]:
    """Make the layers *names* with their sections of *config*."""
    return {name: LAYERS[name](getattr(config.deep_harvest, name)) for name in names}
