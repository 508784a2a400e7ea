"""Countries and cities as people write them.

``countries.csv`` contains the codes of ISO 3166-1, the English name of each country, and other spellings,
mostly in other languages (from Unicode CLDR), separated by `` | ``. A spelling that differs only in case,
accents or punctuation needs no entry.
"""

from __future__ import annotations

import functools
import re
from typing import Final

from sgr_spiders.text.folding import fold
from sgr_spiders.titles.spellings import read_rows

_SPACE: Final = re.compile(r"[^\w]+")
_CODE: Final = re.compile("[A-Z]{2,3}")


@functools.lru_cache(maxsize=1 << 12)
def read_country(text: str | None) -> str | None:
    """Return the code of the country that *text* names: ``DE`` for ``Deutschland``; ``None`` if unknown.

    Codes of two or three letters count in capitals only: *la* and *no* are words.
    """
    stripped = (text or "").strip()
    if _CODE.fullmatch(stripped) and stripped in _codes():
        return _codes()[stripped]
    return _spellings().get(_key(stripped))


def country_name(code: str) -> str:
    """Return the English name of the country with this code."""
    return _names()[code]


def fold_city(text: str | None) -> str | None:
    """Return a city in a form that is equal for spellings that differ in case, accents or spaces only."""
    return fold(text or "") or None


def _key(text: str) -> str:
    words = _SPACE.sub(" ", fold(text).replace("&", " and ")).strip()
    return words.removeprefix("the ").replace(" ", "")


@functools.cache
def _names() -> dict[str, str]:
    return {code: name for code, _, name, _ in read_rows("countries.csv")}


@functools.cache
def _codes() -> dict[str, str]:
    return {code: two for two, three, _, _ in read_rows("countries.csv") for code in (two, three)}


@functools.cache
def _spellings() -> dict[str, str]:
    """Return the code of each name, by the key of the name."""
    return {
        _key(spelling): code
        for code, _, name, spellings in read_rows("countries.csv")
        for spelling in (name, *spellings.split(" | "))
        if spelling
    }
