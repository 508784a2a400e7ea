"""Split many IDs into lists for one statement each."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Value = TypeVar("Value")

CHUNK = 500
"""IDs in one ``IN``: far below SQLite's limit on variables, and enough to amortise the query's own cost."""


def chunked(values: Iterable[Value], length: int = CHUNK) -> Iterator[list[Value]]:
    """Yield *values* in lists of at most *length*, in order.

    Sort them for an update, so that all writers lock rows in the same order.
    """
    found = list(values)
    for start in range(0, len(found), length):
        yield found[start : start + length]
