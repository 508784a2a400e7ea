"""label_layer: the catalogues of the seed's labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sgr_spiders.layers.accounts import ACCOUNT_HITS, FIRST_HITS, account_of, catalogue
from sgr_spiders.layers.base import (
    ALL_THE_API_GIVES,
    SEED_STEP,
    FixedCap,
    Layer,
    LayerView,
    Seed,
    Wanted,
    cut,
)
from sgr_spiders.model.items import Mention, Selection, WalkRequest
from sgr_spiders.titles.label_keys import label_key
from sgr_spiders.titles.labels import is_of_label, labels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sgr_spiders.config.harvest import LabelLayer as Section
    from sgr_spiders.model.items import MainRecord


class LabelLayer(Layer):
    """The catalogues of the labels that released the seed.

    It harvests the uploads of the label's own account, then searches for the label's name. A hit counts
    if its fields name the label.
    """

    name: ClassVar[str] = "label_layer"
    expanding_steps: ClassVar[frozenset[str]] = frozenset({SEED_STEP})
    needs_second_pass: ClassVar[bool] = True
    caps: ClassVar[Mapping[str, str | FixedCap]] = {
        "accounts": FIRST_HITS,
        "uploads": "max_catalog_size",
        "hits": ALL_THE_API_GIVES,
    }

    def __init__(self, config: Section) -> None:
        self.config = config

    def found(self, step: str, seed: Seed, record: MainRecord) -> Iterator[Wanted]:
        yield from cut("max_labels_per_track", self.config.max_labels_per_track, len(self._detected(seed)))
        for label in self._labels(seed):
            yield Mention(seed.track.track_id, "label", label)
            yield WalkRequest("search_users", label, "accounts", ACCOUNT_HITS, selective=True)

    def after_all_ended(self, seed: Seed, view: LayerView) -> Iterator[Wanted]:
        for label in self._labels(seed):
            yield from self._catalogue(seed, view, label)

    def _labels(self, seed: Seed) -> list[str]:
        return self._detected(seed)[: self.config.max_labels_per_track]

    def _detected(self, seed: Seed) -> list[str]:
        detected = labels(
            label_name=seed.track.label_name,
            description=seed.track.description,
            publisher=_publisher_metadata(seed),
            methods=self.config.detection_methods,
        )
        return [label.name for label in detected]

    def _catalogue(self, seed: Seed, view: LayerView, label: str) -> Iterator[Wanted]:
        account = account_of(label, view, key=label_key)
        user = None
        if account is not None:
            user, score = account
            yield Selection("user", user.user_id, score)
            yield Mention(seed.track.track_id, "label", label, user.user_id)
        cap = self.config.max_catalog_size
        yield from catalogue(
            view,
            user,
            label,
            "max_catalog_size",
            cap,
            lambda hit: is_of_label(hit.label_name, hit.description, None, label),
        )


def _publisher_metadata(seed: Seed) -> dict[str, object]:
    """Return the fields about the publisher, with and without a column."""
    others = seed.unknown_fields.get("publisher_metadata")
    known = {name: getattr(seed.track, name) for name in ("p_line", "c_line", "publisher")}
    return {**(others if isinstance(others, dict) else {}), **known}
