"""The output of ``scrapy prune``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sgr_spiders.text.formatting import number, pluralize, size, table
from sgr_spiders.text.invocation import command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sgr_spiders.config.harvest import Retention
    from sgr_spiders.storage.retention.prune import Pruned


def as_json(pruned: Pruned, *, dry_run: bool) -> dict[str, Any]:
    """Return the result as a JSON object."""
    return {"dry_run": dry_run, **asdict(pruned)}


def as_text(pruned: Pruned, retention: Retention, *, dry_run: bool, vacuumed: bool = False) -> list[str]:
    """Return the result as lines for people."""
    if retention.keeps_everything:
        return ["Nothing to prune: the section `retention` of the configuration keeps everything"]
    lines = []
    if pruned.rules:
        lines.append("Would be removed:" if dry_run else "Removed:")
        lines += table(list(_rows(pruned)), indent="  ")
    if pruned.pending:
        walks = pluralize(pruned.pending, "walk")
        lines.append(
            f"Users kept: {walks} pending, which need their IDs; finish the harvest, then prune again"
        )
    if dry_run:
        return lines
    if any(rule.rule == "users" and rule.rows for rule in pruned.rules):
        lines.append(f"Relationships and vectors of users were deleted; run `{command('relate')}`")
    if not vacuumed:
        lines.append(f"To give the space back, and to remove remains, run `{command('vacuum')}`")
    return lines


def _rows(pruned: Pruned) -> Iterator[list[str]]:
    yield ["rule", "rows", "size"]
    for rule in pruned.rules:
        yield [rule.rule, number(rule.rows), size(rule.bytes)]
        for name, count in rule.tables.items():
            if count:
                yield [f"  {name}", number(count), ""]
