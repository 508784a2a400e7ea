"""The project's settings, and a layer that uses what no layer of the project uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sgr_spiders.layers import LAYERS
from sgr_spiders.layers.base import SEED_STEP, Layer, LayerView, Seed, Wanted
from sgr_spiders.model.items import Selection, Track, User, WalkRequest
from sgr_spiders.settings import *  # noqa: F403

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sgr_spiders.model.items import MainRecord


class ProbeLayer(Layer):
    """Requests one walk for two steps, and selects from the libraries their positions and first tracks."""

    name: ClassVar[str] = "artist_depth"
    expanding_steps: ClassVar[frozenset[str]] = frozenset({SEED_STEP, "few", "more"})
    needs_second_pass: ClassVar[bool] = True

    def __init__(self, _config: object) -> None:
        pass

    def found(self, step: str, seed: Seed, record: MainRecord) -> Iterator[Wanted]:
        if step == SEED_STEP:
            target = str(seed.track.track_id)
            yield WalkRequest("track_favoriters", target, "few", 6, selective=True)
            yield WalkRequest("track_favoriters", target, "more", 12, selective=True)
        elif isinstance(record, User) and step == "few":
            yield WalkRequest("user_likes", str(record.user_id), "libraries", 3, selective=True)
        elif isinstance(record, User):
            yield Selection("user", record.user_id)

    def after_all_ended(self, seed: Seed, view: LayerView) -> Iterator[Wanted]:
        for position, walk in enumerate(view.walks("libraries")):
            yield Selection("user", int(walk.target), (position + 1) / 100)
            for track in walk.records:
                assert isinstance(track, Track)
                yield Selection("track", track.track_id)


LAYERS["artist_depth"] = ProbeLayer
