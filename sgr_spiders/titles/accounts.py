"""The account that matches a name.

Names are compared without spaces and symbols, because account names and permalinks use them freely
("Kestrel Wren", "kestrel_wren", "kestrel-wren").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rapidfuzz import fuzz

from sgr_spiders.titles.words import normalise, shorten, split

if TYPE_CHECKING:
    from collections.abc import Iterable

ACCOUNT_THRESHOLD: Final = 0.85
"""From this score, a name and an account's name count as the same.

It permits one different letter in seven ("Marlowe", "Marlow"), and an addition ("Kestrel Official").
"""

_ADDITIONS: Final = (
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
_MAX_FUZZY: Final = 0.94
_OTHER_DIGITS: Final = 0.85
_MIN_LENGTH: Final = 4
"""Shorter names are one letter away from too many others, so they must be equal."""


def same_name(a: str, b: str) -> float:
    """Return how likely two names are the same, from 0 to 1; the order does not matter.

    The score is 1 if letters and digits are equal apart from letter case, accents and spaces, and 0.95
    if one name has an addition ("official", "music", "the"). Otherwise it is ``rapidfuzz.fuzz.ratio``,
    at most 0.94, and lower if the digits differ: "kestrel2" is not "kestrel".
    """
    bare_a, bare_b = _strip_symbols(a), _strip_symbols(b)
    if not bare_a or not bare_b:
        return 0.0
    if bare_a == bare_b:
        return 1.0
    if min(len(bare_a), len(bare_b)) < _MIN_LENGTH:
        return 0.0
    if _strip_addition(bare_a) == _strip_addition(bare_b):
        return _WITH_ADDITION
    score = fuzz.ratio(bare_a, bare_b) / 100
    if _digits(bare_a) != _digits(bare_b):
        score *= _OTHER_DIGITS
    return min(score, _MAX_FUZZY)


def best_account(
    name: str, candidates: Iterable[tuple[int, str | None, str | None, int | None]]
) -> tuple[int, float] | None:
    """Return the ID and score of the best match among (id, username, permalink, followers).

    ``None`` if no account reaches ``ACCOUNT_THRESHOLD``. The highest score wins, so an equal name
    comes before a similar one. Ties go to the account with most followers, then to the lowest ID.
    """
    best: tuple[float, int, int] | None = None
    for account_id, username, permalink, followers in candidates:
        score = max(same_name(name, username or ""), same_name(name, permalink or ""))
        rank = (score, -1 if followers is None else followers, -account_id)
        if score >= ACCOUNT_THRESHOLD and (best is None or rank > best):
            best = rank
    return None if best is None else (-best[2], best[0])


def _strip_symbols(name: str) -> str:
    """Keep only letters, digits and marks; a name of symbols ("!!!") stays unchanged."""
    short = normalise(shorten(name))
    return "".join(split(short)) or "".join(short.split())


def _strip_addition(name: str) -> str:
    for addition in _ADDITIONS:
        if len(name) - len(addition) >= _MIN_LENGTH:
            if name.endswith(addition):
                return name.removesuffix(addition)
            if name.startswith(addition):
                return name.removeprefix(addition)
    return name


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isnumeric())
