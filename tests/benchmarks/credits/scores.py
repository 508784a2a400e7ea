"""Precision, recall and F1 of the names found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sgr_spiders.titles.names import key
from tests.benchmarks.credits.suites import Case


@dataclass(slots=True)
class Score:
    right: int = 0
    invented: int = 0
    missed: int = 0

    def precision(self) -> float | None:
        return _share(self.right, self.right + self.invented)

    def recall(self) -> float | None:
        return _share(self.right, self.right + self.missed)

    def f1(self) -> float | None:
        """Return F1, or ``None`` if the suite has no names of this kind and none was invented."""
        return _share(2 * self.right, 2 * self.right + self.invented + self.missed)


def score(cases: Iterable[Case], kind: str) -> Score:
    total = Score()
    for case in cases:
        if kind not in case.expected:
            continue
        expected, found = (set(map(key, names[kind])) for names in (case.expected, case.found))
        total.right += len(expected & found)
        total.invented += len(found - expected)
        total.missed += len(expected - found)
    return total


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
