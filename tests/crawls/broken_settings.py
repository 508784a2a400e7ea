"""The project's settings, and a second layer that raises an exception for every record."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sgr_spiders.layers import LAYERS
from sgr_spiders.layers.base import SEED_STEP, Layer, Seed
from sgr_spiders.settings import *  # noqa: F403

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sgr_spiders.model.items import MainRecord, WalkRequest


class BrokenLayer(Layer):
    name: ClassVar[str] = "playlist_depth"
    expanding_steps: ClassVar[frozenset[str]] = frozenset({SEED_STEP})

    def __init__(self, _config: object) -> None:
        pass

    def found(self, step: str, seed: Seed, record: MainRecord) -> Iterable[WalkRequest]:
        raise LookupError(f"a bug in a layer, at step {step} of {seed.track.track_id} with {record.kind}")


LAYERS["playlist_depth"] = BrokenLayer
