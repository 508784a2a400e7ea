"""Numbers, durations, sizes and tables for people."""

from __future__ import annotations

from decimal import Decimal
from itertools import zip_longest
from typing import TYPE_CHECKING

from sgr_spiders.text.escape import for_cell

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 100
"""The assumed width of a terminal, in columns."""

GAP = "  "


def number(value: int | None) -> str:
    """Return a count with separators, or a dash if it is unknown."""
    return "-" if value is None else f"{value:,}"


def decimal(value: float | None) -> str:
    """Return a score or a mean with separators and three decimals, or a dash if it is unknown."""
    return "-" if value is None else f"{value:,.3f}"


def percent(share: float | None) -> str:
    """Return a share as ``92.1%`` or ``0.034%``, with two digits below 1%, or a dash if it is unknown."""
    if share is None:
        return "-"
    if 0 < share < 0.01:
        return f"{Decimal(f'{100 * share:.2g}'):f}%"
    return f"{share:.1%}"


def pluralize(count: int, noun: str, plural: str | None = None) -> str:
    """Return the count with its noun: ``1 walk``, ``1,200 walks``, ``2 libraries``."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def describe_left_out(count: int) -> str:
    """Return how many libraries were left out because they were not looked at."""
    return f"left out {pluralize(count, 'library', 'libraries')} not looked at"


def duration(seconds: float | None) -> str:
    """Return ``2.4 s``, ``3 min 05 s``, ``2 h 10 min`` or ``3 d 4 h``, or a dash if it is unknown."""
    if seconds is None:
        return "-"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def minute(timestamp: str) -> str:
    """Return a timestamp of the database as ``2026-11-27 03:00``, in UTC."""
    return timestamp[:16].replace("T", " ")


def size(count: int | None) -> str:
    """Return a number of bytes as ``1.3 MB``, or a dash if it is unknown."""
    if count is None:
        return "-"
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 999.5:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 99.5 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def table(rows: Sequence[Sequence[str]], left: int = 1, indent: str = "") -> list[str]:
    """Align the first *left* columns of *rows* to the left and the others to the right; cut at ``WIDTH``."""
    widths = [max(map(len, column)) for column in zip_longest(*rows, fillvalue="")]
    return [cut(indent + _line(row, widths, left)) for row in rows]


def _line(row: Sequence[str], widths: Sequence[int], left: int, last: int = 0) -> str:
    """Align the first *left* cells and the *last* ones to the left, and the others to the right."""
    cells = [
        cell.ljust(width) if position < left or position >= len(widths) - last else cell.rjust(width)
        for position, (cell, width) in enumerate(zip(row, widths, strict=False))
    ]
    return GAP.join(cells).rstrip()


def cut(line: str) -> str:
    """Return *line* safe for a terminal; ``...`` replaces what exceeds ``WIDTH``."""
    line = for_cell(line)
    return line if len(line) <= WIDTH else line[: WIDTH - 3] + "..."


def listing(rows: Sequence[Sequence[str]], texts: int = 1) -> list[str]:
    """Align the last columns of *rows*, which contain *texts*, to the left and the others to the right.

    Cut nothing.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [_line(row, widths, 0, texts) for row in rows]
