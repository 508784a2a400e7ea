"""The values of a pseudonymised study: what is replaced, rounded and left out, by the content of a column."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sgr_spiders.storage.figures.cells import holders_of
from sgr_spiders.storage.personal import Content

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from sgr_spiders.storage.figures.cells import Cell, Values

    Number = TypeVar("Number", int, float)

FEWEST: Final = 5
"""The least number of accounts that a published value or count is about."""

KINDS: Final = {
    Content.ACCOUNT: "user",
    Content.TRACK: "track",
    Content.PLAYLIST: "playlist",
    Content.COMMENT: "comment",
}
"""The kind of record that columns of a content name."""


def round_to(value: Number, digits: int) -> Number:
    """Return a number with so many significant digits; an integer stays one."""
    return type(value)(float(f"{value:.{digits - 1}e}"))


def _round_known(value: Number | None, digits: int) -> Number | None:
    return None if value is None else round_to(value, digits)


def round_few(total: int | None, count: int) -> int | None:
    """Return a total of counters, rounded if it is about so few records that it tells one of them."""
    return total if total is None or count >= FEWEST else round_to(total, 1)


def _month(time: str | None) -> str | None:
    return None if time is None else time[:7]


def _year(time: str | None) -> str | None:
    return None if time is None else time[:4]


def _same(value: Any) -> Any:  # noqa: ANN401 - of any column
    return value


COARSENED: Final[dict[Content, tuple[str, Callable[[Any], Any], str]]] = {
    Content.WORD: ("", _same, ""),
    Content.FLAG: ("", _same, ""),
    Content.NUMBER: ("", _same, ""),
    Content.COUNTER: ("", lambda value: _round_known(value, 1), "rounded to one significant digit"),
    Content.MEASURE: ("", lambda value: _round_known(value, 2), "rounded to two significant digits"),
    Content.PERSONAL_TIME: ("month", _month, "only the month"),
    Content.ACCOUNT_TIME: ("year", _year, "only the year"),
}
"""Contents that are kept: the word that replaces ``at`` in the name of the column, what is kept of a value,
and what is said about it. IDs become pseudonyms, and values that few share become null."""


def choose_common(cells: Sequence[Cell]) -> set[Values]:
    """Return the values to publish: those of at least ``FEWEST`` accounts.

    The accounts of all others, known or not, are none or at least ``FEWEST`` as well: otherwise the
    difference to a total would tell their number. If they are fewer, the smallest published value joins them.
    """
    known = sorted(
        (cell for cell in cells if None not in cell.values),
        key=lambda cell: (-len(cell.holders), cell.values),
    )
    shown = [cell for cell in known if len(cell.holders) >= FEWEST]
    chosen = {cell.values for cell in shown}
    rest = holders_of(cell for cell in cells if cell.values not in chosen)
    while shown and 0 < len(rest) < FEWEST:
        rest |= shown.pop().holders
    return {cell.values for cell in shown}


def choose_common_within(cells: Sequence[Cell], outer: Collection[Values]) -> set[Any]:
    """Return the values to publish of cells within other cells, e.g. of cities within countries.

    The first value of each names the outer cell; within those that are not published, nothing is.
    """
    groups: defaultdict[Values, list[Cell]] = defaultdict(list)
    for cell in cells:
        groups[cell.values[:1]].append(cell)
    return set().union(*(choose_common(group) for first, group in groups.items() if first in outer))
