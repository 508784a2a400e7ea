"""Producers in a bracket of names alone, without any mark: ``song (name + name)``.

That is a habit of those who write their titles all in lower case. Others write subtitles, places and
versions there, so nothing is read from a title with a capital letter in it, or from a single name; and
a list counts only with something that speaks for names:

- one of them is the uploader, an artist or a guest of the title;
- the title names guests, and no name is plain words (see ``subjects``), or with "+" or "x" not all are;
- "+" or "x" stands between them, and half of them have a word that is not English;
- commas stand between them, and each has two or three words.

With the last two, no name is plain words, and none has a small word in it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from sgr_spiders.titles.english import is_english
from sgr_spiders.titles.generic import NOT_NAMES, REMIX_KINDS, is_generic
from sgr_spiders.titles.markers import Found, first_mark, nothing_follows
from sgr_spiders.titles.names import bare_key, key, split_names
from sgr_spiders.titles.subjects import SMALL, UPLOADS, is_english_prose, is_plain

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sgr_spiders.titles.brackets import Part

MAX_NAMES: Final = 6
MAX_WORDS: Final = 3

_JOINED: Final = re.compile(r"\+| x ")
_SENTENCE: Final = re.compile(r"[?!:;\"=]")
_WORD: Final = re.compile(r"[^\W_]+")


def unmarked_producers(
    title: Sequence[Part], people: Collection[str], *, with_guests: bool
) -> tuple[Found, ...]:
    """The producers a title's first such bracket names beside ``people``, who are known from elsewhere."""
    outer, *brackets = title
    capitals = any(char.isupper() for part in title for char in part.text)
    if (
        capitals
        or not outer.text.islower()
        or _is_of_an_upload(outer.text)
        or not is_english_prose(outer.text)
    ):
        return ()
    known = {bare_key(name) for name in people}
    for part in brackets:
        if _closes(outer, part) and (names := _names(part, known, with_guests=with_guests)):
            return (Found("producers", part.places[0], names),)
    return ()


def _is_of_an_upload(text: str) -> bool:
    words = _WORD.findall(text)
    return bool(words) and not UPLOADS.isdisjoint((words[0], words[-1]))


def _closes(outer: Part, part: Part) -> bool:
    """Whether the bracket stands behind the title, and nothing of the title behind it."""
    opening = part.places[0] - 1
    place = bisect_left(outer.places, opening)
    if place == len(outer.places) or outer.places[place] != opening:
        return False
    return any(map(str.isalnum, outer.text[:place])) and nothing_follows(outer.text[place + 1 :])


def _names(part: Part, known: Collection[str], *, with_guests: bool) -> tuple[str, ...]:
    text = part.text
    # The plain words are known in Latin letters alone.
    if not text.isascii() or _SENTENCE.search(text) or first_mark(part) < len(text):
        return ()
    names = split_names(text)
    if not 2 <= len(names) <= MAX_NAMES or not all(map(_may_be_a_name, names)):
        return ()
    others = tuple(name for name in names if bare_key(name) not in known)
    if len(others) < len(names) or _speaks_for_names(text, names, with_guests=with_guests):
        return others
    return ()


def _may_be_a_name(name: str) -> bool:
    words = name.split()
    return (
        len(words) <= MAX_WORDS
        and sum(map(str.isalnum, name)) > 1
        and key(name) not in NOT_NAMES
        and REMIX_KINDS.isdisjoint(words)
        and not all(is_generic(word) for word in words)
    )


def _speaks_for_names(text: str, names: Sequence[str], *, with_guests: bool) -> bool:
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
        return 2 * sum(map(_is_made_up, names)) >= len(names)
    return "," in text and all(" " in name for name in names)


def _is_made_up(name: str) -> bool:
    return not all(map(is_english, _WORD.findall(name)))
