"""Which account carries a name.

Names are compared without spaces and signs, because account names and permalinks have them at will
("Kestrel Wren", "kestrel_wren", "kestrel-wren").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rapidfuzz import fuzz

from sgr_spiders.titles.words import plain, shortened, split

if TYPE_CHECKING:
    from collections.abc import Iterable

ACCOUNT_THRESHOLD: Final = 0.85
"""From here on a name and an account's name are taken for the same.

It lets one letter in seven differ ("Marlowe", "Marlow"), and an account's addition ("Kestrel Official").
"""

_ADDED: Final = (
    "official",
    "oficial",
    "officiel",
    "offiziell",
    "ofc",
    "music",
    "musik",
    "musica",
    "the",
    "real",
)
_WITH_ADDITION: Final = 0.95
_MOST_FUZZY: Final = 0.94
_OTHER_DIGITS: Final = 0.85
_SHORTEST: Final = 4
"""Shorter names are one letter from too many others: they count only when they are equal."""


def same_name(a: str, b: str) -> float:
    """How surely two names are one, from 0 to 1; the same for (b, a).

    1 if letters and digits are equal, whatever the letter case, accents and spaces; 0.95 if one has an
    account's addition ("official", "music", "the"); else ``rapidfuzz.fuzz.ratio``, at most 0.94, and
    lowered where the digits differ: "kestrel2" is somebody else than "kestrel".
    """
    joined_a, joined_b = _joined(a), _joined(b)
    if not joined_a or not joined_b:
        return 0.0
    if joined_a == joined_b:
        return 1.0
    if min(len(joined_a), len(joined_b)) < _SHORTEST:
        return 0.0
    if _without_addition(joined_a) == _without_addition(joined_b):
        return _WITH_ADDITION
    score = fuzz.ratio(joined_a, joined_b) / 100
    if _digits(joined_a) != _digits(joined_b):
        score *= _OTHER_DIGITS
    return min(score, _MOST_FUZZY)


def best_account(
    name: str, candidates: Iterable[tuple[int, str | None, str | None, int | None]]
) -> tuple[int, float] | None:
    """The account of a name and its score, among (id, username, permalink, followers).

    ``None`` if none reaches ``ACCOUNT_THRESHOLD``. The highest score wins, so an equal name comes
    before a similar one; among equals the account with most followers, then the lowest id.
    """
    best: tuple[float, int, int] | None = None
    for account_id, username, permalink, followers in candidates:
        score = max(same_name(name, username or ""), same_name(name, permalink or ""))
        rank = (score, -1 if followers is None else followers, -account_id)
        if score >= ACCOUNT_THRESHOLD and (best is None or rank > best):
            best = rank
    return None if best is None else (-best[2], best[0])


def _joined(name: str) -> str:
    """Letters, digits and marks alone; a name of signs ("!!!") stays as it is."""
    short = plain(shortened(name))
    return "".join(split(short)) or "".join(short.split())


def _without_addition(joined: str) -> str:
    for added in _ADDED:
        if len(joined) - len(added) >= _SHORTEST:
            if joined.endswith(added):
                return joined.removesuffix(added)
            if joined.startswith(added):
                return joined.removeprefix(added)
    return joined


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isnumeric())
