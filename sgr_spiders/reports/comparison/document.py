"""A comparison as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sgr_spiders.reports.comparison.agreement import PERSISTENCE
from sgr_spiders.reports.comparison.differences import find_differences
from sgr_spiders.reports.comparison.held_out import RANDOM_SEED, RECOMMENDED, SHARE
from sgr_spiders.reports.comparison.neighbours import NEAREST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sgr_spiders.reports.comparison.comparison import Compared, Comparison, Density
    from sgr_spiders.reports.comparison.sides import About


def as_json(comparison: Comparison, config: str) -> dict[str, Any]:
    """Return the structure documented in docs/compare.md; *config* names the settings."""
    held = comparison.held_out
    return {
        **_of_each([_side(side) for side in comparison.sides]),
        "differences": find_differences(comparison.sides),
        "config": config,
        "nearest": NEAREST,
        "persistence": PERSISTENCE,
        "neighbours": {one.name: _compared(one) for one in comparison.compared},
        "held_out": {
            "reference": held.reference,
            "share": SHARE,
            "random_seed": RANDOM_SEED,
            "k": RECOMMENDED,
            "users": held.users,
            "likes": held.likes,
            "p": held.p,
            **_of_each([asdict(recall) for recall in held.recalls]),
        },
    }


def _of_each(pair: list[dict[str, Any]]) -> Mapping[str, dict[str, Any]]:
    return dict(zip(("a", "b"), pair, strict=True))


def _side(side: About) -> dict[str, Any]:
    source = side.source
    return {
        "database": side.database,
        "before": side.moment,
        "source": None if source is None else source.api_origin,
        "world": None if source is None else source.world,
        "seeds": side.seeds,
        "configurations": [{"name": name, "hash": digest} for name, digest in side.configurations],
        "layers": side.layers,
        "runs": len(side.runs),
        "requests": side.requests,
        "records": dict(side.records),
    }


def _compared(one: Compared) -> dict[str, Any]:
    recovery = one.recovery
    return {
        "nodes": one.kind,
        **_of_each([_density(density) for density in one.densities]),
        "agreement": asdict(one.agreement),
        "recovery": None if recovery is None else _of_each([asdict(side) for side in recovery]),
    }


def _density(density: Density) -> dict[str, Any]:
    return asdict(density) | {
        "pairs_per_node": density.pairs_per_node,
        "share_of_possible": density.of_possible,
        "share_with_neighbours": density.share_with_neighbours,
    }
