"""A key that identifies spellings of one label, and the words that labels have in common."""

# ruff: noqa: RUF001 - names in many scripts
from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_NAME: Final = 100
"""Maximum length of a label's name; a longer text is not a name."""


def word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


LABEL_WORDS: Final = word_set(
    "record records recording recordings recs rec recordz music musik musique música musica muzik "
    "muzyka tapes collective label netlabel рекордс рекордз мьюзик музыка лейбл"
)
"""Optional words after a label's name. "Sounds", "Audio" and similar words distinguish labels."""
AFTER_LABEL_WORDS: Final = word_set("group entertainment publishing international worldwide")
LEGAL_SUFFIXES: Final = word_set(
    "ltd limited llc llp inc incorporated corp corporation co company plc gmbh ug ag kg bv nv sa sas "
    "sarl srl spa sl ab as aps oy pty ltda kft sro kk ооо"
)
OF_LABELS: Final = (
    LABEL_WORDS | LEGAL_SUFFIXES | word_set("discs discos disques dischi tonträger schallplatten")
)
"""Words that only labels have in their names, whether or not they are part of it."""
_GLUED_WORDS: Final = ("recordings", "records", "music")
EAST_ASIAN_WORDS: Final = (
    "株式会社", "有限公司", "レコーズ", "レコード", "ミュージック",
    "唱片", "音乐", "音樂", "레코드", "레코즈", "뮤직",
)  # fmt: skip
SINGLE_LETTERS: Final = re.compile(r"(?<![^\W_])([^\W\d_])\.(?=[^\W\d_](?:\W|$))")
_APOSTROPHES: Final = re.compile(r"['’ʼ`´]")
_MARKS: Final = re.compile(r"[™®℠]")
_PLUS_AND: Final = re.compile(r"&|(?<=\s)\+(?=\s)")
_LATIN_APART: Final = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "ё": "е"})
_LAST_OF_GREEK: Final = 0x03FF
_EXTENDED_LATIN_GREEK: Final = range(0x1E00, 0x2000)
_MIN_GLUED: Final = 4
_MIN_EAST_ASIAN: Final = 2


def label_key(name: str) -> str:
    """Return a key that all spellings of one label share, not for display; "" if nothing is named.

    Letter case, spaces, punctuation, accents on Latin and Greek letters, a leading "The", legal forms
    and final words such as Records or Music make no difference, and "&" equals "and". Marks in other
    scripts stay, because they distinguish letters there. A name of only such words keeps one of them.
    """
    text = normalise(_MARKS.sub("", name[: 2 * MAX_NAME]))
    words = _PLUS_AND.sub(" and ", f" {text} ")
    words = SINGLE_LETTERS.sub(r"\1", _APOSTROPHES.sub("", words))
    kept = "".join(char if is_letter(char) else " " for char in words).split()
    if not kept:
        return "".join(text.split())
    return _unglue("".join(_stem(kept)))


def _stem(words: list[str]) -> list[str]:
    """Remove the words that labels have in common, except the last remaining word."""
    words = words[1:] if words[0] in {"the", "ооо"} and len(words) > 1 else words
    while len(words) > 1:
        last = words[-1]
        after_label_word = last in AFTER_LABEL_WORDS and len(words) > 2 and words[-2] in LABEL_WORDS
        if not (last in LABEL_WORDS or last in LEGAL_SUFFIXES or after_label_word):
            break
        words = words[:-1]
    return words


def _unglue(key: str) -> str:
    for word in _GLUED_WORDS:
        if key.endswith(word) and len(key) >= len(word) + _MIN_GLUED:
            return key.removesuffix(word)
    for word in EAST_ASIAN_WORDS:
        if key.endswith(word) and len(key) >= len(word) + _MIN_EAST_ASIAN:
            return key.removesuffix(word)
    return key


def normalise(text: str) -> str:
    """Fold case and width, and drop combining marks on Latin and Greek letters."""
    if text.isascii() and text.isprintable():
        return text.casefold().strip()
    out: list[str] = []
    base = 0
    for char in unicodedata.normalize("NFKD", text).casefold().translate(_LATIN_APART):
        category = unicodedata.category(char)
        if category in {"Cc", "Cf", "Cs"}:
            continue
        if category != "Mn":
            base = ord(char)
        elif base <= _LAST_OF_GREEK or base in _EXTENDED_LATIN_GREEK:
            continue
        out.append(char)
    return unicodedata.normalize("NFC", "".join(out)).translate(_LATIN_APART).strip()


def is_letter(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char) in {"Mn", "Mc"}
