"""The list of what caps left out: of walks that they ended, and in choices of layers that they limited."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sgr_spiders.config.harvest import LAYER_NAMES
from sgr_spiders.text.escape import for_message
from sgr_spiders.text.formatting import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sgr_spiders.storage.figures.overview import Capped, CappedWalks, Choices

HEADING = "Capped; to get more, raise the setting in its section of the configuration"

MAX_EXAMPLE = 24
"""Maximum length of an example target: an ID, or the start of a search query or URL."""


@dataclass(frozen=True, slots=True)
class Cap:
    """A cap and what it left out. The fields are the keys of ``capped[]`` in docs/status.md."""

    layer: str
    setting: str | None
    cap: int | None
    kept: int
    available: int | None
    reason: str | None
    walks: int | None
    choices: int | None
    seeds: int | None
    step: str | None
    endpoint: str | None
    example: str

    @property
    def count(self) -> int:
        return self.walks or self.choices or 0


def list_caps(capped: Capped) -> list[Cap]:
    """Return all caps, those of settings first, in the order of the layers."""
    caps = [*map(_of_walks, capped.walks), *map(_of_choices, capped.choices)]
    order = [*LAYER_NAMES, *sorted({cap.layer for cap in caps} - set(LAYER_NAMES))]
    return sorted(caps, key=lambda cap: (cap.setting is None, order.index(cap.layer), cap.setting or ""))


def count_by_setting(capped: Capped) -> dict[tuple[str, str], int]:
    """Count the walks and choices that each setting limited, by layer and key."""
    counts: Counter[tuple[str, str]] = Counter()
    for cap in list_caps(capped):
        if cap.setting is not None:
            counts[cap.layer, cap.setting.partition(".")[2]] += cap.count
    return dict(counts)


def cap_rows(caps: Sequence[Cap]) -> list[list[str]]:
    """Return a row for each cap: how often it cut, the setting, the numbers, the place and an example."""
    return [
        [
            number(cap.count),
            describe_cap(cap),
            _numbers(cap),
            cap.endpoint or "choice",
            render_example(cap.example) if cap.reason is None else for_message(cap.reason),
        ]
        for cap in caps
    ]


def describe_cap(cap: Cap) -> str:
    """Return the setting and its value, or the layer and its fixed cap, if any."""
    if cap.setting is not None:
        return f"{cap.setting} = {number(cap.cap)}"
    return cap.layer if cap.cap is None else f"{cap.layer}: {number(cap.cap)} (fixed)"


def _numbers(cap: Cap) -> str:
    return f"{number(cap.kept)} of {'unknown' if cap.available is None else number(cap.available)}"


def render_example(target: str) -> str:
    """Return the ID, search query or URL *target* as an example, shortened."""
    text = for_message(target)
    return f"e.g. {text}" if len(text) <= MAX_EXAMPLE else f"e.g. {text[: MAX_EXAMPLE - 3]}..."


def _of_walks(walks: CappedWalks) -> Cap:
    from sgr_spiders.layers import cap_of  # noqa: PLC0415 - the layers load dictionaries
    from sgr_spiders.layers.base import FixedCap  # noqa: PLC0415 - the same

    cap = cap_of(walks.layer, walks.step)
    return Cap(
        layer=walks.layer,
        setting=cap if isinstance(cap, str) and walks.reason is None else None,
        cap=walks.cap if walks.reason is None else None,
        kept=walks.kept,
        available=walks.available,
        reason=walks.reason or (cap.why if isinstance(cap, FixedCap) else None),
        walks=walks.walks,
        choices=None,
        seeds=None,
        step=walks.step,
        endpoint=walks.endpoint,
        example=walks.example,
    )


def _of_choices(choices: Choices) -> Cap:
    return Cap(
        layer=choices.layer,
        setting=f"{choices.layer}.{choices.setting}",
        cap=choices.cap,
        kept=choices.kept,
        available=choices.available,
        reason=None,
        walks=None,
        choices=choices.choices,
        seeds=choices.seeds,
        step=None,
        endpoint=None,
        example=choices.example,
    )
