"""A dictionary of English words.

It has 160,000 words, including well-known proper names. It takes about 30 MB and 0.3 s to load, so it is
loaded on first use, which few titles need.
"""

from __future__ import annotations

from functools import cache

from spellchecker import SpellChecker


def is_english(word: str) -> bool:
    """Return whether the dictionary contains the word; inflected forms count ("knees", "told")."""
    return word in _dictionary()


@cache
def _dictionary() -> SpellChecker:
    return SpellChecker(language="en", distance=1)
