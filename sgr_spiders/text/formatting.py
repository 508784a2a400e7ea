"""Numbers, durations, sizes and tables for people."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import unicodedata
from decimal import Decimal
from itertools import zip_longest
from typing import TYPE_CHECKING, TypeVar

from sgr_spiders.text.escape import for_cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Value = TypeVar("Value")

WIDTH = 100
"""Columns of a line where there is no terminal."""

NARROWEST, WIDEST = 60, 120
"""Columns of a line on a terminal that is narrower or wider."""

GAP, NARROW_GAP = "  ", " "
INDENT = "    "
"""The beginning of a line that continues the one above."""

SHORTEST = 24
"""Columns that a text keeps when it is shortened: more than a time with its date needs, or two IDs."""


def number(value: int | None) -> str:
    """Return a count with separators, or a dash if it is unknown."""
    return "-" if value is None else f"{value:,}"


def decimal(value: float | None) -> str:
    """Return a score or a mean with separators and three decimals, or a dash if it is unknown."""
    return "-" if value is None else f"{value:,.3f}"


def percent(share: float | None) -> str:
    """Return a share as ``92.1%`` or ``0.034%``, with two digits below 1%, or a dash if it is unknown.

    Only all is ``100.0%``.
    """
    if share is None:
        return "-"
    if 0 < share < 0.01:
        return f"{Decimal(f'{100 * share:.2g}'):f}%"
    return "99.9%" if 0.999 < share < 1 else f"{share:.1%}"


def significant(value: float, digits: int) -> str:
    """Return a number with this many significant digits, without an exponent: ``0.0270``, ``0.52``, ``3``."""
    return f"{Decimal(f'{value:#.{digits}g}'):f}".removesuffix(".")


def format_lift(lift: float | None) -> str:
    """Return a ratio to what chance gives as ``0.62``, ``3.4`` or ``1,200``, or a dash if it is unknown."""
    if lift is None:
        return "-"
    return f"{lift:,.0f}" if lift >= 9.95 else f"{lift:.1f}" if lift >= 0.995 else f"{lift:.2f}"


def format_q(q: float | None) -> str:
    """Return a false discovery rate as ``0.042``, or ``<0.001``, or a dash if it is unknown."""
    if q is None:
        return "-"
    return "<0.001" if q < 0.001 else f"{q:.3f}"


def p_value(value: float) -> str:
    """Return ``p = .021``, ``p = 1`` or ``p < .001``."""
    return "p < .001" if value < 0.001 else f"p = {f'{value:.2g}'.removeprefix('0')}"


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


def terminal_width() -> int | None:
    """Return the columns for a line on this terminal, or ``None`` if there is no terminal."""
    if not os.environ.get("COLUMNS", "").isdecimal() and not (sys.stdout is not None and sys.stdout.isatty()):
        return None
    return min(max(shutil.get_terminal_size((WIDTH, 24)).columns, NARROWEST), WIDEST)


def line_width() -> int:
    """Return the columns for a line."""
    return terminal_width() or WIDTH


def table(rows: Sequence[Sequence[str]], left: int = 1, indent: str = "") -> list[str]:
    """Align the first *left* columns of *rows* to the left and the others to the right.

    Where they are too wide for a line, texts on the left are shortened, and the gaps are narrow. What still
    does not fit follows below: texts below their row, numbers as another table with the first column.
    """
    cells = [list(map(for_cell, row)) for row in rows]
    room = line_width() - len(indent)
    wanted = _widths(cells)
    widths = _shorten_columns(wanted, range(left), room)
    gap = GAP if _total(widths) <= room else NARROW_GAP
    if _total(widths, gap) <= room:
        lines = [_line(row, widths, left, gap=gap) for row in cells]
    elif left >= len(widths):
        parts = list(_fill([min(width, room - len(INDENT)) for width in wanted], room))
        lines = [line for row in cells for line in _broken_row(row, 0, parts)]
    else:
        lines = _as_tables(cells, widths, left, room)
    return [cut(indent + line) for line in lines]


def _as_tables(rows: Sequence[Sequence[str]], widths: Sequence[int], left: int, room: int) -> list[str]:
    lines: list[str] = []
    for part in _split(widths, room):
        lines += [""] if lines else []
        texts = sum(index < left for index in part)
        lines += [_line(_take(row, part), _take(widths, part), texts) for row in rows]
    return lines


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(columns_of, column)) for column in zip_longest(*rows, fillvalue="")]


def columns_of(text: str) -> int:
    """Return the columns that a terminal needs for *text*."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )


def _total(widths: Sequence[int], gap: str = GAP) -> int:
    return sum(widths) + len(gap) * (len(widths) - 1)


def _shorten_columns(widths: Sequence[int], texts: Iterable[int], room: int) -> list[int]:
    """Return smaller *widths* for the columns *texts*, the widest first, so that all fit if possible."""
    fitted, texts = list(widths), [index for index in texts if index < len(widths)]
    while texts and _total(fitted) > room:
        widest = max(texts, key=fitted.__getitem__)
        if fitted[widest] <= SHORTEST:
            break
        fitted[widest] -= 1
    return fitted


def _split(widths: Sequence[int], room: int) -> Iterator[list[int]]:
    """Yield the columns of each of several tables; each begins with the first one."""
    part = [0]
    for index in range(1, len(widths)):
        if len(part) > 1 and _total(_take(widths, [*part, index])) > room:
            yield part
            part = [0]
        part.append(index)
    yield part


def _fill(widths: Sequence[int], room: int) -> Iterator[tuple[int, Sequence[int]]]:
    """Yield the first column and the widths of each line of a row."""
    first = 0
    for end in range(1, len(widths) + 1):
        space = room - (len(INDENT) if first else 0)
        if end == len(widths) or _total(widths[first : end + 1]) > space:
            yield first, widths[first:end]
            first = end


def _take(values: Sequence[Value], part: Sequence[int]) -> list[Value]:
    return [values[index] for index in part if index < len(values)]


def _line(row: Sequence[str], widths: Sequence[int], left: int, last: int = 0, gap: str = GAP) -> str:
    """Align the first *left* cells and the *last* ones to the left, and the others to the right."""
    cells = [
        _pad(cell, width, is_text=position < left or position >= len(widths) - last)
        for position, (cell, width) in enumerate(zip(row, widths, strict=False))
    ]
    return gap.join(cells).rstrip()


def _pad(cell: str, width: int, *, is_text: bool) -> str:
    cell = _cut_to(cell, width) if is_text else cell
    space = " " * (width - columns_of(cell))
    return cell + space if is_text else space + cell


def cut(line: str) -> str:
    """Return *line* safe for a terminal; ``...`` replaces what exceeds its width."""
    return _cut_to(for_cell(line), line_width())


def _cut_to(text: str, width: int) -> str:
    if columns_of(text) <= width:
        return text
    while columns_of(text) > width - 3:
        text = text[: min(len(text) - 1, width - 3)]
    return f"{text}..."


def wrap(text: str, indent: int = 0) -> list[str]:
    """Return the lines of a sentence, each of which leaves *indent* columns free."""
    return textwrap.wrap(text, line_width() - indent, break_long_words=False, break_on_hyphens=False)


def listing(rows: Sequence[Sequence[str]], texts: int = 1) -> list[str]:
    """Align the last columns of *rows*, which contain *texts*, to the left and the others to the right.

    The last column is never cut. On a terminal that is too narrow, it follows below, and so do the other
    texts if they must.
    """
    return [line for lines in list_rows(rows, texts) for line in lines]


def list_rows(rows: Sequence[Sequence[str]], texts: int = 1) -> list[list[str]]:
    """Return the lines of each row of a ``listing``."""
    widths, room = _widths(rows), terminal_width()
    if room is None or _total(widths) <= room:
        return [[_line(row, widths, 0, texts)] for row in rows]
    numbers, last = len(widths) - texts, len(widths) - 1
    head = _shorten_columns(widths[:last], range(numbers, last), room)
    parts = [(0, head)]
    if _total(head) > room:
        names = widths[numbers:last]
        below = _shorten_columns(names, range(len(names)), room - len(INDENT))
        parts = [(0, widths[:numbers]), (numbers, below)]
    parts.append((last, widths[last:]))
    return [list(_broken_row(row, numbers, parts)) for row in rows]


def _broken_row(
    row: Sequence[str], numbers: int, parts: Sequence[tuple[int, Sequence[int]]]
) -> Iterator[str]:
    """Yield a line for each of the *parts*: its first column, and the widths of its columns."""
    for first, widths in parts:
        cells = row[first : first + len(widths)]
        texts = len(widths) if first >= numbers else max(0, first + len(widths) - numbers)
        if first == 0 or any(cells):
            yield (INDENT if first else "") + _line(cells, widths, 0, texts)
