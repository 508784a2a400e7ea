"""A dictionary of English words.

It has 160,000 words, including well-known proper names. It takes about 30 MB and 0.3 s to load, so it is
loaded on first use, which few titles need.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from spellchecker import SpellChecker

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORD: Final = re.compile(r"[^\W_]+")


def is_english(word: str) -> bool:
    """Return whether the dictionary contains the word; inflected forms count ("knees", "told")."""
    return word in _dictionary()


def is_english_phrase(phrases: Iterable[str]) -> bool:
    """Return whether the dictionary contains all words of all phrases."""
    return all(is_english(word) for phrase in phrases for word in _WORD.findall(phrase.casefold()))


@cache
def _dictionary() -> SpellChecker:
    return SpellChecker(language="en", distance=1)
