"""The findings of ``--online``: whether the API accepts each key, and the local clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.cli.checks.check import Check
from sgr_spiders.text.formatting import duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_CLOCK_ERROR = 60.0
"""Seconds by which the local clock may be wrong. Times that the API names are judged by its own clock, but
those in the database would be wrong."""


def check_lanes(problems: Mapping[str, str | None]) -> Iterator[Check]:
    """Report whether the API has answered on each lane; a harvest needs one."""
    has_good = None in problems.values()
    for lane, problem in problems.items():
        if problem is None:
            yield Check(f"lane {lane}", "ok", "token accepted by the API")
        else:
            yield Check(f"lane {lane}", "warning" if has_good else "error", problem)


def check_clock(error: float | None) -> Iterator[Check]:
    """Report the difference between the local clock and the API's."""
    if error is None:
        return
    if abs(error) <= MAX_CLOCK_ERROR:
        yield Check("clock", "ok", f"within {MAX_CLOCK_ERROR:.0f} s of the API's")
    else:
        where = "ahead of" if error > 0 else "behind"
        yield Check(
            "clock", "warning", f"{duration(abs(error))} {where} the API's; set it, e.g. with `timedatectl`"
        )
