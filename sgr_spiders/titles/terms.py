"""What to search for, to find titles like a given one."""

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
    is_number,
    parts,
    pieces_of,
    plain,
    shortened,
    split,
    without_fluff,
)

_MOST_PAIRED: Final = 12
"""Pairs are made of so many words, the first ones."""
_SHORTEST_PIECE: Final = 2


class _Word(NamedTuple):
    text: str
    place: int
    is_generic: bool


def key_terms(title: str, artist: str | None, most: int) -> tuple[str, ...]:
    """What to search for, best first, at most ``most``, lower case, each once.

    Brackets, credits, the artist's name before a dash, fluff, numbers and stop words are dropped first
    (see ``words`` and ``stopwords``). Then:

    1. the whole of what is left. If that is one word at most, the title with its stop words and numbers
       comes before it ("the one", "chapter 4");
    2. from three words on, pairs of them, since a search for all words misses a title that lacks one:
       pairs without a generic word first ("lofi study" before "lofi beats"), then those closest to each
       other in the title, then the longest, then the earliest;
    3. the words, generic ones last, the longest first; words in scripts without spaces also in the
       pieces where the script changes.

    Never empty unless the title has no letter or digit (or ``most`` is below 1).
    """
    all_words = split(_spelled(" ".join(_titled(parts(title), artist))), apostrophes=True)
    telling = _telling(all_words)
    terms = [" ".join(word.text for word in telling)]
    if len(telling) <= 1:
        terms = [_with_light_words(all_words), *terms]
    terms += [f"{a.text} {b.text}" for a, b in _pairs(telling) if a.text != b.text]
    terms += [word.text for word in sorted(telling, key=_by_specificity)]
    terms += [piece for word in telling for piece in _pieces(word.text)]
    found = tuple(dict.fromkeys(term for term in terms if term))
    if not found:
        # Signs that are letters only until they are normalised.
        rest = "".join(char for char in shortened(title) if unicodedata.category(char)[0] in "LN")
        found = (rest,) if rest else ()
    return found[: max(most, 0)]


def _spelled(text: str) -> str:
    """Lower case; accents stay, because a search may mind them."""
    return unicodedata.normalize("NFKC", text.lower())


def _folded(word: str) -> str:
    return plain(word).replace("'", "")


def _titled(named: list[str], artist: str | None) -> list[str]:
    """The parts without the artist: the one that is the artist's name, else the first of several."""
    if len(named) > 1:
        ends = [index for index in (0, len(named) - 1) if _is_artist(named[index], artist)]
        if ends:
            return without_fluff(named[: ends[0]] + named[ends[0] + 1 :])
        kept = without_fluff(named)
        return kept[1:] or kept
    return [_without_lead(part, artist) for part in named]


def _without_lead(part: str, artist: str | None) -> str:
    """ "Artist: Title" without the artist."""
    head, colon, rest = part.partition(":")
    return rest if colon and split(rest) and _is_artist(head, artist) else part


def _is_artist(part: str, artist: str | None) -> bool:
    return artist is not None and same_name(part, artist) >= ACCOUNT_THRESHOLD


def _telling(words: list[str]) -> list[_Word]:
    kept: list[_Word] = []
    for place, word in enumerate(words):
        folded = _folded(word)
        if folded not in LIGHT and not is_number(folded):
            kept.append(_Word(word, place, folded in GENERIC_WORDS))
    return kept


def _with_light_words(words: list[str]) -> str:
    """All words but the fluff; all words if no other tells anything."""
    if all(_folded(word) in LIGHT or is_number(_folded(word)) for word in words):
        return " ".join(words)
    return " ".join(word for word in words if _folded(word) not in FLUFF_WORDS - AMBIGUOUS_WORDS - STOPS)


def _pairs(telling: list[_Word]) -> list[tuple[_Word, _Word]]:
    if len(telling) < 3:
        return []
    return sorted(combinations(telling[:_MOST_PAIRED], 2), key=_by_use)


def _by_use(pair: tuple[_Word, _Word]) -> tuple[int, int, int, int]:
    a, b = pair
    return a.is_generic + b.is_generic, b.place - a.place, -len(a.text) - len(b.text), a.place


def _by_specificity(word: _Word) -> tuple[bool, int, int]:
    return word.is_generic, -len(word.text), word.place


def _pieces(word: str) -> list[str]:
    pieces = pieces_of(word)
    if len(pieces) < 2:
        return []
    return [
        text
        for kind, text in sorted(pieces, key=lambda piece: -len(piece[1]))
        if kind not in {"", "hiragana"} and len(text) >= _SHORTEST_PIECE and text not in LIGHT
    ]
