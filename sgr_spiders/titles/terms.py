"""Search terms that find titles like a given one."""

from __future__ import annotations

import unicodedata
from itertools import combinations
from typing import Final, NamedTuple

from sgr_spiders.titles.accounts import ACCOUNT_THRESHOLD, same_name
from sgr_spiders.titles.words import (
    AMBIGUOUS_WORDS,
    FLUFF_WORDS,
    GENERIC_WORDS,
    LIGHT,
    STOPS,
    drop_fluff,
    is_number,
    normalise,
    parts,
    pieces_of,
    shorten,
    split,
)

_MAX_PAIRED: Final = 12
"""Number of words, from the first, that pairs are formed of."""
_MIN_PIECE: Final = 2


class _Word(NamedTuple):
    text: str
    position: int
    is_generic: bool


def key_terms(title: str, artist: str | None, limit: int) -> tuple[str, ...]:
    """Return up to ``limit`` distinct search terms in lower case, best first.

    Brackets, credits, the artist's name before a dash, fluff, numbers and stop words are removed first
    (see ``words`` and ``stopwords``). The terms are:

    1. All remaining words. If there is at most one, the title with its stop words and numbers comes
       first ("the one", "chapter 4").
    2. Pairs of words if there are three or more, because a search for all words misses a title that
       lacks one. Pairs without a generic word come first ("lofi study" before "lofi beats"), then
       words that are closest in the title, then the longest, then the earliest.
    3. Single words, the longest first and generic ones last. Words in scripts without spaces are also
       split where the script changes.

    The result is empty only if the title has no letter or digit, or if ``limit`` is below 1.
    """
    all_words = split(_lower(" ".join(_drop_artist(parts(title), artist))), apostrophes=True)
    distinctive = _select_distinctive(all_words)
    terms = [" ".join(word.text for word in distinctive)]
    if len(distinctive) <= 1:
        terms = [_with_light_words(all_words), *terms]
    terms += [f"{a.text} {b.text}" for a, b in _pairs(distinctive) if a.text != b.text]
    terms += [word.text for word in sorted(distinctive, key=_by_specificity)]
    terms += [piece for word in distinctive for piece in _pieces(word.text)]
    found = tuple(dict.fromkeys(term for term in terms if term))
    if not found:
        # Some characters are letters only before normalisation.
        rest = "".join(char for char in shorten(title) if unicodedata.category(char)[0] in "LN")
        found = (rest,) if rest else ()
    return found[: max(limit, 0)]


def _lower(text: str) -> str:
    """Return the text in lower case with its accents, which may matter in a search."""
    return unicodedata.normalize("NFKC", text.lower())


def _fold(word: str) -> str:
    return normalise(word).replace("'", "")


def _drop_artist(named: list[str], artist: str | None) -> list[str]:
    """Return the parts without the artist: the part with the artist's name, else the first of several."""
    if len(named) > 1:
        ends = [index for index in (0, len(named) - 1) if _is_artist(named[index], artist)]
        if ends:
            return drop_fluff(named[: ends[0]] + named[ends[0] + 1 :])
        kept = drop_fluff(named)
        return kept[1:] or kept
    return [_drop_lead(part, artist) for part in named]


def _drop_lead(part: str, artist: str | None) -> str:
    """Return ``Artist: Title`` without the artist."""
    head, colon, rest = part.partition(":")
    return rest if colon and split(rest) and _is_artist(head, artist) else part


def _is_artist(part: str, artist: str | None) -> bool:
    return artist is not None and same_name(part, artist) >= ACCOUNT_THRESHOLD


def _select_distinctive(words: list[str]) -> list[_Word]:
    kept: list[_Word] = []
    for position, word in enumerate(words):
        folded = _fold(word)
        if folded not in LIGHT and not is_number(folded):
            kept.append(_Word(word, position, folded in GENERIC_WORDS))
    return kept


def _with_light_words(words: list[str]) -> str:
    """Return all words except fluff, or all words if none is distinctive."""
    if all(_fold(word) in LIGHT or is_number(_fold(word)) for word in words):
        return " ".join(words)
    return " ".join(word for word in words if _fold(word) not in FLUFF_WORDS - AMBIGUOUS_WORDS - STOPS)


def _pairs(distinctive: list[_Word]) -> list[tuple[_Word, _Word]]:
    if len(distinctive) < 3:
        return []
    return sorted(combinations(distinctive[:_MAX_PAIRED], 2), key=_by_usefulness)


def _by_usefulness(pair: tuple[_Word, _Word]) -> tuple[int, int, int, int]:
    a, b = pair
    return a.is_generic + b.is_generic, b.position - a.position, -len(a.text) - len(b.text), a.position


def _by_specificity(word: _Word) -> tuple[bool, int, int]:
    return word.is_generic, -len(word.text), word.position


def _pieces(word: str) -> list[str]:
    pieces = pieces_of(word)
    if len(pieces) < 2:
        return []
    return [
        text
        for kind, text in sorted(pieces, key=lambda piece: -len(piece[1]))
        if kind not in {"", "hiragana"} and len(text) >= _MIN_PIECE and text not in LIGHT
    ]
