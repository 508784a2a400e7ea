"""Choose the parameters of a method on a validation part: held-out training pairs, never tested ones.

Ferrari Dacrema, Cremonesi and Jannach, Are We Really Making Much Progress? (RecSys 2019),
https://arxiv.org/abs/1907.06902: untuned baselines make any method look good. Each method is tuned by the
same rule, separately in each split, and then trained on all training pairs.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sgr_spiders.embeddings.evaluation.trial import Trial

    Parameters = Mapping[str, Any]

GRIDS: Mapping[str, Mapping[str, tuple[float, ...]]] = {
    "popularity": {},
    "walk": {"alpha": (0.5, 1.0, 1.5), "neighbours": (100, 300)},
    "itemknn": {"neighbours": (50, 200), "shrinkage": (0.0, 10.0, 100.0)},
    "ease": {"regularization": (10.0, 30.0, 100.0, 300.0, 1000.0)},
    "blend": {},
    "svd": {"dimensions": (16, 32, 64, 128, 256)},
    "als": {"dimensions": (64, 256), "regularization": (0.1, 0.2, 0.3)},
    "item2vec": {"dimensions": (32, 64, 128)},
    "lightgcn": {"dimensions": (32, 64, 128)},
}
"""The values to try of each parameter, in all combinations. ``blend`` always chooses its own."""
WITH_DIMENSIONS = frozenset(["blend", *(name for name, grid in GRIDS.items() if "dimensions" in grid)])


@dataclass(frozen=True, slots=True)
class Tuned:
    """The best parameters, and the mean nDCG of each attempt on the validation part."""

    parameters: Parameters
    attempts: Sequence[tuple[Parameters, float]]
    cpu_seconds: float


def list_candidates(method: str, dimensions: int | None = None) -> list[dict[str, Any]]:
    """Return the parameters to try; *dimensions* fixes the length of vectors."""
    grid = dict(GRIDS[method])
    if dimensions is not None and "dimensions" in grid:
        grid["dimensions"] = (dimensions,)
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def tune(method: str, trial: Trial, dimensions: int | None = None) -> Tuned:
    """Return the parameters with the highest nDCG on the validation part of *trial*, of equal ones the first.

    Without alternatives, or if nothing is left to validate on, these are the first of the grid or the
    default.
    """
    began = time.process_time()
    candidates = list_candidates(method, dimensions)
    inner = None if trial.divide is None or len(candidates) < 2 else trial.divide()
    if inner is None or not inner.has_data:
        return Tuned(fixed_parameters(method, dimensions), [], 0.0)
    attempts = [(given, inner.measure(method, given).ndcg) for given in candidates]
    best = max(attempts, key=lambda attempt: attempt[1])
    return Tuned(best[0], attempts, time.process_time() - began)


def fixed_parameters(method: str, dimensions: int | None = None) -> Parameters:
    """Return the parameters that differ from the defaults without tuning."""
    if dimensions is None or method not in WITH_DIMENSIONS:
        return {}
    return {"dimensions": dimensions}
