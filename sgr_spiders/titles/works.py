"""Numbers of classical works in titles: "Op. 9 No. 2", "BWV 1007", "K. 467"."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_NUMBER: Final = re.compile(
    r"\b(?:(op(?:us)?|bwv|hwv|kv?|rv|woo)\.? ?|([ds])\. ?)(\d{1,4})\b(?:,? ?\b(?:no|nr)\.? ?(\d{1,2})\b)?",
    re.IGNORECASE,
)
_CATALOGUES: Final = {"opus": "op", "kv": "k"}
"""Catalogues with two abbreviations."""


class Work(NamedTuple):
    catalogue: str
    number: int
    piece: int | None
    """The number within an opus."""


def work_of(title: str) -> Work | None:
    """Return the number of the classical work that a title names, or ``None``."""
    found = _NUMBER.search(title)
    if found is None:
        return None
    catalogue = (found[1] or found[2]).lower()
    piece = int(found[4]) if found[4] else None
    return Work(_CATALOGUES.get(catalogue, catalogue), int(found[3]), piece)


def are_two_works(a: Work | None, b: Work | None) -> bool:
    """Return whether the numbers in one catalogue differ. An opus without a piece is each of its pieces."""
    if a is None or b is None or a.catalogue != b.catalogue:
        return False
    return a.number != b.number or (a.piece != b.piece and None not in {a.piece, b.piece})
