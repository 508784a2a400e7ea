"""The result of one check, and the report of all of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from sgr_spiders.text.escape import for_cell
from sgr_spiders.text.formatting import pluralize

if TYPE_CHECKING:
    from collections.abc import Sequence

State = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Check:
    """The subject of a check and its result. An ``error`` would stop a harvest."""

    name: str
    state: State
    message: str


def has_errors(checks: Sequence[Check]) -> bool:
    """Return whether something would stop a harvest."""
    return any(check.state == "error" for check in checks)


def as_json(checks: Sequence[Check]) -> dict[str, Any]:
    """Return the structure documented in docs/doctor.md."""
    return {"ok": not has_errors(checks), "checks": [asdict(check) for check in checks]}


def as_text(checks: Sequence[Check]) -> list[str]:
    """Return a line for each check, safe for a terminal, and the conclusion."""
    names = max(len(check.name) for check in checks)
    lines = [for_cell(f"{check.state:<7}  {check.name:<{names}}  {check.message}") for check in checks]
    return [*lines, "", _conclude(checks)]


def _conclude(checks: Sequence[Check]) -> str:
    errors = sum(check.state == "error" for check in checks)
    warnings = sum(check.state == "warning" for check in checks)
    counts = f"{pluralize(errors, 'error')}, {pluralize(warnings, 'warning')}"
    if errors:
        return f"A harvest would stop: {counts}."
    return f"Ready for a harvest: {counts}."
