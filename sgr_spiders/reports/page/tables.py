"""Tables of the page: sortable where rows are neighbours, and scrollable where the window is narrow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sgr_spiders.reports.page.html import Html, tag
from sgr_spiders.text.formatting import number, significant

if TYPE_CHECKING:
    from collections.abc import Sequence

FIRST = 12
"""The rows of a long table that are shown until its button is pressed."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: its content, and the *value* to sort by. *is_number*: aligned to the right."""

    content: str
    value: float | None = None
    is_number: bool = False


def count(value: int | None) -> Cell:
    """Return the cell of a count; a dash if it is unknown."""
    return Cell(number(value), -1 if value is None else value, is_number=True)


def score(value: float, *, is_weak: bool = False) -> Cell:
    """Return the cell of a score; one with weak evidence is rounded to one digit."""
    shown = f"~{significant(value, 1)}" if is_weak else significant(value, 3)
    return Cell(shown, value, is_number=True)


def words(content: str) -> Cell:
    """Return the cell of a text, which is sorted by itself."""
    return Cell(content)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, and its explanation if the heading needs one."""

    heading: str
    is_number: bool = False
    explanation: str | None = None


def table(caption: str, columns: Sequence[Column], rows: Sequence[Sequence[Cell]], class_: str = "") -> Html:
    """Return a table that the page's script makes sortable."""
    first = FIRST if len(rows) > FIRST + 3 else None
    return _wrap(caption, columns, rows, f"sortable {class_}".strip(), first)


def plain_table(
    caption: str, columns: Sequence[Column], rows: Sequence[Sequence[Cell]], class_: str = ""
) -> Html:
    """Return a table in a fixed order; with the class ``narrow``, one that fits into a narrow window."""
    return _wrap(caption, columns, rows, f"fixed {class_}".strip())


def _wrap(
    caption: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    kind: str,
    first: int | None = None,
) -> Html:
    head = tag(
        "tr",
        *(
            tag(
                "th",
                column.heading,
                scope="col",
                title=column.explanation,
                class_="number" if column.is_number else None,
            )
            for column in columns
        ),
    )
    body = [tag("tr", *(_cell(cell, is_head=place == 0) for place, cell in enumerate(row))) for row in rows]
    content = tag(
        "table",
        tag("caption", caption),
        tag("thead", head),
        tag("tbody", *body),
        class_=kind,
        data_first=first,
    )
    # Focusable, so that the keyboard can scroll it.
    return tag("div", content, class_="scroll", tabindex=0, role="region", aria_label=caption)


def _cell(cell: Cell, *, is_head: bool) -> Html:
    return tag(
        "th" if is_head else "td",
        cell.content,
        scope="row" if is_head else None,
        class_="number" if cell.is_number else None,
        data_value=None if cell.value is None else f"{cell.value:.10g}",
    )
