"""The words of a title, for both search terms and comparisons.

A word is a run of letters, digits and combining marks of any script (Unicode categories L, N, M).
Scripts without spaces are split where the script changes: a katakana run is a word, and a Han run is
split at its stop words ("的").
"""

# ruff: noqa: RUF001 - letters of many scripts

from __future__ import annotations

import re
import unicodedata
from itertools import groupby
from typing import Final

from sgr_spiders.titles.stopwords import AMBIGUOUS, FLUFF, GENERIC, ROMAN, STOP_WORDS, VERSION_WORDS

MAX_CHARACTERS: Final = 300
"""Maximum length of a title to process (SoundCloud allows 100), so that a huge one costs little."""

_LETTER_OR_DIGIT: Final = re.compile(r"[^\W_]")
_ASCII_WORD: Final = re.compile(r"[A-Za-z0-9]+")
_MARKS: Final = re.compile(
    "[\u0300-\u036f"  # Latin, Greek, Cyrillic
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"  # Hebrew points
    "\u0610-\u061a\u0640\u064b-\u065f\u0670]"  # Arabic vowels and tatweel
)
_LETTERS: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "ي": "ی", "ى": "ی", "ك": "ک"}
)
_APOSTROPHES: Final = re.compile(r"(?<=\w)['\u2019\u02bc\u00b4`](?=\w)")
_ELISIONS: Final = re.compile(r"(?<![\w'])(\w|qu|all|dall|dell|nell|sull)'(?=\w{2})", re.IGNORECASE)
_KEPT_APOSTROPHE: Final = "\u02bc"
"""The apostrophe that is a letter, U+02BC."""
_ABBREVIATION: Final = re.compile(r"\b[^\W\d_](?:\.[^\W\d_])+\b\.?")
_CLOSING: Final = {"(": ")", "[": "]", "{": "}", "<": ">", "【": "】", "〔": "〕", "〈": "〉", "⟨": "⟩"}
"""Not 「」『』《》, which enclose the name of a work."""
_DASH: Final = re.compile(r"\s+[-\u2010-\u2015\u2212~|]+\s*|(?<=\w)[-\u2010-\u2015\u2212]+\s+|\s*//+\s*")
CREDIT: Final = re.compile(
    r"(?<=\S)(?:\s+|(?<=[\])}]))"
    r"(?:(?:feat|ft|prod)\b\.?|featuring\b|produced by\b|prod\.?by\b|w/|при уч(?:\.|астии)?)\s*\S.*",
    re.IGNORECASE,
)
CREDIT_PART: Final = re.compile(r"\W*(?:feat|ft|featuring|prod|produced)\b", re.IGNORECASE)
"""The start of a part that is only a credit ("Title - Prod. by Somebody")."""
_STARRED: Final = re.compile(r"\*+([^*]+)\*+")
_HANDLE: Final = re.compile(r"(?<=\S)\s+@\w+")
_DOLLARS: Final = re.compile(r"(?<=\w)\$(?=\w)")
_PARODY: Final = re.compile(
    r"(?<=\S)\s+but (?:it['\u2019]?s|you['\u2019]?re|ur|i['\u2019]?m|every)\b.*", re.IGNORECASE
)
_MUSIC_VIDEO: Final = re.compile(r"\bm/v\b", re.IGNORECASE)
_UNSPACED: Final = re.compile(
    "(?P<han>[\u3005\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+)"
    "|(?P<hiragana>[\u3041-\u309f]+)"
    "|(?P<katakana>[\u30a0-\u30ff]+)"
    "|(?P<syllables>[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]+)"  # Thai, Lao, Burmese, Khmer
    "|(?P<other>.)",
    re.DOTALL,
)


def has_letters(text: str) -> bool:
    """Return whether a text contains a letter or a digit."""
    return _LETTER_OR_DIGIT.search(text) is not None


def normalise(text: str) -> str:
    """Return a common spelling: NFKC, case folded, without accents and vowel points.

    Marks that form different letters stay (those of Devanagari, Thai, kana).
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    without = _MARKS.sub("", unicodedata.normalize("NFKD", folded))
    return unicodedata.normalize("NFKC", without).translate(_LETTERS)


def fold_words(*lists: str) -> frozenset[str]:
    """Return the normalised words of these lists."""
    return frozenset(normalise(word) for text in lists for word in text.split())


STOPS: Final = fold_words(*STOP_WORDS.values())
FLUFF_WORDS: Final = fold_words(*FLUFF.values())
LIGHT: Final = STOPS | FLUFF_WORDS
AMBIGUOUS_WORDS: Final = fold_words(AMBIGUOUS)
GENERIC_WORDS: Final = fold_words(GENERIC)
VERSIONS: Final = fold_words(VERSION_WORDS)
ROMAN_NUMBERS: Final = fold_words(ROMAN)
_HAN_STOPS: Final = re.compile(f"([{STOP_WORDS['zh'].replace(' ', '')}])")


def is_number(word: str) -> bool:
    return word.isnumeric() or word in ROMAN_NUMBERS


def shorten(text: str) -> str:
    """Return the text from its first letter or digit (or the bracket before it), up to the maximum length."""
    if len(text) <= MAX_CHARACTERS:
        return text
    first = _LETTER_OR_DIGIT.search(text)
    start = max(first.start() - 1, 0) if first else 0
    return text[start : start + MAX_CHARACTERS]


def prepare(title: str) -> str:
    """Return the title in NFKC and of limited length, without handles and "but it's slower".

    "*text*" becomes "(text)".
    """
    text = _HANDLE.sub("", unicodedata.normalize("NFKC", shorten(title)))
    return _PARODY.sub("", _STARRED.sub(r"(\1)", _DOLLARS.sub("s", text)))


def drop_brackets(text: str) -> str:
    """Return the text outside brackets; an opening bracket that nothing closes is kept."""
    kept: list[str] = []
    opened: list[tuple[str, int]] = []
    for char in text:
        if opened and char == opened[-1][0]:
            del kept[opened.pop()[1] :]
            kept.append(" ")
            continue
        if char in _CLOSING:
            opened.append((_CLOSING[char], len(kept)))
        kept.append(char)
    return "".join(kept)


def parts(title: str) -> list[str]:
    """Return the title's parts between its dashes, without brackets and credits.

    A title that is entirely in brackets keeps them. The result is empty only without letters and digits.
    """
    text = _MUSIC_VIDEO.sub("MV", prepare(title))
    for candidate in (drop_brackets(text), text):
        pieces = [CREDIT.sub("", piece) for piece in _DASH.split(candidate)]
        named = [piece.strip() for piece in pieces if has_letters(piece)]
        named = named[:1] + [piece for piece in named[1:] if not CREDIT_PART.match(piece)]
        if named:
            return named
    return []


def drop_fluff(named: list[str]) -> list[str]:
    """Return the parts without fluff, at least one; fluff is removed from the end, where it usually is."""
    kept = list(named)
    for index in reversed(range(len(named))):
        if len(kept) > 1 and _is_fluff(named[index], index):
            del kept[index]
    return kept


def _is_fluff(part: str, index: int) -> bool:
    """Return whether a part only describes the upload ("Official Video") or version ("Somebody's Remix")."""
    words = split(normalise(part))
    if not words:
        return True
    is_kind = any(word in FLUFF_WORDS for word in words) and all(
        word in FLUFF_WORDS or is_number(word) for word in words
    )
    return is_kind or (index > 0 and words[-1] in VERSIONS)


def split(text: str, *, apostrophes: bool = False) -> list[str]:
    """Return the runs of letters, digits and marks; abbreviations with dots are words ("S.O.S.").

    An apostrophe separates an elided article from its word ("d'hiver"). In other words it is removed
    ("don't"), or kept with ``apostrophes``.
    """
    text = _ABBREVIATION.sub(lambda found: found[0].replace(".", ""), text)
    text = _ELISIONS.sub(r"\1 ", _APOSTROPHES.sub("'", text))
    text = _APOSTROPHES.sub(_KEPT_APOSTROPHE if apostrophes else "", text)
    if text.isascii():
        return _ASCII_WORD.findall(text)
    visible = (char for char in text if unicodedata.category(char) != "Cf")
    runs = ("".join(run) for is_word, run in groupby(visible, _is_part_of_word) if is_word)
    return [run.replace(_KEPT_APOSTROPHE, "'") for run in runs if has_letters(run)]


def _is_part_of_word(char: str) -> bool:
    return unicodedata.category(char)[0] in "LMN"


def pieces_of(word: str) -> list[tuple[str, str]]:
    """Split a word where its script changes; return (kind, piece), with the kind "" for spaced scripts."""
    if word.isascii():
        return [("", word)]
    found = ((match.lastgroup or "other", match[0]) for match in _UNSPACED.finditer(word))
    result: list[tuple[str, str]] = []
    for kind, run in groupby(found, key=lambda piece: piece[0]):
        text = "".join(piece for _, piece in run)
        if kind == "han":
            result += [(kind, piece) for piece in _HAN_STOPS.split(text) if piece]
        else:
            result.append(("" if kind == "other" else kind, text))
    return result
