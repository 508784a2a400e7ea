"""Every cap is a configuration key or a fixed cap with a reason."""

from __future__ import annotations

import pytest

from sgr_spiders.config.harvest import LAYER_NAMES, DeepHarvest
from sgr_spiders.layers import LAYERS, cap_of
from sgr_spiders.layers.base import FixedCap


@pytest.mark.parametrize("name", LAYERS)
def test_every_key_is_in_the_configuration(name: str) -> None:
    layer = LAYERS[name]
    section = DeepHarvest().layer(name)
    for step in layer.caps:  # type: ignore[attr-defined]
        cap = cap_of(name, step)
        if isinstance(cap, FixedCap):
            assert cap.why
        else:
            within, _, key = str(cap).partition(".")
            assert within == name
            assert isinstance(getattr(section, key), int)


def test_an_unknown_layer_or_step_has_no_cap() -> None:
    assert cap_of("of_yesterday", "likers") is None
    assert cap_of(LAYER_NAMES[0], "nonsense") is None
