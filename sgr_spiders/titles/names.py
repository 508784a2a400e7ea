"""Cleaning, splitting and comparing names."""

# This file searches for characters of other scripts that look like ASCII.
# ruff: noqa: RUF001

from __future__ import annotations

import html
import re
import unicodedata
from typing import TYPE_CHECKING, Final

from sgr_spiders.titles.performers import is_known, known_lists

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_NAME: Final = 80

_SPACE: Final = re.compile(r"\s+")
_ASCII_WORD: Final = re.compile(r"[a-z0-9]+")
_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\u0334-\u0338]"
)
_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8});")
_MAX_ESCAPES: Final = 3
"""Number of times a text may be escaped ("&amp;amp;" is "&" escaped twice)."""
_SPACING_MARKS: Final = str.maketrans({"´": "'", "™": None, "℠": None} | dict.fromkeys("¨¯¸˘˙˚˛˜˝"))
"""Characters that NFKC would turn into a space and a mark, or into letters."""
_SMALL_CAPITALS: Final = re.compile("[ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ🅐-🅩🅰-🆉]")
_PLAIN_LETTERS: Final = (
    str.maketrans("ᴀʙᴄᴅᴇꜰғɢʜɪᴊᴋʟᴍɴᴏᴘǫʀꜱᴛᴜᴠᴡʏᴢ", "abcdeffghijklmnopqrstuvwyz")
    | {0x1F150 + number: chr(ord("A") + number) for number in range(26)}
    | {0x1F170 + number: chr(ord("A") + number) for number in range(26)}
)
_AND: Final = "and|et|und|och|og|és|și|va|và|και|и|та|و|と|和"
_AND_LOWER: Final = "y|e|ve|con"
"""List words of other languages that are initials or words of names if capitalised ("Lil E")."""


def _separator(and_lower: str) -> re.Pattern[str]:
    # Whitespace is already folded, so backtracking cannot retry a run of it.
    return re.compile(
        rf""" (?: (?<!\d) [,，、;；] | [,，、;；] (?!\d) ) (?! [ ]? (?:jr|sr)\b )
                  (?: [ ]? & [ ]? | [ ] (?:{_AND}|{and_lower}) [ ] )?
           | (?: (?<![^\W\d_]) | (?<=\w\w) ) [&＆+×]+ (?= [ ]? [^ ] )
                  (?! [ ]? (?: friends | co | his | her | their )\b )
           | (?<=\w) [&＆+×]+ (?= [ ]? \w\w ) (?! [ ]? (?: friends | co | his | her | their )\b )
           | [ ] (?:{_AND}|{and_lower}) [ ] (?! (?: friends | his | her | their | sus | ses )\b )
           | [ ] (?-i: i [ ] (?= [^\W\d_a-z] ) )
           | (?<= \w{{4}} ) / (?= \w{{4}} )
           | (?<! [&,+] ) [ ] [xх✕✖✗✘] [ ] (?! (?: and | x ) [ ] | [&,] )
           | [ ] (?: vs\.? | versus | b2b | / | w/ ) [ ]
        """,
        re.IGNORECASE | re.VERBOSE,
    )


_SEPARATOR: Final = _separator(f"(?-i:{_AND_LOWER})")
_SEPARATOR_OF_CAPITALS: Final = _separator(_AND_LOWER)
_EDGES: Final = ' ,;:-–—_|/\\~"“”„«»‹›`\t'
_BAND: Final = re.compile(
    r" ?(?:(?:[&＆+]|\band) the|\by (?:los|las|la|el)|\bet (?:les|la|le)|\bund (?:die|der|das)) "
)
ORNAMENTS: Final = re.compile(
    "[\u200d\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u2500-\u27bf\u2b00-\u2bff\ufe0f\U0001f000-\U0001faff]+"
)
_INITIALS: Final = re.compile(r"(?:\w\.\w|\b(?:jr|sr|\w))$", re.IGNORECASE)
_HANDLE: Final = re.compile(r"(?<=\S)[ ]+[@＠]\S+")


def fold(text: str) -> str:
    """Return a text in plain characters: no entities, fancy letters, invisible characters, runs of spaces."""
    if "&" in text:
        text = _unescape(text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_SPACING_MARKS))
        if _SMALL_CAPITALS.search(text):
            text = text.translate(_PLAIN_LETTERS)
    return _SPACE.sub(" ", _INVISIBLE.sub("", text)).strip()


def _unescape(text: str) -> str:
    for _ in range(_MAX_ESCAPES):
        if not _ENTITY.search(text):
            break
        text = html.unescape(text)
    return text


def key(name: str) -> str:
    """Return a key that ignores letter case and whitespace, but not accents."""
    return fold(fold(name).casefold())


def bare_key(name: str) -> str:
    """Return the key of a name without ornaments, as in the username ``Name 💫``."""
    whole = key(name)
    if whole.isascii():
        return " ".join(_ASCII_WORD.findall(whole)) or whole
    return fold("".join(c if unicodedata.category(c)[0] in "LNM" else " " for c in whole)) or whole


def clean(name: str, *, ends: bool = True) -> str:
    """Return a name without surrounding symbols, or an empty string if it cannot be a name.

    With ``ends``, a period after it ends a sentence; without, it belongs to the name ("fun.").
    """
    name = _HANDLE.sub("", fold(ORNAMENTS.sub("", name)).strip(_EDGES)).lstrip(".@ ")
    if name.count("*") == 1:
        name = name.strip("* ")
    if name.endswith("...") or (ends and name.endswith(".") and not _has_final_period(name)):
        name = name.rstrip(". ").rstrip(_EDGES)
    return name if len(name) <= MAX_NAME and any(map(str.isalnum, name)) else ""


def _has_final_period(name: str) -> bool:
    return name.endswith("..") or is_known(name) or bool(_INITIALS.search(name[:-1]))


def split_names(text: str, *, ends: bool = True) -> list[str]:
    """Return the names of a list, in order; see ``clean`` for ``ends``."""
    text = fold(text)
    # In a line with capitals, "Name and the Others" is one band, but "Name & The Weather" are two.
    bands = {match.end() for match in _BAND.finditer(text)} if text != text.lower() else set()
    known = {position for span in known_lists(text) for position in range(*span)}
    separator = _SEPARATOR_OF_CAPITALS if text.isupper() else _SEPARATOR
    found, start = [], 0
    for match in separator.finditer(text):
        if match.start() in known or any(match.start() <= end <= match.end() + 5 for end in bands):
            continue
        found.append(clean(text[start : match.start()], ends=False))
        start = match.end()
    found.append(clean(text[start:], ends=ends))
    return [name for name in found if name]


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names in order without repeats, each in its first spelling."""
    kept: dict[str, str] = {}
    for name in names:
        kept.setdefault(key(name), name)
    return tuple(kept.values())
