"""Numbers, spans of time and sizes as people read them, and tables of them."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from sgr_spiders.text.escape import for_cell

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 100
"""Columns of a terminal that is taken for granted."""

GAP = "  "


def number(value: int | None) -> str:
    """Write a count with separators; a dash for one that is not known."""
    return "-" if value is None else f"{value:,}"


def pluralize(count: int, noun: str) -> str:
    """Write ``1 walk``, ``1,200 walks``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def duration(seconds: float | None) -> str:
    """Write ``2.4 s``, ``3 min 05 s``, ``2 h 10 min`` or ``3 d 4 h``; a dash for one that is not known."""
    if seconds is None:
        return "-"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def size(count: int | None) -> str:
    """Write a number of bytes, ``1.3 MB``; a dash for one that is not known."""
    if count is None:
        return "-"
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 999.5:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 99.5 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def table(rows: Sequence[Sequence[str]], left: int = 1, indent: str = "") -> list[str]:
    """Align *rows*: the first *left* columns to the left, the others to the right. Cut at ``WIDTH``."""
    widths = [max(map(len, column)) for column in zip_longest(*rows, fillvalue="")]
    return [cut(indent + _line(row, widths, left)) for row in rows]


def _line(row: Sequence[str], widths: Sequence[int], left: int) -> str:
    cells = [
        cell.ljust(width) if place < left else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(row, widths, strict=False))
    ]
    return GAP.join(cells).rstrip()


def cut(line: str) -> str:
    """Return *line* safe for a terminal and no longer than ``WIDTH``, and show that it was longer."""
    line = for_cell(line)
    return line if len(line) <= WIDTH else line[: WIDTH - 3] + "..."


def listing(rows: Sequence[Sequence[str]]) -> list[str]:
    """Align *rows* to the right, but for the last column, which holds names of any length. Nothing is cut."""
    widths = [max(map(len, column)) for column in list(zip(*rows, strict=True))[:-1]]
    return [
        GAP.join([*(cell.rjust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in rows
    ]
