"""The differences of A and B that keep their figures from comparing the same thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.reports.comparison.sides import DIGITS
from sgr_spiders.text.escape import for_message
from sgr_spiders.text.formatting import pluralize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sgr_spiders.reports.comparison.sides import About

MAX_NAMED = 3
"""Seeds and configurations to name."""


def find_differences(sides: tuple[About, About]) -> list[str]:
    """Return a sentence for each difference, and for each side whose last run is not complete."""
    a, b = sides
    found = []
    if not _has_same_source(a, b):
        found.append(_differ("Sources", describe_source(a), describe_source(b)))
    if a.seeds != b.seeds:
        found.append(_differ("Seeds", describe_seeds(a), describe_seeds(b)))
    if {digest for _, digest in a.configurations} != {digest for _, digest in b.configurations}:
        found.append(_differ("Configurations", *_describe_configurations(a, b)))
    for one, other in ((a, b), (b, a)):
        if only := [layer for layer in one.layers if layer not in other.layers]:
            found.append(f"Layers only of {one.name}: {', '.join(only)}")
    return [*found, *(line for side in sides for line in _incomplete(side))]


def _differ(what: str, a: str, b: str) -> str:
    return f"{what} differ: {a} (A), {b} (B)"


def _has_same_source(a: About, b: About) -> bool:
    if a.source is None or b.source is None:
        return a.source is b.source
    return a.source.covers(b.source.api_origin, b.source.world)


def describe_source(side: About) -> str:
    """Return the source of a database as text."""
    return "no source" if side.source is None else for_message(side.source.describe())


def describe_seeds(side: About) -> str:
    """Return the seeds of a side as text, a few by their IDs."""
    return _list([str(seed) for seed in side.seeds], "seed")


def describe_configurations(side: About) -> str:
    """Return the configurations of a side by their names."""
    return _list([for_message(name) for name, _ in side.configurations], "configuration")


def _describe_configurations(a: About, b: About) -> tuple[str, str]:
    """Return the configurations of both; with hashes if their names alone do not tell them apart."""
    named = describe_configurations(a), describe_configurations(b)
    if named[0] != named[1]:
        return named
    hashed = [
        _list(
            [f"{for_message(name)} {(digest or 'unknown')[:DIGITS]}" for name, digest in side.configurations],
            "configuration",
        )
        for side in (a, b)
    ]
    return hashed[0], hashed[1]


def _list(names: Sequence[str], noun: str) -> str:
    if not names:
        return f"no {noun}"
    distinct = list(dict.fromkeys(names))
    more = len(distinct) - MAX_NAMED
    shown = ", ".join(distinct[:MAX_NAMED])
    return f"{shown} and {pluralize(more, f'more {noun}')}" if more > 0 else shown


def _incomplete(side: About) -> list[str]:
    if not side.runs:
        return [f"{side.name} contains no run"]
    outcome = side.runs[-1].outcome
    if outcome == "complete":
        return []
    ended = "has not ended" if outcome is None else f"ended {outcome}"
    return [f"The last run of {side.name} {ended}"]
