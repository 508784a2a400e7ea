"""Which words English knows.

A dictionary of a hundred and sixty thousand words with the better known proper names. It takes some 30 MB
and a third of a second, so it is read when the first word is asked for, and few titles ask.
"""

from __future__ import annotations

from functools import cache

from spellchecker import SpellChecker


def is_english(word: str) -> bool:
    """Whether the dictionary has the word; it knows its usual forms too ("knees", "told")."""
    return word in _dictionary()


@cache
def _dictionary() -> SpellChecker:
    return SpellChecker(language="en", distance=1)
