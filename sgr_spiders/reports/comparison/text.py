"""A comparison as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.reports.comparison.differences import find_differences
from sgr_spiders.reports.comparison.lines import (
    AGREEMENT,
    describe_relationships,
    describe_side,
    list_agreements,
    list_groups,
)
from sgr_spiders.text.escape import for_cell
from sgr_spiders.text.formatting import table

if TYPE_CHECKING:
    from sgr_spiders.reports.comparison.comparison import Comparison


def as_text(comparison: Comparison, config: str) -> list[str]:
    """Return what is compared, how it differs, and all figures; *config* names the settings."""
    lines = []
    for side in comparison.sides:
        first, second = map(for_cell, describe_side(side))
        lines += [f"{side.name}  {first}", f"   {second}"]
    lines += find_differences(comparison.sides)
    rows = [["", "A", "B"]]
    for group in list_groups(comparison):
        if group.heading:
            rows += [[], [group.heading]]
        indent = "  " if group.heading else ""
        rows += [[f"{indent}{line.name}", line.a, line.b] for line in group.lines]
    agreements = [list(AGREEMENT), *list_agreements(comparison)]
    return [
        *lines,
        "",
        *table(rows),
        "",
        *table(agreements),
        "",
        for_cell(describe_relationships(config)),
    ]
