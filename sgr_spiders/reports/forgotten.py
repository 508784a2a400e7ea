"""The report of ``scrapy forget``: what was removed, and what may still contain it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sgr_spiders.model.items import URL
from sgr_spiders.soundcloud.urns import urn
from sgr_spiders.text.formatting import minute, number, pluralize, table
from sgr_spiders.text.invocation import command

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sgr_spiders.model.items import Reference
    from sgr_spiders.storage.export_log import ExportMade
    from sgr_spiders.storage.forgetting import Forgotten

RELATE = ("relate", "Relationships built before still count what was forgotten")
EMBED = ("embed", "Vectors were learned from what was forgotten")


@dataclass(frozen=True, slots=True)
class ForgetReport:
    """The result of ``scrapy forget``, and what is left to do.

    Attributes:
        done: What was removed.
        named: The records that were named.
        earlier: Those of them that were forgotten before.
        exports: The exports that may contain the records.
        derived: The commands that renew what was built from the records, each with the reason.
        is_trial: Whether nothing was changed.
        left_over: The reason why remains of deleted rows may be on the disk; ``None`` if there are none.
    """

    done: Forgotten
    named: Sequence[Reference]
    earlier: Sequence[Reference]
    exports: Sequence[ExportMade]
    derived: Sequence[tuple[str, str]]
    is_trial: bool
    left_over: str | None = None


def spell(reference: Reference) -> str:
    """Return the URN of a record, or the URL of a page."""
    kind, key = reference
    return str(key) if kind == URL else urn(kind, int(key))


def as_json(report: ForgetReport) -> dict[str, Any]:
    """Return the report as plain data."""
    return {
        "dry_run": report.is_trial,
        "named": list(map(spell, report.named)),
        "forgotten_before": list(map(spell, report.earlier)),
        "records": dict(sorted(report.done.records().items())),
        "removed": _positive(report.done.removed.items()),
        "changed": _positive(report.done.changed.items()),
        "exports": [asdict(export) | {"is_there": _is_there(export)} for export in report.exports],
        "left_over": report.left_over,
        "next": [command(name) for name, _ in report.derived],
    }


def as_lines(report: ForgetReport) -> list[str]:
    """Return the report as lines of text."""
    lines = [f"{spell(reference)} was forgotten before" for reference in report.earlier]
    if not report.done.references:
        return lines
    counts = report.done.records()
    kinds = ", ".join(pluralize(counts[kind], kind) for kind in sorted(counts))
    lines.append(
        f"{'Would forget' if report.is_trial else 'Forgotten'}: {kinds}, with all that derives from them"
    )
    rows = [("removed", "rows"), *_rows(report.done.removed.items())]
    if changed := _rows(report.done.changed.items()):
        rows += [("", ""), ("changed", "rows"), *changed]
    lines += ["", *table(rows)]
    if report.exports:
        lines += ["", "Exports that may still contain it; delete them or export again:"]
        lines += [f"  {_describe(export)}" for export in report.exports]
    if report.left_over is not None:
        lines += ["", f"Not rewritten: {report.left_over}; run `{command('vacuum')}`"]
    if report.derived and not report.is_trial:
        lines += ["", *(f"{reason}; run `{command(name)}`" for name, reason in report.derived)]
    return lines


def _positive(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    return {name: count for name, count in sorted(counts) if count}


def _rows(counts: Iterable[tuple[str, int]]) -> list[tuple[str, str]]:
    return [(name, number(count)) for name, count in _positive(counts).items()]


def _describe(export: ExportMade) -> str:
    there = "" if _is_there(export) else ", not found there now"
    return f"{export.directory} ({export.purpose}, {minute(export.created_at)} UTC{there})"


def _is_there(export: ExportMade) -> bool:
    return Path(export.directory).exists()
