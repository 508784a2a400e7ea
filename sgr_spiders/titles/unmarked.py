"""Producers in a bracket of names without any mark: ``song (name + name)``.

Uploaders who write titles entirely in lower case do this. Others put subtitles, positions and versions
there, so a title with a capital letter, or a single name, gives no producers. A list counts only with
evidence that it contains names:

- One of them is the uploader, or an artist or guest of the title.
- The title names guests, and no name (with "+" or "x": not every name) is plain words (see ``subjects``).
- "+" or "x" separates them, and half of them have a word that is not English.
- Commas separate them, and each has two or three words.

In the last two cases, no name may be plain words or contain a function word.

In baile funk, the DJs in a bracket are the producers of an MC's song, in any letter case:
``MC Name - Song (DJ Name)``.
"""

# This file searches for characters of other scripts that look like ASCII.
# ruff: noqa: RUF001

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from sgr_spiders.titles.english import is_english
from sgr_spiders.titles.generic import REMIX_KINDS, bare, is_generic, is_nobody
from sgr_spiders.titles.markers import CreditMatch, first_mark, nothing_follows
from sgr_spiders.titles.names import bare_key, key, split_names
from sgr_spiders.titles.subjects import SMALL, UPLOADS, is_english_prose, is_plain

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sgr_spiders.titles.brackets import Part

MAX_NAMES: Final = 6
MAX_WORDS: Final = 3

_JOINED: Final = re.compile(r"\+| x ")
_OF_MC: Final = re.compile(r"(?:[^-–—]* )?mc [^-–—]+ [-–—] ", re.IGNORECASE)
_DJ: Final = re.compile(r"dj [^ ]|[^ ]+ dj$", re.IGNORECASE)
_SENTENCE: Final = re.compile(r"[?!:;\"=]")
_WORD: Final = re.compile(r"[^\W_]+")


def unmarked_producers(
    title: Sequence[Part], people: Collection[str], *, with_guests: bool
) -> tuple[CreditMatch, ...]:
    """Return the producers in the first such bracket of a title, without the already known ``people``."""
    outer, *brackets = title
    if _OF_MC.match(outer.text):
        return tuple(
            CreditMatch("producers", part.positions[0], names) for part in brackets if (names := _djs(part))
        )
    capitals = any(char.isupper() for part in title for char in part.text)
    if (
        capitals
        or not outer.text.islower()
        or _describes_upload(outer.text)
        or not is_english_prose(outer.text)
    ):
        return ()
    known = {bare_key(name) for name in people}
    for part in brackets:
        if _is_at_end(outer, part) and (names := _names(part, known, with_guests=with_guests)):
            return (CreditMatch("producers", part.positions[0], names),)
    return ()


def _djs(part: Part) -> tuple[str, ...]:
    names = tuple(split_names(part.text))
    others = {bare(word) for word in part.text.split()} & (REMIX_KINDS | UPLOADS)
    return names if all(_DJ.match(name) for name in names) and not others else ()


def _describes_upload(text: str) -> bool:
    words = _WORD.findall(text)
    return bool(words) and not UPLOADS.isdisjoint((words[0], words[-1]))


def _is_at_end(outer: Part, part: Part) -> bool:
    """Return whether the bracket follows the title and nothing of the title follows the bracket."""
    opening = part.positions[0] - 1
    index = bisect_left(outer.positions, opening)
    if index == len(outer.positions) or outer.positions[index] != opening:
        return False
    return any(map(str.isalnum, outer.text[:index])) and nothing_follows(outer.text[index + 1 :])


def _names(part: Part, known: Collection[str], *, with_guests: bool) -> tuple[str, ...]:
    text = part.text
    # The lists of plain words are in Latin letters only.
    if not text.isascii() or _SENTENCE.search(text) or first_mark(part) < len(text):
        return ()
    names = split_names(text)
    if not 2 <= len(names) <= MAX_NAMES or not all(map(_may_be_name, names)):
        return ()
    others = tuple(name for name in names if bare_key(name) not in known)
    if len(others) < len(names) or _has_evidence(text, names, with_guests=with_guests):
        return others
    return ()


def _may_be_name(name: str) -> bool:
    words = name.split()
    return (
        len(words) <= MAX_WORDS
        and sum(map(str.isalnum, name)) > 1
        and not is_nobody(key(name))
        and REMIX_KINDS.isdisjoint(words)
        and not all(is_generic(word) for word in words)
    )


def _has_evidence(text: str, names: Sequence[str], *, with_guests: bool) -> bool:
    plain = [is_plain(name) for name in names]
    joined = bool(_JOINED.search(text))
    if with_guests and joined:
        return not all(plain)
    if any(plain):
        return False
    if with_guests:
        return True
    if not all(SMALL.isdisjoint(name.split()) for name in names):
        return False
    if joined:
        return 2 * sum(map(_is_not_english, names)) >= len(names)
    return "," in text and all(" " in name for name in names)


def _is_not_english(name: str) -> bool:
    return not all(map(is_english, _WORD.findall(name)))
