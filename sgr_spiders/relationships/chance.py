"""The number of pairs that chance alone would keep: the same search in random rewirings of the input."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from sgr_spiders.relationships.arrangement import arrange
from sgr_spiders.relationships.curveball import Rewirings
from sgr_spiders.relationships.measuring import Measuring
from sgr_spiders.text.formatting import pluralize

if TYPE_CHECKING:
    from sgr_spiders.relationships.base import RelationshipType
    from sgr_spiders.relationships.build import Environment
    from sgr_spiders.relationships.inputs import Incidence
    from sgr_spiders.relationships.keys import Keys

logger = logging.getLogger(__name__)

SEED = 1
"""The random seed of the first rewiring; so the same input gives the same numbers."""
PROGRESS_SECONDS = 10
MOST_WITH_DECIMAL = 10
"""The mean from which its decimal says nothing."""


@dataclass(frozen=True, slots=True)
class ChanceCount:
    """The pairs of a type that meet its thresholds, and as many by chance, one number per rewiring."""

    table: str
    kept: int
    by_chance: list[int]

    @property
    def mean(self) -> float:
        return sum(self.by_chance) / len(self.by_chance)

    def describe(self, *, is_limited: bool) -> str:
        """Return both numbers as one line, which says so if the table *is_limited*."""
        mean = f"{self.mean:,.0f}" if self.mean >= MOST_WITH_DECIMAL else f"{self.mean:.2g}"
        counted = pluralize(self.kept, "pair")
        kept = f"{counted} without the limits of the table" if is_limited else f"{counted} kept"
        rewirings = pluralize(len(self.by_chance), "rewiring")
        least, most = min(self.by_chance), max(self.by_chance)
        spread = f"{least:,} to {most:,} in {rewirings}" if len(self.by_chance) > 1 else rewirings
        return f"{self.table}: {kept}; chance alone keeps {mean} ({spread})"


def count_by_chance(relationship: RelationshipType, environment: Environment, rewirings: int) -> ChanceCount:
    """Count the pairs of *relationship* in the input and in so many random rewirings of it.

    ``top_k`` and ``max_pairs`` do not limit the pairs, because they would keep as many by chance.

    Raises:
        CancelledError: the search was cancelled.
    """
    incidence, table = relationship.incidence(environment.inputs), relationship.table.name
    kept = _count(relationship, incidence, environment)
    series = Rewirings(incidence, SEED, environment.is_cancelled)
    by_chance: list[int] = []
    last_progress = time.monotonic()
    for number in range(rewirings):
        by_chance.append(_count(relationship, series.next(), environment))
        if time.monotonic() - last_progress >= PROGRESS_SECONDS:
            last_progress = time.monotonic()
            logger.info("%s: %s of %s rewirings", table, number + 1, rewirings)
    return ChanceCount(table, kept, by_chance)


def _count(relationship: RelationshipType, incidence: Incidence, environment: Environment) -> int:
    """Count the pairs that meet the thresholds; keep none of them."""
    counted, lock = 0, Lock()
    arrangement = arrange(incidence, relationship)

    def take(keys: Keys) -> None:
        nonlocal counted
        with lock:
            counted += len(keys)

    finder = environment.engine.open(arrangement, environment.is_cancelled)
    validated = environment.config.validated
    if validated is not None:
        # Lazy import: scipy.special is slow to import.
        from sgr_spiders.relationships.significance.assessment import assess  # noqa: PLC0415

        engine, threads, cancelled = environment.engine, environment.config.threads, environment.is_cancelled
        significance = assess(incidence, relationship, engine, threads, cancelled, _ignore)
        finder = significance.filter(finder, validated)
    Measuring(relationship, incidence).filter(finder).find(take, _ignore)
    return counted


def _ignore(_share: float) -> None:
    """Take no notice of the progress of one search."""
