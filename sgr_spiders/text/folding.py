"""Titles and names without the differences that people do not type: case, accents and spacing."""

from __future__ import annotations

import unicodedata

_ALIKE = str.maketrans(
    {
        "æ": "ae", "đ": "d", "ð": "d", "ħ": "h", "\u0131": "i", "ł": "l", "ø": "o", "œ": "oe", "ŧ": "t",
        "þ": "th",
        "\u2010": "-", "\u2011": "-", "\u2013": "-", "\u2014": "-",
        "\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u201c": '"', "\u201d": '"',
    }
)  # fmt: skip
"""Letters that Unicode does not decompose, and typographic dashes and quotation marks."""


def fold(text: str) -> str:
    """Return *text* in a form that is equal for names that differ only in case, accents or spacing."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text.casefold())
        bare = "".join(character for character in decomposed if not unicodedata.combining(character))
        # Decomposing a letter such as a bold B returns a capital.
        text = unicodedata.normalize("NFC", bare.casefold().translate(_ALIKE))
    return " ".join(text.lower().split())
