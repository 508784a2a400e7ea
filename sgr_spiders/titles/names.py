"""Cleaning, splitting and comparing names."""

# This file searches for characters of other scripts that look like ASCII.
# ruff: noqa: RUF001

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_NAME: Final = 80

_SPACE: Final = re.compile(r"\s+")
_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
)
# Whitespace is already folded, so backtracking cannot retry a run of it.
_SEPARATOR: Final = re.compile(
    r""" (?: (?<!\d) [,，、;；] | [,，、;；] (?!\d) ) (?! [ ]? (?:jr|sr)\b ) (?: [ ]? & [ ]? | [ ] and [ ] )?
       | [&＆+×]+ (?! [ ]? (?: friends | co | his | her | their )\b )
       | [ ] and [ ] (?! (?: friends | his | her | their )\b )
       | [ ] x [ ] (?! (?: and | x ) [ ] | [&,] )
       | [ ] (?: vs\.? | / | w/ ) [ ]
    """,
    re.IGNORECASE | re.VERBOSE,
)
_EDGES: Final = ' ,;:-–—_|/\\~"“”„«»‹›`\t'
_BAND: Final = re.compile(r" ?(?:[&＆+]|\band) the ")
_ORNAMENTS: Final = re.compile(
    "[\u200d\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u2500-\u27bf\ufe0f\U0001f000-\U0001faff]+"
)
_INITIALS: Final = re.compile(r"(?:\w\.\w|\b(?:jr|sr|\w))$", re.IGNORECASE)


def fold(text: str) -> str:
    """Fold whitespace and remove invisible characters."""
    return _SPACE.sub(" ", _INVISIBLE.sub("", text)).strip()


def key(name: str) -> str:
    """Return a key that ignores letter case and whitespace, but not accents."""
    return fold(unicodedata.normalize("NFKC", name).casefold())


def bare_key(name: str) -> str:
    """Return the key of a name without ornaments, as in the username ``Name 💫``."""
    return fold("".join(c if unicodedata.category(c)[0] in "LNM" else " " for c in key(name))) or key(name)


def clean(name: str) -> str:
    """Return a name without surrounding symbols, or an empty string if it cannot be a name."""
    name = fold(_ORNAMENTS.sub("", name)).strip(_EDGES).lstrip(".@ ")
    if name.count("*") == 1:
        name = name.strip("* ")
    if name.endswith(".") and not _INITIALS.search(name[:-1]):
        name = name.rstrip(". ").rstrip(_EDGES)
    return name if len(name) <= MAX_NAME and any(map(str.isalnum, name)) else ""


def split_names(text: str) -> list[str]:
    """Return the names of a list, in order."""
    text = fold(text)
    # In a line with capitals, "Name and the Others" is one band, but "Name & The Weather" are two.
    bands = {match.end() for match in _BAND.finditer(text)} if text != text.lower() else set()
    found, start = [], 0
    for match in _SEPARATOR.finditer(text):
        if any(match.start() <= end <= match.end() + 5 for end in bands):
            continue
        found.append(clean(text[start : match.start()]))
        start = match.end()
    found.append(clean(text[start:]))
    return [name for name in found if name]


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names in order without repeats, each in its first spelling."""
    kept: dict[str, str] = {}
    for name in names:
        kept.setdefault(key(name), name)
    return tuple(kept.values())
